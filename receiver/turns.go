package receiver

import (
	"context"
	"sync"
)

// turns lets one goroutine at a time work on an id; the others wait. It holds
// an entry only for ids that somebody works on now.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn ends
}

// take waits until nobody works on the id, then takes the turn. The caller ends
// it with the function returned. The context ends the wait with its cause.
func (t *turns) take(ctx context.Context, id string) (end func(), err error) {
	for {
		ended, free := t.tryTake(id)
		if free {
			return func() { t.end(id) }, nil
		}
		select {
		case <-ended: // Every waiter wakes; one of them gets the turn.
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryTake takes the turn if it is free; else it returns what closes when the
// turn of another ends.
func (t *turns) tryTake(id string) (ended <-chan struct{}, free bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ended, taken := t.taken[id]; taken {
		return ended, false
	}
	if t.taken == nil {
		t.taken = make(map[string]chan struct{})
	}
	t.taken[id] = make(chan struct{})
	return nil, true
}

func (t *turns) end(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.taken[id])
	delete(t.taken, id)
}
