package janitor_test

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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/janitor"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

const day = 24 * time.Hour

// submitter stands between a janitor and the committer.
type submitter func(ctx context.Context, u *commit.Unit) (commit.Result, error)

func (s submitter) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	return s(ctx, u)
}

// watched is a store that notes what the janitor asks of it.
type watched struct {
	janitor.Store
	ranges  []store.Range // that were given
	forgot  []int         // keys, by call
	shrinks atomic.Int64
	failing atomic.Bool // every call, but for Shrink
}

var errLuck = errors.New("no such luck")

func (w *watched) MessageRange(ctx context.Context, app, after, until id.ID, limit int) (store.Range, bool, error) {
	if w.failing.Load() {
		return store.Range{}, false, errLuck
	}
	r, ok, err := w.Store.MessageRange(ctx, app, after, until, limit)
	if ok {
		w.ranges = append(w.ranges, r)
	}
	return r, ok, err
}

func (w *watched) ForgetSeen(ctx context.Context, now time.Time, limit int) (int, error) {
	if w.failing.Load() {
		return 0, errLuck
	}
	n, err := w.Store.ForgetSeen(ctx, now, limit)
	w.forgot = append(w.forgot, n)
	return n, err
}

func (w *watched) Shrink(ctx context.Context) error {
	w.shrinks.Add(1)
	return w.Store.Shrink(ctx)
}

// quiet is a configuration over an engine.
func quiet(e *ingesttest.Engine) janitor.Config {
	return janitor.Config{Store: e.Store, Submitter: e.Committer, Logger: slog.New(slog.DiscardHandler)}
}

// clean makes a round with the defaults.
func clean(t *testing.T, e *ingesttest.Engine) {
	t.Helper()
	if err := janitor.New(quiet(e)).Round(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
}

// messages lists an app's messages, ascending, with their payloads.
func messages(t *testing.T, e *ingesttest.Engine, app ingest.AppRef) []store.Message {
	t.Helper()
	all, err := e.Store.ListMessages(t.Context(), store.MessageQuery{App: app.ID, Content: true, Page: store.Page{Limit: 10_000, Ascending: true}})
	if err != nil {
		t.Fatal(err)
	}
	return all.Rows
}

// TestRetention keeps messages of two apps for 90 days to the millisecond, with their deliveries and attempts.
func TestRetention(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		apps := []ingest.AppRef{e.App(), e.App()}
		endpoints := []id.ID{e.Endpoint(apps[0]), e.Endpoint(apps[1])}
		begin := time.Now()
		for range 3 { // at days 0, 1 and 2
			for i, app := range apps {
				e.Post(app, func(m *ingest.Message) { m.EventID = fmt.Sprint("day-", int(time.Since(begin)/day)) })
				e.Deliver(endpoints[i], true)
				e.Post(app) // is delivered a day later, the last one never
			}
			testenv.Advance(day)
		}
		for _, tt := range []struct {
			age            time.Duration // of the first day's messages
			want, attempts int           // messages of each app that are left, and their attempts
		}{
			{90 * day, 6, 5},
			{90*day + time.Millisecond, 4, 3},
			{91*day + time.Second, 2, 1},
			{91*day + time.Second, 2, 1},
			{1000 * day, 0, 0},
		} {
			testenv.Advance(time.Until(begin.Add(tt.age)))
			clean(t, e)
			for i, app := range apps {
				if got := len(messages(t, e, app)); got != tt.want {
					t.Errorf("after %v an app has %d messages, want %d", tt.age, got, tt.want)
				}
				if got := len(e.Deliveries(endpoints[i])); got != tt.want {
					t.Errorf("after %v an endpoint has %d deliveries, want %d", tt.age, got, tt.want)
				}
				attempts, err := e.Store.ListAttempts(t.Context(), store.AttemptQuery{App: app.ID, Endpoint: endpoints[i], Page: store.Page{Limit: 100}})
				if err != nil || len(attempts.Rows) != tt.attempts {
					t.Errorf("after %v an endpoint has %d attempts, want %d; %v", tt.age, len(attempts.Rows), tt.attempts, err)
				}
			}
		}
		// The eventId is free when its message is gone.
		e.Post(apps[0], func(m *ingest.Message) { m.EventID = "day-0" })
	})
}

// TestOwnRetention is that of the installation, not the default.
func TestOwnRetention(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		e.Post(app)
		cfg := quiet(e)
		cfg.Retention = time.Hour
		for age, want := range []int{1, 0} { // in hours
			testenv.Advance(time.Duration(age)*time.Hour + time.Minute)
			if err := janitor.New(cfg).Round(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			if got := len(messages(t, e, app)); got != want {
				t.Errorf("after %d h there are %d messages, want %d", age, got, want)
			}
		}
	})
}

// TestLeasedGoes removes a message while its delivery is under way: the result that comes later has nowhere to go.
func TestLeasedGoes(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		e.Post(app)
		testenv.Advance(91 * day)
		claimed, err := e.Store.Claim(t.Context(), time.Now(), []store.LaneRoom{{Endpoint: ep, Room: 1}})
		if err != nil || len(claimed) != 1 || len(claimed[0].Rows) != 1 {
			t.Fatalf("claimed %+v, %v", claimed, err)
		}
		clean(t, e)
		d := claimed[0].Rows[0]
		e.Decide(commit.Keys{}, func(v *commit.View) {
			a := delivery.Attempt{Key: d.Key, N: d.Generation, ID: v.NextID(), App: d.App, At: v.Now(), Success: true}
			v.Complete(store.Completion{Attempt: a, Next: delivery.Next(d, delivery.Verdict{Success: true}, nil, v.Now(), 0)})
		})
		if got := e.Deliveries(ep); len(got) != 0 {
			t.Errorf("the delivery is back: %+v", got)
		}
		attempts, err := e.Store.ListAttempts(t.Context(), store.AttemptQuery{App: app.ID, Endpoint: ep, Page: store.Page{Limit: 1}})
		if err != nil || len(attempts.Rows) != 0 {
			t.Errorf("an attempt is left of no delivery: %v", err)
		}
	})
}

// TestPayloadRetention drops payloads at the end of their own retention; the messages stay, and so does their eventId.
func TestPayloadRetention(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		keep := func(d time.Duration) func(*ingest.Message) {
			return func(m *ingest.Message) { m.Retention = d }
		}
		e.Post(app, keep(time.Hour), func(m *ingest.Message) { m.EventID = "e" })
		e.Post(app, keep(2*time.Hour))
		e.Post(app)
		kept := func() []bool {
			clean(t, e)
			var kept []bool
			for _, m := range messages(t, e, app) {
				kept = append(kept, m.Payload != nil)
			}
			return kept
		}
		for _, tt := range []struct {
			pass time.Duration
			want []bool
		}{
			{0, []bool{true, true, true}},
			{time.Hour, []bool{true, true, true}},
			{time.Microsecond, []bool{false, true, true}},
			{2 * time.Hour, []bool{false, false, true}},
			{87 * day, []bool{false, false, true}},
		} {
			testenv.Advance(tt.pass)
			if diff := cmp.Diff(tt.want, kept()); diff != "" {
				t.Errorf("%v later the payloads that are kept (-want +got):\n%s", tt.pass, diff)
			}
		}
		_, err := e.Service.PostMessage(t.Context(), app, ingest.Key{}, ingest.Message{EventType: "a.b", Payload: []byte(`{}`), EventID: "e"})
		if errs.KindOf(err) != errs.Conflict {
			t.Errorf("error %v: the eventId is free though its message lives", err)
		}
		if got := len(e.Deliveries(ep)); got != 3 {
			t.Errorf("%d deliveries, want 3", got)
		}
	})
}

// TestReceivedRetention keeps what sources received for a week, or as long as messages if
// that is less.
func TestReceivedRetention(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ retention, want time.Duration }{
		"a week":                  {0, 7 * day},
		"no longer than messages": {time.Hour, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
				app := e.App()
				var source id.ID
				e.Decide(commit.Keys{}, func(v *commit.View) {
					source = v.NextID()
					v.PutSource(store.Source{ID: source, App: app.ID, Org: ingesttest.Org, Dialect: "zuddl"})
				})
				receive := func(n int) {
					e.Decide(commit.Keys{}, func(v *commit.View) {
						for i := range n {
							status := []store.ReceivedStatus{store.Accepted, store.Refused, store.Unreadable}[i%3]
							v.AddReceived(store.Received{ID: v.NextID(), App: app.ID, Source: source, Status: status, Body: []byte("{}")})
						}
					})
				}
				left := func() int {
					cfg := quiet(e)
					cfg.Retention = tt.retention
					if err := janitor.New(cfg).Round(t.Context(), time.Now()); err != nil {
						t.Fatal(err)
					}
					page, err := e.Store.ReceivedOf(t.Context(), app.ID, source, nil, 0, 0, store.Page{Limit: 4000})
					if err != nil {
						t.Fatal(err)
					}
					return len(page.Rows)
				}
				receive(2500) // more than two pieces
				begin := time.Now()
				testenv.Advance(time.Minute)
				receive(3)
				for _, step := range []struct {
					age  time.Duration // of the first ones
					want int
				}{{tt.want, 2503}, {tt.want + time.Millisecond, 3}, {tt.want + 2*time.Minute, 0}} {
					testenv.Advance(time.Until(begin.Add(step.age)))
					if got := left(); got != step.want {
						t.Errorf("after %v there are %d requests, want %d", step.age, got, step.want)
					}
				}
				if _, err := e.Store.Source(t.Context(), source); err != nil {
					t.Errorf("the source is gone: %v", err)
				}
			})
		})
	}
}

// TestTrafficRetention keeps counts of attempts by the width of their slots: wide ones as
// long as messages, but eight days at least.
func TestTrafficRetention(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ retention, wide time.Duration }{
		"as long as messages": {0, 90 * day},
		"eight days at least": {time.Hour, 8 * day},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
				app := e.App()
				begin := time.Now().Truncate(day)
				e.Decide(commit.Keys{}, func(v *commit.View) {
					for _, w := range store.TrafficWidths() {
						for ep := range 1100 { // more than a piece
							key := store.TrafficKey{App: app.ID, Width: w.Width, At: begin, Endpoint: id.ID(1 + ep)}
							v.AddTraffic(store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: 1, N: 1}}})
						}
					}
				})
				left := func() (widths []time.Duration) {
					cfg := quiet(e)
					cfg.Retention = tt.retention
					if err := janitor.New(cfg).Round(t.Context(), time.Now()); err != nil {
						t.Fatal(err)
					}
					keys, err := e.Store.AppTraffic(t.Context(), app.ID, 10_000)
					if err != nil {
						t.Fatal(err)
					}
					for i := 0; i < len(keys); i += 1100 {
						widths = append(widths, keys[i].Width)
					}
					return widths
				}
				widths := []time.Duration{time.Minute, 15 * time.Minute, time.Hour, day}
				for i, keep := range []time.Duration{26 * time.Hour, 8 * day, tt.wide, tt.wide} {
					end := begin.Add(widths[i]).Add(keep) // of what is kept of the slot
					testenv.Advance(time.Until(end))
					if got := left(); !slices.Contains(got, widths[i]) {
						t.Errorf("slots of %v are gone too soon: %v", widths[i], got)
					}
					testenv.Advance(time.Second)
					if got := left(); slices.Contains(got, widths[i]) {
						t.Errorf("slots of %v are still there: %v", widths[i], got)
					}
				}
			})
		})
	}
}

// TestPieces removes thousands of rows in ranges of at most 1,000, with rests in which others commit.
func TestPieces(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		const n = 2500
		var ids []id.ID
		for range 5 {
			ids = append(ids, e.Fill(app, n/5, nil, ep)...)
		}
		testenv.Advance(time.Second)
		e.Decide(commit.Keys{}, func(v *commit.View) { // payloads that are due, of younger messages
			for range n {
				v.AddMessage(store.Message{ID: v.NextID(), App: app.ID, Type: "a.b", Payload: []byte(`{}`), PayloadExpires: v.Now().Add(91 * day)})
			}
		})
		testenv.Advance(91*day - time.Hour)
		young := e.Post(app)
		spared := messages(t, e, app)[n].ID

		w := &watched{Store: e.Store}
		cfg := quiet(e)
		cfg.Store = w
		var at []time.Time
		cfg.Submitter = submitter(func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
			at = append(at, time.Now())
			return e.Committer.Submit(ctx, u)
		})
		cfg.Retention = time.Until(spared.Time()).Abs()
		begin := time.Now()
		j := janitor.New(cfg)
		if err := j.Round(t.Context(), begin); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 30*time.Millisecond || took > 90*time.Millisecond { // three rests of 10 to 30 ms
			t.Errorf("a round with three pieces took %v", took)
		}
		want := []store.Range{
			{From: ids[0], Until: ids[999] + 1}, {From: ids[1000], Until: ids[1999] + 1}, {From: ids[2000], Until: ids[2499] + 1},
		}
		if diff := cmp.Diff(want, w.ranges); diff != "" {
			t.Errorf("ranges (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]id.ID{young}, e.Heard(ep)); diff != "" {
			t.Errorf("deliveries that are left (-want +got):\n%s", diff)
		}
		if len(at) != 3 || slices.IndexFunc(at[1:], begin.Equal) >= 0 {
			t.Errorf("pieces were committed at %v, want three with rests between", at)
		}

		testenv.Advance(2 * time.Hour)
		at, w.ranges = nil, nil
		cfg.Retention = 365 * day
		if err := janitor.New(cfg).Round(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		left := messages(t, e, app)
		left = slices.DeleteFunc(left, func(m store.Message) bool { return m.Payload == nil })
		if len(at) != 3 || len(left) != 1 || left[0].ID != young {
			t.Errorf("%d pieces left %d payloads, want 3 and 1", len(at), len(left))
		}
		if n := w.shrinks.Load(); n != 2 {
			t.Errorf("%d shrinks in 2 rounds", n)
		}
	})
}

// TestKeys forgets Idempotency-Keys when their promise is over, a thousand at a time.
func TestKeys(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		post := func(key string) ingest.Result {
			t.Helper()
			r, err := e.Service.PostMessage(t.Context(), app, ingest.Key{Scope: "s", Value: key}, ingest.Message{EventType: "a.b", Payload: []byte(`{}`)})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		var all sync.WaitGroup
		for i := range 1100 {
			all.Go(func() { post(fmt.Sprint(i)) })
		}
		all.Wait()
		testenv.Advance(time.Hour)
		post("late")
		w := &watched{Store: e.Store}
		cfg := quiet(e)
		cfg.Store = w
		round := func(pass time.Duration) []int {
			t.Helper()
			testenv.Advance(pass)
			w.forgot = nil
			if err := janitor.New(cfg).Round(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
			return w.forgot
		}
		if diff := cmp.Diff([]int{0}, round(ingest.KeyLife-time.Hour-time.Second)); diff != "" {
			t.Errorf("forgotten before the end (-want +got):\n%s", diff)
		}
		if !post("7").Replayed {
			t.Error("a key is forgotten before the end of its promise")
		}
		if diff := cmp.Diff([]int{1000, 100, 0}, round(3*time.Second)); diff != "" {
			t.Errorf("forgotten at the end (-want +got):\n%s", diff)
		}
		if post("7").Replayed {
			t.Error("a key outlives its promise and the round after it")
		}
		if !post("late").Replayed {
			t.Error("a younger key went with the others")
		}
	})
}

// TestRun cleans at once and then about every ten minutes, until its context ends.
func TestRun(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		e.Post(app)
		testenv.Advance(90*day + time.Second)
		w := &watched{Store: e.Store}
		cfg := quiet(e)
		cfg.Store = w
		ctx, stop := context.WithCancel(context.Background())
		var ended sync.WaitGroup
		ended.Go(func() {
			if err := janitor.New(cfg).Run(ctx); err != nil {
				t.Error(err)
			}
		})
		testenv.Advance(time.Second)
		if got := len(messages(t, e, app)); got != 0 {
			t.Errorf("%d messages are left after the first round", got)
		}
		testenv.Advance(1000 * time.Minute)
		if n := w.shrinks.Load(); n < 67 || n > 202 { // every ten minutes ± 50 %
			t.Errorf("%d rounds in 1000 min", n)
		}
		before := time.Now()
		stop()
		ended.Wait()
		if d := time.Since(before); d != 0 {
			t.Errorf("Run ended %v after its context", d)
		}
	})
}

// TestInterrupted ends a round in the middle of its work; the next one goes on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		for range 5 {
			e.Fill(app, 500, nil)
		}
		testenv.Advance(91 * day)
		cause := errors.New("the server is stopping")
		ctx, stop := context.WithCancelCause(context.Background())
		cfg := quiet(e)
		cfg.Submitter = submitter(func(ctx context.Context, u *commit.Unit) (commit.Result, error) {
			defer stop(cause)
			return e.Committer.Submit(ctx, u)
		})
		before := time.Now()
		err := janitor.New(cfg).Round(ctx, before)
		if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		if d := time.Since(before); d != 0 {
			t.Errorf("the round ended %v after its context", d)
		}
		if got := len(messages(t, e, app)); got != 1500 {
			t.Errorf("%d messages are left after one piece, want 1500", got)
		}
		clean(t, e)
		if got := len(messages(t, e, app)); got != 0 {
			t.Errorf("%d messages are left after the next round", got)
		}
	})
}

// TestFailures lets parts of a round fail: the others are done, the log says what happened, and the next round is tried.
func TestFailures(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		e.Post(app)
		testenv.Advance(91 * day)
		w := &watched{Store: e.Store}
		w.failing.Store(true)
		var log bytes.Buffer
		cfg := quiet(e)
		cfg.Store, cfg.Logger = w, slog.New(slog.NewTextHandler(&log, nil))
		ctx, stop := context.WithCancel(context.Background())
		var ended sync.WaitGroup
		ended.Go(func() { _ = janitor.New(cfg).Run(ctx) })
		testenv.Advance(time.Second)
		if n := w.shrinks.Load(); n != 1 {
			t.Errorf("the store was shrunk %d times in one round", n)
		}
		w.failing.Store(false)
		testenv.Advance(16 * time.Minute)
		if got := len(messages(t, e, app)); got != 0 {
			t.Errorf("%d messages are left after the next round", got)
		}
		stop()
		ended.Wait()
		if got := strings.Count(log.String(), "level=ERROR"); got != 1 || !strings.Contains(log.String(), errLuck.Error()) {
			t.Errorf("the log is %q", log.String())
		}
	})
}

// TestRefusedPiece gives up a round whose pieces cannot be committed, instead of trying the same piece for ever.
func TestRefusedPiece(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		e.Post(app)
		e.Post(app, func(m *ingest.Message) { m.Retention = time.Hour })
		testenv.Advance(91 * day)
		tries := 0
		cfg := quiet(e)
		cfg.Submitter = submitter(func(context.Context, *commit.Unit) (commit.Result, error) {
			tries++
			return commit.Result{}, store.ErrUnavailable
		})
		if err := janitor.New(cfg).Round(t.Context(), time.Now()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("error %v, want that of the committer", err)
		}
		if tries != 2 {
			t.Errorf("%d tries, want one for messages and one for payloads", tries)
		}
	})
}
