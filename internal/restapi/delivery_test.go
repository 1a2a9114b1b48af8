package restapi_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/tasks"
	"github.com/callboard/callboard/internal/token"
)

// deliveries follows the app's log to its end, some rows at a time, and back again.
func (w *world) deliveries(app, filter string, limit int) (rows []string) {
	w.t.Helper()
	page := w.do("GET", fmt.Sprintf("/app/%s/delivery?limit=%d&%s", app, limit, filter), "").want(200)
	for range 100 {
		for _, row := range page.items() {
			rows = append(rows, fmt.Sprint(row["msgId"], row["endpointId"]))
		}
		if page.json()["done"] == true {
			w.backwards(app, filter, limit, rows)
			return rows
		}
		page = w.do("GET", fmt.Sprintf("/app/%s/delivery?limit=%d&%s&iterator=%s", app, limit, filter, url.QueryEscape(page.text("iterator"))), "").want(200)
	}
	w.t.Fatal("the log does not end")
	return nil
}

// backwards goes from the last row of a log to the first.
func (w *world) backwards(app, filter string, limit int, want []string) {
	w.t.Helper()
	page := w.do("GET", fmt.Sprintf("/app/%s/delivery?limit=250&%s", app, filter), "").want(200)
	if len(want) == 0 {
		return
	}
	at := page.text("iterator")
	got := want[len(want)-1:]
	for range 100 {
		page = w.do("GET", fmt.Sprintf("/app/%s/delivery?limit=%d&%s&iterator=-%s", app, limit, filter, url.QueryEscape(at)), "").want(200)
		var rows []string
		for _, row := range page.items() {
			rows = append(rows, fmt.Sprint(row["msgId"], row["endpointId"]))
		}
		got = append(rows, got...)
		if page.json()["done"] == true {
			if diff := cmp.Diff(want, got); diff != "" {
				w.t.Errorf("%s, %d at a time, backwards (-want +got):\n%s", filter, limit, diff)
			}
			return
		}
		at = page.text("prevIterator")[1:]
	}
	w.t.Error("the log has no beginning")
}

func TestDeliveryLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.app("b")
	good, bad, filtered := w.endpoint("a", `,"uid":"good"`), w.endpoint("a", `,"uid":"bad"`), w.endpoint("a", `,"uid":"other","eventTypes":["x.y"]`)
	w.endpoint("b", "")
	w.message("b", "x.y", "")
	old := w.message("a", "x.z", `,"tags":["t"]`)
	w.deliver(good, 200)
	w.deliver(bad, 0)
	young := w.message("a", "x.y", `,"eventId":"mine","channels":["c"]`)

	row := func(m, ep string) string { return m + ep }
	endpoints := []string{good, bad, filtered}
	slices.Sort(endpoints) // the order of ids is that of their texts
	var all []string
	for _, ep := range slices.Backward(endpoints) {
		all = append(all, row(young, ep))
	}
	all = append(all, row(old, bad), row(old, good))
	for filter, want := range map[string][]string{
		"":                            all,
		"status=0":                    {row(old, good)},
		"status=1":                    all[:3],
		"status=2":                    {row(old, bad)},
		"status=2&endpoint_id=bad":    {row(old, bad)},
		"status=2&endpoint_id=good":   nil,
		"status=1&endpoint_id=bad":    {row(young, bad)},
		"status=4":                    nil,
		"event_types=x.y":             all[:3],
		"tag=t":                       all[3:],
		"channel=c":                   all[:3],
		"endpoint_id=bad":             {row(young, bad), row(old, bad)},
		"endpoint_id=" + good:         {row(young, good), row(old, good)},
		"endpoint_id=bad&status=0":    nil,
		"before=2020-01-01T00:00:00Z": nil,
		"after=2020-01-01T00:00:00Z":  all,
	} {
		for _, limit := range []int{1, 2, 3, 50} {
			if diff := cmp.Diff(want, w.deliveries("a", filter, limit)); diff != "" {
				t.Errorf("%q, %d at a time (-want +got):\n%s", filter, limit, diff)
			}
		}
	}
	newest := w.do("GET", "/app/a/delivery?endpoint_id=bad", "").want(200).items()
	if got := newest[0]; got["lastAttempt"] != nil || got["statusText"] != "pending" || got["eventId"] != "mine" || got["attempts"] != 0.0 {
		t.Errorf("a delivery before its first attempt: %v", got)
	}
	last, _ := newest[1]["lastAttempt"].(map[string]any)
	explanation, _ := last["explanation"].(map[string]any)
	if newest[1]["attempts"] != 1.0 || newest[1]["nextAttempt"] != nil || newest[1]["failReason"] != "exhausted" || last["responseStatusCode"] != 0.0 || explanation["title"] == "" {
		t.Errorf("a delivery after its first attempt: %v", newest[1])
	}
}

// TestDeliveryLogCountsAllAttempts: what is sent again has been attempted before.
func TestDeliveryLogCountsAllAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	ep := w.endpoint("a", "")
	msg := w.message("a", "x.y", "")
	for n := range 4 {
		if n > 0 {
			w.do("POST", fmt.Sprintf("/app/a/msg/%s/endpoint/%s/resend", msg, ep), "").want(202)
		}
		rows := w.do("GET", "/app/a/delivery", "").want(200).items()
		if len(rows) != 1 || rows[0]["attempts"] != float64(n) || rows[0]["statusText"] != "pending" {
			t.Errorf("pending after %d attempts: %v", n, rows)
		}
		w.deliver(ep, 500)
		rows = w.do("GET", "/app/a/delivery", "").want(200).items()
		if len(rows) != 1 || rows[0]["attempts"] != float64(n+1) || rows[0]["statusText"] != "fail" {
			t.Errorf("failed after %d attempts: %v", n+1, rows)
		}
	}
	if log := w.do("GET", "/app/a/attempt/msg/"+msg, "").want(200).items(); len(log) != 4 {
		t.Errorf("the log has %d attempts", len(log))
	}
}

func TestDeliveryLogOfBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	w.app("b")
	ep, foreign := w.endpoint("a", ""), w.endpoint("b", "")
	msg := w.message("a", "x.y", "")
	for query, status := range map[string]int{
		"status=5": 422, "status=x": 422, "limit=0": 422, "limit=251": 422, "before=x": 422,
		"iterator=x": 422, "iterator=-": 422, "iterator=" + ep: 422, "iterator=" + msg + "." + msg: 422, "iterator=" + msg + ".": 422,
		"iterator=" + msg: 200, "iterator=" + msg + "." + ep: 200, "iterator=-" + msg + "." + ep: 200,
		"endpoint_id=" + foreign: 404, "endpoint_id=nobody": 404,
	} {
		w.do("GET", "/app/a/delivery?"+query, "").want(status)
	}
	w.do("GET", "/app/nobody/delivery", "").want(404)
	w.do("GET", "/app/nobody/undelivered", "").want(404)
}

// submitter is a tasks.Submitter.
type submitter func(u *commit.Unit) (commit.Result, error)

func (s submitter) Submit(_ context.Context, u *commit.Unit) (commit.Result, error) { return s(u) }

// TestUndelivered: what an endpoint misses, what a recovery would queue, and how far one is.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	failing := w.endpoint("a", `,"uid":"e"`)
	w.endpoint("a", `,"uid":"idle","eventTypes":["none"]`)
	for range 3 {
		w.message("a", "x.y", "")
	}
	pending := w.do("GET", "/app/a/undelivered", "").want(200).items()
	if len(pending) != 1 || pending[0]["endpointId"] != failing || pending[0]["pending"] != 3.0 || pending[0]["failed"] != 0.0 || pending[0]["failedSince"] != nil {
		t.Errorf("before the attempt: %v", pending)
	}
	w.deliver(failing, 500)
	missed := w.do("GET", "/app/a/undelivered", "").want(200).items()
	if len(missed) != 1 || missed[0]["pending"] != 0.0 || missed[0]["failed"] != 3.0 || missed[0]["failedSince"] == nil || missed[0]["failedMore"] != false {
		t.Errorf("after the last attempt: %v", missed)
	}
	for query, want := range map[string]float64{
		"": 3, "?since=2026-01-01T00:00:00Z": 3, "?until=2026-01-01T00:00:00Z": 0, "?since=" + url.QueryEscape(time.Now().Add(time.Minute).Format(time.RFC3339)): 0,
	} {
		got := w.do("GET", "/app/a/endpoint/e/recover"+query, "").want(200).json()
		if got["messages"] != want || got["more"] != false {
			t.Errorf("preview %q: %v, want %v", query, got, want)
		}
	}
	recovery := w.do("POST", "/app/a/endpoint/e/recover", `{"since":"2026-01-01T00:00:00Z"}`).want(202).text("id")
	progress := func() any { return w.do("GET", "/background-task/"+recovery, "").want(200).json()["data"] }
	if diff := cmp.Diff(map[string]any{"messagesSent": 0.0}, progress()); diff != "" {
		t.Errorf("a recovery that has not begun (-want +got):\n%s", diff)
	}
	running, stop := context.WithCancel(t.Context())
	defer stop()
	runner := tasks.New(tasks.Config{Store: w.store, Poll: time.Millisecond, Submitter: submitter(func(u *commit.Unit) (commit.Result, error) {
		defer stop() // after the first step, which is the last
		return w.committer.Submit(t.Context(), u)
	})})
	if err := runner.Run(running); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"messagesSent": 3.0, "messagesTotal": 3.0}, progress()); diff != "" {
		t.Errorf("a recovery that has ended (-want +got):\n%s", diff)
	}
	w.do("GET", "/app/a/endpoint/e/recover?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "").want(422)
	w.do("GET", "/app/a/endpoint/nobody/recover", "").want(404)
	portal := w.token(token.Claims{Org: testOrg(1), App: w.app("b")})
	w.as(portal, "GET", "/app/a/undelivered", "").want(404)
	w.as(portal, "GET", "/app/a/endpoint/e/recover", "").want(404)
}
