package receivertest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
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
