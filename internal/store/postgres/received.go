package postgres

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

const sourceColumns = `id, app, deleted, doc`

func scanSource(c pgx.CollectableRow) (s store.Source, err error) {
	var doc []byte
	if err := c.Scan((*int64)(&s.ID), (*int64)(&s.App), &s.Deleted, &doc); err != nil {
		return s, err
	}
	err = document.DecodeSource(doc, &s)
	return s, err
}

const (
	receivedColumns = `id, app, source, status, message, doc`
	receivedBody    = receivedColumns + `, body`
)

const (
	// What was not accepted has an index by status. Accepted requests are nearly all there
	// are, and need none.
	receivedAll    = `SELECT ` + receivedColumns + ` FROM received WHERE id > $1 AND id < $2 AND source = $4 ORDER BY source, id`
	receivedStatus = `SELECT ` + receivedColumns + ` FROM received WHERE id > $1 AND id < $2 AND source = $4 AND status <> 1 AND status = `
	receivedBodies = `SELECT ` + receivedBody + ` FROM received
		WHERE app = $1 AND status <> 1 AND body IS NOT NULL AND id > $2 AND id < $3 ORDER BY app, id LIMIT $4`
	oldReceived = `SELECT id FROM received WHERE id < $1 ORDER BY id LIMIT $2`
	// One source after the other.
	appReceived = `SELECT r.id FROM source s CROSS JOIN LATERAL (SELECT id FROM received WHERE source = s.id ORDER BY source, id LIMIT $2) AS r
		WHERE s.app = $1 LIMIT $2`
	trimReceived = `DELETE FROM received WHERE id = ANY (ARRAY(
		SELECT id FROM received WHERE source = $1 AND status <> 1 AND status = 2 ORDER BY source DESC, status DESC, id DESC OFFSET $2))`
)

// scanReceived reads receivedColumns or receivedBody.
func scanReceived(c pgx.CollectableRow) (r store.Received, err error) {
	var status int16
	into := []any{(*int64)(&r.ID), (*int64)(&r.App), (*int64)(&r.Source), &status, (*int64)(&r.Message), &r.Doc}
	if len(c.FieldDescriptions()) > len(into) {
		into = append(into, &r.Body)
	}
	err = c.Scan(into...)
	r.Status = store.ReceivedStatus(status)
	return r, err
}

func scanID(c pgx.CollectableRow) (found id.ID, err error) {
	err = c.Scan((*int64)(&found))
	return found, err
}

// Sources loads sources; those that are deleted are left out. They stay as they are until
// the transaction ends.
func (t *tx) Sources(_ context.Context, ids []id.ID) (found []store.Source, err error) {
	err = t.ask(`SELECT `+sourceColumns+` FROM source WHERE id = ANY ($1::bigint[]) AND NOT deleted ORDER BY id FOR SHARE`,
		collect(&found, scanSource), idColumn(ids))
	return found, err
}

func (t *tx) writeSources(c *store.Changes) error {
	sources := slices.Clone(c.Sources)
	slices.SortFunc(sources, func(a, b store.Source) int { return cmp.Compare(a.ID, b.ID) })
	for i := range sources {
		s := &sources[i]
		doc, err := document.EncodeSource(s)
		if err != nil {
			return err
		}
		t.queue("source", `INSERT INTO source (`+sourceColumns+`) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET app = excluded.app, deleted = excluded.deleted, doc = excluded.doc`,
			int64(s.ID), int64(s.App), s.Deleted, doc)
	}
	return nil
}

func (t *tx) insertReceived(c *store.Changes) error {
	n := len(c.Received)
	ids, apps, sources, messages := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	statuses, docs, bodies := make([]int16, n), make([][]byte, n), make([][]byte, n)
	for i := range c.Received {
		r := &c.Received[i]
		ids[i], apps[i], sources[i], messages[i] = int64(r.ID), int64(r.App), int64(r.Source), int64(r.Message)
		statuses[i], docs[i], bodies[i] = int16(r.Status), r.Doc, r.Body
	}
	t.queue("received requests", `INSERT INTO received (`+receivedBody+`)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bytea[], $7::bytea[])`,
		ids, apps, sources, statuses, messages, docs, bodies)
	return nil
}

// trimReceived removes the refused requests of sources that are too many.
func (t *tx) trimReceived(c *store.Changes) error {
	for _, source := range slices.Sorted(slices.Values(c.TrimReceived)) {
		t.queue("trimmed requests", trimReceived, int64(source), store.KeptRefused)
	}
	return nil
}

func (t *tx) dropBodies(c *store.Changes) error {
	t.queue("bodies", `UPDATE received SET body = NULL WHERE id = ANY ($1::bigint[])`, idColumn(c.Bodies))
	return nil
}

func (t *tx) eraseReceived(c *store.Changes) error {
	t.queue("erased requests", `DELETE FROM received WHERE id = ANY ($1::bigint[])`, idColumn(c.ErasedReceived))
	return nil
}

// Source finds a source that is not deleted, of an app that is not.
func (s *Store) Source(ctx context.Context, source id.ID) (store.Source, error) {
	return one(ctx, s, scanSource, `SELECT `+sourceColumns+` FROM source WHERE id = $1 AND NOT deleted
		AND EXISTS (SELECT 1 FROM app WHERE app.id = source.app AND NOT app.deleted)`, int64(source))
}

// Sources lists the sources of an app.
func (s *Store) Sources(ctx context.Context, app id.ID, p store.Page) (store.Listed[store.Source], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.Source](p)
	err := walk(ctx, s, out, b, scanSource, func(found store.Source) (bool, error) { return look(out, found.ID, found) },
		`SELECT `+sourceColumns+` FROM source WHERE id > $1 AND id < $2 AND app = $4 AND NOT deleted ORDER BY app, id`+b.Order+` LIMIT $3`, int64(app))
	return out.Listed, err
}

// ReceivedOne finds a request that a source of an app received, with its body.
func (s *Store) ReceivedOne(ctx context.Context, app, source, received id.ID) (store.Received, error) {
	return one(ctx, s, scanReceived, `SELECT `+receivedBody+` FROM received WHERE id = $1 AND app = $2 AND source = $3`,
		int64(received), int64(app), int64(source))
}

// ReceivedOf lists what a source of an app received, without bodies: what became one of
// the statuses (nil = all), in [since, until), where 0 is no bound.
func (s *Store) ReceivedOf(ctx context.Context, app, source id.ID, statuses []store.ReceivedStatus, since, until id.ID, p store.Page) (store.Listed[store.Received], error) {
	b, out := paging.Within(p, since, until), paging.NewPage[store.Received](p)
	query, values := receivedQuery(statuses, b.Order)
	err := walk(ctx, s, out, b, scanReceived, func(r store.Received) (bool, error) {
		matches := r.App == app && (statuses == nil || slices.Contains(statuses, r.Status))
		return out.Look(r.ID, matches, func() (store.Received, error) { return r, nil })
	}, query, append([]any{int64(source)}, values...)...)
	return out.Listed, err
}

// receivedQuery lists what a source ($4) received, as walk wants it.
func receivedQuery(statuses []store.ReceivedStatus, order string) (query string, values []any) {
	if len(statuses) == 0 || slices.Contains(statuses, store.Accepted) {
		return receivedAll + order + ` LIMIT $3`, nil
	}
	var parts []string
	for _, status := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		parts = append(parts, `(`+receivedStatus+`$`+strconv.Itoa(5+len(values))+` ORDER BY source, status, id`+order+` LIMIT $3)`)
		values = append(values, int16(status))
	}
	return `SELECT * FROM (` + strings.Join(parts, ` UNION ALL `) + `) AS received ORDER BY id` + order + ` LIMIT $3`, values
}

// OldReceived gives requests that came in before an id, of all sources; see janitor.Store.
func (s *Store) OldReceived(ctx context.Context, before id.ID, limit int) ([]id.ID, error) {
	return all(ctx, s, scanID, oldReceived, int64(before), limit)
}

// AppReceived gives requests that sources of an app received; see tasks.Store.
func (s *Store) AppReceived(ctx context.Context, app id.ID, limit int) ([]id.ID, error) {
	return all(ctx, s, scanID, appReceived, int64(app), limit)
}

// ReceivedBodies gives requests of an app that have a body, in ascending order; see
// tasks.Store.
func (s *Store) ReceivedBodies(ctx context.Context, app, after, until id.ID, limit int) ([]store.Received, error) {
	b := paging.Within(store.Page{After: after, Ascending: true}, 0, until)
	return all(ctx, s, scanReceived, receivedBodies, int64(app), b.Low, b.High, limit)
}
