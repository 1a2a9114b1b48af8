package native_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// TestStandard reads what senders of Standard Webhooks send.
func TestStandard(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   dialect.Activity
		load   string
	}{
		"a native body": {
			http.Header{"Webhook-Id": {"msg_1"}, "Svix-Id": {"msg_2"}},
			` {"type":"user.created","timestamp":"2026-05-01T12:00:00Z","data":{"id": 1 },"more":[]} `,
			dialect.Activity{ID: "msg_1", Type: "user.created", At: at},
			`{"type":"user.created","timestamp":"2026-05-01T12:00:00Z","data":{"id": 1 },"more":[]}`,
		},
		"a number of milliseconds": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"type":"user.created","timestamp":1777636800000,"data":{}}`,
			dialect.Activity{ID: "msg_2", Type: "user.created", At: at},
			`{"type":"user.created","timestamp":1777636800000,"data":{}}`,
		},
		"no time": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"data":{},"type":"x"}`,
			dialect.Activity{ID: "msg_2", Type: "x"},
			`{"data":{},"type":"x"}`,
		},
		"a time that is none": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"data":{},"type":"x","timestamp":"noon"}`,
			dialect.Activity{ID: "msg_2", Type: "x"},
			`{"type":"x","data":{"data":{},"type":"x","timestamp":"noon"}}`,
		},
		"no data": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"type":"invoice.paid","amount":1.50,"timestamp":"2026-05-01T12:00:00Z"}`,
			dialect.Activity{ID: "msg_2", Type: "invoice.paid", At: at},
			`{"type":"invoice.paid","timestamp":"2026-05-01T12:00:00.000Z","data":{"type":"invoice.paid","amount":1.50,"timestamp":"2026-05-01T12:00:00Z"}}`,
		},
		"data that is no object": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"type":"a","data":[1]}`,
			dialect.Activity{ID: "msg_2", Type: "a"},
			`{"type":"a","data":{"type":"a","data":[1]}}`,
		},
		"no type": {
			http.Header{},
			`{"data":{}}`,
			dialect.Activity{ID: dialect.HashID([]byte(`{"data":{}}`)), Type: "standard.received"},
			`{"type":"standard.received","data":{"data":{}}}`,
		},
		"a type that no message can have": {
			http.Header{"Svix-Id": {"msg_2"}},
			`{"type":"user created","data":{}}`,
			dialect.Activity{ID: "msg_2", Type: "standard.received"},
			`{"type":"standard.received","data":{"type":"user created","data":{}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := native.Standard{}.Parse(dialect.Request{Header: tt.header, Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Payload = []byte(tt.load)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRaw reads any object, with the type where the source has it.
func TestRaw(t *testing.T) {
	t.Parallel()
	const body = ` {"event":{"type":"call.ended","n":7,"no":{}},"kind":"x y","empty":"" }`
	header := http.Header{"X-Event": {"push"}, "X-Long": {strings.Repeat("a", 257)}, "X-Odd": {"a/b"}}
	for _, tt := range []struct {
		header, field string
		want          string // "" = unreadable
	}{
		{"", "", "raw.received"},
		{"x-event", "", "push"},
		{"X-Absent", "", "raw.received"},
		{"x-long", "", ""},
		{"x-odd", "", ""},
		{"", "event.type", "call.ended"},
		{"", "event.n", "7"},
		{"", "event.absent", "raw.received"},
		{"", "event.type.deeper", "raw.received"},
		{"", "empty", "raw.received"},
		{"", "kind", ""},
		{"", "event.no", ""},
		{"", "event", ""},
	} {
		d := native.Raw{TypeHeader: tt.header, TypeField: tt.field}
		got, err := d.Parse(dialect.Request{Header: header, Body: []byte(body)})
		if tt.want == "" {
			where := tt.header + tt.field
			if !errors.Is(err, dialect.ErrUnreadable) || !strings.Contains(err.Error(), where) || strings.Contains(err.Error(), "x y") || strings.Contains(err.Error(), "a/b") {
				t.Errorf("%s: %+v, error %v", where, got, err)
			}
			continue
		}
		want := dialect.Activity{
			ID: dialect.HashID([]byte(body)), Type: tt.want,
			Payload: []byte(`{"type":"` + tt.want + `","data":` + strings.TrimSpace(body) + `}`),
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%+v: error %v (-want +got):\n%s", d, err, diff)
		}
	}
}

// TestUnreadableSources: what is no JSON object is none in either dialect.
func TestUnreadableSources(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect.Dialect{native.Standard{}, native.Raw{}} {
		for _, body := range []string{"", "null", "[]", `"x"`, "{", `{"a":1}{}`, "{\"a\":\"\xff\"}"} {
			if a, err := d.Parse(dialect.Request{Header: http.Header{}, Body: []byte(body)}); !errors.Is(err, dialect.ErrUnreadable) {
				t.Errorf("%s reads %q as %+v, error %v", d.Name(), body, a, err)
			}
		}
	}
}

// TestNothingGoesOut in a dialect that only sources have.
func TestNothingGoesOut(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect.Dialect{native.Standard{}, native.Raw{}} {
		if word, fit := d.Word("session.joined"); word != "" || fit != dialect.Unsaid {
			t.Errorf("%s says %s", d.Name(), word)
		}
		if got := d.Types("session.joined"); got != nil {
			t.Errorf("%s has the types %q", d.Name(), got)
		}
		if got := d.EventTypes(); got != nil {
			t.Errorf("%s has types of its own", d.Name())
		}
		if _, err := d.Render(dialect.Message{Type: "x", Payload: []byte("{}")}); !errors.Is(err, dialect.ErrUnrenderable) {
			t.Errorf("%s: error %v", d.Name(), err)
		}
		if s, err := d.NewSigner([]string{d.NewSecret()}); err == nil || s != nil {
			t.Errorf("%s signs", d.Name())
		}
	}
	if got := (native.Standard{}).Observes(); got != (dialect.Observed{Joins: true, Leaves: true}) {
		t.Errorf("standard observes %+v", got)
	}
	if got := (native.Raw{}).Observes(); got != (dialect.Observed{}) {
		t.Errorf("raw observes %+v", got)
	}
}

// FuzzSources: whatever body, header and place of the type: no panic, and a native body
// of the type, or ErrUnreadable.
func FuzzSources(f *testing.F) {
	f.Add([]byte(`{"type":"a","timestamp":1,"data":{}}`), "a.b", "x")
	f.Add([]byte(` {"a":{"b":"c"},"a":{"b":1}} `), "a.b", "")
	f.Add([]byte(`{"type":"\u0061","timestamp":"2026-05-01","data":{"é":[]}}`), "type", "a b")
	f.Fuzz(func(t *testing.T, body []byte, field, value string) {
		r := dialect.Request{Header: http.Header{"X-Type": {value}, "Webhook-Id": {value}}, Body: body}
		for _, d := range []dialect.Dialect{native.Standard{}, native.Raw{TypeField: field}, native.Raw{TypeHeader: "x-type"}} {
			a, err := d.Parse(r)
			if err != nil {
				if !errors.Is(err, dialect.ErrUnreadable) {
					t.Fatalf("the error wraps nothing: %v", err)
				}
				continue
			}
			o, err := shape.Parse(a.Payload)
			if err != nil || o.Get("type").String() != a.Type || a.ID == "" {
				t.Fatalf("%v: the payload of %s is %s", err, a.Type, a.Payload)
			}
			if !o.Get("timestamp").Time().Equal(a.At.Truncate(time.Millisecond)) && !o.Get("timestamp").Time().Equal(a.At) {
				t.Fatalf("it happened at %v and says %s", a.At, o.Get("timestamp"))
			}
			if _, err := shape.Parse(o.Get("data")); err != nil {
				t.Fatalf("the data is no object: %v", err)
			}
			if a.Type == "" || len(a.Type) > 256 || strings.ContainsAny(a.Type, " /\"\\") {
				t.Fatalf("the type is %q", a.Type)
			}
		}
	})
}
