package traffic

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// MaxSpan is the longest time that a report can be about.
const MaxSpan = 92 * 24 * time.Hour

// MaxEndpoints is how many endpoints a report names.
const MaxEndpoints = 50

// Query says what a report is about.
type Query struct {
	Org      string // required
	App      id.ID  // 0 = all apps of the org
	Endpoint id.ID  // 0 = all endpoints
	// Since and Until bound when attempts began; required, and at most MaxSpan apart. The
	// report begins and ends with whole steps.
	Since, Until time.Time
}

// Report says what became of attempts over time.
type Report struct {
	Since, Until time.Time // Until exclusive
	Step         time.Duration
	Points       []Point // one for each step, ascending
	Total        Tally
	// Endpoints are those with the most failures, then those with the most attempts.
	Endpoints []EndpointTally
}

// Point is what began in one step.
type Point struct {
	At time.Time
	Tally
}

// EndpointTally is what became of the attempts at an endpoint.
type EndpointTally struct {
	App, Endpoint id.ID
	Tally
}

// Report sums up what a query asks for.
func (r *Recorder) Report(ctx context.Context, q Query) (*Report, error) {
	s := scaleOf(q.Since, q.Until, time.Now())
	b := newBuilder(q.Since, q.Until, s)
	// Counts that move from memory to the store now would be missed, or seen twice.
	if err := r.moving.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer r.moving.Release(1)
	if err := r.addPending(ctx, &q, b); err != nil {
		return nil, err
	}
	of := store.TrafficQuery{Org: q.Org, App: q.App, Endpoint: q.Endpoint, Width: s.width, Since: b.report.Since, Until: b.report.Until}
	if err := r.cfg.Store.Traffic(ctx, of, func(t *store.Traffic) { b.add(t.App, t.Endpoint, t.At, t.Counts) }); err != nil {
		return nil, err
	}
	return b.finish(), nil
}

// scale is how fine a report is: which slots it reads, and how wide its steps are.
type scale struct{ span, width, step time.Duration }

// scales are by span, so that there are about 60 steps, and at most 120.
var scales = [...]scale{
	{2 * time.Hour, time.Minute, time.Minute},
	{6 * time.Hour, time.Minute, 5 * time.Minute},
	{30 * time.Hour, 15 * time.Minute, 15 * time.Minute},
	{60 * time.Hour, time.Hour, time.Hour},
	{8 * 24 * time.Hour, time.Hour, 3 * time.Hour},
	{MaxSpan, 24 * time.Hour, 24 * time.Hour},
}

// scaleOf chooses the finest scale that fits a span and whose slots are still kept.
func scaleOf(since, until, now time.Time) scale {
	for _, s := range scales {
		if until.Sub(since) <= s.span && !since.Before(now.Add(-keepOf(s.width))) {
			return s
		}
	}
	return scales[len(scales)-1]
}

// keepOf is how long slots of a width are kept at least.
func keepOf(width time.Duration) time.Duration {
	for _, w := range store.TrafficWidths() {
		if w.Width == width && w.Keep != 0 {
			return w.Keep
		}
	}
	return MaxSpan + 24*time.Hour // there is nothing finer for what is older
}

// builder makes a report.
type builder struct {
	report    Report
	endpoints map[id.ID]*EndpointTally
}

func newBuilder(since, until time.Time, s scale) *builder {
	b := &builder{endpoints: map[id.ID]*EndpointTally{}}
	b.report.Step = s.step
	b.report.Since = slot(since.UTC(), s.step)
	b.report.Until = slot(until.UTC().Add(s.step-1), s.step)
	for at := b.report.Since; at.Before(b.report.Until); at = at.Add(s.step) {
		b.report.Points = append(b.report.Points, Point{At: at})
	}
	return b
}

// add adds what an endpoint got in a slot.
func (b *builder) add(app, endpoint id.ID, at time.Time, bins []store.BinCount) {
	if at.Before(b.report.Since) || !at.Before(b.report.Until) {
		return
	}
	point := &b.report.Points[at.Sub(b.report.Since)/b.report.Step]
	e := b.endpoints[endpoint]
	if e == nil {
		e = &EndpointTally{App: app, Endpoint: endpoint}
		b.endpoints[endpoint] = e
	}
	for _, c := range bins {
		point.add(c.Bin, c.N)
		e.add(c.Bin, c.N)
		b.report.Total.add(c.Bin, c.N)
	}
}

func (b *builder) finish() *Report {
	all := make([]*EndpointTally, 0, len(b.endpoints))
	for _, e := range b.endpoints {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y *EndpointTally) int {
		return cmp.Or(cmp.Compare(y.Fail, x.Fail), cmp.Compare(y.Success, x.Success), cmp.Compare(x.Endpoint, y.Endpoint))
	})
	b.report.Endpoints = make([]EndpointTally, 0, min(len(all), MaxEndpoints))
	for _, e := range all[:min(len(all), MaxEndpoints)] {
		b.report.Endpoints = append(b.report.Endpoints, *e)
	}
	return &b.report
}

// addPending adds what is counted and not written yet.
func (r *Recorder) addPending(ctx context.Context, q *Query, b *builder) error {
	for _, t := range r.pending(q) {
		if q.App == 0 {
			if mine, err := r.belongs(ctx, q.Org, t.app); err != nil {
				return err
			} else if !mine {
				continue
			}
		}
		b.add(t.app, t.endpoint, time.Unix(t.minute*60, 0), t.bins)
	}
	return nil
}

// pending gives copies of the cells that a query may be about; whether their apps are the
// org's is not looked at.
func (r *Recorder) pending(q *Query) (found []taken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, c := range r.cells {
		if (q.App == 0 || q.App == at.app) && (q.Endpoint == 0 || q.Endpoint == at.endpoint) {
			found = append(found, taken{at, slices.Clone(c.bins)})
		}
	}
	return found
}

// belongs reports whether an app is one of an org's. An app never changes its org.
func (r *Recorder) belongs(ctx context.Context, org string, app id.ID) (bool, error) {
	r.orgsMu.Lock()
	known, ok := r.orgs[app]
	r.orgsMu.Unlock()
	if ok {
		return known == org, nil
	}
	owner, err := r.cfg.Store.OrgOf(ctx, app)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.orgsMu.Lock()
	defer r.orgsMu.Unlock()
	if len(r.orgs) >= maxKnownApps {
		clear(r.orgs)
	}
	r.orgs[app] = owner
	return owner == org, nil
}
