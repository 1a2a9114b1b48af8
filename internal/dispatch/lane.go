package dispatch

import (
	"container/heap"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// message is what deliveries of one message share in memory.
type message struct {
	store.Message
	external string // msg_…
}

// item is a leased row in memory.
type item struct {
	delivery.Delivery
	message *message // nil = to be loaded by the sender
	size    int      // bytes that it counts for in Dispatcher.bytes
}

// lane is an endpoint with work. Its fields are guarded by Dispatcher.mu.
type lane struct {
	endpoint id.ID
	target   *target // nil = to be loaded
	app      *gate   // nil = not known yet

	queue    []item // leased rows that wait for a sender, oldest first
	reserved int    // places promised to a transaction under way
	inFlight int
	limit    int // of inFlight; grows and shrinks with the answers

	// due is when the store has a row to claim: in the past = it is behind, zero =
	// it has none.
	due       time.Time
	claiming  bool
	notBefore time.Time // the receiver asked for a rest (Retry-After)
	bucket    bucket    // of the endpoint's throttleRate
	shut      bool      // disabled, deleted or paused: nothing is claimed or sent

	inReady bool
	at      int       // index in the heap, -1 = not in it
	wake    time.Time // key in the heap
	usedAt  time.Time
}

// gate is the throttle that all lanes of an app share.
type gate struct {
	bucket bucket
	tokens []delivery.Secret // the app's signing tokens, as the targets of its lanes were made with
}

// lane finds or makes an endpoint's lane.
func (d *Dispatcher) lane(endpoint id.ID) *lane {
	l, ok := d.lanes[endpoint]
	if !ok {
		l = &lane{endpoint: endpoint, limit: d.cfg.LaneStart, at: -1}
		d.lanes[endpoint] = l
	}
	return l
}

// open fills the directory at the start.
func (d *Dispatcher) open(due []store.LaneDue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = true
	now := d.cfg.Now()
	for _, ld := range due {
		l := d.lane(ld.Endpoint)
		l.noteDue(ld.Due)
		d.place(l, now)
	}
}

// noteDue remembers that the store has a row that is due at t.
func (l *lane) noteDue(t time.Time) {
	if l.due.IsZero() || t.Before(l.due) {
		l.due = t
	}
}

// behind reports whether the store holds due rows that are not in memory.
func (l *lane) behind(now time.Time) bool {
	return l.claiming || !l.due.IsZero() && !l.due.After(now)
}

// room is how many more rows the lane may hold.
func (d *Dispatcher) room(l *lane) int {
	return d.cfg.LaneRows - len(l.queue) - l.reserved - l.inFlight
}

// claimable is when the lane is to be claimed for; zero = not by time.
func (d *Dispatcher) claimable(l *lane) time.Time {
	if l.due.IsZero() || l.claiming || l.shut || d.room(l) < d.cfg.LaneRows/2 {
		return time.Time{}
	}
	return later(l.due, l.notBefore)
}

// sendable is when the first row in memory can be sent; zero = not by time.
func (d *Dispatcher) sendable(l *lane, now time.Time) time.Time {
	if len(l.queue) == 0 || l.inFlight >= l.limit || l.shut {
		return time.Time{}
	}
	at := later(now, l.notBefore)
	at = later(at, l.bucket.next(now))
	if l.app != nil {
		at = later(at, l.app.bucket.next(now))
	}
	return at
}

// place puts a lane where its state says: into the turn of the ready ones, into
// the heap until something about it changes by time, or nowhere. It is called
// after every change of a lane.
func (d *Dispatcher) place(l *lane, now time.Time) {
	send := d.sendable(l, now)
	if !send.IsZero() && !send.After(now) {
		if !l.inReady {
			l.inReady = true
			d.ready = append(d.ready, l)
		}
		send = time.Time{}
	}
	wake := d.claimable(l)
	if wake.IsZero() || !send.IsZero() && send.Before(wake) {
		wake = send
	}
	d.wakeAt(l, wake)
}

// wakeAt moves a lane within the heap; a zero time takes it out.
func (d *Dispatcher) wakeAt(l *lane, wake time.Time) {
	switch {
	case wake.IsZero() && l.at >= 0:
		heap.Remove(&d.waiting, l.at)
	case wake.IsZero():
	case l.at >= 0:
		if l.wake.Equal(wake) {
			return
		}
		l.wake = wake
		heap.Fix(&d.waiting, l.at)
	default:
		l.wake = wake
		heap.Push(&d.waiting, l)
	}
	if len(d.waiting) > 0 && d.waiting[0] == l {
		signal(d.kick)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// next takes the next row in turn for a worker; a worker that gets none is idle
// until it is woken.
func (d *Dispatcher) next(w *worker) (it item, l *lane, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running && !d.stalled && d.pending < d.cfg.MaxUnrecorded && d.sure() {
		now := d.cfg.Now()
		for range len(d.ready) {
			l := d.ready[0]
			if d.full() && len(l.queue) > 0 && l.queue[0].message == nil {
				break // its payload would have to be loaded
			}
			d.ready[0] = nil
			d.ready = d.ready[1:]
			if d.inFlight >= d.share(l) {
				d.ready = append(d.ready, l) // its turn comes again when others have ended
				continue
			}
			l.inReady = false
			if at := d.sendable(l, now); at.IsZero() || at.After(now) {
				d.place(l, now)
				continue
			}
			it := d.take(l, now)
			d.place(l, now)
			return it, l, true
		}
		if len(d.ready) == 0 {
			d.ready = nil // lets the consumed array go
		}
	}
	d.idle = append(d.idle, w)
	return item{}, nil, false
}

// share is how many requests may be under way, over all lanes, for a lane to begin
// one more. Lanes that have several leave the last places to those that have
// few: however many receivers hang at once, the next endpoint finds a place.
func (d *Dispatcher) share(l *lane) int {
	switch all := d.cfg.MaxInFlight; {
	case l.inFlight == 0:
		return all
	case l.inFlight < 4:
		return all - all/8
	default:
		return all - all/4
	}
}

// full reports whether no more payloads may be loaded. With nothing under way one
// always may, however large it is.
func (d *Dispatcher) full() bool { return d.bytes >= d.cfg.MaxBytes && d.inFlight > 0 }

// take moves a lane's first row to its sender.
func (d *Dispatcher) take(l *lane, now time.Time) item {
	it := l.queue[0]
	l.queue[0] = item{}
	l.queue = l.queue[1:]
	l.inFlight++
	l.usedAt = now
	l.bucket.take(now)
	if l.app != nil {
		l.app.bucket.take(now)
	}
	d.inFlight++
	d.pending++
	return it
}

// settle frees the place of a row whose request has ended, and learns from it.
func (d *Dispatcher) settle(l *lane, it item, v delivery.Verdict, end time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wasFull := d.full()
	d.bytes -= it.size
	d.inFlight--
	l.inFlight--
	if wasFull && !d.full() {
		defer d.wakeWorkers()
	}
	switch {
	case v.SlowDown:
		l.limit = max(1, l.limit/2)
	case v.Success:
		l.limit = min(l.limit+1, d.cfg.LaneMax)
	}
	if v.RetryAfter > 0 {
		l.notBefore = later(l.notBefore, end.Add(v.RetryAfter))
	}
	d.place(l, end)
}

// laneHeap orders lanes by wake.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.at = len(*h)
	*h = append(*h, l)
}

// Pop implements heap.Interface.
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.at = -1
	return l
}
