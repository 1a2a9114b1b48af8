package restapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/ingest"
)

func TestParseMessage(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 9, 0, 0, 123456789, time.UTC)
	for _, row := range []struct {
		name, body string
		want       ingest.Message
	}{
		{"the least", `{"eventType":"a.b","payload":{}}`, ingest.Message{EventType: "a.b", Payload: []byte("{}")}},
		{
			"white space stays in the payload alone", "\n { \"payload\" : { \"x\" :\t1 } , \"eventType\" : \"a.b\" } \r\n",
			ingest.Message{EventType: "a.b", Payload: []byte("{ \"x\" :\t1 }")},
		},
		{"escapes", `{"\u0065ventType":"a\u002eb","payload":{"\u0061":"\ud83d\ude00"}}`, ingest.Message{EventType: "a.b", Payload: []byte(`{"\u0061":"\ud83d\ude00"}`)}},
		{"data", `{"eventType":"a.b","data":{"n":1}}`, ingest.Message{EventType: "a.b", Payload: []byte(`{"n":1}`)}},
		{"raw payload", `{"eventType":"a.b","payload":{},"transformationsParams":{"rawPayload":" {\"n\":1}"}}`, ingest.Message{EventType: "a.b", Payload: []byte(` {"n":1}`)}},
		{"other parameters", `{"eventType":"a.b","payload":{},"transformationsParams":{"x":1}}`, ingest.Message{EventType: "a.b", Payload: []byte(`{}`)}},
		{"a duplicate name", `{"eventType":"x","eventType":"a.b","payload":{"a":1,"a":2}}`, ingest.Message{EventType: "a.b", Payload: []byte(`{"a":1,"a":2}`)}},
		{
			"null is absence", `{"eventType":"a.b","payload":{},"eventId":null,"channels":null,"tags":null,"deliverAt":null,"deadline":null,
			"payloadRetentionPeriod":null,"payloadRetentionHours":null,"application":null,"transformationsParams":null,"orderingKey":null}`,
			ingest.Message{EventType: "a.b", Payload: []byte(`{}`)},
		},
		{
			"everything", `{"eventType":"a.b","payload":{},"eventId":"e","channels":["c","d"],"tags":["t"],"deliverAt":"2026-05-04T11:00:00.123456789+02:00",
			"deadline":"1h30m","payloadRetentionHours":12,"orderingKey":"k","unknown":{"deep":[{"eventType":"no"}]}}`,
			ingest.Message{
				EventType: "a.b", Payload: []byte(`{}`), EventID: "e", Channels: []string{"c", "d"}, Tags: []string{"t"}, DeliverAt: at,
				Deadline: 90 * time.Minute, Retention: 12 * time.Hour, OrderKey: "k",
			},
		},
		{"days", `{"eventType":"a.b","payload":{},"payloadRetentionPeriod":90}`, ingest.Message{EventType: "a.b", Payload: []byte(`{}`), Retention: 90 * 24 * time.Hour}},
		{"an empty array is not absence", `{"eventType":"a.b","payload":{},"channels":[]}`, ingest.Message{EventType: "a.b", Payload: []byte(`{}`), Channels: []string{}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseMessage([]byte(row.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got.Message, cmpopts.EquateApproxTime(0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseMessageKeepsTheApplicationForLater(t *testing.T) {
	t.Parallel()
	in, err := parseMessage([]byte(`{"eventType":"a","payload":{},"application":{"name":"n"}}`))
	if err != nil || string(in.application) != `{"name":"n"}` {
		t.Errorf("%s, %v", in.application, err)
	}
}

// The payload is a part of the body, whose memory ingest keeps: what is appended
// to it must not run into the rest.
func TestPayloadCannotGrowIntoTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(`{"eventType":"a","payload":{"n":1},"eventId":"e"}`)
	in, err := parseMessage(body)
	if err != nil {
		t.Fatal(err)
	}
	_ = append(in.Payload, "XXXX"...)
	if bytes.Contains(body, []byte("XXXX")) {
		t.Error("an append to the payload changed the body")
	}
}

// FuzzParseMessage holds the parser to encoding/json: the same bodies are JSON,
// the same fields come out, and the payload is what stood in the body.
func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{
		`{"eventType":"a.b","payload":{"x":[1,2,{"y":null}]},"eventId":"e","channels":["c"],"tags":[]}`,
		`{"eventType":5,"payload":"x","channels":["a",{"b":[1]},2]}`, `{"data":{},"eventType":"x"}`, `[1]`, `{"eventType":"a","payload":{}`, `{"a":1}x`,
		`{"eventType":{"a":[[]]},"deliverAt":"2026-01-01T00:00:00Z","deadline":"5s","payloadRetentionPeriod":7,"transformationsParams":{"rawPayload":"{}"}}`,
		"\xff", `{"payload":{"a":"\ud800"}}`, `nul`, ` null `, `{"eventType":"a","eventType":["b"],"payload":{}}`, `{"application":{"name":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 1<<16 {
			return
		}
		before := bytes.Clone(body)
		in, err := parseMessage(body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		switch kind := errs.KindOf(err); {
		case err == nil:
			checkParsed(t, body, in)
		case kind == errs.Malformed:
			// encoding/json lets broken UTF-8 and lone surrogates through; ours must not.
			if json.Valid(body) && utf8.Valid(body) && !strings.Contains(strings.ToLower(string(body)), `\ud`) {
				t.Fatalf("valid JSON was called malformed: %v", err)
			}
		case kind == errs.Invalid:
			if !json.Valid(body) {
				t.Fatal("broken JSON was called invalid")
			}
		default:
			t.Fatalf("error of kind %d: %v", kind, err)
		}
	})
}

func checkParsed(t *testing.T, body []byte, in messageIn) {
	t.Helper()
	if !json.Valid(body) {
		t.Fatal("broken JSON was accepted")
	}
	if !json.Valid(in.Payload) || bytes.TrimLeft(in.Payload, " \t\r\n")[0] != '{' {
		t.Fatalf("the payload %q is no JSON object", in.Payload)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	var eventType string
	if err := json.Unmarshal(fields["eventType"], &eventType); err != nil || eventType != in.EventType {
		t.Fatalf("event type %q, want %q", in.EventType, eventType)
	}
	if fields["transformationsParams"] != nil {
		return
	}
	want := fields["payload"]
	if want == nil {
		want = fields["data"]
	}
	if !bytes.Equal(want, in.Payload) {
		t.Fatalf("payload %q, want %q", in.Payload, want)
	}
}

var benchBody = []byte(`{"eventType":"session.joined","eventId":"join-4711","payload":{"type":"session.joined","timestamp":"2026-05-04T09:00:00Z",` +
	`"data":{"sessionId":"0ujsswThIGTUYm2K8FjOOfXtY1K","registrationId":"r-88213","email":"jane@example.com","name":"Jane Doe",` +
	`"event":{"id":"e-17","number":4711,"title":"Spring summit","status":"live"},"device":"desktop","notes":"` + strings.Repeat("text ", 40) + `"}}}`)

// BenchmarkParseMessage compares the walk over tokens with decoding into a struct.
func BenchmarkParseMessage(b *testing.B) {
	b.Run("tokens", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := parseMessage(benchBody); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var in struct {
				EventType string          `json:"eventType"`
				EventID   *string         `json:"eventId"`
				Payload   json.RawMessage `json:"payload"`
				Channels  []string        `json:"channels"`
				Tags      []string        `json:"tags"`
			}
			if err := json.Unmarshal(benchBody, &in); err != nil {
				b.Fatal(err)
			}
		}
	})
}
