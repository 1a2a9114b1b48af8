package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// TakeSeen looks keys up. It locks nothing: a twin on another node inserts the same
// key, the later of the two finds that out with its COMMIT and runs again
// (commit.ErrConflict), and then the key is here.
func (t *tx) TakeSeen(_ context.Context, keys []store.Seen) (taken []store.Seen, err error) {
	hashes := make([][16]byte, len(keys))
	for i := range keys {
		hashes[i] = keys[i].Hash
	}
	err = t.ask(`SELECT hash, body, expires, result FROM seen WHERE hash = ANY ($1::uuid[])`, collect(&taken, scanSeen), hashes)
	return taken, err
}

// collect makes a reader that gathers rows.
func collect[T any](into *[]T, scan func(pgx.CollectableRow) (T, error)) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*into, err = gather(rows, scan)
		return err
	}
}

// LockConfig makes transactions that change apps and endpoints follow each other,
// on all nodes. Two of them that share an app's row and then both want to write it
// would wait for each other.
func (t *tx) LockConfig(context.Context) error {
	t.queue("config lock", `SELECT pg_advisory_xact_lock($1, $2)`, lockClass, lockConfig)
	return nil
}

// Versions gives App.ConfigVersion by app; unknown and deleted apps are left out.
// The rows stay as they are until the transaction ends: an endpoint cannot be
// deleted beside a message that is being planned for it.
func (t *tx) Versions(_ context.Context, apps []id.ID) (map[id.ID]int64, error) {
	found := make(map[id.ID]int64, len(apps))
	err := t.ask(`SELECT id, config_version FROM app WHERE id = ANY ($1::bigint[]) AND NOT deleted ORDER BY id FOR SHARE`, func(rows pgx.Rows) error {
		var app, version int64
		_, err := pgx.ForEachRow(rows, []any{&app, &version}, func() error {
			found[id.ID(app)] = version
			return nil
		})
		return err
	}, idColumn(apps))
	return found, err
}

// AppConfigs loads apps with their endpoints; what does not exist, is deleted or
// belongs to another org is left out.
func (t *tx) AppConfigs(_ context.Context, refs []commit.AppRef) ([]store.AppConfig, error) {
	ids, err := t.resolve(refs)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var apps []store.App
	err = t.ask(`SELECT `+appColumns+` FROM app WHERE id = ANY ($1::bigint[]) AND NOT deleted ORDER BY id FOR SHARE`, collect(&apps, scanApp), ids)
	if err != nil {
		return nil, err
	}
	apps = slices.DeleteFunc(apps, func(a store.App) bool {
		return !slices.ContainsFunc(refs, func(ref commit.AppRef) bool { return names(ref, &a) })
	})
	configs, wanted := make([]store.AppConfig, len(apps)), make([]int64, len(apps))
	at := make(map[id.ID]*store.AppConfig, len(apps))
	for i := range apps {
		configs[i].App, wanted[i], at[apps[i].ID] = apps[i], int64(apps[i].ID), &configs[i]
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	var endpoints []delivery.Endpoint
	err = t.ask(`SELECT `+endpointColumns+` FROM endpoint WHERE app = ANY ($1::bigint[]) AND NOT deleted ORDER BY app, id`, collect(&endpoints, scanEndpoint), wanted)
	for _, ep := range endpoints {
		cfg := at[ep.App]
		cfg.Endpoints = append(cfg.Endpoints, ep)
	}
	return configs, err
}

// names reports whether a ref means an app.
func names(ref commit.AppRef, a *store.App) bool {
	if ref.Org != "" && ref.Org != a.Org {
		return false
	}
	if ref.ID != 0 {
		return ref.ID == a.ID
	}
	return ref.UID == a.UID
}

// resolve gives the ids of refs, of which those by uid may mean another app by the
// time that the rows are locked.
func (t *tx) resolve(refs []commit.AppRef) (ids []int64, err error) {
	var orgs, uids []string
	for _, ref := range refs {
		switch {
		case ref.ID != 0:
			ids = append(ids, int64(ref.ID))
		case ref.UID != "" && storable(ref.UID) && storable(ref.Org):
			orgs, uids = append(orgs, ref.Org), append(uids, ref.UID)
		}
	}
	if len(uids) == 0 {
		return ids, nil
	}
	var named []int64
	err = t.ask(`SELECT app.id FROM unnest($1::text[], $2::text[]) AS i(org, uid) JOIN app ON app.org = i.org COLLATE "C" AND app.uid = i.uid COLLATE "C"
		WHERE NOT app.deleted`, collect(&named, pgx.RowTo[int64]), orgs, uids)
	return append(ids, named...), err
}

// Settings loads the settings of orgs; orgs without a row are left out.
func (t *tx) Settings(_ context.Context, orgs []string, known map[string]time.Time) (found []store.OrgSettings, err error) {
	var names []string
	var versions []int64
	for _, org := range orgs {
		if storable(org) {
			names, versions = append(names, org), append(versions, document.Version(known, org))
		}
	}
	err = t.ask(`SELECT id, doc, updated_at FROM unnest($1::text[], $2::bigint[]) AS i(org, version)
		JOIN org ON org.id = i.org COLLATE "C" AND org.updated_at <> i.version`, collect(&found, scanSettings), names, versions)
	return found, err
}

// EventTypes loads declared types by org and name, archived ones included.
func (t *tx) EventTypes(_ context.Context, keys []commit.TypeKey) (found []store.EventType, err error) {
	var orgs, names []string
	for _, k := range keys {
		if storable(k.Org) && storable(k.Name) {
			orgs, names = append(orgs, k.Org), append(names, k.Name)
		}
	}
	err = t.ask(`SELECT `+eventTypeColumns+` FROM unnest($1::text[], $2::text[]) AS i(org, name)
		JOIN event_type ON event_type.org = i.org COLLATE "C" AND event_type.name = i.name COLLATE "C"`, collect(&found, scanEventType), orgs, names)
	return found, err
}

// EventIDs finds the living messages that carry an eventId.
func (t *tx) EventIDs(_ context.Context, keys []commit.EventKey) (map[commit.EventKey]id.ID, error) {
	apps, hashes := make([]int64, len(keys)), make([][16]byte, len(keys))
	for i, k := range keys {
		apps[i], hashes[i] = int64(k.App), k.Hash
	}
	found := map[commit.EventKey]id.ID{}
	err := t.ask(`SELECT message.app, message.event_hash, message.id FROM unnest($1::bigint[], $2::uuid[]) AS i(app, hash)
			JOIN message ON message.app = i.app AND message.event_hash = i.hash`, func(rows pgx.Rows) error {
		var app, message int64
		var hash [16]byte
		_, err := pgx.ForEachRow(rows, []any{&app, &hash, &message}, func() error {
			found[commit.EventKey{App: id.ID(app), Hash: hash}] = id.ID(message)
			return nil
		})
		return err
	}, apps, hashes)
	return found, err
}

// Messages loads messages with their payloads.
func (t *tx) Messages(_ context.Context, ids []id.ID) (found []store.Message, err error) {
	err = t.ask(`SELECT `+messageBody+` FROM message WHERE id = ANY ($1::bigint[])`, collect(&found, scanMessage), idColumn(ids))
	return found, err
}

// Deliveries loads deliveries and locks them, in the order of their keys.
func (t *tx) Deliveries(_ context.Context, keys []delivery.Key) (found []delivery.Delivery, err error) {
	msgs, eps := keyColumns(keys)
	err = t.ask(`SELECT `+deliveryColumns+` FROM unnest($1::bigint[], $2::bigint[]) AS i(msg, ep)
		JOIN delivery ON delivery.msg = i.msg AND delivery.ep = i.ep ORDER BY delivery.msg, delivery.ep FOR UPDATE OF delivery`,
		collect(&found, scanDelivery), msgs, eps)
	return found, err
}

// Healths loads the health rows of failing endpoints and locks them.
func (t *tx) Healths(_ context.Context, endpoints []id.ID) (found []store.Health, err error) {
	err = t.ask(`SELECT `+healthColumns+` FROM endpoint_health WHERE endpoint = ANY ($1::bigint[]) ORDER BY endpoint FOR UPDATE`,
		collect(&found, scanHealth), idColumn(endpoints))
	return found, err
}

// Tasks loads background tasks and locks them.
func (t *tx) Tasks(_ context.Context, ids []id.ID) (found []store.Task, err error) {
	err = t.ask(`SELECT `+taskColumns+` FROM task WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE`, collect(&found, scanTask), idColumn(ids))
	return found, err
}

func scanSeen(c pgx.CollectableRow) (k store.Seen, err error) {
	var hash, body [16]byte
	var expires int64
	err = c.Scan(&hash, &body, &expires, (*int64)(&k.Result))
	k.Hash, k.Body, k.Expires = hash, body, unixTime(expires)
	return k, err
}
