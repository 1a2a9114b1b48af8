package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/app"
)

// events opens the stream of an inbox and gives its lines of data as they come.
func events(t *testing.T, a *app.App, path string) <-chan string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer(t))
	res, err := (&http.Client{Transport: client.Transport}).Do(req) //nolint:bodyclose // the goroutine below does
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("listening: status %d", res.StatusCode)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer res.Body.Close()
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok {
				lines <- data
			}
		}
	}()
	return lines
}

// next waits for the next event; ok is false when the stream has ended.
func next(t *testing.T, lines <-chan string) (data string, ok bool) {
	t.Helper()
	select {
	case data, ok = <-lines:
		return data, ok
	case <-time.After(patience):
		t.Fatal("nothing comes")
		return "", false
	}
}

// TestInbox listens on a server that admits no private address, and stands on one.
func TestInbox(t *testing.T) {
	a := running(t, func(cfg *app.Config) { cfg.AllowPrivate = false })
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	lines := events(t, a, "/api/v1/app/a/inbox/jane")
	data, _ := next(t, lines)
	var opened struct{ URL string }
	if err := json.Unmarshal([]byte(data), &opened); err != nil || !strings.HasPrefix(opened.URL, a.URL()+"/play/in/") {
		t.Fatalf("the first event is %s", data)
	}

	const endpoint = `{"url":%q,"uid":%q,"retrySchedule":["1s","1s","1s","1s","1s","1s"]}`
	for _, url := range []string{a.URL() + "/play/in/made-up", a.URL() + "/health", opened.URL + "?x=1"} {
		want(t, a, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/app/a/endpoint", fmt.Sprintf(endpoint, url, "no"))
	}
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app/a/endpoint", fmt.Sprintf(endpoint, opened.URL, "e"))
	for i := range 3 {
		want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", fmt.Sprintf(`{"eventType":"x.y","payload":{"n":%d}}`, i))
		if data, _ := next(t, lines); !strings.Contains(data, fmt.Sprintf(`"body":"{\"n\":%d}"`, i)) || !strings.Contains(data, "Webhook-Signature") {
			t.Errorf("message %d came as %s", i, data)
		}
	}
	eventually(t, "three deliveries have succeeded", func() bool {
		_, text := call(t, a, http.MethodGet, "/api/v1/app/a/endpoint/e/stats", "")
		return strings.Contains(text, `"success":3`)
	})

	// A stream is no request that the end waits for.
	begin := time.Now()
	stop(t, a)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the end took %s", took)
	}
	if data, ok := next(t, lines); ok {
		t.Errorf("after the end comes %s", data)
	}
}

// TestInboxLosesNothing sends while nobody listens, and over the end of the server.
func TestInboxLosesNothing(t *testing.T) {
	cfg := config(t)
	cfg.Listen = "127.0.0.1:0"
	a := started(t, cfg)
	cfg.Listen = a.Addr()
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	lines := events(t, a, "/api/v1/app/a/inbox/jane")
	data, _ := next(t, lines)
	var opened struct{ URL string }
	if err := json.Unmarshal([]byte(data), &opened); err != nil {
		t.Fatal(err)
	}
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app/a/endpoint",
		fmt.Sprintf(`{"url":%q,"uid":"e","retrySchedule":["1s","1s","1s","1s","1s","1s","1s","1s"]}`, opened.URL))
	stop(t, a)
	if _, ok := next(t, lines); ok {
		t.Error("the stream goes on")
	}

	a = started(t, cfg)
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"x.y","payload":{"n":7}}`)
	eventually(t, "an attempt has failed", func() bool {
		_, text := call(t, a, http.MethodGet, "/api/v1/app/a/attempt/endpoint/e", "")
		return strings.Contains(text, `"responseStatusCode":503`) && strings.Contains(text, "no_listener")
	})
	lines = events(t, a, "/api/v1/app/a/inbox/jane")
	if data, _ := next(t, lines); !strings.Contains(data, opened.URL) {
		t.Errorf("the inbox is another one: %s", data)
	}
	if data, _ := next(t, lines); !strings.Contains(data, `{\"n\":7}`) {
		t.Errorf("the message came as %s", data)
	}
}
