package receiver

import (
	"context"
	"crypto/sha256"
	"sync"
)

// DefaultRemembered is how many ids a [MemoryDeduper] remembers by default, in
// at most 8 MB. At 100 messages a second it looks back 11 minutes, longer than
// a signature lives that has a time in it.
const DefaultRemembered = 1 << 16

// A Deduper remembers which messages were handled. A [Handler] asks it and
// tells it, and itself holds back copies that arrive while the first is being
// handled; so these two calls need no lock around them. They may run for
// different ids at once.
//
// Handlers that share a Deduper share its ids: give each its own, or wrap it
// so that the sender is part of the id.
type Deduper interface {
	// Seen reports whether Mark was called for this id. An error is answered
	// 503, without handling the message, so that it comes again.
	Seen(ctx context.Context, id string) (bool, error)
	// Mark remembers an id whose message was handled. Its context does not end
	// with the request. An error is logged and the sender still told 200: the
	// work is done, and doing it again is worse than remembering it not.
	Mark(ctx context.Context, id string) error
}

// A MemoryDeduper remembers the ids that were marked last, in memory, and
// forgets the oldest of them for each new one. Ids of any length take the same
// room. It is safe for concurrent use and its methods return no error.
type MemoryDeduper struct {
	capacity int

	mu   sync.Mutex
	seen map[digest]struct{}
	ring []digest // in the order marked; once full, next is the oldest
	next int
}

// digest stands for an id, whose length is the sender's to choose.
type digest [sha256.Size]byte

// NewMemoryDeduper returns a MemoryDeduper for so many ids, or for
// [DefaultRemembered] if capacity is not positive. Memory is taken as ids come.
func NewMemoryDeduper(capacity int) *MemoryDeduper {
	if capacity <= 0 {
		capacity = DefaultRemembered
	}
	return &MemoryDeduper{capacity: capacity, seen: make(map[digest]struct{})}
}

// Seen implements [Deduper].
func (d *MemoryDeduper) Seen(_ context.Context, id string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, seen := d.seen[sha256.Sum256([]byte(id))]
	return seen, nil
}

// Mark implements [Deduper].
func (d *MemoryDeduper) Mark(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := digest(sha256.Sum256([]byte(id)))
	if _, seen := d.seen[key]; seen {
		return nil
	}
	d.seen[key] = struct{}{}
	if len(d.ring) < d.capacity {
		d.ring = append(d.ring, key)
		return nil
	}
	delete(d.seen, d.ring[d.next])
	d.ring[d.next] = key
	d.next = (d.next + 1) % d.capacity
	return nil
}
