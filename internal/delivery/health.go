package delivery

import (
	"time"

	"github.com/callboard/callboard/internal/id"
)

// Health is what an endpoint's failures since its last success add up to. An
// endpoint that is not failing has none.
type Health struct {
	Endpoint     id.ID
	FailingSince time.Time // oldest failure since the last success
	Failures     int
	FirstMessage id.ID // of the oldest failure
	ManyMessages bool  // two or more messages failed
}

// DisableRule says when an endpoint that only fails is given up: a success ends
// the count, attempts that an operator asked for do not count.
type DisableRule struct {
	After    time.Duration // since the oldest failure
	Failures int
}

// DefaultDisableRule is five days and twelve failures, of two or more messages:
// a quiet endpoint is not taken for a dead one.
func DefaultDisableRule() DisableRule {
	return DisableRule{After: 5 * 24 * time.Hour, Failures: 12}
}

// Failed adds a failure of a message at a time to an endpoint's health.
func (h Health) Failed(endpoint, message id.ID, at time.Time) Health {
	if h.Failures == 0 {
		return Health{Endpoint: endpoint, FailingSince: at, Failures: 1, FirstMessage: message}
	}
	h.Failures++
	h.ManyMessages = h.ManyMessages || message != h.FirstMessage
	if at.Before(h.FailingSince) {
		h.FailingSince = at
	}
	return h
}

// GivesUp reports whether the rule disables an endpoint of this health at now.
func (r DisableRule) GivesUp(h Health, now time.Time) bool {
	return h.ManyMessages && h.Failures >= r.Failures && now.Sub(h.FailingSince) >= r.After
}
