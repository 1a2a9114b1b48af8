package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/proc"
	"github.com/callboard/callboard/bench/internal/sink"
)

// setUpLive starts all processes for a scenario of live state. The sink has a slot for each event that somebody hears: all
// that is told of an event looks alike.
func (b *bench) setUpLive(ctx context.Context, events int, dialect, eventType string, args ...string) error {
	var slots []sink.Slot
	for range events {
		slots = append(slots, sink.Slot{Secret: probe.NewSecret(), Stride: 1, Dialect: dialect, Word: eventType, Frames: b.sessions})
	}
	if err := b.startChildren(ctx, sink.Config{PayloadBytes: b.payloadBytes, Slots: slots}); err != nil {
		return err
	}
	if err := b.prepareService(ctx); err != nil {
		return err
	}
	b.config.args = append(args, b.config.args...)
	return b.startService(ctx)
}

// listener makes an app with an endpoint for the next slot of the sink.
func (b *bench) listener(ctx context.Context, eventType string) (app string, slot int, err error) {
	if app, err = b.api.create(ctx, "/app", map[string]string{"name": "Bench"}); err != nil {
		return "", 0, err
	}
	slot = len(b.slots)
	b.slots = append(b.slots, slot)
	_, err = b.api.create(ctx, "/app/"+app+"/endpoint", map[string]any{
		"url": b.slotURL(slot), "secret": b.secrets[slot], "filterTypes": []string{eventType},
	})
	return app, slot, err
}

// venue makes an event that began two hours ago and goes on for a day, with its sessions.
func (b *bench) venue(ctx context.Context, app string) (event string, err error) {
	now := time.Now()
	event, err = b.api.create(ctx, "/app/"+app+"/event", map[string]any{
		"name": "Spring summit", "description": "Two days of talks and workshops.", "timezone": "Europe/London",
		"startDate": moment(now.Add(-2 * time.Hour)), "endDate": moment(now.Add(24 * time.Hour)),
	})
	if err != nil {
		return "", err
	}
	for n := range b.sessions {
		_, err := b.api.create(ctx, "/app/"+app+"/event/"+event+"/session", map[string]any{
			"id": load.SessionID(n), "title": "Opening keynote", "description": "What we have learnt, and what comes next.",
		})
		if err != nil {
			return "", err
		}
	}
	return event, nil
}

// moment writes a time as the catalogue's payloads have it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// joinConfig is the generator's configuration for the attendees that come next.
func (b *bench) joinConfig(app, event string, count, batch int) load.JoinConfig {
	return load.JoinConfig{
		Addr: b.service.addr, Token: b.api.token, App: app, Event: event, Sessions: b.sessions, Batch: batch,
		Concurrency: b.concurrency, First: b.next, Count: uint64(count), Accepted: filepath.Join(b.dir, "accepted"),
	}
}

// join runs the generator. A join that is not applied ends the run, since all that follows counts on it.
func (b *bench) join(cfg load.JoinConfig) (load.Result, error) {
	var r load.Result
	if err := b.load.Call("join", cfg, &r); err != nil {
		return r, err
	}
	// The next first attendee is a multiple of the sessions, so that attendee and session still go together.
	sessions := uint64(b.sessions)
	b.next = (r.To + sessions - 1) / sessions * sessions
	if r.Refused > 0 {
		return r, fmt.Errorf("%d of %d joins were not applied: %s", r.Refused, cfg.Count, r.FirstError)
	}
	return r, nil
}

// What event-end waits for and is held to.
const (
	timeSpentDelay = time.Second // between the end and the time at which time spent is due
	endAhead       = 1500 * time.Millisecond
	endBudget      = 30 * time.Second // for 100,000 attendees
	endBatch       = 1000             // activities in a request
	endConnections = 4                // that tell them
)

// eventEndFigures is what the end of an event costs. Times count from the moment at which time spent is due; messages exist
// from the moment in their ids, at which their transaction decides them.
type eventEndFigures struct {
	Attendees    int    `json:"attendees"`
	Sessions     int    `json:"sessions"`
	SetUpPerS    figure `json:"set_up_joins_per_s"`
	SetUpCPU     figure `json:"set_up_cpu_us_per_join"`
	FirstMessage figure `json:"first_message_s"`
	LastMessage  figure `json:"last_message_s"`
	FirstArrival figure `json:"first_delivered_s"`
	LastArrival  figure `json:"last_delivered_s"`
	AllTold      figure `json:"all_told_s"`          // event.time_spent and registration.attended too, which nobody hears
	CPU          figure `json:"cpu_us_per_attendee"` // of the service, for the three messages and the delivery
	Peak         figure `json:"rss_peak_mb"`         // from the due time on
	Budget       figure `json:"budget_s"`
	WithinBudget bool   `json:"within_budget"`
}

// eventEnd fills an event, moves its end and measures what follows.
func (b *bench) eventEnd(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	e := &eventEndFigures{Attendees: b.attendees, Sessions: b.sessions, Budget: figure(endBudget.Seconds() * max(float64(b.attendees)/100_000, 1))}
	app, _, err := b.listener(ctx, "session.time_spent")
	if err != nil {
		return nil, err
	}
	event, err := b.venue(ctx, app)
	if err != nil {
		return nil, err
	}
	joined, err := b.fillEvent(e, app, event)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, b.timing.settle); err != nil {
		return nil, err
	}
	if err := b.endEvent(ctx, e, app, event, joined); err != nil {
		return nil, err
	}
	f, err := b.figures()
	if err != nil {
		return nil, err
	}
	// Latencies of single messages mean nothing here: all are due at once.
	f.FirstByteP50, f.FirstByteP99 = figure(math.NaN()), figure(math.NaN())
	f.EventEnd = e
	return f, nil
}

// fillEvent tells that all attendees joined an hour ago.
func (b *bench) fillEvent(e *eventEndFigures, app, event string) (load.Result, error) {
	b.progress("%d attendees join", b.attendees)
	before, err := b.cpuTimes()
	if err != nil {
		return load.Result{}, err
	}
	cfg := b.joinConfig(app, event, b.attendees, endBatch)
	cfg.Concurrency, cfg.At = min(b.concurrency, endConnections), time.Now().Add(-time.Hour)
	r, err := b.join(cfg)
	if err != nil {
		return r, err
	}
	after, err := b.cpuTimes()
	if err != nil {
		return r, err
	}
	e.SetUpPerS = figure(float64(r.Accepted) / time.Duration(r.Ended-r.Started).Seconds())
	e.SetUpCPU = perUnit(after.service-before.service, r.Accepted)
	b.progress("they joined at %.0f/s", e.SetUpPerS)
	return r, nil
}

// endEvent moves the end and measures from the moment at which time spent is due.
func (b *bench) endEvent(ctx context.Context, e *eventEndFigures, app, event string, joined load.Result) error {
	end := time.Now().Add(endAhead).Truncate(time.Millisecond)
	due := end.Add(timeSpentDelay)
	if err := b.api.do(ctx, http.MethodPatch, "/app/"+app+"/event/"+event, map[string]string{"endDate": moment(end)}, nil); err != nil {
		return err
	}
	if time.Now().After(end) {
		return fmt.Errorf("moving the end took longer than %s: run it on a quieter machine", endAhead)
	}
	if err := wait(ctx, time.Until(due)-pollInterval); err != nil {
		return err
	}
	pid := b.service.cmd.Process.Pid
	if err := proc.ResetPeak(pid); err != nil {
		return err
	}
	before, err := b.cpuTimes()
	if err != nil {
		return err
	}
	finish := b.profile(ctx, b.duration, "")
	query := sink.Query{Slots: b.slots, From: joined.From, To: joined.To, Accepted: filepath.Join(b.dir, "accepted")}
	report, err := b.drain(ctx, query, uint64(b.attendees))
	if err != nil {
		return err
	}
	after, err := b.cpuTimes()
	if err != nil {
		return err
	}
	b.window.add(load.Result{Started: due.UnixNano(), Accepted: joined.Accepted}, report)
	sinceDue := func(ns int64) figure { return figure(time.Unix(0, ns).Sub(due).Seconds()) }
	e.FirstArrival, e.LastArrival = sinceDue(report.FirstArrival), sinceDue(report.LastArrival)
	e.WithinBudget = e.LastArrival <= e.Budget
	b.window.service, b.window.sink, b.window.load = after.service-before.service, after.sink-before.sink, after.load-before.load
	if err := finish(); err != nil {
		return err
	}
	return b.timeSpent(ctx, e, app, due, before)
}

// timeSpent waits until nothing more is told, and says when what was.
func (b *bench) timeSpent(ctx context.Context, e *eventEndFigures, app string, due time.Time, before cpuTimes) error {
	last, err := b.lastTold(ctx, app)
	if err != nil {
		return err
	}
	after, err := b.cpuTimes()
	if err != nil {
		return err
	}
	if _, e.Peak, err = b.memory(); err != nil {
		return err
	}
	seconds := func(t time.Time) figure { return figure(t.Sub(due).Seconds()) }
	e.CPU, e.AllTold = perUnit(after.service-before.service, uint64(b.attendees)), seconds(last)
	if last, err = b.newest(ctx, app, "event_types=session.time_spent"); err != nil {
		return err
	}
	first, err := b.firstOf(ctx, app, due, last)
	if err != nil {
		return err
	}
	e.FirstMessage, e.LastMessage = seconds(first), seconds(last)
	return nil
}

// lastTold waits until no message has come for a while, and gives the time of the last.
func (b *bench) lastTold(ctx context.Context, app string) (time.Time, error) {
	var last time.Time
	for {
		newest, err := b.newest(ctx, app, "")
		if err != nil || newest.Equal(last) {
			return last, err
		}
		last = newest
		if err := wait(ctx, 4*b.timing.settle); err != nil {
			return last, err
		}
	}
}

// newest is the time of an app's newest message that fits a filter; zero without any. Where many do not fit, a page may be
// empty and not the last.
func (b *bench) newest(ctx context.Context, app, filter string) (time.Time, error) {
	path := "/app/" + app + "/msg?limit=1&with_content=false&" + filter
	for next := path; ; {
		var page struct {
			Data     []struct{ Timestamp time.Time }
			Iterator *string
			Done     bool
		}
		if err := b.api.do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return time.Time{}, err
		}
		switch {
		case len(page.Data) > 0:
			return page.Data[0].Timestamp, nil
		case page.Done || page.Iterator == nil:
			return time.Time{}, nil
		}
		next = withIterator(path, *page.Iterator)
	}
}

// firstOf finds when the first session.time_spent was made, to a millisecond, between two times: lists are newest first.
func (b *bench) firstOf(ctx context.Context, app string, due, last time.Time) (time.Time, error) {
	low, high := due.Add(-time.Second), last // None before low, one at high.
	for high.Sub(low) > time.Millisecond {
		middle := low.Add(high.Sub(low) / 2)
		at, err := b.newest(ctx, app, "event_types=session.time_spent&after="+query(low)+"&before="+query(middle))
		if err != nil {
			return high, err
		}
		if at.IsZero() {
			low = middle
			continue
		}
		if !at.Before(high) {
			return high, nil
		}
		high = at
	}
	return high, nil
}

func query(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }

// rows are the scenario's lines in the table.
func (e *eventEndFigures) rows() []row {
	verdict := "over"
	if e.WithinBudget {
		verdict = "within"
	}
	return []row{
		{"set-up joins/s", fmt.Sprintf("%.0f", e.SetUpPerS), fmt.Sprintf("%d attendees, %d session(s), batches of %d that carry the registrations; %.1f µs CPU each", e.Attendees, e.Sessions, endBatch, e.SetUpCPU)},
		{"messages exist s", fmt.Sprintf("%.2f / %.2f", e.FirstMessage, e.LastMessage), fmt.Sprintf("first / last session.time_spent; all that an end tells after %.2f", e.AllTold)},
		{"delivered s", fmt.Sprintf("%.2f / %.2f", e.FirstArrival, e.LastArrival), fmt.Sprintf("first / last; %s the budget of %.0f", verdict, e.Budget)},
		{"CPU µs/attendee", fmt.Sprintf("%.1f", e.CPU), fmt.Sprintf("of the service for three messages and one delivery; RSS peak %.0f MB", e.Peak)},
	}
}

// joinFigures is what joins cost that are told in one way.
type joinFigures struct {
	Batch      int    `json:"batch"`
	Endpoints  int    `json:"endpoints"`
	Joins      uint64 `json:"joins"`
	JoinsPerS  figure `json:"joins_per_s"`       // accepted
	Ratio      figure `json:"ratio"`             // to the bare loop's POSTs
	CPU        figure `json:"cpu_us_per_join"`   // of the service, deliveries included
	RequestP50 figure `json:"request_p50_ms"`    // from its start to the answer
	RequestP99 figure `json:"request_p99_ms"`    //
	Delivered  figure `json:"delivered_per_s"`   // from the first request to the last arrival; null without an endpoint
	FirstByte  figure `json:"first_byte_p99_ms"` // from the start of the request
	Peak       figure `json:"rss_peak_mb"`
}

// joinPart is one way to tell joins.
type joinPart struct {
	batch int
	heard bool // by an endpoint
}

// joinStorm has people join in requests of one and of many, first where nobody listens. Each part has an app and an event
// of its own.
func (b *bench) joinStorm(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	var all []joinFigures
	for _, part := range []joinPart{{1, false}, {100, false}, {1, true}, {100, true}} {
		j, err := b.joinPart(ctx, part)
		if err != nil {
			return nil, err
		}
		all = append(all, j)
		b.progress("%s: %s, %s", j.row().name, j.row().value, j.row().note)
	}
	f, err := b.figures()
	if err != nil {
		return nil, err
	}
	f.Ratio = figure(math.NaN()) // Each part has its own.
	f.Joins = all
	return f, nil
}

// prepareJoins makes what a part needs; slots are those of the endpoint, if there is one.
func (b *bench) prepareJoins(ctx context.Context, part joinPart) (cfg load.JoinConfig, slots []int, err error) {
	var app string
	if part.heard {
		var slot int
		app, slot, err = b.listener(ctx, "session.joined")
		slots = []int{slot}
	} else {
		app, err = b.api.create(ctx, "/app", map[string]string{"name": "Bench without endpoints"})
	}
	if err != nil {
		return cfg, nil, err
	}
	event, err := b.venue(ctx, app)
	cfg = b.joinConfig(app, event, b.joins, part.batch)
	if part.batch > 1 { // More would only stand in the service's queue.
		cfg.Concurrency = max(cfg.Concurrency/8, 1)
	}
	return cfg, slots, err
}

// joinPart measures one way.
func (b *bench) joinPart(ctx context.Context, part joinPart) (j joinFigures, err error) {
	cfg, slots, err := b.prepareJoins(ctx, part)
	if err != nil {
		return j, err
	}
	if err := proc.ResetPeak(b.service.cmd.Process.Pid); err != nil {
		return j, err
	}
	finish := b.profile(ctx, b.duration, fmt.Sprintf("%d-endpoints-batch-%d-", len(slots), part.batch))
	before, err := b.cpuTimes()
	if err != nil {
		return j, err
	}
	r, err := b.join(cfg)
	if err != nil {
		return j, err
	}
	w, err := b.joinsArrive(ctx, r, sink.Query{Slots: slots, From: r.From, To: r.To, Accepted: cfg.Accepted})
	if err != nil {
		return j, err
	}
	after, err := b.cpuTimes()
	if err != nil {
		return j, err
	}
	w.service, w.sink, w.load = after.service-before.service, after.sink-before.sink, after.load-before.load
	j = b.joinFigures(part, r, w)
	if part.heard {
		b.window.merge(w)
	}
	_, j.Peak, err = b.memory()
	return j, errors.Join(err, finish())
}

// joinsArrive waits for what was told of joins, if anybody hears it.
func (b *bench) joinsArrive(ctx context.Context, r load.Result, q sink.Query) (w window, err error) {
	if len(q.Slots) == 0 {
		w.add(r, sink.Report{})
		return w, wait(ctx, b.timing.settle)
	}
	report, err := b.drain(ctx, q, r.Accepted)
	w.add(r, report)
	return w, err
}

// joinFigures sums up a part.
func (b *bench) joinFigures(part joinPart, r load.Result, w window) joinFigures {
	j := joinFigures{
		Batch: part.batch, Joins: r.Accepted, CPU: perUnit(w.service, r.Accepted),
		JoinsPerS:  figure(float64(r.Accepted) / time.Duration(r.Ended-r.Started).Seconds()),
		RequestP50: figure(r.Accept.Millis(0.5)), RequestP99: figure(r.Accept.Millis(0.99)),
		Delivered: figure(math.NaN()), FirstByte: figure(math.NaN()),
	}
	j.Ratio = j.JoinsPerS / figure(median(b.bare))
	if part.heard {
		j.Endpoints = 1
		j.Delivered, j.FirstByte = figure(float64(w.report.Delivered)/w.elapsed.Seconds()), figure(w.arrival.Millis(0.99))
	}
	return j
}

// row is the line of a part in the table.
func (j joinFigures) row() row {
	heard := "no endpoint"
	if j.Endpoints > 0 {
		heard = fmt.Sprintf("one endpoint, %.0f delivered/s, first byte p99 %.1f ms", j.Delivered, j.FirstByte)
	}
	return row{
		fmt.Sprintf("joins/s by %d", j.Batch), fmt.Sprintf("%.0f", j.JoinsPerS),
		fmt.Sprintf("%s; ratio %.3f, %.1f µs CPU each, request p50 / p99 %.2f / %.2f ms, RSS peak %.0f MB", heard, j.Ratio, j.CPU, j.RequestP50, j.RequestP99, j.Peak),
	}
}
