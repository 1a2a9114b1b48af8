package dispatch

import (
	"container/heap"
	"context"
	"time"

	"github.com/callboard/callboard/internal/store"
)

const (
	// maxNap bounds how long the scheduler sleeps. Timers run by the monotonic
	// clock and due times by the wall clock; when the wall clock is set forward,
	// this is how late the scheduler notices.
	maxNap = 10 * time.Second
	// claimLanes is how many lanes share one round trip to the store.
	claimLanes = 64
	// claimRetry is the pause after a claim that failed, ± 50 %.
	claimRetry = time.Second
	// lockedRest is the pause after a claim that found due rows and got none: a
	// transaction of somebody else has them. ± 50 %.
	lockedRest = 20 * time.Millisecond
	// laneIdle is when a lane without work is forgotten, and with it what was
	// learned about its receiver.
	laneIdle = 10 * time.Minute
)

// schedule claims for lanes when they are due, until ctx ends; then it gives
// back what was claimed and not sent.
func (d *Dispatcher) schedule(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	sweepAt := d.cfg.Now().Add(laneIdle)
	for {
		select {
		case <-ctx.Done():
			return d.returnAll(context.WithoutCancel(ctx))
		case <-d.kick:
		case <-timer.C:
		}
		d.returnUnused(ctx)
		d.recheck(ctx)
		timer.Reset(d.round(ctx))
		if now := d.cfg.Now(); now.After(sweepAt) {
			d.sweep(now)
			sweepAt = now.Add(laneIdle)
		}
	}
}

// round serves the lanes whose time has come, and gives the time to sleep.
func (d *Dispatcher) round(ctx context.Context) time.Duration {
	for {
		wants, nap := d.dueLanes()
		if len(wants) == 0 {
			return nap
		}
		if err := d.claim(ctx, wants); err != nil {
			if ctx.Err() == nil {
				d.cfg.Logger.ErrorContext(ctx, "claim failed", "lanes", len(wants), "error", err)
			}
			return jittered(claimRetry)
		}
		if ctx.Err() != nil {
			return 0
		}
	}
}

// dueLanes takes lanes out of the heap whose time has come: those with a row to
// send go to their turn, those with rows to claim are returned.
func (d *Dispatcher) dueLanes() (wants []store.LaneRoom, nap time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.wakeWorkers()
	now := d.cfg.Now()
	for len(d.waiting) > 0 && len(wants) < claimLanes {
		l := d.waiting[0]
		if l.wake.After(now) {
			return wants, min(l.wake.Sub(now), maxNap)
		}
		heap.Pop(&d.waiting)
		at := d.claimable(l)
		if d.running && !d.stalled && !at.IsZero() && !at.After(now) {
			l.claiming = true
			l.due = time.Time{}
			wants = append(wants, store.LaneRoom{Endpoint: l.endpoint, Room: d.room(l)})
		} else if d.stalled || !d.running {
			continue // resume places every lane again
		}
		d.place(l, now)
	}
	return wants, maxNap
}

// claim leases rows for lanes and queues them.
func (d *Dispatcher) claim(ctx context.Context, wants []store.LaneRoom) error {
	now := d.cfg.Now()
	claimed, err := d.cfg.Store.Claim(ctx, now, wants)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range wants {
		l := d.lanes[w.Endpoint]
		l.claiming = false
		if err != nil {
			l.noteDue(now.Add(claimRetry))
		}
	}
	for i := range claimed {
		d.queueClaimed(&claimed[i], now)
	}
	for _, w := range wants {
		d.place(d.lanes[w.Endpoint], now)
	}
	d.wakeWorkers()
	return err
}

func (d *Dispatcher) queueClaimed(c *store.Claimed, now time.Time) {
	l := d.lanes[c.Endpoint]
	l.usedAt = now
	switch {
	case c.Behind && len(c.Rows) == 0 && d.room(l) > 0:
		l.noteDue(now.Add(jittered(lockedRest))) // somebody else is about to change them
	case c.Behind:
		l.noteDue(now)
	case !c.NextDue.IsZero():
		l.noteDue(c.NextDue)
	}
	if l.shut || !d.running { // it was disabled meanwhile, or the drain began
		d.unused = append(d.unused, c.Rows...)
		return
	}
	for _, row := range c.Rows {
		l.queue = append(l.queue, item{Delivery: row})
	}
}

// returnUnused gives leases back that will not be used.
func (d *Dispatcher) returnUnused(ctx context.Context) {
	d.mu.Lock()
	unused := d.unused
	d.unused = nil
	d.mu.Unlock()
	if len(unused) == 0 {
		return
	}
	if err := d.cfg.Store.GiveBack(ctx, unused); err != nil {
		d.cfg.Logger.WarnContext(ctx, "giving leases back failed, they will run out", "rows", len(unused), "error", err)
	}
}

// returnAll gives back everything that is queued: the end of the drain.
func (d *Dispatcher) returnAll(ctx context.Context) error {
	d.mu.Lock()
	for _, l := range d.lanes {
		for i := range l.queue {
			d.unused = append(d.unused, l.queue[i].Delivery)
		}
		l.queue = nil
	}
	d.mu.Unlock()
	d.returnUnused(ctx)
	return nil
}

// sweep forgets lanes that have had nothing to do for a while.
func (d *Dispatcher) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, l := range d.lanes {
		busy := !l.due.IsZero() || l.claiming || l.inReady || l.at >= 0 ||
			len(l.queue) > 0 || l.reserved > 0 || l.inFlight > 0 || l.shut || l.notBefore.After(now)
		if !busy && now.Sub(l.usedAt) > laneIdle {
			delete(d.lanes, k)
		}
	}
}

// worker is a goroutine that sends.
type worker struct{ wake chan struct{} }

// wakeWorkers gives work to idle workers, and makes more of them, as long as
// there are lanes in turn. It is called with the lock held.
func (d *Dispatcher) wakeWorkers() {
	if d.stalled || !d.running {
		return
	}
	sendable := 0
	for _, l := range d.ready {
		sendable += min(len(l.queue), l.limit-l.inFlight)
		if sendable >= d.cfg.MaxInFlight {
			break
		}
	}
	for ; sendable > 0; sendable-- {
		if n := len(d.idle); n > 0 {
			w := d.idle[n-1]
			d.idle = d.idle[:n-1]
			w.wake <- struct{}{} // never blocks: room for one, and w was idle
			continue
		}
		if d.workers >= d.cfg.MaxInFlight {
			return
		}
		d.workers++
		d.senders.Add(1)
		go d.work(&worker{wake: make(chan struct{}, 1)})
	}
}

// work sends rows, one after another, until the drain.
func (d *Dispatcher) work(w *worker) {
	defer d.senders.Done()
	for {
		it, l, ok := d.next(w)
		if ok {
			d.deliver(d.sending, l, it)
			continue
		}
		select {
		case <-w.wake:
		case <-d.closed:
			return
		}
	}
}

// resume lets rows be taken again after results could be recorded.
func (d *Dispatcher) resume() {
	now := d.cfg.Now()
	d.stalled = false
	for _, l := range d.lanes {
		d.place(l, now)
	}
	d.wakeWorkers()
}
