package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/feed"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// database stands for one that several nodes write to, each with a clock of its own.
type database struct {
	mu        sync.Mutex
	attempts  []delivery.Attempt // in the order in which they became visible
	marks     map[int]id.ID
	gens      map[int]*id.Generator
	fails     error
	reads     int
	meanwhile func() // is done once, between a look at the marks and what follows
}

func newDatabase(t *testing.T, nodes int) *database {
	t.Helper()
	d := &database{marks: map[int]id.ID{}, gens: map[int]*id.Generator{}}
	for n := range nodes {
		gen, err := id.NewGenerator(n, 0)
		if err != nil {
			t.Fatal(err)
		}
		d.gens[n] = gen
	}
	return d
}

// since2000 is between the time in a bubble, which begins before ids do, and the present.
const since2000 = 27 * 365 * 24 * time.Hour

// commit makes attempts of an app visible, all at once, and returns their ids.
func (d *database) commit(node, n int, app id.ID, skew time.Duration) (ids []id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range n {
		next := d.gens[node].Next(time.Now().Add(since2000 + skew))
		d.attempts = append(d.attempts, delivery.Attempt{ID: next, App: app, Key: delivery.Key{Message: next, Endpoint: 5}, N: 1})
		ids = append(ids, next)
		d.marks[node] = next
	}
	return ids
}

func (d *database) AttemptMarks(context.Context) (marks []id.ID, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	for _, m := range d.marks {
		marks = append(marks, m)
	}
	if then := d.meanwhile; then != nil {
		d.meanwhile = nil
		d.mu.Unlock()
		then()
		d.mu.Lock()
	}
	return marks, d.fails
}

// of are the ids of an app's attempts, but for the first ones.
func (d *database) of(app id.ID, but int) (ids []id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.attempts[but:] {
		if a.App == app {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

func (d *database) AttemptsBetween(_ context.Context, apps []id.ID, after, until id.ID, limit int) (rows []delivery.Attempt, scannedTo id.ID, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.attempts {
		if slices.Contains(apps, a.App) && a.ID > after && a.ID <= until {
			rows = append(rows, a)
		}
	}
	slices.SortFunc(rows, func(a, b delivery.Attempt) int { return int(a.ID - b.ID) })
	limit = min(limit, 700) // one read does not give everything
	if len(rows) > limit {
		rows = rows[:limit]
		scannedTo = rows[limit-1].ID
	}
	return rows, scannedTo, d.fails
}

func (d *database) DeliveriesByKey(_ context.Context, keys []delivery.Key) (map[delivery.Key]store.DeliveryRow, error) {
	rows := map[delivery.Key]store.DeliveryRow{}
	for _, k := range keys {
		rows[k] = store.DeliveryRow{Delivery: delivery.Delivery{Key: k}, Message: &store.Message{ID: k.Message}}
	}
	return rows, nil
}

func (d *database) CountAttempts(_ context.Context, keys []delivery.Key) (map[delivery.Key]int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	counts := map[delivery.Key]int{}
	for _, a := range d.attempts {
		if slices.Contains(keys, a.Key) {
			counts[a.Key]++
		}
	}
	return counts, nil
}

// hub runs a Hub in a bubble.
func hub(t *testing.T, d *database, change ...func(*feed.Config)) *feed.Hub {
	t.Helper()
	cfg := feed.Config{Store: d, Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&cfg)
	}
	h, err := feed.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

func shared(cfg *feed.Config) { cfg.Poll, cfg.Node = time.Second, 0 }

func listen(t *testing.T, h *feed.Hub, after feed.Position) *feed.Listener {
	t.Helper()
	l, err := h.Listen(t.Context(), feed.Subscription{Org: "org", App: 1, After: after})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// settle lets the hub look.
func settle() {
	testenv.Advance(3 * time.Second)
	synctest.Wait()
}

func idsOf(told feed.Told) (ids []id.ID) {
	for _, a := range told.Attempts {
		ids = append(ids, a.ID)
	}
	return ids
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestNothingIsSkipped: three nodes, whose clocks are minutes apart and of which some are
// silent for long, write while a client listens, goes, and comes again at this or another
// process. It is told of each attempt once, and in each node's order.
func TestNothingIsSkipped(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { histories(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func histories(t *testing.T, r *rand.Rand) {
	d := newDatabase(t, 3)
	skew := []time.Duration{0, time.Duration(r.IntN(100)-50) * time.Second, time.Duration(r.IntN(100)-50) * time.Second}
	hubs := []*feed.Hub{hub(t, d, shared), hub(t, d, shared)}
	d.commit(r.IntN(3), r.IntN(3), 1, 0) // before anybody listens
	l := listen(t, hubs[0], nil)
	at, before := l.Start, len(d.attempts)
	var got []id.ID
	take := func() {
		told := l.Take(true)
		if told.Missed {
			t.Error("something was missed")
		}
		for _, a := range told.Attempts {
			got, at = append(got, a.ID), a.At
		}
	}
	for range 60 {
		switch r.IntN(8) {
		case 0:
			take()
			l.Close()
			for range r.IntN(3) {
				node := r.IntN(3)
				d.commit(node, r.IntN(4), 1, skew[node])
				d.commit(node, r.IntN(4), 2, skew[node])
				testenv.Advance(time.Duration(r.IntN(40)) * time.Second)
			}
			l = listen(t, hubs[r.IntN(2)], feed.At(at.IDs()))
			if !l.Resumed || l.Missed {
				t.Errorf("resumed %v, missed %v", l.Resumed, l.Missed)
			}
			at = l.Start
		case 1:
			take()
		case 2:
			testenv.Advance(time.Duration(r.IntN(3)) * 5 * time.Minute)
		case 3:
			d.mu.Lock()
			node := r.IntN(3)
			d.meanwhile = func() { d.commit(node, 2, 1, skew[node]) }
			d.mu.Unlock()
			d.commit(r.IntN(3), 1, 2, 0) // another app's
		default:
			node := r.IntN(3)
			d.commit(node, r.IntN(4), 1, skew[node])
			testenv.Advance(time.Duration(r.IntN(2000)) * time.Millisecond)
		}
	}
	settle()
	take()
	want := d.of(1, before)
	for node := range 3 {
		of := func(ids []id.ID) (own []id.ID) {
			for _, i := range ids {
				if i.Node() == node {
					own = append(own, i)
				}
			}
			return own
		}
		same(t, fmt.Sprintf("node %d", node), of(want), of(got))
	}
	l.Close()
}

// TestBehind: a listener that takes nothing, or was away for too long, is told that it has
// missed something, and hears what comes afterwards.
func TestBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t, 1)
		h := hub(t, d, shared)
		l := listen(t, h, nil)
		begin := l.Start
		same(t, "a new one has missed something", false, l.Missed || l.Resumed)
		for range 3 {
			d.commit(0, 600, 1, 0)
			settle()
		}
		told := l.Take(true)
		same(t, "missed", true, told.Missed)
		next := d.commit(0, 2, 1, 0)
		settle()
		told = l.Take(true)
		same(t, "missed again", false, told.Missed)
		same(t, "what came next", next, idsOf(told))

		d.commit(0, 5000, 1, 0) // more than one look takes in
		settle()
		told = l.Take(true)
		same(t, "missed at once", true, told.Missed)
		same(t, "attempts of a look that was not whole", 0, len(told.Attempts))
		l.Close()

		late := listen(t, h, begin)
		same(t, "too late", []bool{false, true}, []bool{late.Resumed, late.Missed})
		next = d.commit(0, 1, 1, 0)
		settle()
		told = late.Take(true)
		same(t, "after too late", next, idsOf(told))
		same(t, "the count of its attempts", 1, told.Attempts[0].Count)
		late.Close()

		recent := listen(t, h, told.Attempts[0].At)
		same(t, "just in time", []bool{true, false}, []bool{recent.Resumed, recent.Missed})
		same(t, "nothing new", 0, len(recent.Take(true).Attempts))
		recent.Close()
	})
}

// TestCommitsWake: with one process there is no clock. Commits wake, and a look that fails
// is made again.
func TestCommitsWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t, 1)
		h := hub(t, d)
		done := &store.Changes{Completed: make([]store.Completion, 1)}
		h.Committed(done)
		settle()
		same(t, "reads without listeners", 0, d.reads)
		l := listen(t, h, nil)
		defer l.Close()
		want := d.commit(0, 1, 1, 0)
		d.mu.Lock()
		d.fails = errors.New("no answer")
		d.mu.Unlock()
		h.Committed(done)
		settle()
		same(t, "told by a store that fails", 0, len(l.Take(true).Attempts))
		d.mu.Lock()
		d.fails = nil
		d.mu.Unlock()
		settle()
		same(t, "told in the end", want, idsOf(l.Take(true)))
		if _, err := (&feedOf{h}).Listen(t.Context(), d); err == nil {
			t.Error("a listener began without a store")
		}
	})
}

// feedOf listens while the store fails.
type feedOf struct{ *feed.Hub }

func (f *feedOf) Listen(ctx context.Context, d *database) (*feed.Listener, error) {
	d.mu.Lock()
	d.fails = errors.New("no answer")
	d.mu.Unlock()
	l, err := f.Hub.Listen(ctx, feed.Subscription{Org: "org", App: 1})
	d.mu.Lock()
	d.fails = nil
	d.mu.Unlock()
	return l, err
}

func TestBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hub(t, newDatabase(t, 1), func(cfg *feed.Config) { cfg.MaxListeners = 70 })
		var all []*feed.Listener
		join := func(app id.ID) error {
			l, err := h.Listen(t.Context(), feed.Subscription{App: app})
			if err == nil {
				all = append(all, l)
			}
			return err
		}
		for range 64 {
			if err := join(1); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "one too many of an app", errs.TooMany, errs.KindOf(join(1)))
		for range 6 {
			if err := join(2); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "one too many", errs.TooMany, errs.KindOf(join(3)))
		all[0].Close()
		all[0].Close()
		if err := join(1); err != nil {
			t.Error("after one left:", err)
		}
		h.Close()
		h.Close()
		<-all[5].Closed()
		same(t, "after the end", errs.Unavailable, errs.KindOf(join(4)))
	})
}

// TestTenantsLeaveRoom: streams that tenants hold shut nobody out who runs the server.
func TestTenantsLeaveRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := hub(t, newDatabase(t, 1), func(cfg *feed.Config) { cfg.MaxListeners = 80 })
		// join holds streams until one is refused.
		join := func(app id.ID, portal bool) (held []*feed.Listener) {
			for len(held) < 100 {
				l, err := h.Listen(t.Context(), feed.Subscription{App: app, Portal: portal})
				if err != nil {
					same(t, "refused", errs.TooMany, errs.KindOf(err))
					return held
				}
				held = append(held, l)
			}
			return held
		}
		first := join(1, true)
		same(t, "a tenant's of one app", 48, len(first))
		second := join(2, true)
		same(t, "what tenants get together", 60, len(first)+len(second))
		same(t, "and a third one", 0, len(join(3, true)))
		operator := join(1, false)
		same(t, "the operator's of the first app", 16, len(operator))
		same(t, "the operator's of the others", 4, len(join(3, false)))
		for _, l := range slices.Concat(first, second) {
			l.Close()
			l.Close()
		}
		same(t, "a tenant's once they have gone", 48, len(join(1, true)))
	})
}

func TestTopics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t, 2)
		h := hub(t, d, shared)
		l := listen(t, h, nil)
		defer l.Close()
		for _, row := range []struct {
			changes store.Changes
			want    []string
		}{
			{store.Changes{}, []string{}},
			{store.Changes{Endpoints: []delivery.Endpoint{{App: 1}}, Tasks: []store.Task{{App: 1}}}, []string{"endpoint", "task"}},
			{store.Changes{Endpoints: []delivery.Endpoint{{App: 2}}, Messages: []store.Message{{App: 2}}}, []string{}},
			{store.Changes{Messages: []store.Message{{App: 1}}, Received: []store.Received{{App: 1}}}, []string{"source", "message"}},
			{store.Changes{Orgs: []store.OrgSettings{{Org: "org"}}}, []string{"eventType", "app"}},
			{store.Changes{EventTypes: []store.EventType{{Org: "other"}}}, []string{}},
			{store.Changes{EraseTypes: []store.EventType{{Org: "org"}}, Apps: []store.App{{ID: 1}}}, []string{"eventType", "app"}},
			{store.Changes{Healthy: []id.ID{5}, Completed: []store.Completion{{Attempt: delivery.Attempt{App: 1}}}}, []string{"endpoint"}},
			{store.Changes{Healthy: []id.ID{5}, Completed: []store.Completion{{Attempt: delivery.Attempt{App: 2}}}}, []string{}},
		} {
			h.Committed(&row.changes)
			same(t, fmt.Sprintf("%+v", row.changes), row.want, l.Take(true).Topics.Names())
		}
		// Topics that are not asked for wait.
		h.Committed(&store.Changes{Messages: []store.Message{{App: 1}}})
		same(t, "not asked for", []string{}, l.Take(false).Topics.Names())
		same(t, "asked for", []string{"message"}, l.Take(true).Topics.Names())

		settle()
		d.commit(0, 1, 2, 0)
		settle()
		same(t, "this node is at work", []string{}, l.Take(true).Topics.Names())
		d.commit(1, 1, 2, 0)
		settle()
		same(t, "another node is at work", 7, len(l.Take(true).Topics.Names()))
	})
}
