package delivery_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestPlanHears(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		endpoint delivery.Endpoint
		subject  delivery.Subject
		says     bool
		want     bool
	}{
		{"everything by default", delivery.Endpoint{}, delivery.Subject{Type: "a.b"}, true, true},
		{"a type it named", delivery.Endpoint{FilterTypes: []string{"x", "a.b"}}, delivery.Subject{Type: "a.b"}, true, true},
		{"another type", delivery.Endpoint{FilterTypes: []string{"x"}}, delivery.Subject{Type: "a.b"}, true, false},
		{"types are case-sensitive", delivery.Endpoint{FilterTypes: []string{"A.B"}}, delivery.Subject{Type: "a.b"}, true, false},
		{"an empty list is none, nil is all", delivery.Endpoint{FilterTypes: []string{}}, delivery.Subject{Type: "a.b"}, true, false},
		{"a shared channel", delivery.Endpoint{Channels: []string{"x", "y"}}, delivery.Subject{Channels: []string{"y"}}, true, true},
		{"no shared channel", delivery.Endpoint{Channels: []string{"x"}}, delivery.Subject{Channels: []string{"y"}}, true, false},
		{"a message without channels misses channel endpoints", delivery.Endpoint{Channels: []string{"x"}}, delivery.Subject{}, true, false},
		{"an endpoint without channels hears all", delivery.Endpoint{}, delivery.Subject{Channels: []string{"y"}}, true, true},
		{"disabled", delivery.Endpoint{Disabled: true}, delivery.Subject{}, true, false},
		{"deleted", delivery.Endpoint{Deleted: true}, delivery.Subject{}, true, false},
		{"paused still gets rows", delivery.Endpoint{Paused: true}, delivery.Subject{}, true, true},
		{"the dialect has no words for it", delivery.Endpoint{}, delivery.Subject{}, false, false},
		{"meant for this one, whatever it named", delivery.Endpoint{ID: 7, FilterTypes: []string{"x"}}, delivery.Subject{Type: "a.b", Only: 7}, true, true},
		{"meant for another one", delivery.Endpoint{ID: 7}, delivery.Subject{Only: 8}, true, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := delivery.Plan(row.subject, []delivery.Endpoint{row.endpoint}, func(*delivery.Endpoint) bool { return row.says })
			if heard := len(got) == 1; heard != row.want {
				t.Errorf("planned = %v, want %v", heard, row.want)
			}
		})
	}
}

func TestPlanTimes(t *testing.T) {
	t.Parallel()
	minute := time.Minute
	rows := []struct {
		name         string
		deliverAt    time.Time
		endpoint     time.Duration
		message      time.Duration
		wantNext     time.Time
		wantDeadline time.Time
	}{
		{"at once, no deadline", time.Time{}, 0, 0, noon, time.Time{}},
		{"later", noon.Add(minute), 0, 0, noon.Add(minute), time.Time{}},
		{"a time in the past is now", noon.Add(-minute), 0, 0, noon, time.Time{}},
		{"the endpoint's deadline", time.Time{}, minute, 0, noon, noon.Add(minute)},
		{"the message's deadline", time.Time{}, 0, minute, noon, noon.Add(minute)},
		{"the shorter of both", time.Time{}, 2 * minute, minute, noon, noon.Add(minute)},
		{"the shorter of both, other way", time.Time{}, minute, 2 * minute, noon, noon.Add(minute)},
		{"counted from deliverAt", noon.Add(minute), minute, 0, noon.Add(minute), noon.Add(2 * minute)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := delivery.Plan(delivery.Subject{
				Message: 1, App: 2, Time: noon, DeliverAt: row.deliverAt, Deadline: row.message,
			}, []delivery.Endpoint{{ID: 3, Deadline: row.endpoint}}, func(*delivery.Endpoint) bool { return true })
			want := []delivery.Delivery{{
				Key: delivery.Key{Message: 1, Endpoint: 3}, App: 2, State: delivery.Pending,
				NextAt: row.wantNext, Deadline: row.wantDeadline,
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	rows := []struct {
		name   string
		answer delivery.Answer
		want   delivery.Verdict
	}{
		{"200", delivery.Answer{StatusCode: 200}, delivery.Verdict{Success: true}},
		{"204 is no failure", delivery.Answer{StatusCode: 204}, delivery.Verdict{Success: true}},
		{"299", delivery.Answer{StatusCode: 299}, delivery.Verdict{Success: true}},
		{"a redirect fails", delivery.Answer{StatusCode: 301}, delivery.Verdict{}},
		{"304 fails", delivery.Answer{StatusCode: 304}, delivery.Verdict{}},
		{"400", delivery.Answer{StatusCode: 400}, delivery.Verdict{}},
		{"410 disables", delivery.Answer{StatusCode: 410}, delivery.Verdict{Disable: true}},
		{"429 slows down", delivery.Answer{StatusCode: 429}, delivery.Verdict{SlowDown: true}},
		{"502 slows down", delivery.Answer{StatusCode: 502}, delivery.Verdict{SlowDown: true}},
		{"504 slows down", delivery.Answer{StatusCode: 504}, delivery.Verdict{SlowDown: true}},
		{"503 does not", delivery.Answer{StatusCode: 503}, delivery.Verdict{}},
		{"a time-out slows down", delivery.Answer{Timeout: true, Err: errors.New("x")}, delivery.Verdict{SlowDown: true}},
		{"no connection", delivery.Answer{Err: errors.New("x")}, delivery.Verdict{}},
		{
			"Retry-After in seconds",
			delivery.Answer{StatusCode: 429, Header: header("Retry-After", "120")},
			delivery.Verdict{SlowDown: true, RetryAfter: 2 * time.Minute},
		},
		{
			"Retry-After as a date",
			delivery.Answer{StatusCode: 503, Header: header("Retry-After", "Fri, 01 May 2026 12:01:00 GMT")},
			delivery.Verdict{RetryAfter: time.Minute},
		},
		{"Retry-After in the past", delivery.Answer{StatusCode: 503, Header: header("Retry-After", "Fri, 01 May 2026 11:00:00 GMT")}, delivery.Verdict{}},
		{
			"Retry-After is capped",
			delivery.Answer{StatusCode: 503, Header: header("Retry-After", "4294967295")},
			delivery.Verdict{RetryAfter: delivery.MaxRetryAfter},
		},
		{"Retry-After beyond a number", delivery.Answer{StatusCode: 503, Header: header("Retry-After", "99999999999999999999")}, delivery.Verdict{}},
		{"Retry-After negative", delivery.Answer{StatusCode: 503, Header: header("Retry-After", "-5")}, delivery.Verdict{}},
		{"Retry-After of a success means nothing", delivery.Answer{StatusCode: 200, Header: header("Retry-After", "60")}, delivery.Verdict{Success: true}},
		{
			"the receiver asks to disable",
			delivery.Answer{StatusCode: 200, Header: header("Webhook-Delivery", "disable")},
			delivery.Verdict{Success: true, Disable: true},
		},
		{"the receiver aborts the message", delivery.Answer{StatusCode: 400, Header: header("Webhook-Delivery", "Abort-Message")}, delivery.Verdict{Abort: true}},
		{
			"both",
			delivery.Answer{StatusCode: 400, Header: header("Webhook-Delivery", "disable, abort-message")},
			delivery.Verdict{Abort: true, Disable: true},
		},
		{"abort of a success is a success", delivery.Answer{StatusCode: 200, Header: header("Webhook-Delivery", "abort-message")}, delivery.Verdict{Success: true}},
		{"an unknown wish", delivery.Answer{StatusCode: 500, Header: header("Webhook-Delivery", "please")}, delivery.Verdict{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(row.want, delivery.Classify(row.answer, noon)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	schedule := []time.Duration{5 * time.Second, 5 * time.Minute}
	fail := delivery.Verdict{}
	rows := []struct {
		name     string
		before   delivery.Delivery
		verdict  delivery.Verdict
		chance   float64
		wantNext time.Duration // after the end; 0 = final
		want     delivery.State
		reason   delivery.Reason
	}{
		{"success ends it", delivery.Delivery{}, delivery.Verdict{Success: true}, 0.5, 0, delivery.Succeeded, delivery.NoReason},
		{"first failure", delivery.Delivery{}, fail, 0.5, 5 * time.Second, delivery.Pending, delivery.NoReason},
		{"second failure", delivery.Delivery{Step: 1}, fail, 0.5, 5 * time.Minute, delivery.Pending, delivery.NoReason},
		{"jitter down", delivery.Delivery{}, fail, 0, 4 * time.Second, delivery.Pending, delivery.NoReason},
		{"the schedule ends", delivery.Delivery{Step: 2}, fail, 0.5, 0, delivery.Failed, delivery.Exhausted},
		{"aborted", delivery.Delivery{}, delivery.Verdict{Abort: true}, 0.5, 0, delivery.Failed, delivery.Aborted},
		{"Retry-After moves a retry back", delivery.Delivery{}, delivery.Verdict{RetryAfter: time.Minute}, 0.5, time.Minute, delivery.Pending, delivery.NoReason},
		{"and never forward", delivery.Delivery{Step: 1}, delivery.Verdict{RetryAfter: time.Minute}, 0.5, 5 * time.Minute, delivery.Pending, delivery.NoReason},
		{"a retry that would be too late", delivery.Delivery{Deadline: noon.Add(4 * time.Second)}, fail, 0.5, 0, delivery.Failed, delivery.Expired},
		{"a retry just in time", delivery.Delivery{Deadline: noon.Add(5 * time.Second)}, fail, 0.5, 5 * time.Second, delivery.Pending, delivery.NoReason},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.before.Trigger = delivery.Manual
			got := delivery.Next(row.before, row.verdict, schedule, noon, row.chance)
			if got.State != row.want || got.Reason != row.reason {
				t.Errorf("state %d reason %v, want %d %v", got.State, got.Reason, row.want, row.reason)
			}
			if got.Step != row.before.Step+1 {
				t.Errorf("step = %d after %d", got.Step, row.before.Step)
			}
			if row.want != delivery.Pending {
				return
			}
			if d := got.NextAt.Sub(noon); d != row.wantNext {
				t.Errorf("next attempt after %v, want %v", d, row.wantNext)
			}
			if got.Trigger != delivery.Scheduled {
				t.Error("a retry must count as scheduled")
			}
		})
	}
}

// TestScheduleEnds holds for any schedule: a delivery that only fails gets one
// attempt more than the schedule has delays, each within 20 % of its time.
func TestScheduleEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		schedule := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(7*24*time.Hour)).Draw(t, "delay"))
		}), 0, 20).Draw(t, "schedule")
		d := delivery.Delivery{State: delivery.Pending}
		end := noon
		for i := 0; ; i++ {
			d = delivery.Next(d, delivery.Verdict{}, schedule, end, rapid.Float64Range(0, 0.999999).Draw(t, "chance"))
			if d.State != delivery.Pending {
				if i != len(schedule) || d.Reason != delivery.Exhausted {
					t.Fatalf("ended after %d failures with reason %v; the schedule has %d delays", i+1, d.Reason, len(schedule))
				}
				return
			}
			delay := d.NextAt.Sub(end)
			if low, high := schedule[i]*4/5-1, schedule[i]*6/5+1; delay < low || delay > high {
				t.Fatalf("delay %d is %v, want %v ± 20 %%", i, delay, schedule[i])
			}
			end = d.NextAt
		}
	})
}

func TestDefaultScheduleIsOfSeveralDays(t *testing.T) {
	t.Parallel()
	var sum time.Duration
	for _, d := range delivery.DefaultSchedule() {
		sum += d
	}
	if want := 85*time.Hour + 35*time.Minute + 5*time.Second; sum != want {
		t.Errorf("the default schedule lasts %v, want %v", sum, want)
	}
}

func TestDisableRule(t *testing.T) {
	t.Parallel()
	rule := delivery.DefaultDisableRule()
	type failure struct {
		message id.ID
		at      time.Duration
	}
	many := func(n int, message func(int) id.ID, every time.Duration) []failure {
		out := make([]failure, n)
		for i := range out {
			out[i] = failure{message(i), time.Duration(i) * every}
		}
		return out
	}
	one := func(int) id.ID { return 1 }
	each := func(i int) id.ID { return id.ID(i + 1) }
	rows := []struct {
		name     string
		failures []failure
		want     bool
	}{
		{"five days, twelve failures, many messages", many(12, each, 11*time.Hour), true},
		{"eleven failures", many(11, each, 13*time.Hour), false},
		{"one message only", many(20, one, 11*time.Hour), false},
		{"not yet five days", many(100, each, time.Hour), false},
		{"exactly five days", many(13, each, 10*time.Hour), true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var h delivery.Health
			var last time.Time
			for _, f := range row.failures {
				last = noon.Add(f.at)
				h = h.Failed(9, f.message, last)
			}
			if got := rule.GivesUp(h, last); got != row.want {
				t.Errorf("GivesUp = %v, want %v (health %+v)", got, row.want, h)
			}
		})
	}
}

func TestActiveSecrets(t *testing.T) {
	t.Parallel()
	ep := delivery.Endpoint{Secrets: []delivery.Secret{
		{Value: "new"}, {Value: "old", Expires: noon}, {Value: "oldest", Expires: noon.Add(-time.Hour)},
	}}
	rows := map[time.Time][]string{
		noon.Add(-2 * time.Hour):   {"new", "old", "oldest"},
		noon.Add(-time.Nanosecond): {"new", "old"},
		noon:                       {"new"},
	}
	for at, want := range rows {
		if diff := cmp.Diff(want, ep.ActiveSecrets(at)); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", at, diff)
		}
	}
}

// TestCarried asks at many moments which secret a request carries that has room for one.
func TestCarried(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	in := func(value string, d time.Duration) delivery.Secret {
		return delivery.Secret{Value: value, Expires: begin.Add(d)}
	}
	rotatedTwice := []delivery.Secret{{Value: "c"}, in("b", 2*time.Hour), in("a", time.Hour)}
	for name, tt := range map[string]struct {
		secrets   []delivery.Secret
		at        time.Duration
		key, next string
		nextIn    time.Duration // 0 = never
	}{
		"none":              {nil, 0, "", "", 0},
		"one":               {[]delivery.Secret{{Value: "c"}}, 0, "c", "", 0},
		"the oldest":        {rotatedTwice, 0, "a", "b", time.Hour},
		"just before":       {rotatedTwice, time.Hour - 1, "a", "b", time.Hour},
		"the one after it":  {rotatedTwice, time.Hour, "b", "c", 2 * time.Hour},
		"the newest":        {rotatedTwice, 2 * time.Hour, "c", "", 0},
		"two end at once":   {[]delivery.Secret{{Value: "c"}, in("b", time.Hour), in("a", time.Hour)}, 0, "a", "c", time.Hour},
		"the oldest is out": {[]delivery.Secret{{Value: "c"}, in("b", 2*time.Hour), in("a", -time.Hour)}, 0, "b", "c", 2 * time.Hour},
	} {
		key, next, at := delivery.Carried(tt.secrets, begin.Add(tt.at))
		want := time.Time{}
		if tt.nextIn != 0 {
			want = begin.Add(tt.nextIn)
		}
		if key != tt.key || next != tt.next || !at.Equal(want) {
			t.Errorf("%s: %q, then %q at %v, want %q, then %q at %v", name, key, next, at, tt.key, tt.next, want)
		}
	}
}
