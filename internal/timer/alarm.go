package timer

import (
	"context"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/live"
)

// Alarm wakes a Runner for rows that this process has committed, so that what is due soon
// is not found only by the next look. It is not needed for anything to happen: what it does
// not hear of, because another process committed it, is found by looking. The zero value is
// ready; a nil Alarm hears nothing.
type Alarm struct {
	mu  sync.Mutex
	due time.Time     // the earliest that was heard of since the last look; zero = none
	set chan struct{} // what waits, if anything does; closed when due became earlier
}

// Committed hears of rows that are on disk. It costs next to nothing for rows that are never
// due, which nearly all are, and never blocks.
func (a *Alarm) Committed(rows []live.Row) {
	var due time.Time
	for i := range rows {
		due = sooner(due, rows[i].Due)
	}
	if due.IsZero() || a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if sooner(a.due, due).Equal(a.due) {
		return
	}
	a.due = due
	if a.set != nil {
		close(a.set)
		a.set = nil
	}
}

// sooner is the earlier of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// reset forgets what was heard of: it is seen by the look that follows.
func (a *Alarm) reset() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = time.Time{}
}

// wait waits until a time, until something that was heard of is due, though never before
// notBefore, or until ctx ends.
func (a *Alarm) wait(ctx context.Context, notBefore, until time.Time) {
	for ctx.Err() == nil {
		at, sooner := a.next(until)
		if at.Before(notBefore) {
			at = notBefore
		}
		left := time.Until(at)
		if left <= 0 {
			return
		}
		nap := time.NewTimer(left)
		select {
		case <-nap.C:
		case <-sooner:
		case <-ctx.Done():
		}
		nap.Stop()
	}
}

// next is when to wake, and what says that this has become earlier; nil = nothing does.
func (a *Alarm) next(until time.Time) (time.Time, <-chan struct{}) {
	if a == nil {
		return until, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set == nil {
		a.set = make(chan struct{})
	}
	return sooner(a.due, until), a.set
}
