package storetest

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// testClaimers lets claimers work on rows while transactions requeue, finish and
// insert them. What must hold: no delivery is leased twice under one generation,
// none is leased by a claim that began after it had ended, and none gets lost.
func testClaimers(w *world) {
	const (
		messages  = 500 // for each endpoint
		claimers  = 3
		operators = 2
	)
	app, eps := w.app(2)
	r := &race{world: w, due: w.now.Add(24 * time.Hour), held: map[grant]struct{}{}, ended: map[delivery.Key]int64{}}
	var keys []delivery.Key
	for _, ep := range eps {
		r.lanes = append(r.lanes, ep.ID)
		for _, d := range w.deliver(app.ID, ep.ID, messages, w.now) {
			keys = append(keys, d.Key)
		}
	}
	r.left.Store(int64(len(keys)))

	var working, claiming sync.WaitGroup
	for range operators {
		working.Go(func() {
			for range 2 * messages {
				r.operate(keys[rand.N(len(keys))])
			}
		})
	}
	working.Go(func() {
		for range messages / 2 {
			r.handOff(app.ID)
		}
	})
	var operating atomic.Bool
	operating.Store(true)
	for range claimers {
		claiming.Go(func() { r.claimUntil(func() bool { return !operating.Load() && r.left.Load() == 0 }) })
	}
	working.Wait()
	operating.Store(false)
	claiming.Wait()

	same(w, "deliveries that never ended", 0, r.left.Load())
	for _, ep := range eps {
		same(w, "left to claim", 0, len(w.claim(ep.ID, r.due, 10).Rows))
	}
	for _, d := range w.load(keys...) {
		if !d.State.Finished() {
			w.Errorf("delivery %v ended, but is stored as %v", d.Key, d.State)
		}
	}
}

// race is what the goroutines of testClaimers share.
type race struct {
	*world
	due   time.Time
	lanes []id.ID
	left  atomic.Int64 // deliveries that have not ended

	mu    sync.Mutex
	held  map[grant]struct{}     // every lease that was given and not given back
	clock int64                  // counts ends
	ended map[delivery.Key]int64 // when, by clock
}

// grant is a delivery under a generation.
type grant struct {
	delivery.Key
	generation int
}

// newID takes an id; ids are taken by several goroutines here.
func (r *race) newID() id.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next()
}

// hold notes a lease that a claim of the time since gave.
func (r *race) hold(d delivery.Delivery, since int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := grant{d.Key, d.Generation}
	if _, twice := r.held[g]; twice {
		r.Errorf("delivery %v was leased twice under generation %d", d.Key, d.Generation)
	}
	r.held[g] = struct{}{}
	if at, ended := r.ended[d.Key]; ended && at <= since {
		r.Errorf("delivery %v was claimed after it had ended", d.Key)
	}
}

func (r *race) time() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

// end notes that a delivery has ended.
func (r *race) end(k delivery.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, twice := r.ended[k]; twice {
		r.Errorf("delivery %v ended twice", k)
	}
	r.clock++
	r.ended[k] = r.clock
	r.left.Add(-1)
}

// change decides about a delivery in a transaction, like a unit of the committer.
// decide reports whether the delivery ends; one transaction in eight is rolled
// back.
func (r *race) change(k delivery.Key, decide func(delivery.Delivery, *store.Changes) (ends bool)) (committed bool) {
	var ends bool
	err := r.Update(r.ctx(), func(tx commit.Tx) error {
		rows, err := tx.Deliveries(r.ctx(), []delivery.Key{k})
		if err != nil {
			return err
		}
		var c store.Changes
		ends = decide(rows[0], &c)
		if err := tx.Apply(r.ctx(), &c); err != nil {
			return err
		}
		if rand.N(8) == 0 {
			return errOnPurpose
		}
		return nil
	})
	if err != nil && err != errOnPurpose { //nolint:errorlint // it comes back as it is
		r.Errorf("update: %v", err)
		return true
	}
	if err == nil && ends {
		r.end(k)
	}
	return err == nil
}

// operate requeues or finishes a delivery, whoever holds it.
func (r *race) operate(k delivery.Key) {
	r.change(k, func(d delivery.Delivery, c *store.Changes) bool {
		switch {
		case d.State.Finished():
			return false
		case rand.N(4) == 0:
			c.Finished = append(c.Finished, store.Finish{Key: k, State: delivery.Canceled})
			return true
		}
		c.Requeued = append(c.Requeued, store.Requeue{Key: k, At: r.due, Generation: d.Generation})
		return false
	})
}

// handOff inserts a delivery that is leased from the beginning, and completes it.
func (r *race) handOff(app id.ID) {
	m := store.Message{ID: r.newID(), App: app, Type: "a"}
	d := leased(pending(m, r.lanes[0], r.due))
	r.hold(d, 0)
	r.left.Add(1)
	err := r.Update(r.ctx(), func(tx commit.Tx) error {
		return tx.Apply(r.ctx(), &store.Changes{Messages: []store.Message{m}, Deliveries: []delivery.Delivery{d}})
	})
	if err != nil {
		r.Errorf("update: %v", err)
	}
	r.record(d)
}

// claimUntil claims and does something with what it gets. Some leases it keeps
// for a while, so that others requeue and finish them meanwhile.
func (r *race) claimUntil(done func() bool) {
	var kept []delivery.Delivery
	deadline := time.Now().Add(time.Minute)
	for !done() && !r.Failed() {
		if time.Now().After(deadline) {
			r.Errorf("%d deliveries are never leased", r.left.Load())
			return
		}
		since := r.time()
		var ask []store.LaneRoom
		for _, ep := range r.lanes {
			ask = append(ask, store.LaneRoom{Endpoint: ep, Room: rand.N(8)})
		}
		got, err := r.Claim(r.ctx(), r.due, ask)
		if err != nil {
			r.Errorf("claim: %v", err)
			return
		}
		for _, lane := range got {
			for _, d := range lane.Rows {
				r.hold(d, since)
				kept = append(kept, d)
			}
		}
		for len(kept) > 0 && (len(kept) > 40 || rand.N(3) > 0) {
			i := rand.N(len(kept))
			r.use(kept[i])
			kept[i] = kept[len(kept)-1]
			kept = kept[:len(kept)-1]
		}
		runtime.Gosched()
	}
}

// use gives a lease back or records a result.
func (r *race) use(d delivery.Delivery) {
	if rand.N(6) > 0 {
		r.record(d)
		return
	}
	r.mu.Lock()
	delete(r.held, grant{d.Key, d.Generation})
	r.mu.Unlock()
	if err := r.GiveBack(r.ctx(), []delivery.Delivery{d}); err != nil {
		r.Errorf("give back: %v", err)
	}
}

// record writes the result of an attempt until that is committed.
func (r *race) record(d delivery.Delivery) {
	a := delivery.Attempt{Key: d.Key, N: d.Generation, ID: r.newID(), App: d.App, At: r.due, StatusCode: 200}
	next := d
	next.State = delivery.Succeeded
	if rand.N(4) == 0 {
		next.State, next.NextAt = delivery.Pending, r.due
	}
	for !r.change(d.Key, func(now delivery.Delivery, c *store.Changes) bool {
		c.Completed = append(c.Completed, store.Completion{Attempt: a, Next: next})
		return next.State.Finished() && now.State == delivery.Leased && now.Generation == d.Generation
	}) {
		runtime.Gosched()
	}
}
