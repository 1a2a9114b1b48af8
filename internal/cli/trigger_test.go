package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/wire"
)

// A delivery that ends while the command asks what became of it is told as it ended.
func TestTriggerOutcome(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ended := asked.Add(1) > 1 // after the first question, whichever it is
		switch {
		case strings.HasSuffix(r.URL.Path, "/msg/msg_1/endpoint"):
			status := "sending"
			if ended {
				status = "success"
			}
			fmt.Fprintf(w, `{"data":[{"id":"ep_1","url":"https://a.example.com","dialect":"zuddl","statusText":%q}]}`, status)
		case strings.HasSuffix(r.URL.Path, "/attempt/msg/msg_1") && ended:
			_, _ = io.WriteString(w, `{"data":[{"endpointId":"ep_1","responseStatusCode":200,"responseDurationMs":3}]}`)
		case strings.HasSuffix(r.URL.Path, "/attempt/msg/msg_1"):
			_, _ = io.WriteString(w, `{"data":[]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	c, err := newAPIClient(server.URL, "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	got, err := c.outcome(t.Context(), "/app/app_1/msg/msg_1", 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := []hearer{{ID: "ep_1", URL: "https://a.example.com", Dialect: "zuddl", Status: "success", StatusCode: 200, Millis: 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTriggerData: --data changes what it names and leaves the rest of the sample, inside
// of its objects too, as the server's send-example does.
func TestTriggerData(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"session":{"title":"Keynote","tags":["a"],"room":{"id":9007199254740993}},"event":7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var data map[string]any
	sample := `{"event":{"id":"e"},"session":{"id":"s","title":"x","tags":["b","c"],"room":null},"kept":true}`
	if err := decodeJSON([]byte(sample), &data); err != nil {
		t.Fatal(err)
	}
	c := triggerCommand{Data: file, Set: []string{"session.status=accepted"}}
	if err := c.lay(data); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := decodeJSON([]byte(`{"event":7,"session":{"id":"s","title":"Keynote","tags":["a"],"room":{"id":9007199254740993},"status":"accepted"},"kept":true}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestActivityData: what the live door takes is the sample's data, but for what only
// Callboard says, and a conversation itself.
func TestActivityData(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"data":{"event":{"id":"e","status":"ONGOING","number":9007199254740993},"session":{"id":"s"}}}`: `{"event":{"id":"e","number":9007199254740993},"session":{"id":"s"}}`,
		`{"data":{"conversation":{"id":"c","customer":{"id":"d"}}}}`:                                      `{"customer":{"id":"d"},"id":"c"}`,
		`{"data":{"conferenceId":"7"}}`:                                                                   `{"conferenceId":"7"}`,
		`{"id":1}`:                                                                                        "",
	} {
		data, err := activityData([]byte(payload))
		if (err != nil) != (want == "") {
			t.Errorf("%s: %v", payload, err)
			continue
		}
		if err != nil {
			continue
		}
		if got, err := wire.MarshalValue(data); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", payload, got, err)
		}
	}
}
