package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

const (
	trafficKey     = `app, width, slot, ep, node`
	trafficColumns = trafficKey + `, counts`
	trafficIs      = `app = ? AND width = ? AND slot = ? AND ep = ? AND node = ?`
)

// trafficArgs are the values of trafficKey.
func trafficArgs(k *store.TrafficKey) args {
	return args{int64(k.App), int64(k.Width / time.Second), k.At.Unix(), int64(k.Endpoint), int64(k.Node)}
}

func decodeTrafficKey(v []driver.Value) store.TrafficKey {
	return store.TrafficKey{
		App: ident(v[0]), Width: time.Duration(integer(v[1])) * time.Second, At: time.Unix(integer(v[2]), 0).UTC(),
		Endpoint: ident(v[3]), Node: int(integer(v[4])),
	}
}

// decodeTraffic reads trafficColumns.
func decodeTraffic(v []driver.Value) (store.Traffic, error) {
	counts, err := document.DecodeCounts(blob(v[5]), nil)
	return store.Traffic{TrafficKey: decodeTrafficKey(v), Counts: counts}, err
}

// writeTraffic adds counts to rows.
func (t *tx) writeTraffic(ctx context.Context, c *store.Changes) error {
	for i := range c.Traffic {
		row := &c.Traffic[i]
		key := trafficArgs(&row.TrafficKey)
		counts := row.Counts
		found, err := t.writer.conn.one(ctx, `SELECT counts FROM traffic WHERE `+trafficIs, func(v []driver.Value) (err error) {
			counts, err = document.DecodeCounts(blob(v[0]), nil)
			return err
		}, key...)
		if err != nil {
			return err
		}
		if found {
			counts = store.AddCounts(counts, row.Counts)
		}
		_, err = t.writer.conn.run(`INSERT INTO traffic (`+trafficColumns+`) VALUES (?,?,?,?,?,?)
			ON CONFLICT (`+trafficKey+`) DO UPDATE SET counts = excluded.counts`, append(key, document.EncodeCounts(counts))...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) eraseTraffic(_ context.Context, c *store.Changes) error {
	for i := range c.ErasedTraffic {
		if _, err := t.writer.conn.run(`DELETE FROM traffic WHERE `+trafficIs, trafficArgs(&c.ErasedTraffic[i])...); err != nil {
			return err
		}
	}
	return nil
}

// Traffic reads counts of attempts; see traffic.Store.
func (s *Store) Traffic(ctx context.Context, q store.TrafficQuery, each func(*store.Traffic)) error {
	query, values := trafficQuery(&q)
	var row store.Traffic
	return s.read(ctx, func(c *conn) error {
		return c.each(ctx, query, func(v []driver.Value) (err error) {
			row.TrafficKey = decodeTrafficKey(v)
			if row.Counts, err = document.DecodeCounts(blob(v[5]), row.Counts[:0]); err == nil {
				each(&row)
			}
			return err
		}, values...)
	})
}

func trafficQuery(q *store.TrafficQuery) (query string, values args) {
	const columns = `SELECT t.app, t.width, t.slot, t.ep, t.node, t.counts FROM `
	const slots = ` AND t.width = ? AND t.slot >= ? AND t.slot < ?`
	within := args{int64(q.Width / time.Second), q.Since.Unix(), q.Until.Unix()}
	if q.App == 0 {
		// App by app, so that an org among many reads its own rows.
		query, values = columns+`app CROSS JOIN traffic t ON t.app = app.id WHERE app.org = ? AND app.deleted = 0`+slots, append(args{q.Org}, within...)
	} else {
		query, values = columns+`traffic t WHERE t.app = ?`+slots, append(args{int64(q.App)}, within...)
	}
	if q.Endpoint != 0 {
		query, values = query+` AND t.ep = ?`, append(values, int64(q.Endpoint))
	}
	return query, values
}

// OldTraffic gives rows of a width whose slot began before a time; see janitor.Store.
func (s *Store) OldTraffic(ctx context.Context, width time.Duration, before time.Time, limit int) ([]store.TrafficKey, error) {
	return s.trafficKeys(ctx, `SELECT `+trafficKey+` FROM traffic INDEXED BY traffic_slot WHERE width = ? AND slot < ? LIMIT ?`,
		int64(width/time.Second), before.Unix(), int64(limit))
}

// AppTraffic gives keys of the counts of an app's attempts; see tasks.Store.
func (s *Store) AppTraffic(ctx context.Context, app id.ID, limit int) ([]store.TrafficKey, error) {
	return s.trafficKeys(ctx, `SELECT `+trafficKey+` FROM traffic WHERE app = ? LIMIT ?`, int64(app), int64(limit))
}

func (s *Store) trafficKeys(ctx context.Context, query string, values ...driver.Value) (keys []store.TrafficKey, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, query, func(v []driver.Value) error {
			keys = append(keys, decodeTrafficKey(v))
			return nil
		}, values...)
	})
	return keys, err
}
