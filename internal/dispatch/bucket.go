package dispatch

import "time"

// bucket is a token bucket that holds one second's worth of tokens. Its zero
// value does not limit.
type bucket struct {
	rate   int // tokens per second; 0 = no limit
	tokens float64
	at     time.Time // when tokens was right
}

// setRate changes the rate; a new limit begins with a full bucket.
func (b *bucket) setRate(rate int, now time.Time) {
	if rate == b.rate {
		return
	}
	*b = bucket{rate: rate, tokens: float64(rate), at: now}
}

// fill adds what has come since at. A clock that was set back adds nothing.
func (b *bucket) fill(now time.Time) {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(b.tokens+passed*float64(b.rate), float64(b.rate))
	}
	b.at = now
}

// next is when a token can be taken, now if there is one.
func (b *bucket) next(now time.Time) time.Time {
	if b.rate == 0 {
		return now
	}
	b.fill(now)
	if b.tokens >= 1 {
		return now
	}
	// One microsecond more, so that rounding never wakes a lane too early.
	return now.Add(time.Duration((1-b.tokens)/float64(b.rate)*float64(time.Second)) + time.Microsecond)
}

// take uses a token.
func (b *bucket) take(now time.Time) {
	if b.rate == 0 {
		return
	}
	b.fill(now)
	b.tokens--
}
