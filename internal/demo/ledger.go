package demo

import (
	"slices"
	"sync"
	"time"
)

// ledger notes for each message when it was posted and when each receiver took it. A receiver may be faster than the
// API's answer, so the two come in either order. It is safe for concurrent use.
type ledger struct {
	receivers int
	forget    bool // messages that all receivers have taken, so that memory stays bounded

	mu      sync.Mutex
	counts  counts
	entries map[string]*entry
}

// entry is one message; zero times have not come yet.
type entry struct {
	posted time.Time
	taken  []time.Time // by receiver; a second copy leaves the first one's time
}

// counts are the figures of the progress.
type counts struct {
	posted int   // messages
	taken  []int // messages, by receiver
}

func newLedger(receivers int, forget bool) *ledger {
	return &ledger{
		receivers: receivers,
		forget:    forget,
		counts:    counts{taken: make([]int, receivers)},
		entries:   map[string]*entry{},
	}
}

// posted notes that the API has accepted a message whose POST began at this time.
func (l *ledger) posted(message string, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(message)
	e.posted = began
	l.counts.posted++
	l.tidy(message, e)
}

// took notes that a receiver has taken a message.
func (l *ledger) took(receiver int, message string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(message)
	if !e.taken[receiver].IsZero() {
		return
	}
	e.taken[receiver] = at
	l.counts.taken[receiver]++
	l.tidy(message, e)
}

func (l *ledger) entry(message string) *entry {
	e, ok := l.entries[message]
	if !ok {
		e = &entry{taken: make([]time.Time, l.receivers)}
		l.entries[message] = e
	}
	return e
}

func (l *ledger) tidy(message string, e *entry) {
	if l.forget && !e.posted.IsZero() && !slices.ContainsFunc(e.taken, time.Time.IsZero) {
		delete(l.entries, message)
	}
}

// count gives the figures of this moment; the caller owns them.
func (l *ledger) count() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return counts{posted: l.counts.posted, taken: slices.Clone(l.counts.taken)}
}

// delays gives how long after its POST each message was taken by a receiver, by message. Messages that were not posted
// or not taken are missing.
func (l *ledger) delays(receiver int) map[string]time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	delays := map[string]time.Duration{}
	for message, e := range l.entries {
		if at := e.taken[receiver]; !at.IsZero() && !e.posted.IsZero() {
			delays[message] = at.Sub(e.posted)
		}
	}
	return delays
}
