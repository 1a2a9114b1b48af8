package inbox

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/web"
)

// The events of a stream, by the names that they have on it.
const (
	eventOpen    = "inbox"   // Opened, the first
	eventRequest = "request" // Request
)

// Opened is the first event: the inbox hears from now on.
type Opened struct {
	URL       string `json:"url" doc:"Where requests to the inbox are posted. It is the same every time."`
	Listeners int    `json:"listeners" doc:"How many listen to this inbox on this process, the new one included."`
}

// Request is a request that came to the inbox.
type Request struct {
	ID         string      `json:"id" doc:"Of this request; a retry has another."`
	ReceivedAt time.Time   `json:"receivedAt"`
	Method     string      `json:"method"`
	Headers    http.Header `json:"headers" doc:"Lists of values by name."`
	Body       string      `json:"body,omitempty" doc:"The body, if it is UTF-8."`
	BodyBase64 []byte      `json:"bodyBase64,omitempty" doc:"The body in base64, if it is not."`
}

// Stream answers r with what the app's inbox of this label hears, as server-sent
// events, until the listener goes, the server stops, or allowed refuses: it is asked
// every 15 s whether the caller may still listen. An error means that nothing was
// written.
func (h *Hub) Stream(w http.ResponseWriter, r *http.Request, app id.ID, label string, allowed func(context.Context) error) error {
	if err := checkLabel(label); err != nil {
		return err
	}
	l, listeners, err := h.join(app, h.name(app, label))
	if err != nil {
		return err
	}
	defer h.leave(l)
	s := web.OpenEventStream(w)
	defer s.Close()
	opened := Opened{URL: h.URL(app, label), Listeners: listeners}
	if s.Send(web.StreamEvent{Name: eventOpen, Data: opened}) == nil {
		h.pump(r.Context(), l, s, allowed)
	}
	return nil
}

// pump writes what a listener is offered until the stream ends.
func (h *Hub) pump(ctx context.Context, l *listener, s *web.EventStream, allowed func(context.Context) error) {
	for {
		select {
		case p := <-l.queue:
			// Of a sender that has given up it will come again.
			written := p.ctx.Err() == nil && ctx.Err() == nil
			var err error
			if written {
				err = s.Send(web.StreamEvent{Name: eventRequest, ID: p.id, Data: p.request()})
			}
			h.settle(p, written && err == nil)
			if err != nil {
				return
			}
		case <-s.Beats():
			if s.Beat(ctx, allowed) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-h.closing:
			return
		}
	}
}

// request is a parcel as listeners see it.
func (p *parcel) request() Request {
	r := Request{ID: p.id, ReceivedAt: p.received, Method: p.method, Headers: p.header}
	if utf8.Valid(p.body) {
		r.Body = string(p.body)
	} else {
		r.BodyBase64 = p.body
	}
	return r
}
