package storetest

import (
	"errors"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// second opens the database once more, as another process does.
func (w *world) second() Store {
	w.Helper()
	s, err := w.open(w.ctx())
	w.ok("open a second time", err)
	w.Cleanup(func() { w.ok("close the second", s.Close()) })
	return s
}

func testTwoProcesses(w *world) {
	other := w.second()
	app, eps := w.app(1)
	got, err := other.App(w.ctx(), app.Org, store.Ref{ID: app.ID})
	w.ok("app, by the other", err)
	same(w, "app, by the other", app, got)
	d := w.deliver(app.ID, eps[0].ID, 1, w.now)[0]
	claimed, err := other.Claim(w.ctx(), w.now, []store.LaneRoom{{Endpoint: eps[0].ID, Room: 5}})
	w.ok("claim by the other", err)
	same(w, "claimed by the other", []store.Claimed{{Endpoint: eps[0].ID, Rows: []delivery.Delivery{leased(d)}}}, claimed)
	same(w, "claimed again", 0, len(w.claim(eps[0].ID, w.now, 5).Rows))
	// Its result counts, whoever writes it.
	done := w.succeed(claimed[0].Rows[0])
	w.write(store.Changes{Completed: []store.Completion{done}})
	same(w, "delivery", []delivery.Delivery{settled(done.Next)}, w.load(d.Key))
	key, err := w.IDKey(w.ctx())
	w.ok("id key", err)
	otherKey, err := other.IDKey(w.ctx())
	w.ok("id key, by the other", err)
	same(w, "id key", key, otherKey)
}

func testTwoClaimers(w *world) {
	const rows, claimers = 400, 4
	app, eps := w.app(1)
	w.deliver(app.ID, eps[0].ID, rows, w.now.Add(-time.Hour))
	stores := []Store{w.Store, w.second()}
	var mu sync.Mutex
	seen := map[delivery.Key]int{}
	var group sync.WaitGroup
	for i := range claimers {
		group.Go(func() {
			for {
				got, err := stores[i%len(stores)].Claim(w.ctx(), w.now, []store.LaneRoom{{Endpoint: eps[0].ID, Room: 7}})
				if err != nil || len(got[0].Rows) == 0 && !got[0].Behind {
					if err != nil {
						w.Errorf("claim: %v", err)
					}
					return
				}
				mu.Lock()
				for _, d := range got[0].Rows {
					seen[d.Key]++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	same(w, "rows that were claimed", rows, len(seen))
	for k, n := range seen {
		if n != 1 {
			w.Errorf("delivery %v was claimed %d times", k, n)
		}
	}
}

// race runs a transaction that begins with read in two processes at once, again
// after each conflict, and gives how many of them wrote. Both have read before one
// writes, the first time.
func (w *world) race(read func(commit.Tx) (free bool, err error), write func(n int) store.Changes) (wrote int) {
	w.Helper()
	stores := []Store{w.Store, w.second()}
	var both sync.WaitGroup
	both.Add(len(stores))
	results := make([]bool, len(stores))
	var group sync.WaitGroup
	for i, s := range stores {
		group.Go(func() {
			err := commit.ErrConflict
			for try := 0; try < 5 && errors.Is(err, commit.ErrConflict); try++ {
				results[i] = false
				err = s.Update(w.ctx(), func(tx commit.Tx) error {
					free, err := read(tx)
					if try == 0 {
						both.Done()
						both.Wait()
					}
					if err != nil || !free {
						return err
					}
					results[i] = true
					c := write(i)
					return tx.Apply(w.ctx(), &c)
				})
			}
			if err != nil {
				w.Errorf("update %d: %v", i, err)
			}
		})
	}
	group.Wait()
	for _, did := range results {
		if did {
			wrote++
		}
	}
	return wrote
}

func testTwins(w *world) {
	app, _ := w.app(0)
	key := store.Seen{Hash: store.HashText("twin"), Body: store.HashText("body"), Expires: w.now.Add(time.Hour).Truncate(time.Second)}
	messages := []store.Message{w.message(app.ID), w.message(app.ID)}
	wrote := w.race(func(tx commit.Tx) (bool, error) {
		taken, err := tx.TakeSeen(w.ctx(), []store.Seen{key})
		return len(taken) == 0, err
	}, func(n int) store.Changes {
		mine := key
		mine.Result = messages[n].ID
		return store.Changes{Messages: messages[n : n+1], Seen: []store.Seen{mine}}
	})
	same(w, "transactions that took the key", 1, wrote)
	got, err := w.Messages(w.ctx(), []id.ID{messages[0].ID, messages[1].ID})
	w.ok("messages", err)
	same(w, "messages", 1, len(got))
	w.update(func(tx commit.Tx) error {
		taken, err := tx.TakeSeen(w.ctx(), []store.Seen{key})
		w.ok("take key", err)
		want := key
		want.Result = got[0].ID
		same(w, "the key's entry", []store.Seen{want}, taken)
		return nil
	})
}

func testEventTwins(w *world) {
	app, _ := w.app(0)
	events := []store.Message{w.event(app.ID, "twin"), w.event(app.ID, "twin")}
	wrote := w.race(func(tx commit.Tx) (bool, error) {
		found, err := tx.EventIDs(w.ctx(), []commit.EventKey{{App: app.ID, Hash: events[0].EventHash}})
		return len(found) == 0, err
	}, func(n int) store.Changes { return store.Changes{Messages: events[n : n+1]} })
	same(w, "transactions that took the eventId", 1, wrote)
}

// excludes runs a transaction and, while it is open, another one in a second
// process, which must not end before it.
func (w *world) excludes(first, second func(commit.Tx) error) {
	w.Helper()
	other := w.second()
	ended := make(chan error, 1)
	w.update(func(tx commit.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		go func() { ended <- other.Update(w.ctx(), second) }()
		select {
		case err := <-ended:
			w.Errorf("the second transaction has ended, with %v, while the first was open", err)
		case <-time.After(200 * time.Millisecond): // long enough to end, were it let
		}
		return tx.Apply(w.ctx(), &store.Changes{})
	})
	select {
	case err := <-ended:
		w.ok("second transaction", err)
	case <-time.After(20 * time.Second):
		w.Fatal("the second transaction does not end")
	}
}

// testConfigTwins changes an app in two processes at once: the second change finds
// what the first one left.
func testConfigTwins(w *world) {
	app, _ := w.app(0)
	change := func(name string) func(commit.Tx) error {
		return func(tx commit.Tx) error {
			if err := tx.LockConfig(w.ctx()); err != nil {
				return err
			}
			configs, err := tx.AppConfigs(w.ctx(), []commit.AppRef{{Ref: store.Ref{ID: app.ID}}})
			if err != nil {
				return err
			}
			next := configs[0].App
			next.ConfigVersion++
			next.Name += name
			return tx.Apply(w.ctx(), &store.Changes{Apps: []store.App{next}})
		}
	}
	w.excludes(change(" one"), change(" two"))
	got, err := w.App(w.ctx(), app.Org, store.Ref{ID: app.ID})
	w.ok("app", err)
	same(w, "name", app.Name+" one two", got.Name)
	same(w, "version", app.ConfigVersion+2, got.ConfigVersion)
}

// testAppStays changes an app in one process while another writes a message for it:
// the message is planned with what the app was, so the change comes after it.
func testAppStays(w *world) {
	app, _ := w.app(0)
	m := w.message(app.ID)
	next := app
	next.ConfigVersion++
	w.excludes(func(tx commit.Tx) error {
		versions, err := tx.Versions(w.ctx(), []id.ID{app.ID})
		w.ok("versions", err)
		same(w, "versions", map[id.ID]int64{app.ID: app.ConfigVersion}, versions)
		return tx.Apply(w.ctx(), &store.Changes{Messages: []store.Message{m}})
	}, func(tx commit.Tx) error {
		return tx.Apply(w.ctx(), &store.Changes{Apps: []store.App{next}})
	})
}

// testDeliveryStays finishes a delivery in one process while another decides about
// it.
func testDeliveryStays(w *world) {
	app, eps := w.app(1)
	d := w.deliver(app.ID, eps[0].ID, 1, w.now)[0]
	w.excludes(func(tx commit.Tx) error {
		rows, err := tx.Deliveries(w.ctx(), []delivery.Key{d.Key})
		w.ok("deliveries", err)
		same(w, "deliveries", []delivery.Delivery{d}, rows)
		return tx.Apply(w.ctx(), &store.Changes{Requeued: []store.Requeue{{Key: d.Key, At: w.now, Trigger: delivery.Manual}}})
	}, func(tx commit.Tx) error {
		rows, err := tx.Deliveries(w.ctx(), []delivery.Key{d.Key})
		if err != nil {
			return err
		}
		same(w, "trigger that the second sees", delivery.Manual, rows[0].Trigger)
		return tx.Apply(w.ctx(), &store.Changes{Finished: []store.Finish{{Key: d.Key, State: delivery.Canceled}}})
	})
	same(w, "state", delivery.Canceled, w.load(d.Key)[0].State)
}

func testLeaseEnds(w *world) {
	app, eps := w.app(1)
	d := w.deliver(app.ID, eps[0].ID, 2, w.now.Add(-time.Hour))
	held := w.claim(eps[0].ID, w.now, 2).Rows
	handed, h := w.handoff(app.ID, eps[0].ID)
	w.write(handed)
	w.reopen()
	again := w.claim(eps[0].ID, w.now, 5).Rows
	same(w, "claimed again", 3, len(again))
	for i, was := range append(held, h) {
		if again[i].Key != was.Key || again[i].Generation <= was.Generation {
			w.Errorf("claimed %+v after %+v, want the same under a later generation", again[i], was)
		}
	}
	// A result of the process that is gone is recorded, and changes nothing.
	w.write(store.Changes{Completed: []store.Completion{w.retry(held[0], w.now)}})
	same(w, "after the late result", again[:1], w.load(d[0].Key))
	same(w, "attempts", []int{held[0].Generation}, w.attempts(d[0]))
}

// testStrangeText looks for what a caller may name and no row has: NUL and bytes
// that are not UTF-8.
func testStrangeText(w *world) {
	app, _ := w.app(0)
	for _, text := range []string{"a\x00b", "\xff\xfe", "\xc3\x28"} {
		_, err := w.App(w.ctx(), app.Org, store.Ref{UID: text})
		w.absent("app", err)
		_, err = w.App(w.ctx(), text, store.Ref{ID: app.ID})
		w.absent("app of an org", err)
		_, err = w.AppEndpoint(w.ctx(), app.ID, store.Ref{UID: text})
		w.absent("endpoint", err)
		_, err = w.EventType(w.ctx(), app.Org, text)
		w.absent("event type", err)
		_, err = w.Message(w.ctx(), app.ID, store.Ref{UID: text})
		w.absent("message", err)
		_, err = w.Object(w.ctx(), live.Key{App: app.ID, Kind: live.Event, ID: text})
		w.absent("object", err)
		listed, err := w.Objects(w.ctx(), app.ID, live.Session, text, store.Page{Limit: 9})
		w.ok("objects", err)
		same(w, "listed objects", store.Listed[live.Row]{Done: true}, listed)
		rows, err := w.ObjectRange(w.ctx(), live.Range{App: app.ID, Kind: live.Session, After: text, Limit: 9})
		w.ok("range of objects", err)
		same(w, "range of objects", 0, len(rows))
		w.update(func(tx commit.Tx) error {
			configs, err := tx.AppConfigs(w.ctx(), []commit.AppRef{{Org: app.Org, Ref: store.Ref{UID: text}}})
			w.ok("configs", err)
			same(w, "configs", 0, len(configs))
			types, err := tx.EventTypes(w.ctx(), []commit.TypeKey{{Org: app.Org, Name: text}})
			w.ok("event types", err)
			same(w, "event types", 0, len(types))
			rows, err := tx.Objects(w.ctx(), []live.Key{{App: app.ID, Kind: live.Event, ID: text}, {App: app.ID, Kind: live.Session, Parent: text, ID: "s"}})
			w.ok("objects", err)
			same(w, "objects", 0, len(rows))
			rows, err = tx.ObjectRange(w.ctx(), live.Range{App: app.ID, Kind: live.Session, Parent: text, After: text, Limit: 9})
			w.ok("range of objects", err)
			same(w, "range of objects", 0, len(rows))
			return tx.Apply(w.ctx(), &store.Changes{}) // the transaction goes on
		})
	}
	// What strangers wrote is kept as it is: a receiver's error, an ordering key.
	a, eps := w.app(1)
	w.deliver(a.ID, eps[0].ID, 1, w.now)
	done := w.succeed(w.claim(eps[0].ID, w.now, 1).Rows[0])
	done.Attempt.Error, done.Attempt.Response = "nul \x00 and \xff", []byte("nul \x00 and \xff")
	w.write(store.Changes{Completed: []store.Completion{done}})
	got, err := w.Attempt(w.ctx(), a.ID, done.Attempt.Message, done.Attempt.ID)
	w.ok("attempt", err)
	same(w, "attempt", done.Attempt, got.Attempt)
}
