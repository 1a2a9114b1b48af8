package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

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
