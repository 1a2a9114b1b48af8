package demo

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/simulator"
	"github.com/callboard/callboard/wire/native"
)

// happening is what an arrival is known by, in every dialect: what happened, in the dialect's word, and when, to the
// second. An id does not serve, since Zuddl's and iotum's webhooks hold none of Callboard's. Several messages may tell of
// one word and second; then as many arrivals must.
type happening struct {
	word   string
	second int64 // Unix
}

// happening is what an arrival tells of.
func (a arrival) happening() happening { return happening{a.word, a.happened.Unix()} }

// ledger notes what each receiver took, and what the first of them, which speaks the native dialect, heard of the figures
// of a day. It is safe for concurrent use.
type ledger struct {
	forget bool // all but the counts and the figures, so that memory stays bounded

	mu     sync.Mutex
	counts []int                       // arrivals, by receiver
	taken  []map[happening][]time.Time // when, by receiver
	bodies []map[happening]string      // some of what can be shown, by receiver
	day    *simulator.Day              // nil = none goes on
	heard  *simulator.Account
}

func newLedger(receivers int, forget bool) *ledger {
	l := &ledger{forget: forget, counts: make([]int, receivers)}
	for range receivers {
		l.taken = append(l.taken, map[happening][]time.Time{})
		l.bodies = append(l.bodies, map[happening]string{})
	}
	return l
}

// maxBodies is how many bodies of each receiver are kept to be shown.
const maxBodies = 500

// took notes that a receiver has taken something; show says that it may be shown in the end.
func (l *ledger) took(receiver int, a arrival, at time.Time, show bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[receiver]++
	if receiver == 0 {
		l.hear(a.body)
	}
	if l.forget {
		return
	}
	what := a.happening()
	l.taken[receiver][what] = append(l.taken[receiver][what], at)
	if show && len(l.bodies[receiver]) < maxBodies {
		l.bodies[receiver][what] = string(a.body)
	}
}

func (l *ledger) hear(body []byte) {
	if l.day == nil {
		return
	}
	// One that is none of the catalogue's, or none at all, tells no figures; that it came counts elsewhere.
	if w, err := native.Decode(body); err == nil {
		l.day.Hear(l.heard, w)
	}
}

// begin begins a day.
func (l *ledger) begin(day *simulator.Day) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.day, l.heard = day, simulator.NewAccount()
}

// figures are those that were heard of the day; the caller owns them.
func (l *ledger) figures() *simulator.Account {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard.Clone()
}

// count gives how many messages each receiver has taken; the caller owns it.
func (l *ledger) count() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.counts)
}

// takings are when a receiver took what; the caller owns the map.
func (l *ledger) takings(receiver int) map[happening][]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.taken[receiver])
}

// body is what a receiver took, if it was kept.
func (l *ledger) body(receiver int, what happening) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bodies[receiver][what]
}

// hearing is a message that a receiver should have, as its dialect tells it.
type hearing struct {
	message string // id
	begun   time.Time
	happening
}

// hearings are the messages that who speaks a dialect should have: those that it has a word for.
func (w words) hearings(dialect string, all []messageOut) (hearings []hearing) {
	for i := range all {
		m := &all[i]
		if said, ok := w.of(dialect, m.EventType); ok {
			hearings = append(hearings, hearing{m.ID, m.Timestamp, happening{said.text, m.Payload.Timestamp.Unix()}})
		}
	}
	return hearings
}
