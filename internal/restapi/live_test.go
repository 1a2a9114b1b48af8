package restapi_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
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
	once.path += "?notify=false"
	send(`{"firstName":"A"}`).want(409)
	none := w.do("POST", "/app/a/contact", `{"firstName":"N", "id" : null, "own\n":{"id":null}}`).want(201)
	if id := none.text("id"); len(id) != 36 || !strings.Contains(none.Body, `"own\n":{"id":null}`) {
		t.Errorf("id null: %s", none.Body)
	}
	w.do("DELETE", "/app/a/contact/"+none.text("id"), "").want(204)
	w.do("POST", "/app/a/contact", `{"id":null,"a":1,"a":2}`).want(422)
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
		{"PUT", "/app/a/contact/c9", `{"id":null}`, 422, "body.id"},
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
		{"POST", "/app/a/contact?at=0001-01-01T00:00:00Z", `{}`, 422, "query.at"},
		{"PATCH", "/app/a/event/e1?at=0001-01-01T01:00:00%2B01:00", `{"name":"N"}`, 422, "query.at"},
		{"DELETE", "/app/a/event/e1/session/s1?at=0001-01-01T00:00:00Z", ``, 422, "query.at"},
		{"PUT", "/app/a/contact/c1/event/e1?at=0001-01-01T00:00:00Z", ``, 422, "query.at"},
		{"DELETE", "/app/a/event/e1?erase=true", ``, 422, "query.erase"},
		{"DELETE", "/app/a/event/e1/session/s1?erase=true", ``, 422, "query.erase"},
		{"DELETE", "/app/a/exhibitor/x?erase=" + marker, ``, 422, "query.erase"},
		{"DELETE", "/app/a/sponsor/x?erase=true", ``, 422, "query.erase"},
		{"DELETE", "/app/a/event/e1/session/s1/speaker/c1?erase=true", ``, 422, "query.erase"},
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

// said is who said what when in an app's messages, newest first.
func (w *world) said() (all []string) {
	w.t.Helper()
	for _, item := range w.do("GET", "/app/a/msg?with_content=true", "").want(200).items() {
		text, err := json.Marshal(item["payload"])
		var m struct {
			Type, Timestamp string
			Data            struct {
				Actor          struct{ ID, Type string }
				SourceOfChange string
			}
		}
		if err := errors.Join(err, json.Unmarshal(text, &m)); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(m))
	}
	return all
}

// TestWhoAndWhen: the parameters of every write show in what is sent.
func TestWhoAndWhen(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	const query = "?actorId=u1&actorType=AGENT&at=2026-05-01T10:00:00Z"
	w.do("POST", "/app/a/contact"+query, `{"id":"c1"}`).want(201)
	w.do("DELETE", "/app/a/contact/c1"+query+"&sourceOfChange=user", "").want(204)
	want := []string{
		"{contact.deleted 2026-05-01T10:00:00.000Z {{u1 AGENT} user}}",
		"{contact.created 2026-05-01T10:00:00.000Z {{u1 AGENT} agent}}",
	}
	if diff := cmp.Diff(want, w.said()); diff != "" {
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
		{join(`,"at":"0001-01-01T00:00:00Z"`), 422, "body.at"},
		{join(`,"erase":true`), 422, "body.erase"},
		{join(`,"erase":"` + marker + `"`), 422, "body.erase"},
		{`{"type":"contact.deleted","data":{"id":"\ud83d"}}`, 400, ""},
		{"{\"type\":\"contact.deleted\",\"data\":{\"id\":\"\xff\"}}", 400, ""},
		{`{"activities":[` + join("") + `],"notify":false,"` + marker + ` !":1}`, 422, "body|body.notify"},
		{`{"activities":[` + join("") + `],"activity":null,"at":5,"at":6}`, 422, "body.at"},
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
		{`{"activities":[` + join(`,"id":"\udc00"`) + `]}`, 422, "body.activities.0"},
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

// TestActivityQuery: what the query says holds for each activity that does not say it.
func TestActivityQuery(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	const path = "/app/a/activity"
	before := len(w.sent("a"))
	w.do("POST", path+"?notify=false", `{"type":"contact.created","data":{"id":"c1"}}`).want(202)
	w.do("POST", path+"?notify=false", `{"activities":[{"type":"contact.created","notify":null,"data":{"id":"c2"}},
		{"type":"contact.created","notify":true,"data":{"id":"c3"}}]}`).want(202)
	if got := w.sent("a")[before:]; !slices.Equal(got, []string{"contact.created"}) {
		t.Errorf("sent %v", got)
	}
	w.do("POST", path+"?actorId=u1&actorType=AGENT&at=2026-05-01T10:00:00Z", `{"activities":[
		{"type":"contact.updated","data":{"id":"c1","title":"A"}},
		{"type":"contact.updated","at":"2026-05-01T11:00:00Z","actor":{"id":"u2"},"sourceOfChange":"agent","data":{"id":"c2","title":"A"}}]}`).want(202)
	want := []string{
		"{contact.updated 2026-05-01T11:00:00.000Z {{u2 USER} agent}}",
		"{contact.updated 2026-05-01T10:00:00.000Z {{u1 AGENT} agent}}",
	}
	if diff := cmp.Diff(want, w.said()[:2]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one := `{"type":"contact.updated","data":{"id":"c1","title":"B"}}`
	for query, loc := range map[string]string{
		"at=" + marker: "query.at", "at=0001-01-01T00:00:00Z": "query.at", "at=2999-01-01T00:00:00Z": "query.at", "notify=" + marker: "query.notify",
		"actorType=" + marker: "query.actorType", "sourceOfChange=" + marker: "query.sourceOfChange",
		"actorId=" + strings.Repeat("x", 257): "query.actorId", "erase=true": "query.erase",
	} {
		for _, body := range []string{one, `{"activities":[` + one + `]}`} {
			got := w.do("POST", path+"?"+query, body)
			if !slices.Equal(got.locs(), []string{loc}) || strings.Contains(got.Body, marker) {
				t.Errorf("?%.40s %.20s: %s", query, body, got.Body)
			}
		}
	}
	if got := w.do("GET", "/app/a/contact/c1", "").text("title"); got != "A" {
		t.Errorf("title %s", got)
	}
	params := func(path string) (names []string) {
		for _, p := range w.document().Paths["/api/v1"+path]["post"].Parameters {
			if p.In == "query" {
				names = append(names, p.Name)
			}
		}
		return names
	}
	if diff := cmp.Diff(params("/app/{app_id}/event"), params("/app/{app_id}/activity")); diff != "" || len(params("/app/{app_id}/activity")) != 5 {
		t.Errorf("parameters of another write and of the activity route (-want +got):\n%s", diff)
	}
}

// TestTimesInWords: what is wrong with a time is said in words of this API, not of Go.
func TestTimesInWords(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	for _, row := range []struct{ method, path, body string }{
		{"POST", "/app/a/contact?at=" + marker, `{}`},
		{"POST", "/app/a/activity?at=" + marker, `{"type":"contact.created","data":{"id":"c"}}`},
		{"POST", "/app/a/activity", `{"type":"contact.created","at":"` + marker + `","data":{"id":"c"}}`},
		{"GET", "/app/a/msg?after=" + marker, ``},
	} {
		got := w.do(row.method, row.path, row.body).want(422)
		if !strings.Contains(got.Body, "must be an RFC 3339 time") || strings.Contains(got.Body, "2006-01-02") {
			t.Errorf("%s %s: %s", row.method, row.path, got.Body)
		}
	}
	for _, path := range []string{"/app/a/contact?at=0001-01-01T00:00:00Z", "/app/a/activity?at=0001-01-01T00:00:00Z"} {
		if got := w.do("POST", path, `{}`).want(422); !strings.Contains(got.Body, `"must not be the zero time"`) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
}

// TestCutCharacter: an activity with a text that is none keeps out none of the others.
func TestCutCharacter(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	for name, bad := range map[string]string{
		"half": `\ud83d`, "other half": `\ude00`, "no UTF-8": "\xff", "cut": "\xf0\x9f\x98",
	} {
		body := `{"activities":[{"id":"` + name + `","type":"contact.created","data":{"id":"c1","firstName":"` + bad + `"}},
			{"type":"contact.updated","data":{"id":"c2","firstName":"\ud83d\ude00 ` + name + `"}},
			{"type":"contact.updated","data":{"id":"c3","` + bad + `":1}}]}`
		got := w.do("POST", "/app/a/activity", body).want(202)
		if diff := cmp.Diff([]string{"refused", "applied", "refused"}, got.field("status")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		first := got.items()[0]
		if first["id"] != name || !slices.Equal(locs(first["error"].(map[string]any)["detail"]), []string{"body.activities.0"}) ||
			!strings.Contains(got.Body, "holds a text that is not Unicode") {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	w.do("GET", "/app/a/contact/c1", "").want(404)
	if got := w.do("GET", "/app/a/contact/c2", "").want(200); !strings.HasPrefix(got.text("firstName"), "\U0001F600 ") {
		t.Errorf("it became %s", got.Body)
	}
}

// TestEraseByActivity: deleting a person by an activity can forget them.
func TestEraseByActivity(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	w.do("POST", "/app/a/contact", `{"id":"c1","firstName":"Grace"}`).want(201)
	before := len(w.sent("a"))
	got := w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"contact.deleted","erase":true,"data":{"id":"c1"}},
		{"type":"registration.deleted","erase":true,"data":{"eventId":"e1","id":"r1"}},
		{"type":"session.joined","erase":false,"data":{"eventId":"e1","sessionId":"s1","registrationId":"r2"}},
		{"type":"session.deleted","erase":true,"data":{"eventId":"e1","id":"s1"}}]}`).want(202)
	if diff := cmp.Diff([]string{"applied", "applied", "applied", "refused"}, got.field("status")); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, got.Body)
	}
	if !strings.Contains(got.Body, `["body","activities","3","erase"]`) {
		t.Errorf("%s", got.Body)
	}
	if got := w.sent("a")[before:]; !slices.Contains(got, "contact.deleted") {
		t.Errorf("sent %v", got)
	}
	for _, item := range w.do("GET", "/app/a/msg?with_content=true&event_types=contact.deleted", "").want(200).items() {
		if text := fmt.Sprint(item["payload"]); strings.Contains(text, "Grace") || !strings.Contains(text, "c1") {
			t.Errorf("the message tells of the person: %s", text)
		}
	}
	w.do("GET", "/app/a/event/e1/session/s1", "").want(200)
	// To delete somebody and to forget them are two things.
	w.do("POST", "/app/a/activity", `{"id":"d","type":"registration.deleted","data":{"eventId":"e1","id":"r2"}}`).want(202)
	if got := w.do("POST", "/app/a/activity", `{"id":"d","type":"registration.deleted","erase":true,"data":{"eventId":"e1","id":"r2"}}`).locs(); !slices.Equal(got, []string{"body.id"}) {
		t.Errorf("told again, with erase: %v", got)
	}
	tasks, err := w.store.ListTasks(t.Context(), testOrg(1), 0, 0, store.Page{Limit: 10})
	if err != nil || !slices.ContainsFunc(tasks.Rows, func(task store.Task) bool {
		return task.Kind == store.TaskErase && strings.Contains(task.Subject, `"r1"`)
	}) {
		t.Errorf("what is stored of the registration is not to be erased: %+v, %v", tasks.Rows, err)
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
	// The query is a part of what is told.
	for _, body := range []string{first, `{"activities":[` + first + `]}`} {
		ask := func(query string) int {
			return w.send(request{
				method: "POST", path: "/api/v1/app/a/activity" + query, token: w.org, body: strings.NewReader(body),
				header: map[string]string{"Idempotency-Key": "query" + body[:5]},
			}).Status
		}
		if got := []int{ask("?notify=false&actorId=u"), ask("?actorId=u&notify=false"), ask("?actorId=u"), ask("")}; !slices.Equal(got, []int{202, 202, 409, 409}) {
			t.Errorf("%.20s with other queries: %v", body, got)
		}
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

// TestParticipants: who was in a conference for how long, also of those who were in it when it ended.
func TestParticipants(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.app("b")
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"conference.started","at":"2026-05-01T10:00:00Z","data":{"conferenceId":"k1","hostId":"h","companyId":"c"}},
		{"type":"conference.participant.entered","at":"2026-05-01T10:05:00Z","data":{"conferenceId":"k1","participantId":"p1","participantName":"Grace","participantRole":"host"}},
		{"type":"conference.participant.entered","at":"2026-05-01T10:10:00Z","data":{"conferenceId":"k1","participantId":7}},
		{"type":"conference.participant.left","at":"2026-05-01T10:20:00Z","data":{"conferenceId":"k1","participantId":"p1"}}]}`).want(202)
	const path = "/app/a/conference/k1/participant"
	want := []map[string]any{
		{
			"participantId": "p1", "participantName": "Grace", "participantRole": "host", "present": false, "watching": false,
			"firstEnteredAt": "2026-05-01T10:05:00Z", "lastLeftAt": "2026-05-01T10:20:00Z", "minutes": 15.0, "late": false,
		},
		{"participantId": 7.0, "present": true, "watching": false, "firstEnteredAt": "2026-05-01T10:10:00Z", "late": false},
	}
	now := w.do("GET", path, "").want(200).items()
	if n, ok := now[1]["minutes"].(float64); !ok || n < 30 {
		t.Errorf("minutes so far: %v", now[1])
	}
	delete(now[1], "minutes")
	if diff := cmp.Diff(want, now); diff != "" {
		t.Errorf("while it goes on (-want +got):\n%s", diff)
	}
	w.do("POST", "/app/a/activity", `{"type":"conference.ended","at":"2026-05-01T10:40:00Z","data":{"conferenceId":"k1"}}`).want(202)
	want[1]["present"], want[1]["lastLeftAt"], want[1]["minutes"] = false, "2026-05-01T10:40:00Z", 30.0
	if diff := cmp.Diff(want, w.do("GET", path, "").want(200).items()); diff != "" {
		t.Errorf("after its end (-want +got):\n%s", diff)
	}
	if got := w.do("GET", path+"?limit=1&order=descending", "").want(200); len(got.items()) != 1 || got.json()["done"] != false {
		t.Errorf("a page of one: %s", got.Body)
	}
	w.do("GET", "/app/a/conference/none/participant", "").want(404)
	w.do("GET", "/app/b/conference/k1/participant", "").want(404)
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
	if since, _ := report.Data[1]["presentSince"].(string); since == "" || since != report.Data[1]["firstJoinedAt"] {
		t.Errorf("who is present: %v", report.Data[1])
	}
	totals := w.do("GET", "/app/a/event/e1/attendance?lines=false", "").want(200)
	if got := totals.json()["totals"].(map[string]any); len(totals.items()) != 0 || got["attended"] != 2.0 || got["present"] != 1.0 {
		t.Errorf("without lines: %s", totals.Body)
	}
	w.do("GET", "/app/a/event/e1/attendance?lines=maybe", "").want(422)
	table := w.table("text/csv")
	if len(table) != 3 || table[0][0] != "sessionId" {
		t.Fatalf("table %v", table)
	}
	if diff := cmp.Diff([]string{"s1", "r1", "false", "0", "2026-05-01T10:00:00Z", "2026-05-01T10:42:00Z", "42", "false", ""}, table[1]); diff != "" {
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

func TestAttendanceTimeline(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	const path = "/app/a/event/e1/attendance/timeline"
	empty := w.do("GET", path, "").want(200)
	if !strings.Contains(empty.Body, `"data":[]`) {
		t.Errorf("nobody: %s", empty.Body)
	}
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"session.joined","at":"2026-05-01T10:00:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}},
		{"type":"session.joined","at":"2026-05-01T10:07:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r2"}},
		{"type":"session.left","at":"2026-05-01T10:20:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}},
		{"type":"session.left","at":"2026-05-01T10:42:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r2"}}]}`).want(202)
	point := func(at string, present, joined, left float64) map[string]any {
		return map[string]any{"at": "2026-05-01T10:" + at + ":00Z", "present": present, "joined": joined, "left": left}
	}
	want := []map[string]any{point("00", 1, 1, 0), point("15", 2, 1, 0), point("30", 1, 0, 1), point("42", 0, 0, 1)}
	for _, query := range []string{"?step=900", "?step=900&session_id=s1"} {
		got := w.do("GET", path+query, "").want(200)
		if diff := cmp.Diff(want, got.items()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
		if named := got.json(); named["stepSeconds"] != 900.0 || named["event"].(map[string]any)["id"] != "e1" || named["asOf"] == "" {
			t.Errorf("%s: %s", query, got.Body)
		}
	}
	if got := w.do("GET", path, "").want(200); got.json()["stepSeconds"] != 15.0 || len(got.items()) != 169 {
		t.Errorf("a step of %v, %d points", got.json()["stepSeconds"], len(got.items()))
	}
	for query, status := range map[string]int{"?step=0": 422, "?step=-5": 422, "?step=x": 422, "?step=1": 422, "?session_id=none": 404} {
		w.do("GET", path+query, "").want(status)
	}
	w.do("GET", "/app/a/event/none/attendance/timeline", "").want(404)
	w.do("GET", "/app/b/event/e1/attendance/timeline", "").want(404)
}

// TestAttendanceAsOf looks back at an event of which nothing was told for long, and that ends.
func TestAttendanceAsOf(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	const path = "/app/a/event/e1/attendance"
	never := w.do("GET", path+"?asOf=latest", "").want(200).json()
	if at, given := never["latestActivityAt"]; !given || at != nil || !isNow(never["asOf"]) {
		t.Errorf("nothing was told: %v", never)
	}
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"session.joined","at":"2026-05-01T10:00:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}},
		{"type":"session.joined","at":"2026-05-01T10:20:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r2"}},
		{"type":"session.left","at":"2026-05-01T10:42:00Z","data":{"eventId":"e1","sessionId":"s1","registrationId":"r1"}}]}`).want(202)
	rows := []struct {
		asOf, at, latest           string
		lines                      int
		present, attended, minutes float64
	}{
		{"2026-05-01T09:59:59Z", "2026-05-01T09:59:59Z", "", 0, 0, 0, 0},
		{"2026-05-01T12:10:00%2B02:00", "2026-05-01T10:10:00Z", "2026-05-01T10:00:00Z", 1, 1, 1, 10},
		{"2026-05-01T10:30:00Z", "2026-05-01T10:30:00Z", "2026-05-01T10:20:00Z", 2, 2, 2, 40},
		{"latest", "2026-05-01T10:42:00Z", "2026-05-01T10:42:00Z", 2, 1, 2, 64},
		{"2026-05-01T11:00:00Z", "2026-05-01T11:00:00Z", "2026-05-01T10:42:00Z", 2, 1, 2, 82},
	}
	for _, row := range rows {
		got := w.do("GET", path+"?asOf="+row.asOf, "").want(200)
		totals := got.json()["totals"].(map[string]any)
		if len(got.items()) != row.lines || got.json()["asOf"] != row.at || totals["present"] != row.present || totals["attended"] != row.attended || totals["minutes"] != row.minutes {
			t.Errorf("as of %s: %s", row.asOf, got.Body)
		}
		course := w.do("GET", path+"/timeline?step=60&asOf="+row.asOf, "").want(200)
		points := course.items()
		if row.lines == 0 != (len(points) == 0) || len(points) > 0 && (points[len(points)-1]["at"] != row.at || points[len(points)-1]["present"] != row.present) {
			t.Errorf("timeline as of %s: %s", row.asOf, course.Body)
		}
		for _, told := range []any{got.json()["latestActivityAt"], course.json()["latestActivityAt"]} {
			if latest, _ := told.(string); latest != row.latest {
				t.Errorf("as of %s: the latest activity is of %q, want %q", row.asOf, latest, row.latest)
			}
		}
		if course.json()["asOf"] != row.at {
			t.Errorf("timeline as of %s: %s", row.asOf, course.Body)
		}
		table := w.tableAt(path+"?asOf="+row.asOf, "text/csv")
		if len(table) != row.lines+1 || row.lines == 2 && table[2][8] != "2026-05-01T10:20:00Z" {
			t.Errorf("table as of %s: %v", row.asOf, table)
		}
	}
	if now := w.do("GET", path, "").want(200).json(); now["latestActivityAt"] != "2026-05-01T10:42:00Z" || !isNow(now["asOf"]) {
		t.Errorf("now: %v", now)
	}
	for _, route := range []string{path, path + "/timeline"} {
		for asOf, msg := range map[string]string{
			"yesterday": "must be an RFC 3339 time such as 2027-06-10T09:00:00Z, or latest", "2026-05-01": "must be an RFC 3339 time such as 2027-06-10T09:00:00Z, or latest",
			time.Now().Add(time.Minute).UTC().Format(time.RFC3339): "must not be in the future",
		} {
			got := w.do("GET", route+"?asOf="+asOf, "").want(422)
			if !strings.Contains(got.Body, `"loc":["query","asOf"]`) || !strings.Contains(got.Body, msg) {
				t.Errorf("%s?asOf=%s: %s", route, asOf, got.Body)
			}
		}
	}
	w.do("PATCH", "/app/a/event/e1", `{"startDate":"2026-05-01T09:00:00Z","endDate":"2026-05-01T12:00:00Z"}`).want(200)
	over := w.do("GET", path+"?asOf=latest", "").want(200).json()
	if totals := over["totals"].(map[string]any); !isNow(over["asOf"]) || totals["present"] != 0.0 || totals["minutes"] != 142.0 {
		t.Errorf("the latest of an event that has ended: %v", over)
	}
}

// isNow reports whether a member of an answer is the present time.
func isNow(member any) bool {
	text, _ := member.(string)
	at, err := time.Parse(time.RFC3339, text)
	return err == nil && time.Since(at).Abs() < time.Minute
}

func (w *world) attendance(accept string) reply {
	return w.accepting("/app/a/event/e1/attendance", accept)
}

func (w *world) accepting(path, accept string) reply {
	return w.send(request{method: "GET", path: "/api/v1" + path, token: w.org, header: map[string]string{"Accept": accept}})
}

func (w *world) table(accept string) [][]string {
	return w.tableAt("/app/a/event/e1/attendance", accept)
}

func (w *world) tableAt(path, accept string) [][]string {
	w.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(w.accepting(path, accept).want(200).Body)).ReadAll()
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

// TestLiveExamples: every answer of the live API has an example that fits its schema, and
// that of a resource has the members that its answer really has.
func TestLiveExamples(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	raw := w.document().raw
	type media struct{ Schema, Example json.RawMessage }
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Tags        []string
			RequestBody struct{ Content map[string]media }
			Responses   map[string]struct{ Content map[string]media }
		}
	}
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		t.Fatal(err)
	}
	fits := schemaChecker(t, raw)
	examples, answers := map[string]string{}, map[string]string{} // by operation
	for path, operations := range doc.Paths {
		for _, op := range operations {
			if !slices.Contains(op.Tags, "Live") {
				continue
			}
			examples[op.OperationID] = string(op.RequestBody.Content["application/json"].Example)
			for status, answer := range op.Responses {
				shown, isJSON := answer.Content["application/json"]
				if status[0] != '2' || !isJSON {
					continue
				}
				if err := fits(shown.Schema, shown.Example); err != nil {
					t.Errorf("%s, %s, %s: %v", op.OperationID, path, status, err)
				}
				answers[op.OperationID] = string(shown.Example)
			}
		}
	}
	if len(answers) != 38 {
		t.Errorf("%d operations that answer with JSON", len(answers))
	}
	for _, row := range []struct{ noun, path string }{
		{"event", "event"},
		{"session", "event/summit/session"},
		{"registration", "event/summit/registration"},
		{"contact", "contact"},
		{"exhibitor", "exhibitor"},
		{"sponsor", "sponsor"},
	} {
		made := w.do("POST", "/app/a/"+row.path, examples["v1."+row.noun+".create"]).want(201)
		for _, verb := range []string{"create", "update", "patch", "get"} {
			sameMembers(t, row.noun+" "+verb, answers["v1."+row.noun+"."+verb], made.Body)
		}
		sameMembers(t, row.noun+" list", answers["v1."+row.noun+".list"], w.do("GET", "/app/a/"+row.path, "").want(200).Body)
	}
	w.do("POST", "/app/a/activity", `{"activities":[
		{"type":"conference.started","data":{"conferenceId":"weekly","hostId":"h","companyId":"c"}},
		{"type":"conference.recording.started","data":{"conferenceId":"weekly"}},
		{"type":"conversation.user_joined","data":{"id":"call-1","toPhoneNumber":"+1"}}]}`).want(202)
	for noun, id := range map[string]string{"conference": "weekly", "conversation": "call-1"} {
		sameMembers(t, noun, answers["v1."+noun+".get"], w.do("GET", "/app/a/"+noun+"/"+id, "").want(200).Body)
	}
}

// schemaChecker checks values against schemas of an OpenAPI document. Any value fits none
// that is missing.
func schemaChecker(t *testing.T, doc string) func(schema, value json.RawMessage) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	add := func(name, text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = c.AddResource(name, v)
		}
		return err
	}
	if err := add("https://example.com/doc.json", doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	return func(schema, value json.RawMessage) error {
		n++
		name := fmt.Sprintf("https://example.com/%d.json", n)
		if err := add(name, strings.ReplaceAll(string(schema), `"#/`, `"doc.json#/`)); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
		compiled, err := c.Compile(name)
		if err != nil {
			return fmt.Errorf("schema: %w", err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
		if err != nil {
			return fmt.Errorf("example: %w", err)
		}
		return compiled.Validate(v)
	}
}

// sameMembers compares the names that objects have, their lists' objects' too.
func sameMembers(t *testing.T, at, want, got string) {
	t.Helper()
	names := func(text string) (all []string) {
		var walk func(at string, v any)
		walk = func(at string, v any) {
			switch v := v.(type) {
			case map[string]any:
				for name, member := range v {
					all = append(all, at+"."+name)
					walk(at+"."+name, member)
				}
			case []any:
				for _, item := range v {
					walk(at, item)
				}
			}
		}
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v in %q", at, err, text)
		}
		walk("", v)
		slices.Sort(all)
		return slices.Compact(all)
	}
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		t.Errorf("%s: the example and the answer (-want +got):\n%s", at, diff)
	}
}

// TestAttendanceLine: the document describes the lines that live makes.
func TestAttendanceLine(t *testing.T) {
	t.Parallel()
	members := func(v any) map[string]string {
		all := map[string]string{}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			all[f.Tag.Get("json")] = f.Type.String()
		}
		return all
	}
	if diff := cmp.Diff(members(live.Line{}), members(restapi.AttendanceLine{})); diff != "" {
		t.Errorf("(-live +document):\n%s", diff)
	}
}

// TestNobodyKeepsAnswers: what tells of people is in no cache.
func TestNobodyKeepsAnswers(t *testing.T) {
	t.Parallel()
	w := newLiveWorld(t)
	w.programme()
	for _, path := range []string{"/app", "/app/a/event", "/app/a/event/e1/registration/r1", "/app/a/event/e1/attendance", "/app/a/contact/none", "/nowhere"} {
		if got := w.do("GET", path, "").Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
	w.do("POST", "/app/a/activity", `{`).want(400)
	if got := w.send(request{method: "GET", path: "/docs"}).want(200).Header.Get("Cache-Control"); got == "no-store" {
		t.Error("the page of the API is kept from caches")
	}
}
