package restapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// The live API: what goes on where people meet. Every write is an activity, whether
// it comes by the route of that name or by one of a resource; what follows from it,
// live decides and ingest commits. Reads show the rows as they are.

// ToldIn are the parameters of everything that changes live state. They stand in the
// query, since a DELETE has no body.
type ToldIn struct {
	ActorID        string `query:"actorId" maxLength:"256" doc:"Who did it; messages tell it."`
	ActorType      string `query:"actorType" enum:"USER,AGENT,SYSTEM" doc:"What sort of actor it is; USER by default."`
	SourceOfChange string `query:"sourceOfChange" enum:"user,agent" doc:"By default agent if actorType is AGENT, else user."`
	// What the zero value of a type means is known only of what was given.
	At     query[time.Time] `query:"at" doc:"When it happened (RFC 3339); now by default. At most 5 minutes in the future."`
	Notify query[bool]      `query:"notify" doc:"true by default; false changes the state and sends nothing: for first imports and repairs."`
}

// What tells times, and words, from others.
const (
	msgTime     = "must be an RFC 3339 time such as 2027-06-10T09:00:00Z"
	msgZeroTime = "must not be the zero time"
	msgBool     = "must be true or false"
	msgWord     = "is not one of the known values"
)

// The words that activities know.
var (
	actorTypes      = []string{"USER", "AGENT", "SYSTEM"}
	sourcesOfChange = []string{"user", "agent"}
)

// activity is one of a type with what the query says of it. The zero time would mean now,
// where it was a time that somebody forgot to set.
func (in *ToldIn) activity(eventType string, mode live.Mode, data []byte) (live.Activity, error) {
	if in.At.Given && in.At.Value.IsZero() {
		return live.Activity{}, invalid(msgZeroTime, "query", "at")
	}
	return live.Activity{
		Type: eventType, Mode: mode, Data: data, At: in.At.Value, Quiet: in.Notify.Given && !in.Notify.Value, SourceOfChange: in.SourceOfChange,
		Actor: live.Actor{ID: in.ActorID, Type: in.ActorType},
	}, nil
}

// toldIn reads the query of a plain handler, by the rules by which huma reads it elsewhere.
func (c *call) toldIn() (*ToldIn, error) {
	given := c.r.URL.Query()
	in := &ToldIn{ActorID: given.Get("actorId"), ActorType: given.Get("actorType"), SourceOfChange: given.Get("sourceOfChange")}
	var fields []errs.Field
	check := func(ok bool, name, msg string) {
		if !ok {
			fields = append(fields, errs.Field{Loc: []string{"query", name}, Msg: msg})
		}
	}
	check(utf8.RuneCountInString(in.ActorID) <= maxActivityID, "actorId", "must have at most 256 characters")
	check(in.ActorType == "" || slices.Contains(actorTypes, in.ActorType), "actorType", msgWord)
	check(in.SourceOfChange == "" || slices.Contains(sourcesOfChange, in.SourceOfChange), "sourceOfChange", msgWord)
	check(parameter(given.Get("at"), &in.At, parseTime), "at", msgTime)
	check(parameter(given.Get("notify"), &in.Notify, strconv.ParseBool), "notify", msgBool)
	if len(fields) > 0 {
		return nil, &errs.Error{Kind: errs.Invalid, Fields: fields}
	}
	return in, nil
}

// parameter reads one of a query; the empty text is absence. It reports whether it could.
func parameter[T any](text string, into *query[T], parse func(string) (T, error)) bool {
	if text == "" {
		return true
	}
	var err error
	into.Value, err = parse(text)
	into.Given = err == nil
	return into.Given
}

func parseTime(text string) (time.Time, error) { return time.Parse(time.RFC3339, text) }

// noErase refuses the parameter erase where nothing would be erased, so that nobody believes
// that a person is forgotten.
func (c *call) noErase(why string) error {
	if text := c.r.URL.Query().Get("erase"); text == "" || text == "false" {
		return nil
	}
	return invalid(why, "query", "erase")
}

// Why erase may be refused.
const (
	msgErasesNothing = "erases nothing here: only registrations and contacts can be erased"
	msgEraseMember   = "must be a member of the activities that it is meant for"
)

// liveKey is the caller's promise about a POST whose query is a part of what is told.
func (c *call) liveKey() ingest.Key {
	key := c.key()
	if said := c.r.URL.Query().Encode(); key.Value != "" && said != "" {
		key.Body = slices.Concat(key.Body, []byte("?"+said)) // no JSON goes on like this
	}
	return key
}

// registerLive puts the routes of live state on the mux.
func (a *api) registerLive() {
	a.registerObjectSchemas()
	for i := range resources {
		a.registerResource(&resources[i])
	}
	a.registerParts()
	a.registerAttendance()
	for i := range meetings {
		a.registerReads(&meetings[i])
	}
	a.registerParticipants()
	a.registerActivity()
	// Each list has a schema of its own; see pageOf.
	delete(a.huma.OpenAPI().Components.Schemas.Map(), "PageResourceDoc")
}

// pathID is the id in a place of the path. One that nothing can have is not found.
func (c *call) pathID(name string) (string, error) {
	text := c.r.PathValue(name)
	if !live.ValidID(text) {
		return "", errs.Missing()
	}
	return text, nil
}

// tell commits an activity. What refuses it comes back as an error of the API; own
// says what is wrong with the data of this route.
func (c *call) tell(ctx context.Context, app *store.App, key ingest.Key, act live.Activity, own string) (ingest.LiveResult, error) {
	ref := ingest.AppRef{Org: c.Org, Ref: store.Ref{ID: app.ID}}
	result, err := c.api.Ingest.Live(ctx, ref, key, act)
	return result, refused(err, own)
}

// refused says where in a request the data is wrong. A refusal names a place within an
// activity's data, of which the body is the member that own names.
func refused(err error, own string) error {
	refusal, ok := errors.AsType[*live.Refusal](err)
	if !ok || refusal.Kind != live.Invalid {
		return err
	}
	loc := refusal.Loc
	switch {
	case refusal.Member == "at":
		return invalid(refusal.Msg, "query", "at")
	case len(loc) == 0:
		return invalid(refusal.Msg, "body")
	case loc[0] == own:
		loc = loc[1:]
	case loc[0] == own+"Id":
		loc = []string{"id"}
	}
	return invalid(refusal.Msg, append([]string{"body"}, loc...)...)
}

// objectID is what lists of live state go by.
func objectID(row *live.Row) id.ID { return row.Seq }

// pathParams describes what a path names beside the app.
func pathParams(path string) []*huma.Param {
	var params []*huma.Param
	for part := range strings.SplitSeq(path, "/") {
		name, ok := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
		if !ok || name == "app_id" {
			continue
		}
		params = append(params, &huma.Param{
			Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The " + strings.TrimSuffix(name, "_id") + "'s id: up to 128 characters out of A-Z a-z 0-9 . _ : @ -",
		})
	}
	return params
}

// plain registers a handler that reads the request and writes the answer itself, and
// describes it in the document. That a body is UTF-8 is for the handler to check.
func (a *api) plain(op huma.Operation, access web.Access, handler func(*call) error) {
	op.Path = prefix + op.Path
	op.Parameters = append([]*huma.Param{
		{Name: "app_id", In: "path", Required: true, Description: "The app's id or uid.", Schema: &huma.Schema{Type: huma.TypeString}},
	}, append(pathParams(op.Path), op.Parameters...)...)
	a.describe(&op, access)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		c := &call{api: a, w: w, r: r}
		err := c.enter(access)
		if err == nil {
			err = handler(c)
		}
		if err != nil {
			web.Fail(w, err)
		}
	})
}
