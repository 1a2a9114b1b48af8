package timer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/timer"
)

// firer stands between a runner and the service.
type firer func(ctx context.Context, row live.Row, delay time.Duration) (bool, error)

func (f firer) Fire(ctx context.Context, row live.Row, delay time.Duration) (bool, error) {
	return f(ctx, row, delay)
}

// start starts a runner; stop ends it and waits for it.
func start(cfg timer.Config) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var ran sync.WaitGroup
	ran.Go(func() { _ = timer.New(cfg).Run(ctx) }) // nil always
	return func() {
		cancel()
		ran.Wait()
	}
}

// quiet is a configuration over an engine.
func quiet(e *ingesttest.Engine) timer.Config {
	return timer.Config{Store: e.Store, Firer: e.Service, Logger: slog.New(slog.DiscardHandler)}
}

// calm is one for tests in which hours go by: it looks twenty times less often.
func calm(e *ingesttest.Engine) timer.Config {
	cfg := quiet(e)
	cfg.Poll = 20 * time.Second
	return cfg
}

// tell tells activities, none of which may be refused.
func tell(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, activities ...live.Activity) {
	t.Helper()
	told := make([]ingest.Told, len(activities))
	for i, a := range activities {
		told[i].Activity = a
	}
	results, err := e.Service.LiveAll(t.Context(), app, told)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("%s: %v", activities[i].Type, r.Err)
		}
	}
}

// event makes an event that begins in an hour and lasts for one, with a session.
func event(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, id string, number int) (start time.Time) {
	t.Helper()
	start = time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	tell(t, e, app,
		live.Activity{Type: "event.created", Data: fmt.Appendf(nil, `{"id":%q,"number":%d,"startDate":%q,"endDate":%q}`,
			id, number, start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339))},
		live.Activity{Type: "session.created", Data: fmt.Appendf(nil, `{"id":"s","eventId":%q}`, id)})
	return start
}

// attend makes n registrations that come to the session, and go after two minutes.
func attend(t *testing.T, e *ingesttest.Engine, app ingest.AppRef, id string, n int, from time.Time) {
	t.Helper()
	var all []live.Activity
	for i := range n {
		all = append(all, live.Activity{
			Type: "session.joined", Quiet: true, At: from,
			Data: fmt.Appendf(nil, `{"eventId":%q,"sessionId":"s","registration":{"id":"r%05d"}}`, id, i),
		},
			live.Activity{
				Type: "session.left", Quiet: true, At: from.Add(2 * time.Minute),
				Data: fmt.Appendf(nil, `{"eventId":%q,"sessionId":"s","registrationId":"r%05d"}`, id, i),
			})
	}
	tell(t, e, app, all...)
}

// said gives the app's messages, by type and what they are about, with their number.
func said(t *testing.T, e *ingesttest.Engine, app ingest.AppRef) map[string]int {
	t.Helper()
	all, err := e.Store.ListMessages(t.Context(), store.MessageQuery{App: app.ID, Content: true, Page: store.Page{Limit: 100_000, Ascending: true}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, m := range all.Rows {
		_, registration, _ := strings.Cut(string(m.Payload), `"registration":{"id":"`)
		registration, _, _ = strings.Cut(registration, `"`)
		got[strings.TrimSpace(m.Type+" "+registration)]++
	}
	return got
}

// TestEvent lets an event begin, end and tell its time spent.
func TestEvent(t *testing.T) {
	t.Parallel()
	const slack = 40 * time.Second
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		defer start(calm(e))()
		want := map[string]int{"event.created": 1, "session.created": 1}
		for _, tt := range []struct {
			at   time.Duration // after its begin
			more map[string]int
		}{
			{-slack, nil},
			{slack, map[string]int{"event.updated": 1}},
			{time.Hour - slack, nil},
			{time.Hour + slack, map[string]int{"event.updated": 2}},
			{2*time.Hour - slack, nil},
			{2*time.Hour + slack, map[string]int{
				"session.time_spent r00000": 1, "event.time_spent r00000": 1, "registration.attended r00000": 1,
			}},
			{5 * time.Hour, nil},
		} {
			testenv.Advance(time.Until(begin.Add(tt.at)))
			if tt.at == slack {
				attend(t, e, app, "e", 1, time.Now())
			}
			maps.Copy(want, tt.more)
			if diff := cmp.Diff(want, said(t, e, app)); diff != "" {
				t.Fatalf("at %v (-want +got):\n%s", tt.at, diff)
			}
		}
	})
}

// TestDelay is that of the installation.
func TestDelay(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		attend(t, e, app, "e", 1, begin.Add(-59*time.Minute)) // before it begins: no time
		cfg := quiet(e)
		cfg.Delay = time.Minute
		defer start(cfg)()
		testenv.Advance(time.Until(begin.Add(time.Hour + 58*time.Second)))
		if n := said(t, e, app)["registration.attended r00000"]; n != 0 {
			t.Errorf("told %d times before the delay was over", n)
		}
		testenv.Advance(4 * time.Second)
		if n := said(t, e, app)["registration.attended r00000"]; n != 1 {
			t.Errorf("told %d times, want once", n)
		}
	})
}

// TestKilledBetweenBatches tells the time spent of 1,000 attendees, which are 3,000
// messages, with runners that are killed after one step each, two at a time: each message
// is made exactly once, and reaches the endpoint.
func TestKilledBetweenBatches(t *testing.T) {
	t.Parallel()
	const attendees = 1000
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		testenv.Advance(time.Until(begin.Add(time.Minute)))
		attend(t, e, app, "e", attendees, begin)
		endpoint := e.Endpoint(app)
		testenv.Advance(time.Until(begin.Add(3 * time.Hour)))
		kills := 0
		for ; kills < 100; kills++ {
			if !killed(e) {
				break
			}
			if kills%3 == 2 {
				e.Restart()
			}
		}
		if kills < 5 || kills == 100 {
			t.Errorf("%d runners were killed", kills)
		}
		want := map[string]int{"event.created": 1, "session.created": 1, "event.updated": 2}
		for i := range attendees {
			for _, word := range []string{"session.time_spent", "event.time_spent", "registration.attended"} {
				want[fmt.Sprintf("%s r%05d", word, i)] = 1
			}
		}
		if diff := cmp.Diff(want, said(t, e, app)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if got := len(e.Heard(endpoint)); got != 3*attendees+2 {
			t.Errorf("the endpoint got %d messages", got)
		}
	})
}

// killed runs two runners until one of them has taken a step, and ends both at once. It
// reports false if nothing was left to do.
func killed(e *ingesttest.Engine) bool {
	stepped := make(chan struct{}, 2)
	cfg := quiet(e)
	cfg.Firer = firer(func(ctx context.Context, row live.Row, delay time.Duration) (bool, error) {
		moved, err := e.Service.Fire(ctx, row, delay)
		if moved {
			stepped <- struct{}{}
			<-ctx.Done() // it dies before it looks for more
		}
		return moved, err
	})
	stopOne, stopOther := start(cfg), start(cfg)
	defer stopOne()
	defer stopOther()
	select {
	case <-stepped:
		return true
	case <-time.After(10 * time.Second):
		return false
	}
}

// mortal is a way to the committer on which a process dies that has submitted enough: its last unit may or may not be
// committed.
type mortal struct {
	ingest.Submitter
	left atomic.Int64
	die  func()
}

func (m *mortal) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	if m.left.Add(-1) == 0 {
		m.die()
	}
	return m.Submitter.Submit(ctx, u)
}

// TestKilledWhileCommitting tells the time spent of 1,600 attendees with runners that are killed at one of their commits.
func TestKilledWhileCommitting(t *testing.T) {
	t.Parallel()
	const attendees = 1600
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		testenv.Advance(time.Until(begin.Add(time.Minute)))
		attend(t, e, app, "e", attendees, begin)
		testenv.Advance(time.Until(begin.Add(3 * time.Hour)))
		kills := 0
		for ; kills < 100 && diesAfter(t, e, 2+kills%3); kills++ {
			if kills%3 == 2 {
				e.Restart()
			}
		}
		if kills < 3 || kills == 100 {
			t.Errorf("%d runners were killed", kills)
		}
		want := map[string]int{"event.created": 1, "session.created": 1, "event.updated": 2}
		for i := range attendees {
			for _, word := range []string{"session.time_spent", "event.time_spent", "registration.attended"} {
				want[fmt.Sprintf("%s r%05d", word, i)] = 1
			}
		}
		if diff := cmp.Diff(want, said(t, e, app)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

// diesAfter runs a runner that is killed at its n-th unit. It reports false if it did not come to that.
func diesAfter(t *testing.T, e *ingesttest.Engine, n int) bool {
	t.Helper()
	ctx, die := context.WithCancel(t.Context())
	defer die()
	way := &mortal{Submitter: e.Committer, die: die}
	way.left.Store(int64(n))
	cfg := quiet(e)
	var err error
	cfg.Firer, err = ingest.New(ingest.Config{
		Submitter: way, Store: e.Store, Dialects: e.Dialects, Guard: netguard.New(netguard.Policy{}), Catalog: ingesttest.Catalog{}, Codec: e.Codec,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = timer.New(cfg).Run(ctx) // nil always
	}()
	select {
	case <-ended:
		return true
	case <-time.After(10 * time.Second):
		die()
		<-ended
		return false
	}
}

// TestTwoRunners work side by side: of two steps that begin at once only one takes place.
func TestTwoRunners(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		testenv.Advance(time.Until(begin.Add(time.Minute)))
		attend(t, e, app, "e", 600, begin)
		defer start(calm(e))()
		defer start(calm(e))()
		testenv.Advance(3 * time.Hour)
		got := said(t, e, app)
		if len(got) != 3+3*600 {
			t.Errorf("%d kinds of messages", len(got))
		}
		for k, n := range got {
			if want := map[string]int{"event.updated": 2}[k]; n != max(want, 1) {
				t.Errorf("%s: %d times", k, n)
			}
		}
	})
}

// TestSweep removes what hung on an event, so that its name is free again.
func TestSweep(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		event(t, e, app, "e", 4001)
		defer start(quiet(e))()
		tell(t, e, app, live.Activity{Type: "event.deleted", Data: []byte(`{"eventId":"e"}`)})
		testenv.Advance(4 * time.Second)
		if _, err := e.Store.Object(t.Context(), live.Key{App: app.ID, Kind: live.Session, Parent: "e", ID: "s"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the session: %v", err)
		}
		event(t, e, app, "e", 4001)
	})
}

// TestDeletedApp lets nothing happen any more.
func TestDeletedApp(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		event(t, e, app, "e", 4001)
		if err := e.Service.DeleteApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		defer start(calm(e))()
		testenv.Advance(2 * time.Hour)
		if got := said(t, e, app); got["event.updated"] != 0 {
			t.Errorf("said %v", got)
		}
		due, err := e.Store.DueObjects(t.Context(), time.Now().Add(1000*time.Hour), 10)
		if err != nil || len(due) != 0 {
			t.Errorf("%d rows are due; %v", len(due), err)
		}
	})
}

// TestFailingRow is told once and tried again at growing intervals, while other rows go
// on.
func TestFailingRow(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "bad", 4001)
		event(t, e, app, "good", 4002)
		var log bytes.Buffer
		var mu sync.Mutex
		tries, failing := 0, true
		cfg := quiet(e)
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		cfg.Firer = firer(func(ctx context.Context, row live.Row, delay time.Duration) (bool, error) {
			mu.Lock()
			fails := failing && row.ID == "bad"
			if fails {
				tries++
			}
			mu.Unlock()
			if fails {
				return false, errors.New("out of order")
			}
			return e.Service.Fire(ctx, row, delay)
		})
		defer start(cfg)()
		testenv.Advance(time.Until(begin.Add(10 * time.Minute)))
		mu.Lock()
		got, text := tries, log.String()
		failing = false
		mu.Unlock()
		if got < 10 || got > 40 {
			t.Errorf("it was tried %d times in 10 minutes", got)
		}
		if n := strings.Count(text, "out of order"); n != 1 {
			t.Errorf("it was told %d times:\n%s", n, text)
		}
		if n := said(t, e, app)["event.updated"]; n != 1 {
			t.Errorf("the good event was told %d times", n)
		}
		testenv.Advance(2 * time.Minute)
		if n := said(t, e, app)["event.updated"]; n != 2 {
			t.Errorf("both events were told %d times", n)
		}
	})
}

// TestStoreFails is told once, and Run goes on.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		begin := event(t, e, app, "e", 4001)
		broken := &sometimes{Store: e.Store, fails: true}
		var log bytes.Buffer
		cfg := quiet(e)
		cfg.Store, cfg.Logger = broken, slog.New(slog.NewTextHandler(&log, nil))
		defer start(cfg)()
		testenv.Advance(time.Until(begin.Add(time.Minute)))
		broken.mu.Lock()
		broken.fails = false
		if n := strings.Count(log.String(), "out of reach"); n != 1 {
			t.Errorf("it was told %d times", n)
		}
		broken.mu.Unlock()
		testenv.Advance(2 * time.Second)
		if n := said(t, e, app)["event.updated"]; n != 1 {
			t.Errorf("the event was told %d times", n)
		}
	})
}

// sometimes is a store that fails.
type sometimes struct {
	timer.Store
	mu    sync.Mutex
	fails bool
}

func (s *sometimes) DueObjects(ctx context.Context, at time.Time, limit int) ([]live.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails {
		return nil, errors.New("out of reach")
	}
	return s.Store.DueObjects(ctx, at, limit)
}
