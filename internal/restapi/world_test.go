package restapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/traffic"
)

// world is the API over the real ingest, committer and store. Nothing is sent:
// deliver plays the dispatcher.
type world struct {
	t         testing.TB
	store     *sqlite.Store
	committer *commit.Committer
	service   *ingest.Service
	codec     *id.Codec
	tokens    *token.Authority
	dialects  dialect.Set
	traffic   *traffic.Recorder
	handler   http.Handler
	log       *lockedBuffer
	org       string // token of the org
}

const (
	secret    = "the secret of the tests, long enough"
	publicURL = "https://hooks.example.com"
)

func testOrg(n byte) string { return id.OrgFromBytes([20]byte{9, n}) }

// newWorld makes an empty world whose event types are the orgs' own; each change is made
// to the configuration.
func newWorld(t testing.TB, changes ...func(*restapi.Config)) *world {
	t.Helper()
	return makeWorld(t, nil, changes...)
}

// newCatalogWorld makes an empty world with the catalogue of ingesttest.
func newCatalogWorld(t testing.TB) *world {
	t.Helper()
	return makeWorld(t, ingesttest.Catalog{})
}

func makeWorld(t testing.TB, catalog restapi.Catalog, changes ...func(*restapi.Config)) *world {
	t.Helper()
	return makeWorldOf(t, testDialects(), catalog, changes...)
}

func makeWorldOf(t testing.TB, dialects dialect.Set, catalog restapi.Catalog, changes ...func(*restapi.Config)) *world {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, log: &lockedBuffer{}}
	var err error
	w.store, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(t.TempDir(), "test.db"), Synchronous: sqlite.Normal})
	must(err)
	key, err := w.store.IDKey(ctx)
	must(err)
	w.codec, err = id.NewCodec(key)
	must(err)
	w.tokens, err = token.New(token.Config{Secret: token.NewSecret(secret)})
	must(err)
	w.committer, err = commit.New(ctx, commit.Config{Store: w.store, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	w.dialects = dialects
	w.service, err = ingest.New(ingest.Config{
		Submitter: w.committer, Store: w.store, Dialects: dialects, Guard: netguard.New(netguard.Policy{}),
		Catalog: catalog, Codec: w.codec,
	})
	must(err)
	w.traffic, err = traffic.New(traffic.Config{Store: w.store})
	must(err)
	cfg := restapi.Config{
		Store: w.store, Ingest: w.service, Codec: w.codec, Tokens: w.tokens, Dialects: dialects, PublicURL: publicURL, Catalog: catalog, Traffic: w.traffic,
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Version: "test",
	}
	cfg.Play, err = play.New(play.Config{Key: key, Dialects: dialects})
	must(err)
	cfg.Play.Open(publicURL)
	for _, change := range changes {
		change(&cfg)
	}
	w.handler, err = restapi.New(cfg)
	must(err)
	w.org = w.token(token.Claims{Org: testOrg(1)})

	run, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() { _ = w.committer.Run(run) })
	t.Cleanup(func() {
		stop()
		wait.Wait()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// testDialects are those of ingesttest and one more.
func testDialects() dialect.Set {
	d := ingesttest.Dialects()
	all := []dialect.Dialect{silent{}}
	for _, name := range d.Names() {
		known, _ := d.Get(name)
		all = append(all, known)
	}
	return dialect.NewSet(all...)
}

// silent is a dialect that has no words for anything.
type silent struct{ native.Dialect }

func (silent) Name() string                      { return "silent" }
func (silent) Word(string) (string, dialect.Fit) { return "", dialect.Unsaid }

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (w *world) token(c token.Claims) string {
	w.t.Helper()
	text, err := w.tokens.Mint(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// reply is an answer of the API.
type reply struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   string
}

// request is one that differs from the ordinary.
type request struct {
	method, path, token string
	body                io.Reader
	header              map[string]string
}

func (w *world) send(r request) reply {
	w.t.Helper()
	req := httptest.NewRequest(r.method, r.path, r.body)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	return reply{w.t, rec.Code, rec.Header(), rec.Body.String()}
}

// do sends a request with the org's token to a path below /api/v1.
func (w *world) do(method, path, body string) reply {
	w.t.Helper()
	return w.as(w.org, method, path, body)
}

func (w *world) as(token, method, path, body string) reply {
	w.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	return w.send(request{method: method, path: "/api/v1" + path, token: token, body: reader})
}

// want checks the status.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	if status == http.StatusNoContent && r.Body != "" {
		r.t.Fatalf("a 204 has the body %q", r.Body)
	}
	return r
}

// json decodes the body.
func (r reply) json() map[string]any {
	r.t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(r.Body), &out); err != nil {
		r.t.Fatalf("%v in %q", err, r.Body)
	}
	return out
}

// text is a string in the body.
func (r reply) text(name string) string {
	r.t.Helper()
	text, ok := r.json()[name].(string)
	if !ok {
		r.t.Fatalf("no %s in %s", name, r.Body)
	}
	return text
}

// items are the elements of a list.
func (r reply) items() []map[string]any {
	r.t.Helper()
	var out struct{ Data []map[string]any }
	if err := json.Unmarshal([]byte(r.Body), &out); err != nil {
		r.t.Fatalf("%v in %q", err, r.Body)
	}
	return out.Data
}

// field is one field of every element.
func (r reply) field(name string) []string {
	r.t.Helper()
	all := []string{}
	for _, item := range r.items() {
		all = append(all, fmt.Sprint(item[name]))
	}
	return all
}

// app, endpoint and message make things and give their ids.

func (w *world) app(uid string) string {
	w.t.Helper()
	return w.do("POST", "/app", fmt.Sprintf(`{"name":"App %s","uid":%q}`, uid, uid)).want(201).text("id")
}

func (w *world) endpoint(app, extra string) string {
	w.t.Helper()
	return w.do("POST", "/app/"+app+"/endpoint", `{"url":"https://example.com/hook"`+extra+`}`).want(201).text("id")
}

func (w *world) message(app, eventType, extra string) string {
	w.t.Helper()
	body := fmt.Sprintf(`{"eventType":%q,"payload":{"n":1}%s}`, eventType, extra)
	return w.do("POST", "/app/"+app+"/msg", body).want(202).text("id")
}

// deliver ends every due delivery of an endpoint with an attempt of the status.
func (w *world) deliver(endpoint string, status int) {
	w.t.Helper()
	ctx := context.Background()
	ep, ok := w.codec.Decode(id.Endpoint, endpoint)
	if !ok {
		w.t.Fatal("no endpoint id:", endpoint)
	}
	now := time.Now()
	claimed, err := w.store.Claim(ctx, now, []store.LaneRoom{{Endpoint: ep, Room: 1000}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range claimed {
		for _, d := range c.Rows {
			verdict := delivery.Verdict{Success: status >= 200 && status < 300}
			next := delivery.Next(d, verdict, nil, now, 0.5)
			_, err := w.committer.Submit(ctx, &commit.Unit{Decide: func(v *commit.View) (id.ID, error) {
				a := delivery.Attempt{
					Key: d.Key, N: d.Generation, ID: v.NextID(), App: d.App, Trigger: d.Trigger, At: now,
					Success: verdict.Success, StatusCode: status, Latency: 12 * time.Millisecond, Response: []byte("thanks"),
				}
				if status == 0 {
					a.Error, a.Response = "connection refused", nil
				}
				v.Complete(store.Completion{Attempt: a, Next: next})
				return a.ID, nil
			}})
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
}
