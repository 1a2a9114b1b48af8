package inbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// How long a source is remembered, and how many are.
const (
	cacheLife = time.Second
	maxCached = 10_000
)

// Cache remembers sources for a second, so that a flood of requests is no flood of reads.
// What this process commits it knows at once. What another one commits it may learn a
// second late: until then a new secret is refused. Nothing is accepted by what is no
// longer so, for each commit of a webhook compares the source that it was proven by with
// the one that is stored. It is safe for concurrent use.
type Cache struct {
	store Store

	mu      sync.Mutex
	changes uint64 // of sources, so far
	known   map[id.ID]cached
}

// cached is what a read gave.
type cached struct {
	source store.Source
	err    error // nil, or store.ErrNotFound
	until  time.Time
}

// NewCache makes an empty cache.
func NewCache(s Store) *Cache { return &Cache{store: s, known: map[id.ID]cached{}} }

// Source gives a source as it was a second ago, or later. It must not be modified.
func (c *Cache) Source(ctx context.Context, source id.ID) (store.Source, error) {
	c.mu.Lock()
	found, ok := c.known[source]
	c.mu.Unlock()
	if ok && time.Now().Before(found.until) {
		return found.source, found.err
	}
	return c.Fresh(ctx, source)
}

// Fresh reads a source, and remembers it.
func (c *Cache) Fresh(ctx context.Context, source id.ID) (store.Source, error) {
	c.mu.Lock()
	before := c.changes
	c.mu.Unlock()
	now := time.Now()
	found, err := c.store.Source(ctx, source)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Source{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == before { // else what was read may be older than the change
		if len(c.known) >= maxCached {
			clear(c.known)
		}
		c.known[source] = cached{found, err, now.Add(cacheLife)}
	}
	return found, err
}

// Committed forgets sources that this process has changed. It does not block.
func (c *Cache) Committed(sources []store.Source) {
	if len(sources) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for i := range sources {
		delete(c.known, sources[i].ID)
	}
}
