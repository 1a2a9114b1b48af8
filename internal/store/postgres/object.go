package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

const objectColumns = `object.app, object.kind, object.parent, object.id, object.seq, object.due, object.created, object.updated, object.state, object.doc`

const (
	objectOfKey  = `SELECT ` + objectColumns + ` FROM object WHERE app = $1 AND kind = $2 AND parent = $3 AND id = $4`
	objectsAfter = `SELECT ` + objectColumns + ` FROM object WHERE app = $1 AND kind = $2 AND parent = $3 AND id > $4 ORDER BY id LIMIT $5`
	objectsBySeq = `SELECT ` + objectColumns + ` FROM object
		WHERE seq > $1 AND seq < $2 AND app = $4 AND kind = $5 AND parent = $6 AND doc IS NOT NULL ORDER BY seq`
	countObjects = `SELECT count(*) FROM object WHERE app = $1 AND kind = $2 AND parent = $3 AND doc IS NOT NULL`
	objectsFrom  = `SELECT ` + objectColumns + ` FROM object
		WHERE app = $1 AND kind = $2 AND parent = $3 AND doc IS NOT NULL ORDER BY seq LIMIT $4 OFFSET $5`
	// From an event's associations to what is associated, where it is still there. Without OFFSET 0 a plan that
	// knows no statistics would read all of the kind for each of them.
	associated = ` FROM object AS a CROSS JOIN LATERAL (
			SELECT * FROM object WHERE app = $1 AND kind = $6 AND parent = '' AND id = substr(a.id, $7) OFFSET 0
		) AS object
		WHERE a.app = $1 AND a.kind = $2 AND a.parent = $3 AND a.id >= $4 AND a.id < $5`
	countAssociated = `SELECT count(*)` + associated
	associatedFrom  = `SELECT ` + objectColumns + associated + ` ORDER BY a.id LIMIT $8 OFFSET $9`
	dueObjects      = `SELECT ` + objectColumns + ` FROM object WHERE due IS NOT NULL AND due <= $1 ORDER BY due, seq LIMIT $2`
	appObjects      = `SELECT kind, parent, id FROM object WHERE app = $1 ORDER BY app, kind, parent, id LIMIT $2`

	// The limit stands above the locks: a row that went while its lock was awaited is not
	// counted, and another one takes its place.
	lockRange   = objectsAfter + ` FOR UPDATE`
	lockObjects = `SELECT ` + objectColumns + ` FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[]) AS i(app, kind, parent, id)
		JOIN object ON ` + isObject + ` ORDER BY object.app, object.kind, object.parent, object.id FOR UPDATE OF object`
	insertObjects = `INSERT INTO object (app, kind, parent, id, seq, due, created, updated, state, doc)
		SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[])`
	updateObjects = `UPDATE object SET seq = i.seq, due = i.due, created = i.created, updated = i.updated, state = i.state, doc = i.doc
		FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[], $10::bytea[])
			AS i(app, kind, parent, id, seq, due, created, updated, state, doc) WHERE ` + isObject
	eraseObjects = `DELETE FROM object USING unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[]) AS i(app, kind, parent, id) WHERE ` + isObject

	isObject = `object.app = i.app AND object.kind = i.kind AND object.parent = i.parent COLLATE "C" AND object.id = i.id COLLATE "C"`
)

func scanObject(c pgx.CollectableRow) (row live.Row, err error) {
	var kind int16
	var due *int64
	var created, updated int64
	err = c.Scan((*int64)(&row.App), &kind, &row.Parent, &row.ID, (*int64)(&row.Seq), &due, &created, &updated, &row.State, &row.Doc)
	row.Kind, row.CreatedAt, row.UpdatedAt = live.Kind(kind), document.Time(created), document.Time(updated)
	if due != nil { // 0 is a time like any other: callers choose it
		row.Due = time.UnixMicro(*due).UTC()
	}
	return row, err
}

// meet remembers rows.
func (t *tx) meet(rows []live.Row) {
	if t.objects == nil {
		t.objects = make(map[live.Key]id.ID, len(rows))
	}
	for i := range rows {
		t.objects[rows[i].Key] = rows[i].Seq
	}
}

// objectKeys are keys of live state, column by column. Those that no row can have are
// left out.
func objectKeys(keys []live.Key) (apps []int64, kinds []int16, parents, ids []string) {
	for _, k := range keys {
		if storable(k.Parent) && storable(k.ID) {
			apps, kinds, parents, ids = append(apps, int64(k.App)), append(kinds, int16(k.Kind)), append(parents, k.Parent), append(ids, k.ID)
		}
	}
	return apps, kinds, parents, ids
}

// Objects loads rows of live state and locks them, in the order of their keys.
func (t *tx) Objects(_ context.Context, keys []live.Key) (found []live.Row, err error) {
	apps, kinds, parents, ids := objectKeys(keys)
	err = t.ask(lockObjects, collect(&found, scanObject), apps, kinds, parents, ids)
	t.meet(found)
	return found, err
}

// ObjectRange loads rows of live state and locks them, in the order of their keys.
func (t *tx) ObjectRange(_ context.Context, r live.Range) (found []live.Row, err error) {
	if !storable(r.Parent) || !storable(r.After) {
		return nil, nil
	}
	err = t.ask(lockRange, collect(&found, scanObject), int64(r.App), int16(r.Kind), r.Parent, r.After, max(0, r.Limit))
	t.meet(found)
	return found, err
}

// writeObjects inserts rows that were not read, and writes over the others. If another
// node has made one of the new ones meanwhile, its key is taken (23505,
// commit.ErrConflict), and the batch that runs again finds it.
func (t *tx) writeObjects(c *store.Changes) error {
	rows := slices.Clone(c.Objects)
	slices.SortFunc(rows, func(a, b live.Row) int { return a.Compare(b.Key) })
	var fresh, known []live.Row
	for i := range rows {
		if _, met := t.objects[rows[i].Key]; met {
			known = append(known, rows[i])
		} else {
			fresh = append(fresh, rows[i])
		}
	}
	if err := t.queueObjects("new objects", insertObjects, fresh); err != nil {
		return err
	}
	return t.queueObjects("objects", updateObjects, known)
}

func (t *tx) queueObjects(name, query string, rows []live.Row) error {
	n := len(rows)
	if n == 0 {
		return nil
	}
	apps, kinds, parents, ids, seqs := make([]int64, n), make([]int16, n), make([]string, n), make([]string, n), make([]int64, n)
	due, created, updated, states, docs := make([]*int64, n), make([]int64, n), make([]int64, n), make([][]byte, n), make([][]byte, n)
	for i := range rows {
		r := &rows[i]
		if !storable(r.Parent) || !storable(r.ID) {
			return fmt.Errorf("an object of kind %d has a key that is no text", r.Kind)
		}
		apps[i], kinds[i], parents[i], ids[i], seqs[i] = int64(r.App), int16(r.Kind), r.Parent, r.ID, int64(r.Seq)
		if !r.Due.IsZero() {
			due[i] = new(r.Due.UnixMicro())
		}
		created[i], updated[i], states[i], docs[i] = document.Micros(r.CreatedAt), document.Micros(r.UpdatedAt), r.State, r.Doc
	}
	t.queue(name, query, apps, kinds, parents, ids, seqs, due, created, updated, states, docs)
	return nil
}

func (t *tx) eraseObjects(c *store.Changes) error {
	keys := slices.Clone(c.ErasedObjects)
	slices.SortFunc(keys, live.Key.Compare)
	apps, kinds, parents, ids := objectKeys(keys)
	t.queue("erased objects", eraseObjects, apps, kinds, parents, ids)
	for _, k := range keys {
		delete(t.objects, k)
	}
	return nil
}

// Object finds a row of live state.
func (s *Store) Object(ctx context.Context, k live.Key) (live.Row, error) {
	if !storable(k.Parent) || !storable(k.ID) {
		return live.Row{}, store.ErrNotFound
	}
	return one(ctx, s, scanObject, objectOfKey, int64(k.App), int16(k.Kind), k.Parent, k.ID)
}

// Objects lists the resources of a kind below a parent, which are the rows with a
// Doc, by Seq.
func (s *Store) Objects(ctx context.Context, app id.ID, kind live.Kind, parent string, p store.Page) (store.Listed[live.Row], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[live.Row](p)
	if !storable(parent) {
		return out.Listed, nil
	}
	rows, err := all(ctx, s, scanObject, objectsBySeq+b.Order+` LIMIT $3`, b.Low, b.High, out.Want(), int64(app), int16(kind), parent)
	for i := range rows {
		if more, _ := look(out, rows[i].Seq, rows[i]); !more {
			break
		}
	}
	return out.Listed, err
}

// CountedObjects gives resources by their place, and how many there are in all.
func (s *Store) CountedObjects(ctx context.Context, q store.ObjectQuery) (rows []live.Row, total int, err error) {
	if !storable(q.Parent) || !storable(q.Event) {
		return nil, 0, nil
	}
	count, list, where := countObjects, objectsFrom, []any{int64(q.App), int16(q.Kind), q.Parent}
	if q.Event != "" {
		count, list = countAssociated, associatedFrom
		from, to := q.Associations()
		where = []any{int64(q.App), int16(live.Association), q.Event, from, to, int16(q.Kind), len(from) + 1}
	}
	total, err = one(ctx, s, pgx.RowTo[int], count, where...)
	if err != nil || q.Offset >= total {
		return nil, total, err
	}
	rows, err = all(ctx, s, scanObject, list, append(where, q.Limit, q.Offset)...)
	return rows, total, err
}

// ObjectRange gives rows of live state in the order of their keys.
func (s *Store) ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error) {
	if !storable(r.Parent) || !storable(r.After) {
		return nil, nil
	}
	return all(ctx, s, scanObject, objectsAfter, int64(r.App), int16(r.Kind), r.Parent, r.After, max(0, r.Limit))
}

// DueObjects gives rows of live state of any app that are due at a time or were
// before it, by due time and then by Seq, at most limit.
func (s *Store) DueObjects(ctx context.Context, at time.Time, limit int) ([]live.Row, error) {
	return all(ctx, s, scanObject, dueObjects, at.UnixMicro(), limit)
}

// AppObjects gives keys of live state of an app, at most limit; see tasks.Store.
func (s *Store) AppObjects(ctx context.Context, app id.ID, limit int) ([]live.Key, error) {
	return all(ctx, s, func(c pgx.CollectableRow) (k live.Key, err error) {
		var kind int16
		err = c.Scan(&kind, &k.Parent, &k.ID)
		k.App, k.Kind = app, live.Kind(kind)
		return k, err
	}, appObjects, int64(app), limit)
}
