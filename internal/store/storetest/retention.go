package storetest

import (
	"errors"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func testMessageRange(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	var c store.Changes
	for i := range 10 {
		c.Messages = append(c.Messages, w.message([]id.ID{app.ID, other.ID}[i%2]))
	}
	w.write(c)
	m := messageIDs(c.Messages)
	check := func(of, after, until id.ID, limit int, want store.Range, wantOK bool) {
		w.Helper()
		got, ok, err := w.MessageRange(w.ctx(), of, after, until, limit)
		w.ok("message range", err)
		same(w, "ok", wantOK, ok)
		same(w, "range", want, got)
	}
	check(0, 0, 0, 4, store.Range{From: m[0], Until: m[3] + 1}, true)
	check(0, m[3], 0, 100, store.Range{From: m[4], Until: m[9] + 1}, true)
	check(0, m[9], 0, 4, store.Range{}, false)
	check(0, 0, m[2], 100, store.Range{From: m[0], Until: m[1] + 1}, true)
	check(0, 0, m[0], 100, store.Range{}, false)
	check(other.ID, 0, 0, 2, store.Range{From: m[1], Until: m[3] + 1, App: other.ID}, true)
	check(other.ID, m[3], m[9], 100, store.Range{From: m[5], Until: m[7] + 1, App: other.ID}, true)
	check(other.ID+1, 0, 0, 100, store.Range{}, false)
}

// history writes messages of an app, each delivered once.
func (w *world) history(app store.App, endpoint id.ID, n int) []delivery.Attempt {
	w.Helper()
	w.deliver(app.ID, endpoint, n, w.now)
	var c store.Changes
	var attempts []delivery.Attempt
	for _, d := range w.claim(endpoint, w.now.Add(time.Hour), n).Rows {
		done := w.succeed(d)
		c.Completed, attempts = append(c.Completed, done), append(attempts, done.Attempt)
	}
	w.write(c)
	return attempts
}

// there reports whether a message, its delivery and its attempt are there; they
// must be together.
func (w *world) there(a delivery.Attempt) bool {
	w.Helper()
	messages, err := w.Messages(w.ctx(), []id.ID{a.Message})
	w.ok("messages", err)
	rows := w.load(a.Key)
	attempts := w.attempts(delivery.Delivery{Key: a.Key, App: a.App})
	if len(messages) != len(rows) || len(rows) != len(attempts) {
		w.Errorf("of message %d there are %d messages, %d deliveries, %d attempts", a.Message, len(messages), len(rows), len(attempts))
	}
	return len(messages) == 1
}

func (w *world) left(attempts []delivery.Attempt) (left []int) {
	w.Helper()
	for i, a := range attempts {
		if w.there(a) {
			left = append(left, i)
		}
	}
	return left
}

func testDrop(w *world) {
	app, eps := w.app(1)
	a := w.history(app, eps[0].ID, 6)
	r, ok, err := w.MessageRange(w.ctx(), 0, a[0].Message, 0, 3)
	w.ok("message range", err)
	same(w, "ok", true, ok)
	w.fail(store.Changes{Dropped: []store.Range{r}})
	same(w, "left after a rollback", []int{0, 1, 2, 3, 4, 5}, w.left(a))
	w.write(store.Changes{Dropped: []store.Range{r}})
	same(w, "left", []int{0, 4, 5}, w.left(a))
	w.write(store.Changes{Dropped: []store.Range{{From: a[0].Message, Until: a[5].Message}, {From: a[5].Message + 1, Until: a[5].Message + 1000}}})
	same(w, "left, until exclusive", []int{5}, w.left(a))
}

func testDropApp(w *world) {
	app, eps := w.app(1)
	other, otherEps := w.app(1)
	var a, b []delivery.Attempt
	for range 3 {
		a, b = append(a, w.history(app, eps[0].ID, 2)...), append(b, w.history(other, otherEps[0].ID, 2)...)
	}
	w.write(store.Changes{Dropped: []store.Range{{From: a[1].Message, Until: a[5].Message + 1, App: app.ID}}})
	same(w, "left", []int{0}, w.left(a))
	same(w, "left of the other app", []int{0, 1, 2, 3, 4, 5}, w.left(b))
}

func testEraseApp(w *world) {
	gone, goneEps := w.app(2)
	other, otherEps := w.app(1)
	w.write(store.Changes{
		URLs:    []store.EndpointURL{{Endpoint: goneEps[0].ID, Since: w.now, URL: "https://example.com/x"}},
		Healths: []store.Health{delivery.Health{}.Failed(goneEps[0].ID, 1, w.now)},
	})
	w.write(store.Changes{ErasedApps: []id.ID{gone.ID}})
	_, _, err := w.Endpoint(w.ctx(), goneEps[0].ID)
	w.ok("an app that is not deleted is not erased", err)
	gone.Deleted = true
	w.write(store.Changes{Apps: []store.App{gone}})
	w.write(store.Changes{ErasedApps: []id.ID{gone.ID}})
	for _, ep := range goneEps {
		if _, _, err := w.Endpoint(w.ctx(), ep.ID); !errors.Is(err, store.ErrNotFound) {
			w.Errorf("endpoint of an erased app: %v, want ErrNotFound", err)
		}
	}
	health, err := w.Health(w.ctx(), goneEps[0].ID)
	w.ok("health", err)
	same(w, "health of an erased endpoint", 0, health.Failures)
	got, _, err := w.Endpoint(w.ctx(), otherEps[0].ID)
	w.ok("another app's endpoint", err)
	same(w, "another app's endpoint", other.ID, got.App)
}

func testDropLeased(w *world) {
	app, eps := w.app(1)
	d := w.deliver(app.ID, eps[0].ID, 2, w.now)
	due := w.now.Add(time.Hour)
	rows := w.claim(eps[0].ID, due, 1).Rows
	w.write(store.Changes{Dropped: []store.Range{{From: d[0].Message, Until: d[1].Message + 1}}})
	w.write(store.Changes{Completed: []store.Completion{w.succeed(rows[0])}})
	same(w, "there", false, w.there(delivery.Attempt{Key: d[0].Key, App: app.ID}))
	got := w.claim(eps[0].ID, due, 5)
	same(w, "what is left", store.Claimed{Endpoint: eps[0].ID, Rows: got.Rows[:0]}, got)
	lanes, err := w.Lanes(w.ctx())
	w.ok("lanes", err)
	same(w, "lanes", 0, len(lanes))
}

func testPayloads(w *world) {
	app, _ := w.app(0)
	var c store.Changes
	for i := range 5 {
		m := w.message(app.ID)
		if i < 4 {
			m.PayloadExpires = w.now.Add(time.Duration(i) * time.Microsecond)
		}
		c.Messages = append(c.Messages, m)
	}
	w.write(c)
	m := messageIDs(c.Messages)
	expired := func(now time.Time, limit int) []id.ID {
		w.Helper()
		got, err := w.ExpiredPayloads(w.ctx(), now, limit)
		w.ok("expired payloads", err)
		return got
	}
	begin := c.Messages[0].PayloadExpires
	same(w, "at its end", nil, expired(begin, 10))
	later := begin.Add(time.Hour)
	same(w, "limit", 2, len(expired(later, 2)))
	same(w, "expired", m[:4], expired(later, 10))
	w.write(store.Changes{Payloads: m[:2]})
	same(w, "expired, two dropped", m[2:4], expired(later, 10))
	got, err := w.Message(w.ctx(), app.ID, store.Ref{ID: m[0]})
	w.ok("message", err)
	want := c.Messages[0]
	want.Payload = nil
	same(w, "message without its payload", want, got)
}

func testDropResponse(w *world) {
	app, eps := w.app(1)
	a := w.history(app, eps[0].ID, 2)
	w.write(store.Changes{Attempts: []delivery.Attempt{{Key: a[0].Key, ID: a[0].ID}, {Key: a[1].Key, ID: a[0].ID}}})
	a[0].Response = nil
	for _, want := range a {
		got, err := w.Attempt(w.ctx(), app.ID, want.Message, want.ID)
		w.ok("attempt", err)
		same(w, "attempt", want, got.Attempt)
	}
}

// testDropRedirect drops with a response what it said, and keeps why there was none.
func testDropRedirect(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 2, w.now)
	rows := w.claim(eps[0].ID, w.now.Add(time.Hour), 2).Rows
	moved, silent := w.retry(rows[0], w.now), w.retry(rows[1], w.now)
	moved.Attempt.StatusCode, moved.Attempt.Error = 301, "The receiver redirects to https://a.example/"
	silent.Attempt.StatusCode, silent.Attempt.Error, silent.Attempt.Response = 0, "No complete answer within 15s", []byte("begun")
	w.write(store.Changes{Completed: []store.Completion{moved, silent}})
	w.write(store.Changes{Attempts: []delivery.Attempt{
		{Key: moved.Attempt.Key, ID: moved.Attempt.ID}, {Key: silent.Attempt.Key, ID: silent.Attempt.ID},
	}})
	moved.Attempt.Error, moved.Attempt.Response, silent.Attempt.Response = "", nil, nil
	for _, want := range []delivery.Attempt{moved.Attempt, silent.Attempt} {
		got, err := w.Attempt(w.ctx(), app.ID, want.Message, want.ID)
		w.ok("attempt", err)
		same(w, "attempt", want, got.Attempt)
	}
}

func testShrink(w *world) {
	app, eps := w.app(1)
	w.ok("shrink", w.Shrink(w.ctx()))
	a := w.history(app, eps[0].ID, 50)
	w.write(store.Changes{Dropped: []store.Range{{From: a[0].Message, Until: a[49].Message}}})
	w.ok("shrink", w.Shrink(w.ctx()))
	same(w, "left", []int{49}, w.left(a))
}

func testReopen(w *world) {
	app, eps := w.app(2)
	a := w.history(app, eps[0].ID, 3)
	d := w.deliver(app.ID, eps[1].ID, 3, w.now)
	due := w.now.Add(time.Hour)
	rows := w.claim(eps[1].ID, due, 2).Rows
	done := w.retry(rows[0], w.now)
	w.write(store.Changes{Completed: []store.Completion{done}})
	handed, h := w.handoff(app.ID, eps[1].ID)
	w.write(handed)
	w.reopen()

	got, err := w.App(w.ctx(), "org_1", store.Ref{ID: app.ID})
	w.ok("app", err)
	same(w, "app", app, got)
	same(w, "history", []int{0, 1, 2}, w.left(a))
	if w.driver.Shared {
		return
	}
	unleased := h
	unleased.State, unleased.Generation = delivery.Pending, h.Generation-1
	same(w, "rows", []delivery.Delivery{done.Next, d[1], d[2], unleased}, w.load(done.Next.Key, d[1].Key, d[2].Key, h.Key))
	again := w.claim(eps[1].ID, due, 10).Rows
	same(w, "all are claimed again", 4, len(again))
	// Of two results under one generation, from before and after, one counts.
	w.write(store.Changes{Completed: []store.Completion{w.succeed(rows[1]), w.succeed(rows[1])}})
	same(w, "attempts", []int{1}, w.attempts(rows[1]))
	w.update(func(tx commit.Tx) error {
		versions, err := tx.Versions(w.ctx(), []id.ID{app.ID})
		w.ok("versions", err)
		same(w, "versions", map[id.ID]int64{app.ID: app.ConfigVersion}, versions)
		return nil
	})
}
