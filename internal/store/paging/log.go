package paging

import (
	"cmp"
	"slices"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/store"
)

// PendingSorted is up to how many pending deliveries of an app are sorted to find the
// newest ones. Where more are, a walk from the newest message on finds them soon.
const PendingSorted = 2000

// maxLogScan is how many deliveries a page of a log looks at. It is less than MaxScan,
// because each brings its message along.
const maxLogScan = 2000

const (
	// MaxUndelivered is up to how many deliveries that failed, of an app, and that are pending, of
	// an endpoint, are counted to say what is undelivered.
	MaxUndelivered = 10_000
	// maxPending is up to how many pending deliveries of an app are counted for that, and
	// leastPending up to how many of an endpoint are all the same.
	maxPending   = 40_000
	leastPending = 100
	// MaxFailed is up to how many deliveries are counted that a recovery would queue.
	MaxFailed = 100_000
)

// LogPage is a Page of deliveries that go by message and endpoint.
type LogPage struct {
	Page[store.DeliveryRow]
	q  *store.LogQuery
	at delivery.Key // the last row that was looked at
}

// NewLogPage begins a page.
func NewLogPage(q *store.LogQuery) *LogPage {
	p := &LogPage{Page: *NewPage[store.DeliveryRow](store.Page{Limit: q.Limit}), q: q}
	p.scanned = MaxScan - maxLogScan
	return p
}

// Bounds are those of the messages that the page may hold deliveries of. That of the last
// page's end is among them if it may have more: LogPage.Look leaves out what was shown.
func (p *LogPage) Bounds() Bounds {
	within := store.Page{After: p.q.After.Message, Ascending: p.q.Ascending}
	if p.q.After.Endpoint != 0 {
		if p.q.Ascending {
			within.After--
		} else {
			within.After++
		}
	}
	return Within(within, p.q.Since, p.q.Until)
}

// Filter are the query's conditions on messages.
func (p *LogPage) Filter() Filter {
	return Filter{Types: p.q.EventTypes, Channel: p.q.Channel, Tag: p.q.Tag}
}

// Wants reports whether a delivery's state is one of those asked for.
func (p *LogPage) Wants(s delivery.State) bool {
	return p.q.States == nil || slices.Contains(p.q.States, s)
}

// Only reports whether nothing but deliveries in these states is asked for.
func (p *LogPage) Only(states ...delivery.State) bool {
	return len(p.q.States) > 0 && !slices.ContainsFunc(p.q.States, func(s delivery.State) bool { return !slices.Contains(states, s) })
}

// Look is Page.Look for a delivery, or for a message without any, whose key has no
// endpoint.
func (p *LogPage) Look(k delivery.Key, matches bool, decode func() (store.DeliveryRow, error)) (more bool, err error) {
	if p.shown(k) {
		return true, nil
	}
	more, err = p.Page.Look(k.Message, matches, decode)
	if more {
		p.at = k
	}
	return more, err
}

// shown reports whether a delivery stands before where the page begins.
func (p *LogPage) shown(k delivery.Key) bool {
	after := p.q.After
	if after.Endpoint == 0 || k.Message != after.Message {
		return false
	}
	if p.q.Ascending {
		return k.Endpoint <= after.Endpoint
	}
	return k.Endpoint >= after.Endpoint
}

// Sort brings keys into the order of the page, without those before its beginning.
func (p *LogPage) Sort(keys []delivery.Key) []delivery.Key {
	b := p.Bounds()
	keys = slices.DeleteFunc(keys, func(k delivery.Key) bool {
		return int64(k.Message) <= b.Low || int64(k.Message) >= b.High || p.shown(k)
	})
	slices.SortFunc(keys, func(a, b delivery.Key) int {
		order := cmp.Or(cmp.Compare(a.Message, b.Message), cmp.Compare(a.Endpoint, b.Endpoint))
		if p.q.Ascending {
			return order
		}
		return -order
	})
	return slices.Compact(keys)
}

// Log is the page as it stands.
func (p *LogPage) Log() store.Log {
	next := p.at
	if p.Next != next.Message { // the walk went on over what it did not show
		next = delivery.Key{Message: p.Next}
	}
	return store.Log{Rows: p.Rows, Done: p.Done, Next: next}
}
