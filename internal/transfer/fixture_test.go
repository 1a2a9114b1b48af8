package transfer_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// fixture is a database of SQLite with rows of every kind, and what to ask for.
type fixture struct {
	path      string
	gen       *id.Generator
	now       time.Time
	apps      []store.App // of org_1 and org_2, the last one deleted
	endpoints []delivery.Endpoint
	messages  []store.Message
	tasks     []store.Task
	objects   []live.Row
	sources   []store.Source   // the last one deleted
	received  []store.Received // the last one erased, whose id is the largest of all
	seen      []store.Seen
	pending   int // deliveries that are due at now or before, leased ones included
}

// newFixture writes the database and closes it.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		path: filepath.Join(t.TempDir(), "callboard.db"), gen: gen,
		now: time.Date(2027, 3, 4, 5, 6, 7, 123456000, time.UTC),
	}
	// A few dedupe keys fit into the set, the others go to the second table.
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: f.path, SeenBytes: 4 * 46})
	if err != nil {
		t.Fatal(err)
	}
	f.configure(t, s)
	f.send(t, s)
	f.deliver(t, s)
	f.remember(t, s)
	f.live(t, s)
	f.receive(t, s)
	f.count(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// next takes an id; the clock goes on by a millisecond.
func (f *fixture) next() id.ID {
	f.now = f.now.Add(time.Millisecond)
	return f.gen.Next(f.now)
}

func write(t *testing.T, s *sqlite.Store, c store.Changes) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx commit.Tx) error { return tx.Apply(t.Context(), &c) }); err != nil {
		t.Fatal(err)
	}
}

// configure writes settings, types, apps, endpoints.
func (f *fixture) configure(t *testing.T, s *sqlite.Store) {
	t.Helper()
	c := store.Changes{Orgs: []store.OrgSettings{
		{Org: "org_1", Doc: []byte(`{"a": 1}`), UpdatedAt: f.now},
		{Org: "org_2", UpdatedAt: f.now.Add(time.Second)},
	}}
	for i := range 5 {
		c.EventTypes = append(c.EventTypes, store.EventType{
			Org: "org_1", Name: fmt.Sprintf("session.%d", i), Description: "ü", GroupName: "g", Archived: i == 1, Deprecated: i == 2,
			Schemas: []byte(`{"1": {"type":  "object"}}`), FeatureFlags: []string{"f"}, CreatedAt: f.now, UpdatedAt: f.now,
		})
	}
	c.EventTypes[3].Schemas, c.EventTypes[3].FeatureFlags = nil, nil
	c.EventTypes[4].Org, c.EventTypes[4].FeatureFlags = "org_2", []string{}
	for i := range 4 {
		app := store.App{
			ID: f.next(), Org: "org_1", UID: fmt.Sprintf("App-%d", i), Name: "App", ThrottleRate: i, Metadata: map[string]string{"k": "v"},
			ConfigVersion: int64(7 + i), CreatedAt: f.now, UpdatedAt: f.now,
		}
		f.apps = append(f.apps, app)
	}
	f.apps[1].UID, f.apps[1].Metadata = "app-0", nil // differs from the first one's in case
	f.apps[2].Org, f.apps[2].TokensValidFrom = "org_2", f.now
	f.apps[2].Dialects, f.apps[2].DefaultDialect = []string{"iotum"}, "iotum"
	f.apps[2].ResourceURLBase = "https://events.example.com"
	f.apps[2].SigningTokens = []delivery.Secret{{Value: "new"}, {Value: "old", Expires: f.now.Add(time.Hour)}}
	f.apps[3].UID, f.apps[3].Deleted = "App-0", true // free again
	c.Apps = f.apps
	for i := range 5 {
		ep := delivery.Endpoint{
			ID: f.next(), App: f.apps[i%2].ID, URL: "https://receiver.example/hook", Version: 1, CreatedAt: f.now, UpdatedAt: f.now,
			FilterTypes: []string{"session.1"}, Channels: []string{}, Headers: map[string]string{"X-A": "1"}, Sensitive: []string{"X-A"},
			Secrets:       []delivery.Secret{{Value: "whsec_new"}, {Value: "whsec_old", Expires: f.now.Add(time.Hour)}},
			RetrySchedule: []time.Duration{time.Second, time.Hour}, Timeout: 3 * time.Second, Metadata: map[string]string{"k": "v"},
		}
		f.endpoints = append(f.endpoints, ep)
		for j := range 1 + i%3 {
			url := store.EndpointURL{Endpoint: ep.ID, Since: f.now.Add(time.Duration(j) * time.Microsecond), URL: fmt.Sprintf("%s/%d", ep.URL, j)}
			c.URLs = append(c.URLs, url)
		}
	}
	f.endpoints[1].UID, f.endpoints[1].Ordered, f.endpoints[1].Paused = "Main", true, true
	f.endpoints[2] = delivery.Endpoint{ID: f.endpoints[2].ID, App: f.endpoints[2].App, URL: "https://a.example", CreatedAt: f.now, UpdatedAt: f.now}
	f.endpoints[3].Disabled, f.endpoints[3].DisabledReason, f.endpoints[3].DisabledAt = true, "failing", f.now
	f.endpoints[4].Deleted, f.endpoints[4].UID, f.endpoints[4].App = true, "Main", f.apps[3].ID
	c.Endpoints = f.endpoints
	c.Healths = []store.Health{
		{Endpoint: f.endpoints[0].ID, FailingSince: f.now, Failures: 3, FirstMessage: 77, ManyMessages: true},
		{Endpoint: f.endpoints[3].ID, FailingSince: f.now.Add(time.Microsecond), Failures: 1, FirstMessage: 78},
	}
	write(t, s, c)
}

// send writes messages of all shapes.
func (f *fixture) send(t *testing.T, s *sqlite.Store) {
	t.Helper()
	for i := range 12 {
		f.messages = append(f.messages, store.Message{ID: f.next(), App: f.apps[i%2].ID, Type: "session.1", Payload: []byte(`{"n": 1}`)})
	}
	full := &f.messages[1]
	*full = store.Message{
		ID: full.ID, App: full.App, Type: "session.2", Test: true, EventID: "order-1", EventHash: store.HashText("order-1"),
		Channels: []string{"x", "y"}, Tags: []string{}, OrderKey: "k\x00\xff", DeliverAt: f.now.Add(time.Hour),
		PayloadExpires: f.now.Add(48 * time.Hour), Payload: []byte("{\"text\": \"ü\x00\xff\"}"),
	}
	f.messages[2].Payload = nil
	f.messages[3].Payload = []byte{}
	f.messages[4].EventID, f.messages[4].EventHash = "order-1", store.HashText("order-1") // of the other app
	f.messages[5].Tags = []string{"t"}
	f.messages[6].Tenant, f.messages[6].ResourceBase = "App-0", "https://events.example.com"
	f.messages[1].Tenant = "app-0"
	f.messages[7].From, f.messages[7].Raw = "zuddl", []byte(" {\"a\" : \"ü\x00\xff\"}")
	f.messages[8].From, f.messages[8].Raw = "raw", []byte{}
	write(t, s, store.Changes{Messages: f.messages})
}

// deliver writes deliveries in every state, some of them with attempts.
func (f *fixture) deliver(t *testing.T, s *sqlite.Store) {
	t.Helper()
	var c store.Changes
	for i, m := range f.messages {
		d := delivery.Delivery{
			Key: delivery.Key{Message: m.ID, Endpoint: f.endpoints[i%2].ID}, App: m.App, State: delivery.Pending,
			NextAt: f.now.Add(time.Duration(-i) * time.Second),
		}
		c.Deliveries = append(c.Deliveries, d)
	}
	rest := c.Deliveries[6:]
	rest[0].State = delivery.Waiting
	rest[0].OrderKey, rest[0].OrderSeq = "k\x00\xff", 9
	rest[1].State, rest[1].Generation = delivery.Leased, 1 // handed to a sender, as the process ends
	rest[2].State, rest[2].Step, rest[2].Generation, rest[2].NextAt = delivery.Succeeded, 1, 1, time.Time{}
	rest[3].State, rest[3].Reason, rest[3].Generation, rest[3].NextAt = delivery.Failed, delivery.Exhausted, 5, time.Time{}
	rest[4].State, rest[4].Trigger, rest[4].NextAt = delivery.Canceled, delivery.Manual, time.Time{}
	rest[5].NextAt, rest[5].Deadline = f.now.Add(time.Hour), f.now.Add(2*time.Hour) // due later
	write(t, s, c)
	f.pending = len(c.Deliveries) - 5
	f.attempt(t, s)
}

// attempt claims what is due; some attempts succeed, some fail, some are still under
// way when the process ends.
func (f *fixture) attempt(t *testing.T, s *sqlite.Store) {
	t.Helper()
	var c store.Changes
	for i, ep := range f.endpoints[:2] {
		claimed, err := s.Claim(t.Context(), f.now, []store.LaneRoom{{Endpoint: ep.ID, Room: 3 - i}})
		if err != nil {
			t.Fatal(err)
		}
		for j, d := range claimed[0].Rows[:2] {
			next := d
			next.Step++
			a := delivery.Attempt{
				Key: d.Key, N: d.Generation, ID: f.next(), App: d.App, At: f.now, Success: j == 0, StatusCode: 204,
				Latency: 1234 * time.Microsecond, Response: []byte{},
			}
			if next.State = delivery.Succeeded; j > 0 {
				a.StatusCode, a.Error, a.Response = 0, "no route\x00 to host", nil
				next.State, next.NextAt = delivery.Pending, f.now.Add(-time.Minute)
			} else if f.pending--; i == 0 {
				a.StatusCode, a.Response = 200, []byte("ok\x00\xff")
			}
			c.Completed = append(c.Completed, store.Completion{Attempt: a, Next: next})
		}
	}
	write(t, s, c)
}

// live writes live state, of an app and of an org. Of what is removed only its id is
// remembered.
func (f *fixture) live(t *testing.T, s *sqlite.Store) {
	t.Helper()
	for i, k := range []live.Key{
		{App: f.apps[0].ID, Kind: live.Presence, Parent: "e", ID: "b"},
		{App: f.apps[0].ID, Kind: live.Presence, Parent: "e", ID: "B"},
		{App: f.apps[0].ID, Kind: live.Presence, Parent: "e", ID: "é"},
		{App: f.apps[0].ID, Kind: live.Event, ID: "e"},
		{Kind: live.Counter, Parent: "org_1", ID: "event"},
		{App: f.apps[1].ID, Kind: live.Event, ID: "gone"},
	} {
		row := live.Row{Key: k, Seq: f.next(), State: fmt.Append(nil, i), CreatedAt: f.now, UpdatedAt: f.now.Add(time.Microsecond)}
		f.objects = append(f.objects, row)
	}
	f.objects[1].Due, f.objects[1].State = f.now, []byte{}
	f.objects[3].Due, f.objects[3].State, f.objects[3].Doc = time.UnixMicro(0).UTC(), nil, []byte("{\"name\": \"ü\x00\xff\"}")
	write(t, s, store.Changes{Objects: f.objects})
	write(t, s, store.Changes{ErasedObjects: []live.Key{f.objects[5].Key}})
}

// count writes counts of attempts, of two nodes.
func (f *fixture) count(t *testing.T, s *sqlite.Store) {
	t.Helper()
	var c store.Changes
	for i, w := range store.TrafficWidths() {
		for node, app := range f.apps[:2] {
			key := store.TrafficKey{App: app.ID, Width: w.Width, At: f.now.Truncate(w.Width), Endpoint: f.endpoints[0].ID, Node: node}
			c.Traffic = append(c.Traffic, store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: i, N: 1}, {Bin: 65535, N: 1 << 40}}})
		}
	}
	write(t, s, c)
}

// receive writes sources and what they received.
func (f *fixture) receive(t *testing.T, s *sqlite.Store) {
	t.Helper()
	for i := range 3 {
		f.sources = append(f.sources, store.Source{ID: f.next(), App: f.apps[i%2].ID, Org: "org_1", Dialect: "iotum", CreatedAt: f.now, UpdatedAt: f.now})
	}
	f.sources[1].Description, f.sources[1].Channels, f.sources[1].TypeField = "ü", []string{"x"}, "a.b"
	f.sources[1].Auth = store.SourceAuth{Secrets: []string{"new", "old"}, Token: "t", NextToken: "n", TokenHeader: "x-token", Handshake: "h"}
	f.sources[2].Deleted = true
	for i, status := range []store.ReceivedStatus{store.Accepted, store.Refused, store.Unreadable, store.Refused, store.Refused} {
		of := f.sources[i%3]
		f.received = append(f.received, store.Received{ID: f.next(), App: of.App, Source: of.ID, Status: status, Doc: []byte(`{"a": 1}`), Body: []byte("ü\x00\xff")})
	}
	f.received[0].Message, f.received[0].Body = f.messages[7].ID, nil
	f.received[3].Body = []byte{}
	write(t, s, store.Changes{Sources: f.sources, Received: f.received})
	write(t, s, store.Changes{ErasedReceived: []id.ID{f.received[4].ID}})
}

// remember writes tasks and dedupe keys. Of what is removed in the end only its id is
// remembered, the largest of all.
func (f *fixture) remember(t *testing.T, s *sqlite.Store) {
	t.Helper()
	for i := range 4 {
		f.tasks = append(f.tasks, store.Task{
			ID: f.next(), Org: "org_1", App: f.apps[0].ID, Endpoint: f.endpoints[0].ID, Kind: store.TaskRecover, Subject: `{"id":"s"}`, State: store.TaskState(1 + i%3),
			Since: 5, Until: 9, Cursor: 6, Done: 1 << 33, Reason: "r", UpdatedAt: f.now,
		})
	}
	f.tasks[3].Endpoint, f.tasks[3].Reason = 0, ""
	for i := range 9 {
		name := fmt.Sprintf("key %d", i)
		f.seen = append(f.seen, store.Seen{
			Hash: store.HashText(name), Body: store.HashText(name + " body"), Expires: f.now.Add(time.Duration(i) * time.Hour).Truncate(time.Second),
			Result: id.ID(i),
		})
	}
	write(t, s, store.Changes{Tasks: f.tasks})
	for i := range f.seen {
		write(t, s, store.Changes{Seen: f.seen[i : i+1]})
	}
	gone := store.Message{ID: f.next(), App: f.apps[0].ID, Type: "session.1"}
	write(t, s, store.Changes{Messages: []store.Message{gone}})
	write(t, s, store.Changes{Dropped: []store.Range{{From: gone.ID, Until: gone.ID + 1}}})
}
