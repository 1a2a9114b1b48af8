package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
)

// FuzzStranger sends whatever comes, unsigned: the function must never be
// called, whatever the answer.
func FuzzStranger(f *testing.F) {
	f.Add("POST", "msg_1", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", []byte(joined), false)
	f.Add("POST", "", "now", "v1, v1a,", []byte("{"), true)
	f.Add("GET", "a.b", "-1", "", []byte(nil), false)
	f.Fuzz(func(t *testing.T, method, id, timestamp, signatures string, body []byte, svix bool) {
		handler := newHandler(t, func(context.Context, message) error {
			t.Error("a stranger's message was handled")
			return nil
		})
		family := "Webhook-"
		if svix {
			family = "Svix-"
		}
		r := &http.Request{Method: method, Header: make(http.Header), Body: io.NopCloser(bytes.NewReader(body))}
		r.Header.Set(family+"Id", id)
		r.Header.Set(family+"Timestamp", timestamp)
		r.Header.Set(family+"Signature", signatures)
		want := http.StatusUnauthorized
		if method != http.MethodPost {
			want = http.StatusMethodNotAllowed
		}
		wantStatus(t, "stranger", serve(handler, r), want)
	})
}

// FuzzBody signs whatever comes: an object is handled, with its bytes as they
// are, and anything else is 400.
func FuzzBody(f *testing.F) {
	for _, body := range []string{joined, `{"id":1}`, "", "null", "[1]", `{"type":"a","type":"b"}`, "{\"type\":\"\xff\"}", `{"timestamp":""}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got *message
		handler := newHandler(t, func(_ context.Context, m message) error { got = &m; return nil })
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, receivertest.StandardWebhooks(t, secret, body))

		if !json.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
			wantStatus(t, "no object", w, http.StatusBadRequest)
			return
		}
		wantStatus(t, "object", w, http.StatusOK)
		if got == nil || !bytes.Equal(got.Body, body) || (got.Data != nil && !json.Valid(got.Data)) {
			t.Errorf("handled %+v, want the bytes that were sent", got)
		}
	})
}

// The fuzz tests of the vendors sign whatever comes, so that it reaches the
// decoding: the answer is 200 to what was handled once, else 400, and a copy
// gets the same answer.

func FuzzNative(f *testing.F)       { fuzzVendor(f, "native") }
func FuzzZuddl(f *testing.F)        { fuzzVendor(f, "zuddl") }
func FuzzSessionboard(f *testing.F) { fuzzVendor(f, "sessionboard") }
func FuzzOration(f *testing.F)      { fuzzVendor(f, "oration") }
func FuzzIotum(f *testing.F)        { fuzzVendor(f, "iotum") }

func fuzzVendor(f *testing.F, name string) {
	f.Helper()
	v := vendorNamed(f, name)
	bodies := make([]string, 0, 50)
	for _, file := range exampleFiles(f, name) {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	for _, body := range append(bodies,
		v.good, v.unknown, v.malformed, v.good[1:], v.good+"{}", "", "null", "[]", `"\ud800"`, "{\"event\":\"\xff\"}",
		`{"action":null,"metadata":null,"eventType":null,"event":null}`,
		`{"action":"A","actionId":{},"session":1}`, `{"metadata":{"action":"a"},"data":[[]]}`, `{"eventType":"a","payload":0}`,
		`{"event":"a","payload":"[[[[","timestamp":0}`, `{"event":"conference_end","payload":"null"}`,
		`{"type":null}`, `{"type":"a","timestamp":[],"data":[]}`, `{"type":"session.joined","data":{"session":[]}}`,
	) {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, byToken bool) {
		var messages []got
		secrets, signer := []string{v.secret}, v.secret
		var opts []receiver.Option
		sending := []receivertest.Option{receivertest.WithID("msg_1")}
		if byToken {
			secrets, signer = nil, ""
			opts, sending = append(opts, receiver.WithToken("X-Access", "sesame")), []receivertest.Option{receivertest.WithToken("X-Access", "sesame")}
		}
		handler := mustNew(t, v.new, secrets, func(m got) error { messages = append(messages, m); return nil }, opts...)
		w := serve(handler, v.sign(t, signer, body, sending...))
		again := serve(handler, v.sign(t, signer, body, sending...))
		if w.Code != again.Code || w.Body.String() != again.Body.String() {
			t.Errorf("answer %d %q, then %d %q", w.Code, w.Body, again.Code, again.Body)
		}
		switch w.Code {
		case http.StatusBadRequest:
			if len(messages) != 0 || w.Body.Len() > 300 {
				t.Errorf("%d calls and an answer of %d bytes to a body that is refused", len(messages), w.Body.Len())
			}
		case http.StatusOK:
			if len(messages) != 1 || messages[0].ID == "" || messages[0].Type == "" || messages[0].Body != string(body) || !json.Valid(body) {
				t.Errorf("handled %+v", messages)
			}
		default:
			t.Errorf("status %d %q", w.Code, w.Body)
		}
	})
}
