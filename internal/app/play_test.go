package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/play"
)

// playInbox makes an inbox, or reads one whose key is given.
func playInbox(t *testing.T, a *app.App, key string) play.Inbox {
	t.Helper()
	method, path, status := http.MethodPost, "/api/v1/play", http.StatusCreated
	if key != "" {
		method, path, status = http.MethodGet, "/api/v1/play/"+key, http.StatusOK
	}
	got, text := call(t, a, method, path, "")
	var box play.Inbox
	if err := json.Unmarshal([]byte(text), &box); err != nil || got != status {
		t.Fatalf("%s %s: %d %s", method, path, got, text)
	}
	return box
}

// TestPlay delivers to an inbox, on a server that admits no private address and stands on one; over a restart the inbox
// goes on.
func TestPlay(t *testing.T) {
	cfg := config(t)
	cfg.AllowPrivate, cfg.Listen = false, "127.0.0.1:0"
	a := started(t, cfg)
	cfg.Listen = a.Addr()
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	box := playInbox(t, a, "")
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	want(t, a, http.StatusOK, http.MethodPatch, "/api/v1/play/"+box.Key, fmt.Sprintf(`{"secret":%q}`, secret))
	lines := events(t, a, "/api/v1/play/"+box.Key+"/stream")
	if hello, _ := next(t, lines); !strings.Contains(hello, `"resumed":false`) {
		t.Errorf("hello is %s", hello)
	}
	const endpoint = `{"url":%q,"uid":%q,"secret":%q}`
	want(t, a, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/app/a/endpoint", fmt.Sprintf(endpoint, a.URL()+"/play/in/made-up", "no", secret))
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app/a/endpoint", fmt.Sprintf(endpoint, box.URL+"/orders?x=1", "e", secret))
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"x.y","payload":{"n":1}}`)
	if data, _ := next(t, lines); !strings.Contains(data, `"verdict":"valid"`) || !strings.Contains(data, `"path":"/orders"`) {
		t.Errorf("it came as %s", data)
	}
	eventually(t, "the delivery has succeeded", func() bool {
		_, text := call(t, a, http.MethodGet, "/api/v1/app/a/endpoint/e/stats", "")
		return strings.Contains(text, `"success":1`)
	})
	if got, text := call(t, a, http.MethodDelete, box.URL[len(a.URL()):]+"/x//y", "hello"); got != http.StatusOK || text != play.DefaultBody {
		t.Errorf("from outside: %d %s", got, text)
	}
	stop(t, a)
	if data, ok := next(t, lines); ok && !strings.Contains(data, `"method":"DELETE"`) {
		t.Errorf("after the end comes %s", data)
	}

	a = started(t, cfg)
	if again := playInbox(t, a, box.Key); again.URL != box.URL || !again.ExpiresAt.Equal(box.ExpiresAt) || len(again.Requests) != 0 || again.Settings.HasSecret {
		t.Errorf("after a restart it is %+v", again)
	}
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"x.y","payload":{"n":2}}`)
	eventually(t, "the next message has come", func() bool { return len(playInbox(t, a, box.Key).Requests) == 1 })
	if r := playInbox(t, a, box.Key).Requests[0]; r.Verification.Verdict != play.UnknownSecret || r.Body != `{"n":2}` {
		t.Errorf("it came as %+v", r)
	}
}

// TestNoPlay: switched off, nothing is left of it but the inboxes of listeners.
func TestNoPlay(t *testing.T) {
	a := running(t, func(cfg *app.Config) { cfg.NoPlay = true })
	for _, row := range []struct{ method, path string }{
		{"POST", "/api/v1/play"}, {"GET", "/api/v1/play/x"}, {"GET", "/play"}, {"POST", "/play/in/x"}, {"GET", "/play/in/x/y"},
	} {
		if got, text := call(t, a, row.method, row.path, ""); got != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", row.method, row.path, got, text)
		}
	}
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	if data, _ := next(t, events(t, a, "/api/v1/app/a/inbox/jane")); !strings.Contains(data, a.URL()+"/play/in/") {
		t.Errorf("a listener hears %s", data)
	}
}
