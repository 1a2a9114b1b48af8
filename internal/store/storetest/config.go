package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func testAppRoundTrip(w *world) {
	full := store.App{
		ID: w.next(), Org: "org_1", UID: "Acme.1", Name: "Acme ünïcode \" <&>", ThrottleRate: 7, Metadata: map[string]string{"k": "v", "": "x"},
		Dialects: []string{"native", "zuddl"}, DefaultDialect: "zuddl", ResourceURLBase: "https://events.example.com",
		SigningTokens:   []delivery.Secret{{Value: "new"}, {Value: "old", Expires: w.now.Add(time.Hour)}},
		TokensValidFrom: w.now.Add(time.Microsecond), ConfigVersion: 1 << 40, CreatedAt: w.now, UpdatedAt: w.now.Add(3 * time.Microsecond),
	}
	plain := store.App{ID: w.next(), Org: "org_1", CreatedAt: w.now, UpdatedAt: w.now}
	empty := store.App{ID: w.next(), Org: "org_1", Metadata: map[string]string{}, CreatedAt: w.now, UpdatedAt: w.now}
	w.write(store.Changes{Apps: []store.App{full, plain, empty}})
	for _, want := range []store.App{full, plain, empty} {
		got, err := w.App(w.ctx(), "org_1", store.Ref{ID: want.ID})
		w.ok("app", err)
		same(w, "app", want, got)
	}
	full.UID, full.Metadata, full.ThrottleRate = "", nil, 0
	full.ConfigVersion++
	w.write(store.Changes{Apps: []store.App{full}})
	got, err := w.App(w.ctx(), "org_1", store.Ref{ID: full.ID})
	w.ok("app", err)
	same(w, "changed app", full, got)
	_, err = w.App(w.ctx(), "org_1", store.Ref{UID: "Acme.1"})
	w.absent("uid that was taken off", err)
}

func testAppUIDs(w *world) {
	upper := store.App{ID: w.next(), Org: "org_1", UID: "Acme"}
	lower := store.App{ID: w.next(), Org: "org_1", UID: "acme"}
	other := store.App{ID: w.next(), Org: "org_2", UID: "acme"}
	w.write(store.Changes{Apps: []store.App{upper, lower, other}})
	for _, want := range []store.App{upper, lower, other} {
		got, err := w.App(w.ctx(), want.Org, store.Ref{UID: want.UID})
		w.ok("app by uid", err)
		same(w, "app by uid", want, got)
	}
	_, err := w.App(w.ctx(), "org_1", store.Ref{UID: "ACME"})
	w.absent("uid in another case", err)
	_, err = w.App(w.ctx(), "ORG_1", store.Ref{UID: "acme"})
	w.absent("org in another case", err)
	_, err = w.App(w.ctx(), "org_2", store.Ref{ID: upper.ID})
	w.absent("app of another org", err)
	org, err := w.OrgOf(w.ctx(), other.ID)
	w.ok("org of an app", err)
	same(w, "org of an app", "org_2", org)
	err = w.Update(w.ctx(), func(tx commit.Tx) error {
		return tx.Apply(w.ctx(), &store.Changes{Apps: []store.App{{ID: w.next(), Org: "org_1", UID: "acme"}}})
	})
	if err == nil {
		w.Error("two living apps of an org took one uid")
	}
}

func testAppUIDReuse(w *world) {
	some, err := w.HasApps(w.ctx())
	w.ok("has apps", err)
	same(w, "has apps", false, some)
	first := store.App{ID: w.next(), Org: "org_1", UID: "acme", ConfigVersion: 1}
	w.write(store.Changes{Apps: []store.App{first}})
	gone := first
	gone.Deleted = true
	second := store.App{ID: w.next(), Org: "org_1", UID: "acme", ConfigVersion: 1}
	w.write(store.Changes{Apps: []store.App{gone, second}}) // in one batch
	got, err := w.App(w.ctx(), "org_1", store.Ref{UID: "acme"})
	w.ok("app by uid", err)
	same(w, "app that took the uid", second, got)
	_, err = w.App(w.ctx(), "org_1", store.Ref{ID: first.ID})
	w.absent("deleted app", err)
	_, err = w.OrgOf(w.ctx(), first.ID)
	w.absent("org of a deleted app", err)
	some, err = w.HasApps(w.ctx())
	w.ok("has apps", err)
	same(w, "has apps", true, some)

	// A uid changes hands within a batch.
	second.UID = "former"
	third := store.App{ID: w.next(), Org: "org_1", UID: "acme"}
	w.write(store.Changes{Apps: []store.App{second, third}})
	got, err = w.App(w.ctx(), "org_1", store.Ref{UID: "acme"})
	w.ok("app by uid", err)
	same(w, "app that took the uid", third, got)
}

func testAppConfigs(w *world) {
	app, eps := w.app(3)
	app.UID = "acme"
	eps[1].Deleted = true
	eps[2].FilterTypes = []string{}
	app.ConfigVersion = 2
	other, _ := w.app(0)
	w.write(store.Changes{Apps: []store.App{app}, Endpoints: eps[1:]})
	want := store.AppConfig{App: app, Endpoints: []delivery.Endpoint{eps[0], eps[2]}}
	unknown := w.next()
	w.update(func(tx commit.Tx) error {
		versions, err := tx.Versions(w.ctx(), []id.ID{app.ID, unknown, other.ID})
		w.ok("versions", err)
		same(w, "versions", map[id.ID]int64{app.ID: 2, other.ID: 1}, versions)
		for _, ref := range []commit.AppRef{
			{Org: "org_1", Ref: store.Ref{ID: app.ID}},
			{Org: "org_1", Ref: store.Ref{UID: "acme"}},
			{Ref: store.Ref{ID: app.ID}}, // any org
		} {
			got, err := tx.AppConfigs(w.ctx(), []commit.AppRef{ref})
			w.ok("app configs", err)
			same(w, "app config", []store.AppConfig{want}, got)
		}
		got, err := tx.AppConfigs(w.ctx(), []commit.AppRef{
			{Org: "org_2", Ref: store.Ref{ID: app.ID}}, {Org: "org_1", Ref: store.Ref{UID: "ACME"}}, {Org: "org_1", Ref: store.Ref{ID: unknown}},
		})
		w.ok("app configs", err)
		same(w, "configs that are out of scope", 0, len(got))
		return nil
	})

	app.ConfigVersion = 3
	w.fail(store.Changes{Apps: []store.App{app}})
	w.update(func(tx commit.Tx) error {
		versions, err := tx.Versions(w.ctx(), []id.ID{app.ID})
		w.ok("versions", err)
		same(w, "version after a rollback", map[id.ID]int64{app.ID: 2}, versions)
		w.ok("apply", tx.Apply(w.ctx(), &store.Changes{Apps: []store.App{app}}))
		versions, err = tx.Versions(w.ctx(), []id.ID{app.ID})
		w.ok("versions", err)
		same(w, "version inside the transaction that raised it", map[id.ID]int64{app.ID: 3}, versions)
		return nil
	})
	app.Deleted = true
	w.write(store.Changes{Apps: []store.App{app}})
	w.update(func(tx commit.Tx) error {
		versions, err := tx.Versions(w.ctx(), []id.ID{app.ID})
		w.ok("versions", err)
		same(w, "version of a deleted app", map[id.ID]int64{}, versions)
		got, err := tx.AppConfigs(w.ctx(), []commit.AppRef{{Ref: store.Ref{ID: app.ID}}})
		w.ok("app configs", err)
		same(w, "config of a deleted app", 0, len(got))
		return nil
	})
}

func testAppList(w *world) {
	var want []store.App
	for i := range 7 {
		app, _ := w.app(0)
		if i == 3 {
			app.Deleted = true
			w.write(store.Changes{Apps: []store.App{app}})
			continue
		}
		want = append(want, app)
	}
	w.write(store.Changes{Apps: []store.App{{ID: w.next(), Org: "org_2"}}})
	list := func(p store.Page) (store.Listed[store.App], error) { return w.Apps(w.ctx(), "org_1", p) }
	for _, limit := range []int{1, 2, 6, 7} {
		same(w, "apps, ascending", want, pages(w, store.Page{Limit: limit, Ascending: true}, list))
		slices.Reverse(want)
		same(w, "apps, newest first", want, pages(w, store.Page{Limit: limit}, list))
		slices.Reverse(want)
	}
}

func testEndpointRoundTrip(w *world) {
	app, _ := w.app(0)
	full := delivery.Endpoint{
		ID: w.next(), App: app.ID, UID: "Ep-1", URL: "https://receiver.example/a?b=c&d=<e>", Description: "d\n\"", Dialect: "zuddl",
		NoTranslate: true, Ordered: true, Paused: true, Disabled: true, DisabledReason: "gone", DisabledAt: w.now.Add(time.Microsecond),
		Version: 3, FilterTypes: []string{"a.b", "c"}, Channels: []string{"x"}, Headers: map[string]string{"X-A": "1"}, Sensitive: []string{"X-A"},
		Secrets:      []delivery.Secret{{Value: "whsec_new"}, {Value: "whsec_old", Expires: w.now.Add(time.Hour)}},
		ThrottleRate: 5, RetrySchedule: []time.Duration{time.Second, time.Hour}, Timeout: 3 * time.Second, Deadline: time.Minute,
		Metadata: map[string]string{"m": "1"}, CreatedAt: w.now, UpdatedAt: w.now.Add(time.Microsecond),
	}
	none := delivery.Endpoint{ID: w.next(), App: app.ID, URL: "https://receiver.example", Version: 1, CreatedAt: w.now, UpdatedAt: w.now}
	empty := none
	empty.ID = w.next()
	empty.FilterTypes, empty.Channels, empty.Sensitive = []string{}, []string{}, []string{}
	empty.Headers, empty.Metadata = map[string]string{}, map[string]string{}
	empty.Secrets, empty.RetrySchedule = []delivery.Secret{}, []time.Duration{}
	want := []delivery.Endpoint{full, none, empty}
	w.write(store.Changes{Endpoints: want})
	for _, e := range want {
		got, err := w.AppEndpoint(w.ctx(), app.ID, store.Ref{ID: e.ID})
		w.ok("endpoint", err)
		same(w, "endpoint", e, got)
		got, gotApp, err := w.Endpoint(w.ctx(), e.ID)
		w.ok("endpoint for dispatch", err)
		same(w, "endpoint for dispatch", e, got)
		same(w, "its app", app, gotApp)
	}
	list := func(p store.Page) (store.Listed[delivery.Endpoint], error) { return w.AppEndpoints(w.ctx(), app.ID, p) }
	same(w, "endpoints", want, pages(w, store.Page{Limit: 2, Ascending: true}, list))
	slices.Reverse(want)
	same(w, "endpoints, newest first", want, pages(w, store.Page{Limit: 2}, list))
}

func testEndpointScope(w *world) {
	app, eps := w.app(2)
	other, _ := w.app(0)
	upper, lower := eps[0], eps[1]
	upper.UID, lower.UID = "Hook", "hook"
	w.write(store.Changes{Endpoints: []delivery.Endpoint{upper, lower}})
	for _, want := range []delivery.Endpoint{upper, lower} {
		got, err := w.AppEndpoint(w.ctx(), app.ID, store.Ref{UID: want.UID})
		w.ok("endpoint by uid", err)
		same(w, "endpoint by uid", want, got)
	}
	_, err := w.AppEndpoint(w.ctx(), other.ID, store.Ref{ID: upper.ID})
	w.absent("endpoint of another app", err)
	_, err = w.AppEndpoint(w.ctx(), other.ID, store.Ref{UID: "hook"})
	w.absent("uid of another app", err)

	upper.Deleted = true
	again := delivery.Endpoint{ID: w.next(), App: app.ID, UID: "Hook", URL: "https://receiver.example/2", Version: 1}
	w.write(store.Changes{Endpoints: []delivery.Endpoint{upper, again}})
	_, err = w.AppEndpoint(w.ctx(), app.ID, store.Ref{ID: upper.ID})
	w.absent("deleted endpoint", err)
	got, err := w.AppEndpoint(w.ctx(), app.ID, store.Ref{UID: "Hook"})
	w.ok("endpoint that took the uid", err)
	same(w, "endpoint that took the uid", again, got)
	got, _, err = w.Endpoint(w.ctx(), upper.ID)
	w.ok("deleted endpoint for dispatch", err)
	same(w, "deleted endpoint for dispatch", upper, got)
	_, _, err = w.Endpoint(w.ctx(), w.next())
	w.absent("unknown endpoint for dispatch", err)
}

func testEventTypeRoundTrip(w *world) {
	full := store.EventType{
		Org: "org_1", Name: "Session.joined", Description: "d", GroupName: "g", Archived: true, Deprecated: true,
		Schemas: []byte("{ \"1\": {\"a\":\"<&>\"} }"), FeatureFlags: []string{"f"}, CreatedAt: w.now, UpdatedAt: w.now.Add(time.Microsecond),
	}
	none := store.EventType{Org: "org_1", Name: "session.joined", CreatedAt: w.now, UpdatedAt: w.now}
	empty := store.EventType{Org: "org_2", Name: "session.joined", FeatureFlags: []string{}, CreatedAt: w.now, UpdatedAt: w.now}
	w.write(store.Changes{EventTypes: []store.EventType{full, none, empty}})
	for _, want := range []store.EventType{full, none, empty} {
		got, err := w.EventType(w.ctx(), want.Org, want.Name)
		w.ok("event type", err)
		same(w, "event type", want, got)
	}
	w.update(func(tx commit.Tx) error {
		got, err := tx.EventTypes(w.ctx(), []commit.TypeKey{{Org: "org_1", Name: "Session.joined"}, {Org: "org_1", Name: "unknown"}, {Org: "org_2", Name: "session.joined"}})
		w.ok("event types", err)
		slices.SortFunc(got, func(a, b store.EventType) int { return cmp.Compare(a.Org, b.Org) })
		same(w, "event types in a transaction", []store.EventType{full, empty}, got)
		return nil
	})
	full.Archived, full.Schemas = false, nil
	w.write(store.Changes{EventTypes: []store.EventType{full}, EraseTypes: []store.EventType{none}})
	got, err := w.EventType(w.ctx(), "org_1", "Session.joined")
	w.ok("event type", err)
	same(w, "changed event type", full, got)
	_, err = w.EventType(w.ctx(), "org_1", "session.joined")
	w.absent("erased event type", err)
}

func testEventTypeList(w *world) {
	var c store.Changes
	for _, name := range []string{"b.two", "B.one", "a", "a.b", "a_b", "z"} {
		c.EventTypes = append(c.EventTypes, store.EventType{Org: "org_1", Name: name, Archived: name == "a_b", CreatedAt: w.now, UpdatedAt: w.now})
	}
	c.EventTypes = append(c.EventTypes, store.EventType{Org: "org_2", Name: "c", CreatedAt: w.now, UpdatedAt: w.now})
	w.write(c)
	names := func(archived, ascending bool) (names []string) {
		p := store.Page{Limit: 2, Ascending: ascending}
		for range 100 {
			got, err := w.EventTypes(w.ctx(), "org_1", p, archived)
			w.ok("event types", err)
			for _, row := range got.Rows {
				names = append(names, row.Name)
			}
			if got.Done {
				break
			}
			p.AfterName = names[len(names)-1]
		}
		return names
	}
	want := []string{"B.one", "a", "a.b", "a_b", "b.two", "z"} // by bytes
	same(w, "names", want, names(true, true))
	same(w, "names, not archived", []string{"B.one", "a", "a.b", "b.two", "z"}, names(false, true))
	slices.Reverse(want)
	same(w, "names, descending", want, names(true, false))
}

func testSettings(w *world) {
	got, err := w.Settings(w.ctx(), "org_1")
	w.ok("settings", err)
	same(w, "settings that were never set", store.OrgSettings{Org: "org_1"}, got)
	one := store.OrgSettings{Org: "org_1", Doc: []byte(`{ "catalog" : "all" }`), UpdatedAt: w.now}
	two := store.OrgSettings{Org: "Org_1", UpdatedAt: w.now}
	w.write(store.Changes{Orgs: []store.OrgSettings{one, two}})
	for _, want := range []store.OrgSettings{one, two} {
		got, err := w.Settings(w.ctx(), want.Org)
		w.ok("settings", err)
		same(w, "settings", want, got)
	}
	one.Doc, one.UpdatedAt = nil, w.now.Add(time.Microsecond)
	w.write(store.Changes{Orgs: []store.OrgSettings{one}})
	w.update(func(tx commit.Tx) error {
		got, err := tx.Settings(w.ctx(), []string{"org_1", "org_3"}, nil)
		w.ok("settings", err)
		same(w, "settings in a transaction", []store.OrgSettings{one}, got)
		got, err = tx.Settings(w.ctx(), []string{"org_1", "org_3", "Org_1"}, map[string]time.Time{"org_1": w.now, "Org_1": w.now})
		w.ok("settings", err)
		same(w, "settings that have changed", []store.OrgSettings{one}, got)
		got, err = tx.Settings(w.ctx(), []string{"org_1", "org_3"}, map[string]time.Time{"org_1": one.UpdatedAt, "org_3": w.now})
		w.ok("settings", err)
		same(w, "settings that have not changed", 0, len(got))
		return nil
	})
}

func testHealth(w *world) {
	_, eps := w.app(2)
	got, err := w.Health(w.ctx(), eps[0].ID)
	w.ok("health", err)
	if got.Failures != 0 || got.ManyMessages || !got.FailingSince.IsZero() {
		w.Errorf("health of an endpoint that never failed is %+v", got)
	}
	want := store.Health{Endpoint: eps[0].ID, FailingSince: w.now.Add(time.Microsecond), Failures: 3, FirstMessage: w.next(), ManyMessages: true}
	w.fail(store.Changes{Healths: []store.Health{want}})
	in := func(expected []store.Health) {
		w.Helper()
		w.update(func(tx commit.Tx) error {
			got, err := tx.Healths(w.ctx(), []id.ID{eps[0].ID, eps[1].ID})
			w.ok("healths", err)
			same(w, "health rows", expected, got)
			return nil
		})
	}
	in(nil)
	w.write(store.Changes{Healths: []store.Health{want}})
	in([]store.Health{want})
	want.Failures++
	w.write(store.Changes{Healths: []store.Health{want}})
	w.reopen()
	in([]store.Health{want})
	got, err = w.Health(w.ctx(), eps[0].ID)
	w.ok("health", err)
	same(w, "health", want, got)
	w.fail(store.Changes{Healthy: []id.ID{eps[0].ID}})
	in([]store.Health{want})
	w.write(store.Changes{Healthy: []id.ID{eps[0].ID, eps[1].ID}})
	in(nil)
}

func testTasks(w *world) {
	var all []store.Task
	for i := range 4 {
		all = append(all, store.Task{
			ID: w.next(), Org: "org_1", App: id.ID(1 + i%2), Endpoint: id.ID(10 + i), Kind: store.TaskRecover, State: store.TaskRunning,
			Since: 5, Until: 9, Cursor: 6, Done: 1 << 33, Reason: "r", Subject: `{"id":"s"}`, UpdatedAt: w.now.Add(time.Microsecond),
		})
	}
	w.write(store.Changes{Tasks: all})
	running, err := w.RunningTasks(w.ctx())
	w.ok("running tasks", err)
	same(w, "running tasks, oldest first", all, running)
	all[1].State, all[1].Cursor, all[1].Done, all[1].Subject = store.TaskFinished, 8, 7, `{"total":7}`
	all[2].State, all[2].Reason = store.TaskFailed, ""
	w.write(store.Changes{Tasks: all[1:3]})
	running, err = w.RunningTasks(w.ctx())
	w.ok("running tasks", err)
	same(w, "running tasks", []store.Task{all[0], all[3]}, running)
	got, err := w.Task(w.ctx(), "org_1", all[1].ID)
	w.ok("task", err)
	same(w, "task", all[1], got)
	_, err = w.Task(w.ctx(), "org_2", all[1].ID)
	w.absent("task of another org", err)
	w.update(func(tx commit.Tx) error {
		rows, err := tx.Tasks(w.ctx(), []id.ID{all[2].ID, w.next()})
		w.ok("tasks", err)
		same(w, "tasks in a transaction", all[2:3], rows)
		return nil
	})
	list := func(app, endpoint id.ID) func(store.Page) (store.Listed[store.Task], error) {
		return func(p store.Page) (store.Listed[store.Task], error) {
			return w.ListTasks(w.ctx(), "org_1", app, endpoint, p)
		}
	}
	same(w, "tasks", all, pages(w, store.Page{Limit: 3, Ascending: true}, list(0, 0)))
	same(w, "tasks of an app", []store.Task{all[2], all[0]}, pages(w, store.Page{Limit: 1}, list(1, 0)))
	same(w, "tasks of an endpoint", []store.Task{all[3]}, pages(w, store.Page{Limit: 1}, list(2, 13)))
}
