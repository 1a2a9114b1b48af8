package ingest_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/janitor"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// venue is an app with the real dialects, a native and a zuddl endpoint, and an event
// with a session and somebody who registered.
type venue struct {
	*ingesttest.Engine
	t             *testing.T
	app           ingest.AppRef
	native, zuddl id.ID
}

// meet runs a test at a venue in virtual time.
func meet(t *testing.T, test func(*testing.T, *venue)) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		dialects := builtin.Dialects(builtin.Config{})
		var err error
		e.Service, err = ingest.New(ingest.Config{
			Submitter: e.Committer, Store: e.Store, Dialects: dialects, Guard: netguard.New(netguard.Policy{}),
			Catalog: builtin.Catalog(dialects), Codec: e.Codec,
		})
		if err != nil {
			t.Fatal(err)
		}
		v := &venue{Engine: e, t: t, app: e.App(func(a *store.App) { a.UID = "acme" })}
		v.native = e.Endpoint(v.app)
		v.zuddl = e.Endpoint(v.app, func(ep *delivery.Endpoint) { ep.Dialect = "zuddl" })
		v.do(live.Create, "event.created", `{"event":{"id":"e","number":7,"name":"E","startDate":"2026-05-01T11:00:00Z","endDate":"2026-05-01T20:00:00Z"}}`)
		v.do(live.Create, "session.created", `{"eventId":"e","session":{"id":"s","title":"S"}}`)
		v.do(live.Create, "registration.created", `{"eventId":"e","registration":{"id":"r"}}`)
		test(t, v)
	})
}

// do makes a change that must not be refused.
func (v *venue) do(mode live.Mode, activityType, data string) ingest.LiveResult {
	v.t.Helper()
	r, err := v.Service.Live(v.t.Context(), v.app, ingest.Key{}, live.Activity{Type: activityType, Mode: mode, Data: []byte(data)})
	if err != nil {
		v.t.Fatalf("%s: %v", activityType, err)
	}
	return r
}

// tell tells activities together.
func (v *venue) tell(told ...ingest.Told) []ingest.LiveResult {
	v.t.Helper()
	results, err := v.Service.LiveAll(v.t.Context(), v.app, told)
	if err != nil {
		v.t.Fatal(err)
	}
	return results
}

// types gives the types of what an endpoint heard after a message.
func (v *venue) types(endpoint id.ID, after id.ID) string {
	v.t.Helper()
	var types []string
	for _, m := range v.Heard(endpoint) {
		if m > after {
			types = append(types, message(v.t, v.Engine, v.app, m).Type)
		}
	}
	return strings.Join(types, " ")
}

// last is the last message so far.
func (v *venue) last() id.ID {
	heard := v.Heard(v.native)
	return heard[len(heard)-1]
}

const seat = `{"eventId":"e","sessionId":"s","registrationId":"r"}`

// TestLiveDelivers walks from a change to the deliveries of its message.
func TestLiveDelivers(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		if got, want := v.types(v.native, 0), "event.created session.created registration.created"; got != want {
			t.Errorf("native heard %q, want %q", got, want)
		}
		begin := v.last()
		r := v.do(live.Upsert, "session.joined", seat)
		if len(r.Messages) != 1 || r.Late || r.Unchanged || r.Duplicate || r.Err != nil {
			t.Fatalf("joined: %+v", r)
		}
		got := message(t, v.Engine, v.app, r.Messages[0])
		body := regexp.MustCompile(`^\{"type":"session\.joined","timestamp":"2026-05-01T12:00:00\.000Z","data":\{.*\}\}$`)
		if !body.Match(got.Payload) {
			t.Errorf("payload %s", got.Payload)
		}
		if got.Tenant != "acme" || got.OrderKey != "session:s" || got.Test {
			t.Errorf("message %+v", got)
		}
		if problems, err := builtin.Catalog(builtin.Dialects(builtin.Config{})).Check(got.Type, got.Payload); err != nil || len(problems) > 0 {
			t.Errorf("the payload does not fit: %v %v", problems, err)
		}
		v.do(live.Upsert, "session.left", seat)
		for name, ep := range map[string]id.ID{"native": v.native, "zuddl": v.zuddl} {
			heard := v.types(ep, begin)
			if !strings.HasPrefix(heard, "session.joined") || name == "native" && heard != "session.joined session.left" {
				t.Errorf("%s heard %q", name, heard)
			}
		}
		if r := v.do(live.Upsert, "session.left", seat); len(r.Messages) != 0 {
			t.Errorf("left twice: %+v", r)
		}
	})
}

// TestLiveRows are written with the message, and go with a deletion.
func TestLiveRows(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		key := live.Key{App: v.app.ID, Kind: live.Session, Parent: "e", ID: "s"}
		row, err := v.Store.Object(t.Context(), key)
		if err != nil || row.Seq == 0 || !strings.Contains(string(row.Doc), `"title":"S"`) {
			t.Errorf("the session: %s, %v", row.Doc, err)
		}
		if r := v.do(live.Merge, "session.updated", `{"eventId":"e","session":{"id":"s","title":"S"}}`); !r.Unchanged || r.Resource != "s" || r.Messages != nil {
			t.Errorf("the same again: %+v", r)
		}
		if r := v.do(live.Delete, "session.deleted", `{"eventId":"e","sessionId":"s"}`); len(r.Messages) != 1 || r.Resource != "s" {
			t.Errorf("deleted: %+v", r)
		}
		if _, err := v.Store.Object(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the deleted session: %v", err)
		}
	})
}

// TestLiveNumbers gives an event that names none the org's next number.
func TestLiveNumbers(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		other := v.App()
		for i, app := range []ingest.AppRef{v.app, other, v.app} {
			r, err := v.Service.Live(t.Context(), app, ingest.Key{}, live.Activity{Type: "event.created", Mode: live.Create, Data: []byte(`{"event":{"name":"N"}}`)})
			if err != nil {
				t.Fatal(err)
			}
			row, err := v.Store.Object(t.Context(), live.Key{App: app.ID, Kind: live.Event, ID: r.Resource})
			if want := fmt.Sprintf(`"number":%d,`, 4001+i); err != nil || !strings.Contains(string(row.Doc), want) {
				t.Errorf("event %d: %s, %v; want %s", i, row.Doc, err, want)
			}
		}
	})
}

// TestLiveRefusals name what is wrong, and nothing is written.
func TestLiveRefusals(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin := v.last()
		for name, tt := range map[string]struct {
			activity live.Activity
			kind     errs.Kind
			text     string // of the detail, else place and text of the field
		}{
			"not known": {live.Activity{Type: "session.joined", Data: []byte(`{"eventId":"e","sessionId":"s","registrationId":"x"}`)}, errs.NotFound, "There is no such registration"},
			"taken":     {live.Activity{Type: "event.created", Mode: live.Create, Data: []byte(`{"event":{"id":"e"}}`)}, errs.Conflict, "There is one with this id already"},
			"wrong":     {live.Activity{Type: "event.updated", Mode: live.Merge, Data: []byte(`{"eventId":"e","event":{"name":5}}`)}, errs.Invalid, "body.event.name: must be a string"},
			"no type":   {live.Activity{Type: "a.b", Data: []byte(`{}`)}, errs.Invalid, "body.type: is not one of the activities' types"},
			"no data":   {live.Activity{Type: "contact.created", Mode: live.Create, Data: []byte(`[]`)}, errs.Invalid, "body.data: must be a JSON object"},
			"wrong id":  {live.Activity{Type: "contact.created", Mode: live.Create, Data: []byte(`{"contact":{"id":{}}}`)}, errs.Invalid, "body.contact.id: "},
			"too early": {live.Activity{Type: "session.joined", At: time.Now().Add(time.Hour), Data: []byte(seat)}, errs.Invalid, "body.at: must not be more than"},
		} {
			_, err := v.Service.Live(t.Context(), v.app, ingest.Key{}, tt.activity)
			public, _ := errors.AsType[*errs.Error](err)
			if public == nil || public.Kind != tt.kind {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got := public.Detail
			for _, f := range public.Fields {
				got += strings.Join(f.Loc, ".") + ": " + f.Msg
			}
			if !strings.HasPrefix(got, tt.text) {
				t.Errorf("%s: %q, want %q", name, got, tt.text)
			}
			if _, ok := errors.AsType[*live.Refusal](err); !ok {
				t.Errorf("%s: the refusal is not the cause", name)
			}
		}
		if heard := v.types(v.native, begin); heard != "" {
			t.Errorf("heard %q", heard)
		}
	})
}

// TestLiveNoApp is a 404 by either way in.
func TestLiveNoApp(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		contact := live.Activity{Type: "contact.created", Data: []byte(`{"id":"c"}`)}
		for _, app := range []ingest.AppRef{
			{Org: ingesttest.Org, Ref: store.Ref{UID: "nobody"}},
			{Org: ingesttest.Org, Ref: store.Ref{ID: v.app.ID + 1}},
			{Org: ingesttest.OtherOrg, Ref: v.app.Ref},
		} {
			if _, err := v.Service.Live(t.Context(), app, ingest.Key{}, contact); errs.KindOf(err) != errs.NotFound {
				t.Errorf("Live of %v: %v", app, err)
			}
			if _, err := v.Service.LiveAll(t.Context(), app, []ingest.Told{{Activity: contact}}); errs.KindOf(err) != errs.NotFound {
				t.Errorf("LiveAll of %v: %v", app, err)
			}
		}
	})
}

// TestLiveMadeIDs gives a UUID to what is created without an id, and gives it again to who
// repeats the request.
func TestLiveMadeIDs(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
		for i, a := range []live.Activity{
			{Type: "contact.created", Mode: live.Create, Data: []byte(`{"contact":{"firstName":"A"}}`)},
			{Type: "contact.created", Mode: live.Create, Data: []byte(` {"contactId":null,"contact":{"firstName":"A"}}`)},
			{Type: "contact.created", Data: []byte(`{"firstName":"A"}`)},
			{Type: "session.created", Mode: live.Create, Data: []byte(`{"eventId":"e","session":{"firstName":"A"}}`)},
			{Type: "registration.created", Data: []byte(`{"event":{"id":"e"},"firstName":"A"}`)},
			{Type: "sponsor.created", Data: []byte(`{}`)},
		} {
			key := ingest.Key{Scope: "POST", Value: fmt.Sprint("k", i), Body: a.Data}
			first, err := v.Service.Live(t.Context(), v.app, key, a)
			if err != nil || !uuid.MatchString(first.Resource) || first.Duplicate || len(first.Messages) != 1 {
				t.Errorf("%s: %+v, %v", a.Data, first, err)
				continue
			}
			again, err := v.Service.Live(t.Context(), v.app, key, a)
			if want := (ingest.LiveResult{Resource: first.Resource, Duplicate: true}); err != nil || !cmp.Equal(want, again) {
				t.Errorf("%s again: %+v, %v; want %+v", a.Data, again, err, want)
			}
			if !strings.Contains(string(message(t, v.Engine, v.app, first.Messages[0]).Payload), `"id":"`+first.Resource+`"`) {
				t.Errorf("%s: the message lacks the id", a.Data)
			}
		}
	})
}

// TestLiveDuplicates repeats activities by their ids.
func TestLiveDuplicates(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin := v.last()
		joined := ingest.Told{ID: "a1", Activity: live.Activity{Type: "session.joined", Data: []byte(seat)}}
		contact := ingest.Told{ID: "a2", Activity: live.Activity{Type: "contact.created", Data: []byte(`{"id":"c"}`)}}
		made := ingest.Told{ID: "a3", Activity: live.Activity{Type: "contact.created", Data: []byte(`{}`)}}
		first := v.tell(joined, contact, joined, made)
		if first[0].Duplicate || !first[2].Duplicate || first[2].Messages != nil || first[0].Err != nil || first[2].Err != nil {
			t.Errorf("in one batch: %+v", first)
		}
		testenv.Advance(7*24*time.Hour - time.Minute)
		again := v.tell(joined, contact, made)
		want := []ingest.LiveResult{{Duplicate: true}, {Duplicate: true, Resource: "c"}, {Duplicate: true, Resource: first[3].Resource}}
		if diff := cmp.Diff(want, again); diff != "" {
			t.Errorf("again (-want +got):\n%s", diff)
		}
		other := contact
		other.Data = []byte(`{"id":"d"}`)
		wrong := v.tell(other)[0].Err
		if errs.KindOf(wrong) != errs.Conflict || !strings.Contains(wrong.Error(), "another activity") {
			t.Errorf("another body: %v", wrong)
		}
		if got, want := v.types(v.native, begin), "session.joined contact.created contact.created"; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
		testenv.Advance(2 * time.Minute)
		if err := janitor.New(janitor.Config{Store: v.Store, Submitter: v.Committer}).Round(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if r := v.tell(contact)[0]; r.Duplicate || !r.Unchanged {
			t.Errorf("after 7 days: %+v", r)
		}
	})
}

// TestLiveRefusedIsNoDuplicate leaves the id of what was refused to who mends it.
func TestLiveRefusedIsNoDuplicate(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		told := ingest.Told{ID: "a1", Activity: live.Activity{Type: "session.joined", Data: []byte(`{"eventId":"e","sessionId":"s","registrationId":"r2"}`)}}
		if r := v.tell(told)[0]; errs.KindOf(r.Err) != errs.NotFound {
			t.Fatalf("nobody: %+v", r)
		}
		v.do(live.Create, "registration.created", `{"eventId":"e","registration":{"id":"r2"}}`)
		if r := v.tell(told)[0]; r.Err != nil || r.Duplicate || len(r.Messages) != 1 {
			t.Errorf("now: %+v", r)
		}
	})
}

// TestLiveAllInOrder tells a batch that came upside down, with one that is refused.
func TestLiveAllInOrder(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin, now := v.last(), time.Now()
		at := func(minutes int, activityType, data string) ingest.Told {
			return ingest.Told{Activity: live.Activity{Type: activityType, At: now.Add(time.Duration(minutes) * time.Minute), Data: []byte(data)}}
		}
		results := v.tell(
			at(-1, "session.left", seat),
			at(-2, "session.joined", `{"eventId":"e","sessionId":"nowhere","registrationId":"r"}`),
			at(-3, "session.joined", seat),
			at(-2, "contact.created", `{"id":"c"}`),
			at(-2, "contact.updated", `{"id":"c","firstName":"A"}`),
			at(-2, "contact.updated", `[]`),
		)
		var got []string
		for _, r := range results {
			switch {
			case r.Err != nil:
				got = append(got, fmt.Sprint(errs.KindOf(r.Err)))
			default:
				got = append(got, message(t, v.Engine, v.app, r.Messages[0]).Type)
			}
		}
		want := []string{"session.left", fmt.Sprint(errs.NotFound), "session.joined", "contact.created", "contact.updated", fmt.Sprint(errs.Invalid)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if got, want := v.types(v.native, begin), "session.joined contact.created contact.updated session.left"; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

// TestLiveQuiet changes state and sends nothing.
func TestLiveQuiet(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin := v.last()
		r := v.tell(ingest.Told{Activity: live.Activity{Type: "contact.created", Quiet: true, Data: []byte(`{"id":"c"}`)}})[0]
		if r.Err != nil || r.Messages != nil || r.Unchanged || v.types(v.native, begin) != "" {
			t.Errorf("%+v, heard %q", r, v.types(v.native, begin))
		}
		if r := v.do(live.Merge, "contact.updated", `{"contact":{"id":"c","title":"Dr"}}`); len(r.Messages) != 1 {
			t.Errorf("it is not there: %+v", r)
		}
	})
}

// TestLiveShadowed lets native endpoints alone hear a type that is the org's own, or that
// it is not offered; the body stays the native one.
func TestLiveShadowed(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*testing.T, *venue)
		zuddl   string
	}{
		"the catalogue's": {func(*testing.T, *venue) {}, "session.joined"},
		"shadowed":        {func(t *testing.T, v *venue) { declare(t, v.Engine, "session.joined", false) }, ""},
		"archived":        {func(t *testing.T, v *venue) { declare(t, v.Engine, "session.joined", true) }, "session.joined"},
		"no catalogue":    {func(t *testing.T, v *venue) { set(t, v.Engine, `{"catalog":"none"}`) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			meet(t, func(t *testing.T, v *venue) {
				begin := v.last()
				tt.prepare(t, v)
				r := v.do(live.Upsert, "session.joined", seat)
				if got := v.types(v.native, begin); got != "session.joined" {
					t.Errorf("native heard %q", got)
				}
				if got := v.types(v.zuddl, begin); got != tt.zuddl {
					t.Errorf("zuddl heard %q, want %q", got, tt.zuddl)
				}
				m := message(t, v.Engine, v.app, r.Messages[0])
				if !strings.HasPrefix(string(m.Payload), `{"type":"session.joined","timestamp":"`) || (m.Tenant == "acme") != (tt.zuddl != "") {
					t.Errorf("message %+v %s", m, m.Payload)
				}
			})
		})
	}
}

// TestLiveSource applies what a vendor told, says nothing, and notes what did not fit.
func TestLiveSource(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin := v.last()
		r := v.tell(ingest.Told{Activity: live.Activity{
			Type: "session.joined", Source: &live.Source{Joins: true}, Data: []byte(`{"eventId":"e","sessionId":"nowhere","registrationId":"r"}`),
		}})[0]
		if r.Err != nil || r.Note == "" || v.types(v.native, begin) != "" {
			t.Errorf("%+v, heard %q", r, v.types(v.native, begin))
		}
	})
}

// TestLiveSaysAllTypes tells one activity of every kind whose message has another type
// than the activity: none may surprise the unit.
func TestLiveSaysAllTypes(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		begin := v.last()
		for _, tt := range [][2]string{
			{"contact.updated", `{"id":"c"}`},
			{"session.updated", `{"eventId":"e","session":{"id":"s","speakers":[{"id":"c"}]}}`},
			{"session.speaker.detached", `{"eventId":"e","sessionId":"s","contactId":"c"}`},
			{"contact.event.associated", `{"eventId":"e","contactId":"c"}`},
			{"conference.started", `{"conferenceId":"k","hostId":"h","companyId":"f"}`},
			{"conference.participant.entered", `{"conferenceId":"k","participantId":"p"}`},
			{"conference.participant.left", `{"conferenceId":"k","participantId":"p"}`},
			{"conference.stream.started", `{"conferenceId":"k"}`},
			{"conference.livestream.entered", `{"conferenceId":"k","participantId":"p"}`},
			{"conference.livestream.left", `{"conferenceId":"k","participantId":"p"}`},
			{"conference.ended", `{"conferenceId":"k"}`},
			{"drive.file.upload_finished", `{"hostId":"h","companyId":"f","id":"d","filename":"a","size":1}`},
			{"drive.file.processed", `{"hostId":"h","companyId":"f","id":"d","filename":"a","size":1}`},
			{"host.profile_picture.uploaded", `{"hostId":"h","companyId":"f"}`},
			{"conversation.user_joined", `{"id":"x"}`},
		} {
			v.do(live.Upsert, tt[0], tt[1])
		}
		want := "contact.created session.updated session.speaker.attached session.speaker.detached contact.event.associated conference.started " +
			"conference.participant.entered conference.participant.left conference.stream.started conference.livestream.entered conference.livestream.left " +
			"conference.ended drive.file.added host.profile_picture.uploaded conversation.user_joined"
		if got := v.types(v.native, begin); got != want {
			t.Errorf("heard\n%s, want\n%s", got, want)
		}
	})
}
