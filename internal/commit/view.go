package commit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// errWroteAndRefused is a defect of a Decide function.
var errWroteAndRefused = errors.New("a unit wrote to the view and then refused")

// View is the loaded part of the store as a batch's decisions see it: what the
// units before have decided is already in it. It is used by one goroutine and
// only until Decide returns.
type View struct {
	now     time.Time
	gen     *id.Generator
	handoff Handoff
	writes  int // counts changes, to find units that write and then refuse

	apps       map[id.ID]*store.AppConfig
	appByUID   map[uidKey]id.ID
	settings   map[string]store.OrgSettings
	types      map[TypeKey]store.EventType
	eventIDs   map[EventKey]id.ID
	messages   map[id.ID]store.Message
	deliveries map[delivery.Key]delivery.Delivery
	healths    map[id.ID]store.Health
	tasks      map[id.ID]store.Task
	sources    map[id.ID]store.Source
	changed    map[id.ID]struct{} // apps whose configuration this batch changed
	judged     map[id.ID]struct{} // endpoints whose health this batch changed
	objects    objects

	changes store.Changes
}

type uidKey struct{ org, uid string }

func newView(gen *id.Generator, handoff Handoff) *View {
	return &View{
		gen:        gen,
		handoff:    handoff,
		apps:       map[id.ID]*store.AppConfig{},
		appByUID:   map[uidKey]id.ID{},
		settings:   map[string]store.OrgSettings{},
		types:      map[TypeKey]store.EventType{},
		eventIDs:   map[EventKey]id.ID{},
		messages:   map[id.ID]store.Message{},
		deliveries: map[delivery.Key]delivery.Delivery{},
		healths:    map[id.ID]store.Health{},
		tasks:      map[id.ID]store.Task{},
		sources:    map[id.ID]store.Source{},
		changed:    map[id.ID]struct{}{},
		judged:     map[id.ID]struct{}{},
		objects:    newObjects(),
	}
}

// reset empties the view for the next batch. Maps and slices are kept: a batch
// is formed thousands of times a second.
func (v *View) reset(now time.Time) {
	v.now = now
	v.writes = 0
	clear(v.apps)
	clear(v.appByUID)
	clear(v.settings)
	clear(v.types)
	clear(v.eventIDs)
	clear(v.messages)
	clear(v.deliveries)
	clear(v.healths)
	clear(v.tasks)
	clear(v.sources)
	clear(v.changed)
	clear(v.judged)
	v.objects.reset()
	v.changes.Reset()
}

// decide runs the units' decisions in order.
func (v *View) decide(units []*Unit) error {
	for _, u := range units {
		before := v.writes
		result, err := u.Decide(v)
		u.result, u.err = Result{ID: result}, err
		if err != nil && v.writes != before {
			return fmt.Errorf("%w: %w", errWroteAndRefused, err)
		}
		if v.objects.defect != nil {
			return v.objects.defect
		}
		if !u.keyed() {
			continue
		}
		entry := u.Seen
		if err != nil {
			v.changes.Unseen = append(v.changes.Unseen, entry)
			continue
		}
		entry.Result = result
		v.changes.Seen = append(v.changes.Seen, entry)
	}
	v.seal()
	return nil
}

// seal writes what several units of a batch may change, once and as it is at the
// end, in the order of ids or keys.
func (v *View) seal() {
	for _, app := range slices.Sorted(maps.Keys(v.changed)) {
		v.changes.Apps = append(v.changes.Apps, v.apps[app].App)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(v.judged)) {
		if h, failing := v.healths[endpoint]; failing {
			v.changes.Healths = append(v.changes.Healths, h)
		} else {
			v.changes.Healthy = append(v.changes.Healthy, endpoint)
		}
	}
	v.objects.seal(&v.changes)
}

// committed passes the changes on to the senders, and lets go of them: they are
// nothing that could still be rolled back.
func (v *View) committed() {
	if v.handoff != nil {
		v.handoff.Committed(&v.changes)
	}
	v.changes.Reset()
}

// rollBack gives the reservations of an undone batch back.
func (v *View) rollBack() {
	if v.handoff != nil {
		v.handoff.RolledBack(&v.changes)
	}
	v.changes.Reset()
}

// load reads what the units' decisions need.
func (c *Committer) load(ctx context.Context, tx Tx, units []*Unit) error {
	var keys Keys
	for _, u := range units {
		keys.add(&u.Keys)
	}
	v := c.view
	if keys.ChangesConfig {
		if err := tx.LockConfig(ctx); err != nil {
			return fmt.Errorf("lock configuration: %w", err)
		}
	}
	if err := c.cache.load(ctx, tx, v, keys.Apps); err != nil {
		return fmt.Errorf("load apps: %w", err)
	}
	if err := c.orgs.load(ctx, tx, v, unique(keys.Orgs)); err != nil {
		return fmt.Errorf("load settings: %w", err)
	}
	if err := loadInto(ctx, v.types, unique(keys.EventTypes), tx.EventTypes, func(t store.EventType) TypeKey { return TypeKey{t.Org, t.Name} }); err != nil {
		return fmt.Errorf("load event types: %w", err)
	}
	if err := loadInto(ctx, v.messages, unique(keys.Messages), tx.Messages, func(m store.Message) id.ID { return m.ID }); err != nil {
		return fmt.Errorf("load messages: %w", err)
	}
	if err := loadInto(ctx, v.deliveries, unique(keys.Deliveries), tx.Deliveries, func(d delivery.Delivery) delivery.Key { return d.Key }); err != nil {
		return fmt.Errorf("load deliveries: %w", err)
	}
	if err := loadInto(ctx, v.healths, unique(keys.Healths), tx.Healths, func(h store.Health) id.ID { return h.Endpoint }); err != nil {
		return fmt.Errorf("load endpoint health: %w", err)
	}
	if err := loadInto(ctx, v.tasks, unique(keys.Tasks), tx.Tasks, func(t store.Task) id.ID { return t.ID }); err != nil {
		return fmt.Errorf("load tasks: %w", err)
	}
	if err := loadInto(ctx, v.sources, unique(keys.Sources), tx.Sources, func(s store.Source) id.ID { return s.ID }); err != nil {
		return fmt.Errorf("load sources: %w", err)
	}
	if err := v.objects.load(ctx, tx, &keys); err != nil {
		return fmt.Errorf("load live state: %w", err)
	}
	if len(keys.EventIDs) == 0 {
		return nil
	}
	found, err := tx.EventIDs(ctx, unique(keys.EventIDs))
	if err != nil {
		return fmt.Errorf("load event ids: %w", err)
	}
	maps.Copy(v.eventIDs, found)
	return nil
}

// loadInto reads the rows of keys, if there are any, and files them under key.
func loadInto[K comparable, R any](ctx context.Context, into map[K]R, keys []K, read func(context.Context, []K) ([]R, error), key func(R) K) error {
	if len(keys) == 0 {
		return nil
	}
	rows, err := read(ctx, keys)
	if err != nil {
		return err
	}
	for _, r := range rows {
		into[key(r)] = r
	}
	return nil
}

// unique removes repetitions, in place, keeping the order.
func unique[K comparable](keys []K) []K {
	if len(keys) < 2 {
		return keys
	}
	met := make(map[K]struct{}, len(keys))
	return slices.DeleteFunc(keys, func(k K) bool {
		_, again := met[k]
		met[k] = struct{}{}
		return again
	})
}

// Now is the time of the batch; all its rows carry it.
func (v *View) Now() time.Time { return v.now }

// NextID takes an id. Ids of a unit that is refused are lost, which is harmless.
func (v *View) NextID() id.ID { return v.gen.Next(v.now) }

// App finds an app by id or uid; the configuration must not be modified.
func (v *View) App(ref AppRef) (*store.AppConfig, bool) {
	key := ref.ID
	if key == 0 {
		key = v.appByUID[uidKey{ref.Org, ref.UID}]
	}
	cfg, ok := v.apps[key]
	if !ok || cfg.App.Deleted || ref.Org != "" && cfg.App.Org != ref.Org {
		return nil, false
	}
	return cfg, true
}

// FindEndpoint finds an endpoint of an app by id or uid; it must not be modified.
func FindEndpoint(cfg *store.AppConfig, ref store.Ref) (*delivery.Endpoint, bool) {
	i := -1
	if ref.ID != 0 {
		if at, ok := search(cfg.Endpoints, ref.ID); ok {
			i = at
		}
	} else if ref.UID != "" {
		i = slices.IndexFunc(cfg.Endpoints, func(e delivery.Endpoint) bool { return e.UID == ref.UID })
	}
	if i < 0 {
		return nil, false
	}
	return &cfg.Endpoints[i], true
}

// search finds an endpoint's place among others, which are in the order of ids.
func search(endpoints []delivery.Endpoint, endpoint id.ID) (at int, found bool) {
	return slices.BinarySearchFunc(endpoints, endpoint, func(e delivery.Endpoint, key id.ID) int { return cmp.Compare(e.ID, key) })
}

// Settings gives an org's settings; the zero document if it never set any. The document
// is shared with other batches and is not to be changed.
func (v *View) Settings(org string) store.OrgSettings {
	s := v.settings[org]
	s.Org = org
	return s
}

// EventType finds a declared event type, archived ones included.
func (v *View) EventType(k TypeKey) (store.EventType, bool) {
	t, ok := v.types[k]
	return t, ok
}

// EventID finds the living message that carries an eventId.
func (v *View) EventID(k EventKey) (id.ID, bool) {
	m, ok := v.eventIDs[k]
	return m, ok
}

// Message finds a loaded message.
func (v *View) Message(k id.ID) (store.Message, bool) {
	m, ok := v.messages[k]
	return m, ok
}

// Delivery finds a loaded delivery.
func (v *View) Delivery(k delivery.Key) (delivery.Delivery, bool) {
	d, ok := v.deliveries[k]
	return d, ok
}

// Health finds the failures of an endpoint; false means that it is healthy.
func (v *View) Health(endpoint id.ID) (store.Health, bool) {
	h, ok := v.healths[endpoint]
	return h, ok
}

// Task finds a loaded task.
func (v *View) Task(k id.ID) (store.Task, bool) {
	t, ok := v.tasks[k]
	return t, ok
}

// Source finds a loaded source; a deleted one is not found. It must not be modified.
func (v *View) Source(k id.ID) (store.Source, bool) {
	s, ok := v.sources[k]
	return s, ok && !s.Deleted
}

// PutApp writes an app and raises its configuration's version. A new app has its
// id from NextID.
func (v *View) PutApp(app store.App) {
	next := &store.AppConfig{}
	if cfg, ok := v.apps[app.ID]; ok {
		next.Endpoints = cfg.Endpoints
		if cfg.App.UID != "" && cfg.App.UID != app.UID {
			delete(v.appByUID, uidKey{cfg.App.Org, cfg.App.UID})
		}
	}
	app.ConfigVersion++
	next.App = app
	v.putConfig(next)
}

// PutEndpoint writes an endpoint of a loaded app and raises the app's version.
func (v *View) PutEndpoint(ep delivery.Endpoint) {
	cfg, ok := v.apps[ep.App]
	if !ok {
		panic("commit: PutEndpoint of an app that the unit did not load")
	}
	next := &store.AppConfig{App: cfg.App, Endpoints: slices.Clone(cfg.Endpoints)}
	at, known := search(next.Endpoints, ep.ID)
	switch {
	case known && ep.Deleted:
		next.Endpoints = slices.Delete(next.Endpoints, at, at+1)
	case known:
		next.Endpoints[at] = ep
	case !ep.Deleted:
		next.Endpoints = slices.Insert(next.Endpoints, at, ep)
	}
	next.App.ConfigVersion++
	if i := slices.IndexFunc(v.changes.Endpoints, func(e delivery.Endpoint) bool { return e.ID == ep.ID }); i >= 0 {
		v.changes.Endpoints[i] = ep
	} else {
		v.changes.Endpoints = append(v.changes.Endpoints, ep)
	}
	v.putConfig(next)
}

func (v *View) putConfig(cfg *store.AppConfig) {
	v.writes++
	v.apps[cfg.App.ID] = cfg
	if cfg.App.UID != "" {
		k := uidKey{cfg.App.Org, cfg.App.UID}
		if cfg.App.Deleted {
			delete(v.appByUID, k)
		} else {
			v.appByUID[k] = cfg.App.ID
		}
	}
	v.changed[cfg.App.ID] = struct{}{}
}

// PutURL notes that an endpoint has another URL from now on.
func (v *View) PutURL(endpoint id.ID, url string) {
	v.writes++
	v.changes.URLs = append(v.changes.URLs, store.EndpointURL{Endpoint: endpoint, Since: v.now, URL: url})
}

// PutSettings writes an org's settings. Their UpdatedAt must be later than that of the ones
// they take the place of: it is their version.
func (v *View) PutSettings(s store.OrgSettings) {
	v.writes++
	v.settings[s.Org] = s
	v.changes.Orgs = append(v.changes.Orgs, s)
}

// PutEventType declares or changes an event type.
func (v *View) PutEventType(t store.EventType) {
	v.writes++
	v.types[TypeKey{t.Org, t.Name}] = t
	v.changes.EventTypes = append(v.changes.EventTypes, t)
}

// EraseEventType removes an event type.
func (v *View) EraseEventType(t store.EventType) {
	v.writes++
	delete(v.types, TypeKey{t.Org, t.Name})
	v.changes.EraseTypes = append(v.changes.EraseTypes, t)
}

// AddMessage writes a new message, whose id is from NextID.
func (v *View) AddMessage(m store.Message) {
	v.writes++
	if m.EventID != "" {
		v.eventIDs[EventKey{m.App, m.EventHash}] = m.ID
	}
	v.changes.Messages = append(v.changes.Messages, m)
}

// AddDelivery writes a new delivery. One that is due now goes straight to this
// node's senders if they have room for it and its payload of sizeBytes (0 if the
// message was written before this batch: the sender then loads it).
func (v *View) AddDelivery(d delivery.Delivery, sizeBytes int) {
	v.writes++
	if v.handoff != nil && d.State == delivery.Pending && !d.NextAt.After(v.now) && v.handoff.Reserve(d.Endpoint, sizeBytes) {
		d.State = delivery.Leased
		d.Generation++
	}
	v.changes.Deliveries = append(v.changes.Deliveries, d)
}

// Complete writes the end of an attempt.
func (v *View) Complete(c store.Completion) {
	v.writes++
	v.changes.Completed = append(v.changes.Completed, c)
}

// Requeue makes a loaded delivery pending again.
func (v *View) Requeue(r store.Requeue) {
	v.writes++
	d := v.deliveries[r.Key]
	r.Generation = d.Generation
	d.State, d.Generation = delivery.Pending, d.Generation+1
	v.deliveries[r.Key] = d
	v.changes.Requeued = append(v.changes.Requeued, r)
}

// Finish ends an unfinished delivery without an attempt.
func (v *View) Finish(f store.Finish) {
	v.writes++
	d := v.deliveries[f.Key]
	d.State, d.Reason = f.State, f.Reason
	v.deliveries[f.Key] = d
	v.changes.Finished = append(v.changes.Finished, f)
}

// PutHealth writes the failures of an endpoint.
func (v *View) PutHealth(h store.Health) {
	v.writes++
	v.healths[h.Endpoint] = h
	v.judged[h.Endpoint] = struct{}{}
}

// ClearHealth notes that an endpoint whose health was loaded is healthy.
func (v *View) ClearHealth(endpoint id.ID) {
	if _, failing := v.healths[endpoint]; failing {
		v.ForgetHealth(endpoint)
	}
}

// ForgetHealth forgets an endpoint's failures, whether or not they were loaded.
func (v *View) ForgetHealth(endpoint id.ID) {
	v.writes++
	delete(v.healths, endpoint)
	v.judged[endpoint] = struct{}{}
}

// PutSource writes a source. A new one has its id from NextID.
func (v *View) PutSource(s store.Source) {
	v.writes++
	v.sources[s.ID] = s
	if i := slices.IndexFunc(v.changes.Sources, func(other store.Source) bool { return other.ID == s.ID }); i >= 0 {
		v.changes.Sources[i] = s
	} else {
		v.changes.Sources = append(v.changes.Sources, s)
	}
}

// AddReceived writes a request that came in at a source, whose id is from NextID.
func (v *View) AddReceived(r store.Received) {
	v.writes++
	v.changes.Received = append(v.changes.Received, r)
}

// TrimReceived leaves the newest store.KeptRefused refused requests of a source.
func (v *View) TrimReceived(source id.ID) {
	v.writes++
	if !slices.Contains(v.changes.TrimReceived, source) {
		v.changes.TrimReceived = append(v.changes.TrimReceived, source)
	}
}

// DropBody removes the body of a received request.
func (v *View) DropBody(received id.ID) {
	v.writes++
	v.changes.Bodies = append(v.changes.Bodies, received)
}

// EraseReceived removes a received request.
func (v *View) EraseReceived(received id.ID) {
	v.writes++
	v.changes.ErasedReceived = append(v.changes.ErasedReceived, received)
}

// DropPayload removes the payload of a message, and the body that it came in with.
func (v *View) DropPayload(message id.ID) {
	v.writes++
	v.changes.Payloads = append(v.changes.Payloads, message)
}

// DropResponse removes the stored response of an attempt; Key and ID name it.
func (v *View) DropResponse(a delivery.Attempt) {
	v.writes++
	v.changes.Attempts = append(v.changes.Attempts, a)
}

// DropMessages removes messages with all that hangs on them.
func (v *View) DropMessages(r store.Range) {
	v.writes++
	v.changes.Dropped = append(v.changes.Dropped, r)
}

// AddTraffic adds to counts of attempts. A row must not be given twice in a batch.
func (v *View) AddTraffic(t store.Traffic) {
	v.writes++
	v.changes.Traffic = append(v.changes.Traffic, t)
}

// EraseTraffic removes a row of counts of attempts.
func (v *View) EraseTraffic(k store.TrafficKey) {
	v.writes++
	v.changes.ErasedTraffic = append(v.changes.ErasedTraffic, k)
}

// EraseApp removes the rows of a deleted app and of its endpoints and sources, secrets
// among them. Its messages go by DropMessages, what it received by EraseReceived and its
// traffic by EraseTraffic, before.
func (v *View) EraseApp(app id.ID) {
	v.writes++
	v.changes.ErasedApps = append(v.changes.ErasedApps, app)
}

// PutTask writes a background task.
func (v *View) PutTask(t store.Task) {
	v.writes++
	t.UpdatedAt = v.now
	v.tasks[t.ID] = t
	v.changes.Tasks = append(v.changes.Tasks, t)
}
