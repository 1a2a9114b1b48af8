package play

import (
	"strconv"
	"time"
)

// box is an inbox in memory. All of it is under the Hub's mu, but for what does not change.
type box struct {
	name    string
	expires time.Time
	epoch   string      // tells its event ids from those of another box of the same name
	expiry  *time.Timer // forgets it
	gone    chan struct{}

	settings settings
	requests []*request // oldest first
	bytes    int        // that they hold
	seq      uint64     // of the newest that ever came
	viewers  map[*viewer]struct{}
	used     time.Time // last

	readers  int
	underWay int
	arrivals bucket
	changes  bucket
}

// box finds the inbox of a name that was made here, and makes it if it is not in memory. The caller holds mu.
func (h *Hub) box(name string, made time.Time) (*box, error) {
	now := time.Now()
	if b, known := h.boxes[name]; known {
		b.used = now
		return b, nil
	}
	if h.closed {
		return nil, errClosing
	}
	if len(h.boxes) >= h.maxBoxes && !h.evict(now) {
		return nil, errFull
	}
	b := &box{
		name: name, expires: made.Add(Lifetime), epoch: strconv.FormatInt(now.UnixNano(), 36), gone: make(chan struct{}),
		settings: defaults(), viewers: map[*viewer]struct{}{}, used: now,
	}
	b.expiry = time.AfterFunc(time.Until(b.expires), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.boxes[name] == b {
			h.forget(b)
		}
	})
	h.boxes[name] = b
	return b, nil
}

// evict makes room for an inbox: the one goes that was used least lately of those that hold nothing, since it is the same
// when it comes back, or else of those that nobody has used for a while. It reports false if there is none.
func (h *Hub) evict(now time.Time) bool {
	var victim *box
	for _, b := range h.boxes {
		if len(b.viewers) > 0 || b.underWay > 0 || !b.empty() && now.Sub(b.used) < idle {
			continue
		}
		if victim == nil || b.empty() && !victim.empty() || b.empty() == victim.empty() && b.used.Before(victim.used) {
			victim = b
		}
	}
	if victim == nil {
		return false
	}
	h.forget(victim)
	return true
}

// empty reports whether nothing is lost with an inbox.
func (b *box) empty() bool { return len(b.requests) == 0 && b.settings == defaults() }

// forget takes an inbox out of memory and ends its streams.
func (h *Hub) forget(b *box) {
	b.expiry.Stop()
	close(b.gone)
	h.bytes -= b.bytes
	delete(h.boxes, b.name)
}

// add puts a request into an inbox and lets older ones go where there is too much. The caller holds mu.
func (h *Hub) add(b *box, r *request) {
	b.seq++
	r.id = b.eventID(b.seq)
	r.seq = b.seq
	b.requests = append(b.requests, r)
	b.bytes += r.cost
	h.bytes += r.cost
	for len(b.requests) > maxRequests || b.bytes > maxOfOne && len(b.requests) > 1 {
		h.bytes -= b.dropOldest()
	}
	for h.bytes > h.maxBytes {
		h.bytes -= h.largest().dropOldest()
	}
	b.wake()
}

// largest is the inbox that holds most.
func (h *Hub) largest() (most *box) {
	for _, b := range h.boxes {
		if most == nil || b.bytes > most.bytes {
			most = b
		}
	}
	return most
}

// dropOldest forgets the oldest request and gives its bytes.
func (b *box) dropOldest() int {
	cost := b.requests[0].cost
	b.requests[0] = nil // the array lives on
	b.requests = b.requests[1:]
	b.bytes -= cost
	return cost
}

// eventID names a request on streams.
func (b *box) eventID(seq uint64) string { return b.epoch + "." + strconv.FormatUint(seq, 10) }

// wake tells viewers that there is something to see.
func (b *box) wake() {
	for v := range b.viewers {
		wake(v)
	}
}

func wake(v *viewer) {
	select {
	case v.woken <- struct{}{}:
	default: // it is awake
	}
}

// changed tells viewers that what they have seen is not so any more.
func (b *box) changed() {
	for v := range b.viewers {
		v.stale = true
	}
	b.wake()
}
