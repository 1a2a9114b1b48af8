package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/proc"
	"github.com/callboard/callboard/bench/internal/sink"
)

// timing is how long the parts of a run take that are not measured; tests shorten it.
type timing struct {
	warmUp       time.Duration // load on the service before the first measurement
	drain        time.Duration // without an arrival until what is missing counts as lost
	settle       time.Duration // after the last arrival: late repeats, and the service records its completions
	bare         time.Duration // the bare loop where it is no part of a round
	bareWarmUp   time.Duration // dials the bare loop's connections
	backlogSlack time.Duration // between filling and draining a backlog, for lists and a restart
}

// realTiming waits for lost deliveries longer than a time-out and the first retry of the service take together.
var realTiming = timing{
	warmUp: 2 * time.Second, drain: 30 * time.Second, settle: 250 * time.Millisecond,
	bare: 2 * time.Second, bareWarmUp: 300 * time.Millisecond, backlogSlack: time.Minute,
}

const (
	pollInterval = 20 * time.Millisecond   // of the sink's counter
	profileSlack = 1500 * time.Millisecond // the profile ends before the load, so that it shows no idle time
)

// bench is one run: the processes, and what has been measured so far.
type bench struct {
	options
	stderr io.Writer
	dir    string // temporary

	sink, load *proc.Child
	sinkAddr   string
	config     serviceConfig
	service    *service
	api        *api
	apps       []string
	endpoints  [][]string // per app
	slots      []int      // of the service's endpoints, in the order app by app
	bareSlot   int
	secrets    []string // per slot

	comparisons []*comparison // of the dialects scenario

	inboundSides  []*inboundSide // of the inbound scenario
	inboundSample []byte

	next     uint64 // sequence number of the next message
	bareNext uint64
	middle   time.Time // half-way through filling a backlog
	bare     []float64 // POSTs a second, one per round of the bare loop
	bareCPU  time.Duration
	barePost uint64
	window   window
}

// window is what was measured with the service under load; several add up.
type window struct {
	elapsed               time.Duration
	service, sink, load   time.Duration // processor time
	accepted, refused     uint64
	retried               uint64
	report                sink.Report
	accept, late, arrival hist.Histogram
	firstError            string
	flooded               uint64
	floodError            string
}

// runScenario runs one scenario from the build to the figures.
func runScenario(ctx context.Context, opts options, stderr io.Writer) (figures *figures, err error) {
	dir, err := os.MkdirTemp("", "callboard-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: opts, stderr: stderr, dir: dir}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.setUp(ctx); err != nil {
		return nil, err
	}
	switch opts.scenario {
	case "latency":
		return b.latency(ctx)
	case "hanging":
		return b.hanging(ctx)
	case "backlog":
		return b.pending(ctx)
	case "dialects":
		return b.dialects(ctx)
	case "event-end":
		return b.eventEnd(ctx)
	case "join-storm":
		return b.joinStorm(ctx)
	case "inbound":
		return b.inbound(ctx)
	}
	return b.throughput(ctx)
}

// progress tells the user what goes on.
func (b *bench) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(b.stderr, "bench: "+format+"\n", args...)
}

// setUp starts all processes and creates apps and endpoints.
func (b *bench) setUp(ctx context.Context) error {
	switch b.scenario {
	case "dialects":
		return b.setUpDialects(ctx)
	case "event-end":
		return b.setUpLive(ctx, 1, sink.TimeSpent, "session.time_spent", "--time-spent-delay", timeSpentDelay.String())
	case "join-storm":
		return b.setUpLive(ctx, 2, sink.Live, "session.joined")
	case "inbound":
		return b.setUpInbound(ctx)
	}
	if err := b.startChildren(ctx, b.planSlots()); err != nil {
		return err
	}
	if err := b.prepareService(ctx); err != nil {
		return err
	}
	if err := b.startService(ctx); err != nil {
		return err
	}
	return b.createEndpoints(ctx)
}

// planSlots gives the sink a slot per endpoint, app by app.
func (b *bench) planSlots() sink.Config {
	cfg := sink.Config{PayloadBytes: b.payloadBytes}
	for app := range b.options.apps {
		for range b.options.endpoints {
			b.slots = append(b.slots, len(cfg.Slots))
			cfg.Slots = append(cfg.Slots, sink.Slot{Secret: probe.NewSecret(), Stride: uint64(b.options.apps), Residue: uint64(app)})
		}
	}
	return cfg
}

// startChildren starts sink and generator. Behind the slots that it is told the sink has one for the bare loop.
func (b *bench) startChildren(ctx context.Context, cfg sink.Config) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if b.sink, err = proc.Start(ctx, roleSink, self, roleVariable+"="+roleSink); err != nil {
		return err
	}
	if b.load, err = proc.Start(ctx, roleLoad, self, roleVariable+"="+roleLoad); err != nil {
		return err
	}
	b.bareSlot = len(cfg.Slots)
	cfg.Slots = append(cfg.Slots, sink.Slot{Secret: probe.NewSecret(), Stride: 1})
	for _, slot := range cfg.Slots {
		b.secrets = append(b.secrets, slot.Secret)
	}
	return b.sink.Call("start", cfg, &b.sinkAddr)
}

// slotURL is where a slot of the sink listens.
func (b *bench) slotURL(slot int) string {
	return fmt.Sprintf("http://%s%s%d", b.sinkAddr, sink.PathPrefix, slot)
}

// prepareService builds the service and decides how to run it.
func (b *bench) prepareService(ctx context.Context) (err error) {
	b.config = serviceConfig{
		binary: b.options.service, db: b.db, secret: rand.Text(), debug: b.profileDir != "",
		args: b.serveArgs, log: filepath.Join(b.dir, "service.log"),
	}
	if b.config.db == "" {
		b.config.db = "sqlite:" + filepath.Join(b.dir, "bench.db")
	}
	if b.config.binary == "" {
		b.progress("building %s", servicePackage)
		b.config.binary, err = buildService(ctx, b.dir)
	}
	return err
}

// startService starts the service, also again in the course of a run: what knew its address learns the new one.
func (b *bench) startService(ctx context.Context) (err error) {
	if b.service, err = startService(ctx, b.config); err != nil {
		return err
	}
	b.progress("the service is ready after %s", b.service.readyAfter.Round(time.Millisecond))
	b.api = newAPI(b.service.addr, mintToken(b.config.secret, time.Now()))
	return nil
}

// createEndpoints creates one event type, and the apps and endpoints that the sink expects.
func (b *bench) createEndpoints(ctx context.Context) error {
	if err := b.api.createEventType(ctx, probe.EventType); err != nil {
		return err
	}
	for app := range b.options.apps {
		id, err := b.api.create(ctx, "/app", map[string]string{"name": fmt.Sprintf("Bench %d", app)})
		if err != nil {
			return err
		}
		b.apps = append(b.apps, id)
		b.endpoints = append(b.endpoints, nil)
		for i := range b.options.endpoints {
			slot := app*b.options.endpoints + i
			endpoint, err := b.api.create(ctx, "/app/"+id+"/endpoint", map[string]any{
				"url": b.slotURL(slot), "secret": b.secrets[slot], "filterTypes": []string{probe.EventType},
				"description": fmt.Sprintf("slot %d", slot),
			})
			if err != nil {
				return err
			}
			b.endpoints[app] = append(b.endpoints[app], endpoint)
		}
	}
	return nil
}

// close ends all processes, in the order in which nothing is left to deliver to.
func (b *bench) close() error {
	var errs []error
	if b.service != nil {
		errs = append(errs, b.service.stop())
	}
	for _, child := range []*proc.Child{b.load, b.sink} {
		if child != nil {
			errs = append(errs, child.Close())
		}
	}
	return errors.Join(errs...)
}

// bareRound runs the bare loop and notes its rate.
func (b *bench) bareRound(d time.Duration) error {
	before, err := b.cpuTimes()
	if err != nil {
		return err
	}
	cfg := load.BareConfig{
		URL: b.slotURL(b.bareSlot), Secret: b.secrets[b.bareSlot], PayloadBytes: b.payloadBytes,
		Concurrency: b.bareConcurrency, First: b.bareNext, Duration: d,
	}
	var r load.BareResult
	if err := b.load.Call("bare", cfg, &r); err != nil {
		return err
	}
	b.bareNext = r.To
	if r.Posted == 0 || r.Failed > 0 {
		return fmt.Errorf("bare loop: %d POSTs, %d failed: %s", r.Posted, r.Failed, r.FirstError)
	}
	after, err := b.cpuTimes()
	if err != nil {
		return err
	}
	perSecond := float64(r.Posted) / time.Duration(r.Ended-r.Started).Seconds()
	b.progress("bare loop: %.0f POSTs/s", perSecond)
	b.bare = append(b.bare, perSecond)
	b.bareCPU += after.load - before.load
	b.barePost += r.Posted
	return nil
}

// warmBare runs the bare loop once without noting it.
func (b *bench) warmBare() error {
	if err := b.bareRound(b.timing.bareWarmUp); err != nil {
		return err
	}
	b.bare, b.bareCPU, b.barePost = nil, 0, 0
	return nil
}

// cpuTimes is the processor time of each process so far.
type cpuTimes struct{ service, sink, load time.Duration }

func (b *bench) cpuTimes() (t cpuTimes, err error) {
	for _, p := range []struct {
		pid int
		cpu *time.Duration
	}{{b.service.cmd.Process.Pid, &t.service}, {b.sink.PID(), &t.sink}, {b.load.PID(), &t.load}} {
		if *p.cpu, err = proc.CPU(p.pid); err != nil {
			return cpuTimes{}, err
		}
	}
	return t, nil
}

// loadConfig is the generator's configuration for the messages that come next.
func (b *bench) loadConfig() load.Config {
	return load.Config{
		Addr: b.service.addr, Token: b.api.token, Apps: b.apps, PayloadBytes: b.payloadBytes, Concurrency: b.concurrency,
		IdempotencyKey: b.idempotencyKey, First: b.next, Accepted: filepath.Join(b.dir, "accepted"),
	}
}

// post runs the generator and moves on to the next sequence number that belongs to the first app.
func (b *bench) post(cfg load.Config) (load.Result, error) {
	var r load.Result
	if err := b.load.Call("run", cfg, &r); err != nil {
		return r, err
	}
	apps := uint64(len(cfg.Apps))
	b.next = (r.To + apps - 1) / apps * apps
	if r.Accepted == 0 {
		return r, fmt.Errorf("the service accepted no message: %s", r.FirstError)
	}
	if r.Refused > 0 {
		b.progress("%d of %d messages were not accepted, the first: %s", r.Refused, r.Refused+r.Accepted, r.FirstError)
	}
	return r, nil
}

// measure posts messages, waits until the slots have received what was accepted, and adds the figures to w.
func (b *bench) measure(ctx context.Context, cfg load.Config, slots []int, w *window) error {
	var distinct uint64
	if err := b.sink.Call("distinct", slots, &distinct); err != nil {
		return err
	}
	before, err := b.cpuTimes()
	if err != nil {
		return err
	}
	r, err := b.post(cfg)
	if err != nil {
		return err
	}
	fanOut := uint64(len(slots) / len(cfg.Apps))
	query := sink.Query{Slots: slots, From: r.From, To: r.To, Accepted: cfg.Accepted}
	report, err := b.drain(ctx, query, distinct+r.Accepted*fanOut)
	if err != nil {
		return err
	}
	after, err := b.cpuTimes()
	if err != nil {
		return err
	}
	w.add(r, report)
	w.service += after.service - before.service
	w.sink += after.sink - before.sink
	w.load += after.load - before.load
	return nil
}

// drain waits until the sink has seen target distinct deliveries and nothing of the query is missing, or until nothing has
// arrived for the drain time.
func (b *bench) drain(ctx context.Context, q sink.Query, target uint64) (report sink.Report, err error) {
	changed, last := time.Now(), uint64(math.MaxUint64)
	for {
		var distinct uint64
		if err := b.sink.Call("distinct", q.Slots, &distinct); err != nil {
			return report, err
		}
		if distinct != last {
			last, changed = distinct, time.Now()
		}
		late := time.Since(changed) > b.timing.drain
		if late || distinct >= target {
			if err := wait(ctx, b.timing.settle); err != nil {
				return report, err
			}
			report = sink.Report{}
			if err := b.sink.Call("report", q, &report); err != nil || late || report.Lost == 0 {
				return report, err
			}
			target = distinct + 1 // Messages that the generator got no answer for have taken the place of others.
		}
		if err := wait(ctx, pollInterval); err != nil {
			return report, err
		}
	}
}

// add takes in one run of the generator and what the sink says of it.
func (w *window) add(r load.Result, report sink.Report) {
	w.merge(window{
		elapsed:  time.Duration(max(report.LastArrival, r.Ended) - r.Started),
		accepted: r.Accepted, refused: r.Refused, retried: r.Retried, report: report,
		accept: r.Accept, late: r.Late, arrival: report.Latency, firstError: r.FirstError,
		flooded: r.Flooded, floodError: r.FloodError,
	})
}

// merge adds a window that followed this one.
func (w *window) merge(next window) {
	w.elapsed += next.elapsed
	w.service += next.service
	w.sink += next.sink
	w.load += next.load
	w.accepted += next.accepted
	w.refused += next.refused
	w.retried += next.retried
	w.accept.Merge(next.accept)
	w.late.Merge(next.late)
	w.arrival.Merge(next.arrival)
	if w.firstError == "" {
		w.firstError = next.firstError
	}
	if w.floodError == "" {
		w.floodError = next.floodError
	}
	w.flooded += next.flooded
	w.report.Delivered += next.report.Delivered
	w.report.Lost += next.report.Lost
	w.report.Repeated += next.report.Repeated
	w.report.Unacknowledged += next.report.Unacknowledged
	w.report.Verified, w.report.Faults, w.report.Examples = next.report.Verified, next.report.Faults, next.report.Examples
}

// warmUpService posts for a moment and waits for the deliveries, without noting anything but a loss.
func (b *bench) warmUpService(ctx context.Context, rate float64) (window, error) {
	cfg := b.loadConfig()
	cfg.Duration, cfg.Rate = b.timing.warmUp, rate
	var w window
	if err := b.measure(ctx, cfg, b.slots, &w); err != nil {
		return w, err
	}
	if w.report.Lost > 0 {
		return w, fmt.Errorf("warm-up: %d of %d deliveries are lost", w.report.Lost, w.report.Lost+w.report.Delivered)
	}
	return w, nil
}

// profile captures the service's CPU for the time d into cpu.pprof, if asked for; the returned function waits for it. The
// names of files begin with prefix.
func (b *bench) profile(ctx context.Context, d time.Duration, prefix string) (finish func() error) {
	if b.profileDir == "" {
		return func() error { return nil }
	}
	seconds := max(int((d - profileSlack).Seconds()), 1)
	done := make(chan error, 1)
	go func() { done <- b.fetchProfile(ctx, fmt.Sprintf("profile?seconds=%d", seconds), prefix+"cpu.pprof") }()
	return func() error {
		return errors.Join(<-done, b.fetchProfile(ctx, "heap", prefix+"heap.pprof"))
	}
}

func (b *bench) fetchProfile(ctx context.Context, name, file string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.service.debugAddr+"/debug/pprof/"+name, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s: status %d", name, response.StatusCode)
	}
	if err := os.MkdirAll(b.profileDir, 0o755); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(b.profileDir, file))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, response.Body)
	return errors.Join(err, out.Close())
}

// wait pauses for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
