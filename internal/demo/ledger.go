package demo

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// happening is what the messages that one sender sends are told apart by, in every dialect: what happened, in the
// dialect's word, and when, to the second. An id does not serve, since Zuddl's and iotum's webhooks hold none of
// Callboard's; so with Config.Once no two messages tell of the same second.
type happening struct {
	word   string
	second int64 // Unix
}

// happening is what an arrival tells of.
func (a arrival) happening() happening { return happening{a.word, a.happened.Unix()} }

// posted is a message that the API has accepted.
type posted struct {
	id        string
	eventType string
	second    int64     // when it happened
	began     time.Time // the POST
}

// taking is what a receiver took.
type taking struct {
	at   time.Time
	body []byte
}

// ledger notes when each message was posted and when each receiver took what. A receiver may be faster than the API's
// answer, so the two come in either order. It is safe for concurrent use.
type ledger struct {
	forget bool // all but the counts, so that memory stays bounded

	mu     sync.Mutex
	counts counts
	posted []posted
	taken  []map[happening]taking // by receiver
}

// counts are the figures of the progress.
type counts struct {
	posted int   // messages
	taken  []int // messages, by receiver
}

func newLedger(receivers int, forget bool) *ledger {
	l := &ledger{forget: forget, counts: counts{taken: make([]int, receivers)}}
	for range receivers {
		l.taken = append(l.taken, map[happening]taking{})
	}
	return l
}

// post notes that the API has accepted a message.
func (l *ledger) post(p posted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.posted++
	if !l.forget {
		l.posted = append(l.posted, p)
	}
}

// took notes that a receiver has taken something. Receivers take no message twice: of two takings that tell of the same
// happening the first counts, and that there were two shows in the counts.
func (l *ledger) took(receiver int, a arrival, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.taken[receiver]++
	if _, again := l.taken[receiver][a.happening()]; !l.forget && !again {
		l.taken[receiver][a.happening()] = taking{at, a.body}
	}
}

// count gives the figures of this moment; the caller owns them.
func (l *ledger) count() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return counts{posted: l.counts.posted, taken: slices.Clone(l.counts.taken)}
}

// hearing is a message that a receiver should have, as its dialect tells it.
type hearing struct {
	message string // id
	begun   time.Time
	happening
}

// hearings are the messages that who speaks a dialect should have: those that it has a word for.
func (l *ledger) hearings(dialect string, w words) []hearing {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []hearing
	for _, p := range l.posted {
		if said, ok := w.of(dialect, p.eventType); ok {
			all = append(all, hearing{p.id, p.began, happening{said.text, p.second}})
		}
	}
	return all
}

// takings are what a receiver took; the caller owns them. repeated is how many of its takings told of what an earlier one
// had told of.
func (l *ledger) takings(receiver int) (taken map[happening]taking, repeated int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.taken[receiver]), l.counts.taken[receiver] - len(l.taken[receiver])
}
