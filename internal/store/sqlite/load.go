package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// versions remembers App.ConfigVersion of apps in use. Nobody else writes the
// file, so what is remembered is true until a transaction of ours writes the app.
// It is used by whoever holds the write lock.
type versions map[id.ID]int64

// maxVersions bounds it; beyond that it begins anew.
const maxVersions = 100_000

func (v versions) forget(apps []id.ID) {
	for _, app := range apps {
		delete(v, app)
	}
}

// TakeSeen looks keys up. SQLite has one writer, so there is nothing to wait for
// and nothing to give back.
func (t *tx) TakeSeen(ctx context.Context, keys []store.Seen) ([]store.Seen, error) {
	var taken []store.Seen
	for i := range keys {
		entry, found, err := t.store.seen.find(ctx, t.writer.conn, keys[i].Hash)
		if err != nil {
			return nil, err
		}
		if found {
			taken = append(taken, entry)
		}
	}
	return taken, nil
}

// LockConfig has nothing to do: there is one writer.
func (t *tx) LockConfig(context.Context) error { return nil }

// Versions gives App.ConfigVersion by app; unknown and deleted apps are left out.
func (t *tx) Versions(ctx context.Context, apps []id.ID) (map[id.ID]int64, error) {
	known := t.store.apps
	if len(known) > maxVersions {
		clear(known)
	}
	found := make(map[id.ID]int64, len(apps))
	for _, app := range apps {
		if version, ok := known[app]; ok {
			found[app] = version
			continue
		}
		_, err := t.writer.conn.one(ctx, `SELECT config_version FROM app WHERE id = ? AND deleted = 0`, func(row []driver.Value) error {
			known[app] = integer(row[0])
			found[app] = known[app]
			return nil
		}, int64(app))
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// AppConfigs loads apps with their endpoints; what does not exist, is deleted or
// belongs to another org is left out.
func (t *tx) AppConfigs(ctx context.Context, refs []commit.AppRef) ([]store.AppConfig, error) {
	var configs []store.AppConfig
	c := t.writer.conn
	for _, ref := range refs {
		app, err := findApp(ctx, c, ref.Org, ref.Ref)
		if errors.Is(err, store.ErrNotFound) || err == nil && slices.ContainsFunc(configs, func(other store.AppConfig) bool { return other.App.ID == app.ID }) {
			continue
		} else if err != nil {
			return nil, err
		}
		cfg := store.AppConfig{App: app}
		err = c.each(ctx, `SELECT `+endpointColumns+` FROM endpoint WHERE app = ? AND deleted = 0 ORDER BY id`, func(row []driver.Value) error {
			ep, err := decodeEndpoint(row)
			cfg.Endpoints = append(cfg.Endpoints, ep)
			return err
		}, int64(app.ID))
		if err != nil {
			return nil, err
		}
		configs = append(configs, cfg)
	}
	return configs, nil
}

// findApp finds an app that is not deleted, in an org or, if that is empty, in
// any.
func findApp(ctx context.Context, c *conn, org string, ref store.Ref) (app store.App, err error) {
	query, values := `SELECT `+appColumns+` FROM app WHERE id = ? AND deleted = 0`, args{int64(ref.ID)}
	if ref.ID == 0 {
		query, values = `SELECT `+appColumns+` FROM app WHERE org = ? AND uid = ? AND deleted = 0`, args{org, ref.UID}
	}
	found, err := c.one(ctx, query, func(row []driver.Value) (err error) {
		app, err = decodeApp(row)
		return err
	}, values...)
	switch {
	case err != nil:
		return store.App{}, err
	case !found || org != "" && app.Org != org:
		return store.App{}, store.ErrNotFound
	}
	return app, nil
}

// Settings loads the settings of orgs; orgs without a row are left out.
func (t *tx) Settings(ctx context.Context, orgs []string, known map[string]time.Time) ([]store.OrgSettings, error) {
	var found []store.OrgSettings
	for _, org := range orgs {
		settings, ok, err := findSettings(ctx, t.writer.conn, org, document.Version(known, org))
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, settings)
		}
	}
	return found, nil
}

// findSettings finds an org's settings, unless they are of the version but.
func findSettings(ctx context.Context, c *conn, org string, but int64) (settings store.OrgSettings, found bool, err error) {
	settings.Org = org
	found, err = c.one(ctx, `SELECT doc, updated_at FROM org WHERE id = ? AND updated_at <> ?`, func(row []driver.Value) error {
		settings.Doc, settings.UpdatedAt = blob(row[0]), moment(row[1])
		return nil
	}, org, but)
	return settings, found, err
}

// EventTypes loads declared types by org and name, archived ones included.
func (t *tx) EventTypes(ctx context.Context, keys []commit.TypeKey) ([]store.EventType, error) {
	var found []store.EventType
	for _, key := range keys {
		eventType, ok, err := findEventType(ctx, t.writer.conn, key.Org, key.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, eventType)
		}
	}
	return found, nil
}

func findEventType(ctx context.Context, c *conn, org, name string) (eventType store.EventType, found bool, err error) {
	found, err = c.one(ctx, `SELECT `+eventTypeColumns+` FROM event_type WHERE org = ? AND name = ?`, func(row []driver.Value) (err error) {
		eventType, err = decodeEventType(row)
		return err
	}, org, name)
	return eventType, found, err
}

// EventIDs finds the living messages that carry an eventId.
func (t *tx) EventIDs(ctx context.Context, keys []commit.EventKey) (map[commit.EventKey]id.ID, error) {
	found := map[commit.EventKey]id.ID{}
	for _, key := range keys {
		message, err := findEvent(ctx, t.writer.conn, key.App, key.Hash)
		if err != nil {
			return nil, err
		}
		if message != 0 {
			found[key] = message
		}
	}
	return found, nil
}

// findEvent finds the message of an app that carries an eventId, 0 if none does.
func findEvent(ctx context.Context, c *conn, app id.ID, hash store.Hash16) (message id.ID, err error) {
	_, err = c.one(ctx, `SELECT id FROM message WHERE app = ? AND event_hash = ?`, func(row []driver.Value) error {
		message = ident(row[0])
		return nil
	}, int64(app), hash[:])
	return message, err
}

// Messages loads messages with their payloads.
func (t *tx) Messages(ctx context.Context, ids []id.ID) ([]store.Message, error) {
	return findMessages(ctx, t.writer.conn, ids, messageBody)
}

// findMessages loads messages, in ascending order; absent ones are left out.
func findMessages(ctx context.Context, c *conn, ids []id.ID, columns string) ([]store.Message, error) {
	found := make([]store.Message, 0, len(ids))
	err := eachIn(ctx, c, `SELECT `+columns+` FROM message WHERE id IN `, ids, func(row []driver.Value) error {
		m, err := decodeMessage(row)
		found = append(found, m)
		return err
	})
	slices.SortFunc(found, func(a, b store.Message) int { return cmp.Compare(a.ID, b.ID) })
	return found, err
}

// eachIn runs a query that ends in IN for all ids, in lists of few sizes, so that
// few statements are prepared; a list is filled up by repeating its last id.
func eachIn(ctx context.Context, c *conn, query string, ids []id.ID, fn func(row []driver.Value) error) error {
	const longest = 64
	values := make(args, 0, min(len(ids), longest))
	for len(ids) > 0 {
		n := min(len(ids), longest)
		size := 1
		for size < n {
			size *= 4
		}
		values = values[:0]
		for i := range size {
			values = append(values, int64(ids[min(i, n-1)]))
		}
		list := "(?" + strings.Repeat(",?", size-1) + ")"
		if err := c.each(ctx, query+list, fn, values...); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// Deliveries loads deliveries; leased ones show as Leased, with the generation of
// the lease.
func (t *tx) Deliveries(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error) {
	var found []delivery.Delivery
	for _, key := range keys {
		d, ok, err := findDelivery(ctx, t.writer.conn, key)
		if err != nil {
			return nil, err
		}
		if ok {
			t.store.leases.overlay(&d)
			found = append(found, d)
		}
	}
	return found, nil
}

func findDelivery(ctx context.Context, c *conn, key delivery.Key) (d delivery.Delivery, found bool, err error) {
	found, err = c.one(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE msg = ? AND ep = ?`, func(row []driver.Value) error {
		d = decodeDelivery(row)
		return nil
	}, int64(key.Message), int64(key.Endpoint))
	return d, found, err
}

// Healths loads the health rows of failing endpoints.
func (t *tx) Healths(ctx context.Context, endpoints []id.ID) ([]store.Health, error) {
	var found []store.Health
	for _, ep := range endpoints {
		if _, failing := t.store.failing[ep]; !failing {
			continue
		}
		health, ok, err := findHealth(ctx, t.writer.conn, ep)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, health)
		}
	}
	return found, nil
}

func findHealth(ctx context.Context, c *conn, endpoint id.ID) (health store.Health, found bool, err error) {
	found, err = c.one(ctx, `SELECT `+healthColumns+` FROM endpoint_health WHERE endpoint = ?`, func(row []driver.Value) error {
		health = decodeHealth(row)
		return nil
	}, int64(endpoint))
	return health, found, err
}

// Tasks loads background tasks.
func (t *tx) Tasks(ctx context.Context, ids []id.ID) ([]store.Task, error) {
	var found []store.Task
	err := eachIn(ctx, t.writer.conn, `SELECT `+taskColumns+` FROM task WHERE id IN `, ids, func(row []driver.Value) error {
		found = append(found, decodeTask(row))
		return nil
	})
	return found, err
}
