package storetest

import (
	"errors"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func testMessageRoundTrip(w *world) {
	app, _ := w.app(0)
	plain := w.message(app.ID)
	full := store.Message{
		ID: w.next(), App: app.ID, Type: "a.b", Test: true, EventID: "Event 1", EventHash: store.HashText("Event 1"),
		Channels: []string{"x", "y"}, Tags: []string{"t"}, OrderKey: "k", DeliverAt: w.now.Add(time.Microsecond),
		PayloadExpires: w.now.Add(time.Hour), Payload: []byte("{\"a\":\"\xc3\xbc\"}"), Tenant: "Acme.1",
	}
	tenant := w.message(app.ID)
	tenant.Tenant = "app_1"
	based := w.message(app.ID)
	based.Tenant, based.ResourceBase = "app_1", "https://events.example.com/cb"
	empty := store.Message{ID: w.next(), App: app.ID, Type: "a.b", Channels: []string{}, Tags: []string{}, Payload: []byte{}}
	gone := store.Message{ID: w.next(), App: app.ID, Type: "a.b"}
	want := []store.Message{plain, full, empty, tenant, based, gone}
	w.write(store.Changes{Messages: want})
	ids := []id.ID{gone.ID, plain.ID, w.next(), full.ID, based.ID, tenant.ID, empty.ID}
	got, err := w.Messages(w.ctx(), ids)
	w.ok("messages", err)
	same(w, "messages", byID(want), byID(got))
	w.update(func(tx commit.Tx) error {
		got, err := tx.Messages(w.ctx(), ids)
		w.ok("messages", err)
		same(w, "messages in a transaction", byID(want), byID(got))
		return nil
	})
	one, err := w.Message(w.ctx(), app.ID, store.Ref{ID: full.ID})
	w.ok("message", err)
	same(w, "message", full, one)
	_, err = w.Message(w.ctx(), app.ID+1, store.Ref{ID: full.ID})
	w.absent("message of another app", err)
}

func byID(messages []store.Message) map[id.ID]store.Message {
	m := map[id.ID]store.Message{}
	for _, row := range messages {
		m[row.ID] = row
	}
	return m
}

// event makes a message with an eventId.
func (w *world) event(app id.ID, eventID string) store.Message {
	m := w.message(app)
	m.EventID, m.EventHash = eventID, store.HashText(eventID)
	return m
}

func testEventIDs(w *world) {
	app, _ := w.app(0)
	other, _ := w.app(0)
	upper, lower, foreign := w.event(app.ID, "Order-1"), w.event(app.ID, "order-1"), w.event(other.ID, "order-1")
	w.write(store.Changes{Messages: []store.Message{upper, lower, foreign}})
	for _, want := range []store.Message{upper, lower, foreign} {
		got, err := w.Message(w.ctx(), want.App, store.Ref{UID: want.EventID})
		w.ok("message by eventId", err)
		same(w, "message by eventId", want, got)
	}
	_, err := w.Message(w.ctx(), other.ID, store.Ref{UID: "Order-1"})
	w.absent("eventId of another app", err)
	w.update(func(tx commit.Tx) error {
		got, err := tx.EventIDs(w.ctx(), []commit.EventKey{
			{App: app.ID, Hash: lower.EventHash}, {App: other.ID, Hash: upper.EventHash}, {App: other.ID, Hash: foreign.EventHash},
		})
		w.ok("event ids", err)
		same(w, "event ids", map[commit.EventKey]id.ID{
			{App: app.ID, Hash: lower.EventHash}: lower.ID, {App: other.ID, Hash: foreign.EventHash}: foreign.ID,
		}, got)
		return nil
	})
	twin := w.event(app.ID, "order-1")
	err = w.Update(w.ctx(), func(tx commit.Tx) error {
		return tx.Apply(w.ctx(), &store.Changes{Messages: []store.Message{twin}})
	})
	if err == nil {
		w.Error("two living messages of an app took one eventId")
	}
	w.write(store.Changes{Dropped: []store.Range{{From: lower.ID, Until: lower.ID + 1}}})
	w.write(store.Changes{Messages: []store.Message{twin}})
	got, err := w.Message(w.ctx(), app.ID, store.Ref{UID: "order-1"})
	w.ok("message by eventId", err)
	same(w, "message that took the eventId of a dropped one", twin, got)
}

// everything makes changes of all kinds that a transaction can insert.
func (w *world) everything(app id.ID, endpoint id.ID) store.Changes {
	m := w.event(app, "everything")
	leased := pending(m, endpoint, w.now)
	leased.State, leased.Generation = delivery.Leased, 1
	return store.Changes{
		Orgs:       []store.OrgSettings{{Org: "org_9", Doc: []byte(`{}`), UpdatedAt: w.now}},
		EventTypes: []store.EventType{{Org: "org_9", Name: "x", CreatedAt: w.now, UpdatedAt: w.now}},
		Apps:       []store.App{{ID: w.next(), Org: "org_9", UID: "u", ConfigVersion: 1}},
		Endpoints:  []delivery.Endpoint{{ID: w.next(), App: app, UID: "u", URL: "https://receiver.example"}},
		URLs:       []store.EndpointURL{{Endpoint: endpoint, Since: w.now, URL: "https://other.example"}},
		Messages:   []store.Message{m},
		Deliveries: []delivery.Delivery{leased},
		Healths:    []store.Health{{Endpoint: endpoint, FailingSince: w.now, Failures: 1, FirstMessage: m.ID}},
		Tasks:      []store.Task{{ID: w.next(), Org: "org_9", App: app, Kind: store.TaskRecover, State: store.TaskRunning, UpdatedAt: w.now}},
		Seen:       []store.Seen{{Hash: store.HashText("everything"), Expires: w.now.Add(time.Hour).Truncate(time.Second), Result: m.ID}},
	}
}

func testRollback(w *world) {
	app, eps := w.app(1)
	c := w.everything(app.ID, eps[0].ID)
	w.fail(c)
	w.empty(app.ID, eps[0].ID, c)
	w.reopen()
	w.empty(app.ID, eps[0].ID, c)
	w.write(c) // nothing of it stands in the way
}

// empty checks that nothing of c is there.
func (w *world) empty(app, endpoint id.ID, c store.Changes) {
	w.Helper()
	settings, err := w.Settings(w.ctx(), "org_9")
	w.ok("settings", err)
	same(w, "settings", store.OrgSettings{Org: "org_9"}, settings)
	_, err = w.EventType(w.ctx(), "org_9", "x")
	w.absent("event type", err)
	_, err = w.App(w.ctx(), "org_9", store.Ref{UID: "u"})
	w.absent("app", err)
	_, err = w.AppEndpoint(w.ctx(), app, store.Ref{UID: "u"})
	w.absent("endpoint", err)
	_, err = w.Message(w.ctx(), app, store.Ref{UID: "everything"})
	w.absent("message", err)
	_, err = w.Delivery(w.ctx(), app, c.Deliveries[0].Key)
	w.absent("delivery", err)
	health, err := w.Health(w.ctx(), endpoint)
	w.ok("health", err)
	same(w, "failures", 0, health.Failures)
	_, err = w.Task(w.ctx(), "org_9", c.Tasks[0].ID)
	w.absent("task", err)
	w.update(func(tx commit.Tx) error {
		taken, err := tx.TakeSeen(w.ctx(), c.Seen)
		w.ok("take keys", err)
		same(w, "keys taken", 0, len(taken))
		return tx.Apply(w.ctx(), &store.Changes{Unseen: c.Seen})
	})
	same(w, "claimed", 0, len(w.claim(endpoint, w.now.Add(time.Hour), 10).Rows))
}

func testPanic(w *world) {
	app, eps := w.app(1)
	c := w.everything(app.ID, eps[0].ID)
	func() {
		defer func() {
			if recover() == nil {
				w.Error("the panic was swallowed")
			}
		}()
		_ = w.Update(w.ctx(), func(tx commit.Tx) error {
			w.ok("apply", w.apply(tx, c))
			panic("on purpose")
		})
	}()
	w.empty(app.ID, eps[0].ID, c)
	w.write(c)
}

func testOwnWrites(w *world) {
	app, eps := w.app(1)
	m := w.event(app.ID, "own")
	d := pending(m, eps[0].ID, w.now)
	w.update(func(tx commit.Tx) error {
		w.ok("apply", tx.Apply(w.ctx(), &store.Changes{Messages: []store.Message{m}, Deliveries: []delivery.Delivery{d}}))
		messages, err := tx.Messages(w.ctx(), []id.ID{m.ID})
		w.ok("messages", err)
		same(w, "own message", []store.Message{m}, messages)
		rows, err := tx.Deliveries(w.ctx(), []delivery.Key{d.Key})
		w.ok("deliveries", err)
		same(w, "own delivery", []delivery.Delivery{d}, rows)
		_, err = w.Message(w.ctx(), app.ID, store.Ref{ID: m.ID})
		w.absent("message that is not committed", err)
		return nil
	})
	_, err := w.Message(w.ctx(), app.ID, store.Ref{ID: m.ID})
	w.ok("message", err)
}

func testLastID(w *world) {
	last := func(node int) id.ID {
		w.Helper()
		got, err := w.LastID(w.ctx(), node)
		w.ok("last id", err)
		return got
	}
	same(w, "last id of an empty store", 0, last(0))
	other, err := id.NewGenerator(3, 0)
	w.ok("generator", err)
	app, eps := w.app(1)
	same(w, "after an endpoint", eps[0].ID, last(0))
	same(w, "of another node", 0, last(3))

	foreign := w.message(app.ID)
	foreign.ID = other.Next(w.now.Add(time.Hour))
	w.write(store.Changes{Messages: []store.Message{foreign}})
	same(w, "after another node's message", eps[0].ID, last(0))
	same(w, "of that node", foreign.ID, last(3))

	d := w.deliver(app.ID, eps[0].ID, 1, w.now)[0]
	same(w, "after a message", d.Message, last(0))
	w.write(store.Changes{Completed: []store.Completion{w.succeed(w.claim(eps[0].ID, w.now, 1).Rows[0])}})
	a, err := w.ListAttempts(w.ctx(), store.AttemptQuery{Page: store.Page{Limit: 1}, App: app.ID, Endpoint: eps[0].ID})
	w.ok("attempts", err)
	same(w, "after an attempt", a.Rows[0].ID, last(0))
	task := store.Task{ID: w.next(), Org: "org_1", App: app.ID, Kind: store.TaskRecover, State: store.TaskRunning}
	w.write(store.Changes{Tasks: []store.Task{task}})
	same(w, "after a task", task.ID, last(0))
	w.reopen()
	same(w, "after a reopening", task.ID, last(0))
}

func testLastIDAfterDrop(w *world) {
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, 3, w.now)
	rows := w.claim(eps[0].ID, w.now.Add(time.Hour), 3).Rows
	c := store.Changes{}
	for _, d := range rows {
		c.Completed = append(c.Completed, w.succeed(d))
	}
	w.write(c)
	want, err := w.LastID(w.ctx(), 0)
	w.ok("last id", err)
	same(w, "last id", c.Completed[2].Attempt.ID, want)
	w.write(store.Changes{Dropped: []store.Range{{From: rows[0].Message, Until: rows[2].Message + 1}}})
	w.reopen()
	got, err := w.LastID(w.ctx(), 0)
	w.ok("last id", err)
	same(w, "last id after its row went", want, got)
}

func testIDKey(w *world) {
	want, err := w.IDKey(w.ctx())
	w.ok("id key", err)
	same(w, "length", id.KeyBytes, len(want))
	w.reopen()
	got, err := w.IDKey(w.ctx())
	w.ok("id key", err)
	same(w, "key after a reopening", want, got)
	second := newWorld(w.TB, w.driver)
	got, err = second.IDKey(w.ctx())
	w.ok("id key", err)
	if string(got) == string(want) {
		w.Error("two installations have one id key")
	}
}

func testClosed(w *world) {
	w.ok("ping", w.Ping(w.ctx()))
	w.ok("close", w.Close())
	w.ok("close again", w.Close())
	if err := w.Ping(w.ctx()); err == nil {
		w.Error("a closed store answers")
	}
	if err := w.Update(w.ctx(), func(commit.Tx) error { return errors.New("ran") }); err == nil || err.Error() == "ran" {
		w.Errorf("a closed store took a transaction: %v", err)
	}
}

func testSeen(w *world) {
	key := func(name string) store.Seen {
		return store.Seen{Hash: store.HashText(name), Body: store.HashText(name + " body"), Expires: w.now.Add(time.Hour).Truncate(time.Second)}
	}
	one, two, three := key("one"), key("two"), key("three")
	one.Result, two.Result = 11, 22
	take := func(want ...store.Seen) {
		w.Helper()
		w.update(func(tx commit.Tx) error {
			taken, err := tx.TakeSeen(w.ctx(), []store.Seen{key("one"), key("two"), key("three")})
			w.ok("take keys", err)
			same(w, "taken keys", keysByHash(want), keysByHash(taken))
			// What was not taken is given back.
			var free []store.Seen
			for _, k := range []store.Seen{one, two, three} {
				if _, ok := keysByHash(taken)[k.Hash]; !ok {
					free = append(free, k)
				}
			}
			return tx.Apply(w.ctx(), &store.Changes{Unseen: free})
		})
	}
	take()
	take() // a refused unit's key is free
	w.fail(store.Changes{Seen: []store.Seen{one}})
	take()
	w.takeAndWrite(one)
	take(one)
	w.takeAndWrite(two)
	take(one, two)
	w.reopen()
	take(one, two)
}

// takeAndWrite is the life of a unit with a key: taken, then written.
func (w *world) takeAndWrite(k store.Seen) {
	w.Helper()
	w.update(func(tx commit.Tx) error {
		taken, err := tx.TakeSeen(w.ctx(), []store.Seen{k})
		w.ok("take key", err)
		same(w, "keys that were taken before", 0, len(taken))
		return tx.Apply(w.ctx(), &store.Changes{Seen: []store.Seen{k}})
	})
}

func keysByHash(keys []store.Seen) map[store.Hash16]store.Seen {
	m := map[store.Hash16]store.Seen{}
	for _, k := range keys {
		m[k.Hash] = k
	}
	return m
}

func testForgetSeen(w *world) {
	base := w.now.Truncate(time.Second)
	var keys []store.Seen
	for i := range 10 {
		k := store.Seen{Hash: store.HashText(string(rune('a' + i))), Expires: base.Add(time.Duration(i) * time.Second), Result: id.ID(i + 1)}
		w.takeAndWrite(k)
		keys = append(keys, k)
	}
	forget := func(now time.Time, limit, want int) {
		w.Helper()
		got, err := w.ForgetSeen(w.ctx(), now, limit)
		w.ok("forget keys", err)
		same(w, "keys that were forgotten", want, got)
	}
	left := func(want []store.Seen) {
		w.Helper()
		w.update(func(tx commit.Tx) error {
			got, err := tx.TakeSeen(w.ctx(), keys)
			w.ok("take keys", err)
			same(w, "keys that are left", keysByHash(want), keysByHash(got))
			return tx.Apply(w.ctx(), &store.Changes{Unseen: keys[:len(keys)-len(got)]})
		})
	}
	forget(base, 100, 0)
	forget(base.Add(5*time.Second), 2, 2)
	left(keys[2:])
	forget(base.Add(5*time.Second), 100, 3)
	left(keys[5:])
	w.reopen()
	left(keys[5:])
	forget(base.Add(time.Hour), 100, 5)
	left(nil)
	w.takeAndWrite(keys[0]) // and are free again
}
