package inbox

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"
)

// parcel is a request on its way to the listeners of its inbox.
type parcel struct {
	ctx      context.Context // the sender's
	id       string
	received time.Time
	method   string
	header   http.Header
	body     []byte

	// Under the Hub's mu:
	waiting int  // listeners that have neither written nor dropped it
	taken   bool // by one of them
	settled bool
	done    chan struct{} // closed when it is taken, or by nobody any more
}

// hand offers a request to all who listen to an inbox and waits until one has it. Its
// errors are ctx's, or fit for the sender. Header and body are kept and not modified.
func (h *Hub) hand(ctx context.Context, name, method string, header http.Header, body []byte) error {
	if !h.known(name) {
		return errNoInbox
	}
	p := &parcel{
		ctx: ctx, id: rand.Text(), received: time.Now().UTC(), method: method, header: header, body: body,
		done: make(chan struct{}),
	}
	if !h.offer(name, p) {
		return errNoListener
	}
	select {
	case <-p.done:
		if !p.taken { // it does not change after done
			return errNoListener
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// offer puts a parcel into the queues that have room; false = there is none.
func (h *Hub) offer(name string, p *parcel) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.held+len(p.body) > maxHeld {
		return false
	}
	for l := range h.boxes[name] {
		select {
		case l.queue <- p:
			p.waiting++
		default:
		}
	}
	if p.waiting > 0 {
		h.held += len(p.body)
	}
	return p.waiting > 0
}

// settle notes that a listener has written a parcel, or will not.
func (h *Hub) settle(p *parcel, written bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.waiting--
	if p.waiting == 0 {
		h.held -= len(p.body)
	}
	if p.settled || !written && p.waiting > 0 {
		return
	}
	p.taken, p.settled = written, true
	close(p.done)
}
