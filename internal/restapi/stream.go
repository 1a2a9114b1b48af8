package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/feed"
	"github.com/callboard/callboard/internal/web"
)

// Feed tells of what happens in apps; *feed.Hub is the one outside of tests.
type Feed interface {
	// Listen begins to listen. Its errors are for the caller.
	Listen(ctx context.Context, sub feed.Subscription) (*feed.Listener, error)
}

// The events of a stream.
const (
	eventHello   = "hello"
	eventAttempt = "attempt"
	eventChange  = "change"
)

// changeEvery is how often a stream tells of changes at most.
const changeEvery = time.Second

// StreamHello is the first event of a stream, and comes again where attempts were left out.
type StreamHello struct {
	ID      string `json:"id" doc:"Of the stream at this place: where to resume."`
	Resumed bool   `json:"resumed" doc:"Whether the stream goes on where the client said, with nothing left out."`
	Missed  bool   `json:"missed" doc:"Whether there were more attempts than are told: load again what you show."`
}

// StreamAttempt is an attempt that was made, with its delivery.
type StreamAttempt struct {
	DeliveryRow
	Attempt *DeliveryAttempt `json:"attempt"`
}

// StreamChange says what else has changed.
type StreamChange struct {
	Topics []string `json:"topics"`
}

// registerStream puts the stream on the mux.
func (a *api) registerStream() {
	if a.Feed == nil {
		return
	}
	op := huma.Operation{
		OperationID: "v1.delivery.stream", Method: http.MethodGet, Path: prefix + "/app/{app_id}/stream", Tags: []string{tagDeliveries},
		Summary: "Follow what happens in an app",
		Description: "Answers with server-sent events until either side closes the connection. `hello` is the first, `{id, resumed, missed}`. `attempt` is each " +
			"attempt as it was made: a row of the list of deliveries and `attempt`. `change` is `{topics}`, at most once a second: what else has changed, of " +
			"`endpoint`, `live`, `source`, `task`, `message`, `eventType`, `app`. A client that connects again with the id of the last event goes on " +
			"from there, also at another process; where more than 1,000 attempts were made meanwhile, `missed` is true and none of them is told. A stream that " +
			"is behind says `hello` with `missed` once more. What other processes on the same database change is told within seconds, by all topics at once.",
		Parameters: []*huma.Param{
			{Name: "app_id", In: "path", Required: true, Description: "The app's id or uid.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "after", In: "query", Description: "The id of the event to resume behind; without it, and without the header, the stream begins now.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "Last-Event-ID", In: "header", Description: "The same, as browsers send it; it goes before `after`.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		Responses: map[string]*huma.Response{
			"200": {
				Description: "The stream",
				Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
			},
		},
	}
	a.describe(&op, accessRead)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := a.stream(w, r); err != nil {
			web.Fail(w, err)
		}
	})
}

// stream lets a caller follow an app. An error means that nothing was written.
func (a *api) stream(w http.ResponseWriter, r *http.Request) error {
	caller, app, err := a.listensTo(r.Context(), r, accessRead)
	if err != nil {
		return err
	}
	after, lost, err := a.streamPosition(r)
	if err != nil {
		return err
	}
	l, err := a.Feed.Listen(r.Context(), feed.Subscription{Org: app.Org, App: app.ID, Portal: caller.App != 0, After: after})
	if err != nil {
		return err
	}
	defer l.Close()
	s := &follower{api: a, listener: l, out: web.OpenEventStream(w), at: l.Start, lost: lost}
	defer s.out.Close()
	s.follow(r.Context(), func(ctx context.Context) error {
		_, now, err := a.listensTo(ctx, r, accessRead)
		if err == nil && now.ID != app.ID { // its uid is another app's by now
			return errs.Missing()
		}
		return err
	})
	return nil
}

// follower is one stream.
type follower struct {
	api      *api
	listener *feed.Listener
	out      *web.EventStream
	at       feed.Position
	lost     bool // what the client had seen is not known
}

// follow writes what the listener is told until the stream ends.
func (s *follower) follow(ctx context.Context, allowed func(context.Context) error) {
	if s.out.Send(s.hello(s.listener.Resumed, s.listener.Missed || s.lost)) != nil {
		return
	}
	// due is when the next change may be told; until then topics gather.
	due := time.NewTimer(0)
	defer due.Stop()
	mayTell := false
	for {
		select {
		case <-s.listener.Wake():
		case <-due.C:
			mayTell = true
		case <-s.out.Beats():
			if s.out.Beat(ctx, allowed) != nil {
				return
			}
			continue
		case <-ctx.Done():
			return
		case <-s.listener.Closed():
			return
		}
		told := s.listener.Take(mayTell)
		if s.out.Send(s.events(&told)...) != nil {
			return
		}
		if told.Topics != 0 {
			mayTell = false
			due.Reset(changeEvery)
		}
	}
}

// events are what a listener was told.
func (s *follower) events(told *feed.Told) []web.StreamEvent {
	var events []web.StreamEvent
	if told.Missed {
		events = append(events, s.hello(true, true))
	}
	for i := range told.Attempts {
		at := &told.Attempts[i]
		s.at = at.At
		events = append(events, web.StreamEvent{Name: eventAttempt, ID: s.api.streamID(s.at), Data: s.api.showStreamAttempt(at)})
	}
	if told.Topics != 0 {
		events = append(events, web.StreamEvent{Name: eventChange, Data: StreamChange{told.Topics.Names()}})
	}
	return events
}

func (s *follower) hello(resumed, missed bool) web.StreamEvent {
	at := s.api.streamID(s.at)
	return web.StreamEvent{Name: eventHello, ID: at, Data: StreamHello{ID: at, Resumed: resumed, Missed: missed}}
}

func (a *api) showStreamAttempt(at *feed.Attempt) StreamAttempt {
	return StreamAttempt{a.showDeliveryRow(&at.Row, at.Count, &at.Attempt), a.showDeliveryAttempt(&at.Attempt)}
}

// streamID is a position as text. It is sealed: a position is made of the newest attempts of all
// apps, of which nobody else is told.
func (a *api) streamID(at feed.Position) string { return a.Codec.Seal(at.IDs()) }

// streamPosition reads where a client wants to resume; nil = now. What a browser sends by
// itself is not refused: of a position that cannot be read, of another installation for
// example, nobody knows what came since. It is lost, and the stream begins now.
func (a *api) streamPosition(r *http.Request) (after feed.Position, lost bool, err error) {
	if text := web.LastEventID(r); text != "" {
		ids, ok := a.Codec.Unseal(text)
		if !ok {
			return nil, true, nil
		}
		return feed.At(ids), false, nil
	}
	text := r.URL.Query().Get("after")
	if text == "" {
		return nil, false, nil
	}
	ids, ok := a.Codec.Unseal(text)
	if !ok {
		return nil, false, invalid("is no id of an event of this stream", "query", "after")
	}
	return feed.At(ids), false, nil
}
