package delivery

import (
	"slices"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// Subject is what Plan needs to know of a message.
type Subject struct {
	Message   id.ID
	App       id.ID
	Type      string
	Channels  []string      // nil = none
	Time      time.Time     // when it was accepted
	DeliverAt time.Time     // zero = at once
	Deadline  time.Duration // 0 = the endpoint's
	OrderKey  string
	Only      id.ID // if set, this endpoint alone, whatever it subscribed to (send-example)
}

// Plan gives a pending delivery for every endpoint that hears the message, in
// the endpoints' order. says reports whether an endpoint's dialect has words for
// the type.
func Plan(s Subject, endpoints []Endpoint, says func(*Endpoint) bool) []Delivery {
	var planned []Delivery
	for i := range endpoints {
		ep := &endpoints[i]
		if !hears(ep, s) || !says(ep) {
			continue
		}
		planned = append(planned, plan(ep, s))
	}
	return planned
}

func hears(ep *Endpoint, s Subject) bool {
	if ep.Deleted || ep.Disabled {
		return false
	}
	if s.Only != 0 {
		return ep.ID == s.Only
	}
	if ep.FilterTypes != nil && !slices.Contains(ep.FilterTypes, s.Type) {
		return false
	}
	return ep.Channels == nil || slices.ContainsFunc(s.Channels, func(c string) bool {
		return slices.Contains(ep.Channels, c)
	})
}

func plan(ep *Endpoint, s Subject) Delivery {
	begin := s.Time
	if s.DeliverAt.After(begin) {
		begin = s.DeliverAt
	}
	d := Delivery{
		Key:    Key{Message: s.Message, Endpoint: ep.ID},
		App:    s.App,
		State:  Pending,
		NextAt: begin,
	}
	if limit := shorter(ep.Deadline, s.Deadline); limit > 0 {
		d.Deadline = begin.Add(limit)
	}
	return d
}

// shorter is the smaller of two durations of which 0 means none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
