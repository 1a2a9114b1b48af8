package traffic_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
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
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/traffic"
)

const day = 24 * time.Hour

// recorder makes a Recorder over an engine.
func recorder(t *testing.T, e *ingesttest.Engine, changes ...func(*traffic.Config)) *traffic.Recorder {
	t.Helper()
	cfg := traffic.Config{Store: e.Store, Logger: slog.New(slog.DiscardHandler)}
	for _, change := range changes {
		change(&cfg)
	}
	r, err := traffic.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// attempt is the end of an attempt.
func attempt(app ingest.AppRef, endpoint id.ID, at time.Time, status int, latency time.Duration) store.Completion {
	return store.Completion{Attempt: delivery.Attempt{
		Key: delivery.Key{Endpoint: endpoint}, App: app.ID, At: at, Success: status/100 == 2, StatusCode: status, Latency: latency,
	}}
}

// sums is what is compared of a report.
type sums struct {
	Success, Fail int64
	ByClass       [6]int64
	Steps         map[string][2]int64 // success and fail of those that are not empty
	Endpoints     []id.ID
}

// report makes a report of the last span.
func report(t *testing.T, r *traffic.Recorder, q traffic.Query) *traffic.Report {
	t.Helper()
	got, err := r.Report(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func sumsOf(r *traffic.Report) sums {
	s := sums{Success: r.Total.Success, Fail: r.Total.Fail, ByClass: r.Total.ByClass, Steps: map[string][2]int64{}}
	for _, p := range r.Points {
		if p.Success+p.Fail > 0 {
			s.Steps[p.At.Format(time.RFC3339)] = [2]int64{p.Success, p.Fail}
		}
	}
	for _, e := range r.Endpoints {
		s.Endpoints = append(s.Endpoints, e.Endpoint)
	}
	return s
}

// flush writes what was counted.
func flush(t *testing.T, r *traffic.Recorder, to traffic.Submitter) {
	t.Helper()
	if err := r.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

// TestReport asks the same before counts are written, after it, when more of the same was
// counted, and after a restart.
func TestReport(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		testenv.Advance(time.Until(time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)))
		app, other := e.App(), e.App()
		a, b, c := e.Endpoint(app), e.Endpoint(app), e.Endpoint(other)
		now := time.Now()
		done := []store.Completion{
			attempt(app, a, now.Add(-40*time.Minute), 204, time.Millisecond),
			attempt(app, a, now.Add(-40*time.Minute), 500, time.Millisecond),
			attempt(app, a, now.Add(-39*time.Minute), 0, time.Minute),
			attempt(app, b, now.Add(-time.Second), 200, time.Millisecond),
			attempt(app, b, now.Add(-time.Second), 200, time.Millisecond),
			attempt(other, c, now.Add(-time.Second), 410, time.Millisecond),
		}
		hour := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-time.Hour), Until: now}
		org, ofB := hour, hour
		org.App, ofB.Endpoint = 0, b
		check := func(when string, r *traffic.Recorder, times int64) {
			t.Helper()
			for _, tt := range []struct {
				what string
				q    traffic.Query
				want sums
			}{
				{"app", hour, sums{
					3, 2,
					[6]int64{0: 1, 2: 3, 5: 1},
					map[string][2]int64{"2026-05-04T09:20:00Z": {1, 1}, "2026-05-04T09:21:00Z": {0, 1}, "2026-05-04T09:59:00Z": {2, 0}},
					[]id.ID{a, b},
				}},
				{"endpoint", ofB, sums{2, 0, [6]int64{2: 2}, map[string][2]int64{"2026-05-04T09:59:00Z": {2, 0}}, []id.ID{b}}},
				{"org", org, sums{
					3, 3,
					[6]int64{0: 1, 2: 3, 4: 1, 5: 1},
					map[string][2]int64{"2026-05-04T09:20:00Z": {1, 1}, "2026-05-04T09:21:00Z": {0, 1}, "2026-05-04T09:59:00Z": {2, 1}},
					[]id.ID{a, c, b},
				}},
				{"another org", traffic.Query{Org: "org_other", Since: hour.Since, Until: hour.Until}, sums{Steps: map[string][2]int64{}}},
			} {
				want := tt.want
				want.Success, want.Fail = times*want.Success, times*want.Fail
				for i := range want.ByClass {
					want.ByClass[i] *= times
				}
				for at, n := range want.Steps {
					want.Steps[at] = [2]int64{times * n[0], times * n[1]}
				}
				if diff := cmp.Diff(want, sumsOf(report(t, r, tt.q))); diff != "" {
					t.Errorf("%s, %s (-want +got):\n%s", when, tt.what, diff)
				}
			}
		}
		r := recorder(t, e)
		if got := report(t, r, org); got.Total.Success+got.Total.Fail != 0 || len(got.Endpoints) != 0 || len(got.Points) != 60 {
			t.Errorf("before anything: %+v", sumsOf(got))
		}
		r.Committed(done)
		check("in memory", r, 1)
		flush(t, r, e.Committer)
		check("written", r, 1)
		r.Committed(done)
		check("written and in memory", r, 2)
		flush(t, r, e.Committer)
		flush(t, r, e.Committer)
		e.Restart()
		r = recorder(t, e, func(cfg *traffic.Config) { cfg.Node = 1 })
		check("after a restart", r, 2)
		r.Committed(done)
		flush(t, r, e.Committer)
		check("of two nodes", r, 3)
	})
}

// TestSteps chooses steps for spans, in whole steps, none of them left out.
func TestSteps(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		now := time.Date(2026, 5, 4, 10, 7, 30, 0, time.UTC)
		testenv.Advance(time.Until(now))
		app := e.App()
		ep := e.Endpoint(app)
		r := recorder(t, e)
		for name, tt := range map[string]struct {
			age, span, step time.Duration
			since           time.Time
			points          int
		}{
			"a moment":            {time.Second, time.Second, time.Minute, now.Add(-30 * time.Second), 1},
			"an hour":             {time.Hour, time.Hour, time.Minute, now.Add(-time.Hour - 30*time.Second), 61},
			"two hours":           {2 * time.Hour, 2 * time.Hour, time.Minute, now.Add(-2*time.Hour - 30*time.Second), 121},
			"six hours":           {6 * time.Hour, 6 * time.Hour, 5 * time.Minute, time.Date(2026, 5, 4, 4, 5, 0, 0, time.UTC), 73},
			"a day":               {day, day, 15 * time.Minute, time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC), 97},
			"a week":              {7 * day, 7 * day, 3 * time.Hour, time.Date(2026, 4, 27, 9, 0, 0, 0, time.UTC), 57},
			"a month":             {30 * day, 30 * day, day, time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), 31},
			"as long as may be":   {traffic.MaxSpan, traffic.MaxSpan, day, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), 93},
			"an hour, yesterday":  {26 * time.Hour, time.Hour, time.Minute, now.Add(-26*time.Hour - 30*time.Second), 61},
			"an hour, days ago":   {3 * day, time.Hour, 15 * time.Minute, time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), 5},
			"an hour, weeks ago":  {20 * day, time.Hour, time.Hour, time.Date(2026, 4, 14, 10, 0, 0, 0, time.UTC), 2},
			"an hour, months ago": {200 * day, time.Hour, day, time.Date(2025, 10, 16, 0, 0, 0, 0, time.UTC), 1},
		} {
			q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-tt.age), Until: now.Add(-tt.age + tt.span)}
			// One attempt at the beginning and one at the end must be seen, on disk and in memory.
			first, last := attempt(app, ep, q.Since, 200, 0), attempt(app, ep, q.Until.Add(-time.Microsecond), 500, 0)
			before := report(t, r, q)
			r.Committed([]store.Completion{first})
			flush(t, r, e.Committer)
			r.Committed([]store.Completion{last})
			got := report(t, r, q)
			if got.Step != tt.step || !got.Since.Equal(tt.since) || len(got.Points) != tt.points {
				t.Errorf("%s: %d steps of %v from %v, want %d of %v from %v", name, len(got.Points), got.Step, got.Since, tt.points, tt.step, tt.since)
			}
			for i, p := range got.Points {
				if !p.At.Equal(got.Since.Add(time.Duration(i) * got.Step)) {
					t.Fatalf("%s: step %d is at %v", name, i, p.At)
				}
			}
			if end := got.Points[len(got.Points)-1].At.Add(got.Step); !end.Equal(got.Until) || got.Until.Before(q.Until) || got.Since.After(q.Since) {
				t.Errorf("%s: from %v to %v, the last step ends at %v", name, got.Since, got.Until, end)
			}
			success, fail := got.Total.Success-before.Total.Success, got.Total.Fail-before.Total.Fail
			if success != 1 || fail != 1 {
				t.Errorf("%s: %d went well and %d failed, want 1 and 1", name, success, fail)
			}
		}
	})
}

// TestLatency compares percentiles with those of what was counted.
func TestLatency(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	constant := func(d time.Duration) func() time.Duration { return func() time.Duration { return d } }
	for name, draw := range map[string]func() time.Duration{
		"all alike":         constant(70 * time.Millisecond),
		"at a power of two": constant(64 * time.Millisecond),
		"below a power":     constant(64*time.Millisecond - time.Microsecond),
		"a second":          constant(time.Second),
		"a minute":          constant(time.Minute),
		"two minutes":       constant(2 * time.Minute),
		"as receivers are": func() time.Duration {
			return time.Duration(math.Exp(random.NormFloat64()+11) * float64(time.Microsecond))
		},
		"evenly distributed": func() time.Duration { return time.Millisecond + rand.N(10*time.Second) },
		"now and then slow": func() time.Duration {
			if random.IntN(10) == 0 {
				return 3 * time.Second
			}
			return 20 * time.Millisecond
		},
	} {
		var all []time.Duration // drawn here: the source of chance is for one goroutine
		for range 2000 {
			all = append(all, draw())
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			latency := latencyOf(t, all)
			slices.Sort(all)
			for p, got := range map[float64]time.Duration{0.50: latency.P50, 0.95: latency.P95, 0.99: latency.P99} {
				want := all[int(p*float64(len(all)))-1]
				if off := math.Abs(float64(got)/float64(want) - 1); off > 0.2 {
					t.Errorf("p%v is %v, want %v: off by %.0f %%", 100*p, got, want, 100*off)
				}
			}
		})
	}
}

// latencyOf counts attempts that took so long, and some that got no answer.
func latencyOf(t *testing.T, all []time.Duration) (latency traffic.Latency) {
	t.Helper()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		r := recorder(t, e)
		now := time.Now()
		q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-time.Hour), Until: now.Add(time.Second)}
		r.Committed([]store.Completion{attempt(app, ep, now, 0, time.Hour)})
		if got := report(t, r, q); got.Total.Fail != 1 {
			t.Errorf("without an answer: %+v", got.Total)
		} else if l, ok := got.Total.Latency(); ok {
			t.Errorf("without an answer: %+v", l)
		}
		for _, d := range all {
			r.Committed([]store.Completion{attempt(app, ep, now, 200, d)})
		}
		flush(t, r, e.Committer)
		got := report(t, r, q)
		latency, _ = got.Total.Latency()
	})
	return latency
}

// gate is a committer that may fail. What it is told and tells may be asked for meanwhile.
type gate struct {
	traffic.Submitter
	failing atomic.Bool
	units   atomic.Int64
}

func (g *gate) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	g.units.Add(1)
	if g.failing.Load() {
		return commit.Result{}, errors.New("on purpose")
	}
	return g.Submitter.Submit(ctx, u)
}

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// TestRun writes every few seconds, at once when there is much, and at the end; what cannot
// be written waits.
func TestRun(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		var eps []id.ID
		for range 5 {
			eps = append(eps, e.Endpoint(app))
		}
		var log journal
		r := recorder(t, e, func(cfg *traffic.Config) { cfg.Enough, cfg.Logger = len(eps), slog.New(slog.NewTextHandler(&log, nil)) })
		onDisk := func() int64 {
			fresh := recorder(t, e) // which has nothing in memory
			q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: time.Now().Add(-day), Until: time.Now().Add(time.Second)}
			return report(t, fresh, q).Total.Success
		}
		want := func(when string, n int64) {
			t.Helper()
			if got := onDisk(); got != n {
				t.Errorf("%s: %d attempts are on disk, want %d", when, got, n)
			}
		}
		count := func(n int) {
			for _, ep := range eps[:n] {
				r.Committed([]store.Completion{attempt(app, ep, time.Now(), 200, time.Millisecond)})
			}
		}
		g := &gate{Submitter: e.Committer}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := r.Run(ctx, g); err != nil {
				t.Error(err)
			}
		})
		count(1)
		testenv.Advance(2 * time.Second)
		want("after 2 s", 0)
		testenv.Advance(6 * time.Second)
		want("after 8 s", 1)
		count(5)
		testenv.Advance(time.Millisecond)
		want("much", 6)
		g.failing.Store(true)
		count(5)
		testenv.Advance(time.Minute)
		want("while nothing can be written", 6)
		if n := strings.Count(log.String(), "cannot be written"); n != 1 || g.units.Load() > 40 {
			t.Errorf("told %d times, after %d units, of what cannot be written:\n%s", n, g.units.Load(), log.String())
		}
		g.failing.Store(false)
		testenv.Advance(10 * time.Second)
		want("when it can be written again", 11)
		count(2)
		stop()
		running.Wait()
		want("after the end", 13)
	})
}

// between calls a function before and after what is submitted is on disk.
type between struct {
	traffic.Submitter
	call func()
}

func (b between) Submit(ctx context.Context, u *commit.Unit) (commit.Result, error) {
	b.call()
	defer b.call()
	return b.Submitter.Submit(ctx, u)
}

// TestReportsDuringWrites begins reports while counts are neither in memory nor on disk, and
// while they are on disk and the recorder does not know it: none misses an attempt or sees
// it twice. A report whose caller goes away meanwhile does not wait.
func TestReportsDuringWrites(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app)
		r := recorder(t, e)
		now := time.Now()
		q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}
		r.Committed([]store.Completion{attempt(app, ep, now, 200, time.Millisecond)})
		var reports sync.WaitGroup
		begun := 0
		flush(t, r, between{e.Committer, func() {
			begun++
			reports.Go(func() {
				if got, err := r.Report(t.Context(), q); err != nil || got.Total.Success != 1 {
					t.Errorf("a report during a write: %+v, %v, want 1 attempt", got, err)
				}
			})
			gone, leave := context.WithCancel(t.Context())
			reports.Go(func() {
				if _, err := r.Report(gone, q); !errors.Is(err, context.Canceled) {
					t.Errorf("a report for nobody: %v", err)
				}
			})
			synctest.Wait()
			leave()
			synctest.Wait()
		}})
		reports.Wait()
		if begun != 2 {
			t.Errorf("%d reports, want 2", begun)
		}
	})
}

// TestDeletedApp drops what was counted for an app that is gone.
func TestDeletedApp(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app, other := e.App(), e.App()
		ep, otherEP := e.Endpoint(app), e.Endpoint(other)
		r := recorder(t, e)
		r.Committed([]store.Completion{attempt(app, ep, time.Now(), 200, 0), attempt(other, otherEP, time.Now(), 200, 0)})
		if err := e.Service.DeleteApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		flush(t, r, e.Committer)
		for of, want := range map[id.ID]int{app.ID: 0, other.ID: len(store.TrafficWidths())} {
			if keys, err := e.Store.AppTraffic(t.Context(), of, 100); err != nil || len(keys) != want {
				t.Errorf("%d rows, %v, want %d", len(keys), err, want)
			}
		}
	})
}

// TestMaxCells bounds what waits in memory and tells what is missing.
func TestMaxCells(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		var log bytes.Buffer
		r := recorder(t, e, func(cfg *traffic.Config) { cfg.MaxCells, cfg.Logger = 3, slog.New(slog.NewTextHandler(&log, nil)) })
		now := time.Now()
		for i := range 10 {
			ep := e.Endpoint(app)
			for range i + 1 {
				r.Committed([]store.Completion{attempt(app, ep, now, 200, 0)})
			}
		}
		q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}
		if got := report(t, r, q).Total.Success; got != 1+2+3 {
			t.Errorf("%d attempts are counted, want 6", got)
		}
		flush(t, r, e.Committer)
		flush(t, r, e.Committer)
		if n := strings.Count(log.String(), "attempts=49"); n != 1 { // 4 + 5 + … + 10
			t.Errorf("what is missing is told %d times:\n%s", n, log.String())
		}
	})
}

// TestManyEndpoints names those with the most failures, then those with the most attempts.
func TestManyEndpoints(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		r := recorder(t, e)
		now := time.Now()
		var all []store.Completion
		var want []id.ID
		for i := range 400 { // more than one unit writes
			ep := id.ID(1000 + i)
			for range 1 + i%7 {
				all = append(all, attempt(app, ep, now, 200, 0))
			}
			if i < 3 {
				all = append(all, attempt(app, ep, now, 500, 0))
				want = append(want, ep)
			}
		}
		slices.Reverse(want) // the third has the most attempts of the three
		for i := 6; len(want) < traffic.MaxEndpoints; i += 7 {
			want = append(want, id.ID(1000+i))
		}
		r.Committed(all)
		flush(t, r, e.Committer)
		q := traffic.Query{Org: ingesttest.Org, App: app.ID, Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}
		got := report(t, r, q)
		if diff := cmp.Diff(want, sumsOf(got).Endpoints); diff != "" {
			t.Errorf("endpoints (-want +got):\n%s", diff)
		}
		if got.Endpoints[0].App != app.ID || got.Endpoints[0].Success != 3 || got.Total.Fail != 3 {
			t.Errorf("the first endpoint is %+v", got.Endpoints[0])
		}
	})
}
