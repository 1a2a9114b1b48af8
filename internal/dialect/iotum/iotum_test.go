package iotum_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/iotum"
	wire "github.com/callboard/callboard/wire/iotum"
)

// happened is when the messages happened that are tested, and accepted when they were
// accepted.
const happened = "2022-08-24T20:56:55.123Z"

var accepted = time.Date(2022, 8, 24, 21, 0, 0, 456e6, time.UTC)

// ids are the members that most payloads begin with.
const (
	given   = `"hostId":"61803","companyId":"4117","conferenceId":"1258835"`
	written = `"host_id":61803,"company_id":4117,"conference_id":1258835`
)

// said is every event type that the dialect says, with data and what its payload is. The
// data have members besides that no payload has.
var said = []struct {
	eventType string
	event     wire.Event
	fit       dialect.Fit
	data      string
	payload   string
}{
	{"conference.started", "conference_start", dialect.Exact, `{` + given + `,"conferenceName":"Standup"}`, `{` + written + `}`},
	{"conference.ended", "conference_end", dialect.Exact, `{` + given + `,"conferenceEndedAt":"2022-08-24T20:56:55Z"}`, `{` + written + `}`},
	{"conference.recording.started", "start_recording", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.recording.stopped", "stop_recording", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.stream.started", "start_streaming", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.stream.stopped", "stop_streaming", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.recording.ready", "recording_ready", dialect.Exact, `{"downloadLink":"https://r.example/5.mp3?a=1&b=<2>","recordingId":5,` + given + `}`, `{` + written + `,"recording_id":5,"download_link":"https://r.example/5.mp3?a=1&b=<2>"}`},
	{"conference.transcription.ready", "transcription_ready", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.livestream.entered", "enter_livestream", dialect.Exact, `{` + given + `,"participantId":"p-7"}`, `{` + written + `,"participant_id":"p-7"}`},
	{"conference.livestream.left", "leave_livestream", dialect.Exact, `{` + given + `,"participantId":7,"reasonForLeaving":"user_dropped"}`, `{` + written + `,"participant_id":7,"reason_for_leaving":"user_dropped"}`},
	{"conference.stream.preview_updated", "stream_preview_updated", dialect.Exact, `{` + given + `,"imageUrl":"https://i.example/1.jpg","videoUrl":"https://v.example/1.mp4"}`, `{` + written + `,"video_url":"https://v.example/1.mp4","image_url":"https://i.example/1.jpg"}`},
	{"host.profile_picture.uploaded", "profile_picture_upload_success", dialect.Exact, `{"companyId":4117,"hostId":61803,"conferenceId":3}`, `{"host_id":61803,"company_id":4117}`},
	{"host.profile_picture.failed", "profile_picture_upload_failure", dialect.Exact, `{"companyId":4117,"hostId":61803}`, `{"host_id":61803,"company_id":4117}`},
	{"conference.participant.entered", "enter_conference", dialect.Exact, `{` + given + `,"participantId":7,"participantRole":"organizer","meetingUrl":"https://m.example/1","participantName":"Jo"}`, `{` + written + `,"participant_id":7,"participant_role":"organizer","meeting_url":"https://m.example/1"}`},
	{"conference.participant.left", "leave_conference", dialect.Exact, `{` + given + `,"participantId":7,"participantRole":"participant","reasonForLeaving":"host_kicked"}`, `{` + written + `,"participant_id":7,"participant_role":"participant","reason_for_leaving":"host_kicked"}`},
	{"conference.dialout.status_changed", "dialout_status_change", dialect.Exact, `{` + given + `,"participantId":7,"status":"noanswer","phoneNumber":"+12125550187"}`, `{` + written + `,"participant_id":7,"status":"noanswer","phone_number":"+12125550187"}`},
	{"conference.participant.role_changed", "participant_role_changed", dialect.Exact, `{` + given + `,"participantId":7,"participantRole":"moderator"}`, `{"host_id":61803,"conference_id":1258835,"participant_id":7,"participant_role":"moderator"}`},
	{"conference.broadcast.started", "start_broadcasting", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"conference.broadcast.stopped", "stop_broadcasting", dialect.Exact, `{` + given + `}`, `{` + written + `}`},
	{"drive.file.added", "drive_file_added", dialect.Exact, `{"id":"6","filename":"a \"b\".pdf","size":1024,"hostId":61803,"companyId":4117}`, `{"host_id":61803,"company_id":4117,"id":6,"filename":"a \"b\".pdf","size":1024}`},
	{"drive.file.deleted", "drive_file_deleted", dialect.Exact, `{"id":6,"filename":"a.pdf","size":1024,"hostId":61803,"companyId":4117}`, `{"host_id":61803,"company_id":4117,"id":6,"filename":"a.pdf"}`},
	{"conference.access_code.reused", "one_time_access_code_reused", dialect.Exact, `{` + given + `,"originalConferenceId":9}`, `{` + written + `,"original_conference_id":9}`},
	{"iotum.vcon_import_success", "vcon_import_success", dialect.Exact, `{"host_id":61803,"company_id":4117,"conference_id":1258835,"uuid":"u-1"}`, `{"uuid":"u-1","conference_id":1258835,"company_id":4117,"host_id":61803}`},
	{"iotum.vcon_import_failure", "vcon_import_failure", dialect.Exact, `{"error":{"code":1,"text":"no <dialog>"},"host_id":61803,"company_id":4117,"uuid":"u-1"}`, `{"uuid":"u-1","company_id":4117,"host_id":61803,"error":{"code":1,"text":"no <dialog>"}}`},
	{"iotum.new_event", "new_event", dialect.Exact, `{"b":1,"host_id":"61803","a":{"c":[null]}}`, `{"b":1,"host_id":"61803","a":{"c":[null]}}`},

	{"session.joined", "enter_conference", dialect.Translated, `{"event":{"id":"e","organizationId":"4117"},"session":{"id":"1258835","location":{"link":"https://m.example/1"}},"registration":{"id":"r-1","profile":{"firstName":"Jo"}}}`, `{"company_id":4117,"conference_id":1258835,"participant_id":"r-1","participant_role":"participant","meeting_url":"https://m.example/1"}`},
	{"session.left", "leave_conference", dialect.Translated, `{"event":{"id":"e","organizationId":"4117"},"session":{"id":"1258835"},"registration":{"id":"r-1"}}`, `{"company_id":4117,"conference_id":1258835,"participant_id":"r-1","participant_role":"participant","reason_for_leaving":"user_exit"}`},
	{"conversation.user_joined", "enter_conference", dialect.Translated, `{"conversation":{"id":"conv_1","agentId":"agent_1","workspaceId":"ws_1","customerId":"cust_1"}}`, `{"host_id":"agent_1","company_id":"ws_1","conference_id":"conv_1","participant_id":"cust_1","participant_role":"participant"}`},
	{"conversation.user_left", "leave_conference", dialect.Translated, `{"conversation":{"id":"conv_1","agentId":"agent_1","workspaceId":"ws_1","customerId":"cust_1","endReason":"network_error"}}`, `{"host_id":"agent_1","company_id":"ws_1","conference_id":"conv_1","participant_id":"cust_1","participant_role":"participant","reason_for_leaving":"user_dropped"}`},
}

var update = flag.Bool("update", false, "write the golden files anew")

var _ dialect.Dialect = iotum.Dialect{}

// message is a message as it is in the store.
func message(eventType, data string) dialect.Message {
	return dialect.Message{
		ID: "msg_2dkSjVwWLkSJu7bK0xCEbH9OaZl", Type: eventType, Time: accepted, Tenant: "acme",
		Payload: []byte(`{"type":"` + eventType + `","timestamp":"` + happened + `","data":` + data + `}`),
	}
}

// render renders, or fails the test.
func render(t *testing.T, m dialect.Message) string {
	t.Helper()
	body, err := iotum.New().Render(m)
	if err != nil {
		t.Fatalf("render %s: %v", m.Payload, err)
	}
	return string(body)
}

// body is a body as the vendor writes it.
func body(t *testing.T, event wire.Event, payload string) string {
	t.Helper()
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(payload); err != nil {
		t.Fatal(err)
	}
	return `{"event":"` + string(event) + `","payload":` + strings.TrimSpace(b.String()) + `,"timestamp":"` + happened + `"}`
}

// TestRender writes every event type that the dialect says. The public package reads what
// was written, knows all its members, and writes the same bytes.
func TestRender(t *testing.T) {
	t.Parallel()
	events := map[wire.Event]bool{}
	for _, tt := range said {
		events[tt.event] = true
		t.Run(tt.eventType, func(t *testing.T) {
			t.Parallel()
			got := render(t, message(tt.eventType, tt.data))
			if diff := cmp.Diff(body(t, tt.event, tt.payload), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			golden(t, tt.eventType, got)
			if again := render(t, message(tt.eventType, tt.data)); again != got {
				t.Errorf("the same message was rendered as %s, and then as %s", got, again)
			}
			hook, err := wire.Decode([]byte(got))
			if err != nil {
				t.Fatal(err)
			}
			if at := unknown(reflect.ValueOf(hook), "webhook"); at != "" {
				t.Errorf("package wire/iotum does not know all members of %s", at)
			}
			encoded, err := wire.Encode(hook)
			if diff := cmp.Diff(string(encoded), got); diff != "" || err != nil {
				t.Errorf("package wire/iotum writes (-) otherwise than the dialect (+): %v\n%s", err, diff)
			}
		})
	}
	if len(events) != 25 {
		t.Errorf("%d events, want the page's 22, 2 of newer documents, and one that is not known", len(events))
	}
}

// golden compares a body with the one in testdata, which is looked at like the rest of
// the API: what it has, receivers rely on.
func golden(t *testing.T, name, body string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".json")
	if *update {
		if err := os.WriteFile(path, []byte(body+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), body+"\n"); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestCatalogue renders the catalogue's samples of all types that the dialect says.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	d := iotum.New()
	rendered := map[string]bool{}
	for _, one := range catalog.New(d.EventTypes()...).Types() {
		if _, fit := d.Word(one.Name); fit == dialect.Unsaid {
			continue
		}
		rendered[one.Name] = true
		got := render(t, dialect.Message{ID: "msg_1", Type: one.Name, Time: accepted, Tenant: "acme", Payload: one.Sample})
		hook, err := wire.Decode([]byte(got))
		if err != nil {
			t.Fatal(err)
		}
		if at := unknown(reflect.ValueOf(hook), one.Name); at != "" {
			t.Errorf("package wire/iotum does not know all members of %s in %s", at, got)
		}
		if encoded, err := wire.Encode(hook); err != nil || string(encoded) != got {
			t.Errorf("%s: package wire/iotum writes %s, error %v, not %s", one.Name, encoded, err, got)
		}
	}
	for _, tt := range said {
		if inCatalogue := tt.eventType != "iotum.new_event"; inCatalogue && !rendered[tt.eventType] {
			t.Errorf("the catalogue does not have %s", tt.eventType)
		}
	}
}

// unknown finds a field Unknown that is not empty, and says where.
func unknown(v reflect.Value, at string) string {
	v = reflect.Indirect(v)
	if v.Kind() == reflect.Interface {
		v = reflect.Indirect(v.Elem())
	}
	if v.Kind() != reflect.Struct {
		return ""
	}
	for name, field := range v.Fields() {
		switch {
		case name.Name == "Unknown" && field.Len() > 0:
			return at
		case name.IsExported():
			if found := unknown(field, at+"."+name.Name); found != "" {
				return found
			}
		}
	}
	return ""
}

// TestUnknownIsFound expects the check above to be able to fail.
func TestUnknownIsFound(t *testing.T) {
	t.Parallel()
	hook, err := wire.Decode([]byte(`{"event":"conference_start","payload":"{\"new\":1}"}`))
	if err != nil {
		t.Fatal(err)
	}
	if at := unknown(reflect.ValueOf(hook), "webhook"); at != "webhook.Payload" {
		t.Errorf("found in %q", at)
	}
}

// TestWords looks every pair up in both directions.
func TestWords(t *testing.T) {
	t.Parallel()
	d := iotum.New()
	for _, tt := range said {
		word, fit := d.Word(tt.eventType)
		if word != string(tt.event) || fit != tt.fit {
			t.Errorf("%s: %q, %v", tt.eventType, word, fit)
		}
	}
	for word, want := range map[string][]string{
		"conference_end":      {"conference.ended"},
		"enter_conference":    {"conference.participant.entered", "session.joined", "conversation.user_joined"},
		"leave_conference":    {"conference.participant.left", "session.left", "conversation.user_left"},
		"vcon_import_failure": {"iotum.vcon_import_failure"},
		"new_event":           nil,
	} {
		if diff := cmp.Diff(want, d.Types(word)); diff != "" {
			t.Errorf("types of %s (-want +got):\n%s", word, diff)
		}
	}
	for _, eventType := range []string{"session.created", "conference.participant.time_spent", "conversation.completed", "iotum.", "iotum.conference_end", "oration.x", "x"} {
		if word, fit := d.Word(eventType); word != "" || fit != dialect.Unsaid {
			t.Errorf("%s: %q, %v, want none", eventType, word, fit)
		}
		if _, err := d.Render(message(eventType, `{}`)); !errors.Is(err, dialect.ErrUnrenderable) {
			t.Errorf("%s: rendered with error %v", eventType, err)
		}
	}
	if d.Name() != iotum.Name || d.Observes() != (dialect.Observed{Joins: true, Leaves: true}) {
		t.Errorf("%s observes %+v", d.Name(), d.Observes())
	}
}

// TestPage compares each event's members with those that the vendor's page lists.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/events.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for line := range strings.Lines(string(page)) {
		words := strings.Fields(line)
		want[words[0]] = words[1:]
	}
	if len(want) != 22 {
		t.Fatalf("%d events on the page", len(want))
	}
	all := `{` + given + `,"recordingId":1,"downloadLink":"x","participantId":1,"reasonForLeaving":"x","videoUrl":"x","imageUrl":"x",` +
		`"participantRole":"x","meetingUrl":"x","status":"x","phoneNumber":"x","id":1,"filename":"x","size":1,"originalConferenceId":1}`
	for event, members := range want {
		types := iotum.New().Types(event)
		if len(types) == 0 {
			t.Errorf("no type for %s", event)
			continue
		}
		if diff := cmp.Diff(members, keys(t, render(t, message(types[0], all)))); diff != "" {
			t.Errorf("%s (-page +rendered):\n%s", event, diff)
		}
	}
}

// keys are the names of a payload's members.
func keys(t *testing.T, body string) (names []string) {
	t.Helper()
	var hook struct{ Payload string }
	if err := json.Unmarshal([]byte(body), &hook); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(hook.Payload))
	for i := 0; ; i++ {
		token, err := dec.Token()
		if err != nil {
			return names
		}
		if name, ok := token.(string); ok && i%2 == 1 { // after the brace, names and values take turns
			names = append(names, name)
		}
	}
}

// TestMembers renders data in which something is missing or written otherwise.
func TestMembers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ eventType, data, tenant, payload string }{
		"nothing is there":           {"conference.started", `{}`, "", `{}`},
		"all is null or empty":       {"conference.participant.entered", `{"hostId":null,"companyId":"","conferenceId":"","participantId":null,"participantRole":"","meetingUrl":null}`, "", `{}`},
		"the tenant is a number":     {"conference.started", `{"hostId":1}`, "4117", `{"host_id":1,"company_id":4117}`},
		"the tenant is a text":       {"conference.started", `{"companyId":null}`, "acme", `{"company_id":"acme"}`},
		"the tenant is too large":    {"conference.started", `{}`, "9007199254740993", `{"company_id":"9007199254740993"}`},
		"the company is given":       {"conference.started", `{"companyId":7}`, "4117", `{"company_id":7}`},
		"the company is empty":       {"conference.started", `{"companyId":""}`, "4117", `{"company_id":4117}`},
		"a role has no company":      {"conference.participant.role_changed", `{"companyId":7}`, "4117", `{}`},
		"an import has the tenant":   {"iotum.vcon_import_failure", `{"uuid":"u"}`, "4117", `{"uuid":"u","company_id":4117}`},
		"an unknown event has none":  {"iotum.other", `{}`, "4117", `{}`},
		"ids reach 2^53":             {"conference.livestream.entered", `{"hostId":"9007199254740992","conferenceId":9007199254740992}`, "", `{"host_id":9007199254740992,"conference_id":9007199254740992}`},
		"ids are beyond 2^53":        {"conference.livestream.entered", `{"hostId":"9007199254740993","conferenceId":9007199254740993,"participantId":12345678901234567890123}`, "", `{"host_id":"9007199254740993","conference_id":"9007199254740993","participant_id":"12345678901234567890123"}`},
		"ids are odd numbers":        {"conference.livestream.entered", `{"hostId":"007","conferenceId":1.5,"participantId":-3}`, "", `{"host_id":"007","conference_id":"1.5","participant_id":-3}`},
		"ids are odd texts":          {"conference.livestream.entered", `{"hostId":"+1","conferenceId":"1 ","participantId":"0x1"}`, "", `{"host_id":"+1","conference_id":"1 ","participant_id":"0x1"}`},
		"an id is zero":              {"conference.started", `{"hostId":0,"conferenceId":"0"}`, "", `{"host_id":0,"conference_id":0}`},
		"a text is a number":         {"conference.dialout.status_changed", `{"phoneNumber":12125550187}`, "", `{"phone_number":"12125550187"}`},
		"a text is escaped for HTML": {"conference.participant.entered", `{"meetingUrl":"https:\/\/m?a=1\u0026b=\u003c\n\""}`, "", `{"meeting_url":"https://m?a=1&b=<\n\""}`},
		"a text is not ASCII":        {"drive.file.deleted", `{"filename":"Zoë \ud83d\ude00.pdf"}`, "", `{"filename":"Zoë 😀.pdf"}`},
		"a size is zero":             {"drive.file.added", `{"size":0}`, "", `{"size":0}`},
		"a size is a text":           {"drive.file.added", `{"size":"9007199254740993"}`, "", `{"size":9007199254740993}`},
		"a size is an odd text":      {"drive.file.added", `{"size":"+007"}`, "", `{"size":7}`},
		"a member is there twice":    {"conference.started", `{"hostId":1,"hostId":2}`, "", `{"host_id":2}`},
		"the data have space":        {"iotum.other", " { \"a\" : {\"b\": 1} }\n", "", `{"a":{"b":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message(tt.eventType, tt.data)
			m.Tenant = tt.tenant
			word, _ := iotum.New().Word(tt.eventType)
			if diff := cmp.Diff(body(t, wire.Event(word), tt.payload), render(t, m)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTimes writes the time at which it happened, in whatever form it comes.
func TestTimes(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"timestamp":"2027-03-04T05:06:07Z","data":{}}`:           "2027-03-04T05:06:07.000Z",
		`{"timestamp":"2027-03-04T05:06:07.9999+01:00","data":{}}`: "2027-03-04T04:06:07.999Z",
		`{"timestamp":"2027-03-04T05:06:07.5","data":{}}`:          "2027-03-04T05:06:07.500Z",
		`{"timestamp":"2027-03-04","data":{}}`:                     "2027-03-04T00:00:00.000Z",
		`{"timestamp":1804136767123,"data":{}}`:                    "2027-03-04T05:06:07.123Z",
		`{"timestamp":null,"data":{}}`:                             "2022-08-24T21:00:00.456Z",
		`{"data":{}}`:                                              "2022-08-24T21:00:00.456Z",
	} {
		m := message("conference.started", "{}")
		m.Tenant, m.Payload = "", []byte(payload)
		if got := render(t, m); got != `{"event":"conference_start","payload":"{}","timestamp":"`+want+`"}` {
			t.Errorf("%s: %s, want %s", payload, got, want)
		}
	}
}

// TestUnrenderable expects errors that name the member and quote nothing.
func TestUnrenderable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ eventType, payload, want string }{
		{"conference.started", `{"data":{"hostId":{"secret":1}}}`, "payload.host_id must be a string or a number"},
		{"conference.started", `{"data":{"companyId":["secret"]}}`, "payload.company_id must be a string or a number"},
		{"conference.recording.ready", `{"data":{"downloadLink":["secret"]}}`, "payload.download_link must be a string"},
		{"conference.participant.left", `{"data":{"participantRole":true,"meetingUrl":"secret"}}`, "payload.participant_role must be a string"},
		{"drive.file.added", `{"data":{"size":"secret"}}`, "payload.size must be a whole number"},
		{"drive.file.added", `{"data":{"size":1.5}}`, "payload.size must be a whole number"},
		{"session.joined", `{"data":{"session":{"id":{"secret":1}}}}`, "conferenceId must be a string or a number"},
		{"conference.started", `{"timestamp":"secret","data":{}}`, "payload.timestamp must be a time"},
		{"conference.started", `{"data":"secret"}`, "payload.data must be an object"},
		{"iotum.other", `{"data":["secret"]}`, "payload.data must be an object"},
		{"conference.started", `{}`, "payload.data must be an object"},
		{"conference.started", `["secret"]`, "payload must be an object"},
	} {
		m := message(tt.eventType, "{}")
		m.Payload = []byte(tt.payload)
		got, err := iotum.New().Render(m)
		if !errors.Is(err, dialect.ErrUnrenderable) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || got != nil {
			t.Errorf("%s: %s, error %v, want one with %q", tt.payload, got, err, tt.want)
		}
	}
}

// parse parses, or fails the test.
func parse(t *testing.T, text string) dialect.Activity {
	t.Helper()
	a, err := iotum.New().Parse(dialect.Request{Body: []byte(text)})
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return a
}

// TestSample parses the page's sample and renders it again. The two differ in the order
// of the payload's members, for the page's lists have another than its sample, and in the
// company, which the sample lacks.
func TestSample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/conference_end.json")
	if err != nil {
		t.Fatal(err)
	}
	a := parse(t, string(page))
	want := dialect.Activity{
		ID:      dialect.HashID([]byte("conference_end"), []byte("2022-08-24T20:56:55.000Z"), []byte(`{"conference_id":1258835,"host_id":61803}`)),
		Type:    "conference.ended",
		At:      time.Date(2022, 8, 24, 20, 56, 55, 0, time.UTC),
		Payload: []byte(`{"type":"conference.ended","timestamp":"2022-08-24T20:56:55.000Z","data":{"conferenceId":1258835,"hostId":61803}}`),
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("parsed (-want +got):\n%s", diff)
	}
	for tenant, more := range map[string]string{"": "", "4117": `\"company_id\":4117,`} {
		again := render(t, dialect.Message{Type: a.Type, Time: accepted, Tenant: tenant, Payload: a.Payload})
		want := `{"event":"conference_end","payload":"{\"host_id\":61803,` + more + `\"conference_id\":1258835}","timestamp":"2022-08-24T20:56:55.000Z"}`
		if diff := cmp.Diff(want, again); diff != "" {
			t.Errorf("rendered again (-want +got):\n%s", diff)
		}
	}
}

// TestRoundTrip parses what was rendered, of every event that is its own, and renders it
// again: the same bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tt := range said {
		first := render(t, message(tt.eventType, tt.data))
		a := parse(t, first)
		if tt.fit == dialect.Exact && a.Type != tt.eventType {
			t.Errorf("%s came back as %s", tt.eventType, a.Type)
		}
		second := render(t, dialect.Message{Type: a.Type, Payload: a.Payload})
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s (-first +second):\n%s", tt.eventType, diff)
		}
	}
}

// TestParse reads bodies that are not as they should be, as far as possible.
func TestParse(t *testing.T) {
	t.Parallel()
	at := `"timestamp":"2022-08-24T20:56:55.123Z"`
	for name, tt := range map[string]struct{ in, eventType, data string }{
		"the payload is an object":      {`{"event":"recording_ready","payload":{"recording_id":"5","download_link":null},` + at + `}`, "conference.recording.ready", `{"recordingId":"5","downloadLink":null}`},
		"there is no payload":           {`{"event":"conference_start",` + at + `}`, "conference.started", `{}`},
		"the payload is null":           {`{"event":"conference_start","payload":null,` + at + `}`, "conference.started", `{}`},
		"members are not known":         {`{"event":"enter_conference","payload":"{\"new\":{\"a\":[1,null]},\"host_id\":1,\"conference_name\":\"x\"}",` + at + `,"more":1}`, "conference.participant.entered", `{"new":{"a":[1,null]},"hostId":1,"conference_name":"x"}`},
		"ids are of either kind":        {`{"event":"leave_livestream","payload":"{\"host_id\":\"1\",\"company_id\":2,\"conference_id\":12345678901234567890123,\"participant_id\":\"p\"}",` + at + `}`, "conference.livestream.left", `{"hostId":"1","companyId":2,"conferenceId":12345678901234567890123,"participantId":"p"}`},
		"values are of another kind":    {`{"event":"drive_file_added","payload":"{\"size\":\"big\",\"id\":{\"a\":1},\"filename\":7}",` + at + `}`, "drive.file.added", `{"size":"big","id":{"a":1},"filename":7}`},
		"an import keeps its names":     {`{"event":"vcon_import_success","payload":"{\"uuid\":\"u\",\"company_id\":2,\"hostId\":1}",` + at + `}`, "iotum.vcon_import_success", `{"uuid":"u","company_id":2,"hostId":1}`},
		"an event is not known":         {`{"event":"poll.answered-2","payload":"{\"host_id\":1,\"a\": 2}",` + at + `}`, "iotum.poll.answered-2", `{"host_id":1,"a": 2}`},
		"an unknown event has a list":   {`{"event":"later","payload":"[1]",` + at + `}`, "iotum.later", `"[1]"`},
		"an unknown event has a text":   {`{"event":"later","payload":"a \"b\"",` + at + `}`, "iotum.later", `"a \"b\""`},
		"an unknown event has a number": {`{"event":"later","payload":7,` + at + `}`, "iotum.later", `7`},
		"there is space":                {" {\n\"event\" : \"conference_start\", \"payload\" : \" { \\\"host_id\\\" : 1 }\\n\", " + at + "} ", "conference.started", `{"hostId":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := parse(t, tt.in)
			want := `{"type":"` + tt.eventType + `","timestamp":"` + happened + `","data":` + tt.data + `}`
			if a.Type != tt.eventType || string(a.Payload) != want {
				t.Errorf("type %s, payload\n%s, want %s and\n%s", a.Type, a.Payload, tt.eventType, want)
			}
		})
	}
}

// TestParseTime expects no time where there is none that can be read.
func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, timestamp := range []string{``, `,"timestamp":null`, `,"timestamp":"soon"`, `,"timestamp":{}`} {
		a := parse(t, `{"event":"conference_start"`+timestamp+`}`)
		if !a.At.IsZero() || string(a.Payload) != `{"type":"conference.started","data":{}}` {
			t.Errorf("%s: at %v, payload %s", timestamp, a.At, a.Payload)
		}
	}
}

// TestID expects the id to follow from event, timestamp and payload, and from nothing else.
func TestID(t *testing.T) {
	t.Parallel()
	const same = `{"event":"conference_end","payload":"{\"host_id\":1}","timestamp":"2022-08-24T20:56:55.000Z"}`
	id := parse(t, same).ID
	for _, equal := range []string{
		same + "\n",
		`{ "timestamp":"2022-08-24T20:56:55.000Z", "more":1, "payload":"{\"host\u005fid\":1}", "event":"conference_end"}`,
		`{"event":"conference_end","payload":{"host_id":1},"timestamp":"2022-08-24T20:56:55.000Z"}`,
	} {
		if got := parse(t, equal).ID; got != id {
			t.Errorf("%s: %s, want %s", equal, got, id)
		}
	}
	for _, other := range []string{
		strings.Replace(same, "_end", "_start", 1), strings.Replace(same, ":1}", ":2}", 1), strings.Replace(same, "55.0", "55.1", 1),
		`{"event":"conference_end","payload":"{\"host_id\":1}"}`,
	} {
		if got := parse(t, other).ID; got == id {
			t.Errorf("%s has the same id", other)
		}
	}
}

// TestUnreadable expects errors that name the member and quote nothing. The page's sample
// itself is among them, with its stray backtick.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                               "is not valid JSON",
		`[]`:                             "body must be an object",
		`"secret"`:                       "body must be an object",
		`{}`:                             "event must be a name",
		`{"event":7,"payload":"secret"}`: "event must be a name",
		`{"event":""}`:                   "event must be a name",
		`{"event":"se cret"}`:            "event must be a name",
		`{"event":"` + strings.Repeat("secret", 40) + `"}`:                                              "event must be a name",
		`{"event":"conference_start","payload":"secret"}`:                                               "payload must be a JSON object, or one inside a string",
		`{"event":"conference_start","payload":""}`:                                                     "payload must be a JSON object, or one inside a string",
		`{"event":"conference_start","payload":"[1]"}`:                                                  "payload must be a JSON object, or one inside a string",
		`{"event":"conference_start","payload":["secret"]}`:                                             "payload must be a JSON object, or one inside a string",
		`{"event":"conference_start","payload":"{}","timestamp":"2022-08-24T20:56:55.000Z"` + "`" + `}`: "is not valid JSON",
	} {
		a, err := iotum.New().Parse(dialect.Request{Body: []byte(in)})
		if !errors.Is(err, dialect.ErrUnreadable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want one with %q", in, err, want)
		}
		if diff := cmp.Diff(dialect.Activity{}, a); diff != "" {
			t.Errorf("%s: an activity besides the error:\n%s", in, diff)
		}
	}
}

// TestEventTypes checks the dialect's own types: their samples fit their schemas, and what
// rendering needs is asked for.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	types := iotum.New().EventTypes()
	c := catalog.New(types...)
	names := make([]string, 0, len(types))
	for _, own := range types {
		names = append(names, own.Name)
		if own.Group != iotum.Name || own.Description == "" {
			t.Errorf("%s is of the group %q: %q", own.Name, own.Group, own.Description)
		}
		if problems, err := c.Check(own.Name, own.Sample); err != nil || len(problems) > 0 {
			t.Errorf("the sample of %s: %+v, error %v", own.Name, problems, err)
		}
		for _, wrong := range []string{`{}`, `{"type":"` + own.Name + `","timestamp":"2027-06-10T09:00:00Z","data":{}}`, strings.Replace(string(own.Sample), "Z", "", 1)} {
			if problems, err := c.Check(own.Name, []byte(wrong)); err != nil || len(problems) == 0 {
				t.Errorf("%s fits the schema of %s, error %v", wrong, own.Name, err)
			}
		}
		m := dialect.Message{Type: own.Name, Payload: own.Sample}
		hook, err := wire.Decode([]byte(render(t, m)))
		if err != nil {
			t.Fatal(err)
		}
		if at := unknown(reflect.ValueOf(hook), own.Name); at != "" {
			t.Errorf("the sample has members that %s does not", at)
		}
	}
	if diff := cmp.Diff([]string{"iotum.vcon_import_failure", "iotum.vcon_import_success"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// BenchmarkRender renders a payload of about 1.3 KB.
func BenchmarkRender(b *testing.B) {
	d := iotum.New()
	link := "https://meet.example.com/" + strings.Repeat("a", 900)
	m := message("conference.participant.entered", `{`+given+`,"participantId":7,"participantRole":"organizer","meetingUrl":"`+link+`","participantName":"Jo Doe","participantEmail":"jo@example.com","participantPhoneNumber":"+12125550187","conferenceName":"Standup","conferenceStartedAt":"2022-08-24T20:00:00.000Z"}`)
	b.SetBytes(int64(len(m.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Render(m); err != nil {
			b.Fatal(err)
		}
	}
}
