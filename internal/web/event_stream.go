package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/errs"
)

const (
	// streamBeat is how often a stream says that it lives, so that neither side nor a
	// proxy between them takes it for dead.
	streamBeat = 15 * time.Second
	// streamWriteTimeout bounds one event. A listener that reads nothing for so long is
	// gone.
	streamWriteTimeout = 10 * time.Second
	// streamCheckTimeout bounds the question whether the listener may still listen.
	streamCheckTimeout = 5 * time.Second
)

// ErrStreamRefused is EventStream.Beat's answer when the caller may no longer listen.
var ErrStreamRefused = errors.New("web: the listener may no longer listen")

// maxLastEventID bounds what a client may hand back as the last event's id.
const maxLastEventID = 8 << 10

// StreamEvent is one server-sent event.
type StreamEvent struct {
	// Name is what a listener subscribes to: one word.
	Name string
	// ID is what a client that connects again names in Last-Event-ID; "" leaves the one
	// before in force. One line without NUL.
	ID string
	// Data is written as JSON, which is one line.
	Data any
}

// EventStream answers one request with server-sent events. It is for one goroutine: the
// one that serves the request. Between events that goroutine waits for what it has to
// tell, for the request's context, for the end of the server, and for Beats:
//
//	s := web.OpenEventStream(w)
//	defer s.Close()
//	for {
//		select {
//		case e := <-events:
//			if s.Send(e) != nil {
//				return
//			}
//		case <-s.Beats():
//			if s.Beat(r.Context(), allowed) != nil {
//				return
//			}
//		case <-r.Context().Done():
//			return
//		case <-closing:
//			return
//		}
//	}
type EventStream struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	beats *time.Ticker
}

// OpenEventStream makes the answer a stream. It sets the header of the answer and
// lifts the server's deadlines, which are for short exchanges; nothing is written before
// the first event, so that up to then a handler can still answer with an error.
func OpenEventStream(w http.ResponseWriter) *EventStream {
	s := &EventStream{w: w, rc: http.NewResponseController(w), beats: time.NewTicker(streamBeat)}
	// The deadline for reading would end the request's context. Not every
	// ResponseWriter has deadlines.
	_ = s.rc.SetReadDeadline(time.Time{})
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	return s
}

// Close frees what the stream holds. The answer ends with its handler, as long as any event
// may take: the deadline of the last one is over by now, and without its end an answer looks
// like one that was cut off.
func (s *EventStream) Close() {
	s.beats.Stop()
	_ = s.rc.SetWriteDeadline(time.Now().Add(streamWriteTimeout)) // see OpenEventStream
}

// Beats ticks whenever a Beat is due.
func (s *EventStream) Beats() <-chan time.Time { return s.beats.C }

// Beat asks allowed whether the caller may still listen, if it is not nil, and keeps the
// connection alive. It gives ErrStreamRefused, or the error of the connection.
func (s *EventStream) Beat(ctx context.Context, allowed func(context.Context) error) error {
	if allowed != nil && streamRefused(ctx, allowed) {
		return ErrStreamRefused
	}
	return s.write([]byte(": keep-alive\n\n"))
}

// streamRefused asks whether a listener may stay. A store that does not answer is no
// refusal.
func streamRefused(ctx context.Context, allowed func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, streamCheckTimeout)
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

// Send writes events and sends them off at once, as one write. An error means that the
// listener is gone, or that an event cannot be written as JSON; then none is.
func (s *EventStream) Send(events ...StreamEvent) error {
	var out bytes.Buffer
	for _, e := range events {
		if err := e.appendTo(&out); err != nil {
			return err
		}
	}
	if out.Len() == 0 {
		return nil
	}
	return s.write(out.Bytes())
}

func (e StreamEvent) appendTo(out *bytes.Buffer) error {
	out.WriteString("event: " + e.Name + "\n")
	if e.ID != "" {
		out.WriteString("id: " + e.ID + "\n")
	}
	out.WriteString("data: ")
	encoder := json.NewEncoder(out) // it ends with a line feed
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e.Data); err != nil {
		return fmt.Errorf("encode event %s: %w", e.Name, err)
	}
	out.WriteByte('\n')
	return nil
}

func (s *EventStream) write(text []byte) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(streamWriteTimeout)) // see OpenEventStream
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.rc.Flush()
}

// LastEventID is the id of the last event that a client of a stream has seen, "" = none:
// the header that browsers send when they connect again. What no stream gave as an id,
// because it is too long, is none.
func LastEventID(r *http.Request) string {
	last := strings.TrimSpace(r.Header.Get("Last-Event-ID"))
	if len(last) > maxLastEventID {
		return ""
	}
	return last
}
