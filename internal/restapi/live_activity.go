package restapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	Erase          *bool          `json:"erase,omitempty" doc:"With contact.deleted and registration.deleted alone: true forgets the person, as DELETE with erase=true does."`
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
	msgBeside      = "does not belong beside activities"
	msgNoText      = "holds a text that is not Unicode: bytes that are no UTF-8, or half of a surrogate pair"
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
			"those without an `id` are named by their place. The query says what holds for each activity that does not say it itself: " +
			"one with an `actor` of its own takes neither `actorId` nor `actorType`.",
		Parameters: a.toldParams(),
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

// toldParams describes the query that every write takes: as that of a write which huma
// reads.
func (a *api) toldParams() []*huma.Param {
	all := a.huma.OpenAPI().Paths[prefix+"/app/{app_id}/contact"].Post.Parameters
	return slices.DeleteFunc(slices.Clone(all), func(p *huma.Param) bool { return p.In != "query" })
}

// told is one activity of a request.
type told struct {
	id    string // "" = none
	loc   []string
	act   live.Activity
	dated bool // it says itself when it happened
	// What became of it: code is set if it was refused.
	result ingest.LiveResult
	code   string
	wrong  []errs.Field
}

// postActivity answers POST …/activity. An activity that cannot be read is refused like one
// that the state forbids: the others are applied.
func (c *call) postActivity() error {
	ctx := c.r.Context()
	said, err := c.said()
	if err != nil {
		return err
	}
	all, bare, err := readActivities(c.body, &said)
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

// said is what the query says of all activities.
func (c *call) said() (live.Activity, error) {
	if err := c.noErase(msgEraseMember); err != nil {
		return live.Activity{}, err
	}
	in, err := c.toldIn()
	if err != nil {
		return live.Activity{}, err
	}
	return in.activity("", live.Upsert, nil)
}

// applyAll commits what could be read.
func (c *call) applyAll(ctx context.Context, app *store.App, all []told, bare bool) error {
	ref := ingest.AppRef{Org: c.Org, Ref: store.Ref{ID: app.ID}}
	key := c.liveKey()
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
		t.refuse(codes[refusal.Kind], errs.Field{Loc: t.placeOf(refusal), Msg: refusal.Msg})
		return nil
	}
	if t.id != "" && errs.KindOf(err) == errs.Conflict {
		t.refuse(codes[live.Conflict], errs.Field{Loc: append(slices.Clone(t.loc), "id"), Msg: "was used for another activity"})
		return nil
	}
	return err
}

// placeOf is where in the request it stands what an activity is refused for.
func (t *told) placeOf(refusal *live.Refusal) []string {
	switch {
	case refusal.Member == "at" && !t.dated:
		return []string{"query", "at"}
	case refusal.Member != "":
		return slices.Concat(t.loc, []string{refusal.Member})
	case len(refusal.Loc) > 0:
		return slices.Concat(t.loc, []string{"data"}, refusal.Loc)
	}
	return t.loc
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

// readActivities reads the body of POST …/activity: one activity, or several. said is what
// holds for those that do not say it themselves. Of several only the frame must be right: an
// activity with a text that is none, such as one that was cut amid a character, is refused by
// itself.
func readActivities(body []byte, said *live.Activity) (all []told, bare bool, err error) {
	whole, ok := membersOf(body)
	list, several := whole[activitiesName]
	switch {
	case !jsontext.Value(body).IsValid(loosely):
		return nil, false, errs.New(errs.Malformed, "The body is not valid JSON")
	case !ok:
		return nil, false, invalid("must be a JSON object", "body")
	case !several:
		one := told{loc: []string{"body"}, act: *said}
		err := checkText(body)
		if err == nil {
			one.read(whole)
		}
		return []told{one}, true, err
	}
	if err := onlyActivities(whole); err != nil {
		return nil, false, err
	}
	var items []jsontext.Value
	if jsonv2.Unmarshal(list, &items, loosely) != nil || len(items) < 1 || len(items) > maxActivities {
		return nil, false, invalid(msgActivities, "body", activitiesName)
	}
	all = make([]told, len(items))
	for i, item := range items {
		all[i] = told{loc: []string{"body", activitiesName, strconv.Itoa(i)}, act: *said}
		all[i].readItem(item)
	}
	return all, false, nil
}

// loosely is how the frame of a request is read: what lies in it is checked by itself.
var loosely = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// checkText refuses a body whose texts are none.
func checkText(body []byte) error {
	switch {
	case !utf8.Valid(body):
		return errNoUTF8
	case !isText(body):
		return errs.New(errs.Malformed, "The body is not valid JSON: it holds half of a surrogate pair")
	}
	return nil
}

// isText reports whether all texts of JSON are Unicode.
func isText(value []byte) bool {
	return jsontext.Value(value).IsValid(jsontext.AllowDuplicateNames(true))
}

// Bounds of what is said of members that have no place beside the activities.
const (
	maxNamed      = 10
	maxNameLength = 64
)

// onlyActivities refuses what stands beside the activities, where it would mean nothing. A
// name is repeated if it looks like a member's.
func onlyActivities(whole members) error {
	var fields []errs.Field
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		switch {
		case name == activitiesName:
		case len(fields) == maxNamed:
			return &errs.Error{Kind: errs.Invalid, Fields: fields}
		case len(name) <= maxNameLength && !strings.ContainsFunc(name, isOdd):
			fields = append(fields, errs.Field{Loc: []string{"body", name}, Msg: msgBeside})
		default:
			fields = append(fields, errs.Field{Loc: []string{"body"}, Msg: "holds a member that does not belong beside activities"})
		}
	}
	if fields == nil {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Fields: fields}
}

// isOdd reports whether members that people name have a character as a rule.
func isOdd(r rune) bool {
	return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// members are those of a JSON object; null is absence.
type members map[string]jsontext.Value

// membersOf reads a JSON object. Of names that come twice the last counts, as elsewhere.
func membersOf(text []byte) (members, bool) {
	var m members
	if jsonv2.Unmarshal(text, &m, loosely) != nil || m == nil {
		return nil, false
	}
	for name, value := range m {
		if value.Kind() == 'n' {
			delete(m, name)
		}
	}
	return m, true
}

// readItem reads one of several activities.
func (t *told) readItem(text []byte) {
	m, ok := membersOf(text)
	switch {
	case !ok:
		t.wrongAt("must be a JSON object")
	case isText(text):
		t.read(m)
	default:
		t.wrongAt(msgNoText)
		if id := m["id"]; id.Kind() == '"' && isText(id) {
			t.id = t.text(m, msgActivityID, "id")
		}
	}
}

// read reads an activity, and notes everything that is wrong with it.
func (t *told) read(m members) {
	t.id = t.text(m, msgActivityID, "id")
	if _, sent := m["id"]; sent && (t.id == "" || utf8.RuneCountInString(t.id) > maxActivityID) && t.code == "" {
		t.wrongAt(msgActivityID, "id")
	}
	t.act.Type = t.text(m, msgString, "type")
	switch _, sent := m["type"]; {
	case !sent:
		t.wrongAt(msgRequired, "type")
	case t.act.Type != "" && !live.Knows(t.act.Type):
		t.wrongAt("is not one of the activities' types", "type")
	case t.act.Type == "" && m["type"].Kind() == '"':
		t.wrongAt(msgRequired, "type")
	}
	if text := t.text(m, msgTime, "at"); text != "" {
		at, err := parseTime(text)
		switch {
		case err != nil:
			t.wrongAt(msgTime, "at")
		case at.IsZero():
			t.wrongAt(msgZeroTime, "at")
		}
		t.act.At, t.dated = at, true
	}
	if word := t.choice(m, sourcesOfChange, "sourceOfChange"); word != "" {
		t.act.SourceOfChange = word
	}
	t.readActor(m)
	if loud, sent := t.truth(m, "notify"); sent {
		t.act.Quiet = !loud
	}
	t.act.Erase, _ = t.truth(m, "erase")
	if t.act.Erase && t.act.Type != "contact.deleted" && t.act.Type != "registration.deleted" {
		t.wrongAt("goes with contact.deleted and registration.deleted alone", "erase")
	}
	switch v, sent := m["data"]; {
	case !sent:
		t.wrongAt(msgRequired, "data")
	case v.Kind() != '{':
		t.wrongAt("must be a JSON object", "data")
	default:
		t.act.Data = v
	}
}

// truth reads a member that is true or false, or absent.
func (t *told) truth(m members, name string) (value, sent bool) {
	v, sent := m[name]
	if sent && v.Kind() != 't' && v.Kind() != 'f' {
		t.wrongAt(msgBool, name)
		return false, false
	}
	return sent && v.Kind() == 't', sent
}

// readActor reads who did it. It is one thing: what the query says of somebody is not mixed
// into it.
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
	t.act.Actor = live.Actor{}
	t.act.Actor.ID = t.text(actor, msgActivityID, "actor", "id")
	if utf8.RuneCountInString(t.act.Actor.ID) > maxActivityID {
		t.wrongAt(msgActivityID, "actor", "id")
	}
	t.act.Actor.Type = t.choice(actor, actorTypes, "actor", "type")
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
	text := t.text(m, msgString, loc...)
	if text != "" && !slices.Contains(words, text) {
		t.wrongAt(msgWord, loc...)
	}
	return text
}
