//go:build unix

package sqlite

import (
	"errors"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// large is the number of deliveries that budgets of reading are given for.
const large = 1_000_000

// BenchmarkList reads pages of 50 where 50 apps have a million deliveries, to one
// endpoint each, and where one app of them has two messages, the oldest.
func BenchmarkList(b *testing.B) {
	w := newBench(b, 50, 1, 0)
	quiet := store.Message{ID: w.gen.Next(time.Now()), App: 7, Type: "session.joined"}
	w.changes.Apps = append(w.changes.Apps, store.App{ID: 7, Org: "org_1"})
	w.changes.Messages = append(w.changes.Messages, quiet)
	w.commit(nil)
	w.fill(large)
	app, ep := w.apps[3], w.endpoints[3][0]
	page := store.Page{Limit: 50}
	no := false
	for name, read := range map[string]func() error{
		"messages": func() error {
			_, err := w.ListMessages(b.Context(), store.MessageQuery{Page: page, App: app, Content: true})
			return err
		},
		"messages/no match": func() error {
			_, err := w.ListMessages(b.Context(), store.MessageQuery{Page: page, App: app, EventTypes: []string{"none"}})
			return err
		},
		"messages/quiet app": func() error {
			_, err := w.ListMessages(b.Context(), store.MessageQuery{Page: page, App: 7})
			return err
		},
		"attempts": func() error {
			_, err := w.ListAttempts(b.Context(), store.AttemptQuery{Page: page, App: app, Endpoint: ep, WithMessage: true, Content: true})
			return err
		},
		"attempts/no match": func() error {
			_, err := w.ListAttempts(b.Context(), store.AttemptQuery{Page: page, App: app, Endpoint: ep, Success: &no})
			return err
		},
		"deliveries": func() error {
			_, err := w.ListDeliveries(b.Context(), store.DeliveryQuery{Page: page, App: app, Endpoint: ep})
			return err
		},
		"deliveries/no match": func() error {
			_, err := w.ListDeliveries(b.Context(), store.DeliveryQuery{Page: page, App: app, Endpoint: ep, States: []delivery.State{delivery.Failed}})
			return err
		},
		"count 20,000": func() error {
			_, err := w.CountDeliveries(b.Context(), app, ep, 0, 0)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill writes messages and ends their deliveries.
func (w *bench) fill(messages int) {
	for range messages / 500 {
		w.insert(500, delivery.Leased)
		w.complete()
		w.commit(nil)
	}
}

// BenchmarkBacklog claims from an endpoint for which a million deliveries are due,
// ends what it claimed, and opens the database again.
func BenchmarkBacklog(b *testing.B) {
	w := newBench(b, 1, 1, 0)
	for range large / 500 {
		w.insert(500, delivery.Pending)
		w.commit(nil)
	}
	ep := w.endpoints[0][0]
	for name, room := range map[string]int{"claim 1": 1, "claim 64": 64, "claim 512": 512} {
		b.Run(name, func(b *testing.B) {
			w.b = b
			measure(b, room, func() {
				got, err := w.Claim(b.Context(), time.Now(), []store.LaneRoom{{Endpoint: ep, Room: room}})
				if err != nil || len(got[0].Rows) != room {
					b.Fatal(len(got), err)
				}
				w.leased = append(w.leased, got[0].Rows...)
				w.complete()
				w.commit(nil)
			})
		})
	}
	b.Run("lanes", func(b *testing.B) {
		for b.Loop() {
			if lanes, err := w.Lanes(b.Context()); err != nil || len(lanes) != 1 {
				b.Fatal(lanes, err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		w.b = b
		for b.Loop() {
			if err := errors.Join(w.Close(), w.reopen()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// reopen opens the database again.
func (w *bench) reopen() (err error) {
	reopened, err := Open(w.b.Context(), w.config)
	if err == nil {
		w.Store = reopened
	}
	return err
}

// BenchmarkDrop removes a thousand messages with what hangs on them.
func BenchmarkDrop(b *testing.B) {
	w := newBench(b, 50, 1, 0)
	w.fill(large / 4)
	var after id.ID
	for b.Loop() {
		r, ok, err := w.MessageRange(b.Context(), 0, after, 0, 1000)
		if err != nil || !ok {
			b.Skip("everything is gone")
		}
		w.changes.Dropped = append(w.changes.Dropped, r)
		w.commit(nil)
		if err := w.Shrink(b.Context()); err != nil {
			b.Fatal(err)
		}
		after = r.Until
	}
}
