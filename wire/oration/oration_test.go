package oration_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/oration"
)

// TestSamples reads whole bodies and expects their very bytes again, but for white
// space: the same members in the same order with the same values.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, event := range []oration.EventType{oration.EventUserJoined, oration.EventCompleted, oration.EventAnalysisCompleted} {
		t.Run(string(event), func(t *testing.T) {
			t.Parallel()
			body := sample(t, event)
			hook := decode(t, body)
			if hook.EventType != event {
				t.Errorf("event type %q", hook.EventType)
			}
			for level, unknown := range map[string]wire.Fields{
				"webhook": hook.Unknown, "payload": hook.Payload.Unknown, "customer": hook.Payload.Customer.Unknown,
			} {
				if unknown != nil {
					t.Errorf("%s has members without a field: %v", level, unknown)
				}
			}
			if diff := cmp.Diff(body, encode(t, hook)); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBuiltLikeTheSample builds the vendor's sample from Go values, so that every
// field is known to be the right one.
func TestBuiltLikeTheSample(t *testing.T) {
	t.Parallel()
	noon := wire.Millis{Time: time.Date(2023, 1, 1, 12, 0, 0, 0, time.UTC)}
	hook := &oration.Webhook{
		EventID:   wire.Text("evt_01234567890abcdef"),
		EventType: oration.EventUserJoined,
		Payload: &oration.Conversation{
			ID:            wire.Text("conv_1234567890abcdef"),
			PhoneID:       wire.Text("phone_1234567890abcdef"),
			AgentID:       wire.Text("agent_1234567890abcdef"),
			WorkspaceID:   wire.Text("ws_1234567890abcdef"),
			WSURL:         "wss://api.example.com/ws/conv_1234567890abcdef",
			LLMURL:        "https://api.example.com/llm/conv_1234567890abcdef",
			CallStartTime: noon,
			UserJoinTime:  noon,
			CustomerID:    wire.Text("cust_1234567890abcdef"),
			Customer: &oration.Customer{
				Name:                  "John Doe",
				ID:                    wire.Text("cust_1234567890abcdef"),
				CreatedAt:             noon,
				UpdatedAt:             noon,
				WorkspaceID:           wire.Text("ws_1234567890abcdef"),
				Email:                 "john.doe@example.com",
				PhoneNumber:           "+1234567890",
				Identifier:            wire.Text("john.doe"),
				Priority:              new(1),
				IsDoNotDisturbEnabled: new(false),
				Metadata:              json.RawMessage(`{"custom_field":"value"}`),
			},
			ToPhoneNumber:      "+1234567890",
			FromPhoneNumber:    "+0987654321",
			ConversationStatus: oration.StatusActive,
			TelephonyType:      oration.TelephonyInbound,
			TelephonyStatus:    "active",
			RecordingStatus:    oration.RecordingInProgress,
			ConversationType:   oration.TypeTelephony,
			DynamicVariables:   `{"source": "website", "referrer": "google"}`,
			CreatedAt:          noon,
			UpdatedAt:          noon,
		},
	}
	// The sample's summary is "": in Go that is not set, and written as null.
	want := strings.Replace(sample(t, oration.EventUserJoined), `"summary":""`, `"summary":null`, 1)
	if diff := cmp.Diff(want, encode(t, hook)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// TestNewerFields expects each of the newer generation's members in its field.
func TestNewerFields(t *testing.T) {
	t.Parallel()
	at := func(second int) wire.Millis {
		return wire.Millis{Time: time.Date(2027, 3, 4, 5, 6, second, 0, time.UTC)}
	}
	got := marshal(t, &oration.Webhook{Payload: &oration.Conversation{
		FlowID: wire.Text("flow"), AgentJoinTime: at(1), AgentLeaveTime: at(2), TransferStartTime: at(3),
		TransferEndTime: at(4), TransferUserJoinTime: at(5), TransferUserLeaveTime: at(6), TransferStatus: "done",
		TransferDestination: "+1", RecordingURL: "https://r", Transcript: json.RawMessage(`[]`),
		Customer: &oration.Customer{Source: &oration.Source{Method: "api"}},
	}})
	for _, want := range []string{
		`"updatedAt":null,"flowId":"flow","agentJoinTime":"2027-03-04T05:06:01.000Z","agentLeaveTime":"2027-03-04T05:06:02.000Z",` +
			`"transferStartTime":"2027-03-04T05:06:03.000Z","transferEndTime":"2027-03-04T05:06:04.000Z",` +
			`"transferUserJoinTime":"2027-03-04T05:06:05.000Z","transferUserLeaveTime":"2027-03-04T05:06:06.000Z",` +
			`"transferStatus":"done","transferDestination":"+1","recordingUrl":"https://r","transcript":[]}`,
		`"metadata":null,"source":{"method":"api"}}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
}

// TestBuiltEmpty expects the page's members as null and no newer ones.
func TestBuiltEmpty(t *testing.T) {
	t.Parallel()
	want := `{"eventId":null,"eventType":null,"payload":{"id":null,"phoneId":null,"agentId":null,"workspaceId":null,"wsUrl":null,` +
		`"llmUrl":null,"callStartTime":null,"callEndTime":null,"userJoinTime":null,"userLeaveTime":null,"customerId":null,` +
		`"customer":{"name":null,"id":null,"createdAt":null,"updatedAt":null,"workspaceId":null,"email":null,"phoneNumber":null,` +
		`"identifier":null,"priority":null,"sourceFile":null,"isDoNotDisturbEnabled":null,"metadata":null},"toPhoneNumber":null,` +
		`"fromPhoneNumber":null,"conversationStatus":null,"telephonyType":null,"telephonyStatus":null,"endReason":null,` +
		`"recordingStatus":null,"postCallNotes":null,"postCallCategory1":null,"postCallCategory2":null,"postCallCategory3":null,` +
		`"postCallMetadata":null,"conversationType":null,"dynamicVariables":null,"summary":null,"campaignId":null,` +
		`"campaignRunId":null,"createdAt":null,"updatedAt":null}}`
	got := marshal(t, &oration.Webhook{Payload: &oration.Conversation{Customer: &oration.Customer{}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// TestReadAndWritten reads what differs from the samples and writes it again.
func TestReadAndWritten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{ // want "" is in
		"nothing is invented":            {`{"eventType":"conversation.userLeft","payload":{}}`, ``},
		"nor in the objects inside":      {`{"eventType":"conversation.completed","payload":{"customer":{"source":{}}}}`, ``},
		"null stays null":                {`{"eventId":null,"eventType":"conversation.completed","payload":{"id":null,"customer":null,"summary":null,"flowId":null,"agentJoinTime":null,"transferStatus":null,"transcript":null}}`, ``},
		"an empty text stays one":        {`{"eventId":"","eventType":"conversation.completed","payload":{"id":"","endReason":"","dynamicVariables":"","updatedAt":"","recordingUrl":""}}`, ``},
		"a year of nothing":              {`{"eventType":"conversation.completed","payload":{"updatedAt":"0001-01-01T00:00:00Z"}}`, ``},
		"false and zero are values":      {`{"eventType":"conversation.userLeft","payload":{"customer":{"priority":0,"isDoNotDisturbEnabled":false}}}`, ``},
		"ids are numbers":                {`{"eventId":7,"eventType":"conversation.userLeft","payload":{"id":12345678901234567890,"customer":{"id":1}}}`, ``},
		"a leave without a join":         {`{"eventType":"conversation.userLeft","payload":{"userJoinTime":null,"userLeaveTime":"2023-01-01T12:00:00.000Z","endReason":"user_did_not_answer"}}`, ``},
		"values without a constant":      {`{"eventType":"conversation.userLeft","payload":{"conversationStatus":"parked","telephonyType":"both","endReason":"eclipse","recordingStatus":"lost","conversationType":"fax"}}`, ``},
		"nothing is escaped":             {`{"eventType":"conversation.userLeft","payload":{"customer":{"name":"<J> & D","metadata":{"<":"&"}},"new":"<&>"}}`, ``},
		"members without a field":        {`{"eventId":"e","eventType":"conversation.userLeft","payload":{"id":"c","customer":{"name":"n","source":{"method":"m","a":1},"b":[2]},"c":{"d":3}},"e":null}`, ``},
		"they come last":                 {`{"e":1,"eventType":"conversation.userLeft","payload":{"z":{"y":1,"x":2},"id":"c"}}`, `{"eventType":"conversation.userLeft","payload":{"id":"c","z":{"y":1,"x":2}},"e":1}`},
		"the order is the page's":        {`{"payload":{"updatedAt":null,"transcript":"t","id":"c"},"eventType":"conversation.completed","eventId":"e"}`, `{"eventId":"e","eventType":"conversation.completed","payload":{"id":"c","updatedAt":null,"transcript":"t"}}`},
		"other forms of a time":          {`{"eventType":"conversation.userLeft","payload":{"createdAt":"2027-03-04T06:06:07+01:00","updatedAt":1804136767123}}`, `{"eventType":"conversation.userLeft","payload":{"createdAt":"2027-03-04T05:06:07.000Z","updatedAt":"2027-03-04T05:06:07.123Z"}}`},
		"variables are an object":        {`{"eventType":"conversation.userLeft","payload":{"dynamicVariables":{"b":"<x>","a":1}}}`, `{"eventType":"conversation.userLeft","payload":{"dynamicVariables":"{\"b\":\"<x>\",\"a\":1}"}}`},
		"variables are any text":         {`{"eventType":"conversation.userLeft","payload":{"dynamicVariables":"a=1"}}`, ``},
		"an event of a later day":        {`{"eventId":"e","eventType":"conversation.paused","payload":{"id":"c","pause":1}}`, ``},
		"it has no payload":              {`{"eventId":"e","eventType":"ping"}`, ``},
		"its payload is null":            {`{"eventId":"e","eventType":"ping","payload":null}`, ``},
		"its payload is something else":  {`{"eventId":"e","eventType":"agents.listed","payload":[{"id":1}]}`, ``},
		"its payload has another member": {`{"eventId":"e","eventType":"agent.updated","payload":{"id":"a","summary":{"de":"x"}}}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tt.want
			if want == "" {
				want = tt.in
			}
			if diff := cmp.Diff(want, encode(t, decode(t, tt.in))); diff != "" {
				t.Errorf("written again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChangedAfterReading sets and clears fields of what was read.
func TestChangedAfterReading(t *testing.T) {
	t.Parallel()
	hook := decode(t, `{"eventType":"conversation.userLeft","payload":{"id":"c","summary":"s","campaignId":null}}`)
	c := *hook.Payload // a copy remembers what the original had
	c.Summary = ""
	c.FlowID = wire.Text("f")
	c.AgentID = wire.Text("a")
	hook.Payload = &c
	want := `{"eventType":"conversation.userLeft","payload":{"id":"c","agentId":"a","summary":null,"campaignId":null,"flowId":"f"}}`
	if diff := cmp.Diff(want, encode(t, hook)); diff != "" {
		t.Errorf("written again (-want +got):\n%s", diff)
	}
}

// TestPayloadOfUnknownType expects a conversation where there is one, and otherwise
// none.
func TestPayloadOfUnknownType(t *testing.T) {
	t.Parallel()
	hook := decode(t, `{"eventType":"conversation.paused","payload":{"id":"c"}}`)
	if hook.Payload == nil || hook.Payload.ID != wire.Text("c") {
		t.Errorf("payload %+v", hook.Payload)
	}
	hook = decode(t, `{"eventType":"agents.listed","payload":[1]}`)
	if got := string(hook.Unknown.Get("payload")); hook.Payload != nil || got != "[1]" {
		t.Errorf("payload %+v, unknown %q", hook.Payload, got)
	}
}

// TestWrongBodies expects errors that name what is wrong.
func TestWrongBodies(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                                 "decode oration webhook: unexpected end of JSON input",
		`[]`:                               "decode oration webhook: is not a JSON object",
		`null`:                             "decode oration webhook: is not a JSON object",
		`{}`:                               "eventType: is missing",
		`{"eventType":null}`:               "eventType: is missing",
		`{"eventType":7}`:                  "eventType: is a number",
		`{"eventType":"x"} {}`:             "invalid character '{' after top-level value",
		`{"eventId":{}}`:                   "eventId: is neither a string nor a number",
		known(``):                          "payload: is missing",
		known(`"payload":null`):            "payload: is missing",
		known(`"payload":"conv"`):          "payload: is not a JSON object",
		inPayload(`"id":true`):             "payload: id: is neither a string nor a number",
		inPayload(`"summary":{}`):          "payload: summary: is a object",
		inPayload(`"summary":1`):           "payload: summary: is a number",
		inPayload(`"endReason":1`):         "payload: endReason: is a number",
		inPayload(`"callEndTime":"soon"`):  "payload: callEndTime: is not a time",
		inPayload(`"dynamicVariables":[]`): "payload: dynamicVariables: is neither a string nor an object",
		inPayload(`"customer":"John"`):     "payload: customer: is not a JSON object",
		inPayload(`"customer":{"priority":"high"}`):     "payload: customer: priority: is a string",
		inPayload(`"customer":{"createdAt":true}`):      "payload: customer: createdAt: is not a time",
		inPayload(`"customer":{"source":"api"}`):        "payload: customer: source: is not a JSON object",
		inPayload(`"customer":{"source":{"method":1}}`): "payload: customer: source: method: is a number",
	} {
		hook, err := oration.Decode([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", in, err, want)
		}
		if hook != nil {
			t.Errorf("%s: a webhook besides the error", in)
		}
	}
}

// TestCannotBeWritten expects an error that names the member.
func TestCannotBeWritten(t *testing.T) {
	t.Parallel()
	hook := oration.Webhook{Payload: &oration.Conversation{PostCallMetadata: json.RawMessage("{")}}
	if _, err := hook.MarshalJSON(); err == nil || !strings.Contains(err.Error(), "postCallMetadata: ") {
		t.Errorf("error %v, want one with postCallMetadata", err)
	}
	hook.EventType = oration.EventCompleted
	if _, err := oration.Encode(&hook); err == nil || !strings.HasPrefix(err.Error(), "encode oration webhook: payload: ") {
		t.Errorf("error %v, want one with payload", err)
	}
}

// TestEncodeWants expects Encode to refuse what Decode would.
func TestEncodeWants(t *testing.T) {
	t.Parallel()
	for want, hook := range map[string]*oration.Webhook{
		"encode oration webhook: eventType: is missing": {Payload: &oration.Conversation{}},
		"encode oration webhook: payload: is missing":   {EventType: oration.EventCompleted},
	} {
		if body, err := oration.Encode(hook); err == nil || err.Error() != want || body != nil {
			t.Errorf("%s, error %v, want %s", body, err, want)
		}
	}
}

// TestHas tells absent from empty, in objects of each type.
func TestHas(t *testing.T) {
	t.Parallel()
	read := decode(t, `{"eventType":"conversation.completed","payload":{"id":null,"summary":"","customer":{"email":"","source":{"new":1}},"new":1}}`)
	later := decode(t, `{"eventType":"agents.listed","payload":[1]}`)
	built := &oration.Conversation{Customer: &oration.Customer{Source: &oration.Source{}}, FlowID: wire.Text("f")}
	for _, tt := range []struct {
		object interface{ Has(string) bool }
		has    string
		lacks  string
	}{
		{read, "eventType payload", "eventId"},
		{read.Payload, "id summary customer new", "wsUrl flowId"},
		{read.Payload.Customer, "email source", "id metadata"},
		{read.Payload.Customer.Source, "new", "method"},
		{later, "eventType payload", "eventId"},
		{&oration.Webhook{}, "eventId eventType payload", "new"},
		{built, "id summary flowId", "agentJoinTime transcript"},
		{built.Customer, "id source", "new"},
		{built.Customer.Source, "method", "new"},
	} {
		for name := range strings.FieldsSeq(tt.has) {
			if !tt.object.Has(name) {
				t.Errorf("%T lacks %s", tt.object, name)
			}
		}
		for name := range strings.FieldsSeq(tt.lacks) {
			if tt.object.Has(name) {
				t.Errorf("%T has %s", tt.object, name)
			}
		}
	}
}

// FuzzDecode writes whatever can be read, and reads it again: it is the same.
func FuzzDecode(f *testing.F) {
	for _, event := range []oration.EventType{oration.EventUserJoined, oration.EventCompleted, oration.EventAnalysisCompleted} {
		f.Add([]byte(sample(f, event)))
	}
	f.Add([]byte(inPayload(`"dynamicVariables":{"a":"\u2028"},"x":[1],"updatedAt":1804136767123,"customer":{"source":{"y":null}}`)))
	f.Add([]byte(`{"eventType":"x","payload":[{"id":1}],"eventId":-0}`))
	f.Add([]byte(inPayload("\"dynamicVariables\":{\"\xff\":\"\xff\"},\"x\":\"\xff\"")))
	f.Fuzz(func(t *testing.T, body []byte) {
		hook, err := oration.Decode(body)
		if err != nil {
			return
		}
		first, err := oration.Encode(hook)
		if err != nil {
			t.Fatalf("what was read from %q cannot be written: %v", body, err)
		}
		again, err := oration.Decode(first)
		if err != nil {
			t.Fatalf("%s cannot be read again: %v", first, err)
		}
		second, err := oration.Encode(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("written %s, then %s (%v)", first, second, err)
		}
	})
}

// known is a body of a type that is known, with the members given.
func known(members string) string {
	return strings.Replace(`{"eventType":"conversation.userJoined",`+members+`}`, `,}`, `}`, 1)
}

// inPayload is a body of a type that is known, with the members given in its payload.
func inPayload(members string) string { return known(`"payload":{` + members + `}`) }

// sample is the body in testdata, without white space.
func sample(t testing.TB, event oration.EventType) string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", string(event)+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, file); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func decode(t *testing.T, body string) *oration.Webhook {
	t.Helper()
	hook, err := oration.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return hook
}

func encode(t *testing.T, hook *oration.Webhook) string {
	t.Helper()
	body, err := oration.Encode(hook)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// marshal writes what Encode does not: a webhook without a type.
func marshal(t *testing.T, hook *oration.Webhook) string {
	t.Helper()
	body, err := hook.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
