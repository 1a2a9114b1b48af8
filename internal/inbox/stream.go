package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
)

const (
	// keepAlive is how often a stream says that it lives, so that neither side nor a
	// proxy between them takes it for dead.
	keepAlive = 15 * time.Second
	// writeTimeout bounds one event. A listener that reads nothing for so long is gone.
	writeTimeout = 10 * time.Second
	// checkTimeout bounds the question whether the listener may still listen.
	checkTimeout = 5 * time.Second
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
	s := &stream{w: w, rc: http.NewResponseController(w)}
	// The deadlines are the server's for short exchanges: the one for reading would end
	// the request's context. Not every ResponseWriter has them.
	_ = s.rc.SetReadDeadline(time.Time{})
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if s.event(eventOpen, "", Opened{URL: h.URL(app, label), Listeners: listeners}) == nil {
		h.pump(r.Context(), l, s, allowed)
	}
	return nil
}

// pump writes what a listener is offered until the stream ends.
func (h *Hub) pump(ctx context.Context, l *listener, s *stream, allowed func(context.Context) error) {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case p := <-l.queue:
			// Of a sender that has given up it will come again.
			written := p.ctx.Err() == nil && ctx.Err() == nil
			var err error
			if written {
				err = s.event(eventRequest, p.id, p.request())
			}
			h.settle(p, written && err == nil)
			if err != nil {
				return
			}
		case <-tick.C:
			if refused(ctx, allowed) || s.write([]byte(": keep-alive\n\n")) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-h.closing:
			return
		}
	}
}

// refused asks whether the listener may stay. A store that does not answer is no
// refusal.
func refused(ctx context.Context, allowed func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	err := allowed(ctx)
	if err == nil {
		return false
	}
	switch errs.KindOf(err) {
	case errs.Unauthenticated, errs.Forbidden, errs.NotFound:
		return true
	}
	return false
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

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// event writes one event, whose data is JSON and so one line.
func (s *stream) event(name, eventID string, data any) error {
	var out bytes.Buffer
	out.WriteString("event: " + name + "\n")
	if eventID != "" {
		out.WriteString("id: " + eventID + "\n")
	}
	out.WriteString("data: ")
	encoder := json.NewEncoder(&out) // it ends with a line feed
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		return err
	}
	out.WriteByte('\n')
	return s.write(out.Bytes())
}

// write sends bytes off at once.
func (s *stream) write(text []byte) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // see Stream
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.rc.Flush()
}
