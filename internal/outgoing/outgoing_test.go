package outgoing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// maker makes requests in all dialects.
func maker() outgoing.Maker {
	return outgoing.Maker{Dialects: builtin.Dialects(builtin.Config{}), UserAgent: "Callboard/1"}
}

// joined is a message of the catalogue.
func joined(t *testing.T) *store.Message {
	t.Helper()
	sample, known := builtin.Catalog(maker().Dialects).Get("session.joined")
	if !known {
		t.Fatal("there is no session.joined")
	}
	return &store.Message{ID: id.AtTime(noon), Type: "session.joined", Tenant: "acme", Payload: sample.Sample}
}

// TestRequests makes a request in every dialect and verifies it as its receiver would, at
// the time at which it is made.
func TestRequests(t *testing.T) {
	t.Parallel()
	m := maker()
	for _, name := range m.Dialects.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := m.Dialects.Get(name)
			word := joined(t)
			if _, fit := d.Word(word.Type); fit == dialect.Unsaid { // it knows others
				word.From, word.Raw = name, []byte(`{"data":{}}`)
			}
			secrets := []delivery.Secret{{Value: d.NewSecret()}, {Value: d.NewSecret(), Expires: noon.Add(time.Hour)}}
			target, err := m.Target(&delivery.Endpoint{
				URL: "https://example.com/hook", Dialect: name, Secrets: secrets, Headers: map[string]string{"x-shop": "1"},
			}, secrets, noon)
			if err != nil {
				t.Fatal(err)
			}
			body, err := outgoing.Body(d, word, "msg_1")
			if err != nil {
				t.Fatal(err)
			}
			header := target.Header("msg_1", noon, body)
			verdict, err := d.Verify([]string{secrets[1].Value}, dialect.Request{Header: header, Body: body, At: noon})
			if err != nil || !verdict.Valid {
				t.Errorf("the request is not valid: %+v, %v", verdict, err)
			}
			for name, want := range map[string]string{"X-Shop": "1", "Content-Type": "application/json", "User-Agent": "Callboard/1"} {
				if diff := cmp.Diff([]string{want}, header[name]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			proof := target.Proof("msg_1", noon, body)
			if len(header) != len(proof)+3 {
				t.Errorf("the headers are %v, of which %v are the proof", header, proof)
			}
			if !target.Until.Equal(noon.Add(time.Hour)) {
				t.Errorf("the target is good until %v", target.Until)
			}
			header.Set("X-Shop", "2")
			if again := target.Header("msg_1", noon, body); again.Get("X-Shop") != "1" {
				t.Error("who changes a request's headers changes the next request's")
			}
		})
	}
}

// TestUserAgent: an endpoint may have its own.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	ep := delivery.Endpoint{URL: "https://example.com", Secrets: []delivery.Secret{{Value: native.Dialect{}.NewSecret()}}}
	for _, tt := range []struct {
		maker   outgoing.Maker
		headers map[string]string
		want    string
	}{
		{outgoing.Maker{}, nil, "Callboard"},
		{outgoing.Maker{UserAgent: "Callboard/1"}, nil, "Callboard/1"},
		{outgoing.Maker{UserAgent: "Callboard/1"}, map[string]string{"user-agent": "own"}, "own"},
	} {
		tt.maker.Dialects, ep.Headers = maker().Dialects, tt.headers
		target, err := tt.maker.Target(&ep, nil, noon)
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Header("msg_1", noon, nil).Get("User-Agent"); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestTargetErrors: what cannot be prepared says why, and tells no URL.
func TestTargetErrors(t *testing.T) {
	t.Parallel()
	fine := []delivery.Secret{{Value: native.Dialect{}.NewSecret()}}
	for _, tt := range []struct {
		ep   delivery.Endpoint
		want string
	}{
		{delivery.Endpoint{Dialect: "klingon", URL: "https://example.com", Secrets: fine}, "klingon"},
		{delivery.Endpoint{URL: "https://example.com/%zz?private", Secrets: fine}, "does not parse"},
		{delivery.Endpoint{URL: "https://example.com"}, "prepare signing"},
		{delivery.Endpoint{Dialect: "iotum", URL: "https://example.com", Secrets: fine}, "prepare signing"}, // it has the app's
	} {
		_, err := maker().Target(&tt.ep, nil, noon)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "private") {
			t.Errorf("got %v, want something of %q", err, tt.want)
		}
	}
}

// broken is a dialect with a defect.
type broken struct{ native.Dialect }

func (broken) Name() string                           { return "broken" }
func (broken) Render(dialect.Message) ([]byte, error) { panic("private") }

// TestBody: raw bodies go out in their own dialect alone, the org's own types natively, and
// a defect is an error.
func TestBody(t *testing.T) {
	t.Parallel()
	zuddl, _ := maker().Dialects.Get("zuddl")
	raw := joined(t)
	raw.From, raw.Raw = "zuddl", []byte("{ }")
	if body, err := outgoing.Body(zuddl, raw, "msg_1"); err != nil || string(body) != "{ }" {
		t.Errorf("%s, %v", body, err)
	}
	if body, err := outgoing.Body(native.Dialect{}, raw, "msg_1"); err != nil || !slices.Equal(body, raw.Payload) {
		t.Errorf("%s, %v", body, err)
	}
	own := joined(t)
	own.Tenant = ""
	if _, err := outgoing.Body(zuddl, own, "msg_1"); !errors.Is(err, dialect.ErrUnrenderable) || !strings.Contains(err.Error(), "of your own") {
		t.Errorf("a type of the org's own: %v", err)
	}
	_, err := outgoing.Body(broken{}, joined(t), "msg_1")
	defect, ok := errors.AsType[*outgoing.DefectError](err)
	if !ok || !errors.Is(err, dialect.ErrUnrenderable) || strings.Contains(err.Error(), "private") {
		t.Fatalf("a defect: %v", err)
	}
	if defect.Kind != "string" || !strings.Contains(string(defect.Stack), "outgoing_test.go") {
		t.Errorf("the defect is a %s at %s", defect.Kind, defect.Stack)
	}
}
