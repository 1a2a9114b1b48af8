package delivery

import "time"

// DefaultSchedule is the delay after the 1st, 2nd, … failed attempt: 11 attempts
// over about three and a half days. The first attempt is at once.
func DefaultSchedule() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// jitter is how far a delay may move, up or down, as a fraction of it.
const jitter = 0.2

// Next decides what follows an attempt: it gives the delivery as it is after an
// attempt that ended at end with verdict v. schedule holds the delays after each
// failed attempt, chance is a number in [0, 1) that places the retry within the
// jitter. The schedule begins anew each time that the delivery is queued again.
func Next(d Delivery, v Verdict, schedule []time.Duration, end time.Time, chance float64) Delivery {
	d.Step++
	d.Reason = NoReason
	if v.Success {
		d.State = Succeeded
		return d
	}
	if v.Abort {
		return d.Fail(Aborted)
	}
	if d.Step > len(schedule) {
		return d.Fail(Exhausted)
	}
	delay := schedule[d.Step-1]
	delay += time.Duration(float64(delay) * jitter * (2*chance - 1))
	next := end.Add(max(delay, v.RetryAfter))
	if !d.Deadline.IsZero() && next.After(d.Deadline) {
		return d.Fail(Expired)
	}
	d.State, d.NextAt, d.Trigger = Pending, next, Scheduled
	return d
}

// Fail gives the delivery ended as failed.
func (d Delivery) Fail(r Reason) Delivery {
	d.State, d.Reason = Failed, r
	return d
}
