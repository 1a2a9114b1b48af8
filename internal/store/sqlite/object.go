package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

const (
	objectColumns = `app, kind, parent, id, seq, due, created, updated, state, doc`
	objectOfKey   = `SELECT ` + objectColumns + ` FROM object WHERE app = ? AND kind = ? AND parent = ? AND id = ?`
	countObjects  = `SELECT count(*) FROM object INDEXED BY object_seq WHERE app = ? AND kind = ? AND parent = ? AND doc IS NOT NULL`
	objectsFrom   = `SELECT ` + objectColumns + ` FROM object INDEXED BY object_seq
		WHERE app = ? AND kind = ? AND parent = ? AND doc IS NOT NULL ORDER BY seq LIMIT ? OFFSET ?`
	// From an event's associations to what is associated, where it is still there.
	associated = ` FROM object AS a CROSS JOIN object AS o
		WHERE a.app = ? AND a.kind = ? AND a.parent = ? AND a.id >= ? AND a.id < ?
		AND o.app = a.app AND o.kind = ? AND o.parent = '' AND o.id = substr(a.id, ?)`
	countAssociated = `SELECT count(*)` + associated
	associatedFrom  = `SELECT o.app, o.kind, o.parent, o.id, o.seq, o.due, o.created, o.updated, o.state, o.doc` + associated + ` ORDER BY a.id LIMIT ? OFFSET ?`
	objectsAfter    = `SELECT ` + objectColumns + ` FROM object WHERE app = ? AND kind = ? AND parent = ? AND id > ? ORDER BY id LIMIT ?`
)

func decodeObject(v []driver.Value) live.Row {
	return live.Row{
		Key: live.Key{App: ident(v[0]), Kind: live.Kind(integer(v[1])), Parent: text(v[2]), ID: text(v[3])},
		Seq: ident(v[4]), Due: due(v[5]), CreatedAt: moment(v[6]), UpdatedAt: moment(v[7]),
		State: blob(v[8]), Doc: blob(v[9]),
	}
}

// due is a stored time of which 0 is one like any other: callers choose it.
func due(v driver.Value) time.Time {
	if v == nil {
		return time.Time{}
	}
	return time.UnixMicro(integer(v)).UTC()
}

func dueOrNull(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// Objects loads rows of live state; absent ones are left out.
func (t *tx) Objects(ctx context.Context, keys []live.Key) (found []live.Row, err error) {
	for _, k := range keys {
		_, err := t.writer.conn.one(ctx, objectOfKey, func(row []driver.Value) error {
			found = append(found, t.met(decodeObject(row)))
			return nil
		}, int64(k.App), int64(k.Kind), k.Parent, k.ID)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// ObjectRange loads rows of live state in the order of their keys.
func (t *tx) ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error) {
	rows, err := findObjects(ctx, t.writer.conn, r)
	for _, row := range rows {
		t.met(row)
	}
	return rows, err
}

// met remembers that a row exists.
func (t *tx) met(row live.Row) live.Row {
	if t.objects == nil {
		t.objects = map[live.Key]struct{}{}
	}
	t.objects[row.Key] = struct{}{}
	return row
}

func findObjects(ctx context.Context, c *conn, r live.Range) (rows []live.Row, err error) {
	err = c.each(ctx, objectsAfter, func(row []driver.Value) error {
		rows = append(rows, decodeObject(row))
		return nil
	}, int64(r.App), int64(r.Kind), r.Parent, r.After, int64(max(0, r.Limit)))
	return rows, err
}

// writeObjects inserts rows that were not read, several at a time, and writes over
// the others.
func (t *tx) writeObjects(_ context.Context, c *store.Changes) error {
	var fresh []*live.Row
	for i := range c.Objects {
		row := &c.Objects[i]
		if _, exists := t.objects[row.Key]; !exists {
			fresh = append(fresh, row)
			continue
		}
		_, err := t.writer.conn.run(`UPDATE object SET seq = ?, due = ?, created = ?, updated = ?, state = ?, doc = ?
			WHERE app = ? AND kind = ? AND parent = ? AND id = ?`,
			int64(row.Seq), dueOrNull(row.Due), document.Micros(row.CreatedAt), document.Micros(row.UpdatedAt),
			bytesOrNull(row.State), bytesOrNull(row.Doc), int64(row.App), int64(row.Kind), row.Parent, row.ID)
		if err != nil {
			return err
		}
	}
	if err := t.raiseSeqs(c.Objects); err != nil {
		return err
	}
	return t.writer.objects.insert(len(fresh), func(v args, i int) args {
		row := fresh[i]
		return append(v, int64(row.App), int64(row.Kind), row.Parent, row.ID, int64(row.Seq), dueOrNull(row.Due),
			document.Micros(row.CreatedAt), document.Micros(row.UpdatedAt), bytesOrNull(row.State), bytesOrNull(row.Doc))
	})
}

// raiseSeqs notes the largest Seq of each node in meta, for LastID: no index of the
// table begins with it. Only new rows raise it.
func (t *tx) raiseSeqs(rows []live.Row) error {
	largest := map[int]id.ID{}
	for i := range rows {
		seq := rows[i].Seq
		largest[seq.Node()] = max(largest[seq.Node()], seq)
	}
	for node, seq := range largest {
		if seq <= t.store.seqs[node] {
			continue
		}
		if err := t.raise(node, seq); err != nil {
			return err
		}
		if t.seqs == nil {
			t.seqs = map[int]id.ID{}
		}
		t.seqs[node] = seq
	}
	return nil
}

func (t *tx) eraseObjects(_ context.Context, c *store.Changes) error {
	for _, k := range c.ErasedObjects {
		_, err := t.writer.conn.run(`DELETE FROM object WHERE app = ? AND kind = ? AND parent = ? AND id = ?`,
			int64(k.App), int64(k.Kind), k.Parent, k.ID)
		if err != nil {
			return err
		}
		delete(t.objects, k)
	}
	return nil
}

// Object finds a row of live state.
func (s *Store) Object(ctx context.Context, k live.Key) (row live.Row, err error) {
	err = s.find(ctx, objectOfKey, func(v []driver.Value) error {
		row = decodeObject(v)
		return nil
	}, int64(k.App), int64(k.Kind), k.Parent, k.ID)
	return row, err
}

// Objects lists the resources of a kind below a parent, which are the rows with a
// Doc, by Seq.
func (s *Store) Objects(ctx context.Context, app id.ID, kind live.Kind, parent string, p store.Page) (store.Listed[live.Row], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[live.Row](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+objectColumns+` FROM object INDEXED BY object_seq
				WHERE app = ? AND kind = ? AND parent = ? AND doc IS NOT NULL AND seq > ? AND seq < ? ORDER BY seq`+b.Order,
			func(v []driver.Value) error {
				return look(out, ident(v[4]), true, func() (live.Row, error) { return decodeObject(v), nil })
			}, int64(app), int64(kind), parent, b.Low, b.High)
	})
	return out.Listed, err
}

// CountedObjects gives resources by their place, and how many there are in all.
func (s *Store) CountedObjects(ctx context.Context, q store.ObjectQuery) (rows []live.Row, total int, err error) {
	count, list := countObjects, objectsFrom
	where := []driver.Value{int64(q.App), int64(q.Kind), q.Parent}
	if q.Event != "" {
		count, list = countAssociated, associatedFrom
		from, to := q.Associations()
		where = []driver.Value{int64(q.App), int64(live.Association), q.Event, from, to, int64(q.Kind), int64(len(from) + 1)}
	}
	err = s.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, count, func(v []driver.Value) error {
			total = int(integer(v[0]))
			return nil
		}, where...)
		if err != nil || q.Offset >= total {
			return err
		}
		return c.each(ctx, list, func(v []driver.Value) error {
			rows = append(rows, decodeObject(v))
			return nil
		}, append(where, int64(q.Limit), int64(q.Offset))...)
	})
	return rows, total, err
}

// ObjectRange gives rows of live state in the order of their keys.
func (s *Store) ObjectRange(ctx context.Context, r live.Range) (rows []live.Row, err error) {
	err = s.read(ctx, func(c *conn) error {
		rows, err = findObjects(ctx, c, r)
		return err
	})
	return rows, err
}

// DueObjects gives rows of live state of any app that are due at a time or were
// before it, by due time and then by Seq, at most limit.
func (s *Store) DueObjects(ctx context.Context, at time.Time, limit int) (rows []live.Row, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+objectColumns+` FROM object INDEXED BY object_due
				WHERE due IS NOT NULL AND due <= ? ORDER BY due, seq LIMIT ?`,
			func(v []driver.Value) error {
				rows = append(rows, decodeObject(v))
				return nil
			}, at.UnixMicro(), int64(limit))
	})
	return rows, err
}

// AppObjects gives keys of live state of an app, at most limit; see tasks.Store.
func (s *Store) AppObjects(ctx context.Context, app id.ID, limit int) (keys []live.Key, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT kind, parent, id FROM object WHERE app = ? ORDER BY kind, parent, id LIMIT ?`, func(v []driver.Value) error {
			keys = append(keys, live.Key{App: app, Kind: live.Kind(integer(v[0])), Parent: text(v[1]), ID: text(v[2])})
			return nil
		}, int64(app), int64(limit))
	})
	return keys, err
}
