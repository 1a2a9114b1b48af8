package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/sink"
)

// floodBudget is how much longer healthy webhooks may take, at p99, while a flood of wrong signatures comes in.
const floodBudget = 1.5

// inboundType is the event type that comes in: somebody joins a session.
const inboundType = "session.joined"

// zuddlWebhook is what comes in: a webhook of Zuddl's about a registration that is new each time.
const zuddlWebhook = `{"action":"JOINED_SESSION","actionId":"` + probe.Mark + `",` +
	`"actor":{"id":"` + probe.Mark + `","type":"USER"},"actionCreatedAt":"2027-06-10T09:02:11Z",` +
	`"registration":{"id":"` + probe.Mark + `","profile":{"firstName":"Jane","lastName":"Marlowe","email":"jane.marlowe@example.com",` +
	`"company":"Tidewater Labs","designation":"Staff Engineer","bio":"Jane keeps the lights on at Tidewater Labs & writes about it.",` +
	`"headline":"Staff engineer, on call since 2009","industry":"Information Technology","country":"United Kingdom","phoneNumber":"+44-2079460123"}},` +
	`"event":{"id":"6f1d2c84-3b7a-4e59-9c0d-51a8e2f47b36","organizationId":"harbour-events","name":"Harbour Conf 2027",` +
	`"description":"Two days about running services that are always on.","identifier":"harbour-conf-2027",` +
	`"startDate":"2027-06-10T08:00:00Z","endDate":"2027-06-11T16:30:00Z","timezone":"Europe/London","status":"ONGOING","type":"EVENT",` +
	`"eventFormat":"HYBRID","createdAt":"2027-01-18T10:12:44Z","createdBy":"17","updatedAt":"2027-06-10T08:00:00Z","updatedBy":"17"},` +
	`"session":{"id":"b2c9471e-85d0-4f36-a7e4-0c1d93f65a28","title":"Opening keynote: what the tide brings in",` +
	`"description":"How a small team moved a harbour's paperwork online in one summer.","startDateTime":"2027-06-10T09:00:00Z",` +
	`"endDateTime":"2027-06-10T10:00:00Z","location":{"locationId":"1f6a93d2-04c8-4be7-a5d9-c7e2b80f4163","locationName":"Main Stage",` +
	`"type":"STAGE","link":"https://live.example.com/harbour-conf-2027/main-stage"},` +
	`"speakers":[{"speakerId":"84e1b6c0-7f2d-4935-b8a1-6c0e5d9f3274","url":"https://harbourconf.example.com/speakers/omar-quist"}],` +
	`"sponsors":[],"tags":["keynote","operations"]}}`

// inboundSide is one way in and out: an app with one endpoint and, unless messages come over the API, a source.
type inboundSide struct {
	half

	name         string
	source, path string // what the vendor signs with, and where; empty: over the API
	perS         []float64
	accept       hist.Histogram
}

// inboundSides are over the API to native, from Zuddl to Zuddl and from Zuddl to native.
func inboundSides() []*inboundSide {
	return []*inboundSide{
		{name: "API to native", half: half{slot: 0}},
		{name: "Zuddl to Zuddl", half: half{slot: 1, dialect: "zuddl"}, source: "what Zuddl signs with"},
		{name: "Zuddl to native", half: half{slot: 2}, source: "what Zuddl signs with"},
	}
}

// inboundFigures are what webhooks cost that come in, and what a flood does to them.
type inboundFigures struct {
	Sides []inboundSideFigures `json:"sides"`
	Flood floodFigures         `json:"flood"`
}

// inboundSideFigures are medians of the rounds.
type inboundSideFigures struct {
	Name       string   `json:"name"`
	Bytes      int      `json:"bytes"` // posted
	Deliveries uint64   `json:"deliveries"`
	DeliveredS figure   `json:"delivered_per_s"` // from the first request to the last arrival
	CPU        figure   `json:"cpu_us_per_webhook"`
	Ratio      figure   `json:"cpu_ratio"` // to the API's
	AcceptP50  figure   `json:"accept_p50_ms"`
	AcceptP99  figure   `json:"accept_p99_ms"`
	CPURounds  []figure `json:"rounds_cpu_us"`
}

// floodFigures compare healthy webhooks without and with a flood. Latencies count from when a webhook was due to its arrival;
// they are medians of the rounds, so that what else the machine did for a moment does not decide.
type floodFigures struct {
	Healthy      figure `json:"healthy_per_s"`
	Asked        figure `json:"flood_asked_per_s"`
	Refused      figure `json:"flood_refused_per_s"`
	Without      figure `json:"first_byte_p99_without_ms"`
	With         figure `json:"first_byte_p99_with_ms"`
	Ratio        figure `json:"p99_ratio"` // median of the rounds' own
	Budget       figure `json:"budget"`
	WithinBudget bool   `json:"within_budget"`

	WithoutRounds []figure `json:"rounds_p99_without_ms"`
	WithRounds    []figure `json:"rounds_p99_with_ms"`
}

// setUpInbound starts all processes. It asks the service for the catalogue's sample first, which the sink must know.
func (b *bench) setUpInbound(ctx context.Context) error {
	if err := b.prepareService(ctx); err != nil {
		return err
	}
	if err := b.startService(ctx); err != nil {
		return err
	}
	sample, err := b.sample(ctx, inboundType, "data.registration.id")
	if err != nil {
		return err
	}
	b.inboundSample, b.inboundSides = sample, inboundSides()
	for _, s := range b.inboundSides {
		if s.secret, err = b.secretFor(ctx, &s.half); err != nil {
			return err
		}
	}
	slots := []sink.Slot{
		{Secret: b.inboundSides[0].secret, Stride: 1, Payload: sample},
		{Secret: b.inboundSides[1].secret, Stride: 1, Dialect: sink.ZuddlAgain, Word: "JOINED_SESSION", Payload: []byte(zuddlWebhook)},
		{Secret: b.inboundSides[2].secret, Stride: 1, Dialect: sink.Inbound, Word: inboundType},
	}
	if err := b.startChildren(ctx, sink.Config{PayloadBytes: b.payloadBytes, VerifyEvery: 1, Slots: slots}); err != nil {
		return err
	}
	for _, s := range b.inboundSides {
		if err := b.createInboundSide(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// createInboundSide makes a side's app, endpoint and source.
func (b *bench) createInboundSide(ctx context.Context, s *inboundSide) (err error) {
	if s.app, err = b.api.create(ctx, "/app", map[string]string{"name": "Bench " + s.name}); err != nil {
		return err
	}
	if err := b.createSide(ctx, &comparison{eventType: inboundType}, &s.half); err != nil || s.source == "" {
		return err
	}
	source, err := b.api.create(ctx, "/app/"+s.app+"/source", map[string]string{"dialect": "zuddl", "secret": s.source})
	s.path = "/in/" + source
	return err
}

// inbound compares the ways in alternating rounds, so that a machine whose speed drifts slows all; then it floods.
func (b *bench) inbound(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	for _, s := range b.inboundSides {
		if _, err := b.inboundRound(ctx, s, b.inboundConfig(s, b.timing.warmUp/2)); err != nil {
			return nil, fmt.Errorf("%s, warm-up: %w", s.name, err)
		}
	}
	for round := range b.rounds {
		for _, s := range b.inboundSides {
			if err := b.measureInbound(ctx, s, round); err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
		slices.Reverse(b.inboundSides) // so that what changes steadily in the course of a run is the same for all
	}
	slices.SortFunc(b.inboundSides, func(a, c *inboundSide) int { return a.slot - c.slot })
	flood, err := b.floodInbound(ctx)
	if err != nil {
		return nil, err
	}
	f, err := b.figures()
	if err != nil {
		return nil, err
	}
	f.Apps, f.Ratio = len(b.inboundSides), figure(math.NaN()) // The bare loop posts another payload.
	f.Inbound = &inboundFigures{Flood: flood}
	for _, s := range b.inboundSides {
		f.Inbound.Sides = append(f.Inbound.Sides, b.inboundFigures(s))
	}
	return f, nil
}

// inboundConfig is the generator's configuration for the webhooks of a side that come next.
func (b *bench) inboundConfig(s *inboundSide, d time.Duration) load.Config {
	cfg := b.loadConfig()
	cfg.Apps, cfg.EventType, cfg.Payload, cfg.First, cfg.Duration = []string{s.app}, inboundType, b.inboundSample, s.next, d
	if s.path != "" {
		cfg.Payload, cfg.IdempotencyKey = []byte(zuddlWebhook), false
		cfg.Inbound = &load.Inbound{Path: s.path, Secret: s.source}
	}
	return cfg
}

// inboundRound posts to one side for a while and waits for the deliveries. Nothing arriving at all ends the run.
func (b *bench) inboundRound(ctx context.Context, s *inboundSide, cfg load.Config) (w window, err error) {
	if err := b.measure(ctx, cfg, []int{s.slot}, &w); err != nil {
		return w, err
	}
	s.next = b.next
	if w.report.Delivered == 0 {
		return w, fmt.Errorf("none of %d webhooks arrived as it should: %q", w.accepted, w.report.Examples)
	}
	switch {
	case w.floodError != "":
		return w, errors.New("a wrong signature was not answered with 401: " + w.floodError)
	case cfg.Inbound != nil && cfg.Inbound.Flood > 0 && w.flooded == 0:
		return w, errors.New("there was no flood")
	}
	return w, nil
}

// measureInbound measures one side for one round, the first of which can be profiled.
func (b *bench) measureInbound(ctx context.Context, s *inboundSide, round int) error {
	d := b.duration / time.Duration(b.rounds)
	finish := func() error { return nil }
	if round == 0 {
		finish = b.profile(ctx, d, strings.ReplaceAll(s.name, " ", "-")+"-")
	}
	w, err := b.inboundRound(ctx, s, b.inboundConfig(s, d))
	if err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	s.delivered += w.report.Delivered
	s.cpu = append(s.cpu, float64(perUnit(w.service, w.report.Delivered)))
	s.perS = append(s.perS, float64(w.report.Delivered)/w.elapsed.Seconds())
	s.accept.Merge(w.accept)
	b.window.merge(w)
	b.progress("%s: %.0f/s, %.1f µs CPU each", s.name, s.perS[round], s.cpu[round])
	return nil
}

// floodInbound has webhooks come in at a fixed rate, in turn without and with a flood at their source.
func (b *bench) floodInbound(ctx context.Context) (floodFigures, error) {
	s := b.inboundSides[1]
	var both [2]window // without, with
	var p99 [2][]float64
	for range b.rounds {
		for i, flood := range []float64{0, b.flood} {
			cfg := b.inboundConfig(s, b.duration/time.Duration(b.rounds))
			cfg.Rate, cfg.Inbound.Flood = b.rate, flood
			w, err := b.inboundRound(ctx, s, cfg)
			if err != nil {
				return floodFigures{}, fmt.Errorf("flood: %w", err)
			}
			both[i].merge(w)
			p99[i] = append(p99[i], w.arrival.Millis(0.99))
		}
	}
	b.window.report.Lost += both[0].report.Lost + both[1].report.Lost
	f := floodFigures{
		Healthy: figure(b.rate), Asked: figure(b.flood), Refused: figure(float64(both[1].flooded) / b.duration.Seconds()),
		Without: figure(median(p99[0])), With: figure(median(p99[1])), Budget: floodBudget,
		WithoutRounds: asFigures(p99[0]), WithRounds: asFigures(p99[1]),
	}
	var ratios []float64
	for round := range b.rounds {
		ratios = append(ratios, p99[1][round]/p99[0][round])
	}
	f.Ratio = figure(median(ratios))
	f.WithinBudget = f.Ratio <= floodBudget
	b.progress("flood: p99 %.2f ms without, %.2f with %.0f refused/s", f.Without, f.With, f.Refused)
	return f, nil
}

// inboundFigures sum up a side.
func (b *bench) inboundFigures(s *inboundSide) inboundSideFigures {
	f := inboundSideFigures{
		Name: s.name, Bytes: len(b.inboundConfig(s, 0).Payload), Deliveries: s.delivered, DeliveredS: figure(median(s.perS)), CPU: figure(median(s.cpu)),
		AcceptP50: figure(s.accept.Millis(0.5)), AcceptP99: figure(s.accept.Millis(0.99)), CPURounds: asFigures(s.cpu),
	}
	f.Ratio = f.CPU / figure(median(b.inboundSides[0].cpu))
	return f
}

func asFigures(numbers []float64) (all []figure) {
	for _, n := range numbers {
		all = append(all, figure(n))
	}
	return all
}

// rows are the scenario's lines in the table.
func (f *inboundFigures) rows() (rows []row) {
	for _, s := range f.Sides {
		rows = append(rows, row{s.Name + "/s", fmt.Sprintf("%.0f", s.DeliveredS), fmt.Sprintf(
			"%d B posted: %.1f µs CPU per webhook, %.2f × the API's; rounds %.1f to %.1f; accept p50 / p99 %.2f / %.2f ms",
			s.Bytes, s.CPU, s.Ratio, slices.Min(s.CPURounds), slices.Max(s.CPURounds), s.AcceptP50, s.AcceptP99)})
	}
	verdict := "over"
	if f.Flood.WithinBudget {
		verdict = "within"
	}
	return append(rows, row{"flooded p99 ms", fmt.Sprintf("%.2f / %.2f", f.Flood.Without, f.Flood.With), fmt.Sprintf(
		"of %.0f webhooks/s without / with %.0f wrong signatures/s, ratio %.2f, %s the budget of %.1f; rounds %.1f and %.1f",
		f.Flood.Healthy, f.Flood.Refused, f.Flood.Ratio, verdict, floodBudget, f.Flood.WithoutRounds, f.Flood.WithRounds)})
}
