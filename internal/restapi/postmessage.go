package restapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// registerPostMessage puts the one hot route on the mux and into the document.
func (a *api) registerPostMessage() {
	op := huma.Operation{
		OperationID: "v1.message.create", Method: http.MethodPost, Path: prefix + "/app/{app_id}/msg", Tags: []string{tagMessages},
		Summary: "Send a message",
		Description: "When the answer comes the message is on disk, together with its delivery to every endpoint that hears it. " +
			"Native endpoints get the payload byte for byte as it was sent. The payload of an event type of the catalogue is a whole " +
			"native body, `{type, timestamp, data}`: one that does not fit the type's schema is refused with 422, or accepted with " +
			"`warnings` where the org's setting `schemaValidation` is `warn`. Every other type takes any JSON object, and native " +
			"endpoints alone hear it.",
		Parameters: []*huma.Param{
			{Name: "app_id", In: "path", Required: true, Description: "The app's id or uid.", Schema: &huma.Schema{Type: huma.TypeString}},
			{
				Name: "with_content", In: "query", Description: "Whether to show the payload in the answer.",
				Schema: &huma.Schema{Type: huma.TypeBoolean, Default: true},
			},
		},
	}
	schemas := a.huma.OpenAPI().Components.Schemas
	in := schemas.Schema(typeOf[MessageIn](), true, "")
	out := schemas.Schema(typeOf[MessageOut](), true, "")
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
		Schema: in, Example: jsontext.Value(`{"eventType":"session.joined","eventId":"join-4711","payload":{"type":"session.joined",` +
			`"timestamp":"2026-05-04T09:00:00Z","data":{"event":{"id":"e1"},"session":{"id":"s1"},"registration":{"id":"r1"}}}}`),
	}}}
	op.Responses = map[string]*huma.Response{"202": {
		Description: "Accepted", Content: map[string]*huma.MediaType{"application/json": {Schema: out}},
	}}
	a.describe(&op, accessAdminWrite)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if err := a.postMessage(w, r); err != nil {
			web.Fail(w, err)
		}
	})
}

// postMessage is the hot path: it runs once per message, thousands of times a
// second, so it takes no way that reflects, copies the payload or reads rows. The
// body is read into memory of its own, and the payload that ingest keeps is a
// part of it.
func (a *api) postMessage(w http.ResponseWriter, r *http.Request) error {
	caller, err := a.guard.Admit(r, accessAdminWrite)
	if err != nil {
		return err
	}
	ref, err := a.guard.AppRef(&caller, r.PathValue("app_id"))
	if err != nil {
		return err
	}
	content, err := withContent(r.URL.RawQuery)
	if err != nil {
		return err
	}
	body, err := web.ReadBody(w, r)
	if err != nil {
		return err
	}
	in, err := parseMessage(body)
	if err != nil {
		return err
	}
	app := ingest.AppRef{Org: caller.Org, Ref: ref}
	key := idempotencyKey(r, &caller, body)
	result, err := a.Ingest.PostMessage(r.Context(), app, key, in.Message)
	if in.application != nil && errs.KindOf(err) == errs.NotFound {
		if err := a.createAlongside(r.Context(), app, in.application); err != nil {
			return err
		}
		result, err = a.Ingest.PostMessage(r.Context(), app, key, in.Message)
	}
	if err != nil {
		return err
	}
	m, err := a.accepted(r.Context(), app, result, &in.Message)
	if err != nil {
		return err
	}
	a.writeMessage(w, &m, content, result.Warnings)
	return nil
}

// accepted is the message as it is stored. Only for a repetition it must be read,
// because what was sent first is what counts.
func (a *api) accepted(ctx context.Context, app ingest.AppRef, r ingest.Result, in *ingest.Message) (store.Message, error) {
	if !r.Replayed {
		return store.Message{
			ID: r.ID, Type: in.EventType, EventID: in.EventID, Channels: in.Channels, Tags: in.Tags,
			DeliverAt: in.DeliverAt, Payload: in.Payload,
		}, nil
	}
	row, err := a.Store.App(ctx, app.Org, app.Ref)
	if err != nil {
		return store.Message{}, err
	}
	return a.Store.Message(ctx, row.ID, store.Ref{ID: r.ID})
}

// withContent reads the route's one query parameter. Svix's clients send nothing
// else than with_content=false.
func withContent(rawQuery string) (bool, error) {
	switch rawQuery {
	case "", "with_content=true":
		return true, nil
	case "with_content=false":
		return false, nil
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil || !values.Has("with_content") {
		return true, nil // other parameters are ignored, as everywhere
	}
	content, err := strconv.ParseBool(values.Get("with_content"))
	if err != nil {
		return false, invalid("must be true or false", "query", "with_content")
	}
	return content, nil
}

// createAlongside creates the app of a message's path, which names it by uid.
func (a *api) createAlongside(ctx context.Context, app ingest.AppRef, text []byte) error {
	if app.UID == "" {
		return errs.Missing() // an id that is gone cannot be created
	}
	var in ApplicationIn
	if err := a.decodeBody(text, &in, "body", "application"); err != nil {
		return err
	}
	return a.createNamed(ctx, app, &in)
}

// createNamed creates an app under the uid of a path, unless somebody else just
// did.
func (a *api) createNamed(ctx context.Context, app ingest.AppRef, in *ApplicationIn) error {
	row := store.App{UID: app.UID}
	in.replace(&row)
	if row.UID != app.UID {
		return invalid("must be the uid in the path", "body", "application", "uid")
	}
	_, err := a.Ingest.CreateApp(ctx, app.Org, ingest.Key{}, row, true)
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.Invalid {
		return under("application", e)
	}
	return err
}

// under moves the fields of a 422 into a part of the body.
func under(part string, e *errs.Error) error {
	moved := *e
	moved.Fields = make([]errs.Field, len(e.Fields))
	for i, f := range e.Fields {
		moved.Fields[i] = errs.Field{Loc: append([]string{"body", part}, f.Loc[1:]...), Msg: f.Msg}
	}
	return &moved
}

// answers are buffers for writeMessage.
type answerBuffer struct{ bytes []byte }

var answerBuffers = sync.Pool{New: func() any { return &answerBuffer{bytes: make([]byte, 0, 2048)} }}

// maxPooled keeps a rare large answer from staying in memory.
const maxPooled = 64 << 10

// writeMessage answers 202 with a MessageOut, whose fields it writes in the order
// of the type.
func (a *api) writeMessage(w http.ResponseWriter, m *store.Message, content bool, warnings []errs.Field) {
	buf := answerBuffers.Get().(*answerBuffer)
	b := buf.bytes[:0]
	b = append(b, `{"id":"`...)
	b = append(b, a.Codec.Encode(id.Message, m.ID)...)
	b = append(b, `","eventId":`...)
	b = appendString(b, m.EventID)
	b = append(b, `,"eventType":`...)
	b = appendQuoted(b, m.Type)
	b = append(b, `,"payload":`...)
	switch {
	case !content:
		b = append(b, noContent...)
	case m.Payload == nil:
		b = append(b, expired...)
	default:
		b = append(b, m.Payload...)
	}
	b = append(b, `,"channels":`...)
	b = appendStrings(b, m.Channels)
	b = append(b, `,"tags":`...)
	b = appendStrings(b, m.Tags)
	b = append(b, `,"deliverAt":`...)
	b = appendTime(b, m.DeliverAt)
	b = append(b, `,"timestamp":`...)
	b = appendTime(b, m.ID.Time())
	b = append(b, `,"test":`...)
	b = strconv.AppendBool(b, m.Test)
	b = appendWarnings(b, warnings)
	b = append(b, "}\n"...)
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(b) // a client that has gone away is its own loss
	if cap(b) <= maxPooled {
		buf.bytes = b
		answerBuffers.Put(buf)
	}
}

// appendWarnings appends the member of that name, or nothing if there is nothing to warn
// of.
func appendWarnings(b []byte, warnings []errs.Field) []byte {
	for i, f := range warnings {
		if i == 0 {
			b = append(b, `,"warnings":[{"loc":`...)
		} else {
			b = append(b, `,{"loc":`...)
		}
		b = appendStrings(b, f.Loc)
		b = append(b, `,"msg":`...)
		b = appendQuoted(b, f.Msg)
		b = append(b, '}')
	}
	if len(warnings) > 0 {
		b = append(b, ']')
	}
	return b
}

// appendString appends a text, or null for the empty one.
func appendString(b []byte, text string) []byte {
	if text == "" {
		return append(b, "null"...)
	}
	return appendQuoted(b, text)
}

// appendQuoted appends a text as a JSON string.
func appendQuoted(b []byte, text string) []byte {
	// It fails on invalid UTF-8 alone, which the parser refused.
	b, err := jsontext.AppendQuote(b, text)
	if err != nil {
		panic(err)
	}
	return b
}

// appendStrings appends an array, or null for none.
func appendStrings(b []byte, texts []string) []byte {
	if texts == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, t := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, t)
	}
	return append(b, ']')
}

// appendTime appends a time in UTC, or null for the zero time.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}
