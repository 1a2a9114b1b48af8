package oration_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/oration"
	wire "github.com/callboard/callboard/wire/oration"
)

// What the messages that are tested have in common.
const (
	messageID = "msg_2dkSjVwWLkSJu7bK0xCEbH9OaZl"
	eventID   = "evt_2dkSjVwWLkSJu7bK0xCEbH9OaZl"
	happened  = "2027-03-04T05:06:07.891Z"
)

var accepted = time.Date(2027, 3, 4, 5, 10, 0, 456e6, time.UTC)

var update = flag.Bool("update", false, "write the golden files anew")

var _ dialect.Dialect = oration.Dialect{}

// message is a message as it is in the store.
func message(eventType, data string) dialect.Message {
	return dialect.Message{
		ID: messageID, Type: eventType, Time: accepted, Tenant: "4117",
		Payload: []byte(`{"type":"` + eventType + `","timestamp":"` + happened + `","data":` + data + `}`),
	}
}

// full has every member there is, in an order that is not the page's, and some that no
// page has.
const full = `{"new":1,"conversation":{"transcript":[{"role":"agent","text":"<Hi> & bye"}],"recordingUrl":"https://r.example/1?a=1&b=2","transferDestination":"+1","transferStatus":"done",` +
	`"transferUserLeaveTime":"2027-03-04T05:08:00Z","transferUserJoinTime":"2027-03-04T05:07:30Z","transferEndTime":"2027-03-04T05:07:00Z","transferStartTime":"2027-03-04T05:06:30Z",` +
	`"agentLeaveTime":"2027-03-04T05:06:59.9999Z","agentJoinTime":"2027-03-04T05:00:01Z","flowId":"flow_1","updatedAt":"2027-03-04T05:06:08+00:00","createdAt":"2027-03-04T05:00:00Z",` +
	`"campaignRunId":9,"campaignId":"camp_1","summary":"A <question>","dynamicVariables":{"a": "<x>", "b": [1]},"conversationType":"telephony","postCallMetadata":{"topic": "billing"},` +
	`"postCallCategory3":"c","postCallCategory2":"b","postCallCategory1":"a","postCallNotes":"n","recordingStatus":"completed","endReason":"user_hangup","telephonyStatus":"active",` +
	`"telephonyType":"inbound","conversationStatus":"completed","fromPhoneNumber":"+0987654321","toPhoneNumber":12125550187,"customer":{"source":{"new":1,"method":"api"},"metadata":{"k":"v"},` +
	`"isDoNotDisturbEnabled":false,"sourceFile":"f.csv","priority":1,"identifier":"john.doe","phoneNumber":"+1","email":"john@example.com","workspaceId":"ws_2","updatedAt":"2027-01-02T03:04:05Z",` +
	`"createdAt":1798859045678,"id":"cust_1","name":"John Doe","new":1},"customerId":"cust_1","userLeaveTime":"2027-03-04T05:06:07.891Z","userJoinTime":"2027-03-04T06:01:00+01:00",` +
	`"callEndTime":"2027-03-04T05:06:07","callStartTime":"2027-03-04T05:00:00Z","llmUrl":"https://l.example","wsUrl":"wss://w.example","workspaceId":"ws_1","agentId":"agent_1","phoneId":7,"id":"conv_1","new":1}}`

// wantFull is the payload of full.
const wantFull = `{"id":"conv_1","phoneId":"7","agentId":"agent_1","workspaceId":"ws_1","wsUrl":"wss://w.example","llmUrl":"https://l.example","callStartTime":"2027-03-04T05:00:00.000Z",` +
	`"callEndTime":"2027-03-04T05:06:07.000Z","userJoinTime":"2027-03-04T05:01:00.000Z","userLeaveTime":"2027-03-04T05:06:07.891Z","customerId":"cust_1","customer":{"name":"John Doe","id":"cust_1",` +
	`"createdAt":"2027-01-02T03:04:05.678Z","updatedAt":"2027-01-02T03:04:05.000Z","workspaceId":"ws_2","email":"john@example.com","phoneNumber":"+1","identifier":"john.doe","priority":1,` +
	`"sourceFile":"f.csv","isDoNotDisturbEnabled":false,"metadata":{"k":"v"},"source":{"method":"api"}},"toPhoneNumber":"12125550187","fromPhoneNumber":"+0987654321","conversationStatus":"completed",` +
	`"telephonyType":"inbound","telephonyStatus":"active","endReason":"user_hangup","recordingStatus":"completed","postCallNotes":"n","postCallCategory1":"a","postCallCategory2":"b","postCallCategory3":"c",` +
	`"postCallMetadata":{"topic":"billing"},"conversationType":"telephony","dynamicVariables":"{\"a\":\"<x>\",\"b\":[1]}","summary":"A <question>","campaignId":"camp_1","campaignRunId":"9",` +
	`"createdAt":"2027-03-04T05:00:00.000Z","updatedAt":"2027-03-04T05:06:08.000Z","flowId":"flow_1","agentJoinTime":"2027-03-04T05:00:01.000Z","agentLeaveTime":"2027-03-04T05:06:59.999Z",` +
	`"transferStartTime":"2027-03-04T05:06:30.000Z","transferEndTime":"2027-03-04T05:07:00.000Z","transferUserJoinTime":"2027-03-04T05:07:30.000Z","transferUserLeaveTime":"2027-03-04T05:08:00.000Z",` +
	`"transferStatus":"done","transferDestination":"+1","recordingUrl":"https://r.example/1?a=1&b=2","transcript":[{"role":"agent","text":"<Hi> & bye"}]}`

// nulls is the payload of a conversation with an id and a tenant, and what else is set.
func nulls(set map[string]string) string {
	return object([]string{
		"id", "phoneId", "agentId", "workspaceId", "wsUrl", "llmUrl", "callStartTime", "callEndTime", "userJoinTime", "userLeaveTime", "customerId", "customer",
		"toPhoneNumber", "fromPhoneNumber", "conversationStatus", "telephonyType", "telephonyStatus", "endReason", "recordingStatus", "postCallNotes",
		"postCallCategory1", "postCallCategory2", "postCallCategory3", "postCallMetadata", "conversationType", "dynamicVariables", "summary", "campaignId",
		"campaignRunId", "createdAt", "updatedAt",
	}, map[string]string{"id": `"conv_1"`, "workspaceId": `"4117"`, "updatedAt": `"` + happened + `"`}, set)
}

// person is a customer in whom only this is set.
func person(set map[string]string) string {
	return object([]string{"name", "id", "createdAt", "updatedAt", "workspaceId", "email", "phoneNumber", "identifier", "priority", "sourceFile", "isDoNotDisturbEnabled", "metadata"},
		map[string]string{"workspaceId": `"4117"`}, set)
}

// object writes members: set before usual before null.
func object(names []string, usual, set map[string]string) string {
	members := make([]string, len(names))
	for i, name := range names {
		value, ok := set[name]
		if !ok {
			value, ok = usual[name]
		}
		if !ok {
			value = "null"
		}
		members[i] = `"` + name + `":` + value
	}
	return "{" + strings.Join(members, ",") + "}"
}

// said is every event type that the dialect says, with data and what its payload is.
var said = []struct {
	eventType string
	word      wire.EventType
	fit       dialect.Fit
	data      string
	payload   string
}{
	{"conversation.user_joined", "conversation.userJoined", dialect.Exact, full, wantFull},
	{"conversation.user_left", "conversation.userLeft", dialect.Exact, `{"conversation":{"id":"conv_1"}}`, nulls(nil)},
	{"conversation.completed", "conversation.completed", dialect.Exact, `{"conversation":{"id":"conv_1","summary":"","customer":{},"flowId":null}}`, nulls(map[string]string{"summary": `""`, "customer": person(nil)})},
	{"conversation.analysis_completed", "conversation.analysisCompleted", dialect.Exact, full, wantFull},
	{
		"session.joined", "conversation.userJoined", dialect.Translated,
		`{"event":{"id":"e"},"session":{"id":"conv_1","title":"t","startDateTime":"2027-03-04T05:00:00Z","createdAt":"2027-01-01T00:00:00Z"},"registration":{"id":"r-1","profile":{"firstName":"Jo","lastName":"Doe","email":"jo@example.com"}}}`,
		nulls(map[string]string{
			"callStartTime": `"2027-03-04T05:00:00.000Z"`, "userJoinTime": `"` + happened + `"`, "customerId": `"r-1"`, "createdAt": `"2027-01-01T00:00:00.000Z"`,
			"customer":           person(map[string]string{"name": `"Jo Doe"`, "id": `"r-1"`, "email": `"jo@example.com"`}),
			"conversationStatus": `"active"`, "conversationType": `"web"`,
		}),
	},
	{
		"session.left", "conversation.userLeft", dialect.Translated, `{"event":{"id":"e","organizationId":"org-1"},"session":{"id":"conv_1"},"registration":{"id":"r-1"}}`,
		nulls(map[string]string{
			"workspaceId": `"org-1"`, "userLeaveTime": `"` + happened + `"`, "customerId": `"r-1"`, "createdAt": `"` + happened + `"`,
			"customer":           person(map[string]string{"id": `"r-1"`, "workspaceId": `"org-1"`}),
			"conversationStatus": `"active"`, "conversationType": `"web"`,
		}),
	},
	{
		"conference.participant.entered", "conversation.userJoined", dialect.Translated, `{"hostId":61803,"companyId":7,"conferenceId":1258835,"participantId":9,"participantName":"Jo"}`,
		nulls(map[string]string{
			"id": `"1258835"`, "agentId": `"61803"`, "workspaceId": `"7"`, "userJoinTime": `"` + happened + `"`, "customerId": `"9"`, "createdAt": `"` + happened + `"`,
			"customer":           person(map[string]string{"name": `"Jo"`, "id": `"9"`, "workspaceId": `"7"`}),
			"conversationStatus": `"active"`, "conversationType": `"web"`,
		}),
	},
	{
		"conference.participant.left", "conversation.userLeft", dialect.Translated, `{"conferenceId":"conv_1","participantId":"p"}`,
		nulls(map[string]string{
			"userLeaveTime": `"` + happened + `"`, "customerId": `"p"`, "customer": person(map[string]string{"id": `"p"`}), "createdAt": `"` + happened + `"`,
			"conversationStatus": `"active"`, "conversationType": `"web"`,
		}),
	},
	{"oration.agent.updated", "agent.updated", dialect.Exact, `{"id":"a","updatedAt":"2027-03-04","new":{"de": "x"},"more":null}`, `{"id":"a","updatedAt":"2027-03-04","new":{"de":"x"},"more":null}`},
	{"oration.ping", "ping", dialect.Exact, `{}`, `{}`},
}

// render renders, or fails the test.
func render(t *testing.T, m dialect.Message) string {
	t.Helper()
	body, err := oration.New().Render(m)
	if err != nil {
		t.Fatalf("render %s: %v", m.Payload, err)
	}
	return string(body)
}

// body is a body around a payload.
func body(word wire.EventType, payload string) string {
	return `{"eventId":"` + eventID + `","eventType":"` + string(word) + `","payload":` + payload + `}`
}

// TestRender writes every event type that the dialect says. The public package reads what
// was written, knows all its members, and writes the same bytes, also when it has
// forgotten which members it had read: that is what it says each conversation has.
func TestRender(t *testing.T) {
	t.Parallel()
	for _, tt := range said {
		t.Run(tt.eventType, func(t *testing.T) {
			t.Parallel()
			got := render(t, message(tt.eventType, tt.data))
			if diff := cmp.Diff(body(tt.word, tt.payload), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			golden(t, tt.eventType, got)
			if again := render(t, message(tt.eventType, tt.data)); again != got {
				t.Errorf("the same message was rendered as %s, and then as %s", got, again)
			}
			if strings.HasPrefix(tt.eventType, oration.Name) {
				return // of which nobody knows the members
			}
			hook, err := wire.Decode([]byte(got))
			if err != nil {
				t.Fatal(err)
			}
			if at := unknown(reflect.ValueOf(hook), "webhook"); at != "" {
				t.Errorf("package wire/oration does not know all members of %s", at)
			}
			compare(t, hook, got)
			hook.Read, hook.Payload.Read = nil, nil
			if c := hook.Payload.Customer; c != nil {
				c.Read = nil
			}
			if !strings.Contains(got, `"summary":""`) { // which is null in what was built
				compare(t, hook, got)
			}
		})
	}
}

func compare(t *testing.T, hook *wire.Webhook, got string) {
	t.Helper()
	encoded, err := wire.Encode(hook)
	if diff := cmp.Diff(string(encoded), got); diff != "" || err != nil {
		t.Errorf("package wire/oration writes (-) otherwise than the dialect (+): %v\n%s", err, diff)
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
	d := oration.New()
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
			t.Errorf("package wire/oration does not know all members of %s in %s", at, got)
		}
		if encoded, err := wire.Encode(hook); err != nil || string(encoded) != got {
			t.Errorf("%s: package wire/oration writes %s, error %v, not %s", one.Name, encoded, err, got)
		}
	}
	for _, tt := range said {
		if inCatalogue := !strings.HasPrefix(tt.eventType, oration.Name); inCatalogue && !rendered[tt.eventType] {
			t.Errorf("the catalogue does not have %s", tt.eventType)
		}
	}
}

// unknown finds a field Unknown that is not empty, and says where.
func unknown(v reflect.Value, at string) string {
	if v = reflect.Indirect(v); v.Kind() != reflect.Struct {
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
	hook, err := wire.Decode([]byte(`{"eventType":"conversation.completed","payload":{"customer":{"source":{"new":1}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if at := unknown(reflect.ValueOf(hook), "webhook"); at != "webhook.Payload.Customer.Source" {
		t.Errorf("found in %q", at)
	}
}

// TestWords looks every pair up in both directions.
func TestWords(t *testing.T) {
	t.Parallel()
	d := oration.New()
	for _, tt := range said {
		word, fit := d.Word(tt.eventType)
		if word != string(tt.word) || fit != tt.fit {
			t.Errorf("%s: %q, %v", tt.eventType, word, fit)
		}
	}
	for word, want := range map[string][]string{
		"conversation.userJoined":        {"conversation.user_joined", "session.joined", "conference.participant.entered"},
		"conversation.userLeft":          {"conversation.user_left", "session.left", "conference.participant.left"},
		"conversation.completed":         {"conversation.completed"},
		"conversation.analysisCompleted": {"conversation.analysis_completed"},
		"ping":                           nil,
	} {
		if diff := cmp.Diff(want, d.Types(word)); diff != "" {
			t.Errorf("types of %s (-want +got):\n%s", word, diff)
		}
	}
	for _, eventType := range []string{"session.created", "session.time_spent", "conference.ended", "conversation.userJoined", "oration.", "oration.conversation.userLeft", "iotum.x"} {
		if word, fit := d.Word(eventType); word != "" || fit != dialect.Unsaid {
			t.Errorf("%s: %q, %v, want none", eventType, word, fit)
		}
		if _, err := d.Render(message(eventType, `{}`)); !errors.Is(err, dialect.ErrUnrenderable) {
			t.Errorf("%s: rendered with error %v", eventType, err)
		}
	}
	if d.Name() != oration.Name || d.Observes() != (dialect.Observed{Joins: true, Leaves: true}) || d.EventTypes() != nil {
		t.Errorf("%s observes %+v", d.Name(), d.Observes())
	}
}

// TestMembers renders conversations in which something is missing or written otherwise.
func TestMembers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		data, tenant string
		want         map[string]string
	}{
		"there is no tenant":             {`{"id":"conv_1"}`, "", map[string]string{"workspaceId": "null"}},
		"the tenant is a text":           {`{"id":"conv_1","workspaceId":null}`, "acme", map[string]string{"workspaceId": `"acme"`}},
		"the workspace is given":         {`{"id":"conv_1","workspaceId":"ws_1"}`, "acme", map[string]string{"workspaceId": `"ws_1"`}},
		"the customer has none":          {`{"id":"conv_1","workspaceId":"ws_1","customer":{"id":"k"}}`, "acme", map[string]string{"workspaceId": `"ws_1"`, "customerId": `"k"`, "customer": person(map[string]string{"id": `"k"`, "workspaceId": `"ws_1"`})}},
		"nobody has one":                 {`{"id":"conv_1","customer":{"id":"k"},"customerId":"l"}`, "acme", map[string]string{"workspaceId": `"acme"`, "customerId": `"l"`, "customer": person(map[string]string{"id": `"k"`, "workspaceId": `"acme"`})}},
		"ids are numbers":                {`{"id":9007199254740993,"agentId":-1,"campaignId":1.5}`, "4117", map[string]string{"id": `"9007199254740993"`, "agentId": `"-1"`, "campaignId": `"1.5"`}},
		"ids are texts":                  {`{"id":"9007199254740993","phoneId":"007"}`, "4117", map[string]string{"id": `"9007199254740993"`, "phoneId": `"007"`}},
		"variables are a string":         {`{"id":"conv_1","dynamicVariables":"{\"source\": \"website\"}"}`, "4117", map[string]string{"dynamicVariables": `"{\"source\": \"website\"}"`}},
		"variables are an object":        {`{"id":"conv_1","dynamicVariables":{"b" : "\u003cx>", "a": {"c": [ 1, null ]}}}`, "4117", map[string]string{"dynamicVariables": `"{\"b\":\"\\u003cx>\",\"a\":{\"c\":[1,null]}}"`}},
		"variables are empty":            {`{"id":"conv_1","dynamicVariables":{}}`, "4117", map[string]string{"dynamicVariables": `"{}"`}},
		"variables are any text":         {`{"id":"conv_1","dynamicVariables":"a=1\u0026b"}`, "4117", map[string]string{"dynamicVariables": `"a=1&b"`}},
		"texts are escaped for HTML":     {`{"id":"conv_1","wsUrl":"wss:\/\/w?a=1\u0026b\u003c\n\ud83d\ude00"}`, "4117", map[string]string{"wsUrl": `"wss://w?a=1&b<\n😀"`}},
		"times are in odd forms":         {`{"id":"conv_1","callStartTime":"2027-03-04","callEndTime":1804136767123,"userJoinTime":"2027-03-04T05:06:07.9999999-01:00","userLeaveTime":"2027-03-04T05:06:07+0200"}`, "4117", map[string]string{"callStartTime": `"2027-03-04T00:00:00.000Z"`, "callEndTime": `"2027-03-04T05:06:07.123Z"`, "userJoinTime": `"2027-03-04T06:06:07.999Z"`, "userLeaveTime": `"2027-03-04T03:06:07.000Z"`}},
		"it was updated at another time": {`{"id":"conv_1","updatedAt":"2027-03-04T05:06:09Z"}`, "4117", map[string]string{"updatedAt": `"2027-03-04T05:06:09.000Z"`}},
		"a leave has no join":            {`{"id":"conv_1","userJoinTime":null,"userLeaveTime":"2027-03-04T05:06:09Z","endReason":"user_did_not_answer"}`, "4117", map[string]string{"userLeaveTime": `"2027-03-04T05:06:09.000Z"`, "endReason": `"user_did_not_answer"`}},
		"metadata are anything":          {`{"id":"conv_1","postCallMetadata":[ 1, "a b" ],"customer":{"metadata":"m","priority":"2","isDoNotDisturbEnabled":true}}`, "4117", map[string]string{"postCallMetadata": `[1,"a b"]`, "customer": person(map[string]string{"metadata": `"m"`, "priority": "2", "isDoNotDisturbEnabled": "true"})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message("conversation.completed", `{"conversation":`+tt.data+`}`)
			m.Tenant = tt.tenant
			if diff := cmp.Diff(body("conversation.completed", nulls(tt.want)), render(t, m)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNewerMembers writes each of the newer generation only when it is set.
func TestNewerMembers(t *testing.T) {
	t.Parallel()
	base := strings.TrimSuffix(nulls(nil), "}")
	for member, value := range map[string]string{
		"flowId": `"f"`, "agentJoinTime": `"2027-03-04T05:06:09.000Z"`, "agentLeaveTime": `"2027-03-04T05:06:09.000Z"`, "transferStartTime": `"2027-03-04T05:06:09.000Z"`,
		"transferEndTime": `"2027-03-04T05:06:09.000Z"`, "transferUserJoinTime": `"2027-03-04T05:06:09.000Z"`, "transferUserLeaveTime": `"2027-03-04T05:06:09.000Z"`,
		"transferStatus": `"s"`, "transferDestination": `"d"`, "recordingUrl": `"u"`, "transcript": `{"a":1}`,
	} {
		for given, want := range map[string]string{value: `,"` + member + `":` + value + `}`, "null": "}"} {
			got := render(t, message("conversation.completed", `{"conversation":{"id":"conv_1","`+member+`":`+given+`}}`))
			if diff := cmp.Diff(body("conversation.completed", base+want), got); diff != "" {
				t.Errorf("%s is %s (-want +got):\n%s", member, given, diff)
			}
		}
	}
}

// TestEventID expects an id that follows from the message's alone.
func TestEventID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{messageID: eventID, "preview": "evt_preview", "": "evt_"} {
		m := message("oration.ping", "{}")
		m.ID = id
		if got := render(t, m); got != `{"eventId":"`+want+`","eventType":"ping","payload":{}}` {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// TestUnrenderable expects errors that name the member and quote nothing.
func TestUnrenderable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ eventType, payload, want string }{
		{"conversation.completed", `{"data":{"conversation":{"id":["secret"]}}}`, "payload.id must be a string or a number"},
		{"conversation.completed", `{"data":{"conversation":{"callEndTime":"secret"}}}`, "payload.callEndTime must be a time"},
		{"conversation.completed", `{"data":{"conversation":{"summary":{"secret":1}}}}`, "payload.summary must be a string"},
		{"conversation.completed", `{"data":{"conversation":{"customer":"secret"}}}`, "payload.customer must be an object"},
		{"conversation.completed", `{"data":{"conversation":{"customer":{"priority":"secret"}}}}`, "payload.customer.priority must be a whole number"},
		{"conversation.completed", `{"data":{"conversation":{"customer":{"isDoNotDisturbEnabled":"secret"}}}}`, "payload.customer.isDoNotDisturbEnabled must be true or false"},
		{"conversation.completed", `{"data":{"conversation":{"customer":{"source":["secret"]}}}}`, "payload.customer.source must be an object"},
		{"conversation.completed", `{"data":{"conversation":"secret"}}`, "payload must be an object"},
		{"conversation.completed", `{"data":{"conversation":null}}`, "payload.data.conversation must be an object"},
		{"conversation.completed", `{"data":{"secret":1}}`, "payload.data.conversation must be an object"},
		{"session.joined", `{"data":{"session":{"id":["secret"]}}}`, "conversation.id must be a string or a number"},
		{"conversation.completed", `{"timestamp":"secret","data":{"conversation":{}}}`, "payload.timestamp must be a time"},
		{"oration.ping", `{"data":["secret"]}`, "payload.data must be an object"},
		{"conversation.completed", `"secret"`, "payload must be an object"},
	} {
		m := message(tt.eventType, "{}")
		m.Payload = []byte(tt.payload)
		got, err := oration.New().Render(m)
		if !errors.Is(err, dialect.ErrUnrenderable) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || got != nil {
			t.Errorf("%s: %s, error %v, want one with %q", tt.payload, got, err, tt.want)
		}
	}
}

// parse parses, or fails the test.
func parse(t *testing.T, text string) dialect.Activity {
	t.Helper()
	a, err := oration.New().Parse(dialect.Request{Body: []byte(text)})
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return a
}

// samples are the documented bodies, and what differs in what is rendered from them again:
// members by their paths, and what they become; undefined is absent.
var samples = map[string]map[string]any{
	"conversation.userJoined": nil,
	// Of the newer generation, which lacks members of the page's that are written, and has
	// others that are written only if they are set.
	"conversation.completed":         newerDiffers,
	"conversation.analysisCompleted": newerDiffers,
}

type absent struct{}

var newerDiffers = map[string]any{
	"wsUrl": nil, "llmUrl": nil, "postCallNotes": nil, "postCallCategory1": nil, "postCallCategory2": nil, "postCallCategory3": nil, "summary": nil,
	"transferStartTime": absent{}, "transferEndTime": absent{}, "transferUserJoinTime": absent{}, "transferUserLeaveTime": absent{},
	"transferStatus": absent{}, "transferDestination": absent{},
}

// TestSamples parses the documented bodies and renders them again: the same but for the
// event's id, which is made of the message's, and what is named above.
func TestSamples(t *testing.T) {
	t.Parallel()
	for word, differs := range samples {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			page, err := os.ReadFile(filepath.Join("testdata", word+".json"))
			if err != nil {
				t.Fatal(err)
			}
			a := parse(t, string(page))
			if at := time.Date(2023, 1, 1, 12, 0, 0, 0, time.UTC); a.ID != "evt_01234567890abcdef" || !a.At.Equal(at) || oration.New().Types(word)[0] != a.Type {
				t.Errorf("id %s, type %s, at %v", a.ID, a.Type, a.At)
			}
			want, got := decode(t, page), decode(t, []byte(render(t, dialect.Message{ID: messageID, Type: a.Type, Tenant: "acme", Payload: a.Payload})))
			want["eventId"] = eventID
			payload := want["payload"].(map[string]any)
			for member, becomes := range differs {
				if payload[member] = becomes; becomes == (absent{}) {
					delete(payload, member)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-page +rendered):\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRoundTrip parses what was rendered, of every event, and renders it again: the same
// bytes but for the event's id, which must be what the message's became.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tt := range said {
		first := render(t, message(tt.eventType, tt.data))
		a := parse(t, first)
		if a.ID != eventID || tt.fit == dialect.Exact && a.Type != tt.eventType {
			t.Errorf("%s came back as %s, id %s", tt.eventType, a.Type, a.ID)
		}
		second := render(t, dialect.Message{ID: messageID, Type: a.Type, Payload: a.Payload})
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s (-first +second):\n%s", tt.eventType, diff)
		}
	}
}

// TestParse reads bodies that are not as they should be, as far as possible.
func TestParse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, id, payload string }{
		"members are not known":       {`{"eventId":"e","eventType":"conversation.userJoined","payload":{"id":"c","new":{"a":[1]},"customer":{"new":null,"id":7}},"more":1}`, "e", `{"type":"conversation.user_joined","data":{"conversation":{"id":"c","new":{"a":[1]},"customer":{"new":null,"id":7}}}}`},
		"values are of another kind":  {`{"eventId":"e","eventType":"conversation.completed","payload":{"id":{"a":1},"callEndTime":"soon","customer":"John","summary":7,"dynamicVariables":[1]}}`, "e", `{"type":"conversation.completed","data":{"conversation":{"id":{"a":1},"callEndTime":"soon","customer":"John","summary":7,"dynamicVariables":[1]}}}`},
		"nulls stay, times are alike": {`{"eventId":"e","eventType":"conversation.completed","payload":{"userJoinTime":null,"updatedAt":"2027-03-04T05:06:07+01:00","customer":null}}`, "e", `{"type":"conversation.completed","timestamp":"2027-03-04T04:06:07.000Z","data":{"conversation":{"userJoinTime":null,"updatedAt":"2027-03-04T04:06:07.000Z","customer":null}}}`},
		"the id is a number":          {`{"eventId":12345678901234567890,"eventType":"ping"}`, "12345678901234567890", `{"type":"oration.ping","data":{}}`},
		"an event is not known":       {`{"eventId":"e","eventType":"agent.updated","payload":{"id":"a","updatedAt":"2027-03-04T05:06:07.1Z","wsUrl": 1}}`, "e", `{"type":"oration.agent.updated","timestamp":"2027-03-04T05:06:07.100Z","data":{"id":"a","updatedAt":"2027-03-04T05:06:07.1Z","wsUrl": 1}}`},
		"an unknown event has a list": {`{"eventId":"e","eventType":"agents.listed","payload":[{"id":1}]}`, "e", `{"type":"oration.agents.listed","data":[{"id":1}]}`},
		"an unknown event has a text": {`{"eventId":"e","eventType":"x-y_Z","payload":"t"}`, "e", `{"type":"oration.x-y_Z","data":"t"}`},
		"an unknown event has null":   {`{"eventId":"e","eventType":"ping","payload":null}`, "e", `{"type":"oration.ping","data":{}}`},
		"there is space":              {" {\n \"eventType\" : \"conversation.userLeft\" , \"eventId\" : \"e\", \"payload\" : { \"id\" : \"c\" } } ", "e", `{"type":"conversation.user_left","data":{"conversation":{"id":"c"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := parse(t, tt.in)
			if diff := cmp.Diff(tt.payload, string(a.Payload)); diff != "" || a.ID != tt.id {
				t.Errorf("id %s, payload (-want +got):\n%s", a.ID, diff)
			}
		})
	}
}

// TestParseTime expects an edge at its own time, and anything else at the last change's.
func TestParseTime(t *testing.T) {
	t.Parallel()
	const times = `"userJoinTime":"2027-03-04T05:00:01Z","userLeaveTime":"2027-03-04T05:00:02Z","callEndTime":"2027-03-04T05:00:03Z","updatedAt":"2027-03-04T05:00:04Z"`
	for _, tt := range []struct {
		word, payload string
		second        int // 0 = none
	}{
		{"conversation.userJoined", times, 1},
		{"conversation.userLeft", times, 2},
		{"conversation.completed", times, 4},
		{"conversation.analysisCompleted", times, 4},
		{"conversation.paused", times, 4},
		{"conversation.userJoined", `"userJoinTime":null,"userLeaveTime":"2027-03-04T05:00:02Z","updatedAt":"2027-03-04T05:00:04Z"`, 4},
		{"conversation.userLeft", `"userLeaveTime":"soon","updatedAt":"2027-03-04T05:00:04Z"`, 4},
		{"conversation.userLeft", `"userJoinTime":"2027-03-04T05:00:01Z"`, 0},
		{"conversation.completed", `"updatedAt":true`, 0},
	} {
		want := time.Time{}
		if tt.second > 0 {
			want = time.Date(2027, 3, 4, 5, 0, tt.second, 0, time.UTC)
		}
		a := parse(t, `{"eventId":"e","eventType":"`+tt.word+`","payload":{`+tt.payload+`}}`)
		if !a.At.Equal(want) || strings.Contains(string(a.Payload), `"timestamp"`) != (tt.second > 0) {
			t.Errorf("%s %s: at %v, want %v; payload %s", tt.word, tt.payload, a.At, want, a.Payload)
		}
	}
}

// TestParseID takes the id of the headers where the body has none, and else a hash.
func TestParseID(t *testing.T) {
	t.Parallel()
	text := []byte(`{"eventId":null,"eventType":"ping"}`)
	for _, tt := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"Webhook-Id": {"msg_1"}}, "msg_1"},
		{nil, dialect.HashID(text)},
	} {
		a, err := oration.New().Parse(dialect.Request{Header: tt.header, Body: text})
		if err != nil || a.ID != tt.want {
			t.Errorf("%v: id %s, error %v, want %s", tt.header, a.ID, err, tt.want)
		}
	}
}

// TestUnreadable expects errors that name the member and quote nothing.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                              "is not valid JSON",
		`{"eventType":"ping"} {}`:       "is not valid JSON",
		`["secret"]`:                    "body must be an object",
		`{"eventId":"secret"}`:          "eventType must be a name",
		`{"eventType":7}`:               "eventType must be a name",
		`{"eventType":"secret secret"}`: "eventType must be a name",
		`{"eventType":"` + strings.Repeat("secret", 40) + `"}`:           "eventType must be a name",
		`{"eventType":"conversation.completed"}`:                         "payload must be an object",
		`{"eventType":"conversation.userLeft","payload":null}`:           "payload must be an object",
		`{"eventType":"conversation.userLeft","payload":"secret"}`:       "payload must be an object",
		`{"eventType":"conversation.userLeft","payload":[{"secret":1}]}`: "payload must be an object",
	} {
		a, err := oration.New().Parse(dialect.Request{Body: []byte(in)})
		if !errors.Is(err, dialect.ErrUnreadable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want one with %q", in, err, want)
		}
		if diff := cmp.Diff(dialect.Activity{}, a); diff != "" {
			t.Errorf("%s: an activity besides the error:\n%s", in, diff)
		}
	}
}

// TestSign signs with both secrets, under the standard's names and no others; the
// standard's own library accepts either, and no third.
func TestSign(t *testing.T) {
	t.Parallel()
	d := oration.New()
	newest, oldest, other := d.NewSecret(), d.NewSecret(), d.NewSecret()
	s, err := d.NewSigner([]string{newest, oldest})
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(render(t, message("conversation.user_joined", full)))
	h := http.Header{}
	s.Sign(h, messageID, time.Now(), text)
	if len(h) != 3 || h["Webhook-Id"] == nil || h["Webhook-Timestamp"] == nil || h["Webhook-Signature"] == nil {
		t.Errorf("headers %v", h)
	}
	for secret, accepts := range map[string]bool{newest: true, oldest: true, other: false} {
		if !strings.HasPrefix(secret, "whsec_") || d.CheckSecret(secret) != nil {
			t.Errorf("a secret is none")
		}
		library, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := library.Verify(text, h); (err == nil) != accepts {
			t.Errorf("the library's error is %v", err)
		}
		v, err := d.Verify([]string{secret}, dialect.Request{Header: h, Body: text})
		if err != nil || v.Valid != accepts {
			t.Errorf("verdict %+v, error %v", v, err)
		}
	}
	if err := d.CheckSecret("whsec_short"); err == nil || strings.Contains(err.Error(), "whsec_short") {
		t.Errorf("a short secret: error %v", err)
	}
	if d.Secrets() != (dialect.Secrets{}) {
		t.Errorf("secrets are %+v", d.Secrets())
	}
}

// BenchmarkRender renders a payload of about 1.3 KB, the page's sample.
func BenchmarkRender(b *testing.B) {
	page, err := os.ReadFile("testdata/conversation.userJoined.json")
	if err != nil {
		b.Fatal(err)
	}
	d := oration.New()
	a, err := d.Parse(dialect.Request{Body: page})
	if err != nil {
		b.Fatal(err)
	}
	m := dialect.Message{ID: messageID, Type: a.Type, Time: accepted, Tenant: "acme", Payload: a.Payload}
	b.SetBytes(int64(len(m.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Render(m); err != nil {
			b.Fatal(err)
		}
	}
}
