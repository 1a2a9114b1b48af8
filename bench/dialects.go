package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/sink"
)

// dialectBudget is how much more of the service's processor time a webhook in a vendor's dialect may cost than the same
// message in native.
const dialectBudget = 1.3

// publicURL is what the service is told of itself in this scenario, so that Sessionboard's webhooks link to the resource, as
// they do in real life.
const publicURL = "https://callboard.example.com"

// comparison is an event type of the catalogue that native and a vendor's dialect say in turn.
type comparison struct {
	dialect, eventType string
	word               string // what the vendor calls it
	id                 string // path in the payload of the id that carries the mark
	extra              bool   // not held to the budget
	payload            []byte // the catalogue's sample, with the mark
	native, vendor     half
}

// half is one side of a comparison: an app with one endpoint. Each side numbers its messages on its own, so that both get
// the same.
type half struct {
	dialect     string // empty: native
	app, secret string
	slot        int
	next        uint64
	delivered   uint64
	cpu         []float64 // µs of the service per delivered webhook, one per round
}

func comparisons() []*comparison {
	return []*comparison{
		{dialect: "zuddl", eventType: "session.joined", word: "JOINED_SESSION", id: "data.registration.id"},
		{dialect: "sessionboard", eventType: "contact.updated", word: "contact.updated", id: "data.contact.id"},
		// A whole session has everything that Sessionboard says of each speaker, whether it is set or not, so that its
		// webhook is twice as long as the payload: a worst case to look at.
		{dialect: "sessionboard", eventType: "session.updated", word: "session.updated", id: "data.session.id", extra: true},
		{dialect: "oration", eventType: "conversation.user_joined", word: "conversation.userJoined", id: "data.conversation.id"},
		{dialect: "iotum", eventType: "conference.participant.entered", word: "enter_conference", id: "data.participantId"},
	}
}

// dialectNames are the dialects that are compared, each once.
func dialectNames() []string {
	var names []string
	for _, c := range comparisons() {
		names = append(names, c.dialect)
	}
	return slices.Compact(names)
}

// dialectFigures compare the two sides. Processor times are medians of the rounds, in µs per delivered webhook.
type dialectFigures struct {
	Dialect      string   `json:"dialect"`
	EventType    string   `json:"event_type"`
	PayloadBytes int      `json:"payload_bytes"`
	Deliveries   uint64   `json:"deliveries"`
	Native       figure   `json:"native_cpu_us"`
	Vendor       figure   `json:"dialect_cpu_us"`
	Ratio        figure   `json:"ratio"` // of the medians
	RatioMin     figure   `json:"ratio_min"`
	RatioMax     figure   `json:"ratio_max"`
	NativeRounds []figure `json:"native_rounds_cpu_us"`
	VendorRounds []figure `json:"dialect_rounds_cpu_us"`
	RatioRounds  []figure `json:"ratio_rounds"`
	Budget       figure   `json:"budget"` // null: not held to one
	WithinBudget bool     `json:"within_budget"`
}

// dialects compares each vendor's dialect with native: the same messages go to a native endpoint and to one of the dialect
// in alternating short rounds, so that a machine whose speed drifts slows both.
func (b *bench) dialects(ctx context.Context) (*figures, error) {
	if err := b.bareBeforehand(); err != nil {
		return nil, err
	}
	for _, c := range b.comparisons {
		if err := b.compare(ctx, c); err != nil {
			return nil, fmt.Errorf("%s in %s: %w", c.eventType, c.dialect, err)
		}
	}
	f, err := b.figures()
	if err != nil {
		return nil, err
	}
	f.Apps = 2 * len(b.comparisons)
	f.Ratio = figure(math.NaN()) // The bare loop posts another payload.
	for _, c := range b.comparisons {
		f.Dialects = append(f.Dialects, c.figures())
	}
	return f, nil
}

// compare runs the rounds of one comparison. Every other round begins with the dialect, so that what changes steadily in the
// course of a run, such as the database's size, is the same for both.
func (b *bench) compare(ctx context.Context, c *comparison) error {
	for _, h := range []*half{&c.native, &c.vendor} {
		w, err := b.side(ctx, c, h, b.timing.warmUp/2)
		if err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
		if lost := w.report.Lost; lost > 0 {
			return fmt.Errorf("warm-up: %d of %d deliveries are lost", lost, lost+w.report.Delivered)
		}
	}
	order := []*half{&c.native, &c.vendor}
	for round := range b.rounds {
		for _, h := range order {
			if err := b.measureSide(ctx, c, h, round); err != nil {
				return err
			}
		}
		slices.Reverse(order)
		b.progress("%s in %s: %.1f µs beside native %.1f", c.eventType, c.dialect, c.vendor.cpu[round], c.native.cpu[round])
	}
	return nil
}

// measureSide measures one side for one round, the first of which can be profiled.
func (b *bench) measureSide(ctx context.Context, c *comparison, h *half, round int) error {
	d := b.duration / time.Duration(b.rounds)
	finish := func() error { return nil }
	if round == 0 {
		name := "native"
		if h.dialect != "" {
			name = h.dialect
		}
		finish = b.profile(ctx, d, c.eventType+"-"+name+"-")
	}
	w, err := b.side(ctx, c, h, d)
	if err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	h.delivered += w.report.Delivered
	h.cpu = append(h.cpu, float64(perUnit(w.service, w.report.Delivered)))
	b.window.merge(w)
	return nil
}

// side posts to one side for a while and waits for the deliveries. Nothing arriving at all ends the run: there would be
// nothing to measure.
func (b *bench) side(ctx context.Context, c *comparison, h *half, d time.Duration) (w window, err error) {
	cfg := b.loadConfig()
	cfg.Apps, cfg.EventType, cfg.Payload, cfg.First = []string{h.app}, c.eventType, c.payload, h.next
	cfg.Duration, cfg.Rate = d, b.rate
	if err := b.measure(ctx, cfg, []int{h.slot}, &w); err != nil {
		return w, err
	}
	h.next = b.next
	if w.report.Delivered == 0 {
		return w, fmt.Errorf("none of %d webhooks arrived as it should: %q", w.accepted, w.report.Examples)
	}
	return w, nil
}

// figures sums up a comparison.
func (c *comparison) figures() dialectFigures {
	native, vendor := median(c.native.cpu), median(c.vendor.cpu)
	f := dialectFigures{
		Dialect: c.dialect, EventType: c.eventType, PayloadBytes: len(c.payload), Deliveries: c.native.delivered + c.vendor.delivered,
		Native: figure(native), Vendor: figure(vendor), Ratio: figure(vendor / native), Budget: figure(math.NaN()),
	}
	for round := range c.native.cpu {
		f.NativeRounds = append(f.NativeRounds, figure(c.native.cpu[round]))
		f.VendorRounds = append(f.VendorRounds, figure(c.vendor.cpu[round]))
		f.RatioRounds = append(f.RatioRounds, figure(c.vendor.cpu[round]/c.native.cpu[round]))
	}
	f.RatioMin, f.RatioMax = slices.Min(f.RatioRounds), slices.Max(f.RatioRounds)
	f.WithinBudget = f.Ratio <= dialectBudget
	if !c.extra {
		f.Budget = dialectBudget
	}
	return f
}

// row is the comparison's line in the table.
func (f dialectFigures) row() row {
	verdict := fmt.Sprintf("over the budget of %.1f", dialectBudget)
	if f.WithinBudget {
		verdict = fmt.Sprintf("within the budget of %.1f", dialectBudget)
	}
	if math.IsNaN(float64(f.Budget)) {
		verdict += ", to which it is not held"
	}
	return row{
		f.Dialect + " ratio", fmt.Sprintf("%.2f", f.Ratio),
		fmt.Sprintf("%s, %d B posted: %.1f µs CPU per webhook, native %.1f; rounds %.2f to %.2f; %s",
			f.EventType, f.PayloadBytes, f.Vendor, f.Native, f.RatioMin, f.RatioMax, verdict),
	}
}

// setUpDialects starts all processes and makes two apps for each comparison. Unlike the other scenarios it asks the service
// first, since the sink must know the samples, and iotum's tokens, which the service makes.
func (b *bench) setUpDialects(ctx context.Context) error {
	if err := b.prepareService(ctx); err != nil {
		return err
	}
	b.config.args = append([]string{"--public-url", publicURL}, b.config.args...)
	if err := b.startService(ctx); err != nil {
		return err
	}
	var slots []sink.Slot
	for _, c := range comparisons() {
		if b.dialect != "" && b.dialect != c.dialect {
			continue
		}
		if err := b.prepareComparison(ctx, c); err != nil {
			return fmt.Errorf("%s in %s: %w", c.eventType, c.dialect, err)
		}
		c.native.slot, c.vendor.slot = len(slots), len(slots)+1
		slots = append(slots,
			sink.Slot{Secret: c.native.secret, Stride: 1, Payload: c.payload},
			sink.Slot{Secret: c.vendor.secret, Stride: 1, Dialect: c.dialect, Word: c.word})
		b.comparisons = append(b.comparisons, c)
	}
	// Every signature is verified, so that both sides ask the same of the sink and no webhook goes unproved.
	if err := b.startChildren(ctx, sink.Config{PayloadBytes: b.payloadBytes, VerifyEvery: 1, Slots: slots}); err != nil {
		return err
	}
	for _, c := range b.comparisons {
		for _, h := range []*half{&c.native, &c.vendor} {
			if err := b.createSide(ctx, c, h); err != nil {
				return fmt.Errorf("%s in %s: %w", c.eventType, c.dialect, err)
			}
		}
	}
	return nil
}

// prepareComparison reads the sample from the API and makes the apps and their secrets.
func (b *bench) prepareComparison(ctx context.Context, c *comparison) (err error) {
	if c.payload, err = b.sample(ctx, c.eventType, c.id); err != nil {
		return err
	}
	c.vendor.dialect = c.dialect
	for _, h := range []*half{&c.native, &c.vendor} {
		name := fmt.Sprintf("Bench %s %s", c.eventType, h.dialect)
		if h.app, err = b.api.create(ctx, "/app", map[string]string{"name": name}); err != nil {
			return err
		}
		if h.secret, err = b.secretFor(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// sample is the payload that the catalogue shows for an event type, with the mark for the id at the path.
func (b *bench) sample(ctx context.Context, eventType, path string) ([]byte, error) {
	var out struct {
		Schemas map[string]struct{ Examples []json.RawMessage }
	}
	if err := b.api.do(ctx, "GET", "/event-type/"+eventType, nil, &out); err != nil {
		return nil, err
	}
	for _, schema := range out.Schemas {
		if len(schema.Examples) > 0 {
			return mark(schema.Examples[0], path)
		}
	}
	return nil, fmt.Errorf("the API shows no sample of %s", eventType)
}

// mark puts the mark in place of the string at a path of a JSON object. All other bytes but white space stay.
func mark(payload []byte, path string) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		return nil, err
	}
	text := compact.Bytes()
	value, at := text, 0
	for name := range strings.SplitSeq(path, ".") {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(value, &object); err != nil {
			return nil, fmt.Errorf("the sample's %s: %w", path, err)
		}
		// A member's value keeps its bytes, so it stands behind its name just so.
		key := []byte(fmt.Sprintf("%q:", name))
		offset := bytes.Index(value, append(key, object[name]...))
		if object[name] == nil || offset < 0 {
			return nil, fmt.Errorf("the sample has no %s", path)
		}
		value, at = object[name], at+offset+len(key)
	}
	if value[0] != '"' {
		return nil, fmt.Errorf("the sample's %s is no string", path)
	}
	return slices.Concat(text[:at], []byte(`"`+probe.Mark+`"`), text[at+len(value):]), nil
}

// secretFor gives what a side's webhooks prove their origin with, in the form that its dialect has.
func (b *bench) secretFor(ctx context.Context, h *half) (string, error) {
	switch h.dialect {
	case "zuddl": // 64 hexadecimal digits
		var key [32]byte
		_, _ = rand.Read(key[:]) // It never fails.
		return hex.EncodeToString(key[:]), nil
	case "iotum": // the app's
		var out struct{ Key string }
		err := b.api.do(ctx, "GET", "/app/"+h.app+"/signing-token", nil, &out)
		return out.Key, err
	}
	return probe.NewSecret(), nil
}

// createSide makes a side's endpoint.
func (b *bench) createSide(ctx context.Context, c *comparison, h *half) error {
	in := map[string]any{"url": b.slotURL(h.slot), "filterTypes": []string{c.eventType}}
	if h.dialect != "" {
		in["dialect"] = h.dialect
	}
	if h.dialect != "iotum" {
		in["secret"] = h.secret
	}
	_, err := b.api.create(ctx, "/app/"+h.app+"/endpoint", in)
	return err
}
