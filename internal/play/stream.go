package play

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/web"
)

// The events of a stream, by the names that they have on it.
const (
	eventHello   = "hello"   // Hello, the first
	eventRequest = "request" // Request
	eventChange  = "change"  // Changed
)

// Hello is the first event: from now on every request shows.
type Hello struct {
	ID      string `json:"id" doc:"Of the newest request."`
	Resumed bool   `json:"resumed" doc:"Whether the stream goes on where the client had been."`
	Missed  bool   `json:"missed" doc:"Whether there was more in between than is kept."`
}

// Changed is the event after settings were changed, or requests cleared or verified anew: what was shown is to be read
// again.
type Changed struct {
	Settings Settings `json:"settings"`
}

// batch is how many requests are written at once, and pause how long it takes until the next are, so that a flood of
// them costs its viewers little. Large ones are written one by one: a viewer that does not read holds what is written.
const (
	batch      = 20
	batchBytes = 256 << 10
	pause      = 50 * time.Millisecond
)

// viewer is one stream. Its fields but the channel are under the Hub's mu.
type viewer struct {
	woken chan struct{}
	seen  uint64 // the newest request that it was given
	stale bool   // what it has seen is not so any more
}

// Stream answers r with what comes into the inbox of a key, as server-sent events, until the viewer goes, the inbox
// expires or the server stops. It goes on after the event that Last-Event-ID, or the query's after, names. An error
// means that nothing was written.
func (h *Hub) Stream(w http.ResponseWriter, r *http.Request, key string) error {
	after := web.LastEventID(r)
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	v := &viewer{woken: make(chan struct{}, 1)}
	client := networkOf(web.ClientAddr(r, h.proxies))
	b, hello, err := h.join(key, v, client, after)
	if err != nil {
		return err
	}
	defer h.part(b, v, client)
	s := web.OpenEventStream(w)
	defer s.Close()
	if s.Send(web.StreamEvent{Name: eventHello, Data: hello}) == nil {
		h.pump(r, s, b, v)
	}
	return nil
}

// join adds a viewer of a client, who has seen everything up to the event with the id after.
func (h *Hub) join(key string, v *viewer, client netip.Prefix, after string) (joined *box, hello Hello, err error) {
	err = h.with(key, func(b *box) error {
		switch {
		case h.closed:
			return errClosing
		case len(b.viewers) >= maxViewers || !h.viewers.enter(client):
			return errViewers
		}
		v.seen, hello = b.resume(after)
		b.viewers[v] = struct{}{}
		joined = b
		v.woken <- struct{}{} // to see what is there
		return nil
	})
	return joined, hello, err
}

func (h *Hub) part(b *box, v *viewer, client netip.Prefix) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(b.viewers, v)
	h.viewers.leave(client)
}

// resume finds what a client has seen of an inbox. One that comes for the first time sees what comes from now on; one
// that was told of before a restart sees all that is here.
func (b *box) resume(after string) (seen uint64, hello Hello) {
	hello.ID = b.eventID(b.seq)
	if after == "" {
		return b.seq, hello
	}
	epoch, text, _ := strings.Cut(after, ".")
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || epoch != b.epoch || seq > b.seq {
		hello.Missed = true
		return 0, hello
	}
	oldest := b.seq + 1 - uint64(len(b.requests))
	hello.Resumed, hello.Missed = true, seq+1 < oldest
	return seq, hello
}

// pump writes what comes until the stream ends.
func (h *Hub) pump(r *http.Request, s *web.EventStream, b *box, v *viewer) {
	rest := time.NewTimer(0)
	defer rest.Stop()
	woken := v.woken
	for {
		select {
		case <-woken:
			events, more := h.news(b, v)
			if s.Send(events...) != nil {
				return
			}
			woken = nil // until it has rested
			rest.Reset(pause)
			if more {
				wake(v)
			}
		case <-rest.C:
			woken = v.woken
		case <-s.Beats():
			if s.Beat(r.Context(), nil) != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-b.gone:
			return
		case <-h.closing:
			return
		}
	}
}

// news are the next events for a viewer, and whether there are more.
func (h *Hub) news(b *box, v *viewer) (events []web.StreamEvent, more bool) {
	h.mu.Lock()
	if v.stale {
		v.stale = false
		events = append(events, web.StreamEvent{Name: eventChange, Data: Changed{b.settings.show()}})
	}
	fresh := b.requests
	for len(fresh) > 0 && fresh[0].seq <= v.seen {
		fresh = fresh[1:]
	}
	n, bytes := 0, 0
	for n < min(len(fresh), batch) && (n == 0 || bytes+fresh[n].cost <= batchBytes) {
		bytes += fresh[n].cost
		n++
	}
	more = len(fresh) > n
	fresh = append([]*request(nil), fresh[:n]...)
	if len(fresh) > 0 {
		v.seen = fresh[len(fresh)-1].seq
	}
	h.mu.Unlock()
	for _, r := range fresh {
		events = append(events, web.StreamEvent{Name: eventRequest, ID: r.id, Data: r.show()})
	}
	return events, more
}
