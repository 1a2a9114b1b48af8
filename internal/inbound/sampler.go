package inbound

import (
	"sync"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// How many requests of strangers are kept: so many of a source at once, then one each time
// that refill has passed. maxBuckets bounds the memory.
const (
	burst      = 10
	refill     = 10 * time.Second
	maxBuckets = 10_000
)

// sampler decides which requests that are not proven are kept. It is safe for concurrent
// use.
type sampler struct {
	mu      sync.Mutex
	buckets map[id.ID]*bucket // of sources; one that is not there is full
}

// bucket holds the permits of a source.
type bucket struct {
	permits int
	at      time.Time // up to which permits have come in
}

func newSampler() *sampler { return &sampler{buckets: map[id.ID]*bucket{}} }

// take reports whether one more request of a source is kept.
func (s *sampler) take(source id.ID) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	b, known := s.buckets[source]
	if !known {
		if len(s.buckets) >= maxBuckets && !s.sweep(now) {
			return false
		}
		b = &bucket{permits: burst, at: now}
		s.buckets[source] = b
	}
	b.fill(now)
	if b.permits == 0 {
		return false
	}
	b.permits--
	return true
}

// sweep forgets the buckets that are full. It reports false if none is.
func (s *sampler) sweep(now time.Time) bool {
	before := len(s.buckets)
	for source, b := range s.buckets {
		if b.fill(now); b.permits == burst {
			delete(s.buckets, source)
		}
	}
	return len(s.buckets) < before
}

// fill adds what has come since.
func (b *bucket) fill(now time.Time) {
	n := int(now.Sub(b.at) / refill)
	if n <= 0 {
		return
	}
	b.permits = min(b.permits+n, burst)
	b.at = b.at.Add(time.Duration(n) * refill)
}
