// Package storetest says how a store must behave: one suite that every driver
// passes. It sees a store only through the interfaces of its consumers.
//
// A driver's test calls Run. The cases do not depend on each other; each has a
// database of its own.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/janitor"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/tasks"
)

// Store is the union of what the engine asks of a store.
type Store interface {
	commit.Store
	dispatch.Store
	restapi.Store
	tasks.Store
	janitor.Store
	liveReads
	sourceReads
	trafficReads
	// OrgOf gives the org of an app; store.ErrNotFound if there is none or it is deleted.
	OrgOf(ctx context.Context, app id.ID) (string, error)
	// HasApps reports whether there is any app, be it a deleted one whose rows are still there.
	HasApps(ctx context.Context) (bool, error)
	feedReads
	// IDKey gives the installation's id key, the same at each start.
	IDKey(ctx context.Context) ([]byte, error)
	Close() error
}

// liveReads are what is read of live state outside of transactions.
type liveReads interface {
	// Object finds a row; store.ErrNotFound if there is none.
	Object(ctx context.Context, k live.Key) (live.Row, error)
	// Objects lists the resources of a kind below a parent by Seq. Rows without a Doc are
	// none.
	Objects(ctx context.Context, app id.ID, kind live.Kind, parent string, p store.Page) (store.Listed[live.Row], error)
	// CountedObjects gives resources by their place, and how many there are in all.
	CountedObjects(ctx context.Context, q store.ObjectQuery) (rows []live.Row, total int, err error)
	// ObjectRange gives rows in the order of their keys.
	ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error)
	// DueObjects gives rows of any app that are due at a time or were before it, by due
	// time and then by Seq, at most limit.
	DueObjects(ctx context.Context, at time.Time, limit int) ([]live.Row, error)
}

// sourceReads are what is read of sources outside of transactions.
type sourceReads interface {
	// Source finds a source; store.ErrNotFound if there is none, or it or its app is deleted.
	Source(ctx context.Context, source id.ID) (store.Source, error)
	// Sources lists the sources of an app, but for deleted ones.
	Sources(ctx context.Context, app id.ID, p store.Page) (store.Listed[store.Source], error)
	// ReceivedOf lists what a source of an app received, without bodies: what became one of
	// the statuses (nil = all), with ids in [since, until), where 0 is no bound.
	ReceivedOf(ctx context.Context, app, source id.ID, statuses []store.ReceivedStatus, since, until id.ID, p store.Page) (store.Listed[store.Received], error)
	// ReceivedOne finds a request that a source of an app received, with its body;
	// store.ErrNotFound if there is none.
	ReceivedOne(ctx context.Context, app, source, received id.ID) (store.Received, error)
}

// trafficReads are what is read of counts of attempts.
type trafficReads interface {
	// Traffic calls each with every row that a query asks for, in any order. The row is
	// valid until each returns.
	Traffic(ctx context.Context, q store.TrafficQuery, each func(*store.Traffic)) error
}

// Driver is what Run needs of the store under test.
type Driver struct {
	// Fresh makes a place for one database. Opening it a second time, after Close,
	// finds what was written.
	Fresh func(t testing.TB) (open func(context.Context) (Store, error))
	// Shared says that several processes may have a database open at once: opening it
	// again, without Close, is a second one. Leases are then in the rows, and one whose
	// holder is gone ends under a new generation.
	Shared bool
}

// testCase is one claim about a store.
type testCase struct {
	name string
	run  func(*world)
}

// Run runs the suite.
func Run(t *testing.T, d Driver) { runCases(t, d, append(alone(), together(d)...)) }

// RunVariant runs the suite on a driver that Run has in its usual form. With -short, which
// goes with the race detector, it runs the cases alone in which goroutines meet.
func RunVariant(t *testing.T, d Driver) {
	cases := together(d)
	if !testing.Short() {
		cases = append(alone(), cases...)
	}
	runCases(t, d, cases)
}

func runCases(t *testing.T, d Driver, cases []testCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(newWorld(t, d))
		})
	}
}

// alone are the cases that do one thing after the other.
func alone() []testCase {
	return []testCase{
		{"apps come back as they were written", testAppRoundTrip},
		{"app uids tell cases and orgs apart", testAppUIDs},
		{"an app uid is free after its app is deleted", testAppUIDReuse},
		{"configurations follow their version", testAppConfigs},
		{"apps are listed in both directions", testAppList},
		{"endpoints come back as they were written", testEndpointRoundTrip},
		{"endpoints stay within their app", testEndpointScope},
		{"event types come back as they were written", testEventTypeRoundTrip},
		{"event types are listed by name", testEventTypeList},
		{"settings come back as they were written", testSettings},
		{"messages come back as they were written", testMessageRoundTrip},
		{"an eventId names one living message of an app", testEventIDs},
		{"health rows come and go", testHealth},
		{"tasks come back as they were written", testTasks},

		{"a failed transaction leaves nothing", testRollback},
		{"a panic leaves nothing", testPanic},
		{"a transaction sees what it wrote", testOwnWrites},
		{"ids are remembered by node", testLastID},
		{"ids are remembered after their rows went", testLastIDAfterDrop},
		{"the id key stays", testIDKey},
		{"a closed store refuses", testClosed},

		{"a key is taken once its transaction is committed", testSeen},
		{"keys are forgotten when they expired", testForgetSeen},

		{"deliveries come back as they were written", testDeliveryRoundTrip},
		{"claims take what is due, in order", testClaimOrder},
		{"claims tell what is left", testClaimLeft},
		{"claims serve lanes side by side", testClaimLanes},
		{"lanes are listed with their first due time", testLanes},
		{"an inserted lease is not claimed", testHandoff},
		{"a rolled back lease is none", testHandoffRollback},
		{"a completion ends its lease", testComplete},
		{"a retry is pending again", testRetry},
		{"a second result of a lease is an attempt only", testTwoResults},
		{"a late result after a requeue is an attempt only", testRequeueLeased},
		{"a late result after a finish is an attempt only", testFinishLeased},
		{"a finish leaves finished deliveries alone", testFinishFinished},
		{"a requeue brings a finished delivery back", testRequeueFinished},
		{"a lease that was given back is claimed again", testGiveBack},
		{"giving back an old lease changes nothing", testGiveBackStale},
		{"a rolled back change keeps the lease", testRollbackKeepsLease},

		{"messages are listed in both directions", testMessageList},
		{"message filters miss nothing", testMessageFilters},
		{"a page that matches little ends early", testSparseFilter},
		{"an app with little traffic is found among others", testQuietApp},
		{"cursors are stable while rows come", testStableCursor},
		{"attempts are listed", testAttemptList},
		{"attempts name the URL they were sent to", testAttemptURL},
		{"deliveries are listed", testDeliveryList},
		{"deliveries are counted", testCount},
		{"deliveries of an app are listed over its endpoints", testLog},
		{"a log that matches little ends its pages early", testLogBounds},
		{"pending deliveries are listed however many they are", testManyPending},
		{"the last attempt of a delivery is found, and all are counted", testLastAttempts},
		{"what is undelivered is counted by endpoint", testUndelivered},
		{"attempts are read as they come", testAttemptFeed},
		{"a task walks an endpoint's deliveries", testDeliveriesOf},

		{"ranges of messages follow each other", testMessageRange},
		{"a dropped range takes everything with it", testDrop},
		{"a dropped range of one app leaves the others", testDropApp},
		{"an erased app goes with its endpoints, a living one stays", testEraseApp},
		{"a late result of a dropped message is nothing", testDropLeased},
		{"payloads expire", testPayloads},
		{"responses are dropped", testDropResponse},
		{"what a response said is dropped with it", testDropRedirect},
		{"free pages are given back", testShrink},

		{"objects come back as they were written", testObjectRoundTrip},
		{"object keys tell apps, kinds, parents and cases apart", testObjectKeys},
		{"objects are written over and erased", testObjectUpsert},
		{"a failed transaction leaves objects as they were", testObjectRollback},
		{"ranges of objects are in the order of bytes", testObjectRange},
		{"objects are listed in both directions", testObjectList},
		{"objects are listed by their place", testCountedObjects},
		{"due objects come in the order of their times", testDueObjects},
		{"the objects of an app are found", testAppObjects},
		{"the ids of objects are remembered", testLastSeq},

		{"sources come back as they were written", testSourceRoundTrip},
		{"sources are listed in both directions", testSourceList},
		{"a source goes with its app", testSourceOfErasedApp},
		{"received requests come back as they were written", testReceivedRoundTrip},
		{"received requests are listed by status and time", testReceivedList},
		{"of refused requests the newest stay", testTrimReceived},
		{"received requests are erased", testEraseReceived},
		{"bodies of received requests are dropped", testReceivedBodies},
		{"a message has the request that it came in with", testRaw},

		{"traffic is added up", testTrafficAdds},
		{"traffic is read by org, app, endpoint, width and time", testTrafficQueries},
		{"old traffic is found and erased", testOldTraffic},
		{"traffic goes with its app", testTrafficOfErasedApp},

		{"everything is there after a reopening", testReopen},
		{"random histories agree with a model", testModel},
		{"text that no column can hold is not found", testStrangeText},
	}
}

// together are the cases in which several goroutines use a store.
func together(d Driver) []testCase {
	cases := []testCase{{"two claimers never share a row", testClaimers}}
	if !d.Shared {
		return cases
	}
	return append(cases, []testCase{
		{"processes see each other's commits at once", testTwoProcesses},
		{"two processes never claim the same row", testTwoClaimers},
		{"a key that two processes take at once is taken once", testTwins},
		{"an eventId that two processes take at once is taken once", testEventTwins},
		{"changes of apps in two processes follow each other", testConfigTwins},
		{"an app stays as it is while a message is written for it", testAppStays},
		{"a delivery stays as it is while it is decided about", testDeliveryStays},
		{"a lease ends with its process", testLeaseEnds},
		{"a source stays as it is while a request is written for it", testSourceStays},
		{"an object that two processes make at once is made once", testObjectTwins},
		{"an object stays as it is while it is decided about", testObjectStays},
		{"an object that went while it was awaited is absent", testObjectGoes},
		{"objects are locked in the order of their keys", testObjectLocks},
	}...)
}

// world is a fresh database and a clock that stands still unless it is moved.
type world struct {
	testing.TB
	Store
	driver Driver
	open   func(context.Context) (Store, error)
	gen    *id.Generator
	now    time.Time
}

func newWorld(t testing.TB, d Driver) *world {
	t.Helper()
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		TB: t, driver: d, open: d.Fresh(t), gen: gen,
		now: time.Date(2027, 3, 4, 5, 6, 7, 123456000, time.UTC), // to the microsecond
	}
	w.start()
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

func (w *world) start() {
	w.Helper()
	s, err := w.open(w.ctx())
	if err != nil {
		w.Fatal("open:", err)
	}
	w.Store = s
}

// reopen closes the store and opens it again.
func (w *world) reopen() {
	w.Helper()
	if err := w.Close(); err != nil {
		w.Fatal("close:", err)
	}
	w.start()
}

func (w *world) ctx() context.Context { return context.Background() }

// next takes an id; the clock goes on by a millisecond.
func (w *world) next() id.ID {
	w.now = w.now.Add(time.Millisecond)
	return w.gen.Next(w.now)
}

// write commits changes; it must succeed.
func (w *world) write(c store.Changes) {
	w.Helper()
	w.update(func(tx commit.Tx) error { return w.apply(tx, c) })
}

// apply takes the keys that the changes name, then applies them.
func (w *world) apply(tx commit.Tx, c store.Changes) error {
	if len(c.Seen) > 0 {
		if _, err := tx.TakeSeen(w.ctx(), c.Seen); err != nil {
			return err
		}
	}
	return tx.Apply(w.ctx(), &c)
}

// update runs a transaction that must succeed.
func (w *world) update(fn func(commit.Tx) error) {
	w.Helper()
	if err := w.Update(w.ctx(), fn); err != nil {
		w.Fatal("update:", err)
	}
}

var errOnPurpose = errors.New("on purpose")

// fail applies changes in a transaction that is rolled back.
func (w *world) fail(c store.Changes) {
	w.Helper()
	err := w.Update(w.ctx(), func(tx commit.Tx) error {
		w.ok("apply", w.apply(tx, c))
		return errOnPurpose
	})
	if err != errOnPurpose { //nolint:errorlint // it must come back as it is
		w.Fatalf("rolled back update returned %v, want fn's error as it is", err)
	}
}

// same fails the test if two values differ.
func same[T any](w *world, what string, want, got T) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// absent fails the test unless err is store.ErrNotFound.
func (w *world) absent(what string, err error) {
	w.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		w.Errorf("%s: got error %v, want %v", what, err, store.ErrNotFound)
	}
}

// ok fails the test at once if there is an error.
func (w *world) ok(what string, err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

// pages follows a list to its end, some rows at a time, and gives all rows.
func pages[T any](w *world, p store.Page, list func(store.Page) (store.Listed[T], error)) []T {
	w.Helper()
	var all []T
	for range 10_000 {
		got, err := list(p)
		w.ok("list", err)
		if len(got.Rows) > p.Limit {
			w.Fatalf("a page of %d rows, %d were asked for", len(got.Rows), p.Limit)
		}
		all = append(all, got.Rows...)
		if got.Done {
			return all
		}
		if got.Next == p.After {
			w.Fatalf("the page after %d leads back to itself", p.After)
		}
		p.After = got.Next
	}
	w.Fatal("the list does not end")
	return nil
}

// app writes an app with some endpoints, all due for deliveries.
func (w *world) app(endpoints int) (store.App, []delivery.Endpoint) {
	w.Helper()
	app := store.App{ID: w.next(), Org: "org_1", Name: "App", ConfigVersion: 1, CreatedAt: w.now, UpdatedAt: w.now}
	c := store.Changes{Apps: []store.App{app}}
	for range endpoints {
		ep := delivery.Endpoint{ID: w.next(), App: app.ID, URL: "https://receiver.example/hook", Version: 1, CreatedAt: w.now, UpdatedAt: w.now}
		c.Endpoints = append(c.Endpoints, ep)
		c.URLs = append(c.URLs, store.EndpointURL{Endpoint: ep.ID, Since: w.now, URL: ep.URL})
	}
	w.write(c)
	return app, c.Endpoints
}

// message makes a plain message of an app.
func (w *world) message(app id.ID) store.Message {
	return store.Message{ID: w.next(), App: app, Type: "session.joined", Payload: []byte(`{"type":"session.joined"}`)}
}

// pending makes a delivery of a message, due at a time.
func pending(m store.Message, endpoint id.ID, at time.Time) delivery.Delivery {
	return delivery.Delivery{Key: delivery.Key{Message: m.ID, Endpoint: endpoint}, App: m.App, State: delivery.Pending, NextAt: at}
}

// deliver writes n messages with a delivery each, due one second after another
// from at on.
func (w *world) deliver(app, endpoint id.ID, n int, at time.Time) []delivery.Delivery {
	w.Helper()
	var c store.Changes
	for i := range n {
		m := w.message(app)
		c.Messages = append(c.Messages, m)
		c.Deliveries = append(c.Deliveries, pending(m, endpoint, at.Add(time.Duration(i)*time.Second)))
	}
	w.write(c)
	return c.Deliveries
}

// claim claims from one lane.
func (w *world) claim(endpoint id.ID, now time.Time, room int) store.Claimed {
	w.Helper()
	got, err := w.Claim(w.ctx(), now, []store.LaneRoom{{Endpoint: endpoint, Room: room}})
	w.ok("claim", err)
	if len(got) != 1 || got[0].Endpoint != endpoint {
		w.Fatalf("claim of one lane gave %v", got)
	}
	return got[0]
}

// load reads deliveries inside a transaction, in the order of keys.
func (w *world) load(keys ...delivery.Key) []delivery.Delivery {
	w.Helper()
	byKey := map[delivery.Key]delivery.Delivery{}
	w.update(func(tx commit.Tx) error {
		rows, err := tx.Deliveries(w.ctx(), keys)
		for _, d := range rows {
			byKey[d.Key] = settled(d)
		}
		return err
	})
	var rows []delivery.Delivery
	for _, k := range keys {
		if d, ok := byKey[k]; ok {
			rows = append(rows, d)
		}
	}
	return rows
}

// settled clears what is meaningless in a finished delivery.
func settled(d delivery.Delivery) delivery.Delivery {
	if d.State.Finished() {
		d.NextAt = time.Time{}
	}
	return d
}

// attempt makes the record of an attempt of a leased delivery.
func (w *world) attempt(d delivery.Delivery, status int) delivery.Attempt {
	return delivery.Attempt{
		Key: d.Key, N: d.Generation, ID: w.next(), App: d.App, Trigger: d.Trigger, At: w.now,
		Success: status/100 == 2, StatusCode: status, Latency: 1234 * time.Microsecond, Response: []byte("ok"),
	}
}

// succeed makes the completion of a leased delivery by a success.
func (w *world) succeed(d delivery.Delivery) store.Completion {
	next := d
	next.State, next.Step = delivery.Succeeded, d.Step+1
	return store.Completion{Attempt: w.attempt(d, 200), Next: next}
}

// retry makes the completion of a leased delivery by a failure.
func (w *world) retry(d delivery.Delivery, at time.Time) store.Completion {
	next := d
	next.State, next.Step, next.NextAt = delivery.Pending, d.Step+1, at
	return store.Completion{Attempt: w.attempt(d, 500), Next: next}
}

// attempts lists the numbers of a delivery's attempts, oldest first.
func (w *world) attempts(d delivery.Delivery) []int {
	w.Helper()
	rows := pages(w, store.Page{Limit: 100, Ascending: true}, func(p store.Page) (store.Listed[store.AttemptRow], error) {
		return w.ListAttempts(w.ctx(), store.AttemptQuery{Page: p, App: d.App, Message: d.Message, Endpoint: d.Endpoint})
	})
	var numbers []int
	for _, a := range rows {
		numbers = append(numbers, a.N)
	}
	return numbers
}
