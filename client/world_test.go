package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/token"
)

// org is that of the tests' tokens.
const org = "org_000000000000000000callboard"

// world is a server with an app, and a client of it that remembers its requests.
type world struct {
	*client.Client
	acme client.App
	t    *testing.T

	mu   sync.Mutex
	sent []string // method and path, without the query
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	server, text := startServer(t)
	var err error
	w.Client, err = client.New(server, text, client.WithHTTPClient(&http.Client{Transport: w}))
	if err != nil {
		t.Fatal(err)
	}
	must[any](t)(nil, w.Do(t.Context(), http.MethodPost, "/app", map[string]string{"name": "Acme", "uid": "acme"}, nil))
	w.acme = w.App("acme")
	return w
}

// startServer starts a server that ends with the test, and gives its URL and a token.
func startServer(t *testing.T) (server, text string) {
	t.Helper()
	server, text, stop, err := serve(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return server, text
}

// serve starts a server on a database in a directory. stop ends it.
func serve(ctx context.Context, dir string) (server, text string, stop func() error, err error) {
	secret := token.NewSecret("the secret of the tests, long enough")
	a, err := app.New(ctx, app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(dir, "test.db"), JWTSecret: secret, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return "", "", nil, err
	}
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		return a.Stop(ctx)
	}
	if err := a.Start(ctx); err != nil {
		return "", "", nil, errors.Join(err, stop())
	}
	authority, err := token.New(token.Config{Secret: secret})
	if err == nil {
		text, err = authority.Mint(token.Claims{Org: org, Expires: time.Now().Add(time.Hour)})
	}
	if err != nil {
		return "", "", nil, errors.Join(err, stop())
	}
	return a.URL(), text, stop, nil
}

// must takes what a call returns, and fails the test for an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(got T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// RoundTrip remembers a request and makes it.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v1"))
	w.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// took gives the requests since it was last called.
func (w *world) took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// message is one that the app has sent.
type message struct {
	ID        string
	EventType string
	Payload   map[string]any
}

// messages are those of the app, the oldest first.
func (w *world) messages() []message {
	w.t.Helper()
	var all struct{ Data []message }
	must[any](w.t)(nil, w.Do(w.t.Context(), http.MethodGet, "/app/acme/msg?limit=250", nil, &all))
	slices.Reverse(all.Data)
	return all.Data
}

// types are the event types of the messages that were sent after the first n.
func (w *world) types(n int) []string {
	w.t.Helper()
	types := []string{}
	for _, m := range w.messages()[n:] {
		types = append(types, m.EventType)
	}
	return types
}

// fake answers requests one after the other.
type fake struct {
	answers []answer
	got     []*http.Request
	bodies  []string
	at      []time.Time
}

// answer is a status with headers and a body, or an error.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// RoundTrip gives the next answer; the last again and again.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := f.answers[min(len(f.got), len(f.answers)-1)]
	f.got, f.bodies, f.at = append(f.got, r), append(f.bodies, string(body)), append(f.at, time.Now())
	if a.err != nil {
		return nil, a.err
	}
	header := a.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

const secretToken = "hunter2.hunter2"

// newFake is a client that gets these answers.
func newFake(t *testing.T, answers ...answer) (*client.Client, *fake) {
	t.Helper()
	f := &fake{answers: answers}
	c, err := client.New("http://example.com/base/", secretToken, client.WithHTTPClient(&http.Client{Transport: f}))
	if err != nil {
		t.Fatal(err)
	}
	return c, f
}
