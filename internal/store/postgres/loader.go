package postgres

import (
	"context"
	"sync"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// loader lets senders that load their messages at the same time share queries.
// While a backlog is worked off every sender asks for one message; a query for one
// costs nearly as much as one for thirty.
//
// There is no goroutine: of those who wait, up to loaders run a query each, for
// themselves and others, and pass that office on when they are done.
type loader struct {
	mu      sync.Mutex
	waiting []*load
	leaders int
}

const (
	// loaders is how many queries run at once.
	loaders = 3
	// loadTogether is how many messages one query loads. Payloads have up to a
	// megabyte.
	loadTogether = 32
)

// load is one who waits for messages.
type load struct {
	ids   []id.ID
	ready chan struct{} // closed when found and err hold the result
	lead  chan struct{} // receives the office of running the next query
	leads bool          // it was or will be sent there; guarded by loader.mu
	found []store.Message
	err   error
}

// Messages loads messages with their payloads; absent ones are left out.
func (s *Store) Messages(ctx context.Context, ids []id.ID) ([]store.Message, error) {
	me := &load{ids: ids, ready: make(chan struct{}), lead: make(chan struct{}, 1)}
	s.loader.join(me)
	select {
	case <-me.ready:
		return me.found, me.err
	case <-me.lead:
		s.loadFor(s.loader.take(me))
		s.loader.passOn()
		return me.found, me.err
	}
}

// join queues up, and leads at once if too few do.
func (l *loader) join(me *load) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, me)
	if l.leaders < loaders {
		l.leaders++
		me.leadNow()
	}
}

// leadNow gives one who waits the office; the caller holds loader.mu.
func (me *load) leadNow() {
	me.leads = true
	me.lead <- struct{}{} // never blocks: it is sent once
}

// take gives those whom a leader runs its query for: itself, and those who have
// waited the longest and do not lead.
func (l *loader) take(me *load) []*load {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch, n := []*load{me}, len(me.ids)
	left := l.waiting[:0]
	for _, other := range l.waiting {
		switch {
		case other == me:
		case n+len(other.ids) > loadTogether || other.leads:
			left = append(left, other)
		default:
			batch, n = append(batch, other), n+len(other.ids)
		}
	}
	clear(l.waiting[len(left):])
	l.waiting = left
	return batch
}

// passOn makes the next one who waits a leader.
func (l *loader) passOn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, next := range l.waiting {
		if !next.leads {
			next.leadNow()
			return
		}
	}
	l.leaders--
}

// loadFor runs one query and gives each its messages. It is nobody's context: one
// who gives up must not take the others' result away.
func (s *Store) loadFor(batch []*load) {
	ctx, cancel := context.WithTimeout(context.Background(), updateTimeout)
	defer cancel()
	var ids []id.ID
	for _, l := range batch {
		ids = append(ids, l.ids...)
	}
	found, err := all(ctx, s, scanMessage, `SELECT `+messageBody+` FROM message WHERE id = ANY ($1::bigint[])`, idColumn(ids))
	byID := make(map[id.ID]store.Message, len(found))
	for _, m := range found {
		byID[m.ID] = m
	}
	for _, l := range batch {
		l.err = err
		for _, k := range l.ids {
			if m, ok := byID[k]; ok && err == nil {
				l.found = append(l.found, m)
			}
		}
		close(l.ready)
	}
}
