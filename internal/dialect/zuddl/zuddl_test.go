package zuddl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/zuddl"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/wire"
	vendor "github.com/callboard/callboard/wire/zuddl"
)

var update = flag.Bool("update", false, "write the golden files anew")

// happenedAt is when all happens that these tests make up.
const happenedAt = "2027-03-04T05:06:07.891Z"

// messageID is the n-th message's id.
func messageID(t testing.TB, n int64) string {
	t.Helper()
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return codec.Encode(id.Message, id.ID(n))
}

// message is a message about an event type with this data.
func message(t testing.TB, eventType, data string) dialect.Message {
	t.Helper()
	return dialect.Message{
		ID: messageID(t, 1<<40), Type: eventType, Tenant: "tenant-1", Time: time.Date(2027, 3, 5, 0, 0, 0, 0, time.UTC),
		Payload: fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":%s}`, eventType, happenedAt, data),
	}
}

// render writes data that can be written.
func render(t testing.TB, eventType, data string) string {
	t.Helper()
	body, err := zuddl.New().Render(message(t, eventType, data))
	if err != nil {
		t.Fatalf("%s %s: %v", eventType, data, err)
	}
	return string(body)
}

// generic is JSON as Go values, with numbers as they are written.
func generic(t testing.TB, text []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// same compares JSON by what it means.
func same(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(generic(t, []byte(want)), generic(t, []byte(got))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// at finds a value in a JSON object by its path; nil if there is none.
func at(t testing.TB, text string, path ...string) any {
	t.Helper()
	v := generic(t, []byte(text))
	for _, name := range path {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vendor's examples are read, and written again as they were but for what is ours.
func TestExamples(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, eventType string
		// differs is what a webhook of ours has in place of the example's.
		differs map[string]any
	}{
		{"joined_session.json", "session.joined", map[string]any{
			"actionId": "uuid", // made of our message's id
		}},
		{"time_spent_in_session.json", "session.time_spent", map[string]any{
			"actionId": "uuid",
			// The design says that on TIME_SPENT it is always the registration.
			"actor": map[string]any{"id": "d5e31ba5-2d1e-4918-bb60-dd1514b4b397", "type": "USER"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			body := read(t, tt.file)
			a, err := zuddl.New().Parse(dialect.Request{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			want := dialect.Activity{
				ID: "a912a64f-8865-4289-9024-9a120792c3d8", Type: tt.eventType,
				At: time.Date(2023, 10, 1, 12, 0, 0, 0, time.UTC), Payload: a.Payload,
			}
			if diff := cmp.Diff(want, a); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			wantPayload(t, body, a)
			again, err := zuddl.New().Render(dialect.Message{ID: messageID(t, 5), Type: a.Type, Payload: a.Payload})
			if err != nil {
				t.Fatal(err)
			}
			expected := generic(t, body).(map[string]any)
			maps.Copy(expected, tt.differs)
			got := generic(t, again).(map[string]any)
			got["actionId"] = "uuid"
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(keys(t, body), keys(t, again)); diff != "" {
				t.Errorf("the keys' order: -want +got\n%s", diff)
			}
		})
	}
}

// wantPayload wants a native body that holds all members of a vendor's but those of its
// frame, with times as Callboard writes them.
func wantPayload(t *testing.T, body []byte, a dialect.Activity) {
	t.Helper()
	data := generic(t, regexp.MustCompile(`(\d\d:\d\d:\d\d)Z"`).ReplaceAll(body, []byte(`$1.000Z"`))).(map[string]any)
	for _, name := range []string{"action", "actionId", "actionCreatedAt"} {
		delete(data, name)
	}
	want := map[string]any{"type": a.Type, "timestamp": "2023-10-01T12:00:00.000Z", "data": data}
	if diff := cmp.Diff(want, generic(t, a.Payload)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// keys lists the names of all members in their order.
func keys(t *testing.T, text []byte) (all []string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	type level struct {
		object bool
		tokens int
	}
	var open []level
	for {
		token, err := dec.Token()
		if err != nil {
			return all
		}
		if n := len(open) - 1; n >= 0 {
			if name, ok := token.(string); ok && open[n].object && open[n].tokens%2 == 0 {
				all = append(all, strings.Repeat("  ", n)+name)
			}
			if token != json.Delim('}') && token != json.Delim(']') {
				open[n].tokens++
			}
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open = append(open, level{object: token == json.Delim('{')})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
}

// Data with all that Zuddl has a place for, and more.
const (
	fullEvent = `"event":{"id":"ev-1","organizationId":"org-1","number":7,"name":"Q & A <live>","description":"All \"questions\"","identifier":"qa-1",
		"startDate":"2027-03-04T09:00:00.999+01:00","endDate":1804150800000,"timezone":"Europe/Vienna","status":"ONGOING","type":"EVENT",
		"eventFormat":"HYBRID","createdAt":"2027-01-01T00:00:00Z","createdBy":"u-1","updatedAt":"2027-01-02","updatedBy":12}`
	fullRegistration = `"registration":{"id":"reg-1","profile":{"firstName":"Zoë","lastName":"Smith","email":"zoe@example.com","company":"Acme",
		"designation":"Engineer","bio":"Line\nbreak","headline":"H","industry":"IT","country":"AT","phoneNumber":"+43-1","shoeSize":40},"ticket":"vip"}`
	fullSession = `"session":{"id":8,"title":"Opening","description":"The first","startDateTime":"2027-03-04T08:00:00.000Z","endDateTime":"2027-03-04T08:30:00.000Z",
		"location":{"locationId":"loc-1","locationName":"Hall","type":"STAGE","link":"https://example.com/?a=1&b=2","floor":2},
		"speakers":[{"id":"c-1","speakerId":"sp-1","url":"https://example.com/sp","websiteUrl":"https://example.com/w","fullName":"Zoë"},{"id":"c-2","websiteUrl":"https://example.com/w2"}],
		"sponsors":[{"sponsorId":"s-1","url":"https://example.com/s","name":"Acme"},{"id":3}],"tags":["a","b"],
		"friendlyId":"S-1","isPublic":true,"chairpersons":[],"startsAt":1}`
	fullActor = `"actor":{"id":"h-1","type":"AGENT","name":"Bot"},"sourceOfChange":"agent"`
)

// samples are data for every event type that the dialect says.
var samples = map[string]string{
	"session.joined":       "{" + fullActor + "," + fullEvent + "," + fullSession + "," + fullRegistration + "}",
	"session.time_spent":   "{" + fullActor + "," + fullEvent + "," + fullSession + "," + fullRegistration + `,"timeSpentInMinutes":42}`,
	"event.created":        `{"actor":{"id":"u-9"},"event":{"id":"ev-1","name":"New"}}`,
	"event.updated":        "{" + fullActor + "," + fullEvent + "}",
	"event.time_spent":     "{" + fullEvent + "," + fullRegistration + `,"timeSpentInMinutes":0}`,
	"registration.created": "{" + fullEvent + "," + fullRegistration + "}",
	"registration.attended": `{"event":{"id":"ev-1"},"registration":{"id":"reg-1","profile":{"firstName":"Zoë","lastName":"Smith",
		"email":"zoe@example.com"}}}`,
	"registration.no_show": `{"event":{"id":1},"registration":{"id":2}}`,
	"conference.participant.entered": `{"conferenceId":77,"hostId":5,"companyId":6,"participantId":8,"participantRole":"moderator","meetingUrl":"https://example.com/m",
		"conferenceName":"Weekly","conferenceStartedAt":"2027-03-04T05:00:00Z","participantName":"Jane Mary Smith","participantEmail":"jane@example.com",
		"participantPhoneNumber":"+1-212"}`,
	"conference.participant.time_spent": `{"conferenceId":77,"participantId":8,"timeSpentInMinutes":30,"conferenceEndedAt":"2027-03-04T06:00:00.5Z"}`,
	"conversation.user_joined": `{"conversation":{"id":"conv-1","workspaceId":"ws-1","agentId":"ag-1","summary":"About <prices>","callStartTime":"2027-03-04T05:00:00.250Z",
		"callEndTime":null,"customerId":"cust-1","customer":{"id":"no","name":"Cher","email":"cher@example.com","phoneNumber":"+1-213"}}}`,
	"zuddl.ANSWERED_POLL": `{"actor":{"id":1,"kind":"x"},"event":{"id":5,"startDate":"2027-03-04T05:00:00Z"},"timeSpentInMinutes":3,"poll":{"id":5,"answers":[1,2]}}`,
	"zuddl.BRAND_NEW":     `{}`,
}

// What is written for each event type is what package wire/zuddl reads without a rest,
// and writes with the very same bytes: two descriptions of the vendor's agree.
func TestGolden(t *testing.T) {
	t.Parallel()
	for eventType, data := range samples {
		t.Run(eventType, func(t *testing.T) {
			t.Parallel()
			body := render(t, eventType, data)
			golden := filepath.Join("testdata", "golden", eventType+".json")
			if *update {
				if err := os.WriteFile(golden, []byte(body+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, "golden", eventType+".json")), body+"\n"); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			w, err := vendor.Decode([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			again, err := vendor.Encode(w)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(body, string(again)); diff != "" {
				t.Errorf("package wire writes it differently: -ours +wire's\n%s", diff)
			}
			if rest := unknown(reflect.ValueOf(w), "webhook"); len(rest) > 0 && !strings.HasPrefix(eventType, "zuddl.") {
				t.Errorf("package wire does not know %v", rest)
			}
		})
	}
}

// unknown lists the members that package wire has no field for, at any depth.
func unknown(v reflect.Value, path string) (all []string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return unknown(v.Elem(), path)
		}
	case reflect.Slice:
		if rest, ok := reflect.TypeAssert[wire.Fields](v); ok {
			for _, f := range rest {
				all = append(all, path+"."+f.Name)
			}
			return all
		}
		for i := range v.Len() {
			all = append(all, unknown(v.Index(i), path+"[]")...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				all = append(all, unknown(v.Field(i), path+"."+v.Type().Field(i).Name)...)
			}
		}
	}
	return all
}

func TestVocabulary(t *testing.T) {
	t.Parallel()
	d := zuddl.New()
	words := map[string]struct {
		word string
		fit  dialect.Fit
	}{
		"session.joined":                    {"JOINED_SESSION", dialect.Exact},
		"session.time_spent":                {"TIME_SPENT_IN_SESSION", dialect.Exact},
		"event.created":                     {"EVENT_CREATED", dialect.Exact},
		"event.updated":                     {"EVENT_UPDATED", dialect.Exact},
		"event.time_spent":                  {"TIME_SPENT_IN_EVENT", dialect.Exact},
		"registration.created":              {"REGISTERED", dialect.Exact},
		"registration.attended":             {"ATTENDED", dialect.Exact},
		"registration.no_show":              {"NO_SHOW", dialect.Exact},
		"conference.participant.entered":    {"JOINED_SESSION", dialect.Translated},
		"conference.participant.time_spent": {"TIME_SPENT_IN_SESSION", dialect.Translated},
		"conversation.user_joined":          {"JOINED_SESSION", dialect.Translated},
		"zuddl.ANSWERED_POLL":               {"ANSWERED_POLL", dialect.Exact},
		"zuddl.BRAND_NEW":                   {"BRAND_NEW", dialect.Exact},
		// There is no action for leaving, and what the catalogue has a type for has no other.
		"session.left": {}, "session.created": {}, "conference.participant.left": {}, "conversation.user_left": {},
		"zuddl.JOINED_SESSION": {}, "zuddl.REGISTERED": {}, "zuddl.": {}, "zuddl": {}, "iotum.ANSWERED_POLL": {}, "": {},
	}
	for eventType, want := range words {
		if word, fit := d.Word(eventType); word != want.word || fit != want.fit {
			t.Errorf("%s is %q with fit %d, not %q with %d", eventType, word, fit, want.word, want.fit)
		}
	}
	types := map[string][]string{
		"JOINED_SESSION":        {"session.joined", "conference.participant.entered", "conversation.user_joined"},
		"TIME_SPENT_IN_SESSION": {"session.time_spent", "conference.participant.time_spent"},
		"ANSWERED_POLL":         {"zuddl.ANSWERED_POLL"},
		"BRAND_NEW":             nil, "joined_session": nil, "": nil, "session.joined": nil,
	}
	for word, want := range types {
		if diff := cmp.Diff(want, d.Types(word)); diff != "" {
			t.Errorf("%s: -want +got\n%s", word, diff)
		}
	}
	if d.Name() != "zuddl" || d.EventTypes() != nil || d.Observes() != (dialect.Observed{Joins: true}) {
		t.Errorf("%s has event types of its own: %v, observes %v", d.Name(), d.EventTypes(), d.Observes())
	}
}

// Each documented action is read as a type that goes out as the same action; and one
// whose form nobody documents goes out with all its members as they came.
func TestActions(t *testing.T) {
	t.Parallel()
	d := zuddl.New()
	actions := vendor.Actions()
	if len(actions) != 57 {
		t.Errorf("there are %d actions, not 55 and 2", len(actions))
	}
	var foreign int
	for _, action := range append(actions, "SOMETHING_NEW") {
		body := fmt.Sprintf(`{"action":%q,"actionId":"a-1","actor":{"id":5},"actionCreatedAt":"2027-03-04T05:06:07Z","event":{"id":"e"},"registration":{"id":"r"}%s}`, action, strange)
		a, err := d.Parse(dialect.Request{Body: []byte(body)})
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		if word, fit := d.Word(a.Type); word != string(action) || fit != dialect.Exact {
			t.Errorf("%s is read as %s, which is said as %q", action, a.Type, word)
		}
		if own := a.Type == dialect.Foreign("zuddl", string(action)); !own {
			continue
		}
		foreign++
		got, err := d.Render(dialect.Message{ID: messageID(t, 1), Type: a.Type, Payload: a.Payload})
		if err != nil {
			t.Errorf("%s: %v", action, err)
			continue
		}
		want := generic(t, []byte(body)).(map[string]any)
		want["actionId"] = at(t, string(got), "actionId") // ours
		if diff := cmp.Diff(any(want), generic(t, got)); diff != "" {
			t.Errorf("%s: -want +got\n%s", action, diff)
		}
	}
	if foreign != 57-8+1 {
		t.Errorf("%d actions have no type in the catalogue, not %d", foreign, 57-8+1)
	}
}

// strange are members as no page of the vendor's shows them, some named as in our frame.
const strange = `,"session":{"location":[{"locationId":1},{"locationId":2}],"startDateTime":"2027-03-04T05:06:07Z","z":9007199254740993},
	"timeSpentInMinutes":1.5,"type":"t","timestamp":5,"data":{"data":{"action":"inner"}},"n":null,"\u00e9\"":[{}]`

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       dialect.Activity
		payload    string
	}{
		{
			"space around, times in other forms, unknown members",
			"\r\n {\"action\":\"JOINED_SESSION\",\"actionId\":17,\"actionCreatedAt\":1804136767891,\"event\":{\"startDate\":\"2027-03-04T05:06:07+0530\",\"endDate\":\"soon\",\"x\":1},\"y\":null}\n",
			dialect.Activity{ID: "17", Type: "session.joined", At: time.UnixMilli(1804136767891).UTC()},
			`{"type":"session.joined","timestamp":"2027-03-04T05:06:07.891Z","data":{"event":{"startDate":"2027-03-03T23:36:07.000Z","endDate":"soon","x":1},"y":null}}`,
		},
		{
			"nulls stay, no id, no time",
			`{"action":"NO_SHOW","actionId":null,"actionCreatedAt":null,"actor":null,"event":null,"registration":{"id":9007199254740993,"profile":null}}`,
			dialect.Activity{Type: "registration.no_show"},
			`{"type":"registration.no_show","data":{"actor":null,"event":null,"registration":{"id":9007199254740993,"profile":null}}}`,
		},
		{
			"a time that is none, members named as in the frame",
			`{"action":"TIME_SPENT_IN_EVENT","actionId":"a","actionCreatedAt":"soon","type":"x","timestamp":1,"data":{"action":1},"timeSpentInMinutes":"5"}`,
			dialect.Activity{ID: "a", Type: "event.time_spent"},
			`{"type":"event.time_spent","data":{"type":"x","timestamp":1,"data":{"action":1},"timeSpentInMinutes":"5"}}`,
		},
		{
			"duplicates: the last counts",
			`{"action":"NO_SHOW","actionId":"a","action":"ATTENDED","\u0061ctionId":"b","event":{"id":1,"id":2}}`,
			dialect.Activity{ID: "b", Type: "registration.attended"},
			`{"type":"registration.attended","data":{"event":{"id":2}}}`,
		},
		{
			"a location in an array stays in it",
			`{"action":"JOINED_SESSION","actionId":"a","session":{"location":[{"locationId":1},{"locationId":2}]}}`,
			dialect.Activity{ID: "a", Type: "session.joined"},
			`{"type":"session.joined","data":{"session":{"location":[{"locationId":1},{"locationId":2}]}}}`,
		},
		{
			"objects that are none",
			`{"action":"JOINED_SESSION","actionId":"a","session":5,"event":[],"registration":"r","actor":true}`,
			dialect.Activity{ID: "a", Type: "session.joined"},
			`{"type":"session.joined","data":{"session":5,"event":[],"registration":"r","actor":true}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := zuddl.New().Parse(dialect.Request{Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			same(t, tt.payload, string(got.Payload))
			want := tt.want
			want.Payload = got.Payload
			if want.ID == "" {
				want.ID = dialect.HashID([]byte(tt.body))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 10_001) + strings.Repeat(`]`, 10_001)
	for _, body := range []string{
		``, `null`, `[]`, `"hunter2"`, `{}`, `{"action":null}`, `{"action":5}`, `{"action":""}`, `{"action":"hunter2 x"}`, `{"action":"a.b"}`,
		`{"Action":"NO_SHOW"}`, `{"action":{"action":"NO_SHOW"}}`, `{"action":"NO_SHOW"`, `{"action":"NO_SHOW"} {}`, "{\"action\":\"NO_SHOW\",\"x\":\"\xff\"}",
		`{"action":"` + strings.Repeat("A", 201) + `"}`, `{"action":"NO_SHOW","x":` + deep + `}`,
	} {
		_, err := zuddl.New().Parse(dialect.Request{Body: []byte(body)})
		if !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("%.40q: %v", body, err)
		} else if strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 200 {
			t.Errorf("%.40q: the error quotes a value: %v", body, err)
		}
	}
}

// As deep as JSON may be nested here: it is read, and written where it may stand.
func TestDeep(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"session":[`, 4990) + strings.Repeat(`]}`, 4990)
	for _, action := range []string{"JOINED_SESSION", "ANSWERED_POLL"} {
		body := fmt.Sprintf(`{"action":%q,"actionId":"a","event":{"deep":%s}}`, action, deep)
		a, err := zuddl.New().Parse(dialect.Request{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := zuddl.New().Render(dialect.Message{ID: "m", Type: a.Type, Payload: a.Payload})
		if err != nil {
			t.Fatal(err)
		}
		if kept := strings.Contains(string(got), deep); kept != (action == "ANSWERED_POLL") {
			t.Errorf("%s: the nested member went out: %v", action, kept)
		}
	}
	// A body of 10,000 levels gets a frame: two more are too many.
	m := message(t, "zuddl.X", strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat(`}`, 10_000))
	if _, err := zuddl.New().Render(m); !errors.Is(err, dialect.ErrUnrenderable) {
		t.Errorf("10,000 levels: %v", err)
	}
}

// Who acted: the one given, else the registration; the registration alone on TIME_SPENT.
func TestActor(t *testing.T) {
	t.Parallel()
	const reg = `"registration":{"id":"reg-1"}`
	tests := []struct{ name, eventType, data, want string }{
		{"given", "session.joined", `{"actor":{"id":5,"type":"SYSTEM","x":1},` + reg + `}`, `{"id":"5","type":"SYSTEM"}`},
		{"given without a type", "session.joined", `{"actor":{"id":"h"},` + reg + `}`, `{"id":"h","type":"USER"}`},
		{"none", "session.joined", `{` + reg + `}`, `{"id":"reg-1","type":"USER"}`},
		{"null", "registration.created", `{"actor":null,"registration":{"id":7}}`, `{"id":"7","type":"USER"}`},
		{"none and no registration", "event.updated", `{"event":{"id":1}}`, `null`},
		{"time spent, given", "session.time_spent", `{"actor":{"id":5,"type":"SYSTEM"},` + reg + `}`, `{"id":"reg-1","type":"USER"}`},
		{"time spent, none", "event.time_spent", `{` + reg + `}`, `{"id":"reg-1","type":"USER"}`},
		{"time spent, translated", "conference.participant.time_spent", `{"actor":{"id":5},"participantId":8}`, `{"id":"8","type":"USER"}`},
		{"translated, given", "conference.participant.entered", `{"actor":{"id":5},"participantId":8}`, `{"id":"5","type":"USER"}`},
		{"translated, none", "conversation.user_joined", `{"conversation":{"customerId":"c"}}`, `{"id":"c","type":"USER"}`},
		{"foreign, as it came", "zuddl.X", `{"actor":"me"}`, `"me"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := render(t, tt.eventType, tt.data)
			if diff := cmp.Diff(generic(t, []byte(tt.want)), at(t, body, "actor")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// Where the change is one of the event, the actor is who made it.
func TestChanger(t *testing.T) {
	t.Parallel()
	for eventType, want := range map[string][2]any{
		"event.created": {"5", "5"}, "event.updated": {nil, "5"}, "session.joined": {nil, nil}, "registration.created": {nil, nil},
	} {
		body := render(t, eventType, `{"actor":{"id":5},"event":{"id":1}}`)
		if got := [2]any{at(t, body, "event", "createdBy"), at(t, body, "event", "updatedBy")}; got != want {
			t.Errorf("%s: created and updated by %v, not %v", eventType, got, want)
		}
		given := render(t, eventType, `{"actor":{"id":5},"event":{"id":1,"createdBy":"a","updatedBy":"b"}}`)
		if got := [2]any{at(t, given, "event", "createdBy"), at(t, given, "event", "updatedBy")}; got != [2]any{"a", "b"} {
			t.Errorf("%s: given, created and updated by %v", eventType, got)
		}
	}
}

// The event is long, but for the TIME_SPENT actions; its organization is the app if it
// names none.
func TestEvent(t *testing.T) {
	t.Parallel()
	long, _ := at(t, render(t, "session.joined", samples["session.joined"]), "event").(map[string]any)
	if len(long) != 15 {
		t.Errorf("the event has %d members: %v", len(long), slices.Sorted(maps.Keys(long)))
	}
	for _, eventType := range []string{"session.time_spent", "event.time_spent"} {
		short := at(t, render(t, eventType, samples[eventType]), "event")
		if diff := cmp.Diff(any(map[string]any{"id": "ev-1", "organizationId": "org-1", "name": "Q & A <live>"}), short); diff != "" {
			t.Errorf("%s: -want +got\n%s", eventType, diff)
		}
	}
	for given, want := range map[string]any{`"org"`: "org", `12`: "12", `null`: "tenant-1"} {
		for _, eventType := range []string{"session.joined", "session.time_spent"} {
			body := render(t, eventType, `{"event":{"id":1,"organizationId":`+given+`}}`)
			if got := at(t, body, "event", "organizationId"); got != want {
				t.Errorf("%s, %s: %v, not %v", eventType, given, got, want)
			}
		}
	}
	body := render(t, "session.time_spent", `{"event":{"id":1},"session":{"id":2,"organizationId":3}}`)
	if got := at(t, body, "event", "organizationId"); got != "3" {
		t.Errorf("the session's organization 3 is %v", got)
	}
	m := message(t, "session.joined", `{"event":{"id":1}}`)
	m.Tenant = "42" // digits, and still text: the vendor sends text
	digits, err := zuddl.New().Render(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, string(digits), "event", "organizationId"); got != "42" {
		t.Errorf("the tenant 42 is %v", got)
	}
}

// Values in odd forms, missing ones, and more than one location.
func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, eventType, data, want string }{
		{
			"numbers beyond 2^53", "session.joined", `{"event":{"id":9007199254740993,"name":1e400},"session":{"id":"9007199254740993"}}`,
			`{"event":{"id":"9007199254740993","organizationId":"tenant-1","name":"1e400"},"session":{"id":"9007199254740993","speakers":[],"sponsors":[],"tags":[]}}`,
		},
		{
			"times", "session.joined", `{"session":{"startDateTime":"2027-03-04T05:06:07.999+02:00","endDateTime":0}}`,
			`{"session":{"startDateTime":"2027-03-04T03:06:07Z","endDateTime":"1970-01-01T00:00:00Z","speakers":[],"sponsors":[],"tags":[]}}`,
		},
		{
			"locations", "session.joined", `{"session":{"location":[{"locationId":1},{"locationId":2}]}}`,
			`{"session":{"location":{"locationId":"1"},"speakers":[],"sponsors":[],"tags":[]}}`,
		},
		{"no location", "session.joined", `{"session":{"location":[],"tags":null,"title":null}}`, `{"session":{"speakers":[],"sponsors":[],"tags":[]}}`},
		{
			"escapes", "registration.created", `{"registration":{"profile":{"\u0062io":"\u003cb\u003e \u0026 \ud83d\ude00 \" \\ \u0001"}}}`,
			`{"registration":{"profile":{"bio":"<b> & 😀 \" \\ \u0001"}}}`,
		},
		{"nothing", "session.joined", `{}`, `{}`},
		{"zero minutes", "event.time_spent", `{"timeSpentInMinutes":0}`, `{"timeSpentInMinutes":0}`},
		{"minutes as text", "event.time_spent", `{"timeSpentInMinutes":"012"}`, `{"timeSpentInMinutes":12}`},
		{
			"participant without a name", "conference.participant.entered", `{"actor":{"id":"a","type":"USER"},"conferenceId":1}`,
			`{"actor":{"id":"a","type":"USER"},"event":{"id":"1","organizationId":"tenant-1"},"session":{"id":"1","speakers":[],"sponsors":[],"tags":[]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := render(t, tt.eventType, tt.data)
			got := generic(t, []byte(body)).(map[string]any)
			for _, made := range []string{"action", "actionId", "actionCreatedAt"} {
				delete(got, made)
			}
			if diff := cmp.Diff(generic(t, []byte(tt.want)), any(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if strings.Contains(body, `\u00`) && tt.name != "escapes" || strings.Contains(body, `\u003c`) {
				t.Errorf("it escapes more than it must: %s", body)
			}
		})
	}
}

// What cannot be written is refused with the member's name and no value.
func TestUnrenderable(t *testing.T) {
	t.Parallel()
	tests := []struct{ eventType, data, want string }{
		{"session.joined", `{"event":{"startDate":"hunter2"}}`, "event.startDate must be a time"},
		{"session.joined", `{"event":{"name":{"hunter2":1}}}`, "event.name must be a string"},
		{"session.joined", `{"registration":{"profile":{"email":["hunter2"]}}}`, "registration.profile.email must be a string"},
		{"session.joined", `{"session":{"speakers":[{},{"id":true}]}}`, "session.speakers.1.speakerId must be a string or a number"},
		{"session.joined", `{"session":{"tags":"hunter2"}}`, "session.tags must be an array"},
		{"session.joined", `{"event":"hunter2"}`, "event must be an object"},
		{"session.joined", `{"actor":"hunter2"}`, "actor must be an object"},
		{"session.joined", `["hunter2"]`, "payload.data must be an object"},
		{"session.time_spent", `{"timeSpentInMinutes":"hunter2"}`, "timeSpentInMinutes must be a whole number"},
		{"conference.participant.entered", `{"conferenceStartedAt":"hunter2"}`, "session.startDateTime must be a time"},
		{"session.left", `{}`, "no action for the event type"},
		{"zuddl.JOINED_SESSION", `{}`, "no action for the event type"},
	}
	for _, tt := range tests {
		_, err := zuddl.New().Render(message(t, tt.eventType, tt.data))
		switch {
		case !errors.Is(err, dialect.ErrUnrenderable):
			t.Errorf("%s %s: %v", tt.eventType, tt.data, err)
		case !strings.Contains(err.Error(), tt.want), strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s %s: the error is %q, not %q", tt.eventType, tt.data, err, tt.want)
		}
	}
}

// actionId is a UUID of version 8 that is made of the message's id and nothing else.
func TestActionID(t *testing.T) {
	t.Parallel()
	uuid := func(messageID, eventType string) string {
		m := message(t, eventType, samples[eventType])
		m.ID = messageID
		body, err := zuddl.New().Render(m)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := at(t, string(body), "actionId").(string)
		return text
	}
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	met := map[string]bool{}
	last := ""
	for _, n := range []int64{1, 2, 3, 255, 256, 1 << 20, 1<<20 + 1, 1 << 40, 1<<62 - 1, 1 << 62, 1<<63 - 1} {
		got := uuid(messageID(t, n), "session.joined")
		if !form.MatchString(got) {
			t.Errorf("%s is no UUID version 8", got)
		}
		if got <= last {
			t.Errorf("%s comes after %s and is not greater", got, last)
		}
		if met[got] {
			t.Errorf("%s twice", got)
		}
		met[got], last = true, got
		for _, eventType := range []string{"session.joined", "session.time_spent", "zuddl.ANSWERED_POLL"} {
			if again := uuid(messageID(t, n), eventType); again != got {
				t.Errorf("%s, again %s", got, again)
			}
		}
	}
	for _, other := range []string{"preview", "msg_short", "app_" + messageID(t, 1)[4:], ""} {
		got := uuid(other, "session.joined")
		if !form.MatchString(got) || met[got] {
			t.Errorf("%q gives %s", other, got)
		}
		met[got] = true
	}
}

// The id's 122 bits stand where RFC 9562 leaves room, which the bits of version and
// variant do not touch.
func TestActionIDBits(t *testing.T) {
	t.Parallel()
	m := message(t, "registration.no_show", `{}`)
	m.ID = messageID(t, 0x0123456789abcdef)
	raw, ok := id.Bytes(id.Message, m.ID)
	if !ok {
		t.Fatal("not an id")
	}
	bits := func(b []byte) (s string) {
		for _, c := range b {
			s += fmt.Sprintf("%08b", c)
		}
		return s
	}
	all := bits(raw[:])
	want := all[:48] + "1000" + all[48:60] + "10" + all[60:122]
	body, err := zuddl.New().Render(m)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := at(t, string(body), "actionId").(string)
	var u []byte
	if _, err := fmt.Sscanf(strings.ReplaceAll(text, "-", ""), "%x", &u); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, bits(u)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A message gives the same bytes whenever it is rendered, and is not changed by that.
func TestPure(t *testing.T) {
	t.Parallel()
	for eventType, data := range samples {
		m := message(t, eventType, data)
		before := bytes.Clone(m.Payload)
		first, err := zuddl.New().Render(m)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if again, err := zuddl.New().Render(m); err != nil || !bytes.Equal(first, again) {
				t.Errorf("%s: %v, %s and then %s", eventType, err, first, again)
			}
		}
		if !bytes.Equal(before, m.Payload) {
			t.Errorf("%s: the payload was changed", eventType)
		}
	}
}

// The time is that of the happening, and the message's where the payload names none.
func TestTime(t *testing.T) {
	t.Parallel()
	m := message(t, "registration.no_show", `{}`)
	for payload, want := range map[string]string{
		`{"timestamp":"2027-03-04T05:06:07.999+01:00","data":{}}`: "2027-03-04T04:06:07Z",
		`{"data":{}}`: "2027-03-05T00:00:00Z",
	} {
		m.Payload = []byte(payload)
		body, err := zuddl.New().Render(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := at(t, string(body), "actionCreatedAt"); got != want {
			t.Errorf("%s: %v, not %s", payload, got, want)
		}
	}
}
