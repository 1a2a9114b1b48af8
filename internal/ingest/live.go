package ingest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// ActivityLife is how long the ids of activities are remembered.
const ActivityLife = 7 * 24 * time.Hour

// Told is an activity with the id by which its teller knows it ("" = none): repetitions
// within 7 days are duplicates.
type Told struct {
	ID string
	live.Activity
}

// LiveResult is what became of one.
type LiveResult struct {
	// Resource is the id of what the activity is about; "" if that is no resource. Of a
	// duplicate it is that of a resource alone, and "" if its id was made up here and the
	// resource is gone by now.
	Resource string
	Messages []id.ID // those that it caused; nil for a duplicate, which causes none
	// Late, Unchanged: see live.Outcome. Duplicate: an earlier one with the same id, or
	// under the same Key, was applied.
	Late, Unchanged, Duplicate bool
	Note                       string // what a source told that did not fit
	Err                        error  // why it was refused; the cause may be a *live.Refusal
}

// Live makes one change, for a REST route; key is its Idempotency-Key. Something that is
// created without an id gets a random UUID. Its error is an *errs.Error: 404, 409 or 422
// with the *live.Refusal as its cause, if live state refuses the change.
func (s *Service) Live(ctx context.Context, app AppRef, key Key, a live.Activity) (LiveResult, error) {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return LiveResult{}, err
	}
	c, err := s.draftLive(byID(app.Org, appID), a)
	if err != nil {
		return LiveResult{}, err
	}
	c.unit.Seen = key.seen(owner(app), time.Now())
	r, err := s.cfg.Submitter.Submit(ctx, c.unit)
	return s.liveResult(ctx, c, r, err)
}

// LiveAll tells activities in the order in which they happened, see live.Order, each in
// a unit of its own. The results are in the order given; what keeps one activity from
// being applied stands in its result. The error says that there is no such app.
func (s *Service) LiveAll(ctx context.Context, app AppRef, told []Told) ([]LiveResult, error) {
	appID, err := s.findApp(ctx, app)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	results := make([]LiveResult, len(told))
	var units []*commit.Unit
	changes := make(map[int]*liveChange, len(told)) // by place in units
	places := make([]int, 0, len(told))
	for _, i := range live.Order(activitiesOf(told), now) {
		c, err := s.draftLive(byID(app.Org, appID), told[i].Activity)
		if err != nil {
			results[i].Err = err
			continue
		}
		c.unit.Seen = told[i].seen(owner(c.app), now)
		changes[len(units)] = c
		units, places = append(units, c.unit), append(places, i)
	}
	for n, answer := range s.cfg.Submitter.SubmitAll(ctx, units) {
		i := places[n]
		results[i], results[i].Err = s.liveResult(ctx, changes[n], answer.Result, answer.Err)
		if isMissing(results[i].Err) {
			return nil, errs.Missing()
		}
		results[i].Err = told[i].reused(results[i].Err)
	}
	return results, nil
}

func byID(org string, app id.ID) AppRef { return AppRef{Org: org, Ref: store.Ref{ID: app}} }

func activitiesOf(told []Told) []live.Activity {
	activities := make([]live.Activity, len(told))
	for i := range told {
		activities[i] = told[i].Activity
	}
	return activities
}

// seen is the dedupe entry of an activity's id; the zero entry if there is none. owner is
// the app, named by its id.
func (t *Told) seen(owner string, now time.Time) store.Seen {
	body := make([]byte, 0, len(t.Data)+128)
	for _, part := range []string{t.Type, t.Actor.ID, t.Actor.Type, t.SourceOfChange, strconv.FormatBool(t.Quiet), strconv.Itoa(int(t.Mode)), moment(t.At)} {
		body = binary.BigEndian.AppendUint32(body, uint32(len(part)))
		body = append(body, part...)
	}
	body = append(body, t.Data...)
	if t.Erase {
		body = append(body, " erase"...) // no JSON object ends like this
	}
	seen := Key{Scope: "activity", Value: t.ID, Body: body}.seen(owner, now)
	if t.ID != "" {
		seen.Expires = now.Add(ActivityLife)
	}
	return seen
}

// moment writes a time for a hash; "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// reused says it better if the error is that of a dedupe key: the committer knows none
// but the Idempotency-Key.
func (t *Told) reused(err error) error {
	public, ok := errors.AsType[*errs.Error](err)
	if _, refused := errors.AsType[*live.Refusal](err); !ok || refused || t.ID == "" || public.Kind != errs.Conflict {
		return err
	}
	return conflict("The id was used for another activity")
}

// isMissing reports whether an activity failed because its app is not there.
func isMissing(err error) bool {
	_, refused := errors.AsType[*live.Refusal](err)
	return err != nil && !refused && errs.KindOf(err) == errs.NotFound
}

// liveChange is an activity on its way.
type liveChange struct {
	app     AppRef // by id
	request *live.Request
	subject subject
	unit    *commit.Unit
	result  LiveResult // of the last run of the decision; to be read once the unit has ended well
}

// draftLive checks an activity as far as that needs no state, and makes its unit.
func (s *Service) draftLive(app AppRef, a live.Activity) (*liveChange, error) {
	c := &liveChange{app: app, subject: identify(&a)}
	var err error
	if c.request, err = live.Read(app.ID, app.Org, &a); err != nil {
		return nil, refusal(err)
	}
	keys := c.request.Keys()
	c.unit = &commit.Unit{
		Keys:   s.voiceKeys(app, saidBy(a.Type)),
		Size:   2*len(a.Data) + rowBytes*(1+len(keys)),
		Decide: func(v *commit.View) (id.ID, error) { return s.decideLive(v, c) },
	}
	c.unit.Keys.Objects = keys
	return c, nil
}

// decideLive applies an activity. What the answer is rendered from is the Seq of the
// resource's row.
func (s *Service) decideLive(v *commit.View, c *liveChange) (id.ID, error) {
	c.result = LiveResult{}
	cfg, ok := v.App(c.app)
	if !ok {
		return 0, errs.Missing()
	}
	out, err := c.request.Apply(objects{v}, v.Now())
	if err != nil {
		return 0, refusal(err)
	}
	messages, err := s.voice(v, &cfg.App, c.unit, out.Messages)
	if err != nil {
		return 0, err
	}
	seq := putLive(v, &out, c.subject)
	forget(v, cfg.App, out.Forget)
	c.result = LiveResult{Resource: out.ID, Messages: s.sayAll(v, cfg, messages), Late: out.Late, Unchanged: out.Unchanged}
	if out.Note != nil {
		c.result.Note = out.Note.Error()
	}
	return seq, nil
}

// forget starts the task that drops what stored messages tell of a person, if there is one
// to forget.
func forget(v *commit.View, app store.App, who *live.Person) {
	if who == nil {
		return
	}
	person, err := json.Marshal(who)
	if err != nil {
		panic(err) // a number and two strings
	}
	task := v.NextID()
	v.PutTask(store.Task{
		ID: task, Org: app.Org, App: app.ID, Kind: store.TaskErase, State: store.TaskRunning, Until: task, Subject: string(person),
	})
}

// objects is what live sees of a view.
type objects struct{ *commit.View }

// Get finds a row.
func (o objects) Get(k live.Key) (live.Row, bool) { return o.Object(k) }

// putLive writes what became of rows, and gives the Seq of the subject's, if it is among
// them.
func putLive(v *commit.View, out *live.Outcome, about subject) (seq id.ID) {
	for _, row := range out.Rows {
		if row.Kind == live.EventNumber { // one that Callboard gave follows from the org's counter
			v.AddObject(row)
			continue
		}
		row = v.PutObject(row)
		if row.Kind == about.kind && row.Parent == about.parent && row.ID == about.id {
			seq = row.Seq
		}
	}
	for _, k := range out.Gone {
		v.DropObject(k)
	}
	return seq
}

// liveResult is what is told of a unit that has ended.
func (s *Service) liveResult(ctx context.Context, c *liveChange, r commit.Result, err error) (LiveResult, error) {
	if err != nil {
		return LiveResult{}, err
	}
	if !r.Replayed {
		return c.result, nil
	}
	again := LiveResult{Resource: c.subject.id, Duplicate: true}
	if c.subject.made {
		again.Resource, err = s.createdAs(ctx, c, r.ID)
	}
	return again, err
}

// createdAs finds the id that was made up for a resource when it was created.
func (s *Service) createdAs(ctx context.Context, c *liveChange, seq id.ID) (string, error) {
	page := store.Page{Limit: 1, After: seq - 1, Ascending: true}
	found, err := s.cfg.Store.Objects(ctx, c.app.ID, c.subject.kind, c.subject.parent, page)
	if err != nil || len(found.Rows) == 0 || found.Rows[0].Seq != seq {
		return "", err
	}
	return found.Rows[0].ID, nil
}

// refusal is what the public is told of a live.Refusal, which is the cause.
func refusal(err error) error {
	r, ok := errors.AsType[*live.Refusal](err)
	if !ok {
		return err
	}
	detail := strings.ToUpper(r.Msg[:1]) + r.Msg[1:]
	switch r.Kind {
	case live.NotFound:
		return errs.Wrap(errs.NotFound, r, detail)
	case live.Conflict:
		return &errs.Error{Kind: errs.Conflict, Code: "conflict", Detail: detail, Cause: r}
	}
	loc := append([]string{"body"}, r.Loc...)
	if r.Member != "" {
		loc = append(loc, r.Member)
	}
	return &errs.Error{Kind: errs.Invalid, Fields: []errs.Field{{Loc: loc, Msg: r.Msg}}, Cause: r}
}

// saidBy names the types of the messages that an activity of a type may cause. They all
// begin with the same word.
func saidBy(activityType string) []string {
	noun, _, _ := strings.Cut(activityType, ".")
	words := ""
	switch noun {
	case "event", "registration":
		words = "created updated"
	case "session":
		words = "created updated deleted speaker.attached speaker.detached joined left"
	case "contact", "exhibitor", "sponsor":
		words = "created updated deleted event.associated event.disassociated"
	case "drive":
		words = "file.added file.deleted"
	case "conference":
		words = "participant.entered participant.left livestream.entered livestream.left"
	}
	types := []string{activityType}
	for word := range strings.FieldsSeq(words) {
		if eventType := noun + "." + word; eventType != activityType {
			types = append(types, eventType)
		}
	}
	return types
}

// voiceKeys are what must be loaded to say messages of some types to an app's endpoints.
func (s *Service) voiceKeys(app AppRef, types []string) commit.Keys {
	keys := commit.Keys{Apps: []AppRef{app}}
	for _, t := range types {
		if s.lexicon.Knows(t) {
			keys.EventTypes = append(keys.EventTypes, commit.TypeKey{Org: app.Org, Name: t})
		}
	}
	if keys.EventTypes != nil {
		keys.Orgs = []string{app.Org}
	}
	return keys
}

// errUnforeseen is a defect of saidBy or firedBy.
var errUnforeseen = errors.New("a message has a type that the unit did not foresee")

// voice makes rows of messages. Their payload is the native body, whosever the type is;
// where it is the org's own, the message is no longer the catalogue's, and only native
// endpoints hear it.
func (s *Service) voice(v *commit.View, app *store.App, u *commit.Unit, messages []live.Message) ([]store.Message, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	rows := make([]store.Message, len(messages))
	homes := map[string]home{}
	for i := range messages {
		m := &messages[i]
		of, met := homes[m.Type]
		if !met {
			var err error
			if of, err = s.homeOf(v, app, u, m.Type); err != nil {
				return nil, err
			}
			homes[m.Type] = of
		}
		rows[i] = store.Message{
			Type: m.Type, Tenant: of.tenant, ResourceBase: of.base, OrderKey: m.OrderKey, Payload: shape.Payload(m.Type, m.At, m.Data),
		}
	}
	return rows, nil
}

// home is what messages of the catalogue say about the app: what it is called, and where
// its resources are. The zero value goes with messages that are not the catalogue's.
type home struct{ tenant, base string }

// homeOf is what messages of a type say about the app.
func (s *Service) homeOf(v *commit.View, app *store.App, u *commit.Unit, eventType string) (home, error) {
	key := commit.TypeKey{Org: app.Org, Name: eventType}
	switch {
	case !s.lexicon.Knows(eventType):
		return home{}, nil
	case !slices.Contains(u.Keys.EventTypes, key):
		return home{}, fmt.Errorf("%w: %s", errUnforeseen, eventType)
	}
	held, err := s.settings(v, app.Org)
	if err != nil {
		return home{}, err
	}
	own, declared := v.EventType(key)
	if !s.lexicon.Governs(eventType, pointer(own, declared), &held) {
		return home{}, nil
	}
	return home{s.tenant(app), held.Base(app.ResourceURLBase)}, nil
}

// sayAll writes messages with their deliveries.
func (s *Service) sayAll(v *commit.View, cfg *store.AppConfig, messages []store.Message) []id.ID {
	var ids []id.ID
	for _, m := range messages {
		ids = append(ids, s.fanOut(v, cfg, m, 0, 0))
	}
	return ids
}
