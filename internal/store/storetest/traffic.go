package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// slots is where the traffic of these tests begins: the beginning of a day.
var slots = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)

// trafficOf gives the traffic that a query asks for, in the order of its keys.
func (w *world) trafficOf(q store.TrafficQuery) (rows []store.Traffic) {
	w.Helper()
	w.ok("traffic", w.Traffic(w.ctx(), q, func(t *store.Traffic) {
		row := *t
		row.Counts = slices.Clone(t.Counts)
		rows = append(rows, row)
	}))
	slices.SortFunc(rows, func(a, b store.Traffic) int {
		if a.App != b.App {
			return int(a.App - b.App)
		}
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		if a.Endpoint != b.Endpoint {
			return int(a.Endpoint - b.Endpoint)
		}
		return a.Node - b.Node
	})
	return rows
}

// ofDay asks for an app's traffic of the first day, in a width.
func ofDay(app id.ID, width time.Duration) store.TrafficQuery {
	return store.TrafficQuery{App: app, Width: width, Since: slots, Until: slots.Add(24 * time.Hour)}
}

func testTrafficAdds(w *world) {
	app, eps := w.app(2)
	key := store.TrafficKey{App: app.ID, Width: time.Minute, At: slots, Endpoint: eps[0].ID}
	other, otherNode, later := key, key, key
	other.Endpoint, otherNode.Node, later.At = eps[1].ID, 3, slots.Add(time.Minute)
	first := []store.Traffic{
		{TrafficKey: later, Counts: []store.BinCount{{Bin: 0, N: 7}}},
		{TrafficKey: key, Counts: []store.BinCount{{Bin: 3, N: 1}, {Bin: 300, N: 1 << 40}, {Bin: 65535, N: 2}}},
		{TrafficKey: otherNode, Counts: []store.BinCount{{Bin: 3, N: 5}}},
	}
	w.fail(store.Changes{Traffic: first})
	same(w, "what was rolled back", nil, w.trafficOf(ofDay(app.ID, time.Minute)))
	w.write(store.Changes{Traffic: first})
	w.write(store.Changes{Traffic: []store.Traffic{
		{TrafficKey: key, Counts: []store.BinCount{{Bin: 0, N: 4}, {Bin: 3, N: 10}, {Bin: 301, N: 1}}},
		{TrafficKey: other, Counts: []store.BinCount{{Bin: 3, N: 9}}},
	}})
	w.reopen()
	want := []store.Traffic{
		{TrafficKey: key, Counts: []store.BinCount{{Bin: 0, N: 4}, {Bin: 3, N: 11}, {Bin: 300, N: 1 << 40}, {Bin: 301, N: 1}, {Bin: 65535, N: 2}}},
		{TrafficKey: otherNode, Counts: []store.BinCount{{Bin: 3, N: 5}}},
		{TrafficKey: other, Counts: []store.BinCount{{Bin: 3, N: 9}}},
		{TrafficKey: later, Counts: []store.BinCount{{Bin: 0, N: 7}}},
	}
	same(w, "sums", want, w.trafficOf(ofDay(app.ID, time.Minute)))
	w.fail(store.Changes{Traffic: first, ErasedTraffic: []store.TrafficKey{other}})
	same(w, "sums after a rollback", want, w.trafficOf(ofDay(app.ID, time.Minute)))
}

func testTrafficQueries(w *world) {
	one, ones := w.app(2)
	two, twos := w.app(1)
	gone, gones := w.app(1)
	foreign, foreigns := w.app(1)
	gone.Deleted, foreign.Org = true, "org_2"
	w.write(store.Changes{Apps: []store.App{gone, foreign}})
	var all []store.Traffic
	for _, ep := range []id.ID{ones[0].ID, ones[1].ID, twos[0].ID, gones[0].ID, foreigns[0].ID} {
		app := map[id.ID]id.ID{ones[0].ID: one.ID, ones[1].ID: one.ID, twos[0].ID: two.ID, gones[0].ID: gone.ID, foreigns[0].ID: foreign.ID}[ep]
		for i := range 4 {
			for _, width := range []time.Duration{time.Minute, time.Hour} {
				key := store.TrafficKey{App: app, Width: width, At: slots.Add(time.Duration(i) * width), Endpoint: ep}
				all = append(all, store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: len(all), N: 1}}})
			}
		}
	}
	w.write(store.Changes{Traffic: all})
	where := func(keep func(*store.Traffic) bool) (rows []store.Traffic) {
		for i := range all {
			if t := &all[i]; t.Width == time.Hour && !t.At.Before(slots.Add(time.Hour)) && t.At.Before(slots.Add(3*time.Hour)) && keep(t) {
				rows = append(rows, *t)
			}
		}
		return rows
	}
	for _, tt := range []struct {
		what string
		q    store.TrafficQuery
		keep func(*store.Traffic) bool
	}{
		{"app", store.TrafficQuery{App: one.ID}, func(t *store.Traffic) bool { return t.App == one.ID }},
		{"endpoint", store.TrafficQuery{App: one.ID, Endpoint: ones[1].ID}, func(t *store.Traffic) bool { return t.Endpoint == ones[1].ID }},
		{"endpoint of another app", store.TrafficQuery{App: one.ID, Endpoint: twos[0].ID}, func(*store.Traffic) bool { return false }},
		{"org", store.TrafficQuery{Org: "org_1"}, func(t *store.Traffic) bool { return t.App == one.ID || t.App == two.ID }},
		{"endpoint of an org", store.TrafficQuery{Org: "org_1", Endpoint: twos[0].ID}, func(t *store.Traffic) bool { return t.App == two.ID }},
		{"another org", store.TrafficQuery{Org: "org_2"}, func(t *store.Traffic) bool { return t.App == foreign.ID }},
		{"no such org", store.TrafficQuery{Org: "org_3\x00"}, func(*store.Traffic) bool { return false }},
	} {
		tt.q.Width, tt.q.Since, tt.q.Until = time.Hour, slots.Add(time.Hour), slots.Add(3*time.Hour)
		same(w, tt.what, sortedTraffic(where(tt.keep)), sortedTraffic(w.trafficOf(tt.q)))
	}
}

// sortedTraffic sorts by the only bin, which no two rows share.
func sortedTraffic(rows []store.Traffic) []store.Traffic {
	slices.SortFunc(rows, func(a, b store.Traffic) int { return a.Counts[0].Bin - b.Counts[0].Bin })
	return rows
}

func testOldTraffic(w *world) {
	app, eps := w.app(1)
	var keys []store.TrafficKey
	var c store.Changes
	for i := range 6 {
		for _, width := range []time.Duration{time.Minute, time.Hour} {
			key := store.TrafficKey{App: app.ID, Width: width, At: slots.Add(time.Duration(i) * width), Endpoint: eps[0].ID, Node: i % 2}
			c.Traffic = append(c.Traffic, store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: 1, N: 1}}})
			if width == time.Minute {
				keys = append(keys, key)
			}
		}
	}
	w.write(c)
	old := func(before time.Time, limit int) []store.TrafficKey {
		w.Helper()
		got, err := w.OldTraffic(w.ctx(), time.Minute, before, limit)
		w.ok("old traffic", err)
		return got
	}
	same(w, "at its beginning", nil, old(slots, 10))
	same(w, "old", keys[:3], old(slots.Add(3*time.Minute), 10))
	same(w, "limit", 2, len(old(slots.Add(time.Hour), 2)))
	w.write(store.Changes{ErasedTraffic: []store.TrafficKey{keys[2], keys[0], keys[1]}})
	same(w, "old, three erased", keys[3:], old(slots.Add(time.Hour), 10))
	same(w, "of the other width", 6, len(w.trafficOf(ofDay(app.ID, time.Hour))))
}

func testTrafficOfErasedApp(w *world) {
	gone, goneEps := w.app(1)
	other, otherEps := w.app(1)
	count := func(app, endpoint id.ID) store.Traffic {
		key := store.TrafficKey{App: app, Width: time.Hour, At: slots, Endpoint: endpoint}
		return store.Traffic{TrafficKey: key, Counts: []store.BinCount{{Bin: 1, N: 1}}}
	}
	later := count(gone.ID, goneEps[0].ID)
	later.At = slots.Add(time.Hour)
	mine, others := count(gone.ID, goneEps[0].ID), count(other.ID, otherEps[0].ID)
	w.write(store.Changes{Traffic: []store.Traffic{mine, others, later}})
	keys, err := w.AppTraffic(w.ctx(), gone.ID, 10)
	w.ok("traffic of an app", err)
	if diff := cmp.Diff([]store.TrafficKey{mine.TrafficKey, later.TrafficKey}, keys); diff != "" {
		w.Errorf("traffic of an app (-want +got):\n%s", diff)
	}
	keys, err = w.AppTraffic(w.ctx(), gone.ID, 1)
	w.ok("traffic of an app", err)
	same(w, "limit", 1, len(keys))
	gone.Deleted = true
	w.write(store.Changes{ErasedApps: []id.ID{other.ID}})
	w.write(store.Changes{Apps: []store.App{gone}, ErasedApps: []id.ID{gone.ID}})
	keys, err = w.AppTraffic(w.ctx(), gone.ID, 10)
	w.ok("traffic of an app", err)
	same(w, "traffic of an erased app", nil, keys)
	same(w, "traffic of another app", []store.Traffic{others}, w.trafficOf(ofDay(other.ID, time.Hour)))
}
