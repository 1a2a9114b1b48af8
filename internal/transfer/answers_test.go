package transfer_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/storetest"
)

// answers asks a store for everything that the fixture has, through the interfaces
// that the engine uses, and gives what it says by question.
func (f *fixture) answers(t *testing.T, s storetest.Store) map[string]any {
	t.Helper()
	a := &asking{T: t, said: map[string]any{}}
	f.askInstallation(a, s)
	for _, app := range f.apps {
		f.askApp(a, s, app)
	}
	for _, ep := range f.endpoints {
		f.askEndpoint(a, s, ep)
	}
	for _, m := range f.messages {
		f.askMessage(a, s, m)
	}
	f.askSources(a, s)
	f.askTransaction(a, s)
	return a.said
}

// asking collects answers. A question is what is asked and whom it is about.
type asking struct {
	*testing.T
	said map[string]any
}

// note keeps an answer; that there is none is one too.
func (a *asking) note(what string, about any, answer any, err error) {
	question := what
	if k, ok := about.(id.ID); ok {
		question += " " + k.Time().Format(time.RFC3339Nano)
	} else if text, ok := about.(string); ok {
		question += " " + text
	}
	if _, twice := a.said[question]; twice {
		a.Fatalf("%s was asked before", question)
	}
	if err != nil {
		answer = err.Error()
	}
	a.said[question] = answer
}

func (f *fixture) askInstallation(a *asking, s storetest.Store) {
	ctx := a.Context()
	key, err := s.IDKey(ctx)
	a.note("id key", nil, key, err)
	last, err := s.LastID(ctx, 0)
	a.note("last id", nil, last, err)
	lanes, err := s.Lanes(ctx)
	slices.SortFunc(lanes, func(x, y store.LaneDue) int { return cmp.Compare(x.Endpoint, y.Endpoint) })
	a.note("lanes", nil, lanes, err)
	running, err := s.RunningTasks(ctx)
	a.note("running tasks", nil, running, err)
	for _, org := range []string{"org_1", "org_2", "org_3"} {
		settings, err := s.Settings(ctx, org)
		a.note("settings", org, settings, err)
		types, err := s.EventTypes(ctx, org, store.Page{Limit: 100, Ascending: true}, true)
		a.note("event types", org, types, err)
		apps, err := s.Apps(ctx, org, store.Page{Limit: 100})
		a.note("apps", org, apps, err)
		tasks, err := s.ListTasks(ctx, org, 0, 0, store.Page{Limit: 100})
		a.note("tasks", org, tasks, err)
		for _, uid := range []string{"App-0", "app-0", "App-2"} {
			app, err := s.App(ctx, org, store.Ref{UID: uid})
			a.note("app by uid "+uid, org, app, err)
		}
	}
	due, err := s.DueObjects(ctx, f.now, 100)
	a.note("due objects", nil, due, err)
	expired, err := s.ExpiredPayloads(ctx, f.now.Add(100*time.Hour), 10)
	a.note("expired payloads", nil, expired, err)
}

func (f *fixture) askApp(a *asking, s storetest.Store, app store.App) {
	ctx := a.Context()
	got, err := s.App(ctx, app.Org, store.Ref{ID: app.ID})
	a.note("app", app.ID, got, err)
	endpoints, err := s.AppEndpoints(ctx, app.ID, store.Page{Limit: 100})
	a.note("endpoints", app.ID, endpoints, err)
	main, err := s.AppEndpoint(ctx, app.ID, store.Ref{UID: "Main"})
	a.note("endpoint by uid", app.ID, main, err)
	messages, err := s.ListMessages(ctx, store.MessageQuery{Page: store.Page{Limit: 100}, App: app.ID, Content: true})
	a.note("messages", app.ID, messages.Rows, err)
	event, err := s.Message(ctx, app.ID, store.Ref{UID: "order-1"})
	a.note("message by eventId", app.ID, event, err)
	r, ok, err := s.MessageRange(ctx, app.ID, 0, 0, 100)
	a.note("range", app.ID, []any{r, ok}, err)
	events, err := s.Objects(ctx, app.ID, live.Event, "", store.Page{Limit: 100})
	a.note("events", app.ID, events, err)
	sources, err := s.Sources(ctx, app.ID, store.Page{Limit: 100})
	a.note("sources", app.ID, sources, err)
	for _, w := range store.TrafficWidths() {
		q := store.TrafficQuery{App: app.ID, Width: w.Width, Since: f.now.Add(-48 * time.Hour), Until: f.now.Add(48 * time.Hour)}
		var counts []store.Traffic
		err := s.Traffic(ctx, q, func(t *store.Traffic) {
			counts = append(counts, store.Traffic{TrafficKey: t.TrafficKey, Counts: slices.Clone(t.Counts)})
		})
		a.note("traffic in slots of "+w.Width.String(), app.ID, counts, err)
	}
	presences, err := s.ObjectRange(ctx, live.Range{App: app.ID, Kind: live.Presence, Parent: "e", Limit: 100})
	a.note("presences", app.ID, presences, err)
}

func (f *fixture) askEndpoint(a *asking, s storetest.Store, ep delivery.Endpoint) {
	ctx := a.Context()
	got, app, err := s.Endpoint(ctx, ep.ID)
	a.note("endpoint of dispatch", ep.ID, []any{got, app}, err)
	health, err := s.Health(ctx, ep.ID)
	a.note("health", ep.ID, health, err)
	counts, err := s.CountDeliveries(ctx, ep.App, ep.ID, 0, 0)
	a.note("counts", ep.ID, counts, err)
	deliveries, err := s.ListDeliveries(ctx, store.DeliveryQuery{Page: store.Page{Limit: 100}, App: ep.App, Endpoint: ep.ID, Content: true})
	a.note("deliveries of endpoint", ep.ID, deliveries.Rows, err)
	attempts, err := s.ListAttempts(ctx, store.AttemptQuery{Page: store.Page{Limit: 100}, App: ep.App, Endpoint: ep.ID, Content: true, WithMessage: true})
	a.note("attempts of endpoint", ep.ID, attempts.Rows, err)
}

func (f *fixture) askMessage(a *asking, s storetest.Store, m store.Message) {
	ctx := a.Context()
	got, err := s.Message(ctx, m.App, store.Ref{ID: m.ID})
	a.note("message", m.ID, got, err)
	deliveries, err := s.ListDeliveries(ctx, store.DeliveryQuery{Page: store.Page{Limit: 100}, App: m.App, Message: m.ID})
	a.note("deliveries of message", m.ID, deliveries.Rows, err)
	attempts, err := s.ListAttempts(ctx, store.AttemptQuery{Page: store.Page{Limit: 100}, App: m.App, Message: m.ID, Content: true})
	a.note("attempts of message", m.ID, attempts.Rows, err)
}

func (f *fixture) askSources(a *asking, s storetest.Store) {
	ctx := a.Context()
	for _, source := range f.sources {
		got, err := s.Source(ctx, source.ID)
		a.note("source", source.ID, got, err)
		for what, statuses := range map[string][]store.ReceivedStatus{"received": nil, "not accepted": {store.Refused, store.Unreadable}} {
			received, err := s.ReceivedOf(ctx, source.App, source.ID, statuses, 0, 0, store.Page{Limit: 100})
			a.note(what, source.ID, received, err)
		}
	}
	for _, r := range f.received {
		got, err := s.ReceivedOne(ctx, r.App, r.Source, r.ID)
		a.note("received request", r.ID, got, err)
	}
}

// askTransaction asks what the committer asks.
func (f *fixture) askTransaction(a *asking, s storetest.Store) {
	ctx := a.Context()
	err := s.Update(ctx, func(tx commit.Tx) error {
		seen, err := tx.TakeSeen(ctx, f.seen)
		slices.SortFunc(seen, func(x, y store.Seen) int { return cmp.Compare(x.Result, y.Result) })
		a.note("seen", nil, seen, err)
		var ids []id.ID
		for _, app := range f.apps {
			ids = append(ids, app.ID)
		}
		versions, err := tx.Versions(ctx, ids)
		a.note("versions", nil, versions, err)
		ids = nil
		for _, k := range f.tasks {
			ids = append(ids, k.ID)
		}
		tasks, err := tx.Tasks(ctx, ids)
		slices.SortFunc(tasks, func(x, y store.Task) int { return cmp.Compare(x.ID, y.ID) })
		a.note("tasks by id", nil, tasks, err)
		var keys []live.Key
		for _, row := range f.objects {
			keys = append(keys, row.Key)
		}
		objects, err := tx.Objects(ctx, keys)
		slices.SortFunc(objects, func(x, y live.Row) int { return x.Compare(y.Key) })
		a.note("objects by key", nil, objects, err)
		return err
	})
	if err != nil {
		a.Fatal(err)
	}
}
