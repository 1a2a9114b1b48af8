package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// feedReads are what is read of attempts as they come.
type feedReads interface {
	// AttemptMarks gives the ids up to which attempts of each node are committed, in no order.
	AttemptMarks(ctx context.Context) ([]id.ID, error)
	// AttemptsBetween gives attempts of apps with ids in (after, until], in ascending order,
	// without responses, at most limit. scannedTo is how far it came, 0 = to the end.
	AttemptsBetween(ctx context.Context, apps []id.ID, after, until id.ID, limit int) (rows []delivery.Attempt, scannedTo id.ID, err error)
	// DeliveriesByKey gives deliveries with their messages, without payloads; absent ones are
	// left out.
	DeliveriesByKey(ctx context.Context, keys []delivery.Key) (map[delivery.Key]store.DeliveryRow, error)
}

// log follows a log to its end and gives the keys of all rows.
func (w *world) log(q store.LogQuery) []delivery.Key {
	w.Helper()
	keys := []delivery.Key{}
	for range 10_000 {
		got, err := w.DeliveryLog(w.ctx(), q)
		w.ok("log", err)
		if len(got.Rows) > q.Limit {
			w.Fatalf("a page of %d rows, %d were asked for", len(got.Rows), q.Limit)
		}
		for _, row := range got.Rows {
			if row.Message == nil || row.Message.ID != row.Delivery.Message {
				w.Fatalf("the message of %v is %v", row.Key, row.Message)
			}
			keys = append(keys, row.Key)
		}
		if got.Done {
			return keys
		}
		if got.Next == q.After {
			w.Fatalf("the page after %v leads back to itself", q.After)
		}
		q.After = got.Next
	}
	w.Fatal("the log does not end")
	return nil
}

// everyState is a state of deliveries after the other.
var everyState = []delivery.State{delivery.Succeeded, delivery.Failed, delivery.Canceled, delivery.Pending}

// ended sets the state of a delivery. What failed has a reason, and nothing else does.
func ended(d *delivery.Delivery, state delivery.State) {
	d.State, d.Reason = state, delivery.NoReason
	if state == delivery.Failed {
		d.Reason = delivery.Exhausted
	}
}

// testLog lists over all endpoints: messages with many deliveries, one and none, in every
// state, among another app's.
func testLog(w *world) {
	app, eps := w.app(7)
	other, others := w.app(1)
	var c store.Changes
	for i := range 12 {
		m := w.message(app.ID)
		m.Type = []string{"a", "b"}[i%2]
		if i%3 == 0 {
			m.Channels, m.Tags = []string{"x"}, []string{"t"}
		}
		c.Messages = append(c.Messages, m)
		for n := range []int{0, 1, 7, 3}[i%4] {
			d := pending(m, eps[n].ID, w.now.Add(time.Duration(100-i)*time.Second))
			ended(&d, everyState[(i+n)%len(everyState)])
			c.Deliveries = append(c.Deliveries, d)
		}
		stranger := w.message(other.ID)
		c.Messages = append(c.Messages, stranger)
		d := pending(stranger, others[0].ID, w.now)
		ended(&d, everyState[i%len(everyState)])
		c.Deliveries = append(c.Deliveries, d)
	}
	w.write(c)
	// Requeued, finished and leased rows move between what the indexes show.
	var failed, unfinished []delivery.Delivery
	for _, d := range c.Deliveries {
		switch {
		case d.App != app.ID:
		case d.State == delivery.Failed:
			failed = append(failed, d)
		case d.State == delivery.Pending:
			unfinished = append(unfinished, d)
		}
	}
	w.write(store.Changes{
		Requeued: []store.Requeue{{Key: failed[0].Key, At: w.now, Generation: failed[0].Generation}},
		Finished: []store.Finish{{Key: unfinished[0].Key, State: delivery.Failed, Reason: delivery.EndpointDisabled}},
	})
	leased := w.claim(failed[0].Endpoint, w.now.Add(time.Hour), 1).Rows
	exhausted := w.claim(unfinished[1].Endpoint, w.now.Add(time.Hour), 1).Rows[0]
	end := w.retry(exhausted, w.now)
	end.Next.State, end.Next.Reason = delivery.Failed, delivery.Exhausted
	w.write(store.Changes{Completed: []store.Completion{end}})
	if len(leased) != 1 {
		w.Fatal("nothing is leased")
	}

	messages := byID(c.Messages)
	var keys []delivery.Key
	for _, d := range c.Deliveries {
		keys = append(keys, d.Key)
	}
	now := w.load(keys...)
	states := [][]delivery.State{nil, {}, {delivery.Succeeded}, {delivery.Pending}, {delivery.Pending, delivery.Waiting}, {delivery.Leased}, {delivery.Failed}, {delivery.Canceled}, {delivery.Failed, delivery.Pending}}
	for _, s := range states {
		for _, q := range []store.LogQuery{
			{},
			{EventTypes: []string{"a"}},
			{EventTypes: []string{}},
			{Channel: "x"},
			{Tag: "t", EventTypes: []string{"b"}},
			{Since: c.Messages[4].ID, Until: c.Messages[14].ID},
			{Endpoint: eps[0].ID},
			{Endpoint: eps[2].ID, Channel: "x"},
			{Endpoint: others[0].ID},
		} {
			q.App, q.States = app.ID, s
			want := []delivery.Key{}
			for _, d := range now {
				if inLog(&q, d, messages[d.Message]) {
					want = append(want, d.Key)
				}
			}
			for _, limit := range []int{1, 3, 100} {
				q.Limit, q.Ascending = limit, true
				what := fmt.Sprintf("%+v", q)
				same(w, "oldest first: "+what, want, w.log(q))
				q.Ascending = false
				newest := w.log(q)
				slices.Reverse(newest)
				same(w, "newest first: "+what, want, newest)
			}
		}
	}
}

func inLog(q *store.LogQuery, d delivery.Delivery, m store.Message) bool {
	return d.App == q.App && (q.Endpoint == 0 || d.Endpoint == q.Endpoint) &&
		(q.States == nil || slices.Contains(q.States, d.State)) && (q.EventTypes == nil || slices.Contains(q.EventTypes, m.Type)) &&
		(q.Channel == "" || slices.Contains(m.Channels, q.Channel)) && (q.Tag == "" || slices.Contains(m.Tags, q.Tag)) &&
		(q.Since == 0 || d.Message >= q.Since) && (q.Until == 0 || d.Message < q.Until)
}

// testLogBounds has more deliveries than a page looks at: what pages give up at is where
// the next ones go on.
func testLogBounds(w *world) {
	app, eps := w.app(3)
	var rare []delivery.Key
	for n := range 8 {
		var c store.Changes
		for i := range 300 {
			m := w.message(app.ID)
			for _, ep := range eps {
				d := pending(m, ep.ID, w.now)
				d.State = delivery.Succeeded
				if i == 150 && n%4 == 1 && ep.ID == eps[1].ID {
					d.State = delivery.Canceled
					rare = append(rare, d.Key)
				}
				c.Deliveries = append(c.Deliveries, d)
			}
			c.Messages = append(c.Messages, m)
		}
		w.write(c)
	}
	first, err := w.DeliveryLog(w.ctx(), store.LogQuery{App: app.ID, Limit: 10, States: []delivery.State{delivery.Leased}})
	w.ok("log", err)
	if first.Done || len(first.Rows) > 0 || first.Next == (delivery.Key{}) {
		w.Errorf("7,200 deliveries of which none matches were looked at in one page: %+v", first)
	}
	same(w, "rare ones", rare, w.log(store.LogQuery{App: app.ID, Limit: 10, Ascending: true, States: []delivery.State{delivery.Canceled}}))
	same(w, "none", []delivery.Key{}, w.log(store.LogQuery{App: app.ID, Limit: 10, States: []delivery.State{delivery.Leased}}))
}

// testManyPending has more pending deliveries than are sorted.
func testManyPending(w *world) {
	app, eps := w.app(2)
	var want []delivery.Key
	for range 5 {
		var c store.Changes
		for i := range 250 {
			m := w.message(app.ID)
			for n, ep := range eps {
				// The order of what is due is not that of the messages.
				d := pending(m, ep.ID, w.now.Add(time.Duration((i*7+n)%250)*time.Minute))
				c.Deliveries = append(c.Deliveries, d)
				want = append(want, d.Key)
			}
			c.Messages = append(c.Messages, m)
		}
		w.write(c)
	}
	q := store.LogQuery{App: app.ID, Limit: 250, States: []delivery.State{delivery.Pending, delivery.Waiting}, Ascending: true}
	same(w, "pending of all", want, w.log(q))
	q.Endpoint = eps[1].ID
	of := slices.DeleteFunc(slices.Clone(want), func(k delivery.Key) bool { return k.Endpoint != eps[1].ID })
	same(w, "pending of one", of, w.log(q))
}

// testLastAttempts: the last attempt is the one of the last claim.
func testLastAttempts(w *world) {
	app, eps := w.app(2)
	ds := append(w.deliver(app.ID, eps[0].ID, 3, w.now), w.deliver(app.ID, eps[1].ID, 1, w.now)...)
	want, counts := map[delivery.Key]delivery.Attempt{}, map[delivery.Key]int{}
	for range 3 {
		var c store.Changes
		for _, d := range w.claim(eps[0].ID, w.now.Add(time.Hour), 2).Rows {
			r := w.retry(d, w.now)
			want[d.Key] = r.Attempt
			counts[d.Key]++
			r.Next.Step = 0 // as if it had been queued again: that takes nothing from the count
			c.Completed = append(c.Completed, r)
		}
		w.write(c)
	}
	for k, a := range want {
		a.Response = nil
		want[k] = a
	}
	keys := []delivery.Key{{Message: ds[0].Message, Endpoint: 5}}
	for _, d := range ds {
		keys = append(keys, d.Key)
	}
	got, err := w.LastAttempts(w.ctx(), keys)
	w.ok("last attempts", err)
	same(w, "last attempts", want, got)
	counted, err := w.CountAttempts(w.ctx(), keys)
	w.ok("counts of attempts", err)
	same(w, "counts of attempts", counts, counted)
	none, err := w.LastAttempts(w.ctx(), nil)
	w.ok("last attempts of nothing", err)
	same(w, "last attempts of nothing", 0, len(none))

	rows, err := w.DeliveriesByKey(w.ctx(), keys)
	w.ok("deliveries", err)
	same(w, "deliveries", len(ds), len(rows))
	for _, d := range w.load(keys...) {
		same(w, "delivery", d, rows[d.Key].Delivery)
		same(w, "its message", d.Message, rows[d.Key].Message.ID)
	}
}

func testUndelivered(w *world) {
	app, eps := w.app(3)
	other, others := w.app(1)
	var c store.Changes
	for i := range 10 {
		m := w.message(app.ID)
		c.Messages = append(c.Messages, m)
		for n := range 2 {
			d := pending(m, eps[n].ID, w.now.Add(-time.Duration(i)*time.Minute)) // the newest are due first
			if n == 0 && i >= 4 {
				ended(&d, delivery.Failed)
			}
			if i == 0 {
				d.State = delivery.Succeeded
			}
			c.Deliveries = append(c.Deliveries, d)
		}
		stranger := w.message(other.ID)
		c.Messages = append(c.Messages, stranger)
		d := pending(stranger, others[0].ID, w.now)
		ended(&d, delivery.Failed)
		c.Deliveries = append(c.Deliveries, d)
	}
	w.write(c)
	of := func(i int) id.ID { return c.Messages[2*i].ID }
	undelivered := func(since id.ID) []store.Undelivered {
		w.Helper()
		got, err := w.Undelivered(w.ctx(), app.ID, since)
		w.ok("undelivered", err)
		return got
	}
	count := func(app, ep, since, until id.ID) int64 {
		w.Helper()
		n, more, err := w.CountFailed(w.ctx(), app, ep, since, until)
		w.ok("count failed", err)
		same(w, "more", false, more)
		return n
	}
	same(w, "undelivered", []store.Undelivered{
		{Endpoint: eps[0].ID, Pending: 3, PendingSince: of(1), Failed: 6, FailedSince: of(4)},
		{Endpoint: eps[1].ID, Pending: 9, PendingSince: of(1)},
	}, undelivered(0))
	same(w, "undelivered of late", []store.Undelivered{
		{Endpoint: eps[0].ID, Failed: 3, FailedSince: of(7)},
		{Endpoint: eps[1].ID, Pending: 3, PendingSince: of(7)},
	}, undelivered(of(7)))
	same(w, "failed", 6, count(app.ID, eps[0].ID, 0, 0))
	same(w, "failed within bounds", 2, count(app.ID, eps[0].ID, of(5), of(7)))
	same(w, "failed of another endpoint", 0, count(app.ID, eps[1].ID, 0, 0))
	same(w, "failed of another app", 0, count(other.ID, eps[0].ID, 0, 0))

	gone := eps[0]
	gone.Deleted = true
	w.write(store.Changes{Endpoints: []delivery.Endpoint{gone}, Requeued: []store.Requeue{{Key: c.Deliveries[0].Key, At: w.now}}})
	same(w, "without a deleted endpoint", []store.Undelivered{{Endpoint: eps[1].ID, Pending: 9, PendingSince: of(1)}}, undelivered(0))
}

// testAttemptFeed reads attempts as they come, over bounds of ids and of rows.
func testAttemptFeed(w *world) {
	app, eps := w.app(2)
	busy, others := w.app(1)
	start := w.next()
	marks := func() (last id.ID) {
		w.Helper()
		all, err := w.AttemptMarks(w.ctx())
		w.ok("marks", err)
		for _, m := range all {
			last = max(last, m)
		}
		return last
	}
	between := func(apps []id.ID, after, until id.ID, limit int) (all []delivery.Attempt) {
		w.Helper()
		for range 1000 {
			rows, scanned, err := w.AttemptsBetween(w.ctx(), apps, after, until, limit)
			w.ok("attempts", err)
			if len(rows) > limit {
				w.Fatalf("%d rows, %d were asked for", len(rows), limit)
			}
			all = append(all, rows...)
			if scanned == 0 {
				return all
			}
			if scanned <= after {
				w.Fatalf("from %d the walk came to %d", after, scanned)
			}
			after = scanned
		}
		w.Fatal("the walk does not end")
		return nil
	}
	var want []delivery.Attempt
	for range 3 {
		for _, of := range []struct {
			app store.App
			ep  id.ID
		}{{app, eps[0].ID}, {busy, others[0].ID}, {app, eps[1].ID}} {
			for _, a := range w.history(of.app, of.ep, 4) {
				if a.Response = nil; of.app.ID == app.ID {
					want = append(want, a)
				}
			}
		}
	}
	end := marks()
	if end < want[len(want)-1].ID {
		w.Errorf("the mark is %d, the last attempt %d", end, want[len(want)-1].ID)
	}
	for _, limit := range []int{1, 3, 100} {
		same(w, "attempts", want, between([]id.ID{app.ID}, start, end, limit))
		same(w, "the later ones", want[7:12], between([]id.ID{app.ID}, want[6].ID, want[11].ID, limit))
		same(w, "attempts of all", 36, len(between([]id.ID{app.ID, busy.ID}, start, end, limit)))
	}
	same(w, "attempts of no app", 0, len(between(nil, start, end, 10)))
}
