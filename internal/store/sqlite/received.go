package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

const sourceColumns = `id, app, deleted, doc`

func decodeSource(v []driver.Value) (store.Source, error) {
	s := store.Source{ID: ident(v[0]), App: ident(v[1]), Deleted: integer(v[2]) != 0}
	err := document.DecodeSource(blob(v[3]), &s)
	return s, err
}

const (
	receivedColumns = `id, app, source, status, message, doc`
	receivedBody    = receivedColumns + `, body`
)

// decodeReceived reads receivedColumns or receivedBody.
func decodeReceived(v []driver.Value) store.Received {
	r := store.Received{
		ID: ident(v[0]), App: ident(v[1]), Source: ident(v[2]), Status: store.ReceivedStatus(integer(v[3])),
		Message: ident(v[4]), Doc: blob(v[5]),
	}
	if len(v) > 6 {
		r.Body = blob(v[6])
	}
	return r
}

// Sources loads sources; those that are deleted are left out.
func (t *tx) Sources(ctx context.Context, ids []id.ID) (found []store.Source, err error) {
	err = eachIn(ctx, t.writer.conn, `SELECT `+sourceColumns+` FROM source WHERE deleted = 0 AND id IN `, ids, func(row []driver.Value) error {
		return keep(&found, row, decodeSource)
	})
	return found, err
}

// keep adds a row that has a document to be read.
func keep[T any](rows *[]T, v []driver.Value, decode func([]driver.Value) (T, error)) error {
	row, err := decode(v)
	*rows = append(*rows, row)
	return err
}

func (t *tx) writeSources(_ context.Context, c *store.Changes) error {
	for i := range c.Sources {
		s := &c.Sources[i]
		doc, err := document.EncodeSource(s)
		if err != nil {
			return err
		}
		_, err = t.writer.conn.run(`INSERT INTO source (`+sourceColumns+`) VALUES (?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET app = excluded.app, deleted = excluded.deleted, doc = excluded.doc`,
			int64(s.ID), int64(s.App), flag(s.Deleted), doc)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertReceived(_ context.Context, c *store.Changes) error {
	return t.writer.received.insert(len(c.Received), func(v args, i int) args {
		r := &c.Received[i]
		return append(v, int64(r.ID), int64(r.App), int64(r.Source), int64(r.Status), int64(r.Message), bytesOrNull(r.Doc), bytesOrNull(r.Body))
	})
}

// trimReceived removes the refused requests of sources that are too many.
func (t *tx) trimReceived(ctx context.Context, c *store.Changes) error {
	var old []id.ID
	for _, source := range c.TrimReceived {
		err := t.writer.conn.each(ctx, `SELECT id FROM received INDEXED BY received_status WHERE source = ? AND status <> 1 AND status = 2
				ORDER BY id DESC LIMIT -1 OFFSET ?`,
			func(row []driver.Value) error {
				old = append(old, ident(row[0]))
				return nil
			}, int64(source), int64(store.KeptRefused))
		if err != nil {
			return err
		}
	}
	return t.dropReceived(old)
}

func (t *tx) eraseReceived(_ context.Context, c *store.Changes) error {
	return t.dropReceived(c.ErasedReceived)
}

// dropReceived removes received requests, and remembers the largest ids that went.
func (t *tx) dropReceived(ids []id.ID) error {
	largest := map[int]id.ID{}
	for _, r := range ids {
		largest[r.Node()] = max(largest[r.Node()], r)
		if _, err := t.writer.conn.run(`DELETE FROM received WHERE id = ?`, int64(r)); err != nil {
			return err
		}
	}
	for node, last := range largest {
		if err := t.raise(node, last); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) dropBodies(_ context.Context, c *store.Changes) error {
	for _, r := range c.Bodies {
		if _, err := t.writer.conn.run(`UPDATE received SET body = NULL WHERE id = ?`, int64(r)); err != nil {
			return err
		}
	}
	return nil
}

// Source finds a source that is not deleted, of an app that is not.
func (s *Store) Source(ctx context.Context, source id.ID) (found store.Source, err error) {
	err = s.find(ctx, `SELECT `+sourceColumns+` FROM source WHERE id = ? AND deleted = 0
		AND EXISTS (SELECT 1 FROM app WHERE app.id = source.app AND app.deleted = 0)`, func(row []driver.Value) (err error) {
		found, err = decodeSource(row)
		return err
	}, int64(source))
	return found, err
}

// Sources lists the sources of an app.
func (s *Store) Sources(ctx context.Context, app id.ID, p store.Page) (store.Listed[store.Source], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.Source](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+sourceColumns+` FROM source WHERE app = ? AND deleted = 0 AND id > ? AND id < ? ORDER BY id`+b.Order,
			func(row []driver.Value) error {
				return look(out, ident(row[0]), true, func() (store.Source, error) { return decodeSource(row) })
			}, int64(app), b.Low, b.High)
	})
	return out.Listed, err
}

// ReceivedOne finds a request that a source of an app received, with its body.
func (s *Store) ReceivedOne(ctx context.Context, app, source, received id.ID) (r store.Received, err error) {
	err = s.find(ctx, `SELECT `+receivedBody+` FROM received WHERE id = ? AND app = ? AND source = ?`, func(row []driver.Value) error {
		r = decodeReceived(row)
		return nil
	}, int64(received), int64(app), int64(source))
	return r, err
}

// ReceivedOf lists what a source of an app received, without bodies: what became one of
// the statuses (nil = all), in [since, until), where 0 is no bound.
func (s *Store) ReceivedOf(ctx context.Context, app, source id.ID, statuses []store.ReceivedStatus, since, until id.ID, p store.Page) (store.Listed[store.Received], error) {
	b, out := paging.Within(p, since, until), paging.NewPage[store.Received](p)
	query, values := receivedQuery(statuses)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, query+b.Order, func(row []driver.Value) error {
			r := decodeReceived(row)
			matches := r.App == app && (statuses == nil || slices.Contains(statuses, r.Status))
			return look(out, r.ID, matches, func() (store.Received, error) { return r, nil })
		}, append(args{int64(source), b.Low, b.High}, values...)...)
	})
	return out.Listed, err
}

// receivedQuery lists what a source (?1) received, with ids between ?2 and ?3, and ends
// in ORDER BY id. What was not accepted has an index by status, whose parts SQLite merges;
// accepted requests are nearly all there are, and need none.
func receivedQuery(statuses []store.ReceivedStatus) (query string, values args) {
	const columns = `SELECT ` + receivedColumns + ` FROM received INDEXED BY `
	if len(statuses) == 0 || slices.Contains(statuses, store.Accepted) {
		return columns + `received_source WHERE source = ?1 AND id > ?2 AND id < ?3 ORDER BY id`, nil
	}
	const part = columns + `received_status WHERE source = ?1 AND id > ?2 AND id < ?3 AND status <> 1 AND status = `
	var parts []string
	for _, status := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		parts = append(parts, part+`?`)
		values = append(values, int64(status))
	}
	return strings.Join(parts, ` UNION ALL `) + ` ORDER BY id`, values
}

// OldReceived gives requests that came in before an id, of all sources; see janitor.Store.
func (s *Store) OldReceived(ctx context.Context, before id.ID, limit int) ([]id.ID, error) {
	return s.idents(ctx, `SELECT id FROM received WHERE id < ? ORDER BY id LIMIT ?`, int64(before), int64(limit))
}

// AppReceived gives requests that sources of an app received; see tasks.Store.
func (s *Store) AppReceived(ctx context.Context, app id.ID, limit int) ([]id.ID, error) {
	return s.idents(ctx, `SELECT received.id FROM source CROSS JOIN received INDEXED BY received_source ON received.source = source.id
		WHERE source.app = ? LIMIT ?`, int64(app), int64(limit))
}

// idents reads ids.
func (s *Store) idents(ctx context.Context, query string, values ...driver.Value) (ids []id.ID, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, query, func(row []driver.Value) error {
			ids = append(ids, ident(row[0]))
			return nil
		}, values...)
	})
	return ids, err
}

// ReceivedBodies gives requests of an app that have a body, in ascending order; see
// tasks.Store.
func (s *Store) ReceivedBodies(ctx context.Context, app, after, until id.ID, limit int) (rows []store.Received, err error) {
	b := paging.Within(store.Page{After: after, Ascending: true}, 0, until)
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+receivedBody+` FROM received INDEXED BY received_body
				WHERE app = ? AND status <> 1 AND body IS NOT NULL AND id > ? AND id < ? ORDER BY id LIMIT ?`,
			func(row []driver.Value) error {
				rows = append(rows, decodeReceived(row))
				return nil
			}, int64(app), b.Low, b.High, int64(limit))
	})
	return rows, err
}
