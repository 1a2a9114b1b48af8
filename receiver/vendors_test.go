package receiver_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
	"github.com/callboard/callboard/wire/iotum"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/oration"
	"github.com/callboard/callboard/wire/sessionboard"
	"github.com/callboard/callboard/wire/zuddl"
)

// got is a message of any dialect.
type got struct {
	ID, Type          string
	Timestamp, SentAt time.Time
	Data              any
	Body              string
}

// vendor is a dialect without its type, and how its sender sends.
type vendor struct {
	name           string
	secret, other  string // two that the sender might have
	good           string // a body
	signatureAt    string // the header
	sign           func(tb testing.TB, secret string, body []byte, opts ...receivertest.Option) *http.Request
	new            func(secrets []string, handle func(got) error, opts ...receiver.Option) (http.Handler, error)
	fromOutside    func(t *testing.T, body string) http.Header // signed by other software, with secret
	signsTime      bool
	idFromHeader   bool
	unknown        string // an action of a later day
	unknownType    string
	malformed      string // a body with a wrong field
	malformedField string
}

// newFor hides a dialect's type.
func newFor[T any](dialect receiver.Dialect[T]) func([]string, func(got) error, ...receiver.Option) (http.Handler, error) {
	return func(secrets []string, handle func(got) error, opts ...receiver.Option) (http.Handler, error) {
		opts = append([]receiver.Option{receiver.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
		handler, err := receiver.New(dialect, secrets, func(_ context.Context, m receiver.Message[T]) error {
			return handle(got{ID: m.ID, Type: m.Type, Timestamp: m.Timestamp, SentAt: m.SentAt, Data: m.Data, Body: string(m.Body)})
		}, opts...)
		if err != nil {
			return nil, err // Not a nil *Handler in an interface.
		}
		return handler, nil
	}
}

const (
	zuddlSecret      = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	zuddlBody        = `{"action":"JOINED_SESSION","actionId":"a912a64f","actionCreatedAt":"2026-05-04T10:00:00Z","session":{"id":"s1","title":"Opening"}}`
	sessionboardBody = `{"data":{"id":"s1","title":"Opening","sourceOfChange":"user"},"metadata":{"action":"session.updated","actor_id":7,"event_id":4001,"org_id":"o1","version":1,"datetime":"2026-05-04T10:00:00Z"}}`
	orationBody      = `{"eventId":"evt_1","eventType":"conversation.userJoined","payload":{"id":"conv_1","updatedAt":"2026-05-04T10:00:00.000Z"}}`
	nativeBody       = `{"type":"session.joined","timestamp":"2026-05-04T10:00:00.000Z","data":{"event":{"id":"e1"},"session":{"id":"s1","title":"Opening"},"registration":{"id":"r1"}}}`
	iotumBody        = `{"event":"conference_start","payload":"{\"host_id\":61803,\"conference_id\":1258835}","timestamp":"2026-05-04T10:00:00.000Z"}`
)

var bodiesAt = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

func vendors() []vendor {
	return []vendor{
		{
			name: "zuddl", secret: zuddlSecret, other: "chosen by hand", good: zuddlBody,
			signatureAt: "X-Webhook-Signature",
			sign:        receivertest.Zuddl, new: newFor(receiver.Zuddl()),
			unknown:     `{"action":"TELEPORTED","actionId":"x","session":{"id":"s1"},"pad":[1]}`,
			unknownType: "TELEPORTED",
			malformed:   `{"action":"JOINED_SESSION","actionId":"x","session":{"startDateTime":"soon"}}`, malformedField: "startDateTime",
		},
		{
			name: "sessionboard", secret: secret, other: otherSecret, good: sessionboardBody,
			signatureAt: "Svix-Signature", signsTime: true, idFromHeader: true,
			sign: receivertest.Sessionboard, new: newFor(receiver.Sessionboard()),
			fromOutside: officialHeaders("svix-"),
			unknown:     `{"data":{"id":"r1"},"metadata":{"action":"room.painted"}}`, unknownType: "room.painted",
			malformed: `{"data":{"id":"s1","starts_at":"soon"},"metadata":{"action":"session.updated"}}`, malformedField: "starts_at",
		},
		{
			name: "oration", secret: secret, other: otherSecret, good: orationBody,
			signatureAt: "Webhook-Signature", signsTime: true,
			sign: receivertest.Oration, new: newFor(receiver.Oration()),
			fromOutside: officialHeaders("webhook-"),
			unknown:     `{"eventId":"evt_2","eventType":"agent.retired","payload":[1]}`, unknownType: "agent.retired",
			malformed: `{"eventId":"evt_1","eventType":"conversation.completed","payload":{"updatedAt":"soon"}}`, malformedField: "updatedAt",
		},
		{
			name: "iotum", secret: "a token of iotum's", other: "another token", good: iotumBody,
			signatureAt: "X-Signing-Token",
			sign:        receivertest.Iotum, new: newFor(receiver.Iotum()),
			unknown: `{"event":"conference_teleported","payload":"not JSON","timestamp":"2026-05-04T10:00:00.000Z"}`, unknownType: "conference_teleported",
			malformed: `{"event":"conference_start","payload":"{\"host_id\":[]}"}`, malformedField: "host_id",
		},
		{
			name: "native", secret: secret, other: otherSecret, good: nativeBody,
			signatureAt: "Webhook-Signature", signsTime: true, idFromHeader: true,
			sign: nativeAlone, new: newFor(receiver.Native()),
			fromOutside: officialHeaders("webhook-"),
			unknown:     `{"type":"room.painted","data":["r1"]}`, unknownType: "room.painted",
			malformed: `{"type":"session.joined","data":{"session":{"startDateTime":"soon"}}}`, malformedField: "startDateTime",
		},
		{
			name: "standard", secret: secret, other: otherSecret, good: joined,
			signatureAt: "Webhook-Signature", signsTime: true, idFromHeader: true,
			sign: receivertest.StandardWebhooks, new: newFor(receiver.StandardWebhooks()),
			fromOutside: officialHeaders("webhook-"),
			unknown:     `{"type":"a.b"}`, unknownType: "a.b",
			malformed: `[]`, malformedField: "object",
		},
	}
}

// nativeAlone is what Callboard sends without its second family of headers, for the
// tests that take one header away.
func nativeAlone(tb testing.TB, secret string, body []byte, opts ...receivertest.Option) *http.Request {
	tb.Helper()
	r := receivertest.Native(tb, secret, body, opts...)
	for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
		r.Header.Del(name)
	}
	return r
}

// TestNativeInBothFamilies takes what Callboard sends, and either half of it.
func TestNativeInBothFamilies(t *testing.T) {
	t.Parallel()
	for name, family := range map[string]string{"both": "", "webhook-*": "Svix-", "svix-*": "Webhook-"} {
		var message got
		handler := mustNew(t, newFor(receiver.Native()), []string{secret}, func(m got) error { message = m; return nil })
		r := receivertest.Native(t, secret, []byte(nativeBody), receivertest.WithID("msg_7"))
		if len(r.Header) != 7 {
			t.Errorf("%s: headers %v, want six and the type", name, r.Header)
		}
		for _, value := range []string{"Id", "Timestamp", "Signature"} {
			r.Header.Del(family + value)
		}
		wantStatus(t, name, serve(handler, r), http.StatusOK)
		if message.ID != "msg_7" || message.Type != "session.joined" {
			t.Errorf("%s: id %q, type %q", name, message.ID, message.Type)
		}
	}
}

// officialHeaders signs with the standard's own library.
func officialHeaders(family string) func(*testing.T, string) http.Header {
	return func(t *testing.T, body string) http.Header {
		official, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		signed, err := official.Sign("msg_1", now, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		header := make(http.Header)
		header.Set(family+"id", "msg_1")
		header.Set(family+"timestamp", strconv.FormatInt(now.Unix(), 10))
		header.Set(family+"signature", signed)
		return header
	}
}

// signedByHand are Zuddl's headers by other software: these values were computed
// with Python's hmac and with openssl dgst -sha256 -hmac, as in package
// signature's tests.
var signedByHand = []struct{ secret, body, value string }{
	{
		strings.Repeat("0123456789abcdef", 4), `{"action": "JOINED_SESSION", "name": "Jürgen"}`,
		"sha256=393a2a3727fd18ab7fbd27aa1c224c9b503d2e0de41c31dbf3d667bf637269b9",
	},
	{
		"s3cret würze", `{"action": "JOINED_SESSION", "name": "Jürgen"}`,
		"sha256=1ece59314f43546e14f837af28df424f06ca2b9178259ae1d0e958d9530dc07c",
	},
}

func TestZuddlSignedElsewhere(t *testing.T) {
	t.Parallel()
	for _, v := range signedByHand {
		handler := mustNew(t, newFor(receiver.Zuddl()), []string{v.secret}, ignore)
		r := post(v.body)
		r.Header.Set("X-Webhook-Signature", v.value)
		wantStatus(t, v.secret, serve(handler, r), http.StatusOK)
		want := receivertest.Zuddl(t, v.secret, []byte(v.body)).Header.Get("X-Webhook-Signature")
		if diff := cmp.Diff(v.value, want); diff != "" {
			t.Errorf("receivertest signs (-want +got):\n%s", diff)
		}
	}
}

// TestOfficialLibrary: what the standard's own library signs is accepted, and
// it accepts what receivertest signs.
func TestOfficialLibrary(t *testing.T) {
	t.Parallel()
	official, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vendors() {
		if v.fromOutside == nil {
			continue
		}
		handler := mustNew(t, v.new, []string{secret}, ignore)
		r := post(v.good)
		r.Header = v.fromOutside(t, v.good)
		wantStatus(t, v.name, serve(handler, r), http.StatusOK)
		r.Body = io.NopCloser(strings.NewReader(v.good + " "))
		wantStatus(t, v.name+" changed", serve(handler, r), http.StatusUnauthorized)

		ours := v.sign(t, secret, []byte(v.good)).Header
		for _, name := range []string{"Id", "Timestamp", "Signature"} { // The library knows one family.
			if value := ours.Get("Svix-" + name); value != "" {
				ours.Set("Webhook-"+name, value)
			}
		}
		if err := official.Verify([]byte(v.good), ours); err != nil {
			t.Errorf("%s: theirs refuses ours: %v", v.name, err)
		}
	}
}

// post is a request that nobody has signed.
func post(body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
}

func ignore(got) error { return nil }

type newFunc = func([]string, func(got) error, ...receiver.Option) (http.Handler, error)

func mustNew(tb testing.TB, create newFunc, secrets []string, handle func(got) error, opts ...receiver.Option) http.Handler {
	tb.Helper()
	handler, err := create(secrets, handle, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return handler
}

// TestVendorAnswers sends to each dialect what goes well and wrong alike.
func TestVendorAnswers(t *testing.T) {
	t.Parallel()
	token := func(token string) receivertest.Option { return receivertest.WithToken("X-Access", token) }
	tests := map[string]struct {
		secrets func(vendor) []string // the vendor's own if nil
		opts    []receiver.Option
		signer  func(vendor) string // likewise; "" sends no signature
		sending []receivertest.Option
		body    func(vendor) string // the good one if nil
		change  func(vendor, *http.Request)
		want    int
		says    func(vendor) string
	}{
		"good": {want: 200},
		"wrong secret": {
			signer: func(v vendor) string { return v.other },
			want:   401,
		},
		"no header": {
			change: func(v vendor, r *http.Request) { r.Header.Del(v.signatureAt) },
			want:   401, says: func(v vendor) string { return "missing header: " + strings.ToLower(v.signatureAt) },
		},
		"empty header": {
			change: func(v vendor, r *http.Request) { r.Header.Set(v.signatureAt, "") },
			want:   401, says: func(v vendor) string { return "missing header: " + strings.ToLower(v.signatureAt) },
		},
		"nonsense in the header": {
			change: func(v vendor, r *http.Request) { r.Header.Set(v.signatureAt, "v1,sha256=") },
			want:   401,
		},
		"rotation: still the old secret": {
			secrets: func(v vendor) []string { return []string{v.secret, v.other} },
			want:    200,
		},
		"rotation: the new secret already": {
			secrets: func(v vendor) []string { return []string{v.secret, v.other} },
			signer:  func(v vendor) string { return v.other },
			want:    200,
		},

		"token and signature": {
			opts: []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("sesame")},
			want: 200,
		},
		"token missing": {
			opts: []receiver.Option{receiver.WithToken("x-access", "sesame")},
			want: 401, says: func(vendor) string { return "missing header: x-access" },
		},
		"token wrong": {
			opts: []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("sesam")},
			want: 401, says: func(vendor) string { return "the token in x-access is wrong" },
		},
		"token right, signature wrong": {
			opts: []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("sesame")},
			signer: func(v vendor) string { return v.other },
			want:   401,
		},
		"token right, no signature": {
			opts: []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("sesame")},
			signer: func(vendor) string { return "" },
			want:   401,
		},
		"token rotation": {
			opts:    []receiver.Option{receiver.WithToken("x-access", "old"), receiver.WithToken("X-Access", "sesame")},
			sending: []receivertest.Option{token("sesame")},
			want:    200,
		},
		"token for each of two headers": {
			opts:    []receiver.Option{receiver.WithToken("x-access", "sesame"), receiver.WithToken("authorization", "Bearer b")},
			sending: []receivertest.Option{token("sesame"), receivertest.WithToken("Authorization", "Bearer b")},
			want:    200,
		},
		"token for one of two headers": {
			opts:    []receiver.Option{receiver.WithToken("x-access", "sesame"), receiver.WithToken("authorization", "Bearer b")},
			sending: []receivertest.Option{token("sesame")},
			want:    401, says: func(vendor) string { return "authorization" },
		},
		"token alone": {
			secrets: func(vendor) []string { return nil },
			opts:    []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("sesame")},
			signer: func(vendor) string { return "" },
			want:   200,
		},
		"token alone, wrong": {
			secrets: func(vendor) []string { return nil },
			opts:    []receiver.Option{receiver.WithToken("x-access", "sesame")}, sending: []receivertest.Option{token("Sesame")},
			signer: func(vendor) string { return "" },
			want:   401,
		},
		"token alone, missing": {
			secrets: func(vendor) []string { return nil },
			opts:    []receiver.Option{receiver.WithToken("x-access", "sesame")},
			want:    401,
		},

		"too large": {
			opts: []receiver.Option{receiver.WithMaxBody(20)},
			want: 413,
		},
		"not JSON":     {body: func(v vendor) string { return v.good[1:] }, want: 400},
		"cut off":      {body: func(v vendor) string { return v.good[:len(v.good)-1] }, want: 400},
		"and more":     {body: func(v vendor) string { return v.good + "{}" }, want: 400},
		"empty":        {body: func(vendor) string { return "" }, want: 400},
		"null":         {body: func(vendor) string { return "null" }, want: 400},
		"a list":       {body: func(v vendor) string { return "[" + v.good + "]" }, want: 400},
		"a string":     {body: func(vendor) string { return `"{}"` }, want: 400},
		"not signed":   {body: func(vendor) string { return "[" }, change: func(v vendor, r *http.Request) { r.Header.Del(v.signatureAt) }, want: 401},
		"wrong member": {body: func(v vendor) string { return v.malformed }, want: 400, says: func(v vendor) string { return v.malformedField }},
		"unknown":      {body: func(v vendor) string { return v.unknown }, want: 200},
	}
	for name, test := range tests {
		for _, v := range vendors() {
			t.Run(v.name+" "+name, func(t *testing.T) {
				t.Parallel()
				secrets, signer, body := []string{v.secret}, v.secret, v.good
				if test.secrets != nil {
					secrets = test.secrets(v)
				}
				if test.signer != nil {
					signer = test.signer(v)
				}
				if test.body != nil {
					body = test.body(v)
				}
				calls := 0
				handler := mustNew(t, v.new, secrets, func(got) error { calls++; return nil }, test.opts...)
				r := v.sign(t, signer, []byte(body), test.sending...)
				if test.change != nil {
					test.change(v, r)
				}
				w := serve(handler, r)
				wantStatus(t, name, w, test.want)
				if want := test.want == http.StatusOK; want != (calls == 1) {
					t.Errorf("%d calls", calls)
				}
				if test.says != nil && !strings.Contains(w.Body.String(), test.says(v)) {
					t.Errorf("answer %q, want one that says %q", w.Body, test.says(v))
				}
				for _, hidden := range []string{v.secret, "sesame", "Bearer"} {
					if strings.Contains(w.Body.String(), hidden) {
						t.Errorf("answer %q tells a secret", w.Body)
					}
				}
			})
		}
	}
}

// TestVendorMessages: what the function gets.
func TestVendorMessages(t *testing.T) {
	t.Parallel()
	// As the documentation of Iotum defines it, put together by hand.
	iotumID := func(event, timestamp, payload string) string {
		e, ts, p := sha256.Sum256([]byte(event)), sha256.Sum256([]byte(timestamp)), sha256.Sum256([]byte(payload))
		return bodyHash(string(e[:]) + string(ts[:]) + string(p[:]))
	}
	const at = "2026-05-04T10:00:00.000Z"
	// Computed with Python's hashlib and with Node's crypto, by the lines in docs/guide/receiving.md.
	const iotumBodyID = "sha256:a718b8e97d4d37fab8a4444c56948295635269960044fad0e0469d93bddf4205"
	tests := map[string]struct {
		vendor  string
		body    string
		token   bool // alone
		sending []receivertest.Option
		want    got // SentAt and Body are not compared; of Data the type
	}{
		"zuddl":                 {vendor: "zuddl", body: zuddlBody, want: got{ID: "a912a64f", Type: "JOINED_SESSION", Timestamp: bodiesAt}},
		"zuddl by number":       {vendor: "zuddl", body: `{"action":"X","actionId":12}`, want: got{ID: "12", Type: "X"}},
		"zuddl without id":      {vendor: "zuddl", body: `{"action":"X"}`, want: got{ID: bodyHash(`{"action":"X"}`), Type: "X"}},
		"zuddl with a null id":  {vendor: "zuddl", body: `{"action":"X","actionId":null}`, want: got{ID: bodyHash(`{"action":"X","actionId":null}`), Type: "X"}},
		"zuddl with an id only": {vendor: "zuddl", body: zuddlBody, token: true, sending: []receivertest.Option{receivertest.WithID("msg_9")}, want: got{ID: "a912a64f", Type: "JOINED_SESSION", Timestamp: bodiesAt}},
		"zuddl of a strange kind": {
			vendor: "zuddl", body: `{"action":"NEW","actionId":"7","actionCreatedAt":"2026-05-04T10:00:00Z","session":[["s1"]]}`,
			want: got{ID: "7", Type: "NEW", Timestamp: bodiesAt},
		},

		"sessionboard":          {vendor: "sessionboard", body: sessionboardBody, sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "session.updated", Timestamp: bodiesAt}},
		"sessionboard by token": {vendor: "sessionboard", body: sessionboardBody, token: true, want: got{ID: bodyHash(sessionboardBody), Type: "session.updated", Timestamp: bodiesAt}},
		"sessionboard by token with an id": {
			vendor: "sessionboard", body: sessionboardBody, token: true, sending: []receivertest.Option{receivertest.WithID("msg_7")},
			want: got{ID: "msg_7", Type: "session.updated", Timestamp: bodiesAt},
		},
		"sessionboard of the older generation": {
			vendor: "sessionboard", body: `{"data":{"id":"s1","actor_id":7},"metadata":{"action":"session.created","event_id":4001}}`,
			sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "session.created"},
		},
		"sessionboard of a strange kind": {
			vendor: "sessionboard", body: `{"data":["r1"],"metadata":{"action":"rooms.merged","datetime":"2026-05-04T10:00:00Z"}}`,
			sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "rooms.merged", Timestamp: bodiesAt},
		},
		"sessionboard without data": {
			vendor: "sessionboard", body: `{"metadata":{"action":"rooms.merged"}}`,
			sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "rooms.merged"},
		},

		"oration": {vendor: "oration", body: orationBody, want: got{ID: "evt_1", Type: "conversation.userJoined", Timestamp: bodiesAt}},
		"oration without eventId": {
			vendor: "oration", body: `{"eventType":"a.b"}`, sending: []receivertest.Option{receivertest.WithID("msg_7")},
			want: got{ID: "msg_7", Type: "a.b"},
		},
		"oration by token":    {vendor: "oration", body: orationBody, token: true, want: got{ID: "evt_1", Type: "conversation.userJoined", Timestamp: bodiesAt}},
		"oration without any": {vendor: "oration", body: `{"eventType":"a.b"}`, token: true, want: got{ID: bodyHash(`{"eventType":"a.b"}`), Type: "a.b"}},
		"native":              {vendor: "native", body: nativeBody, sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "session.joined", Timestamp: bodiesAt}},
		"native by token":     {vendor: "native", body: nativeBody, token: true, want: got{ID: bodyHash(nativeBody), Type: "session.joined", Timestamp: bodiesAt}},
		"native by token with an id": {
			vendor: "native", body: nativeBody, token: true, sending: []receivertest.Option{receivertest.WithID("msg_7")},
			want: got{ID: "msg_7", Type: "session.joined", Timestamp: bodiesAt},
		},
		"native of one's own": {
			vendor: "native", body: `{"id":1,"type":"invoice.paid","timestamp":"yesterday"}`,
			sending: []receivertest.Option{receivertest.WithID("msg_7")}, want: got{ID: "msg_7", Type: "invoice.paid"},
		},
		"iotum": {
			vendor: "iotum", body: iotumBody,
			want: got{ID: iotumBodyID, Type: "conference_start", Timestamp: bodiesAt},
		},
		"iotum in another order, with more": {
			vendor: "iotum", body: `{"v":2, "timestamp":"2026-05-04T10:00:00.000Z", "payload":"{\u0022host_id\":61803,\"conference_id\":1258835}", "event":"conference_start"}`,
			want: got{ID: iotumID("conference_start", at, `{"host_id":61803,"conference_id":1258835}`), Type: "conference_start", Timestamp: bodiesAt},
		},
		"iotum with an object": {
			vendor: "iotum", body: `{"event":"conference_start","payload":{"host_id": 1},"timestamp":1777888800000}`,
			want: got{ID: iotumID("conference_start", "1777888800000", `{"host_id": 1}`), Type: "conference_start", Timestamp: bodiesAt},
		},
		"iotum with an event only": {vendor: "iotum", body: `{"event":"a"}`, want: got{ID: "sha256:ba0d9b6a00546dd9ed7f00c2c69d8ee85c4e1b0a4ac12b27aec53cfaf051b874", Type: "a"}},
		"iotum with nulls":         {vendor: "iotum", body: `{"event":"a","payload":null,"timestamp":null}`, want: got{ID: iotumID("a", "", ""), Type: "a"}},
		"standard by token":        {vendor: "standard", body: `{"type":"a"}`, token: true, want: got{ID: bodyHash(`{"type":"a"}`), Type: "a"}},
	}
	types := map[string]any{
		"zuddl": (*zuddl.Webhook)(nil), "sessionboard": (*sessionboard.Webhook)(nil), "oration": (*oration.Webhook)(nil), "iotum": (*iotum.Webhook)(nil),
		"native": (*native.Webhook)(nil), "standard": json.RawMessage(nil),
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := vendorNamed(t, test.vendor)
				secrets, signer := []string{v.secret}, v.secret
				var opts []receiver.Option
				sending := test.sending
				if test.token {
					secrets, signer = nil, ""
					opts = append(opts, receiver.WithToken("X-Access", "sesame"))
					sending = append(sending, receivertest.WithToken("X-Access", "sesame"))
				}
				var message got
				handler := mustNew(t, v.new, secrets, func(m got) error { message = m; return nil }, opts...)
				wantStatus(t, name, serve(handler, v.sign(t, signer, []byte(test.body), sending...)), http.StatusOK)

				want := test.want
				want.Body = test.body
				if v.signsTime && !test.token {
					want.SentAt = time.Now().Truncate(time.Second).UTC()
				}
				if got, want := fmt.Sprintf("%T", message.Data), fmt.Sprintf("%T", types[test.vendor]); got != want {
					t.Errorf("data is a %s, want a %s", got, want)
				}
				message.Data = nil
				if diff := cmp.Diff(want, message); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// bodyHash is the id of a body without one.
func bodyHash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func vendorNamed(tb testing.TB, name string) vendor {
	tb.Helper()
	for _, v := range vendors() {
		if v.name == name {
			return v
		}
	}
	tb.Fatalf("no vendor %q", name)
	return vendor{}
}

// TestVendorExamples takes the vendors' own examples, typed.
func TestVendorExamples(t *testing.T) {
	t.Parallel()
	for _, v := range vendors() {
		files := exampleFiles(t, v.name)
		if (len(files) == 0) != (v.name == "standard") {
			t.Errorf("%s: %d examples", v.name, len(files))
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var message got
			handler := mustNew(t, v.new, []string{v.secret}, func(m got) error { message = m; return nil })
			wantStatus(t, file, serve(handler, v.sign(t, v.secret, body)), http.StatusOK)
			if message.ID == "" || message.Type == "" || message.Timestamp.IsZero() {
				t.Errorf("%s: id %q, type %q, timestamp %s", file, message.ID, message.Type, message.Timestamp)
			}
		}
	}
}

// exampleFiles are a dialect's examples; none for the standard's.
func exampleFiles(tb testing.TB, name string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("..", "wire", name, "testdata", "*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// TestVendorTypes looks into the data once for each dialect.
func TestVendorTypes(t *testing.T) {
	t.Parallel()
	data := func(name, body string) any {
		var message got
		v := vendorNamed(t, name)
		handler := mustNew(t, v.new, []string{v.secret}, func(m got) error { message = m; return nil })
		wantStatus(t, name, serve(handler, v.sign(t, v.secret, []byte(body))), http.StatusOK)
		return message.Data
	}
	if w, ok := data("zuddl", zuddlBody).(*zuddl.Webhook); !ok || w.Session.Title != "Opening" {
		t.Errorf("zuddl: %+v", w)
	}
	w, ok := data("sessionboard", sessionboardBody).(*sessionboard.Webhook)
	if session, is := w.Data.(*sessionboard.Session); !ok || !is || session.Title != "Opening" {
		t.Errorf("sessionboard: %+v", w)
	}
	w, ok = data("sessionboard", vendorNamed(t, "sessionboard").unknown).(*sessionboard.Webhook)
	if other, is := w.Data.(*sessionboard.Other); !ok || !is || other.ID.String() != "r1" {
		t.Errorf("sessionboard, unknown: %+v", w)
	}
	if w, ok := data("oration", orationBody).(*oration.Webhook); !ok || w.Payload.ID.String() != "conv_1" {
		t.Errorf("oration: %+v", w)
	}
	n, ok := data("native", nativeBody).(*native.Webhook)
	if attendance, is := n.Data.(*native.Attendance); !ok || !is || attendance.Session.Title != "Opening" {
		t.Errorf("native: %+v", n)
	}
	n, ok = data("native", vendorNamed(t, "native").unknown).(*native.Webhook)
	if other, is := n.Data.(*native.Other); !ok || !is || string(other.Raw) != `["r1"]` {
		t.Errorf("native, unknown: %+v", n)
	}
	i, ok := data("iotum", iotumBody).(*iotum.Webhook)
	if conference, is := i.Payload.(*iotum.Conference); !ok || !is || conference.ConferenceID.String() != "1258835" {
		t.Errorf("iotum: %+v", i)
	}
	i, ok = data("iotum", vendorNamed(t, "iotum").unknown).(*iotum.Webhook)
	if other, is := i.Payload.(*iotum.Other); !ok || !is || other.Text != "not JSON" {
		t.Errorf("iotum, unknown: %+v", i)
	}
}

// TestVendorCopies sends a message twice: the vendor's id, not that of the
// request, tells that it is one.
func TestVendorCopies(t *testing.T) {
	t.Parallel()
	for _, v := range vendors() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			handler := mustNew(t, v.new, []string{v.secret}, func(got) error { calls++; return nil })
			send := func(what, body, id string, wantCalls int) {
				t.Helper()
				wantStatus(t, what, serve(handler, v.sign(t, v.secret, []byte(body), receivertest.WithID(id))), http.StatusOK)
				if calls != wantCalls {
					t.Errorf("%s: %d calls, want %d", what, calls, wantCalls)
				}
			}
			send("first", v.good, "msg_1", 1)
			send("copy", v.good, "msg_1", 1)
			send("copy in other bytes", v.good+"\n", "msg_1", 1)
			calls = 0
			after := 0
			if v.idFromHeader {
				after = 1
			}
			send("under another header", v.good, "msg_2", after)
			send("another", v.unknown, "msg_3", after+1)
		})
	}
}

// TestStandardIDsOfBothFamilies: a token alone leaves the choice of the header.
func TestStandardIDsOfBothFamilies(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Svix-Id": "msg_1", "Webhook-Id": "msg_1", "X-Id": bodyHash(sessionboardBody)} {
		var message got
		handler := mustNew(t, newFor(receiver.Sessionboard()), nil, func(m got) error { message = m; return nil },
			receiver.WithToken("X-Access", "sesame"))
		r := post(sessionboardBody)
		r.Header.Set("X-Access", "sesame")
		r.Header.Set(name, "msg_1")
		wantStatus(t, name, serve(handler, r), http.StatusOK)
		if message.ID != want || !message.SentAt.IsZero() {
			t.Errorf("%s: id %q sent at %s, want %q and no time", name, message.ID, message.SentAt, want)
		}
	}
}

func TestNewRefusesSecretsAndTokens(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	tests := map[string]struct {
		secrets []string // the vendor's own if nil
		opts    []receiver.Option
		says    string
	}{
		"neither":              {secrets: []string{}, says: "no secret and no token"},
		"an empty secret":      {secrets: []string{""}, says: "secret 1 of 1"},
		"that and a token":     {secrets: []string{""}, opts: []receiver.Option{receiver.WithToken("X-Access", "hunter2")}, says: "secret 1 of 1"},
		"an empty token":       {opts: []receiver.Option{receiver.WithToken("X-Access", "")}, says: "token is empty"},
		"an empty token alone": {secrets: []string{}, opts: []receiver.Option{receiver.WithToken("X-Access", "")}, says: "token is empty"},
		"a token of two lines": {opts: []receiver.Option{receiver.WithToken("X-Access", "hunter2\n")}, says: "no header can carry"},
		"no header":            {opts: []receiver.Option{receiver.WithToken("", "hunter2")}, says: "name of the header"},
		"a header with spaces": {opts: []receiver.Option{receiver.WithToken("X Access", "hunter2")}, says: "name of the header"},
		"a header with colon":  {opts: []receiver.Option{receiver.WithToken("X-Access:", "hunter2")}, says: "name of the header"},
		"a header in Greek":    {opts: []receiver.Option{receiver.WithToken("Χ-Access", "hunter2")}, says: "name of the header"},
		"a header not UTF-8":   {opts: []receiver.Option{receiver.WithToken("X\xff", "hunter2")}, says: "name of the header"},
		"swapped":              {opts: []receiver.Option{receiver.WithToken("Bearer hunter2", "Authorization")}, says: "name of the header"},
		"the second wrong":     {opts: []receiver.Option{receiver.WithToken("X-Access", long), receiver.WithToken("", "hunter2")}, says: "name of the header"},
		"a good one after":     {opts: []receiver.Option{receiver.WithToken("", "hunter2"), receiver.WithToken("X-Access", long)}, says: "name of the header"},
	}
	for name, test := range tests {
		for _, v := range vendors() {
			secrets := test.secrets
			if secrets == nil {
				secrets = []string{v.secret}
			}
			_, err := v.new(secrets, ignore, test.opts...)
			if err == nil || !strings.HasPrefix(err.Error(), "receiver: ") || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s, %s: error %v, want one that says %q", v.name, name, err, test.says)
			} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), v.secret) {
				t.Errorf("%s, %s: error %q tells a secret", v.name, name, err)
			}
		}
	}
}

// TestHandlerDoesNotPrint looks for secrets in what fmt makes of a handler.
func TestHandlerDoesNotPrint(t *testing.T) {
	t.Parallel()
	for _, v := range vendors() {
		handler := mustNew(t, v.new, []string{v.secret}, ignore, receiver.WithToken("X-Access", "sesame"))
		for _, form := range []string{"%v", "%+v", "%#v"} {
			if text := fmt.Sprintf(form, handler); strings.Contains(text, "sesame") || strings.Contains(text, v.secret) {
				t.Errorf("%s prints %q", v.name, text)
			}
		}
	}
}

// TestReasonIsShort: errors about a body may quote it; answers and logs stay
// small.
func TestReasonIsShort(t *testing.T) {
	t.Parallel()
	body := `{"data":{"id":"s1"},"metadata":{"action":"session.updated","version":` + strings.Repeat("1", 100_000) + `}}`
	v := vendorNamed(t, "sessionboard")
	w := serve(mustNew(t, v.new, []string{v.secret}, ignore), v.sign(t, v.secret, []byte(body)))
	wantStatus(t, "long number", w, http.StatusBadRequest)
	if got := w.Body.String(); len(got) > 300 || !strings.Contains(got, "version") {
		t.Errorf("answer of %d bytes, want a short one that names the field: %.300s", len(got), got)
	}
}
