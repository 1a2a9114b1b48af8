package receivertest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
	"github.com/callboard/callboard/wire/zuddl"
)

// A test of one's own handling, without a network.
func ExampleStandardWebhooks() {
	_ = func(t *testing.T) { // func TestJoined(t *testing.T) {
		const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		var joined []string
		handler, err := receiver.New(receiver.StandardWebhooks(), []string{secret},
			func(_ context.Context, m receiver.Message[json.RawMessage]) error {
				joined = append(joined, m.Type)
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}

		w := httptest.NewRecorder()
		handler.ServeHTTP(w, receivertest.StandardWebhooks(t, secret, []byte(`{"type":"session.joined"}`)))

		if w.Code != http.StatusOK || len(joined) != 1 {
			t.Errorf("status %d, joined %q", w.Code, joined)
		}
	}
}

// The same with the data of Callboard's own types.
func ExampleNative() {
	_ = func(t *testing.T) { // func TestJoinedNative(t *testing.T) {
		const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		var joined []string
		handler, err := receiver.New(receiver.Native(), []string{secret},
			func(_ context.Context, m receiver.Message[*native.Webhook]) error {
				if data, is := m.Data.Data.(*native.Attendance); is && m.Data.Type == native.SessionJoined {
					joined = append(joined, data.Registration.ID.String())
				}
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}

		body, err := native.Encode(&native.Webhook{
			Type: native.SessionJoined,
			Data: &native.Attendance{Registration: native.Registration{ID: wire.Text("reg-1")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, receivertest.Native(t, secret, body))

		if w.Code != http.StatusOK || len(joined) != 1 {
			t.Errorf("status %d, joined %q", w.Code, joined)
		}
	}
}

// The same for a vendor, whose dialect demands a token besides.
func ExampleZuddl() {
	_ = func(t *testing.T) { // func TestJoinedZuddl(t *testing.T) {
		const secret = "9c1185a5c5e9fc54612808977ee8f548"
		var joined []zuddl.Action
		handler, err := receiver.New(receiver.Zuddl(), []string{secret},
			func(_ context.Context, m receiver.Message[*zuddl.Webhook]) error {
				joined = append(joined, m.Data.Action)
				return nil
			}, receiver.WithToken("X-Access", "sesame"))
		if err != nil {
			t.Fatal(err)
		}

		w := httptest.NewRecorder()
		handler.ServeHTTP(w, receivertest.Zuddl(t, secret, []byte(`{"action":"JOINED_SESSION"}`),
			receivertest.WithToken("X-Access", "sesame")))

		if w.Code != http.StatusOK || len(joined) != 1 {
			t.Errorf("status %d, joined %q", w.Code, joined)
		}
	}
}
