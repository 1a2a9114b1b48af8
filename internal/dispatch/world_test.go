package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/tasks"
	"github.com/callboard/callboard/internal/testenv"
)

const org = "org_000000000000000000000000001"

// post is a request that reached a receiver.
type post struct {
	at   time.Time
	msg  string
	host string
	body string
	key  string // the one secret of a dialect that has room for one
}

// receiver answers requests to one host. It runs in virtual time and may sleep.
type receiver func(ctx context.Context, p post) (status int, header http.Header)

// world is a whole engine in a synctest bubble: a real SQLite file, a committer,
// a dispatcher and a task runner, and receivers behind a fake transport.
type world struct {
	t      *testing.T
	config dispatch.Config
	jump   time.Duration // how far the wall clock was set from the bubble's time

	store     *sqlite.Store
	codec     *id.Codec
	committer *commit.Committer
	sender    *dispatch.Dispatcher
	service   *ingest.Service
	loaded    func()                   // runs while the dispatcher loads an endpoint
	fault     func(*commit.Unit) error // a failure of the store for the dispatcher's units

	mu        sync.Mutex
	receivers map[string]receiver
	posts     []post

	stopWork, stopCommits context.CancelFunc
	work, commits         sync.WaitGroup
	path                  string
}

// inWorld runs a test in a bubble that begins in 2026, since ids begin in 2020.
func inWorld(t *testing.T, config dispatch.Config, test func(*world)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		testenv.Advance(time.Until(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)))
		w := &world{t: t, config: config, receivers: map[string]receiver{}, path: path}
		w.start()
		test(w)
		w.stop()
	})
}

func (w *world) now() time.Time { return time.Now().Round(0).Add(w.jump) }

// start opens the store and runs the engine on it.
func (w *world) start() {
	w.t.Helper()
	ctx := context.Background()
	var err error
	must := func() {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.store, err = sqlite.Open(ctx, sqlite.Config{Path: w.path, Synchronous: sqlite.Normal})
	must()
	key, err := w.store.IDKey(ctx)
	must()
	w.codec, err = id.NewCodec(key)
	must()
	dialects := testDialects()
	quiet := slog.New(slog.DiscardHandler)
	config := w.config
	config.Store, config.Transport, config.Dialects, config.Codec = loading{w.store, w}, w, dialects, w.codec
	config.Now = w.now
	if config.Logger == nil {
		config.Logger = quiet
	}
	w.sender, err = dispatch.New(config)
	must()
	w.committer, err = commit.New(ctx, commit.Config{Store: w.store, Handoff: w.sender, Logger: quiet, Now: w.now})
	must()
	w.service, err = ingest.New(ingest.Config{
		Submitter: w.committer, Store: finder{w.store}, Dialects: dialects,
		Guard: netguard.New(netguard.Policy{}), Catalog: ingesttest.Catalog{}, Codec: w.codec,
	})
	must()
	runner := tasks.New(tasks.Config{Store: w.store, Submitter: w.committer, Logger: quiet})
	workCtx, stopWork := context.WithCancel(ctx)
	commitCtx, stopCommits := context.WithCancel(ctx)
	w.stopWork, w.stopCommits = stopWork, stopCommits
	w.commits.Go(func() { _ = w.committer.Run(commitCtx) })
	w.work.Go(func() { _ = w.sender.Run(workCtx, w) })
	w.work.Go(func() { _ = runner.Run(workCtx) })
	synctest.Wait()
}

// stop ends the engine as a SIGTERM does.
func (w *world) stop() {
	w.stopWork()
	w.work.Wait()
	w.stopCommits()
	w.commits.Wait()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// Submit is the dispatcher's way to the committer; a test may make it fail.
func (w *world) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	if w.fault != nil {
		if err := w.fault(u); err != nil {
			return commit.Result{}, err
		}
	}
	return w.committer.Submit(ctx, u)
}

// RoundTrip makes world the transport: it asks the receiver of the URL's host.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := post{
		at: time.Now(), msg: r.Header.Get("Webhook-Id"), host: r.URL.Host, body: string(body),
		key: r.Header.Get("Shared") + r.Header.Get("Terse"),
	}
	w.mu.Lock()
	w.posts = append(w.posts, p)
	answer := w.receivers[p.host]
	w.mu.Unlock()
	status, header := answer(r.Context(), p)
	if err := context.Cause(r.Context()); err != nil {
		return nil, err
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// always is a receiver that answers at once with one status, 0 = no connection.
func always(status int) receiver {
	return func(context.Context, post) (int, http.Header) { return status, nil }
}

// hang is a receiver that never answers.
func hang(ctx context.Context, _ post) (int, http.Header) {
	<-ctx.Done()
	return 0, nil
}

// after is a receiver that answers 200 after a while.
func after(d time.Duration) receiver {
	return func(ctx context.Context, _ post) (int, http.Header) {
		select {
		case <-time.After(d):
			return 200, nil
		case <-ctx.Done():
			return 0, nil
		}
	}
}

func (w *world) app(change ...func(*store.App)) ingest.AppRef {
	w.t.Helper()
	app := store.App{Name: "app"}
	for _, c := range change {
		c(&app)
	}
	r, err := w.service.CreateApp(context.Background(), org, ingest.Key{}, app, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return ingest.AppRef{Org: org, Ref: store.Ref{ID: r.ID}}
}

// endpoint makes an endpoint whose host has a receiver.
func (w *world) endpoint(app ingest.AppRef, host string, answer receiver, change ...func(*delivery.Endpoint)) id.ID {
	w.t.Helper()
	w.answer(host, answer)
	ep := delivery.Endpoint{URL: "https://" + host + "/hook"}
	for _, c := range change {
		c(&ep)
	}
	r, err := w.service.CreateEndpoint(context.Background(), app, ingest.Key{}, ep)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// answer changes what a host's receiver does.
func (w *world) answer(host string, answer receiver) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receivers[host] = answer
}

func (w *world) change(app ingest.AppRef, endpoint id.ID, change func(*delivery.Endpoint)) {
	w.t.Helper()
	_, err := w.service.UpdateEndpoint(context.Background(), app, store.Ref{ID: endpoint}, false, func(ep *delivery.Endpoint) error {
		change(ep)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) send(app ingest.AppRef, change ...func(*ingest.Message)) id.ID {
	w.t.Helper()
	m := ingest.Message{EventType: "a.b", Payload: []byte(`{"n":1}`)}
	for _, c := range change {
		c(&m)
	}
	r, err := w.service.PostMessage(context.Background(), app, ingest.Key{}, m)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// received gives the requests that reached a host, in order.
func (w *world) received(host string) []post {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []post
	for _, p := range w.posts {
		if p.host == host {
			out = append(out, p)
		}
	}
	return out
}

// state reads a delivery.
func (w *world) state(message, endpoint id.ID) delivery.Delivery {
	w.t.Helper()
	rows, _, err := w.store.DeliveriesOf(context.Background(), endpoint, message-1, message+1,
		[]delivery.State{delivery.Pending, delivery.Waiting, delivery.Leased, delivery.Succeeded, delivery.Failed, delivery.Canceled}, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(rows) != 1 {
		w.t.Fatalf("message %d has %d deliveries for endpoint %d, want 1", message, len(rows), endpoint)
	}
	return rows[0]
}

// settle lets everything happen that needs no time, and a second for tasks.
func (w *world) settle() { w.pass(2 * time.Second) }

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	testenv.Advance(d)
	synctest.Wait()
}

// wantState fails unless a delivery ended as expected.
func (w *world) wantState(message, endpoint id.ID, state delivery.State, reason delivery.Reason) {
	w.t.Helper()
	d := w.state(message, endpoint)
	if d.State != state || d.Reason != reason {
		w.t.Errorf("delivery is %s, want %s", describe(d.State, d.Reason), describe(state, reason))
	}
}

func describe(s delivery.State, r delivery.Reason) string { return fmt.Sprintf("state %d %v", s, r) }

// loading is the dispatcher's store; a test may do something while an endpoint is
// being loaded, after it was read.
type loading struct {
	*sqlite.Store
	w *world
}

func (s loading) Endpoint(ctx context.Context, endpoint id.ID) (delivery.Endpoint, store.App, error) {
	ep, app, err := s.Store.Endpoint(ctx, endpoint)
	if s.w.loaded != nil {
		s.w.loaded()
	}
	return ep, app, err
}

// finder lets ingest resolve names; the tests use ids alone.
type finder struct{ *sqlite.Store }

// testDialects are those of ingesttest and some that do what no dialect should.
func testDialects() dialect.Set {
	d := ingesttest.Dialects()
	all := []dialect.Dialect{mute{}, broken{}, telling{}}
	for _, name := range d.Names() {
		known, _ := d.Get(name)
		all = append(all, known)
	}
	return dialect.NewSet(all...)
}

// mute is a dialect that can say everything and render nothing.
type mute struct{ native.Dialect }

func (mute) Name() string { return "mute" }

func (mute) Render(dialect.Message) ([]byte, error) {
	return nil, fmt.Errorf("%w: data.id is missing", dialect.ErrUnrenderable)
}

// broken is a dialect with a defect.
type broken struct{ native.Dialect }

func (broken) Name() string { return "broken" }

func (broken) Render(m dialect.Message) ([]byte, error) { panic("broken by " + string(m.Payload)) }

// telling is a dialect that says what it was told of a message.
type telling struct{ native.Dialect }

func (telling) Name() string { return "telling" }

func (telling) Render(m dialect.Message) ([]byte, error) {
	return fmt.Appendf(nil, `{"id":%q,"type":%q,"tenant":%q,"time":%d}`, m.ID, m.Type, m.Tenant, m.Time.UnixMilli()), nil
}
