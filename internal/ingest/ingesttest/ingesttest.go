// Package ingesttest is an engine for tests of what stands around ingest: the real service over the real committer and
// a real SQLite file. Nothing is sent; [Engine.Deliver] plays the dispatcher.
//
// It works in real time and in a testing/synctest bubble, where [Bubble] starts it.
package ingesttest

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/testenv"
)

// The orgs of the tests; apps are made in Org.
const (
	Org      = "org_000000000000000000000000001"
	OtherOrg = "org_000000000000000000000000002"
)

// Engine is everything between the doors and the dispatcher. Its methods that make things use the background context
// and fail the test when they fail.
type Engine struct {
	Store     *sqlite.Store
	Committer *commit.Committer
	Service   *ingest.Service
	Dialects  dialect.Set
	Codec     *id.Codec

	t    testing.TB
	path string
	end  context.CancelFunc
	ran  sync.WaitGroup
}

// New starts an engine on an empty database. It ends with the test.
func New(t testing.TB) *Engine {
	t.Helper()
	return at(t, filepath.Join(t.TempDir(), "test.db"))
}

// Bubble runs a test on an engine in virtual time, which begins in 2026, since ids begin in 2020.
func Bubble(t *testing.T, test func(*testing.T, *Engine)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db") // of the outer test: the directory outlives the bubble
	synctest.Test(t, func(t *testing.T) {
		testenv.Advance(time.Until(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)))
		test(t, at(t, path))
	})
}

func at(t testing.TB, path string) *Engine {
	t.Helper()
	e := &Engine{t: t, path: path}
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *Engine) start() {
	e.t.Helper()
	ctx := context.Background()
	var err error
	if e.Store, err = sqlite.Open(ctx, sqlite.Config{Path: e.path, Synchronous: sqlite.Normal}); err != nil {
		e.t.Fatal(err)
	}
	e.Committer, err = commit.New(ctx, commit.Config{Store: e.Store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		e.t.Fatal(err)
	}
	e.Dialects = Dialects()
	key, err := e.Store.IDKey(ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if e.Codec, err = id.NewCodec(key); err != nil {
		e.t.Fatal(err)
	}
	e.Service, err = ingest.New(ingest.Config{
		Submitter: e.Committer, Store: e.Store, Dialects: e.Dialects, Guard: netguard.New(netguard.Policy{}),
		Catalog: Catalog{}, Codec: e.Codec,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	run, end := context.WithCancel(ctx)
	e.end = end
	e.ran.Go(func() {
		if err := e.Committer.Run(run); err != nil {
			e.t.Error("committer:", err)
		}
	})
}

func (e *Engine) stop() {
	e.end()
	e.ran.Wait()
	if err := e.Store.Close(); err != nil {
		e.t.Error(err)
	}
}

// Restart ends the engine and starts another one on the same file, as a new process would.
func (e *Engine) Restart() {
	e.t.Helper()
	e.stop()
	e.start()
}

// App makes an app.
func (e *Engine) App(change ...func(*store.App)) ingest.AppRef {
	e.t.Helper()
	app := store.App{Name: "app"}
	for _, c := range change {
		c(&app)
	}
	r, err := e.Service.CreateApp(context.Background(), Org, ingest.Key{}, app, false)
	if err != nil {
		e.t.Fatal(err)
	}
	return ingest.AppRef{Org: Org, Ref: store.Ref{ID: r.ID}}
}

// Endpoint makes an endpoint that hears everything.
func (e *Engine) Endpoint(app ingest.AppRef, change ...func(*delivery.Endpoint)) id.ID {
	e.t.Helper()
	ep := delivery.Endpoint{URL: "https://example.com/hook"}
	for _, c := range change {
		c(&ep)
	}
	r, err := e.Service.CreateEndpoint(context.Background(), app, ingest.Key{}, ep)
	if err != nil {
		e.t.Fatal(err)
	}
	return r.ID
}

// Change changes an endpoint.
func (e *Engine) Change(app ingest.AppRef, endpoint id.ID, change func(*delivery.Endpoint)) {
	e.t.Helper()
	_, err := e.Service.UpdateEndpoint(context.Background(), app, store.Ref{ID: endpoint}, false, func(ep *delivery.Endpoint) error {
		change(ep)
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// Post posts a message of the type "a.b".
func (e *Engine) Post(app ingest.AppRef, change ...func(*ingest.Message)) id.ID {
	e.t.Helper()
	m := ingest.Message{EventType: "a.b", Payload: []byte(`{"n":1}`)}
	for _, c := range change {
		c(&m)
	}
	r, err := e.Service.PostMessage(context.Background(), app, ingest.Key{}, m)
	if err != nil {
		e.t.Fatal(err)
	}
	return r.ID
}

// Decide commits what decide does.
func (e *Engine) Decide(keys commit.Keys, decide func(*commit.View)) {
	e.t.Helper()
	_, err := e.Committer.Submit(context.Background(), &commit.Unit{Keys: keys, Decide: func(v *commit.View) (id.ID, error) {
		decide(v)
		return 0, nil
	}})
	if err != nil {
		e.t.Fatal(err)
	}
}

// Fill writes n messages at once, each with a delivery for every one of the endpoints; like changes each delivery. It
// returns the messages' ids, ascending.
func (e *Engine) Fill(app ingest.AppRef, n int, like func(*delivery.Delivery), endpoints ...id.ID) []id.ID {
	e.t.Helper()
	var ids []id.ID
	e.Decide(commit.Keys{}, func(v *commit.View) {
		ids = ids[:0]
		for range n {
			m := v.NextID()
			v.AddMessage(store.Message{ID: m, App: app.ID, Type: "a.b", Payload: []byte(`{}`)})
			for _, ep := range endpoints {
				d := delivery.Delivery{Key: delivery.Key{Message: m, Endpoint: ep}, App: app.ID, State: delivery.Pending, NextAt: v.Now()}
				if like != nil {
					like(&d)
				}
				v.AddDelivery(d, 0)
			}
			ids = append(ids, m)
		}
	})
	return ids
}

// Failed changes a delivery for Fill.
func Failed(d *delivery.Delivery) { *d = d.Fail(delivery.Exhausted) }

// Deliver makes an attempt of every due delivery of an endpoint, which succeeds or is the last of its schedule. It
// returns how many there were.
func (e *Engine) Deliver(endpoint id.ID, success bool) int {
	e.t.Helper()
	now := time.Now()
	claimed, err := e.Store.Claim(context.Background(), now, []store.LaneRoom{{Endpoint: endpoint, Room: 1000}})
	if err != nil {
		e.t.Fatal(err)
	}
	n := 0
	for _, c := range claimed {
		e.Decide(commit.Keys{}, func(v *commit.View) {
			for _, d := range c.Rows {
				a := delivery.Attempt{
					Key: d.Key, N: d.Generation, ID: v.NextID(), App: d.App, Trigger: d.Trigger, At: now, Success: success,
					StatusCode: 500, Response: []byte("thanks"),
				}
				if success {
					a.StatusCode = 200
				}
				v.Complete(store.Completion{Attempt: a, Next: delivery.Next(d, delivery.Verdict{Success: success}, nil, now, 0.5)})
			}
		})
		n += len(c.Rows)
	}
	return n
}

// Deliveries gives an endpoint's deliveries, ascending by message.
func (e *Engine) Deliveries(endpoint id.ID) []delivery.Delivery {
	e.t.Helper()
	all := []delivery.State{delivery.Pending, delivery.Waiting, delivery.Leased, delivery.Succeeded, delivery.Failed, delivery.Canceled}
	var rows []delivery.Delivery
	for after, more := id.ID(0), true; more; more = after != 0 {
		some, next, err := e.Store.DeliveriesOf(context.Background(), endpoint, after, 0, all, 1000)
		if err != nil {
			e.t.Fatal(err)
		}
		rows, after = append(rows, some...), next
	}
	return rows
}

// Heard gives the messages that an endpoint has deliveries of, ascending.
func (e *Engine) Heard(endpoint id.ID) []id.ID {
	e.t.Helper()
	heard := []id.ID{}
	for _, d := range e.Deliveries(endpoint) {
		heard = append(heard, d.Message)
	}
	return heard
}

// Tasks gives the background tasks of Org, oldest first.
func (e *Engine) Tasks() []store.Task {
	e.t.Helper()
	tasks, err := e.Store.ListTasks(context.Background(), Org, 0, 0, store.Page{Limit: 1000, Ascending: true})
	if err != nil {
		e.t.Fatal(err)
	}
	return tasks.Rows
}
