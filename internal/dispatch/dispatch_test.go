package dispatch_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
)

const host = "one.example.com"

func TestDeliversAtOnce(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		begin := time.Now()
		m := w.send(app)
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		got := w.received(host)
		if len(got) != 1 || !got[0].at.Equal(begin) {
			t.Errorf("requests %v, want one at %v", got, begin)
		}
		if want := w.codec.Encode(id.Message, m); got[0].msg != want {
			t.Errorf("webhook-id %q, want %q", got[0].msg, want)
		}
	})
}

func TestRetriesOnSchedule(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		schedule := []time.Duration{5 * time.Second, 5 * time.Minute, 2 * time.Hour}
		ep := w.endpoint(app, host, always(500), func(e *delivery.Endpoint) { e.RetrySchedule = schedule })
		m := w.send(app)
		w.pass(24 * time.Hour)
		got := w.received(host)
		if len(got) != len(schedule)+1 {
			t.Fatalf("%d attempts, want %d", len(got), len(schedule)+1)
		}
		for i, want := range schedule {
			gap := got[i+1].at.Sub(got[i].at)
			if gap < want*4/5 || gap > want*6/5 {
				t.Errorf("attempt %d came %v after the one before, want %v ± 20 %%", i+2, gap, want)
			}
		}
		w.wantState(m, ep, delivery.Failed, delivery.Exhausted)
	})
}

// skipDays leaves days of virtual time to the runs without the race detector: what it could find is found in their first
// minutes, which the other tests play.
func skipDays(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("days of virtual time, left out of -short")
	}
}

func TestOutageOfADayLosesNothing(t *testing.T) {
	skipDays(t)
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(0))
		var sent []id.ID
		for range 24 {
			for range 10 {
				sent = append(sent, w.send(app))
			}
			w.pass(time.Hour)
		}
		w.answer(host, always(200))
		// The longest delay that can be running is that after the 8th failure, 14 h
		// and a fifth: with all jitter downwards it begins before the day is over.
		w.pass(17 * time.Hour)
		for _, m := range sent {
			w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		}
	})
}

func TestEndpointThatIsDownForEver(t *testing.T) {
	skipDays(t)
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(503))
		begin := time.Now()
		var sent []id.ID
		disabled := false
		for range 6 * 24 {
			sent = append(sent, w.send(app))
			w.pass(time.Hour)
			row, _, err := w.store.Endpoint(w.t.Context(), ep)
			if err != nil {
				t.Fatal(err)
			}
			if row.Disabled {
				disabled = true
				if row.DisabledReason != dispatch.DisabledByFailures {
					t.Errorf("disabled as %q", row.DisabledReason)
				}
				if at := row.DisabledAt.Sub(begin); at < 5*24*time.Hour || at > 5*24*time.Hour+time.Hour {
					t.Errorf("disabled %v after the first failure, want 5 days", at)
				}
				break
			}
		}
		if !disabled {
			t.Fatal("the endpoint was never disabled")
		}
		w.settle()
		exhausted := 0
		for _, m := range sent {
			switch d := w.state(m, ep); {
			case d.State == delivery.Failed && d.Reason == delivery.Exhausted:
				exhausted++
				// 85 h 35 min of delays, each ± 20 %.
				if age := d.Step; age != 11 {
					t.Errorf("exhausted after %d attempts, want 11", age)
				}
			case d.State == delivery.Failed && d.Reason == delivery.EndpointDisabled:
			default:
				t.Errorf("message %d is %s after the endpoint was disabled", m, describe(d.State, d.Reason))
			}
		}
		if exhausted < 20 {
			t.Errorf("%d messages were exhausted before the endpoint was disabled, want those of about the first day", exhausted)
		}
		// A message that is accepted now gets no row; the old ones come back.
		posts := len(w.received(host))
		w.send(app)
		w.pass(time.Hour)
		if extra := len(w.received(host)) - posts; extra != 0 {
			t.Errorf("%d requests went to a disabled endpoint", extra)
		}
		w.answer(host, always(200))
		w.change(app, ep, func(e *delivery.Endpoint) { e.Disabled = false })
		if _, err := w.service.Recover(w.t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, begin.Add(-time.Minute), time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		for _, m := range sent {
			w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		}
	})
}

// TestClockJumps sets the wall clock while deliveries wait for a retry.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 30 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			inWorld(t, dispatch.Config{}, func(w *world) {
				app := w.app()
				ep := w.endpoint(app, host, always(500))
				waiting := w.send(app)
				w.pass(time.Minute) // it now waits for 5 minutes
				w.jump = jump
				w.answer(host, always(200))
				fresh := w.send(app)
				w.pass(30 * time.Second)
				w.wantState(fresh, ep, delivery.Succeeded, delivery.NoReason)
				if jump > 0 {
					w.wantState(waiting, ep, delivery.Succeeded, delivery.NoReason)
				}
				w.pass(time.Hour + 7*time.Minute)
				w.wantState(waiting, ep, delivery.Succeeded, delivery.NoReason)
				w.jump = 0 // and set right again
				again := w.send(app)
				w.pass(30 * time.Second)
				w.wantState(again, ep, delivery.Succeeded, delivery.NoReason)
			})
		})
	}
}

func TestAnswers(t *testing.T) {
	reply := func(status int, pairs ...string) receiver {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return func(context.Context, post) (int, http.Header) { return status, h }
	}
	rows := []struct {
		name         string
		answer       receiver
		state        delivery.State
		reason       delivery.Reason
		attempts     int // within the first minute
		wantDisabled string
	}{
		{"204", reply(204), delivery.Succeeded, delivery.NoReason, 1, ""},
		{"a redirect is not followed", reply(301, "Location", "https://one.example.com/x"), delivery.Pending, delivery.NoReason, 2, ""},
		{"410", reply(410), delivery.Failed, delivery.EndpointDisabled, 1, dispatch.DisabledByReceiver},
		{"abort", reply(400, "Webhook-Delivery", "abort-message"), delivery.Failed, delivery.Aborted, 1, ""},
		{"success and disable", reply(200, "Webhook-Delivery", "disable"), delivery.Succeeded, delivery.NoReason, 1, dispatch.DisabledByReceiver},
		{"Retry-After moves the retry", reply(503, "Retry-After", "90"), delivery.Pending, delivery.NoReason, 1, ""},
		{"no connection", always(0), delivery.Pending, delivery.NoReason, 2, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, dispatch.Config{}, func(w *world) {
				app := w.app()
				ep := w.endpoint(app, host, row.answer)
				m := w.send(app)
				w.pass(time.Minute)
				w.wantState(m, ep, row.state, row.reason)
				if got := len(w.received(host)); got != row.attempts {
					t.Errorf("%d attempts, want %d", got, row.attempts)
				}
				e, _, err := w.store.Endpoint(w.t.Context(), ep)
				if err != nil {
					t.Fatal(err)
				}
				if e.DisabledReason != row.wantDisabled {
					t.Errorf("disabled as %q, want %q", e.DisabledReason, row.wantDisabled)
				}
			})
		})
	}
}

func TestRetryAfterHoldsTheWholeEndpoint(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		first := true
		w.endpoint(app, host, func(context.Context, post) (int, http.Header) {
			if first {
				first = false
				return 429, http.Header{"Retry-After": {"60"}}
			}
			return 200, nil
		})
		w.send(app)
		w.pass(time.Second)
		w.send(app)
		w.pass(30 * time.Second)
		if got := len(w.received(host)); got != 1 {
			t.Errorf("%d requests within Retry-After, want 1", got)
		}
		w.pass(40 * time.Second)
		if got := len(w.received(host)); got != 3 {
			t.Errorf("%d requests after Retry-After, want 3", got)
		}
	})
}

func TestTimeoutHalvesConcurrency(t *testing.T) {
	inWorld(t, dispatch.Config{LaneStart: 8}, func(w *world) {
		app := w.app()
		w.endpoint(app, host, hang)
		for range 20 {
			w.send(app)
		}
		w.pass(time.Second)
		if got := len(w.received(host)); got != 8 {
			t.Errorf("%d requests under way, want 8", got)
		}
		w.pass(15 * time.Second) // all eight time out: 8 → 4 → 2 → 1 → 1 …
		if got := len(w.received(host)); got != 9 {
			t.Errorf("%d requests after the first time-outs, want one more", got)
		}
	})
}

func TestThrottle(t *testing.T) {
	rows := map[string]struct {
		app, endpoint int
	}{
		"of the endpoint": {0, 5},
		"of the app":      {5, 0},
		"the lower wins":  {50, 5},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			inWorld(t, dispatch.Config{}, func(w *world) {
				app := w.app(func(a *store.App) { a.ThrottleRate = row.app })
				w.endpoint(app, host, always(200), func(e *delivery.Endpoint) { e.ThrottleRate = row.endpoint })
				w.send(app) // the first one loads the endpoint and its limit
				w.settle()
				for range 100 {
					w.send(app)
				}
				w.pass(10 * time.Second)
				// A full bucket of 5, then 5 a second.
				if got := len(w.received(host)); got < 50 || got > 57 {
					t.Errorf("%d requests in 10 s at 5 per second", got)
				}
				w.pass(15 * time.Second)
				if got := len(w.received(host)); got != 101 {
					t.Errorf("%d requests in all, want 101", got)
				}
			})
		})
	}
}

func TestDeadline(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(500), func(e *delivery.Endpoint) { e.Deadline = 10 * time.Second })
		m := w.send(app)
		w.pass(time.Hour)
		w.wantState(m, ep, delivery.Failed, delivery.Expired)
		if got := len(w.received(host)); got != 2 {
			t.Errorf("%d attempts within a deadline of 10 s, want 2", got)
		}
	})
}

func TestPauseHoldsAndDeadlineRunsOn(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		w.change(app, ep, func(e *delivery.Endpoint) { e.Paused = true })
		held := w.send(app)
		late := w.send(app, func(m *ingest.Message) { m.Deadline = time.Minute })
		w.pass(time.Hour)
		if got := len(w.received(host)); got != 0 {
			t.Errorf("%d requests to a paused endpoint", got)
		}
		w.change(app, ep, func(e *delivery.Endpoint) { e.Paused = false })
		w.pass(time.Second)
		w.wantState(held, ep, delivery.Succeeded, delivery.NoReason)
		w.wantState(late, ep, delivery.Failed, delivery.Expired)
	})
}

func TestDisableEndsWhatIsPending(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(500))
		m := w.send(app)
		w.settle()
		w.change(app, ep, func(e *delivery.Endpoint) { e.Disabled = true })
		w.settle()
		w.wantState(m, ep, delivery.Failed, delivery.EndpointDisabled)
		before := len(w.received(host))
		w.pass(24 * time.Hour)
		if got := len(w.received(host)); got != before {
			t.Errorf("%d requests to a disabled endpoint", got-before)
		}
	})
}

func TestDeleteEndsWhatIsPending(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(500))
		m := w.send(app)
		w.settle()
		if err := w.service.DeleteEndpoint(w.t.Context(), app, store.Ref{ID: ep}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.wantState(m, ep, delivery.Failed, delivery.EndpointDeleted)
	})
}

func TestDeliverAt(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		w.endpoint(app, host, always(200))
		at := w.now().Add(3 * time.Hour)
		w.send(app, func(m *ingest.Message) { m.DeliverAt = at })
		w.pass(24 * time.Hour)
		got := w.received(host)
		if len(got) != 1 || got[0].at.Before(at) || got[0].at.After(at.Add(time.Second)) {
			t.Errorf("requests %v, want one at %v", got, at)
		}
	})
}

func TestNewNeverOvertakesBacklog(t *testing.T) {
	config := dispatch.Config{LaneStart: 1, LaneMax: 1, LaneRows: 4}
	inWorld(t, config, func(w *world) {
		app := w.app()
		w.endpoint(app, host, after(10*time.Millisecond))
		var want []string
		for range 50 {
			want = append(want, w.codec.Encode(id.Message, w.send(app)))
			w.pass(3 * time.Millisecond) // faster than the receiver
		}
		w.pass(time.Minute)
		got := w.received(host)
		if len(got) != len(want) {
			t.Fatalf("%d requests, want %d", len(got), len(want))
		}
		for i, p := range got {
			if p.msg != want[i] {
				t.Fatalf("request %d carries message %s, want %s: the order of acceptance", i, p.msg, want[i])
			}
		}
	})
}

// TestHangingEndpointMovesNobodyElse sends to twenty endpoints of which one
// hangs: the others get every message at once.
func TestHangingEndpointMovesNobodyElse(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		w.endpoint(app, "hangs.example.com", hang)
		for i := range 19 {
			w.endpoint(app, fmt.Sprintf("ok%d.example.com", i), after(5*time.Millisecond))
		}
		for range 300 {
			begin := time.Now()
			m := w.codec.Encode(id.Message, w.send(app))
			w.pass(100 * time.Millisecond)
			for i := range 19 {
				got := w.received(fmt.Sprintf("ok%d.example.com", i))
				last := got[len(got)-1]
				if last.msg != m || last.at.Sub(begin) > time.Millisecond {
					t.Fatalf("endpoint %d got its last message %v after it was sent", i, last.at.Sub(begin))
				}
			}
		}
	})
}

func TestNothingIsSentThatCannotBeRecorded(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		var broken atomic.Bool
		broken.Store(true)
		w.fault = func(*commit.Unit) error {
			if broken.Load() {
				return fmt.Errorf("disk full: %w", store.ErrUnavailable)
			}
			return nil
		}
		first := w.send(app)
		w.pass(time.Second)
		var held []id.ID
		for range 20 {
			held = append(held, w.send(app))
		}
		w.pass(time.Hour)
		if got := len(w.received(host)); got != 1 {
			t.Errorf("%d requests while results cannot be recorded, want only the first", got)
		}
		if !w.sender.Stalled() {
			t.Error("Stalled = false")
		}
		broken.Store(false)
		w.pass(10 * time.Second)
		for _, m := range append(held, first) {
			w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		}
		if got := len(w.received(host)); got != 21 {
			t.Errorf("%d requests for 21 messages: each is sent once", got)
		}
	})
}

func TestSendingGoesOnWithTheFirstCommit(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		w.fault = func(*commit.Unit) error { return fmt.Errorf("no database: %w", store.ErrUnavailable) }
		first := w.send(app)
		w.pass(time.Hour) // by now the tries are seconds apart
		w.fault = nil
		second := w.send(app)
		w.pass(10 * time.Millisecond)
		w.wantState(first, ep, delivery.Succeeded, delivery.NoReason)
		w.pass(10 * time.Millisecond)
		w.wantState(second, ep, delivery.Succeeded, delivery.NoReason)
	})
}

func TestRestartGoesOnWithTheBacklog(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(500))
		var sent []id.ID
		for range 100 {
			sent = append(sent, w.send(app))
		}
		w.settle()
		w.stop()
		w.answer(host, always(200))
		w.start()
		w.pass(10 * time.Minute)
		for _, m := range sent {
			w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		}
	})
}

func TestDrainLetsRequestsEnd(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, after(5*time.Second))
		m := w.send(app)
		w.pass(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("the drain took %v, want the 4 s that the request still needed", took)
		}
		w.start()
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		if got := len(w.received(host)); got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
	})
}

func TestDrainIsBounded(t *testing.T) {
	inWorld(t, dispatch.Config{DrainTimeout: 3 * time.Second}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, hang)
		m := w.send(app)
		w.pass(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("the drain took %v, want 3 s", took)
		}
		w.answer(host, always(200))
		w.start()
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		if d := w.state(m, ep); d.Step != 1 {
			t.Errorf("%d attempts: one that was cut off by the drain counts for nothing", d.Step)
		}
	})
}

// TestDrainIsBoundedWithoutStore ends a dispatcher that cannot record what it has sent, and never can.
func TestDrainIsBoundedWithoutStore(t *testing.T) {
	inWorld(t, dispatch.Config{DrainTimeout: 3 * time.Second}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		w.fault = func(*commit.Unit) error { return fmt.Errorf("no database: %w", store.ErrUnavailable) }
		m := w.send(app)
		w.pass(time.Second)
		begin := time.Now()
		w.stop()
		if took := time.Since(begin); took != 8*time.Second {
			t.Errorf("the drain took %v, want 3 s and 5 s for the results", took)
		}
		w.fault = nil
		w.start()
		w.settle()
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		if got := len(w.received(host)); got != 2 {
			t.Errorf("%d requests, want 2: the result of the first was lost", got)
		}
	})
}

func TestResend(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, always(200))
		m := w.send(app)
		w.settle()
		resend := func() error {
			return w.service.Resend(w.t.Context(), app, store.Ref{ID: m}, store.Ref{ID: ep}, ingest.Key{})
		}
		if err := resend(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		got := w.received(host)
		if len(got) != 2 || got[0].msg != got[1].msg {
			t.Fatalf("requests %v, want two of one message", got)
		}
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		if err := w.service.DeletePayload(w.t.Context(), app, store.Ref{ID: m}); err != nil {
			t.Fatal(err)
		}
		if err := resend(); err == nil {
			t.Error("a message without its payload was resent")
		}
	})
}

// TestResendWhileUnderWay resends what is being sent: the result of the first
// request is recorded and changes nothing, the second decides.
func TestResendWhileUnderWay(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		calls := 0
		ep := w.endpoint(app, host, func(ctx context.Context, p post) (int, http.Header) {
			calls++
			if calls == 1 {
				after(5*time.Second)(ctx, p)
				return 500, nil
			}
			return 200, nil
		})
		m := w.send(app)
		w.pass(time.Second)
		if err := w.service.Resend(w.t.Context(), app, store.Ref{ID: m}, store.Ref{ID: ep}, ingest.Key{}); err != nil {
			t.Fatal(err)
		}
		w.pass(10 * time.Second)
		w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
		if calls != 2 {
			t.Errorf("%d requests, want 2", calls)
		}
	})
}

// TestEndpointChangedWhileItIsLoaded changes an endpoint after it was read and
// before its sender uses what it read.
func TestEndpointChangedWhileItIsLoaded(t *testing.T) {
	const other = "two.example.com"
	rows := map[string]struct {
		before, change func(*delivery.Endpoint)
		host           string
	}{
		"another URL": {func(*delivery.Endpoint) {}, func(e *delivery.Endpoint) { e.URL = "https://" + other + "/" }, other},
		"no longer paused": {
			func(e *delivery.Endpoint) { e.Paused = true }, func(e *delivery.Endpoint) { e.Paused = false }, host,
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			inWorld(t, dispatch.Config{}, func(w *world) {
				app := w.app()
				w.answer(other, always(200))
				ep := w.endpoint(app, host, always(200), row.before)
				var once sync.Once
				w.loaded = func() { once.Do(func() { w.change(app, ep, row.change) }) }
				m := w.send(app)
				w.settle()
				w.wantState(m, ep, delivery.Succeeded, delivery.NoReason)
				if got := len(w.received(row.host)); got != 1 {
					t.Errorf("%d requests to where the endpoint is now, want 1", got)
				}
			})
		})
	}
}
