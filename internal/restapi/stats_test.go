package restapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/traffic"
)

// attempted counts attempts at an endpoint, which began at a time.
func (w *world) attempted(app, endpoint string, at time.Time, statuses ...int) {
	w.t.Helper()
	ep, ok := w.codec.Decode(id.Endpoint, endpoint)
	if !ok {
		w.t.Fatal("no endpoint id:", endpoint)
	}
	for _, status := range statuses {
		w.traffic.Committed([]store.Completion{{Attempt: delivery.Attempt{
			Key: delivery.Key{Endpoint: ep}, App: w.appID(app), At: at, Success: status/100 == 2, StatusCode: status, Latency: 100 * time.Millisecond,
		}}})
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app, other := w.app("a"), w.app("b")
	good, bad, others := w.endpoint("a", `,"uid":"good"`), w.endpoint("a", `,"uid":"bad"`), w.endpoint("b", "")
	now := time.Now().UTC()
	w.attempted(app, good, now, 200, 204)
	w.attempted(app, bad, now.Add(-2*time.Hour), 200, 500, 0, 404, 302)
	w.attempted(other, others, now, 500)
	if err := w.traffic.Flush(t.Context(), w.committer); err != nil {
		t.Fatal(err)
	}
	w.attempted(app, good, now, 200)

	got := w.do("GET", "/app/a/stats/attempt", "").want(200).json()
	estimates := cmpopts.EquateApprox(0.2, 0) // which sets no count beside another one below 5
	wantTotals := map[string]any{
		"success": 4.0, "fail": 4.0, "byClass": map[string]any{"none": 1.0, "1xx": 0.0, "2xx": 4.0, "3xx": 1.0, "4xx": 1.0, "5xx": 1.0},
		"latencyMs": map[string]any{"p50": 100.0, "p95": 100.0, "p99": 100.0},
	}
	if diff := cmp.Diff(wantTotals, got["totals"], estimates); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	wantEndpoints := []any{
		map[string]any{"appId": app, "endpointId": bad, "success": 1.0, "fail": 4.0, "latencyMs": map[string]any{"p50": 100.0, "p95": 100.0, "p99": 100.0}},
		map[string]any{"appId": app, "endpointId": good, "success": 3.0, "fail": 0.0, "latencyMs": map[string]any{"p50": 100.0, "p95": 100.0, "p99": 100.0}},
	}
	if diff := cmp.Diff(wantEndpoints, got["endpoints"], estimates); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	steps := got["data"].([]any)
	if got["stepSeconds"] != 900.0 || len(steps) < 96 || len(steps) > 97 {
		t.Errorf("a day has %d steps of %v seconds", len(steps), got["stepSeconds"])
	}
	first := steps[0].(map[string]any)
	if diff := cmp.Diff(map[string]any{"at": got["since"], "success": 0.0, "fail": 0.0, "latencyMs": nil}, first); diff != "" {
		t.Errorf("an empty step (-want +got):\n%s", diff)
	}

	one := w.do("GET", "/app/a/stats/attempt?endpoint_id=good", "").want(200).json()
	if totals := one["totals"].(map[string]any); totals["success"] != 3.0 || totals["fail"] != 0.0 {
		t.Errorf("of one endpoint: %v", totals)
	}
	recent := "?since=" + url.QueryEscape(now.Add(-time.Hour).Format(time.RFC3339))
	hour := w.do("GET", "/app/a/stats/attempt"+recent, "").want(200).json()
	if totals := hour["totals"].(map[string]any); hour["stepSeconds"] != 60.0 || totals["success"] != 3.0 || totals["fail"] != 0.0 {
		t.Errorf("of the last hour: %v", totals)
	}
	all := w.do("GET", "/stats/attempt", "").want(200).json()
	if totals := all["totals"].(map[string]any); totals["success"] != 4.0 || totals["fail"] != 5.0 {
		t.Errorf("of the org: %v", totals)
	}
	w.do("DELETE", "/app/b", "").want(204)
	if totals := w.do("GET", "/stats/attempt", "").want(200).json()["totals"].(map[string]any); totals["fail"] != 4.0 {
		t.Errorf("of the org, an app was deleted: %v", totals)
	}
	w.do("GET", "/app/b/stats/attempt", "").want(404)
}

// TestStatsAccess: an app's token sees its app, an org's its apps.
func TestStatsAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.app("a")
	w.app("b")
	ep := w.endpoint("a", "")
	w.attempted(app, ep, time.Now(), 200)
	portal := w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: []token.Capability{token.ViewBase}, ReadOnly: true})
	w.as(portal, "GET", "/app/a/stats/attempt", "").want(200)
	w.as(portal, "GET", "/app/b/stats/attempt", "").want(404)
	w.as(portal, "GET", "/stats/attempt", "").want(403)
	w.as("", "GET", "/stats/attempt", "").want(401)
	stranger := w.token(token.Claims{Org: testOrg(2)})
	w.as(stranger, "GET", "/app/"+app+"/stats/attempt", "").want(404)
	if totals := w.as(stranger, "GET", "/stats/attempt", "").want(200).json()["totals"].(map[string]any); totals["success"] != 0.0 {
		t.Errorf("another org sees %v", totals)
	}
	w.endpoint("b", `,"uid":"mine"`)
	w.do("GET", "/app/b/stats/attempt?endpoint_id="+ep, "").want(404)
	w.do("GET", "/app/a/stats/attempt?endpoint_id=mine", "").want(404)
}

func TestStatsBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app("a")
	now := time.Now()
	at := func(d time.Duration) string { return url.QueryEscape(now.Add(d).Format(time.RFC3339)) }
	const day = 24 * time.Hour
	for query, loc := range map[string][]string{
		"since=yesterday":        {"query", "since"},
		"until=12":               {"query", "until"},
		"since=" + at(time.Hour): {"query", "since"},
		"since=" + at(-time.Hour) + "&until=" + at(-2*time.Hour): {"query", "until"},
		"since=" + at(-time.Hour) + "&until=" + at(-time.Hour):   {"query", "until"},

		"since=" + at(-93*day):                                  {"query", "since"},
		"since=" + at(-10*day) + "&until=" + at(100*day):        {"query", "until"},
		"since=0001-01-01T00:00:01Z":                            {"query", "since"},
		"since=0001-01-01T00:00:01Z&until=0001-01-02T00:00:01Z": {"query", "until"},
	} {
		for _, path := range []string{"/stats/attempt?", "/app/a/stats/attempt?"} {
			got := w.do("GET", path+query, "").want(422).json()["detail"].([]any)[0].(map[string]any)
			if have := fmt.Sprint(got["loc"]); have != fmt.Sprint(loc) {
				t.Errorf("%s: wrong is %s, want %s", query, have, loc)
			}
		}
	}
	w.do("GET", "/stats/attempt?since="+at(-92*day)+"&until="+at(0), "").want(200)
	w.do("GET", "/stats/attempt?until="+at(-200*day), "").want(200)
}

// brokenTraffic cannot answer.
type brokenTraffic struct{}

func (brokenTraffic) Report(context.Context, traffic.Query) (*traffic.Report, error) {
	return nil, errors.New("hunter2")
}

// TestStatsFail without saying why; and without somebody who counts there are no routes.
func TestStatsFail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *restapi.Config) { cfg.Traffic = brokenTraffic{} })
	if got := w.do("GET", "/stats/attempt", "").want(500); strings.Contains(got.Body, "hunter2") {
		t.Errorf("the answer tells %s", got.Body)
	}
	none := newWorld(t, func(cfg *restapi.Config) { cfg.Traffic = nil })
	none.do("GET", "/stats/attempt", "").want(404)
	paths := none.document().Paths
	if paths["/api/v1/stats/attempt"] != nil {
		t.Error("the document names routes that are not there")
	}
}
