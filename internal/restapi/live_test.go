package restapi_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/token"
)

// newLiveWorld is a world with the whole catalogue and one app, "a".
func newLiveWorld(t testing.TB, changes ...func(*restapi.Config)) *world {
	t.Helper()
	w := makeWorld(t, catalog.New(), changes...)
	w.app("a")
	return w
}

// programme makes an event that is going on, with a session and two registrations.
func (w *world) programme() {
	w.t.Helper()
	w.do("POST", "/app/a/event", `{"id":"e1","number":4001,"startDate":"2026-01-01T09:00:00Z","endDate":"2126-01-01T09:00:00Z"}`).want(201)
	w.do("POST", "/app/a/event/e1/session", `{"id":"s1","title":"Keynote"}`).want(201)
	w.do("POST", "/app/a/event/e1/registration", `{"id":"r1"}`).want(201)
	w.do("POST", "/app/a/event/e1/registration", `{"id":"r2"}`).want(201)
}

// sent are the types of an app's messages, oldest first.
func (w *world) sent(app string) []string {
	w.t.Helper()
	types := w.do("GET", "/app/"+app+"/msg?limit=250", "").want(200).field("eventType")
	slices.Reverse(types)
	return types
}

// locs are the places of a 422.
func (r reply) locs() []string {
	r.t.Helper()
	r.want(422)
	return locs(r.json()["detail"])
}

func TestResources(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		noun, path, body string
		sent             []string // what creating, replacing, changing and deleting sends
	}{
		{"event", "/app/a/event", `"number":7,"name":"N"`, []string{"event.created", "event.updated", "event.updated"}},
		{"session", "/app/a/event/e1/session", `"title":"N"`, []string{"session.created", "session.updated", "session.updated", "session.deleted"}},
		{"registration", "/app/a/event/e1/registration", `"profile":{"firstName":"N"}`, []string{"registration.created"}},
		{"contact", "/app/a/contact", `"firstName":"N"`, []string{"contact.created", "contact.updated", "contact.updated", "contact.deleted"}},
		{"exhibitor", "/app/a/exhibitor", `"name":"N"`, []string{"exhibitor.created", "exhibitor.updated", "exhibitor.updated", "exhibitor.deleted"}},
		{"sponsor", "/app/a/sponsor", `"name":"N"`, []string{"sponsor.created", "sponsor.updated", "sponsor.updated", "sponsor.deleted"}},
	} {
		t.Run(row.noun, func(t *testing.T) {
			t.Parallel()
			w := newLiveWorld(t)
			w.do("POST", "/app/a/event?notify=false", `{"id":"e1","number":4001}`).want(201)
			one := row.path + "/x1"
			created := w.do("POST", row.path, `{`+row.body+`,"id":"x1","own":{"b":[1,2.50],"a":null}}`).want(201)
			if !strings.HasPrefix(created.Body, `{"id":"x1",`) || !strings.Contains(created.Body, `"own":{"b":[1,2.50],"a":null}`) {
				t.Errorf("created %s", created.Body)
			}
			if got := w.do("GET", one, "").want(200).Body; got != created.Body {
				t.Errorf("it shows as %s, was created as %s", got, created.Body)
			}
			w.do("POST", row.path, `{`+row.body+`,"id":"x1"}`).want(409)
			if got := w.do("PATCH", one, `{"own":{"a":1},"more":true}`).want(200); !strings.Contains(got.Body, `"own":{"b":[1,2.50],"a":1}`) {
				t.Errorf("changed %s", got.Body)
			}
			replaced := w.do("PUT", one, `{`+row.body+`}`).want(200)
			if strings.Contains(replaced.Body, "own") || replaced.text("id") != "x1" || replaced.text("createdAt") != created.text("createdAt") {
				t.Errorf("replaced %s", replaced.Body)
			}
			for _, method := range []string{"PUT", "PATCH"} {
				w.do(method, row.path+"/none", `{}`).want(404)
				if got := w.do(method, one, `{"id":"x2"}`).locs(); !slices.Equal(got, []string{"body.id"}) {
					t.Errorf("%s with another id: %v", method, got)
				}
			}
			w.do("DELETE", one, "").want(204)
			w.do("DELETE", one, "").want(404)
			w.do("GET", one, "").want(404)
			if diff := cmp.Diff(row.sent, w.sent("a")); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// TestResourceIDs: the caller's, a number, or a UUID that a repetition gets again.
func TestResourceIDs(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	if got := w.do("POST", "/app/a/contact", `{"id":4711}`).want(201); got.json()["id"] != 4711.0 {
		t.Errorf("a number: %s", got.Body)
	}
	w.do("GET", "/app/a/contact/4711", "").want(200)
	once := request{method: "POST", path: "/api/v1/app/a/contact", token: w.org, header: map[string]string{"Idempotency-Key": "k"}}
	send := func(body string) reply {
		once.body = strings.NewReader(body)
		return w.send(once)
	}
	first := send(`{"firstName":"A"}`).want(201).text("id")
	if len(first) != 36 {
		t.Errorf("id %s", first)
	}
	w.do("PATCH", "/app/a/contact/"+first, `{"firstName":"B"}`).want(200)
	if again := send(`{"firstName":"A"}`).want(201); again.text("id") != first || again.text("firstName") != "B" {
		t.Errorf("again: %s", again.Body)
	}
	send(`{"firstName":"C"}`).want(409)
	if n := len(w.do("GET", "/app/a/contact", "").want(200).items()); n != 2 {
		t.Errorf("%d contacts", n)
	}
	for _, bad := range []string{"%2e%2e", "a%20b", "a%2fb", strings.Repeat("x", 129), "%C3%A9"} {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			w.do(method, "/app/a/contact/"+bad, bodyFor(method)).want(404)
		}
		w.do("PUT", "/app/a/contact/4711/event/"+bad, "").want(404)
	}
}

func TestWrongResources(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	for _, row := range []struct {
		method, path, body string
		status             int
		loc                string
	}{
		{"POST", "/app/a/contact", `{"id":"` + marker + ` !"}`, 422, "body.id"},
		{"POST", "/app/a/contact", `{"id":["` + marker + `"]}`, 422, "body.id"},
		{"POST", "/app/a/contact", `{"id":null}`, 422, "body.id"},
		{"POST", "/app/a/contact", `{"firstName":{"` + marker + `":1}}`, 422, "body.firstName"},
		{"POST", "/app/a/contact", `["` + marker + `"]`, 422, "body"},
		{"POST", "/app/a/contact", `null`, 422, "body"},
		{"POST", "/app/a/contact", `{"a":1,"a":2}`, 422, "body"},
		{"POST", "/app/a/contact", ``, 400, ""},
		{"POST", "/app/a/contact", `{"` + marker, 400, ""},
		{"POST", "/app/a/event/none/session", `{}`, 404, ""},
		{"GET", "/app/a/event/none/session", ``, 404, ""},
		{"POST", "/app/a/event/e1/session", `{"speakers":[{"id":"c1"},{"id":"c2","firstName":5}]}`, 422, "body.speakers.1.firstName"},
		{"PATCH", "/app/a/event/e1/session/s1", `{"startDateTime":"` + marker + `"}`, 422, "body.startDateTime"},
		{"PATCH", "/app/a/event/e1", `{"status":"` + marker + `"}`, 422, "body.status"},
		{"POST", "/app/a/event", `{"number":4001}`, 409, ""},
		{"POST", "/app/a/contact?at=" + marker, `{}`, 422, "query.at"},
		{"POST", "/app/a/contact?at=2999-01-01T00:00:00Z", `{}`, 422, "query.at"},
		{"DELETE", "/app/a/event/e1/session/s1?at=2999-01-01T00:00:00Z", ``, 422, "query.at"},
		{"DELETE", "/app/a/event/e1/session/s1?actorType=" + marker, ``, 422, "query.actorType"},
		{"DELETE", "/app/a/event/e1/session/s1?sourceOfChange=" + marker, ``, 422, "query.sourceOfChange"},
		{"DELETE", "/app/a/event/e1/session/s1?notify=" + marker, ``, 422, "query.notify"},
		{"GET", "/app/a/contact?iterator=" + marker, ``, 422, "query.iterator"},
		{"PUT", "/app/a/contact/none/event/e1", ``, 404, ""},
		{"PUT", "/app/a/event/e1/session/s1/speaker/none", ``, 404, ""},
		{"GET", "/app/a/event/none/attendance", ``, 404, ""},
	} {
		got := w.do(row.method, row.path, row.body)
		if got.Status != row.status {
			t.Errorf("%s %s %s: %d %s", row.method, row.path, row.body, got.Status, got.Body)
			continue
		}
		checkForm(t, got, row.loc)
		if strings.Contains(got.Body, marker) {
			t.Errorf("%s %s repeats what was sent: %s", row.method, row.path, got.Body)
		}
	}
}

// TestWhoAndWhen: the parameters of every write show in what is sent.
func TestWhoAndWhen(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	const query = "?actorId=u1&actorType=AGENT&at=2026-05-01T10:00:00Z"
	w.do("POST", "/app/a/contact"+query, `{"id":"c1"}`).want(201)
	w.do("DELETE", "/app/a/contact/c1"+query+"&sourceOfChange=user", "").want(204)
	type said struct {
		Type, Timestamp string
		Data            struct {
			Actor          struct{ ID, Type string }
			SourceOfChange string
		}
	}
	var got []string
	for _, item := range w.do("GET", "/app/a/msg?with_content=true", "").want(200).items() {
		text, err := json.Marshal(item["payload"])
		var m said
		if err := errors.Join(err, json.Unmarshal(text, &m)); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(m))
	}
	want := []string{
		"{contact.deleted 2026-05-01T10:00:00.000Z {{u1 AGENT} user}}",
		"{contact.created 2026-05-01T10:00:00.000Z {{u1 AGENT} agent}}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.do("POST", "/app/a/contact?notify=false", `{"id":"c2"}`).want(201)
	w.do("PUT", "/app/a/contact/c2?notify=false", `{"title":"T"}`).want(200)
	w.do("PATCH", "/app/a/contact/c2?notify=false", `{"title":"U"}`).want(200)
	w.do("DELETE", "/app/a/contact/c2?notify=false", "").want(204)
	if n := len(w.sent("a")); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestLiveLists(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	want := []string{"s1"}
	for _, name := range []string{"z", "b", "y", "a"} {
		w.do("POST", "/app/a/event/e1/session", `{"id":"`+name+`"}`).want(201)
		want = append(want, name)
	}
	for order, want := range map[string][]string{"ascending": want, "descending": reversed(want)} {
		path := "/app/a/event/e1/session?limit=2&order=" + order
		page := w.do("GET", path, "").want(200)
		pages := []reply{page}
		for page.json()["done"] == false {
			page = w.do("GET", path+"&iterator="+page.text("iterator"), "").want(200)
			pages = append(pages, page)
		}
		var got []string
		for _, p := range pages {
			got = append(got, p.field("id")...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", order, diff)
		}
		back := w.do("GET", path+"&iterator="+pages[1].text("prevIterator"), "").want(200)
		if diff := cmp.Diff(pages[0].field("id"), back.field("id")); diff != "" {
			t.Errorf("%s back (-want +got):\n%s", order, diff)
		}
	}
	w.do("GET", "/app?iterator="+w.do("GET", "/app/a/event", "").text("iterator"), "").want(422)
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestSpeakersAndAssociations(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	w.do("POST", "/app/a/contact", `{"id":"ada","firstName":"Ada"}`).want(201)
	const speaker = "/app/a/event/e1/session/s1/speaker/ada"
	before := len(w.sent("a"))
	w.do("PUT", speaker, "").want(204)
	w.do("PUT", speaker, "").want(204)
	if got := w.do("GET", "/app/a/event/e1/session/s1", "").want(200).Body; !strings.Contains(got, `"speakers":[{"id":"ada","firstName":"Ada"}]`) {
		t.Errorf("attached: %s", got)
	}
	w.do("PUT", speaker, `{"participantRole":{"slug":"chair"}}`).want(204)
	if got := w.do("PUT", speaker, `{"participantRole":7}`).locs(); !slices.Equal(got, []string{"body.participantRole"}) {
		t.Errorf("a wrong role: %v", got)
	}
	w.do("DELETE", speaker, "").want(204)
	w.do("DELETE", speaker, "").want(204)
	want := []string{"session.speaker.attached", "session.updated", "session.speaker.detached"}
	for _, noun := range []string{"contact", "exhibitor", "sponsor"} {
		w.do("POST", "/app/a/"+noun+"?notify=false", `{"id":"x"}`).want(201)
		path := "/app/a/" + noun + "/x/event/e1"
		w.do("PUT", path, "").want(204)
		w.do("PUT", path, "").want(204)
		w.do("DELETE", path, "").want(204)
		w.do("DELETE", path, "").want(204)
		want = append(want, noun+".event.associated", noun+".event.disassociated")
	}
	if diff := cmp.Diff(want, w.sent("a")[before:]); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestActivity(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	const path, where = "/app/a/activity", `"data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}`
	joined := w.do("POST", path, `{"type":"session.joined","at":"2026-05-01T10:00:00Z","actor":{"id":"r1"},`+where+`}`).want(202)
	one := joined.items()[0]
	if one["status"] != "applied" || one["id"] != nil || len(one["messages"].([]any)) != 1 {
		t.Errorf("joined: %s", joined.Body)
	}
	w.do("GET", "/app/a/msg/"+one["messages"].([]any)[0].(string), "").want(200)

	several := `{"activities":[
		{"id":"l","type":"session.left","at":"2026-05-01T10:42:00Z",` + where + `},
		{"type":"session.left","at":"2026-05-01T10:42:00Z","data":{"eventId":"e1","sessionId":"none","registrationId":"r1"}},
		{"type":"` + marker + `","data":[]},
		5,
		{"id":"l","type":"session.left","at":"2026-05-01T10:42:00Z",` + where + `}]}`
	got := w.do("POST", path, several).want(202)
	if strings.Contains(got.Body, marker) {
		t.Errorf("it repeats what was sent: %s", got.Body)
	}
	var states, places []string
	for _, item := range got.items() {
		states = append(states, item["status"].(string))
		if e, ok := item["error"].(map[string]any); ok {
			places = append(places, append([]string{e["code"].(string)}, locs(e["detail"])...)...)
		}
	}
	if diff := cmp.Diff([]string{"applied", "refused", "refused", "refused", "duplicate"}, states); diff != "" {
		t.Errorf("statuses (-want +got):\n%s\n%s", diff, got.Body)
	}
	want := []string{
		"not_found", "body.activities.1.data.sessionId",
		"validation_error", "body.activities.2.type", "body.activities.2.data",
		"validation_error", "body.activities.3",
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if got := w.do("POST", path, several).want(202).field("status"); got[0] != "duplicate" || got[4] != "duplicate" {
		t.Errorf("again: %v", got)
	}
	if got := w.sent("a"); !slices.Equal(got[len(got)-2:], []string{"session.joined", "session.left"}) {
		t.Errorf("sent %v", got)
	}
}

func TestWrongActivities(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	join := func(more string) string {
		return `{"type":"session.joined"` + more + `,"data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}}`
	}
	many := `{"activities":[` + strings.Repeat(join("")+",", 1000) + join("") + `]}`
	for _, row := range []struct {
		body   string
		status int
		loc    string
	}{
		{``, 400, ""},
		{`{"type":"` + marker, 400, ""},
		{`[]`, 422, "body"},
		{`{}`, 422, "body.data|body.type"},
		{`{"type":5,"data":{}}`, 422, "body.type"},
		{`{"type":"` + marker + `","data":{}}`, 422, "body.type"},
		{join(`,"at":"` + marker + `"`), 422, "body.at"},
		{join(`,"at":"2999-01-01T00:00:00Z"`), 422, "body.at"},
		{join(`,"id":["` + marker + `"]`), 422, "body.id"},
		{join(`,"id":"` + strings.Repeat("x", 257) + `"`), 422, "body.id"},
		{join(`,"actor":"` + marker + `"`), 422, "body.actor"},
		{join(`,"actor":{"id":7,"type":"` + marker + `"}`), 422, "body.actor.id|body.actor.type"},
		{join(`,"notify":"` + marker + `","sourceOfChange":"` + marker + `"`), 422, "body.notify|body.sourceOfChange"},
		{`{"type":"session.joined","data":{"eventId":"e1","registrationId":"r1"}}`, 422, "body.data.sessionId"},
		{`{"type":"session.joined","data":{"eventId":"e1","sessionId":"s1","registrationId":"none"}}`, 422, "body.data.registrationId"},
		{`{"type":"session.joined","data":{"a":1,"a":2}}`, 422, "body.data"},
		{`{"type":"conference.ended","data":{"conferenceId":"none"}}`, 422, "body.data.conferenceId"},
		{`{"activities":[]}`, 422, "body.activities"},
		{`{"activities":null}`, 422, "body.data|body.type"},
		{`{"activities":{}}`, 422, "body.activities"},
		{many, 422, "body.activities"},
		{`{"activities":[5,{"type":"session.joined","data":{}}]}`, 422, "body.activities.0|body.activities.1.data.eventId"},
	} {
		got := w.do("POST", "/app/a/activity", row.body)
		if got.Status != row.status {
			t.Errorf("%.80s: %d %s", row.body, got.Status, got.Body)
			continue
		}
		checkForm(t, got, row.loc)
		if strings.Contains(got.Body, marker) {
			t.Errorf("%.80s: it repeats what was sent: %s", row.body, got.Body)
		}
	}
	w.do("POST", "/app/none/activity", join("")).want(404)
	w.do("POST", "/app/a/activity", `{"type":"`+strings.Repeat("x", 1<<20)+`"}`).want(413)
	if got := w.sent("a"); slices.Contains(got, "session.joined") {
		t.Errorf("sent %v", got)
	}
}

// TestActivityOnce tells activities twice under an Idempotency-Key.
func TestActivityOnce(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	send := func(key, body string) reply {
		return w.send(request{
			method: "POST", path: "/api/v1/app/a/activity", token: w.org, body: strings.NewReader(body),
			header: map[string]string{"Idempotency-Key": key},
		})
	}
	one := `{"type":"contact.updated","data":{"id":"c1","title":"%s"}}`
	first := fmt.Sprintf(one, "A")
	for key, body := range map[string]string{"bare": first, "many": `{"activities":[` + first + `,{"type":"contact.updated","data":{"id":"c2"}}]}`} {
		for _, want := range []string{"applied", "duplicate"} {
			for _, got := range send(key, body).want(202).field("status") {
				if got != want {
					t.Errorf("%s: %s, want %s", key, got, want)
				}
			}
		}
		send(key, strings.Replace(body, `"A"`, `"B"`, 1)).want(409)
	}
	named := `{"id":"n","type":"contact.updated","data":{"id":"c1","title":"%s"}}`
	send("", fmt.Sprintf(named, "C")).want(202)
	if got := send("", fmt.Sprintf(named, "D")).locs(); !slices.Equal(got, []string{"body.id"}) {
		t.Errorf("an id for something else: %v", got)
	}
}

func TestConferencesAndConversations(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"conference.started","data":{"conferenceId":"k1","hostId":"h","companyId":"c"}},
		{"type":"conference.started","data":{"conferenceId":"k2","hostId":"h","companyId":"c"}},
		{"type":"conversation.user_joined","data":{"id":"t1","toPhoneNumber":"+1"}}]}`).want(202)
	if got := w.do("GET", "/app/a/conference", "").want(200).field("id"); !slices.Equal(got, []string{"k1", "k2"}) {
		t.Errorf("conferences %v", got)
	}
	if got := w.do("GET", "/app/a/conference/k1", "").want(200); got.text("status") != "live" || got.text("hostId") != "h" {
		t.Errorf("conference %s", got.Body)
	}
	if got := w.do("GET", "/app/a/conversation", "").want(200).field("id"); !slices.Equal(got, []string{"t1"}) {
		t.Errorf("conversations %v", got)
	}
	if got := w.do("GET", "/app/a/conversation/t1", "").want(200); got.text("toPhoneNumber") != "+1" {
		t.Errorf("conversation %s", got.Body)
	}
	w.do("GET", "/app/a/conference/t1", "").want(404)
	w.do("POST", "/app/a/conference", `{}`).want(405)
}

func TestAttendance(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	empty := w.do("GET", "/app/a/event/e1/attendance", "").want(200)
	if len(empty.items()) != 0 || !strings.Contains(empty.Body, `"data":[]`) {
		t.Errorf("nobody: %s", empty.Body)
	}
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"session.joined","at":"2026-05-01T10:00:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}},
		{"type":"session.left","at":"2026-05-01T10:42:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}},
		{"type":"session.joined","data":{"eventId":"e1","sessionId":"s1","registrationId":"r2"}}]}`).want(202)
	got := w.do("GET", "/app/a/event/e1/attendance", "").want(200)
	var report struct {
		Event  map[string]any
		AsOf   string
		Totals map[string]int
		Data   []map[string]any
	}
	if err := json.Unmarshal([]byte(got.Body), &report); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"id": "e1", "number": 4001.0, "status": "ONGOING"}, report.Event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if report.Totals["attended"] != 2 || report.Totals["present"] != 1 || report.Totals["minutes"] < 42 || report.AsOf == "" {
		t.Errorf("report %s", got.Body)
	}
	want := map[string]any{
		"sessionId": "s1", "registrationId": "r1", "present": false, "connections": 0.0, "minutes": 42.0, "late": false,
		"firstJoinedAt": "2026-05-01T10:00:00Z", "lastLeftAt": "2026-05-01T10:42:00Z",
	}
	if diff := cmp.Diff(want, report.Data[0]); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	table := w.table("text/csv")
	if len(table) != 3 || table[0][0] != "sessionId" {
		t.Fatalf("table %v", table)
	}
	if diff := cmp.Diff([]string{"s1", "r1", "false", "0", "2026-05-01T10:00:00Z", "2026-05-01T10:42:00Z", "42", "false"}, table[1]); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	for accept, kind := range map[string]string{
		"": "application/json", "*/*": "application/json", "application/json, text/csv;q=0.5": "application/json",
		"text/csv;q=0": "application/json", "text/html, text/csv": "text/csv; charset=utf-8; header=present",
	} {
		got := w.attendance(accept)
		if got.Header.Get("Content-Type") != kind || got.Header.Get("Vary") != "Accept" {
			t.Errorf("Accept %q: %v", accept, got.Header)
		}
	}
}

func (w *world) attendance(accept string) reply {
	return w.send(request{
		method: "GET", path: "/api/v1/app/a/event/e1/attendance", token: w.org, header: map[string]string{"Accept": accept},
	})
}

func (w *world) table(accept string) [][]string {
	w.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(w.attendance(accept).want(200).Body)).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// chunky is a store whose reads of ranges fail at one of them.
type chunky struct {
	restapi.Store
	fail int // which read fails, from 1; 0 = none
	n    int
}

func (c *chunky) ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error) {
	c.n++
	if c.n == c.fail {
		return nil, errors.New("no more")
	}
	return c.Store.ObjectRange(ctx, r)
}

// TestLargeAttendance has more lines than are read at once. A read that fails at first is
// an error as any other; later it breaks the answer off.
func TestLargeAttendance(t *testing.T) {
	t.Parallel()
	held := &chunky{}
	w := newLiveWorld(t, func(cfg *restapi.Config) { held.Store, cfg.Store = cfg.Store, held })
	w.programme()
	const people = 2500
	for from := 0; from < people; from += 500 {
		var all []string
		for i := range 500 {
			all = append(all, fmt.Sprintf(`{"type":"session.joined","notify":false,"at":"2026-05-01T10:00:00Z",
				"data":{"eventId":"e1","sessionId":"s1","registration":{"id":"p%04d"}}}`, from+i))
		}
		got := w.do("POST", "/app/a/activity", `{"activities":[`+strings.Join(all, ",")+`]}`).want(202)
		if slices.Contains(got.field("status"), "refused") {
			t.Fatal(got.Body)
		}
	}
	got := w.attendance("").want(200)
	if n, attended := len(got.items()), got.json()["totals"].(map[string]any)["attended"]; n != people || attended != float64(people) {
		t.Errorf("%d lines, %v attended", n, attended)
	}
	table := w.table("text/csv")
	if len(table) != people+1 || table[people][1] != "p2499" || table[1001][1] != "p1000" {
		t.Errorf("%d rows", len(table))
	}
	held.n, held.fail = 0, 1
	w.attendance("").want(500)
	for _, accept := range []string{"", "text/csv"} {
		held.n, held.fail = 0, 2
		if !breaksOff(w, accept) {
			t.Errorf("Accept %q: the answer that broke off looks whole", accept)
		}
	}
}

// breaksOff reports whether an answer ends by cutting the connection.
func breaksOff(w *world, accept string) (cut bool) {
	defer func() {
		err, _ := recover().(error)
		cut = errors.Is(err, http.ErrAbortHandler)
	}()
	req := httptest.NewRequest("GET", "/api/v1/app/a/event/e1/attendance", nil)
	req.Header.Set("Authorization", "Bearer "+w.org)
	req.Header.Set("Accept", accept)
	w.handler.ServeHTTP(httptest.NewRecorder(), req)
	return false
}

// TestWhoMayLive: an app's token reads the app's own, and writes nothing.
func TestWhoMayLive(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	own := w.token(token.Claims{Org: testOrg(1), App: w.do("GET", "/app/a", "").text("id")})
	reader := w.token(token.Claims{Org: testOrg(1), App: w.do("GET", "/app/a", "").text("id"), ReadOnly: true})
	other := w.token(token.Claims{Org: testOrg(1), App: w.app("b")})
	foreign := w.token(token.Claims{Org: testOrg(2)})
	for _, path := range []string{
		"/event", "/event/e1", "/event/e1/session/s1", "/event/e1/registration", "/event/e1/attendance", "/contact", "/conference",
	} {
		w.as(own, "GET", "/app/a"+path, "").want(200)
		w.as(reader, "GET", "/app/a"+path, "").want(200)
		w.as(other, "GET", "/app/a"+path, "").want(404)
		w.as(foreign, "GET", "/app/a"+path, "").want(404)
	}
	for _, row := range []struct{ method, path string }{
		{"POST", "/event"},
		{"PUT", "/event/e1"},
		{"PATCH", "/event/e1/session/s1"},
		{"DELETE", "/event/e1/registration/r1"},
		{"PUT", "/contact/c/event/e1"},
		{"DELETE", "/event/e1/session/s1/speaker/c"},
		{"POST", "/activity"},
	} {
		for _, text := range []string{own, reader, other} {
			w.as(text, row.method, "/app/a"+row.path, bodyFor(row.method)).want(403)
		}
		w.as(foreign, row.method, "/app/a"+row.path, bodyFor(row.method)).want(404)
	}
	// The other app of the org has none of it.
	w.do("GET", "/app/b/event/e1", "").want(404)
	w.do("PATCH", "/app/b/event/e1/session/s1", `{}`).want(404)
	w.do("GET", "/app/b/event/e1/attendance", "").want(404)
	if n := len(w.do("GET", "/app/b/event", "").want(200).items()); n != 0 {
		t.Errorf("another app has %d events", n)
	}
}

// TestLiveSchemas: the document says what resources look like.
func TestLiveSchemas(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	doc := w.document()
	if strings.Contains(doc.raw, "ResourceDoc") {
		t.Error("the document names a type that says nothing")
	}
	for path, want := range map[string]string{
		"/app/{app_id}/event": "data.event", "/app/{app_id}/event/{event_id}/session": "data.session",
		"/app/{app_id}/event/{event_id}/registration": "data.registration", "/app/{app_id}/contact": "data.contact",
		"/app/{app_id}/exhibitor": "data.company", "/app/{app_id}/sponsor": "data.company",
	} {
		op := doc.Paths["/api/v1"+path]["post"]
		if ref := op.RequestBody.Content["application/json"].Schema.Ref; ref != "#/components/schemas/"+want {
			t.Errorf("%s takes %s", path, ref)
		}
		for _, name := range []string{"actorId", "actorType", "sourceOfChange", "at", "notify", "Idempotency-Key"} {
			found := false
			for _, p := range op.Parameters {
				found = found || p.Name == name
			}
			if !found {
				t.Errorf("%s lacks %s", path, name)
			}
		}
	}
}
