package tasks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/tasks"
	"github.com/callboard/callboard/internal/testenv"
)

// submitter stands between a runner and the committer.
type submitter func(ctx context.Context, u *commit.Unit) (commit.Result, error)

func (s submitter) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	return s(ctx, u)
}

// run runs a runner until no task is left to do and returns how many steps it submitted.
func run(t *testing.T, e *ingesttest.Engine) (steps int) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := start(ctx, e, func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
		steps++
		return e.Committer.Submit(ctx, u)
	})
	testenv.Advance(3 * time.Second) // which is two looks at least
	stop()
	<-done
	return steps
}

// start starts a runner; done is closed when it has ended.
func start(ctx context.Context, e *ingesttest.Engine, through submitter) (done chan struct{}) {
	runner := tasks.New(tasks.Config{Store: e.Store, Submitter: through, Logger: slog.New(slog.DiscardHandler)})
	done = make(chan struct{})
	go func() {
		defer close(done)
		_ = runner.Run(ctx) // nil always
	}()
	return done
}

// recovery starts a task over all messages since a moment.
func recovery(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, ep id.ID, since, until time.Time) id.ID {
	t.Helper()
	r, err := e.Service.Recover(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, since, until)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// wantTask compares how a task ended.
func wantTask(t *testing.T, e *ingesttest.Engine, task id.ID, state store.TaskState, done int64, reason string) {
	t.Helper()
	got, err := e.Store.Task(t.Context(), ingesttest.Org, task)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != state || got.Done != done || got.Reason != reason {
		t.Errorf("the task is in state %d with %d done, %q; want %d, %d, %q", got.State, got.Done, got.Reason, state, done, reason)
	}
}

// states counts an endpoint's deliveries by state and reason.
type state struct {
	State  delivery.State
	Reason delivery.Reason
}

func states(e *ingesttest.Engine, ep id.ID) map[state]int {
	counts := map[state]int{}
	for _, d := range e.Deliveries(ep) {
		counts[state{d.State, d.Reason}]++
	}
	return counts
}

var (
	pending   = state{State: delivery.Pending}
	leased    = state{State: delivery.Leased}
	succeeded = state{State: delivery.Succeeded}
	canceled  = state{State: delivery.Canceled}
)

func failed(r delivery.Reason) state { return state{delivery.Failed, r} }

// TestRecoverBounds recovers among messages of several minutes: since is inclusive, until exclusive.
func TestRecoverBounds(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := time.Now()
		minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
		never := time.Time{}
		type test struct {
			since, until time.Time
			want         []int // minutes whose messages are recovered
		}
		var endpoints []id.ID
		tests := []test{
			{minute(0), never, []int{0, 1, 2, 3, 4}},
			{minute(2), never, []int{2, 3, 4}},
			{minute(2).Add(time.Millisecond), never, []int{3, 4}},
			{minute(1), minute(3), []int{1, 2}},
			{minute(1), minute(3).Add(time.Millisecond), []int{1, 2, 3}},
			{minute(4), minute(60), []int{4}},
			{minute(5), never, nil},
			{minute(-5), minute(-4), nil},
			{time.Unix(0, 0), never, []int{0, 1, 2, 3, 4}},
		}
		for range tests {
			endpoints = append(endpoints, e.Endpoint(app))
		}
		sent := map[id.ID]int{}
		for i := range 5 {
			m := e.Post(app)
			sent[m] = i
			for _, ep := range endpoints {
				e.Deliver(ep, false)
			}
			testenv.Advance(time.Minute)
		}
		for i, tt := range tests {
			task := recovery(t, e, app, endpoints[i], tt.since, tt.until)
			run(t, e)
			var recovered []int
			for _, d := range e.Deliveries(endpoints[i]) {
				if d.State != delivery.Pending {
					continue
				}
				recovered = append(recovered, sent[d.Message])
				if d.Trigger != delivery.Manual || d.Step != 0 {
					t.Errorf("a recovered delivery is %+v", d)
				}
			}
			if diff := cmp.Diff(tt.want, recovered); diff != "" {
				t.Errorf("since %v until %v recovered (-want +got):\n%s", tt.since, tt.until, diff)
			}
			wantTask(t, e, task, store.TaskFinished, int64(len(tt.want)), "")
		}
	})
}

// TestRecoverLeavesTheRest recovers what failed and nothing else.
func TestRecoverLeavesTheRest(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep, other := e.Endpoint(app), e.Endpoint(app)
		begin := time.Now()
		fill := func(s state) func(*delivery.Delivery) {
			return func(d *delivery.Delivery) { d.State, d.Reason = s.State, s.Reason }
		}
		for _, s := range []state{
			pending, succeeded, canceled, failed(delivery.Exhausted), failed(delivery.Expired), failed(delivery.EndpointDisabled),
			failed(delivery.Aborted), failed(delivery.Unrenderable), failed(delivery.PayloadGone),
		} {
			e.Fill(app, 1, fill(s), ep, other)
		}
		before := e.Deliveries(other)
		task := recovery(t, e, app, ep, begin, time.Time{})
		run(t, e)
		want := map[state]int{pending: 6, succeeded: 1, canceled: 1, failed(delivery.PayloadGone): 1}
		if diff := cmp.Diff(want, states(e, ep)); diff != "" {
			t.Errorf("deliveries by state (-want +got):\n%s", diff)
		}
		wantTask(t, e, task, store.TaskFinished, 5, "")
		if done, err := e.Store.Task(t.Context(), ingesttest.Org, task); err != nil || done.Subject != `{"total":6}` {
			t.Errorf("the task counted %s before it began (%v)", done.Subject, err)
		}
		if diff := cmp.Diff(before, e.Deliveries(other)); diff != "" {
			t.Errorf("another endpoint's deliveries changed (-before +after):\n%s", diff)
		}
	})
}

// TestRestarts ends the process after every single step of a long recovery, with and without learning that the step was
// committed. Every delivery is recovered once.
func TestRestarts(t *testing.T) {
	t.Parallel()
	const n = 1100 // three steps
	for name, known := range map[string]bool{"between steps": true, "after a commit that nobody heard of": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
				app := e.App()
				ep := e.Endpoint(app)
				begin := time.Now()
				e.Fill(app, n, ingesttest.Failed, ep)
				task := recovery(t, e, app, ep, begin, time.Time{})
				starts := 0
				for ; len(running(t, e)) > 0; starts++ {
					oneStep(e, known)
					e.Restart()
				}
				if starts != 3 {
					t.Errorf("%d starts with one step each, want 3", starts)
				}
				wantTask(t, e, task, store.TaskFinished, n, "")
				for _, d := range e.Deliveries(ep) {
					if d.State != delivery.Pending || d.Generation != 1 {
						t.Fatalf("a delivery is in state %d at generation %d, want pending at 1", d.State, d.Generation)
					}
				}
			})
		})
	}
}

// oneStep runs a runner for one step. Unless the step is known the runner is told that its outcome is not.
func oneStep(e *ingesttest.Engine, known bool) {
	ctx, stop := context.WithCancel(context.Background())
	<-start(ctx, e, func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
		r, err := e.Committer.Submit(ctx, u)
		stop()
		if !known {
			return commit.Result{}, store.ErrUnavailable
		}
		return r, err
	})
}

func running(t *testing.T, e *ingesttest.Engine) []store.Task {
	t.Helper()
	all, err := e.Store.RunningTasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSmallSteps looks at what single steps do: each changes at most 500 rows, and others commit in between.
func TestSmallSteps(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		begin := time.Now()
		e.Fill(app, 1200, ingesttest.Failed, ep)
		recovery(t, e, app, ep, begin, time.Time{})
		ctx, stop := context.WithCancel(context.Background())
		var done []int
		ended := start(ctx, e, func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
			r, err := e.Committer.Submit(ctx, u)
			done = append(done, states(e, ep)[pending])
			e.Post(app, func(m *ingest.Message) { m.Channels = nil })
			return r, err
		})
		testenv.Advance(time.Second)
		stop()
		<-ended
		// The messages that were posted in between are pending too.
		if diff := cmp.Diff([]int{500, 1001, 1202}, done); diff != "" {
			t.Errorf("pending deliveries after each step (-want +got):\n%s", diff)
		}
	})
}

// TestTwoRunners lets two runners work on the same tasks: each row is changed once.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		begin := time.Now()
		e.Fill(app, 1100, ingesttest.Failed, ep)
		task := recovery(t, e, app, ep, begin, time.Time{})
		ctx, stop := context.WithCancel(context.Background())
		one, two := start(ctx, e, e.Committer.Submit), start(ctx, e, e.Committer.Submit)
		testenv.Advance(3 * time.Second)
		stop()
		<-one
		<-two
		wantTask(t, e, task, store.TaskFinished, 1100, "")
		for _, d := range e.Deliveries(ep) {
			if d.Generation != 1 {
				t.Fatalf("a delivery was recovered %d times", d.Generation)
			}
		}
	})
}

// TestRecoverStops ends a recovery in the middle because its endpoint is disabled or deleted.
func TestRecoverStops(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*ingesttest.Engine, ingest.AppRef, id.ID) error{
		"disabled": func(e *ingesttest.Engine, app ingest.AppRef, ep id.ID) error {
			e.Change(app, ep, func(p *delivery.Endpoint) { p.Disabled = true })
			return nil
		},
		"deleted": func(e *ingesttest.Engine, app ingest.AppRef, ep id.ID) error {
			return e.Service.DeleteEndpoint(context.Background(), app, store.Ref{ID: ep})
		},
		"app deleted": func(e *ingesttest.Engine, app ingest.AppRef, _ id.ID) error {
			return e.Service.DeleteApp(context.Background(), app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
				app := e.App()
				ep := e.Endpoint(app)
				begin := time.Now()
				e.Fill(app, 900, ingesttest.Failed, ep)
				task := recovery(t, e, app, ep, begin, time.Time{})
				oneStep(e, true)
				if err := end(e, app, ep); err != nil {
					t.Fatal(err)
				}
				run(t, e)
				wantTask(t, e, task, store.TaskFailed, 500, "the endpoint is disabled or deleted")
				if n := states(e, ep)[pending]; n != 0 {
					t.Errorf("%d deliveries are still to be sent", n)
				}
			})
		})
	}
}

// TestEndDeliveries disables, deletes and takes the app away: what was still to come fails with the reason, what is under
// way is left to the dispatcher and waited for, what is finished stays as it is.
func TestEndDeliveries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end    func(*ingesttest.Engine, ingest.AppRef, id.ID) error
		reason delivery.Reason
	}{
		"disabled": {func(e *ingesttest.Engine, app ingest.AppRef, ep id.ID) error {
			e.Change(app, ep, func(p *delivery.Endpoint) { p.Disabled = true })
			return nil
		}, delivery.EndpointDisabled},
		"deleted": {func(e *ingesttest.Engine, app ingest.AppRef, ep id.ID) error {
			return e.Service.DeleteEndpoint(context.Background(), app, store.Ref{ID: ep})
		}, delivery.EndpointDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
				app := e.App()
				ep, other := e.Endpoint(app), e.Endpoint(app)
				as := func(s delivery.State) func(*delivery.Delivery) {
					return func(d *delivery.Delivery) { d.State = s }
				}
				e.Fill(app, 3, nil, ep)
				claimed, err := e.Store.Claim(t.Context(), time.Now(), []store.LaneRoom{{Endpoint: ep, Room: 100}})
				if err != nil || len(claimed) != 1 {
					t.Fatalf("claimed %+v, %v", claimed, err)
				}
				e.Fill(app, 5, as(delivery.Succeeded), ep)
				e.Fill(app, 7, ingesttest.Failed, ep)
				e.Fill(app, 11, as(delivery.Waiting), ep)
				e.Fill(app, 600, nil, ep, other)
				if err := tt.end(e, app, ep); err != nil {
					t.Fatal(err)
				}
				task := running(t, e)[0]
				run(t, e)
				want := map[state]int{leased: 3, succeeded: 5, failed(delivery.Exhausted): 7, failed(tt.reason): 611}
				if diff := cmp.Diff(want, states(e, ep)); diff != "" {
					t.Errorf("deliveries by state (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(map[state]int{pending: 600}, states(e, other)); diff != "" {
					t.Errorf("another endpoint's deliveries (-want +got):\n%s", diff)
				}
				wantTask(t, e, task.ID, store.TaskRunning, 611, "")

				// They come back unused, as from a process that has died.
				if err := e.Store.GiveBack(t.Context(), claimed[0].Rows); err != nil {
					t.Fatal(err)
				}
				run(t, e)
				want = map[state]int{succeeded: 5, failed(delivery.Exhausted): 7, failed(tt.reason): 614}
				if diff := cmp.Diff(want, states(e, ep)); diff != "" {
					t.Errorf("deliveries by state, once none is under way (-want +got):\n%s", diff)
				}
				wantTask(t, e, task.ID, store.TaskFinished, 614, "")
			})
		})
	}
}

// TestEnabledAgain keeps what is posted after an endpoint was enabled again, also if the task of its disabling runs later.
func TestEnabledAgain(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		e.Post(app)
		e.Change(app, ep, func(p *delivery.Endpoint) { p.Disabled = true })
		e.Post(app)
		e.Change(app, ep, func(p *delivery.Endpoint) { p.Disabled = false })
		e.Post(app)
		run(t, e)
		if diff := cmp.Diff(map[state]int{failed(delivery.EndpointDisabled): 1, pending: 1}, states(e, ep)); diff != "" {
			t.Errorf("deliveries by state (-want +got):\n%s", diff)
		}
	})
}

// putObjects writes live state of an app.
func putObjects(e *ingesttest.Engine, app id.ID, n int) {
	var keys commit.Keys
	for i := range n {
		keys.Objects = append(keys.Objects, live.Key{App: app, Kind: live.Kind(1 + i%9), Parent: fmt.Sprint(i % 7), ID: fmt.Sprint(i)})
	}
	e.Decide(keys, func(v *commit.View) {
		for _, k := range keys.Objects {
			v.PutObject(live.Row{Key: k, Doc: []byte(`{}`)})
		}
	})
}

// TestPurgeFreesNumbers: the numbers of a deleted app's events are free for the org's other
// apps, also those of an event that was being removed.
func TestPurgeFreesNumbers(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app, other := e.App(func(a *store.App) { a.UID = "a" }), e.App()
		tell := func(app ingest.AppRef, mode live.Mode, data string) error {
			_, err := e.Service.Live(t.Context(), app, ingest.Key{}, live.Activity{Type: "event.updated", Mode: mode, Data: []byte(data)})
			return err
		}
		steps := []struct {
			app  ingest.AppRef
			mode live.Mode
			data string
		}{
			{app, live.Create, `{"event":{"id":"a","number":7}}`},
			{app, live.Create, `{"event":{"id":"b","number":8}}`},
			{app, live.Delete, `{"eventId":"b"}`},
			{other, live.Create, `{"event":{"id":"c","number":9}}`},
		}
		for _, s := range steps {
			if err := tell(s.app, s.mode, s.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := tell(other, live.Create, `{"event":{"id":"d","number":7}}`); err == nil {
			t.Fatal("a number was given twice")
		}
		if err := e.Service.DeleteApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		run(t, e)
		for i, number := range []int{7, 8, 9} {
			err := tell(other, live.Create, fmt.Sprintf(`{"event":{"id":"n%d","number":%d}}`, i, number))
			if taken := err != nil; taken != (number == 9) {
				t.Errorf("number %d: %v", number, err)
			}
		}
	})
}

// TestPurge removes the rows of a deleted app, which stand among another's, with a restart after each step.
func TestPurge(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app, other := e.App(func(a *store.App) { a.UID = "a" }), e.App()
		ep, otherEP := e.Endpoint(app), e.Endpoint(other)
		var kept []id.ID
		for range 3 {
			e.Fill(app, 400, nil, ep)
			kept = append(kept, e.Fill(other, 5, nil, otherEP)...)
		}
		e.Deliver(ep, true)
		e.Deliver(otherEP, true)
		before := e.Deliveries(otherEP)
		putObjects(e, app.ID, 700)
		putObjects(e, other.ID, 3)
		source, otherSource := putSource(e, app.ID), putSource(e, other.ID)
		receive(e, app.ID, source, 600)
		receive(e, other.ID, otherSource, 4)
		count(e, app.ID, ep, 510)
		count(e, other.ID, otherEP, 2)
		if err := e.Service.DeleteApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		starts := 0
		for ; len(running(t, e)) > 0; starts++ {
			oneStep(e, true)
			e.Restart()
		}
		if starts != 10 { // the last one finds nothing
			t.Errorf("%d steps, want 10", starts)
		}
		for of, want := range map[id.ID]int{app.ID: 0, other.ID: 2} {
			if left, err := e.Store.AppTraffic(t.Context(), of, 10); err != nil || len(left) != want {
				t.Errorf("%d rows of traffic are left, %v, want %d", len(left), err, want)
			}
		}
		for of, want := range map[id.ID]int{app.ID: 0, other.ID: 4} {
			if left, err := e.Store.AppReceived(t.Context(), of, 10); err != nil || len(left) != want {
				t.Errorf("%d received requests are left, %v, want %d", len(left), err, want)
			}
		}
		if sources, err := e.Store.Sources(t.Context(), app.ID, store.Page{Limit: 10}); err != nil || len(sources.Rows) != 0 {
			t.Errorf("sources, whose rows hold secrets, are left: %v, %v", sources.Rows, err)
		}
		if _, err := e.Store.Source(t.Context(), otherSource); err != nil {
			t.Errorf("another app's source: %v", err)
		}
		for of, want := range map[id.ID]int{app.ID: 0, other.ID: 3} {
			if left, err := e.Store.AppObjects(t.Context(), of, 10); err != nil || len(left) != want {
				t.Errorf("%d objects are left, %v, want %d", len(left), err, want)
			}
		}
		if n := len(e.Deliveries(ep)); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
		attempts, err := e.Store.ListAttempts(t.Context(), store.AttemptQuery{App: app.ID, Endpoint: ep, Page: store.Page{Limit: 10}})
		if err != nil || len(attempts.Rows) != 0 {
			t.Errorf("%d attempts are left, %v", len(attempts.Rows), err)
		}
		if diff := cmp.Diff(before, e.Deliveries(otherEP)); diff != "" {
			t.Errorf("another app's deliveries changed (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(kept, e.Heard(otherEP)); diff != "" {
			t.Errorf("another app's messages (-want +got):\n%s", diff)
		}
		for _, task := range e.Tasks() {
			if task.Kind == store.TaskPurgeApp && (task.State != store.TaskFinished || task.Done != 1500+600+510+700) {
				t.Errorf("the task is %+v", task)
			}
		}
		if _, _, err := e.Store.Endpoint(t.Context(), ep); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the endpoint, whose row holds a secret: %v, want ErrNotFound", err)
		}
		again := e.App(func(a *store.App) { a.UID = "a" })
		if m := e.Post(again); slices.Contains(kept, m) {
			t.Error("an id was given twice")
		}
	})
}

// putSource writes a source of an app.
func putSource(e *ingesttest.Engine, app id.ID) (source id.ID) {
	e.Decide(commit.Keys{}, func(v *commit.View) {
		source = v.NextID()
		v.PutSource(store.Source{ID: source, App: app, Org: ingesttest.Org, Dialect: "zuddl", Auth: store.SourceAuth{Secrets: []string{"s"}}})
	})
	return source
}

// receive writes requests that came in at a source, each with another body, of which those
// that were accepted have none.
func receive(e *ingesttest.Engine, app, source id.ID, n int, bodies ...string) (rows []store.Received) {
	e.Decide(commit.Keys{}, func(v *commit.View) {
		rows = nil // it may run again
		for i := range max(n, len(bodies)) {
			r := store.Received{ID: v.NextID(), App: app, Source: source, Status: store.Accepted}
			if len(bodies) > 0 {
				r.Status, r.Body = []store.ReceivedStatus{store.Refused, store.Unreadable}[i%2], []byte(bodies[i])
			}
			v.AddReceived(r)
			rows = append(rows, r)
		}
	})
	return rows
}

// count writes rows of counts of attempts.
func count(e *ingesttest.Engine, app, endpoint id.ID, rows int) {
	e.Decide(commit.Keys{}, func(v *commit.View) {
		for i := range rows {
			key := store.TrafficKey{App: app, Width: time.Minute, At: time.Unix(int64(60*i), 0), Endpoint: endpoint}
			v.AddTraffic(store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: 1, N: 1}}})
		}
	})
}

// TestUnknownKind is about a task of a later version, whose database this one was pointed at.
func TestUnknownKind(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		var task id.ID
		e.Decide(commit.Keys{}, func(v *commit.View) {
			task = v.NextID()
			v.PutTask(store.Task{ID: task, Org: ingesttest.Org, App: app.ID, Kind: 99, State: store.TaskRunning})
		})
		run(t, e)
		wantTask(t, e, task, store.TaskFailed, 0, "this server does not know the kind of task")
	})
}

// TestNoTasks looks for work about once a second and writes nothing.
func TestNoTasks(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		counted := &countingStore{Store: e.Store}
		runner := tasks.New(tasks.Config{Store: counted, Submitter: submitter(func(context.Context, *commit.Unit) (commit.Result, error) {
			t.Error("a step was submitted")
			return commit.Result{}, nil
		}), Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(context.Background())
		var ended sync.WaitGroup
		ended.Go(func() {
			if err := runner.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		testenv.Advance(100 * time.Second)
		if n := counted.looks.Load(); n < 67 || n > 201 { // every second ± 50 %
			t.Errorf("%d looks in 100 s", n)
		}
		before := time.Now()
		stop()
		ended.Wait()
		if d := time.Since(before); d != 0 {
			t.Errorf("the runner ended %v after its context", d)
		}
	})
}

// countingStore counts looks for tasks and can refuse to give an endpoint's deliveries.
type countingStore struct {
	tasks.Store
	looks  atomic.Int64
	broken id.ID
}

func (s *countingStore) RunningTasks(ctx context.Context) ([]store.Task, error) {
	s.looks.Add(1)
	return s.Store.RunningTasks(ctx)
}

var errBroken = errors.New("this endpoint's rows cannot be read")

func (s *countingStore) DeliveriesOf(ctx context.Context, endpoint, after, until id.ID, states []delivery.State, limit int) ([]delivery.Delivery, id.ID, error) {
	if endpoint == s.broken {
		return nil, 0, errBroken
	}
	return s.Store.DeliveriesOf(ctx, endpoint, after, until, states, limit)
}

// TestFailingStore lets the store fail for a while: the runner says so, rests between its tries, and goes on.
func TestFailingStore(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		begin := time.Now()
		e.Fill(app, 10, ingesttest.Failed, ep)
		task := recovery(t, e, app, ep, begin, time.Time{})
		healed := time.Now().Add(10 * time.Second)
		var tries atomic.Int64
		var log bytes.Buffer
		runner := tasks.New(tasks.Config{
			Store: e.Store, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Submitter: submitter(func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
				if time.Now().Before(healed) {
					tries.Add(1)
					return commit.Result{}, store.ErrUnavailable
				}
				return e.Committer.Submit(ctx, u)
			}),
		})
		ctx, stop := context.WithCancel(context.Background())
		var ended sync.WaitGroup
		ended.Go(func() { _ = runner.Run(ctx) })
		testenv.Advance(9 * time.Second)
		if n := tries.Load(); n < 6 || n > 19 {
			t.Errorf("%d tries in 9 s", n)
		}
		testenv.Advance(4 * time.Second)
		wantTask(t, e, task, store.TaskFinished, 10, "")
		stop()
		ended.Wait()
		if got := strings.Count(log.String(), "store unavailable"); got != int(tries.Load()) {
			t.Errorf("%d lines about %d failed tries:\n%s", got, tries.Load(), log.String())
		}
	})
}

// TestOneFailsOthersGoOn has a task whose steps fail for ever before one that is fine.
func TestOneFailsOthersGoOn(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		bad, good := e.Endpoint(app), e.Endpoint(app)
		begin := time.Now()
		e.Fill(app, 600, ingesttest.Failed, bad, good)
		stuck := recovery(t, e, app, bad, begin, time.Time{})
		fine := recovery(t, e, app, good, begin, time.Time{})
		counted := &countingStore{Store: e.Store, broken: bad}
		runner := tasks.New(tasks.Config{Store: counted, Submitter: e.Committer, Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(context.Background())
		var ended sync.WaitGroup
		ended.Go(func() { _ = runner.Run(ctx) })
		synctest.Wait()
		testenv.Advance(10 * time.Second)
		stop()
		ended.Wait()
		wantTask(t, e, stuck, store.TaskRunning, 0, "")
		wantTask(t, e, fine, store.TaskFinished, 600, "")
		if n := counted.looks.Load(); n > 30 {
			t.Errorf("%d looks in 10 s: the runner does not rest", n)
		}
	})
}
