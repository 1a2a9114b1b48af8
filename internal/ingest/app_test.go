package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
)

// byUID names an app of the tests' org.
func byUID(uid string) ingest.AppRef {
	return ingest.AppRef{Org: ingesttest.Org, Ref: store.Ref{UID: uid}}
}

// named gives a new app a uid.
func named(uid string) func(*store.App) { return func(a *store.App) { a.UID = uid } }

func rename(e *ingesttest.Engine, ref ingest.AppRef, uid string) (ingest.Result, error) {
	return e.Service.UpdateApp(context.Background(), ref, false, func(a *store.App) error {
		a.UID = uid
		return nil
	})
}

// findApp gives the id behind a name, 0 if there is none.
func findApp(t *testing.T, e *ingesttest.Engine, ref ingest.AppRef) id.ID {
	t.Helper()
	app, err := e.Store.App(t.Context(), ref.Org, ref.Ref)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return app.ID
}

func TestCreateApp(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	first := e.App(named("a"))
	create := func(org, uid string, getIfExists bool) (ingest.Result, error) {
		return e.Service.CreateApp(t.Context(), org, ingest.Key{}, store.App{Name: "other", UID: uid}, getIfExists)
	}
	_, err := create(ingesttest.Org, "a", false)
	wantKind(t, errs.Conflict, err)
	got, err := create(ingesttest.Org, "a", true)
	if diff := cmp.Diff(ingest.Result{ID: first.ID, Existed: true}, got); diff != "" || err != nil {
		t.Errorf("get if exists: %v (-want +got):\n%s", err, diff)
	}
	for _, other := range []struct {
		org, uid    string
		getIfExists bool
	}{
		{ingesttest.OtherOrg, "a", false},
		{ingesttest.Org, "A", false},
		{ingesttest.Org, "b", true},
		{ingesttest.Org, "", false},
		{ingesttest.Org, "", true},
	} {
		got, err := create(other.org, other.uid, other.getIfExists)
		if err != nil || got.Existed || got.ID == 0 || got.ID == first.ID {
			t.Errorf("creating %+v gave %+v, %v", other, got, err)
		}
	}
}

// TestUpsertApp puts an app under a uid twice: the first time makes it.
func TestUpsertApp(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	put := func(ref ingest.AppRef, name string) (ingest.Result, error) {
		return e.Service.UpdateApp(t.Context(), ref, true, func(a *store.App) error {
			a.Name = name
			return nil
		})
	}
	made, err := put(byUID("a"), "one")
	if err != nil || made.Existed {
		t.Fatalf("the first put gave %+v, %v", made, err)
	}
	changed, err := put(byUID("a"), "two")
	if diff := cmp.Diff(ingest.Result{ID: made.ID, Existed: true}, changed); diff != "" || err != nil {
		t.Errorf("the second put: %v (-want +got):\n%s", err, diff)
	}
	app, err := e.Store.App(t.Context(), ingesttest.Org, store.Ref{UID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if app.Name != "two" || app.ID != made.ID || app.CreatedAt.IsZero() || app.UpdatedAt.Before(app.CreatedAt) {
		t.Errorf("the app is %+v", app)
	}
	_, err = put(ingest.AppRef{Org: ingesttest.Org, Ref: store.Ref{ID: 12345}}, "no id is the caller's to give")
	wantKind(t, errs.NotFound, err)
	_, err = rename(e, byUID("nobody"), "b")
	wantKind(t, errs.NotFound, err)

	refusal := errors.New("refused by mutate")
	_, err = e.Service.UpdateApp(t.Context(), byUID("new"), true, func(*store.App) error { return refusal })
	if !errors.Is(err, refusal) || findApp(t, e, byUID("new")) != 0 {
		t.Errorf("a refused put gave %v", err)
	}
}

func TestRenameApp(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	a, b := e.App(named("a")), e.App(named("b"))
	_, err := rename(e, a, "b")
	wantKind(t, errs.Conflict, err)
	_, err = rename(e, byUID("a"), "b")
	wantKind(t, errs.Conflict, err)
	for _, step := range []struct {
		who ingest.AppRef
		uid string
	}{{a, "a"}, {b, "c"}, {byUID("a"), "b"}, {b, "a"}, {a, ""}, {b, "b"}} {
		if _, err := rename(e, step.who, step.uid); err != nil {
			t.Fatalf("renaming %+v to %q: %v", step.who.Ref, step.uid, err)
		}
	}
	for uid, want := range map[string]id.ID{"a": 0, "b": b.ID, "c": 0} {
		if got := findApp(t, e, byUID(uid)); got != want {
			t.Errorf("%q is app %d, want %d", uid, got, want)
		}
		_, err := post(t.Context(), e, byUID(uid), ingest.Key{})
		if known := err == nil; known != (want != 0) {
			t.Errorf("posting to %q: %v", uid, err)
		}
	}
}

// hold lets the committer wait until release is called. What is submitted meanwhile shares a batch.
func hold(e *ingesttest.Engine) (release func()) {
	gate := make(chan struct{})
	held := make(chan struct{})
	go func() {
		defer close(held)
		_, _ = e.Committer.Submit(context.Background(), &commit.Unit{Decide: func(*commit.View) (id.ID, error) {
			<-gate
			return 0, nil
		}})
	}()
	synctest.Wait()
	return func() {
		close(gate)
		<-held
	}
}

// atOnce runs n calls concurrently and gives how many succeeded, by the kinds of the others' errors.
func atOnce(n int, call func(i int) error) (succeeded int, failed map[errs.Kind]int) {
	var mu sync.Mutex
	var calls sync.WaitGroup
	failed = map[errs.Kind]int{}
	begin := make(chan struct{})
	for i := range n {
		calls.Go(func() {
			<-begin
			err := call(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				succeeded++
			} else {
				failed[errs.KindOf(err)]++
			}
		})
	}
	close(begin)
	calls.Wait()
	return succeeded, failed
}

// TestOneUIDAtOnce lets many want one uid at the same time: one gets it.
func TestOneUIDAtOnce(t *testing.T) {
	t.Parallel()
	const n = 16
	e := ingesttest.New(t)
	ctx := t.Context()
	apps := make([]ingest.AppRef, n)
	for i := range apps {
		apps[i] = e.App(named(fmt.Sprintf("before-%d", i)))
	}
	app := e.App()
	endpoints := make([]id.ID, n)
	for i := range endpoints {
		endpoints[i] = e.Endpoint(app)
	}
	for name, tt := range map[string]struct {
		want func(i int) error
		all  bool // all succeed, on one app
	}{
		"create app": {want: func(int) error {
			_, err := e.Service.CreateApp(ctx, ingesttest.Org, ingest.Key{}, store.App{Name: "n", UID: "created"}, false)
			return err
		}},
		"rename app": {want: func(i int) error { _, err := rename(e, apps[i], "renamed"); return err }},
		"put app": {all: true, want: func(int) error {
			_, err := e.Service.UpdateApp(ctx, byUID("put"), true, func(a *store.App) error { a.Name = "n"; return nil })
			return err
		}},
		"get or create app": {all: true, want: func(int) error {
			_, err := e.Service.CreateApp(ctx, ingesttest.Org, ingest.Key{}, store.App{Name: "n", UID: "got"}, true)
			return err
		}},
		"create endpoint": {want: func(int) error {
			_, err := e.Service.CreateEndpoint(ctx, app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com", UID: "created"})
			return err
		}},
		"rename endpoint": {want: func(i int) error {
			_, err := e.Service.UpdateEndpoint(ctx, app, store.Ref{ID: endpoints[i]}, false, func(ep *delivery.Endpoint) error {
				ep.UID = "renamed"
				return nil
			})
			return err
		}},
		"create event type": {want: func(int) error {
			_, err := e.Service.CreateEventType(ctx, ingest.Key{}, store.EventType{Org: ingesttest.Org, Name: "a.b"})
			return err
		}},
		"post eventId": {want: func(int) error {
			_, err := post(ctx, e, app, ingest.Key{}, func(m *ingest.Message) { m.EventID = "once" })
			return err
		}},
	} {
		succeeded, failed := atOnce(n, tt.want)
		want := 1
		if tt.all {
			want = n
		}
		if succeeded != want || failed[errs.Conflict] != n-want {
			t.Errorf("%s: %d of %d succeeded, the others failed by kind: %v", name, succeeded, n, failed)
		}
	}
	for _, uid := range []string{"created", "renamed", "put", "got"} {
		if findApp(t, e, byUID(uid)) == 0 {
			t.Errorf("nobody got %q", uid)
		}
	}
}

func TestDeleteApp(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	ctx := t.Context()
	app := e.App(named("a"))
	ep := e.Endpoint(app)
	message := e.Post(app)
	if err := e.Service.DeleteApp(ctx, byUID("a")); err != nil {
		t.Fatal(err)
	}
	for name, call := range operations(e, ep, message) {
		t.Run(name, func(t *testing.T) { wantKind(t, errs.NotFound, call(ctx, app)) })
	}
	tasks := e.Tasks()
	if len(tasks) != 1 || tasks[0].Kind != store.TaskPurgeApp || tasks[0].State != store.TaskRunning || tasks[0].App != app.ID || tasks[0].Until <= message {
		t.Errorf("the tasks are %+v", tasks)
	}
	again := e.App(named("a"))
	if findApp(t, e, byUID("a")) != again.ID {
		t.Error("the uid of a deleted app is not free")
	}
}

// operations are all that can be asked of an existing app, with the parts that are given.
func operations(e *ingesttest.Engine, endpoint, message id.ID) map[string]func(context.Context, ingest.AppRef) error {
	s, ep, msg := e.Service, store.Ref{ID: endpoint}, store.Ref{ID: message}
	without := func(_ ingest.Result, err error) error { return err }
	return map[string]func(context.Context, ingest.AppRef) error{
		"update app": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.UpdateApp(ctx, app, false, func(*store.App) error { return nil }))
		},
		"delete app":    func(ctx context.Context, app ingest.AppRef) error { return s.DeleteApp(ctx, app) },
		"expire tokens": func(ctx context.Context, app ingest.AppRef) error { return s.ExpireTokens(ctx, app, time.Now()) },
		"create endpoint": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.CreateEndpoint(ctx, app, ingest.Key{}, delivery.Endpoint{URL: "https://example.com"}))
		},
		"update endpoint": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.UpdateEndpoint(ctx, app, ep, false, func(*delivery.Endpoint) error { return nil }))
		},
		"put endpoint": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.UpdateEndpoint(ctx, app, store.Ref{UID: "new"}, true, func(p *delivery.Endpoint) error {
				p.URL = "https://example.com"
				return nil
			}))
		},
		"delete endpoint": func(ctx context.Context, app ingest.AppRef) error { return s.DeleteEndpoint(ctx, app, ep) },
		"rotate secret": func(ctx context.Context, app ingest.AppRef) error {
			return s.RotateSecret(ctx, app, ep, ingest.Key{}, "", time.Hour)
		},
		"post message": func(ctx context.Context, app ingest.AppRef) error { return without(post(ctx, e, app, ingest.Key{})) },
		"post message with an eventId": func(ctx context.Context, app ingest.AppRef) error {
			return without(post(ctx, e, app, ingest.Key{}, func(m *ingest.Message) { m.EventID = "e" }))
		},
		"send example": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.SendExample(ctx, app, ep, ingest.Key{}, "a.b", []byte(`{}`)))
		},
		"send raw example": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.SendRawExample(ctx, app, ep, ingest.Key{}, ingest.RawExample{EventType: "a.b", Dialect: "native", Body: []byte(`{}`)}))
		},
		"resend": func(ctx context.Context, app ingest.AppRef) error { return s.Resend(ctx, app, msg, ep, ingest.Key{}) },
		"recover": func(ctx context.Context, app ingest.AppRef) error {
			return without(s.Recover(ctx, app, ep, ingest.Key{}, time.Now().Add(-time.Hour), time.Time{}))
		},
		"delete payload": func(ctx context.Context, app ingest.AppRef) error { return s.DeletePayload(ctx, app, msg) },
		"delete attempt content": func(ctx context.Context, app ingest.AppRef) error {
			attempts, err := e.Store.ListAttempts(context.Background(), store.AttemptQuery{App: appOf(e, endpoint), Message: message, Page: store.Page{Limit: 1}})
			if err != nil {
				return err
			}
			attempt := id.ID(1) // of nobody
			for _, a := range attempts.Rows {
				attempt = a.ID
			}
			return s.DeleteAttemptContent(ctx, app, message, attempt)
		},
	}
}

// appOf gives the app of an endpoint.
func appOf(e *ingesttest.Engine, endpoint id.ID) id.ID {
	ep, _, err := e.Store.Endpoint(context.Background(), endpoint)
	if err != nil {
		return 0
	}
	return ep.App
}

// TestStrangers asks for everything in the name of another org, of another app and of an app that does not exist. All
// look alike, and nothing changes.
func TestStrangers(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	ep := e.Endpoint(app)
	message := e.Post(app)
	e.Deliver(ep, true)
	other := e.App()
	needsParts := []string{"update endpoint", "delete endpoint", "rotate secret", "send example", "send raw example", "resend", "recover", "delete payload", "delete attempt content"}
	for who, ref := range map[string]ingest.AppRef{
		"another org":      {Org: ingesttest.OtherOrg, Ref: app.Ref},
		"an unknown id":    {Org: ingesttest.Org, Ref: store.Ref{ID: 12345}},
		"an unknown uid":   byUID("unknown"),
		"another app":      other,
		"nobody in no org": {Org: ingesttest.OtherOrg, Ref: store.Ref{UID: "unknown"}},
	} {
		for what, call := range operations(e, ep, message) {
			if ref == other && !slices.Contains(needsParts, what) {
				continue // it may do that to itself
			}
			t.Run(who+"/"+what, func(t *testing.T) { wantKind(t, errs.NotFound, call(t.Context(), ref)) })
		}
	}
	m, err := e.Store.Message(t.Context(), app.ID, store.Ref{ID: message})
	if err != nil || m.Payload == nil {
		t.Errorf("a stranger took the payload: %v", err)
	}
	if got := e.Deliveries(ep); len(got) != 1 || got[0].State != delivery.Succeeded {
		t.Errorf("a stranger changed the deliveries: %+v", got)
	}
	if tasks := e.Tasks(); len(tasks) != 0 {
		t.Errorf("a stranger started tasks: %+v", tasks)
	}
}

// TestCancelledContexts cancels every operation while the committer is busy. The caller learns that the outcome is
// unknown; the decision that runs later, beside it, shares nothing with it, which the race detector checks.
func TestCancelledContexts(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		message := e.Post(app)
		e.Deliver(ep, true)
		calls := operations(e, ep, message)
		delete(calls, "delete app") // the others need it
		calls["create app"] = func(ctx context.Context, _ ingest.AppRef) error {
			_, err := e.Service.CreateApp(ctx, ingesttest.Org, ingest.Key{}, store.App{Name: "n", UID: "u"}, true)
			return err
		}
		calls["rename app"] = func(ctx context.Context, app ingest.AppRef) error {
			_, err := e.Service.UpdateApp(ctx, app, false, func(a *store.App) error { a.UID = "v"; return nil })
			return err
		}
		calls["put event type"] = func(ctx context.Context, _ ingest.AppRef) error {
			_, err := e.Service.UpdateEventType(ctx, ingesttest.Org, "a.b", true, func(*store.EventType) error { return nil })
			return err
		}
		calls["settings"] = func(ctx context.Context, _ ingest.AppRef) error {
			return e.Service.UpdateSettings(ctx, ingesttest.Org, func([]byte) ([]byte, error) { return []byte(`{}`), nil })
		}
		release := hold(e)
		var all sync.WaitGroup
		cause := errors.New("the client has gone")
		ctx, cancel := context.WithCancelCause(context.Background())
		for name, call := range calls {
			all.Go(func() {
				err := call(ctx, app)
				if !errors.Is(err, cause) || errs.KindOf(err) != errs.Unavailable {
					t.Errorf("%s: error %v, want an unavailable one with the cause", name, err)
				}
			})
		}
		synctest.Wait() // all wait in the queue
		cancel(cause)
		all.Wait()
		release()
		e.Post(app) // which is answered after what was queued before it
		if findApp(t, e, byUID("u")) == 0 {
			t.Error("what was queued was not done: the test proves nothing")
		}
	})
}

// TestExpireTokens keeps the moment beside the app.
func TestExpireTokens(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	from := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if err := e.Service.ExpireTokens(t.Context(), app, from); err != nil {
		t.Fatal(err)
	}
	got, err := e.Store.App(t.Context(), ingesttest.Org, app.Ref)
	if err != nil || !got.TokensValidFrom.Equal(from) {
		t.Errorf("tokens are valid from %v, %v, want %v", got.TokensValidFrom, err, from)
	}
}

// TestUseOnce: the first to use a name is told so, among many at a time, and nobody after; another
// name is another's.
func TestUseOnce(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	until := time.Now().Add(time.Hour)
	var wait sync.WaitGroup
	var mu sync.Mutex
	firsts := map[string]int{}
	for range 10 {
		for _, name := range []string{"a", "b"} {
			wait.Go(func() {
				first, err := e.Service.UseOnce(t.Context(), name, until)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if first {
					firsts[name]++
				}
			})
		}
	}
	wait.Wait()
	if diff := cmp.Diff(map[string]int{"a": 1, "b": 1}, firsts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
