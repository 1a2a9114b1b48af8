package client_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// read reads a value of a wire type from JSON.
func read[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// collect reads all of a kind.
func collect[T any](t *testing.T, r *client.Reader[T]) (all []T) {
	t.Helper()
	for item, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, item)
	}
	return all
}

// writeAll makes every request of a resource.
func writeAll[T any](t *testing.T, r *client.Resource[T], id string, it T) {
	t.Helper()
	ctx := t.Context()
	must[T](t)(r.Create(ctx, it))
	found := must[T](t)(r.Get(ctx, id))
	must[T](t)(r.Replace(ctx, id, found))
	must[T](t)(r.Patch(ctx, id, map[string]int{"shoeSize": 42}))
	if n := len(collect(t, &r.Reader)); n != 1 {
		t.Errorf("%s: %d in the list", id, n)
	}
}

// route is one of the document, with a call that makes its request.
type route struct {
	op   string
	call func(context.Context) error
}

// errOf drops what a call gives besides the error.
func errOf[T any](_ T, err error) error { return err }

// routes are all of the live API, in an order in which each finds what it needs.
func routes(t *testing.T, w *world) []route {
	a := w.acme
	event, session, registration := native.Event{ID: wire.Text("e")}, native.Session{ID: wire.Text("s"), Title: "S"}, native.Registration{ID: wire.Text("r")}
	contact, exhibitor, sponsor := native.Contact{ID: wire.Text("c")}, native.Exhibitor{ID: wire.Text("x"), Name: "X"}, native.Sponsor{ID: wire.Text("p"), Name: "P"}
	all := slices.Concat(
		resourceRoutes(t, "/event", "event", a.Events(), "e", event),
		resourceRoutes(t, "/event/{event_id}/session", "session", a.Sessions("e"), "s", session),
		resourceRoutes(t, "/event/{event_id}/registration", "registration", a.Registrations("e"), "r", registration),
		resourceRoutes(t, "/contact", "contact", a.Contacts().Resource, "c", contact),
		resourceRoutes(t, "/exhibitor", "exhibitor", a.Exhibitors().Resource, "x", exhibitor),
		resourceRoutes(t, "/sponsor", "sponsor", a.Sponsors().Resource, "p", sponsor),
		guestRoutes("contact", a.Contacts(), "c"), guestRoutes("exhibitor", a.Exhibitors(), "x"), guestRoutes("sponsor", a.Sponsors(), "p"),
	)
	const speaker = "/event/{event_id}/session/{session_id}/speaker/{contact_id}"
	all = append(
		all,
		route{"PUT" + speaker, func(ctx context.Context) error {
			return a.AttachSpeaker(ctx, "e", "s", "c", map[string]any{"participantRole": map[string]string{"slug": "host"}})
		}},
		route{"DELETE" + speaker, func(ctx context.Context) error { return a.DetachSpeaker(ctx, "e", "s", "c") }},
		route{"POST/activity", func(ctx context.Context) error {
			told, err := a.Tell(
				ctx,
				client.Activity{Type: native.ConferenceStarted, Data: client.Meeting{ConferenceID: "k", HostID: "h", CompanyID: "c"}},
				client.Activity{Type: native.ConferenceParticipantEntered, Data: client.Participant{ConferenceID: "k", ParticipantID: "p"}},
				client.Activity{Type: native.ConversationUserJoined, Data: client.Conversation{ID: wire.Text("t")}},
			)
			for _, one := range told {
				if one.Status != client.Applied {
					return one.Err
				}
			}
			return err
		}},
		route{"GET/event/{event_id}/attendance", func(ctx context.Context) error { return errOf(a.Attendance(ctx, "e")) }},
		route{"GET/event/{event_id}/attendance/timeline", func(ctx context.Context) error { return errOf(a.AttendanceTimeline(ctx, "e")) }},
		route{"GET/conference/{conference_id}", func(ctx context.Context) error { return errOf(a.Conferences().Get(ctx, "k")) }},
		route{"GET/conference", func(ctx context.Context) error { return hasOne(ctx, a.Conferences()) }},
		route{"GET/conference/{conference_id}/participant", func(ctx context.Context) error {
			n := 0
			for participant, err := range a.Participants(ctx, "k") {
				if err != nil {
					return err
				}
				if participant.ID != wire.Text("p") || !participant.Present {
					return fmt.Errorf("participant %+v", participant)
				}
				n++
			}
			if n != 1 {
				return fmt.Errorf("%d participants", n)
			}
			return nil
		}},
		route{"GET/conversation/{conversation_id}", func(ctx context.Context) error { return errOf(a.Conversations().Get(ctx, "t")) }},
		route{"GET/conversation", func(ctx context.Context) error { return hasOne(ctx, a.Conversations()) }},
		route{"DELETE/event/{event_id}/registration/{registration_id}", func(ctx context.Context) error { return a.Registrations("e").Delete(ctx, "r") }},
		route{"DELETE/event/{event_id}/session/{session_id}", func(ctx context.Context) error { return a.Sessions("e").Delete(ctx, "s") }},
		route{"DELETE/event/{event_id}", func(ctx context.Context) error { return a.Events().Delete(ctx, "e") }},
		route{"DELETE/contact/{contact_id}", func(ctx context.Context) error { return a.Contacts().Delete(ctx, "c") }},
		route{"DELETE/exhibitor/{exhibitor_id}", func(ctx context.Context) error { return a.Exhibitors().Delete(ctx, "x") }},
		route{"DELETE/sponsor/{sponsor_id}", func(ctx context.Context) error { return a.Sponsors().Delete(ctx, "p") }},
	)
	return all
}

// resourceRoutes are those of a kind of resource, but for DELETE, which comes last.
func resourceRoutes[T any](t *testing.T, path, noun string, r *client.Resource[T], id string, it T) []route {
	one := path + "/{" + noun + "_id}"
	return []route{
		{"POST" + path, func(ctx context.Context) error { return errOf(r.Create(ctx, it)) }},
		{"GET" + path, func(ctx context.Context) error { return hasOne(ctx, &r.Reader) }},
		{"GET" + one, func(ctx context.Context) error { return errOf(r.Get(ctx, id)) }},
		{"PUT" + one, func(ctx context.Context) error { return errOf(r.Replace(ctx, id, it)) }},
		{"PATCH" + one, func(ctx context.Context) error { return errOf(r.Patch(ctx, id, read[T](t, `{"shoeSize":42}`))) }},
	}
}

func guestRoutes[T any](noun string, g *client.Guests[T], id string) []route {
	path := "/" + noun + "/{" + noun + "_id}/event/{event_id}"
	return []route{
		{"PUT" + path, func(ctx context.Context) error { return g.Associate(ctx, id, "e") }},
		{"DELETE" + path, func(ctx context.Context) error { return g.Disassociate(ctx, id, "e") }},
	}
}

func hasOne[T any](ctx context.Context, r *client.Reader[T]) error {
	n := 0
	for _, err := range r.All(ctx) {
		if err != nil {
			return err
		}
		n++
	}
	if n != 1 {
		return fmt.Errorf("%d in the list", n)
	}
	return nil
}

// TestRoutes: for every live route of the server's document there is a method that reaches it.
func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reached := map[string]bool{}
	for _, r := range routes(t, w) {
		w.took()
		if err := r.call(t.Context()); err != nil {
			t.Fatalf("%s: %v", r.op, err)
		}
		method, path, _ := strings.Cut(r.op, "/")
		want := regexp.MustCompile(`^` + method + ` /app/acme/` + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, `\w+`) + `$`)
		if sent := w.took(); len(sent) != 1 || !want.MatchString(sent[0]) {
			t.Errorf("%s: sent %v", r.op, sent)
		}
		reached[method+" /api/v1/app/{app_id}/"+path] = true
	}
	var doc struct {
		Paths map[string]map[string]struct{ Tags []string }
	}
	must[any](t)(nil, w.Do(t.Context(), http.MethodGet, "/openapi.json", nil, &doc))
	live := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if slices.Contains(op.Tags, "Live") || slices.Contains(op.Tags, "live") {
				live[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	if diff := cmp.Diff(live, reached); diff != "" || len(live) < 40 {
		t.Errorf("routes of the document and of the client (-document +client):\n%s", diff)
	}
}

// TestResources writes each kind and looks at what comes back.
func TestResources(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	start := time.Date(2031, 6, 10, 9, 0, 0, 0, time.UTC)
	made := must[native.Event](t)(w.acme.Events().Create(ctx, native.Event{
		ID: wire.Text("e"), Name: "<Summit> & more", Timezone: "Europe/London", StartDate: wire.Millis{Time: start}, EndDate: wire.Millis{Time: start.Add(8 * time.Hour)},
	}))
	if made.Number != 4001 || made.Status != native.EventStatusUpcoming || made.Name != "<Summit> & more" || !made.StartDate.Equal(start) || made.CreatedAt.IsZero() {
		t.Errorf("created %+v", made)
	}
	writeAll(t, w.acme.Sessions("e"), "s", read[native.Session](t, `{"id":"s","title":"Keynote","sponsorship":{"tier":"gold"}}`))
	writeAll(t, w.acme.Registrations("e"), "r", native.Registration{ID: wire.Text("r"), Profile: &native.Profile{FirstName: "Grace"}})
	writeAll(t, w.acme.Contacts().Resource, "c", native.Contact{ID: wire.Text("c"), FirstName: "Ada"})
	writeAll(t, w.acme.Exhibitors().Resource, "x", native.Exhibitor{ID: wire.Text("x"), Name: "Engines"})
	writeAll(t, w.acme.Sponsors().Resource, "p", native.Sponsor{ID: wire.Text("p"), Name: "Patrons"})

	s := must[native.Session](t)(w.acme.Sessions("e").Get(ctx, "s"))
	if string(s.Unknown.Get("sponsorship")) != `{"tier":"gold"}` || string(s.Unknown.Get("shoeSize")) != "42" || s.Title != "Keynote" {
		t.Errorf("what is not known is lost: %+v", s)
	}
	s.Title, s.Unknown = "Closing", nil
	if s = must[native.Session](t)(w.acme.Sessions("e").Replace(ctx, "s", s)); s.Title != "Closing" || s.Unknown != nil {
		t.Errorf("replaced: %+v", s)
	}
	if s = must[native.Session](t)(w.acme.Sessions("e").Patch(ctx, "s", native.Session{Description: "All"})); s.Title != "Closing" || s.Description != "All" {
		t.Errorf("patched: %+v", s)
	}
	chosen := must[native.Contact](t)(w.acme.Contacts().Create(ctx, native.Contact{FirstName: "Alan"}))
	if len(chosen.ID.String()) != 36 {
		t.Errorf("the server's id: %q", chosen.ID)
	}
	if err := w.acme.Contacts().Delete(ctx, "c"); err != nil {
		t.Error(err)
	}
	for _, err := range []error{
		w.acme.Contacts().Delete(ctx, "c"), errOf(w.acme.Events().Get(ctx, "none")), errOf(w.App("none").Events().Get(ctx, "e")),
		errOf(w.acme.Sessions("none").Create(ctx, native.Session{})), w.acme.Contacts().Associate(ctx, "x", "none"),
		w.acme.AttachSpeaker(ctx, "e", "s", "none", nil),
	} {
		if !errors.Is(err, client.ErrNotFound) {
			t.Errorf("not there: %v", err)
		}
	}
	for _, err := range w.acme.Sessions("none").All(ctx) {
		if !errors.Is(err, client.ErrNotFound) {
			t.Errorf("a list that is not there: %v", err)
		}
	}
	if err := errOf(w.acme.Events().Create(ctx, native.Event{ID: wire.Text("e")})); !errors.Is(err, client.ErrConflict) {
		t.Errorf("an id that is taken: %v", err)
	}
	err := errOf(w.acme.Events().Patch(ctx, "e", map[string]any{"name": 5}))
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != 422 || !slices.Equal(e.Fields[0].Loc, []string{"body", "name"}) || e.RequestID == "" {
		t.Errorf("a wrong field: %v", err)
	}
}

// TestEmptyIDs: an id that is left out does not name the list, or another thing.
func TestEmptyIDs(t *testing.T) {
	t.Parallel()
	c, f := newFake(t, answer{status: 200, body: "{}"})
	a, ctx := c.App("a"), t.Context()
	for _, err := range []error{
		errOf(a.Events().Get(ctx, "")), errOf(a.Sessions("").Get(ctx, "s")), a.Contacts().Delete(ctx, ".."), a.Contacts().Associate(ctx, "c", "."),
		errOf(c.App("").Events().Get(ctx, "e")), errOf(a.Attendance(ctx, "")), errOf(a.AttendanceTimeline(ctx, "")), a.AttendanceCSV(ctx, "", nil), a.DetachSpeaker(ctx, "e", "", "c"),
		errOf(c.App("").Tell(ctx, client.Activity{Type: native.SessionJoined, Data: client.Attendance{}})),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "client: the id after ") {
			t.Errorf("%v", err)
		}
	}
	must[native.Event](t)(a.Events().Get(ctx, "a/b?c"))
	if len(f.got) != 1 || f.got[0].URL.EscapedPath() != "/base/api/v1/app/a/event/a%2Fb%3Fc" {
		t.Errorf("%d requests, %s", len(f.got), f.got[0].URL)
	}
}

// TestPages reads more than one page of a list, and stops early.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var contacts []client.Activity
	for i := range 501 {
		contacts = append(contacts, client.Activity{Type: native.ContactCreated, Quiet: true, Data: native.Contact{ID: wire.Text(fmt.Sprintf("c%03d", i))}})
	}
	must[[]client.Told](t)(w.acme.Tell(t.Context(), contacts...))
	w.took()
	all := collect(t, &w.acme.Contacts().Reader)
	for i, c := range all {
		if c.ID.String() != fmt.Sprintf("c%03d", i) {
			t.Fatalf("number %d is %s", i, c.ID)
		}
	}
	if sent := w.took(); len(all) != 501 || len(sent) != 3 {
		t.Errorf("%d contacts in %d requests", len(all), len(sent))
	}
	for _, err := range w.acme.Contacts().All(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if sent := w.took(); len(sent) != 1 {
		t.Errorf("one contact in %d requests", len(sent))
	}
}

// TestChanges: who did it, and when, is in the messages; what is quiet is in none.
func TestChanges(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	bot, byUser := client.By("bot & co", native.ActorAgent), client.Source(native.SourceUser)
	must[native.Contact](t)(w.acme.Contacts().Create(ctx, native.Contact{ID: wire.Text("c")}, bot, byUser, client.At(at)))
	must[native.Contact](t)(w.acme.Contacts().Patch(ctx, "c", map[string]string{"title": "Dr"}, client.Quiet(), client.By("u", "")))
	must[[]client.Told](t)(w.acme.Tell(ctx, client.Activity{
		Type: native.ContactUpdated, At: at, Actor: &client.Actor{ID: "bot & co", Type: native.ActorAgent}, SourceOfChange: native.SourceUser,
		Data: client.Subject{ContactID: "c", Contact: &native.Contact{Title: "Prof"}},
	}))
	if diff := cmp.Diff([]string{"contact.created", "contact.updated"}, w.types(0)); diff != "" {
		t.Fatalf("sent (-want +got):\n%s", diff)
	}
	for _, m := range w.messages() {
		data := m.Payload["data"].(map[string]any)
		if diff := cmp.Diff(map[string]any{"id": "bot & co", "type": "AGENT"}, data["actor"]); diff != "" {
			t.Errorf("%s: actor (-want +got):\n%s", m.EventType, diff)
		}
		if data["sourceOfChange"] != "user" || m.Payload["timestamp"] != "2026-01-02T03:04:05.678Z" {
			t.Errorf("%s: %v", m.EventType, m.Payload)
		}
	}
}

// TestChangesOnTheWire looks at the query that changes make, and that none makes none.
func TestChangesOnTheWire(t *testing.T) {
	t.Parallel()
	c, f := newFake(t, answer{status: 200, body: "{}"})
	contacts := c.App("a").Contacts()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for i, row := range []struct {
		call func() error
		want string
	}{
		{func() error { return contacts.Delete(t.Context(), "c", client.Erase(), client.Quiet()) }, "erase=true&notify=false"},
		{func() error { return contacts.Delete(t.Context(), "c", client.By("u", "")) }, "actorId=u"},
		{func() error { return contacts.Associate(t.Context(), "c", "e", client.At(at)) }, "at=2026-01-02T02%3A04%3A05Z"},
		{func() error { return contacts.Disassociate(t.Context(), "c", "e", client.Source("agent")) }, "sourceOfChange=agent"},
		{func() error {
			return c.App("a").DetachSpeaker(t.Context(), "e", "s", "c", client.By("a&b", native.ActorSystem))
		}, "actorId=a%26b&actorType=SYSTEM"},
		{func() error { return errOf(contacts.Replace(t.Context(), "c", native.Contact{})) }, ""},
	} {
		if err := row.call(); err != nil || f.got[i].URL.RawQuery != row.want {
			t.Errorf("%s, %v; want %s", f.got[i].URL.RawQuery, err, row.want)
		}
	}
}

// programme makes an event, two sessions and two people, without a word.
func (w *world) programme(t *testing.T) {
	t.Helper()
	told := must[[]client.Told](t)(w.acme.Tell(
		t.Context(),
		client.Activity{Type: native.EventCreated, Quiet: true, Data: native.Event{ID: wire.Text("e")}},
		client.Activity{Type: native.SessionCreated, Quiet: true, Data: client.Subject{EventID: "e", Session: &native.Session{ID: wire.Text("s"), Title: "S"}}},
		client.Activity{Type: native.SessionCreated, Quiet: true, Data: client.Subject{EventID: "e", Session: &native.Session{ID: wire.Text("t"), Title: "T"}}},
		client.Activity{Type: native.RegistrationCreated, Quiet: true, Data: client.Subject{EventID: "e", Registration: &native.Registration{ID: wire.Text("r")}}},
		client.Activity{Type: native.RegistrationCreated, Quiet: true, Data: client.Subject{EventID: "e", Registration: &native.Registration{ID: wire.Text("q")}}},
	))
	for i, one := range told {
		if one.Status != client.Applied || len(one.Messages) != 0 {
			t.Fatalf("activity %d: %+v", i, one)
		}
	}
}

// lookBack looks at the same attendance as it was.
func (w *world) lookBack(t *testing.T, at time.Time) {
	t.Helper()
	ctx, then := t.Context(), at.Add(30*time.Minute)
	report := must[client.AttendanceReport](t)(w.acme.Attendance(ctx, "e", client.AsOf(then)))
	if !report.AsOf.Equal(then) || !report.LatestActivityAt.Equal(at.Add(20*time.Minute)) || report.Totals != (client.AttendanceTotals{Present: 1, Attended: 1, Minutes: 30}) {
		t.Errorf("as of %s: %+v", then, report)
	}
	timeline := must[client.AttendanceTimeline](t)(w.acme.AttendanceTimeline(ctx, "e", client.AsOf(then)))
	if n := len(timeline.Points); n == 0 || !timeline.Points[n-1].At.Equal(then) || !timeline.LatestActivityAt.Equal(at.Add(20*time.Minute)) {
		t.Errorf("timeline as of %s: %+v", then, timeline)
	}
	var text strings.Builder
	if err := w.acme.AttendanceCSV(ctx, "e", &text, client.AsOf(then)); err != nil || strings.Count(text.String(), "\n") != 2 {
		t.Errorf("table as of %s: %v\n%s", then, err, text.String())
	}
	if latest := must[client.AttendanceReport](t)(w.acme.Attendance(ctx, "e", client.AsOfLatest())); !latest.AsOf.Equal(at.Add(time.Hour)) {
		t.Errorf("as of the latest: %+v", latest)
	}
	var wrong *client.Error
	if err := errOf(w.acme.Attendance(ctx, "e", client.AsOf(time.Now().Add(time.Hour)))); !errors.As(err, &wrong) || wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("as of the future: %v", err)
	}
}

// TestAttendance compares a report and its table with what was told.
func TestAttendance(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	w.programme(t)
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	move := func(kind native.Type, minute int, session, device string) client.Activity {
		return client.Activity{Type: kind, At: at.Add(time.Duration(minute) * time.Minute), Data: client.Attendance{
			EventID: "e", SessionID: session, RegistrationID: "r", ConnectionID: device,
		}}
	}
	must[[]client.Told](t)(w.acme.Tell(
		ctx,
		move(native.SessionJoined, 0, "s", "phone"), move(native.SessionJoined, 10, "s", "laptop"), move(native.SessionLeft, 20, "s", "phone"),
		move(native.SessionLeft, 42, "s", "laptop"), move(native.SessionJoined, 50, "t", ""), move(native.SessionLeft, 60, "t", ""),
	))
	if diff := cmp.Diff([]string{"session.joined", "session.left", "session.joined", "session.left"}, w.types(0)); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	got := must[client.AttendanceReport](t)(w.acme.Attendance(ctx, "e"))
	if since := time.Since(got.AsOf); since < 0 || since > time.Minute {
		t.Errorf("as of %s", got.AsOf)
	}
	got.AsOf = time.Time{}
	want := client.AttendanceReport{
		LatestActivityAt: at.Add(time.Hour),
		Event:            client.AttendedEvent{ID: wire.Text("e"), Number: 4001, Status: got.Event.Status},
		Lines: []client.AttendanceLine{
			{SessionID: "s", RegistrationID: "r", FirstJoinedAt: at, LastLeftAt: at.Add(42 * time.Minute), Minutes: new(int64(42))},
			{SessionID: "t", RegistrationID: "r", FirstJoinedAt: at.Add(50 * time.Minute), LastLeftAt: at.Add(time.Hour), Minutes: new(int64(10))},
		},
		Totals: client.AttendanceTotals{Attended: 1, Minutes: 52},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b wire.ID) bool { return a == b })); diff != "" || got.Event.Status == "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	var text strings.Builder
	if err := w.acme.AttendanceCSV(ctx, "e", &text); err != nil {
		t.Fatal(err)
	}
	table := must[[][]string](t)(csv.NewReader(strings.NewReader(text.String())).ReadAll())
	if len(table) != 3 || table[0][6] != "minutes" || table[1][6] != "42" || table[2][6] != "10" {
		t.Errorf("table %v", table)
	}
	w.lookBack(t, at)
	if err := w.acme.AttendanceCSV(ctx, "none", &text); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no event: %v", err)
	}
	if err := errOf(w.acme.Attendance(ctx, "none")); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("no event: %v", err)
	}
}
