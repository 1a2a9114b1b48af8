package storetest

import (
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func testDeliveryRoundTrip(w *world) {
	app, eps := w.app(4)
	m := w.message(app.ID)
	plain := pending(m, eps[0].ID, w.now)
	full := delivery.Delivery{
		Key: delivery.Key{Message: m.ID, Endpoint: eps[1].ID}, App: app.ID, Generation: 7, State: delivery.Pending, Trigger: delivery.Manual,
		Step: 3, NextAt: w.now.Add(time.Microsecond), Deadline: w.now.Add(time.Hour), OrderKey: "k", OrderSeq: 9,
	}
	waiting := full
	waiting.Endpoint, waiting.State = eps[2].ID, delivery.Waiting
	failed := full
	failed.Endpoint, failed.State, failed.Reason = eps[3].ID, delivery.Failed, delivery.Expired
	want := []delivery.Delivery{plain, full, waiting, settled(failed)}
	w.write(store.Changes{Messages: []store.Message{m}, Deliveries: []delivery.Delivery{plain, full, waiting, failed}})
	same(w, "deliveries", want, w.load(plain.Key, full.Key, waiting.Key, failed.Key))
	for _, d := range want {
		got, err := w.Delivery(w.ctx(), app.ID, d.Key)
		w.ok("delivery", err)
		same(w, "delivery", d, settled(got))
	}
	_, err := w.Delivery(w.ctx(), app.ID+1, plain.Key)
	w.absent("delivery of another app", err)
	got := w.claim(waiting.Endpoint, w.now.Add(time.Hour), 10)
	same(w, "claim of a waiting delivery", store.Claimed{Endpoint: waiting.Endpoint, Rows: got.Rows[:0]}, got)
}

// leased is what a claim makes of a pending delivery.
func leased(d delivery.Delivery) delivery.Delivery {
	d.State = delivery.Leased
	d.Generation++
	return d
}

func testClaimOrder(w *world) {
	app, eps := w.app(1)
	var c store.Changes
	// Due times descend while ids ascend; the last three are due at once.
	begin := w.now
	for i := range 6 {
		m := w.message(app.ID)
		c.Messages = append(c.Messages, m)
		c.Deliveries = append(c.Deliveries, pending(m, eps[0].ID, begin.Add(time.Duration(max(3-i, 0))*time.Microsecond)))
	}
	w.write(c)
	due := begin.Add(3 * time.Microsecond)
	var got []delivery.Delivery
	for _, room := range []int{1, 3, 10} {
		got = append(got, w.claim(eps[0].ID, due, room).Rows...)
	}
	d := c.Deliveries
	// Those that are due at one time come in the order of their messages.
	want := []delivery.Delivery{d[3], d[4], d[5], d[2], d[1], d[0]}
	for i := range want {
		want[i] = leased(want[i])
	}
	same(w, "claimed, by due time and message", want, got)
	same(w, "as transactions see them", want[:2], w.load(want[0].Key, want[1].Key))
}

func testClaimLeft(w *world) {
	app, eps := w.app(1)
	ep := eps[0].ID
	d := w.deliver(app.ID, ep, 4, w.now) // due at 0, 1, 2 and 3 seconds
	begin := d[0].NextAt
	check := func(now time.Time, room int, want store.Claimed) {
		w.Helper()
		got := w.claim(ep, now, room)
		want.Endpoint = ep
		if len(got.Rows) == 0 {
			got.Rows = nil
		}
		same(w, "claim", want, got)
	}
	check(begin.Add(-time.Microsecond), 5, store.Claimed{NextDue: begin})
	check(begin.Add(time.Second), 0, store.Claimed{Behind: true})
	check(begin.Add(time.Second), 1, store.Claimed{Rows: []delivery.Delivery{leased(d[0])}, Behind: true})
	check(begin.Add(time.Second), 1, store.Claimed{Rows: []delivery.Delivery{leased(d[1])}, NextDue: d[2].NextAt})
	check(begin.Add(time.Second), 1, store.Claimed{NextDue: d[2].NextAt})
	check(begin.Add(time.Hour), 5, store.Claimed{Rows: []delivery.Delivery{leased(d[2]), leased(d[3])}})
	check(begin.Add(time.Hour), 5, store.Claimed{})
	check(begin.Add(-time.Hour), 5, store.Claimed{}) // leased ones are not to come either
}

func testClaimLanes(w *world) {
	app, eps := w.app(3)
	a := w.deliver(app.ID, eps[0].ID, 3, w.now)
	b := w.deliver(app.ID, eps[1].ID, 1, w.now)
	now := w.now.Add(time.Minute)
	got, err := w.Claim(w.ctx(), now, []store.LaneRoom{{Endpoint: eps[1].ID, Room: 2}, {Endpoint: eps[2].ID, Room: 2}, {Endpoint: eps[0].ID, Room: 2}})
	w.ok("claim", err)
	for i := range got {
		if len(got[i].Rows) == 0 {
			got[i].Rows = nil
		}
	}
	same(w, "lanes", []store.Claimed{
		{Endpoint: eps[1].ID, Rows: []delivery.Delivery{leased(b[0])}},
		{Endpoint: eps[2].ID},
		{Endpoint: eps[0].ID, Rows: []delivery.Delivery{leased(a[0]), leased(a[1])}, Behind: true},
	}, got)
}

func testLanes(w *world) {
	lanes := func() map[id.ID]store.LaneDue {
		w.Helper()
		got, err := w.Lanes(w.ctx())
		w.ok("lanes", err)
		m := map[id.ID]store.LaneDue{}
		for _, l := range got {
			if _, twice := m[l.Endpoint]; twice {
				w.Errorf("endpoint %d is listed twice", l.Endpoint)
			}
			m[l.Endpoint] = l
		}
		return m
	}
	same(w, "lanes of an empty store", map[id.ID]store.LaneDue{}, lanes())
	app, eps := w.app(3)
	a := w.deliver(app.ID, eps[0].ID, 3, w.now)
	b := w.deliver(app.ID, eps[2].ID, 2, w.now.Add(time.Hour))
	want := map[id.ID]store.LaneDue{
		eps[0].ID: {App: app.ID, Endpoint: eps[0].ID, Due: a[0].NextAt},
		eps[2].ID: {App: app.ID, Endpoint: eps[2].ID, Due: b[0].NextAt},
	}
	same(w, "lanes", want, lanes())
	w.claim(eps[0].ID, a[0].NextAt, 1)
	want[eps[0].ID] = store.LaneDue{App: app.ID, Endpoint: eps[0].ID, Due: a[1].NextAt}
	same(w, "lanes, one row leased", want, lanes())
	w.write(store.Changes{Finished: []store.Finish{{Key: b[0].Key, State: delivery.Canceled}, {Key: b[1].Key, State: delivery.Canceled}}})
	delete(want, eps[2].ID)
	same(w, "lanes, one empty", want, lanes())
}

// handoff writes a message whose delivery is leased from the beginning.
func (w *world) handoff(app, endpoint id.ID) (store.Changes, delivery.Delivery) {
	m := w.message(app)
	d := leased(pending(m, endpoint, w.now))
	return store.Changes{Messages: []store.Message{m}, Deliveries: []delivery.Delivery{d}}, d
}

func testHandoff(w *world) {
	app, eps := w.app(1)
	c, d := w.handoff(app.ID, eps[0].ID)
	w.write(c)
	same(w, "claimed", 0, len(w.claim(eps[0].ID, w.now.Add(time.Hour), 5).Rows))
	same(w, "row", []delivery.Delivery{d}, w.load(d.Key))
	got, err := w.Delivery(w.ctx(), app.ID, d.Key)
	w.ok("delivery", err)
	same(w, "as the API sees it", d, got)
	done := w.succeed(d)
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "after its result", []delivery.Delivery{settled(done.Next)}, w.load(d.Key))
}

func testHandoffRollback(w *world) {
	app, eps := w.app(1)
	c, d := w.handoff(app.ID, eps[0].ID)
	w.fail(c)
	same(w, "row", 0, len(w.load(d.Key)))
	c.Deliveries[0].State, c.Deliveries[0].Generation = delivery.Pending, 0
	w.write(c)
	same(w, "claimed when it is written without a lease", []delivery.Delivery{d}, w.claim(eps[0].ID, w.now, 5).Rows)
}

func testComplete(w *world) {
	app, eps := w.app(2)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	done := w.succeed(d)
	done.Attempt.Error, done.Attempt.Trigger = "", delivery.Scheduled
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "delivery", []delivery.Delivery{settled(done.Next)}, w.load(d.Key))
	got, err := w.Attempt(w.ctx(), app.ID, d.Message, done.Attempt.ID)
	w.ok("attempt", err)
	same(w, "attempt", store.AttemptRow{Attempt: done.Attempt, URL: eps[0].URL}, got)
	_, err = w.Attempt(w.ctx(), app.ID+1, d.Message, done.Attempt.ID)
	w.absent("attempt of another app", err)
	_, err = w.Attempt(w.ctx(), app.ID, d.Message+1, done.Attempt.ID)
	w.absent("attempt of another message", err)
	left := w.claim(eps[0].ID, w.now.Add(time.Hour), 1)
	same(w, "what is left", store.Claimed{Endpoint: eps[0].ID, Rows: left.Rows[:0]}, left)

	// An attempt that got no answer keeps that apart from an empty one.
	w.deliver(app.ID, eps[1].ID, 2, w.now)
	rows := w.claim(eps[1].ID, w.now.Add(time.Hour), 2).Rows
	silent, empty := w.retry(rows[0], w.now), w.retry(rows[1], w.now)
	silent.Attempt.StatusCode, silent.Attempt.Response, silent.Attempt.Error = 0, nil, "timeout"
	empty.Attempt.Response = []byte{}
	w.write(store.Changes{Completed: []store.Completion{silent, empty}})
	for _, want := range []delivery.Attempt{silent.Attempt, empty.Attempt} {
		got, err := w.Attempt(w.ctx(), app.ID, want.Message, want.ID)
		w.ok("attempt", err)
		same(w, "attempt", want, got.Attempt)
	}
}

func testRetry(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	done := w.retry(d, w.now.Add(5*time.Second))
	done.Next.Trigger = delivery.Manual
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "delivery", []delivery.Delivery{done.Next}, w.load(d.Key))
	early := w.claim(eps[0].ID, w.now, 1)
	same(w, "before it is due", done.Next.NextAt, early.NextDue)
	got := w.claim(eps[0].ID, done.Next.NextAt, 1).Rows
	same(w, "when it is due", []delivery.Delivery{leased(done.Next)}, got)
	w.write(store.Changes{Completed: []store.Completion{w.succeed(got[0])}})
	same(w, "attempts", []int{1, 2}, w.attempts(d))
}

func testTwoResults(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	first, second := w.retry(d, w.now.Add(time.Hour)), w.succeed(d)
	w.write(store.Changes{Completed: []store.Completion{first, second}}) // in one batch
	same(w, "delivery", []delivery.Delivery{first.Next}, w.load(d.Key))
	w.write(store.Changes{Completed: []store.Completion{second}}) // in a later one
	same(w, "delivery", []delivery.Delivery{first.Next}, w.load(d.Key))
	same(w, "attempts", []int{1}, w.attempts(d))
}

func testRequeueLeased(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	again := store.Requeue{Key: d.Key, At: w.now.Add(time.Microsecond), Trigger: delivery.Manual, Deadline: w.now.Add(time.Hour), Generation: d.Generation}
	w.write(store.Changes{Requeued: []store.Requeue{again}})
	want := d
	want.State, want.Trigger, want.NextAt, want.Deadline = delivery.Pending, delivery.Manual, again.At, again.Deadline
	got := w.load(d.Key)
	want.Generation = got[0].Generation
	same(w, "requeued", []delivery.Delivery{want}, got)

	second := w.claim(eps[0].ID, again.At, 1).Rows
	same(w, "claimed again", []delivery.Delivery{leased(want)}, second)
	if second[0].Generation <= d.Generation {
		w.Errorf("the later claim has generation %d, the earlier %d", second[0].Generation, d.Generation)
	}
	w.write(store.Changes{Completed: []store.Completion{w.succeed(d)}})
	same(w, "after the late result", second, w.load(d.Key))
	done := w.retry(second[0], w.now.Add(time.Hour))
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "after the right result", []delivery.Delivery{done.Next}, w.load(d.Key))
	same(w, "attempts", []int{d.Generation, second[0].Generation}, w.attempts(d))
}

func testFinishLeased(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	w.write(store.Changes{Finished: []store.Finish{{Key: d.Key, State: delivery.Failed, Reason: delivery.EndpointDeleted}}})
	check := func() {
		w.Helper()
		got := w.load(d.Key)[0]
		if got.State != delivery.Failed || got.Reason != delivery.EndpointDeleted {
			w.Errorf("the delivery is %v %v", got.State, got.Reason)
		}
		same(w, "claimed", 0, len(w.claim(eps[0].ID, w.now.Add(time.Hour), 1).Rows))
	}
	check()
	w.write(store.Changes{Completed: []store.Completion{w.retry(d, w.now)}})
	check()
	same(w, "attempts", []int{d.Generation}, w.attempts(d))
	w.reopen()
	check()
}

func testFinishFinished(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	done := w.succeed(w.claim(eps[0].ID, w.now, 1).Rows[0])
	w.write(store.Changes{Completed: []store.Completion{done}})
	unknown := delivery.Key{Message: w.next(), Endpoint: eps[0].ID}
	w.write(store.Changes{Finished: []store.Finish{{Key: done.Next.Key, State: delivery.Canceled}, {Key: unknown, State: delivery.Canceled}}})
	same(w, "delivery", []delivery.Delivery{settled(done.Next)}, w.load(done.Next.Key, unknown))
}

func testRequeueFinished(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	d := w.claim(eps[0].ID, w.now, 1).Rows[0]
	done := w.retry(d, w.now)
	done.Next.State, done.Next.Reason = delivery.Failed, delivery.Exhausted
	w.write(store.Changes{Completed: []store.Completion{done}})
	var r store.Requeue
	w.update(func(tx commit.Tx) error {
		rows, err := tx.Deliveries(w.ctx(), []delivery.Key{d.Key})
		w.ok("deliveries", err)
		r = store.Requeue{Key: d.Key, At: w.now, Trigger: delivery.Manual, Generation: rows[0].Generation}
		return tx.Apply(w.ctx(), &store.Changes{Requeued: []store.Requeue{r, {Key: delivery.Key{Message: 1, Endpoint: 1}, At: w.now}}})
	})
	got := w.claim(eps[0].ID, w.now, 1).Rows
	want := delivery.Delivery{
		Key: d.Key, App: app.ID, State: delivery.Leased, Generation: d.Generation + 2, Trigger: delivery.Manual, NextAt: w.now,
	}
	same(w, "claimed again, counting from nothing", []delivery.Delivery{want}, got)
	w.write(store.Changes{Completed: []store.Completion{w.succeed(got[0])}})
	same(w, "attempts", []int{d.Generation, want.Generation}, w.attempts(d))
}

func testGiveBack(w *world) {
	app, eps := w.app(1)
	d := w.deliver(app.ID, eps[0].ID, 2, w.now)
	due := w.now.Add(time.Minute)
	rows := w.claim(eps[0].ID, due, 2).Rows
	w.ok("give back", w.GiveBack(w.ctx(), rows[:1]))
	same(w, "rows", []delivery.Delivery{d[0], leased(d[1])}, w.load(d[0].Key, d[1].Key))
	again := w.claim(eps[0].ID, due, 2).Rows
	same(w, "claimed again", 1, len(again))
	same(w, "key", d[0].Key, again[0].Key)
	done := w.succeed(again[0])
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "delivery", []delivery.Delivery{settled(done.Next)}, w.load(d[0].Key))
	w.ok("give nothing back", w.GiveBack(w.ctx(), nil))
}

func testGiveBackStale(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 1, w.now)
	old := w.claim(eps[0].ID, w.now, 1).Rows
	w.write(store.Changes{Requeued: []store.Requeue{{Key: old[0].Key, At: w.now, Generation: old[0].Generation}}})
	held := w.claim(eps[0].ID, w.now, 1).Rows
	w.ok("give back", w.GiveBack(w.ctx(), old))
	same(w, "row", held, w.load(old[0].Key))
	same(w, "claimed", 0, len(w.claim(eps[0].ID, w.now.Add(time.Hour), 1).Rows))
}

func testRollbackKeepsLease(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 4, w.now)
	due := w.now.Add(time.Minute)
	held := w.claim(eps[0].ID, due, 3).Rows
	free := w.claim(eps[0].ID, due, 1).Rows
	w.ok("give back", w.GiveBack(w.ctx(), free))
	w.fail(store.Changes{
		Completed: []store.Completion{w.succeed(held[0])},
		Requeued:  []store.Requeue{{Key: held[1].Key, At: w.now, Generation: held[1].Generation}, {Key: free[0].Key, At: w.now}},
		Finished:  []store.Finish{{Key: held[2].Key, State: delivery.Canceled}, {Key: free[0].Key, State: delivery.Canceled}},
	})
	same(w, "rows", held, w.load(held[0].Key, held[1].Key, held[2].Key))
	same(w, "attempts", 0, len(w.attempts(held[0])))
	same(w, "claimed", free, w.claim(eps[0].ID, due, 5).Rows)
	done := w.succeed(held[0])
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "the lease still counts", []delivery.Delivery{settled(done.Next)}, w.load(held[0].Key))
}
