package restapi

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/traffic"
	"github.com/callboard/callboard/internal/web"
)

// Traffic sums up attempts for charts; *traffic.Recorder is the one outside of tests.
type Traffic interface {
	Report(ctx context.Context, q traffic.Query) (*traffic.Report, error)
}

// defaultSpan is what statistics are about if nothing is said.
const defaultSpan = 24 * time.Hour

// AttemptStats say what became of attempts over time.
type AttemptStats struct {
	Since       time.Time              `json:"since" doc:"Where the first step begins: at or before the time that was asked for."`
	Until       time.Time              `json:"until" doc:"Where the last step ends."`
	StepSeconds int64                  `json:"stepSeconds" doc:"How wide a step is. The server chooses it for the span of time." example:"900"`
	Data        []AttemptStatsStep     `json:"data" nullable:"false" doc:"All steps, ascending, also those in which nothing was attempted."`
	Totals      AttemptStatsTotals     `json:"totals"`
	Endpoints   []AttemptStatsEndpoint `json:"endpoints" nullable:"false" doc:"The 50 endpoints with the most failed attempts, then those with the most attempts. One that was deleted may be among them."`
}

// AttemptStatsStep is what became of the attempts that began in one step.
type AttemptStatsStep struct {
	At        time.Time    `json:"at" doc:"When the step begins."`
	Success   int64        `json:"success"`
	Fail      int64        `json:"fail"`
	LatencyMs *LatencyStat `json:"latencyMs"`
}

// AttemptStatsTotals are those of the whole span.
type AttemptStatsTotals struct {
	Success   int64            `json:"success"`
	Fail      int64            `json:"fail"`
	ByClass   map[string]int64 `json:"byClass" nullable:"false" doc:"Attempts by class of status, 1xx to 5xx; none for those that got no answer." example:"{\"2xx\": 3, \"none\": 1}"`
	LatencyMs *LatencyStat     `json:"latencyMs"`
}

// AttemptStatsEndpoint is what became of the attempts at one endpoint.
type AttemptStatsEndpoint struct {
	AppID      string       `json:"appId"`
	EndpointID string       `json:"endpointId"`
	Success    int64        `json:"success"`
	Fail       int64        `json:"fail"`
	LatencyMs  *LatencyStat `json:"latencyMs"`
}

// LatencyStat are percentiles in milliseconds.
type LatencyStat struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// registerStats puts the statistics of attempts on the mux, if somebody counts.
func (a *api) registerStats() {
	if a.Traffic == nil {
		return
	}
	const description = "Attempts are counted when their result is stored, in the step in which they began. `latencyMs` are percentiles of how long " +
		"receivers took to answer, or null if none did; they are estimates, off by a fifth at most. A span is 92 days at most; steps are narrow " +
		"if it is short and recent: a minute for up to two hours of the last day. What was sent before the server counted, or in the last " +
		"seconds before it was killed, is in the log of attempts but not here."
	handle(a, huma.Operation{
		OperationID: "v1.statistics.attempts", Method: http.MethodGet, Path: "/app/{app_id}/stats/attempt", Tags: []string{tagAttempts},
		Summary: "Count an app's attempts over time", Description: description,
	}, accessRead, a.appStats)
	handle(a, huma.Operation{
		OperationID: "v1.statistics.org-attempts", Method: http.MethodGet, Path: "/stats/attempt", Tags: []string{tagAttempts},
		Summary: "Count all attempts over time", Description: description,
	}, accessAdmin, a.orgStats)
}

// StatsSpan bounds statistics in time.
type StatsSpan struct {
	Since time.Time `query:"since" doc:"Only attempts from this time on; 24 hours before until by default."`
	Until time.Time `query:"until" doc:"Only attempts before this time; now by default."`
}

// bounds gives the span, checked.
func (s *StatsSpan) bounds(now time.Time) (since, until time.Time, err error) {
	since, until = s.Since, s.Until
	if until.IsZero() {
		until = now
	}
	if since.IsZero() {
		since = until.Add(-defaultSpan)
	}
	switch {
	case until.Year() < 1970 || until.After(now.Add(traffic.MaxSpan)):
		return since, until, invalid("must be a time between 1970 and 92 days from now", "query", "until")
	case !until.After(since) && s.Until.IsZero():
		return since, until, invalid("must be in the past", "query", "since")
	case !until.After(since):
		return since, until, invalid("must be after since", "query", "until")
	case until.Sub(since) > traffic.MaxSpan:
		return since, until, invalid("must be 92 days before until at most", "query", "since")
	}
	return since, until, nil
}

// appStatsIn are the parameters of GET /app/{app_id}/stats/attempt.
type appStatsIn struct {
	AppPath
	StatsSpan
	EndpointID string `query:"endpoint_id" doc:"Only attempts at this endpoint, by its id or uid."`
}

// appStats answers GET /app/{app_id}/stats/attempt.
func (a *api) appStats(ctx context.Context, c *call, in *appStatsIn) (*answer[AttemptStats], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	q := traffic.Query{Org: c.Org, App: app.ID}
	if q.Since, q.Until, err = in.bounds(time.Now()); err != nil {
		return nil, err
	}
	if in.EndpointID != "" {
		ref, err := web.Ref(a.Codec, id.Endpoint, in.EndpointID)
		if err != nil {
			return nil, err
		}
		ep, err := a.Store.AppEndpoint(ctx, app.ID, ref)
		if err != nil {
			return nil, err
		}
		q.Endpoint = ep.ID
	}
	return a.stats(ctx, q)
}

// orgStatsIn are the parameters of GET /stats/attempt.
type orgStatsIn struct{ StatsSpan }

// orgStats answers GET /stats/attempt.
func (a *api) orgStats(ctx context.Context, c *call, in *orgStatsIn) (*answer[AttemptStats], error) {
	q := traffic.Query{Org: c.Org}
	var err error
	if q.Since, q.Until, err = in.bounds(time.Now()); err != nil {
		return nil, err
	}
	return a.stats(ctx, q)
}

// stats makes a report and renders it.
func (a *api) stats(ctx context.Context, q traffic.Query) (*answer[AttemptStats], error) {
	r, err := a.Traffic.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	out := AttemptStats{
		Since: r.Since, Until: r.Until, StepSeconds: int64(r.Step / time.Second),
		Data: make([]AttemptStatsStep, len(r.Points)), Endpoints: make([]AttemptStatsEndpoint, len(r.Endpoints)),
		Totals: AttemptStatsTotals{Success: r.Total.Success, Fail: r.Total.Fail, ByClass: map[string]int64{}, LatencyMs: showLatency(&r.Total)},
	}
	for class, name := range traffic.Classes() {
		out.Totals.ByClass[name] = r.Total.ByClass[class]
	}
	for i := range r.Points {
		p := &r.Points[i]
		out.Data[i] = AttemptStatsStep{At: p.At, Success: p.Success, Fail: p.Fail, LatencyMs: showLatency(&p.Tally)}
	}
	for i := range r.Endpoints {
		e := &r.Endpoints[i]
		out.Endpoints[i] = AttemptStatsEndpoint{
			AppID: a.Codec.Encode(id.App, e.App), EndpointID: a.Codec.Encode(id.Endpoint, e.Endpoint),
			Success: e.Success, Fail: e.Fail, LatencyMs: showLatency(&e.Tally),
		}
	}
	return &answer[AttemptStats]{out}, nil
}

// showLatency gives percentiles to a tenth of a millisecond; nil without answers.
func showLatency(t *traffic.Tally) *LatencyStat {
	l, ok := t.Latency()
	if !ok {
		return nil
	}
	ms := func(d time.Duration) float64 { return math.Round(float64(d)/float64(100*time.Microsecond)) / 10 }
	return &LatencyStat{P50: ms(l.P50), P95: ms(l.P95), P99: ms(l.P99)}
}
