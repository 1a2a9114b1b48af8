package restapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// ActivityIn is something that happened. parseActivity reads it; this is what the document
// says of it.
type ActivityIn struct {
	ID             *string        `json:"id,omitempty" maxLength:"256" doc:"Your own name of the activity: one that was told before is a duplicate."`
	Type           string         `json:"type" example:"session.joined" doc:"What happened: a type of the catalogue, or one that only changes the state, such as conversation.updated."`
	At             *time.Time     `json:"at,omitempty" doc:"When it happened; now by default. At most 5 minutes in the future."`
	Actor          *ActivityActor `json:"actor,omitempty" doc:"Who did it; messages tell it."`
	SourceOfChange *string        `json:"sourceOfChange,omitempty" enum:"user,agent" doc:"By default agent if the actor is an AGENT, else user."`
	Notify         *bool          `json:"notify,omitempty" doc:"false changes the state and sends nothing; true by default."`
	Data           ResourceDoc    `json:"data" doc:"What it is about: ids, and what is known of the things that have them."`
}

// ActivityActor is who did something.
type ActivityActor struct {
	ID   *string `json:"id,omitempty" maxLength:"256"`
	Type *string `json:"type,omitempty" enum:"USER,AGENT,SYSTEM" doc:"USER by default."`
}

// ActivitiesIn are several.
type ActivitiesIn struct {
	Activities []ActivityIn `json:"activities" minItems:"1" maxItems:"1000" nullable:"false" doc:"Applied in the order in which they happened."`
}

// ActivitiesOut says what became of activities, in the order in which they were given.
type ActivitiesOut struct {
	Data []ActivityOut `json:"data" nullable:"false"`
}

// ActivityOut says what became of an activity.
type ActivityOut struct {
	ID       *string        `json:"id" doc:"The name that you gave it."`
	Status   string         `json:"status" enum:"applied,duplicate,refused"`
	Late     bool           `json:"late,omitempty" doc:"It came when the figures were closed: it shows, and sends nothing."`
	Messages []string       `json:"messages" nullable:"false" doc:"The ids of the messages that it sends."`
	Error    *ActivityError `json:"error,omitempty" doc:"Why it was refused."`
}

// ActivityError says why an activity was refused.
type ActivityError struct {
	Code   string          `json:"code" enum:"validation_error,not_found,conflict"`
	Detail []ActivityField `json:"detail" nullable:"false"`
}

// ActivityField is one wrong field.
type ActivityField struct {
	Loc  []string `json:"loc" nullable:"false"`
	Msg  string   `json:"msg"`
	Type string   `json:"type" example:"value_error"`
}

// What became of an activity.
const (
	applied   = "applied"
	duplicate = "duplicate"
	refusedIt = "refused"
)

// Limits of activities.
const (
	maxActivities  = 1000
	maxActivityID  = 256
	msgActivityID  = "must be a string of 1 to 256 characters"
	msgActivities  = "must be an array of 1 to 1000 activities"
	activitiesName = "activities"
)

// registerActivity puts the route on the mux by which anything may be told.
func (a *api) registerActivity() {
	schemas := a.huma.OpenAPI().Components.Schemas
	one := `{"type":"session.joined","actor":{"id":"r-1"},"data":{"eventId":"summit","sessionId":"keynote","registrationId":"r-1"}}`
	a.plain(huma.Operation{
		OperationID: "v1.activity.create", Method: http.MethodPost, Path: "/app/{app_id}/activity", Tags: []string{tagLive},
		Summary: "Tell what happened",
		Description: "One activity, or up to 1,000 as `{\"activities\": […]}`, in at most 1 MiB. When the answer comes the new state is on disk, together with " +
			"the messages that follow from it. Activities are applied in the order of `at`, those of one time in the order given, and " +
			"each by itself: one that is refused keeps none of the others. What repeats what is known is accepted and sends nothing. " +
			"When all are refused the answer is 422. An `id` makes it safe to tell an activity again; so does an `Idempotency-Key`, under which " +
			"those without an `id` are named by their place.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
			Schema: &huma.Schema{AnyOf: []*huma.Schema{
				schemas.Schema(typeOf[ActivityIn](), true, ""), schemas.Schema(typeOf[ActivitiesIn](), true, ""),
			}},
			Examples: map[string]*huma.Example{
				"one":     {Value: jsontext.Value(one)},
				"several": {Value: jsontext.Value(`{"activities":[` + one + `]}`)},
			},
		}}},
		Responses: map[string]*huma.Response{"202": {Description: "Accepted", Content: map[string]*huma.MediaType{"application/json": {
			Schema:  schemas.Schema(typeOf[ActivitiesOut](), true, ""),
			Example: jsontext.Value(`{"data":[{"id":null,"status":"applied","messages":["` + exampleMessage + `"]}]}`),
		}}}},
	}, accessAdminWrite, (*call).postActivity)
}

// told is one activity of a request.
type told struct {
	id  string // "" = none
	loc []string
	act live.Activity
	// What became of it: code is set if it was refused.
	result ingest.LiveResult
	code   string
	wrong  []errs.Field
}

// postActivity answers POST …/activity. An activity that cannot be read is refused like one
// that the state forbids: the others are applied.
func (c *call) postActivity() error {
	ctx := c.r.Context()
	all, bare, err := readActivities(c.body)
	if err != nil {
		return err
	}
	app, err := c.app(ctx)
	if err != nil {
		return err
	}
	if err := c.applyAll(ctx, &app, all, bare); err != nil {
		return err
	}
	if err := allRefused(all); err != nil {
		return err
	}
	out := ActivitiesOut{make([]ActivityOut, len(all))}
	for i := range all {
		out.Data[i] = c.api.showTold(&all[i])
	}
	var text bytes.Buffer
	if err := jsonFormat().Marshal(&text, out); err != nil {
		return err
	}
	c.w.Header()["Content-Type"] = jsonType
	c.w.WriteHeader(http.StatusAccepted)
	_, _ = c.w.Write(text.Bytes()) // a client that has gone away is its own loss
	return nil
}

// applyAll commits what could be read.
func (c *call) applyAll(ctx context.Context, app *store.App, all []told, bare bool) error {
	ref := ingest.AppRef{Org: c.Org, Ref: store.Ref{ID: app.ID}}
	key := c.key()
	if bare && all[0].id == "" && all[0].code == "" {
		result, err := c.api.Ingest.Live(ctx, ref, key, all[0].act)
		return all[0].settle(result, err)
	}
	var items []ingest.Told
	var places []int
	for i := range all {
		if all[i].code != "" {
			continue
		}
		items, places = append(items, ingest.Told{ID: all[i].name(key, i), Activity: all[i].act}), append(places, i)
	}
	if len(items) == 0 {
		return nil
	}
	results, err := c.api.Ingest.LiveAll(ctx, ref, items)
	if err != nil {
		return err
	}
	for n, i := range places {
		if err := all[i].settle(results[n], results[n].Err); err != nil {
			return err
		}
	}
	return nil
}

// name is what an activity is known by when it is told again: its own id, or its place
// in what was sent under an Idempotency-Key. "" = it may come twice.
func (t *told) name(key ingest.Key, place int) string {
	if t.id != "" || key.Value == "" {
		return t.id
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %q %d", len(key.Scope), key.Scope, key.Value, place))
	return "key:" + hex.EncodeToString(sum[:])
}

// settle notes what became of an activity. It returns what is no refusal: nobody knows
// then what became of it, and the client has to ask again.
func (t *told) settle(result ingest.LiveResult, err error) error {
	t.result = result
	if refusal, ok := errors.AsType[*live.Refusal](err); ok {
		name, msg := blamed(refusal.Msg)
		loc := t.loc
		switch {
		case len(refusal.Loc) > 0:
			loc, msg = slices.Concat(t.loc, []string{"data"}, refusal.Loc), refusal.Msg
		case name != "":
			loc = append(slices.Clone(t.loc), name)
		}
		t.refuse(codes[refusal.Kind], errs.Field{Loc: loc, Msg: msg})
		return nil
	}
	if t.id != "" && errs.KindOf(err) == errs.Conflict {
		t.refuse(codes[live.Conflict], errs.Field{Loc: append(slices.Clone(t.loc), "id"), Msg: "was used for another activity"})
		return nil
	}
	return err
}

// codes are those of refusals.
var codes = [...]string{live.Invalid: "validation_error", live.NotFound: "not_found", live.Conflict: "conflict"}

func (t *told) refuse(code string, f errs.Field) {
	t.code, t.wrong = code, append(t.wrong, f)
}

// wrongAt refuses an activity that cannot be read.
func (t *told) wrongAt(msg string, loc ...string) {
	t.refuse(codes[live.Invalid], errs.Field{Loc: slices.Concat(t.loc, loc), Msg: msg})
}

// allRefused is the 422 for activities of which none was accepted.
func allRefused(all []told) error {
	var fields []errs.Field
	for i := range all {
		if all[i].code == "" {
			return nil
		}
		fields = append(fields, all[i].wrong...)
	}
	return &errs.Error{Kind: errs.Invalid, Fields: fields}
}

// showTold renders what became of an activity.
func (a *api) showTold(t *told) ActivityOut {
	out := ActivityOut{ID: pointer(t.id), Status: applied, Late: t.result.Late, Messages: []string{}}
	if t.code != "" {
		out.Status, out.Error = refusedIt, &ActivityError{Code: t.code, Detail: make([]ActivityField, len(t.wrong))}
		for i, f := range t.wrong {
			out.Error.Detail[i] = ActivityField{Loc: f.Loc, Msg: f.Msg, Type: "value_error"}
		}
		return out
	}
	if t.result.Duplicate {
		out.Status = duplicate
	}
	for _, m := range t.result.Messages {
		out.Messages = append(out.Messages, a.Codec.Encode(id.Message, m))
	}
	return out
}

// readActivities reads the body of POST …/activity: one activity, or several.
func readActivities(body []byte) (all []told, bare bool, err error) {
	whole, ok := membersOf(body)
	switch {
	case !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)):
		return nil, false, errs.New(errs.Malformed, "The body is not valid JSON")
	case !ok:
		return nil, false, invalid("must be a JSON object", "body")
	}
	list, several := whole[activitiesName]
	if !several {
		one := told{loc: []string{"body"}}
		one.read(whole)
		return []told{one}, true, nil
	}
	var items []jsontext.Value
	if jsonv2.Unmarshal(list, &items, jsontext.AllowDuplicateNames(true)) != nil || len(items) < 1 || len(items) > maxActivities {
		return nil, false, invalid(msgActivities, "body", activitiesName)
	}
	all = make([]told, len(items))
	for i, item := range items {
		all[i].loc = []string{"body", activitiesName, strconv.Itoa(i)}
		if members, ok := membersOf(item); ok {
			all[i].read(members)
		} else {
			all[i].wrongAt("must be a JSON object")
		}
	}
	return all, false, nil
}

// members are those of a JSON object; null is absence.
type members map[string]jsontext.Value

// membersOf reads a JSON object. Of names that come twice the last counts, as elsewhere.
func membersOf(text []byte) (members, bool) {
	var m members
	if jsonv2.Unmarshal(text, &m, jsontext.AllowDuplicateNames(true)) != nil || m == nil {
		return nil, false
	}
	for name, value := range m {
		if value.Kind() == 'n' {
			delete(m, name)
		}
	}
	return m, true
}

// read reads an activity, and notes everything that is wrong with it.
func (t *told) read(m members) {
	t.id = t.text(m, msgActivityID, "id")
	if _, sent := m["id"]; sent && (t.id == "" || utf8.RuneCountInString(t.id) > maxActivityID) && t.code == "" {
		t.wrongAt(msgActivityID, "id")
	}
	t.act.Type = t.text(m, "must be a string", "type")
	switch _, sent := m["type"]; {
	case !sent:
		t.wrongAt("is required", "type")
	case t.act.Type != "" && !live.Knows(t.act.Type):
		t.wrongAt("is not one of the activities' types", "type")
	case t.act.Type == "" && m["type"].Kind() == '"':
		t.wrongAt("is required", "type")
	}
	if text := t.text(m, msgTime, "at"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.wrongAt(msgTime, "at")
		}
		t.act.At = at
	}
	t.act.SourceOfChange = t.choice(m, []string{"user", "agent"}, "sourceOfChange")
	t.readActor(m)
	switch v, sent := m["notify"]; {
	case !sent:
	case v.Kind() != 't' && v.Kind() != 'f':
		t.wrongAt("must be true or false", "notify")
	default:
		t.act.Quiet = v.Kind() == 'f'
	}
	switch v, sent := m["data"]; {
	case !sent:
		t.wrongAt("is required", "data")
	case v.Kind() != '{':
		t.wrongAt("must be a JSON object", "data")
	default:
		t.act.Data = v
	}
}

const msgTime = "must be a time such as 2027-06-10T09:00:00Z"

func (t *told) readActor(m members) {
	v, sent := m["actor"]
	if !sent {
		return
	}
	actor, ok := membersOf(v)
	if !ok {
		t.wrongAt("must be an object", "actor")
		return
	}
	t.act.Actor.ID = t.text(actor, msgActivityID, "actor", "id")
	if utf8.RuneCountInString(t.act.Actor.ID) > maxActivityID {
		t.wrongAt(msgActivityID, "actor", "id")
	}
	t.act.Actor.Type = t.choice(actor, []string{"USER", "AGENT", "SYSTEM"}, "actor", "type")
}

// text reads a member that is a string, or absent; it is the last part of loc.
func (t *told) text(m members, msg string, loc ...string) string {
	v, sent := m[loc[len(loc)-1]]
	if !sent {
		return ""
	}
	var text string
	if jsonv2.Unmarshal(v, &text) != nil {
		t.wrongAt(msg, loc...)
	}
	return text
}

// choice reads a member that is one of a few words.
func (t *told) choice(m members, words []string, loc ...string) string {
	text := t.text(m, "must be a string", loc...)
	if text != "" && !slices.Contains(words, text) {
		t.wrongAt("is not one of the known values", loc...)
	}
	return text
}
