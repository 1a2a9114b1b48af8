package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// testModel runs random histories of deliveries through the store and through a
// model that is a map, and compares all rows after every step.
func testModel(w *world) {
	app, eps := w.app(2)
	// rapid runs many histories; each has messages of its own, and the database is
	// emptied between them.
	rapid.Check(w.TB.(*testing.T), func(t *rapid.T) {
		h := &script{world: &world{TB: w.TB, Store: w.Store, driver: w.driver, open: w.open, gen: w.gen, now: w.now}, app: app, eps: eps, rows: map[delivery.Key]*modelRow{}}
		defer h.end(w)
		t.Repeat(map[string]func(*rapid.T){
			"insert":    h.insert,
			"claim":     h.claim,
			"complete":  h.complete,
			"requeue":   h.requeue,
			"finish":    h.finish,
			"give back": h.giveBack,
			"drop":      h.drop,
			"reopen":    h.reopen,
			"":          h.check,
		})
	})
}

// script is a store and the model of it.
type script struct {
	*world
	app  store.App
	eps  []delivery.Endpoint
	rows map[delivery.Key]*modelRow
	held []delivery.Delivery // every lease that was ever given, ended ones too
}

// modelRow is a delivery as it is stored, its lease, and its attempts.
type modelRow struct {
	delivery.Delivery
	lease    int // generation, 0 = none
	attempts []int
}

// end empties the store and passes it on to the next history.
func (h *script) end(w *world) {
	w.Store, w.now = h.Store, h.now
	w.write(store.Changes{Dropped: []store.Range{{From: 1, Until: h.next()}}})
}

// shown is a row as the store shows it.
func (r *modelRow) shown() delivery.Delivery {
	d := settled(r.Delivery)
	if r.lease > 0 {
		d.State, d.Generation = delivery.Leased, r.lease
	}
	return d
}

func (h *script) keys() []delivery.Key {
	keys := make([]delivery.Key, 0, len(h.rows))
	for k := range h.rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b delivery.Key) int {
		return cmp.Or(cmp.Compare(a.Message, b.Message), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return keys
}

// at draws a time around now; times repeat often, so that there are ties.
func (h *script) at(t *rapid.T, label string) time.Time {
	return h.now.Truncate(time.Second).Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, label)) * time.Second)
}

// commits draws whether a transaction is committed or rolled back, and does it.
func (h *script) commits(t *rapid.T, c store.Changes) bool {
	if rapid.IntRange(0, 4).Draw(t, "roll back if 0") == 0 {
		h.fail(c)
		return false
	}
	h.write(c)
	return true
}

func (h *script) insert(t *rapid.T) {
	var c store.Changes
	for range rapid.IntRange(1, 9).Draw(t, "messages") {
		m := h.message(h.app.ID)
		c.Messages = append(c.Messages, m)
		for _, ep := range h.eps {
			d := pending(m, ep.ID, h.at(t, "due"))
			if rapid.Bool().Draw(t, "handed off") {
				d = leased(d)
			}
			c.Deliveries = append(c.Deliveries, d)
		}
	}
	if !h.commits(t, c) {
		return
	}
	for _, d := range c.Deliveries {
		row := &modelRow{Delivery: d}
		if d.State == delivery.Leased {
			row.lease, row.State, row.Generation = d.Generation, delivery.Pending, d.Generation-1
			h.held = append(h.held, d)
		}
		h.rows[d.Key] = row
	}
}

func (h *script) claim(t *rapid.T) {
	now, room := h.at(t, "now"), rapid.IntRange(0, 6).Draw(t, "room")
	ep := rapid.SampledFrom(h.eps).Draw(t, "endpoint").ID
	want := store.Claimed{Endpoint: ep}
	var free []*modelRow
	for _, k := range h.keys() { // by message
		if r := h.rows[k]; k.Endpoint == ep && r.State == delivery.Pending && r.lease == 0 {
			free = append(free, r)
		}
	}
	slices.SortStableFunc(free, func(a, b *modelRow) int { return a.NextAt.Compare(b.NextAt) })
	for _, r := range free {
		switch {
		case r.NextAt.After(now):
			if want.NextDue.IsZero() && !want.Behind {
				want.NextDue = r.NextAt
			}
		case len(want.Rows) == room:
			want.Behind = true
		default:
			r.lease = r.Generation + 1
			want.Rows = append(want.Rows, r.shown())
		}
	}
	got := h.world.claim(ep, now, room)
	if len(got.Rows) == 0 {
		got.Rows = nil
	}
	same(h.world, "claim", want, got)
	h.held = append(h.held, want.Rows...)
}

// pick draws some of the leases that were ever given.
func (h *script) pick(t *rapid.T) []delivery.Delivery {
	if len(h.held) == 0 {
		t.Skip("nothing was ever leased")
	}
	return rapid.SliceOfN(rapid.SampledFrom(h.held), 1, 5).Draw(t, "leases")
}

func (h *script) complete(t *rapid.T) {
	var c store.Changes
	for _, d := range h.pick(t) {
		done := h.succeed(d)
		if rapid.Bool().Draw(t, "retry") {
			done = h.retry(d, h.at(t, "due"))
		}
		c.Completed = append(c.Completed, done)
	}
	if !h.commits(t, c) {
		return
	}
	for _, done := range c.Completed {
		r, ok := h.rows[done.Next.Key]
		if !ok {
			continue // dropped
		}
		if r.lease == done.Next.Generation {
			r.lease = 0
			r.State, r.Reason, r.Trigger, r.Step = done.Next.State, done.Next.Reason, done.Next.Trigger, done.Next.Step
			r.NextAt, r.Generation = done.Next.NextAt, done.Next.Generation
		}
		if !slices.Contains(r.attempts, done.Attempt.N) {
			r.attempts = append(r.attempts, done.Attempt.N)
		}
	}
}

// some draws keys of rows that exist.
func (h *script) some(t *rapid.T) []delivery.Key {
	if len(h.rows) == 0 {
		t.Skip("there are no rows")
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(h.keys()), 1, min(4, len(h.rows)), rapid.ID).Draw(t, "keys")
}

func (h *script) requeue(t *rapid.T) {
	var c store.Changes
	for _, k := range h.some(t) {
		c.Requeued = append(c.Requeued, store.Requeue{Key: k, At: h.at(t, "due"), Trigger: delivery.Manual, Generation: h.rows[k].shown().Generation})
	}
	if !h.commits(t, c) {
		return
	}
	for _, q := range c.Requeued {
		r := h.rows[q.Key]
		r.lease = 0
		r.State, r.Reason, r.Trigger, r.Step, r.NextAt, r.Deadline = delivery.Pending, 0, q.Trigger, 0, q.At, q.Deadline
		r.Generation++
	}
}

func (h *script) finish(t *rapid.T) {
	var c store.Changes
	for _, k := range h.some(t) {
		c.Finished = append(c.Finished, store.Finish{Key: k, State: delivery.Failed, Reason: delivery.EndpointDisabled})
	}
	if !h.commits(t, c) {
		return
	}
	for _, f := range c.Finished {
		if r := h.rows[f.Key]; !r.State.Finished() {
			r.State, r.Reason, r.lease = f.State, f.Reason, 0
		}
	}
}

// giveBack gives back current leases and old ones; a lease that a result has
// ended may not be given back, so those are left out.
func (h *script) giveBack(t *rapid.T) {
	var back []delivery.Delivery
	for _, d := range h.pick(t) {
		r, ok := h.rows[d.Key]
		if ok && r.lease == d.Generation && slices.Contains(r.attempts, d.Generation) {
			continue
		}
		back = append(back, d)
	}
	h.ok("give back", h.GiveBack(h.ctx(), back))
	for _, d := range back {
		if r, ok := h.rows[d.Key]; ok && r.lease == d.Generation {
			r.lease = 0
		}
	}
}

func (h *script) drop(t *rapid.T) {
	keys := h.some(t)
	from := keys[0].Message
	r := store.Range{From: from, Until: from + id.ID(rapid.Int64Range(1, 1<<23).Draw(t, "length")), App: []id.ID{0, h.app.ID}[rapid.IntRange(0, 1).Draw(t, "of one app")]}
	if !h.commits(t, store.Changes{Dropped: []store.Range{r}}) {
		return
	}
	for k := range h.rows {
		if k.Message >= r.From && k.Message < r.Until {
			delete(h.rows, k)
		}
	}
}

func (h *script) reopen(t *rapid.T) {
	if h.driver.Shared || rapid.IntRange(0, 3).Draw(t, "reopen if 0") != 0 {
		t.Skip("not now")
	}
	h.world.reopen()
	for _, r := range h.rows {
		r.lease = 0
	}
}

// check compares every row and every attempt.
func (h *script) check(t *rapid.T) {
	keys := h.keys()
	var want []delivery.Delivery
	for _, k := range keys {
		want = append(want, h.rows[k].shown())
	}
	same(h.world, "deliveries", want, h.load(keys...))
	for _, k := range keys {
		same(h.world, "attempts", h.rows[k].attempts, h.attempts(h.rows[k].Delivery))
	}
	if h.Failed() {
		t.FailNow()
	}
}
