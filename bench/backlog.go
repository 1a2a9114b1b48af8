package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/sink"
)

// backlogFigures is what a large number of pending deliveries costs. Memory is in MB.
type backlogFigures struct {
	Deliveries     uint64            `json:"deliveries"`
	FillPerS       figure            `json:"fill_deliveries_per_s"`
	RSSFilled      figure            `json:"rss_filled_mb"`       // of the process that took the messages in, after that
	PeakFilled     figure            `json:"rss_filled_peak_mb"`  // its highest, lists included
	RSSRestarted   figure            `json:"rss_restarted_mb"`    // of a process that found the backlog at its start
	PeakDrained    figure            `json:"rss_drained_peak_mb"` // highest of the process that delivered it
	ReadyWaiting   figure            `json:"ready_waiting_ms"`    // start with the backlog due later
	ReadyDue       figure            `json:"ready_due_ms"`        // start with all of the backlog due
	DrainPerS      figure            `json:"drain_per_s"`
	ListP95        figure            `json:"list_p95_ms"`  // of the slowest list
	StatsP95       figure            `json:"stats_p95_ms"` // of an endpoint's statistics, which count every delivery
	ListsPending   map[string]figure `json:"list_p95_pending_ms"`
	ListsDelivered map[string]figure `json:"list_p95_delivered_ms"`
}

// fillMargin is how much longer filling may take than the warm-up, in which deliveries are made too, lets expect.
const fillMargin = 1.5

// pending makes a backlog with deliverAt, looks at memory and lists, starts the service again while the backlog is due
// later and once more when all of it is due, lets it drain and looks at the lists again.
func (b *bench) pending(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	warm, err := b.warmUpService(ctx, 0)
	if err != nil {
		return nil, err
	}
	f := &backlogFigures{}
	filled, due, err := b.fill(ctx, f, float64(warm.accepted)/warm.elapsed.Seconds())
	if err != nil {
		return nil, err
	}
	if err := b.inspectFilled(ctx, f); err != nil {
		return nil, err
	}
	if err := b.restart(ctx, f, due); err != nil {
		return nil, err
	}
	if err := b.drainBacklog(ctx, f, filled); err != nil {
		return nil, err
	}
	if f.ListsDelivered, err = b.lists(ctx); err != nil {
		return nil, err
	}
	all, err := b.figures()
	if err != nil {
		return nil, err
	}
	stats, err := b.pages(ctx, "/app/"+b.apps[0]+"/endpoint/"+b.endpoints[0][0]+"/stats")
	if err != nil {
		return nil, err
	}
	f.StatsP95 = figure(stats.Millis(0.95))
	f.ListP95 = slices.Max(slices.Concat(slices.Collect(maps.Values(f.ListsPending)), slices.Collect(maps.Values(f.ListsDelivered))))
	f.DrainPerS = all.DeliveredPerS
	all.Backlog = f
	all.FirstByteP50, all.FirstByteP99 = figure(math.NaN()), figure(math.NaN())
	all.RSS = max(f.PeakFilled, f.PeakDrained)
	return all, nil
}

// fill posts the backlog. Its due time is chosen from the rate at which messages were accepted before, so that none comes
// due before the last is accepted.
func (b *bench) fill(ctx context.Context, f *backlogFigures, messagesPerS float64) (load.Result, time.Time, error) {
	cfg := b.loadConfig()
	cfg.Count = uint64((b.backlog + b.options.endpoints - 1) / b.options.endpoints)
	expected := time.Duration(float64(cfg.Count) / messagesPerS * fillMargin * float64(time.Second))
	due := time.Now().Add(expected + b.timing.backlogSlack).Truncate(time.Millisecond)
	cfg.DeliverAt = due
	b.progress("posting %d messages due at %s", cfg.Count, due.Format(time.TimeOnly))
	r, err := b.post(cfg)
	if err != nil {
		return r, due, err
	}
	if time.Now().After(due) {
		return r, due, fmt.Errorf("filling took longer than %s, so some of the backlog has been delivered: run it on a quieter machine",
			expected+b.timing.backlogSlack)
	}
	b.middle = time.Unix(0, r.Started/2+r.Ended/2)
	f.Deliveries = r.Accepted * uint64(b.options.endpoints)
	f.FillPerS = figure(float64(f.Deliveries) / time.Duration(r.Ended-r.Started).Seconds())
	b.progress("%d deliveries are pending, made at %.0f/s", f.Deliveries, f.FillPerS)
	return r, due, ctx.Err()
}

// inspectFilled measures memory and lists of the process that took the backlog in.
func (b *bench) inspectFilled(ctx context.Context, f *backlogFigures) (err error) {
	if f.RSSFilled, _, err = b.memory(); err != nil {
		return err
	}
	if f.ListsPending, err = b.lists(ctx); err != nil {
		return err
	}
	_, f.PeakFilled, err = b.memory()
	return err
}

// restart starts the service again, before the backlog is due and, having stopped it over that moment, when it is.
func (b *bench) restart(ctx context.Context, f *backlogFigures, due time.Time) (err error) {
	if err := errors.Join(b.service.stop(), b.startService(ctx)); err != nil {
		return err
	}
	f.ReadyWaiting = millis(b.service.readyAfter)
	if err := wait(ctx, b.timing.settle); err != nil {
		return err
	}
	if f.RSSRestarted, _, err = b.memory(); err != nil {
		return err
	}
	if err := b.service.stop(); err != nil {
		return err
	}
	if until := time.Until(due); until > 0 {
		b.progress("waiting %s until the backlog is due", until.Round(time.Second))
		if err := wait(ctx, until); err != nil {
			return err
		}
	}
	if err := b.startService(ctx); err != nil {
		return err
	}
	f.ReadyDue = millis(b.service.readyAfter)
	return nil
}

// drainBacklog waits until the whole backlog has been delivered and counts from the start of the process.
func (b *bench) drainBacklog(ctx context.Context, f *backlogFigures, filled load.Result) error {
	finish := b.profile(ctx, time.Duration(float64(f.Deliveries)/30_000*float64(time.Second)), "")
	query := sink.Query{Slots: b.slots, From: filled.From, To: filled.To, Accepted: b.loadConfig().Accepted}
	var before sink.Report
	if err := b.sink.Call("report", sink.Query{Slots: b.slots, To: filled.From}, &before); err != nil {
		return err
	}
	report, err := b.drain(ctx, query, before.Delivered+f.Deliveries)
	if err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	started := b.service.started.UnixNano()
	if report.FirstArrival < started && report.FirstArrival != 0 {
		return errors.New("the backlog came due before it was looked at, and some of it has been delivered: run it on a quieter machine")
	}
	cpu, err := b.cpuTimes()
	if err != nil {
		return err
	}
	b.window.add(filled, report)
	b.window.elapsed = time.Duration(max(report.LastArrival-started, 1))
	b.window.service = cpu.service
	_, f.PeakDrained, err = b.memory()
	return err
}

// listSamples is how many pages of each list are read.
const listSamples = 40

// lists reads pages of every list of the API and returns the p95 of each kind in ms.
func (b *bench) lists(ctx context.Context) (map[string]figure, error) {
	app, endpoint := "/app/"+b.apps[0], b.endpoints[0][0]
	var page listPage
	if err := b.api.do(ctx, http.MethodGet, app+"/msg?limit=250", nil, &page); err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, errors.New("the list of messages is empty")
	}
	message, middle := page.Data[0].ID, url.QueryEscape(b.middle.UTC().Format(time.RFC3339Nano))
	p95 := map[string]figure{}
	for name, path := range map[string]string{
		"msg":                     app + "/msg?limit=50",
		"msg_250":                 app + "/msg?limit=250",
		"msg_before":              app + "/msg?before=" + middle,
		"endpoint_msg":            app + "/endpoint/" + endpoint + "/msg?limit=50",
		"attempt_endpoint":        app + "/attempt/endpoint/" + endpoint + "?limit=50",
		"attempt_endpoint_failed": app + "/attempt/endpoint/" + endpoint + "?status=2",
		"attempt_msg":             app + "/attempt/msg/" + message + "?limit=50",
		"msg_endpoint":            app + "/msg/" + message + "/endpoint?limit=50",
		"delivery":                app + "/delivery?limit=50",
		"delivery_pending":        app + "/delivery?status=1",
		"delivery_failed":         app + "/delivery?status=2",
		"delivery_canceled":       app + "/delivery?status=4",
		"delivery_endpoint":       app + "/delivery?endpoint_id=" + endpoint,
		"delivery_no_match":       app + "/delivery?event_types=none",
		"undelivered":             app + "/undelivered",
	} {
		h, err := b.pages(ctx, path)
		if err != nil {
			return nil, err
		}
		p95[name] = figure(h.Millis(0.95))
	}
	b.progress("lists, p95 in ms: %v", p95)
	return p95, nil
}

// listPage is what matters of a list.
type listPage struct {
	Data     []struct{ ID string }
	Iterator *string
	Done     bool
}

// pages reads a list page by page, from its start again after its last.
func (b *bench) pages(ctx context.Context, path string) (h hist.Histogram, err error) {
	next := path
	for range listSamples {
		var page listPage
		started := time.Now()
		if err := b.api.do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return h, err
		}
		h.Add(time.Since(started))
		next = path
		if page.Iterator != nil && !page.Done {
			next = withIterator(path, *page.Iterator)
		}
	}
	return h, nil
}

func withIterator(path, iterator string) string {
	target, err := url.Parse(path)
	if err != nil {
		return path
	}
	query := target.Query()
	query.Set("iterator", iterator)
	target.RawQuery = query.Encode()
	return target.String()
}
