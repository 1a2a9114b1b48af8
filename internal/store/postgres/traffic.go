package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

const (
	trafficKey     = `app, width, slot, ep, node`
	trafficColumns = trafficKey + `, counts`
	// trafficArrays are keys as columns, $1 to $5.
	trafficArrays = `unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::smallint[]`
	lockTraffic   = `SELECT t.app, t.width, t.slot, t.ep, t.node, t.counts FROM ` + trafficArrays + `) AS k(app, width, slot, ep, node)
		JOIN traffic t USING (` + trafficKey + `) FOR UPDATE OF t`
	putTraffic = `INSERT INTO traffic (` + trafficColumns + `) SELECT * FROM ` + trafficArrays + `, $6::bytea[])
		ON CONFLICT (` + trafficKey + `) DO UPDATE SET counts = excluded.counts`
	dropTraffic = `DELETE FROM traffic t USING ` + trafficArrays + `) AS k(app, width, slot, ep, node)
		WHERE t.app = k.app AND t.width = k.width AND t.slot = k.slot AND t.ep = k.ep AND t.node = k.node`
	appTraffic = `SELECT ` + trafficColumns + ` FROM traffic WHERE app = $1 AND width = $2 AND slot >= $3 AND slot < $4
		AND ($5::bigint = 0 OR ep = $5)`
	orgTraffic = `SELECT t.app, t.width, t.slot, t.ep, t.node, t.counts FROM app a CROSS JOIN LATERAL (
			SELECT * FROM traffic WHERE app = a.id AND width = $2 AND slot >= $3 AND slot < $4 AND ($5::bigint = 0 OR ep = $5)) AS t
		WHERE a.org = $1 AND NOT a.deleted`
	oldTraffic   = `SELECT ` + trafficKey + ` FROM traffic WHERE width = $1 AND slot < $2 ORDER BY width, slot LIMIT $3`
	trafficOfApp = `SELECT ` + trafficKey + ` FROM traffic WHERE app = $1 ORDER BY ` + trafficKey + ` LIMIT $2`
)

// compareTraffic is the order in which rows are locked.
func compareTraffic(a, b store.TrafficKey) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Width, b.Width), a.At.Compare(b.At), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Node, b.Node))
}

// trafficKeys gives keys as columns, in the order of trafficKey.
func trafficKeys(keys []store.TrafficKey) []any {
	n := len(keys)
	apps, widths, slots, eps, nodes := make([]int64, n), make([]int32, n), make([]int64, n), make([]int64, n), make([]int16, n)
	for i := range keys {
		k := &keys[i]
		apps[i], widths[i], slots[i], eps[i], nodes[i] = int64(k.App), int32(k.Width/time.Second), k.At.Unix(), int64(k.Endpoint), int16(k.Node)
	}
	return []any{apps, widths, slots, eps, nodes}
}

// trafficRow reads trafficKey, and what stands behind it.
func trafficRow(c pgx.CollectableRow, k *store.TrafficKey, more ...any) error {
	var width, slot int64
	var node int16
	if err := c.Scan(append([]any{(*int64)(&k.App), &width, &slot, (*int64)(&k.Endpoint), &node}, more...)...); err != nil {
		return err
	}
	k.Width, k.At, k.Node = time.Duration(width)*time.Second, unixTime(slot), int(node)
	return nil
}

func scanTrafficKey(c pgx.CollectableRow) (k store.TrafficKey, err error) {
	err = trafficRow(c, &k)
	return k, err
}

func scanTraffic(c pgx.CollectableRow) (t store.Traffic, err error) {
	var doc []byte
	if err := trafficRow(c, &t.TrafficKey, &doc); err != nil {
		return t, err
	}
	t.Counts, err = document.DecodeCounts(doc, nil)
	return t, err
}

// writeTraffic adds counts to rows: it reads those that are there and writes sums. It is
// one round trip more, every few seconds. Nobody else adds to the rows of a node.
func (t *tx) writeTraffic(c *store.Changes) error {
	rows := slices.Clone(c.Traffic)
	slices.SortFunc(rows, func(a, b store.Traffic) int { return compareTraffic(a.TrafficKey, b.TrafficKey) })
	keys := make([]store.TrafficKey, len(rows))
	for i := range rows {
		keys[i] = rows[i].TrafficKey
	}
	var there []store.Traffic
	if err := t.ask(lockTraffic, collect(&there, scanTraffic), trafficKeys(keys)...); err != nil {
		return err
	}
	sums := make([][]byte, len(rows))
	for i := range rows {
		sums[i] = document.EncodeCounts(rows[i].Counts)
	}
	for i := range there {
		at, _ := slices.BinarySearchFunc(keys, there[i].TrafficKey, compareTraffic)
		sums[at] = document.EncodeCounts(store.AddCounts(there[i].Counts, rows[at].Counts))
	}
	t.queue("traffic", putTraffic, append(trafficKeys(keys), sums)...)
	return nil
}

func (t *tx) eraseTraffic(c *store.Changes) error {
	keys := slices.Clone(c.ErasedTraffic)
	slices.SortFunc(keys, compareTraffic)
	t.queue("erased traffic", dropTraffic, trafficKeys(keys)...)
	return nil
}

// Traffic reads counts of attempts; see traffic.Store.
func (s *Store) Traffic(ctx context.Context, q store.TrafficQuery, each func(*store.Traffic)) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	query, of := appTraffic, any(int64(q.App))
	if q.App == 0 {
		if !storable(q.Org) {
			return nil
		}
		query, of = orgTraffic, q.Org
	}
	rows, err := s.pool.Query(ctx, query, of, int32(q.Width/time.Second), q.Since.Unix(), q.Until.Unix(), int64(q.Endpoint))
	if err != nil {
		return s.told(err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanTraffic(rows)
		if err != nil {
			return s.told(err)
		}
		each(&row)
	}
	return s.told(rows.Err())
}

// OldTraffic gives rows of a width whose slot began before a time; see janitor.Store.
func (s *Store) OldTraffic(ctx context.Context, width time.Duration, before time.Time, limit int) ([]store.TrafficKey, error) {
	return all(ctx, s, scanTrafficKey, oldTraffic, int32(width/time.Second), before.Unix(), limit)
}

// AppTraffic gives keys of the counts of an app's attempts; see tasks.Store.
func (s *Store) AppTraffic(ctx context.Context, app id.ID, limit int) ([]store.TrafficKey, error) {
	return all(ctx, s, scanTrafficKey, trafficOfApp, int64(app), limit)
}
