package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

func unixTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// found turns the absence of a row into store.ErrNotFound.
func (s *Store) found(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNotFound
	}
	return s.told(err)
}

// Reads go through one and all, which bound them: a server may neither answer nor be
// gone.

// one reads one row; store.ErrNotFound if there is none.
func one[T any](ctx context.Context, s *Store, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) (row T, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return row, s.told(err)
	}
	row, err = pgx.CollectExactlyOneRow(rows, scan)
	return row, s.found(err)
}

// all reads rows.
func all[T any](ctx context.Context, s *Store, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, s.told(err)
	}
	found, err := gather(rows, scan)
	return found, s.told(err)
}

// gather collects rows; nil if there are none.
func gather[T any](rows pgx.Rows, scan func(pgx.CollectableRow) (T, error)) ([]T, error) {
	return pgx.AppendRows([]T(nil), rows, scan)
}

// smallStep and largeStep are how many rows a walk asks for at a time: what it
// fetches and does not use is work for nothing.
const (
	smallStep = 100
	largeStep = 1000
)

// walk fills a page from a query that ends in $1 < id < $2 (bounds), ORDER BY id
// and LIMIT $3, some rows at a time. look takes each row; it is a method of the
// page, by and large.
func walk[R, T any](ctx context.Context, s *Store, out *paging.Page[T], b paging.Bounds, scan func(pgx.CollectableRow) (R, error),
	look func(R) (more bool, err error), sql string, args ...any,
) error {
	for step := max(smallStep, out.Want()); ; step = largeStep {
		rows, err := all(ctx, s, scan, sql, append([]any{b.Low, b.High, step}, args...)...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			more, err := look(r)
			if err != nil || !more {
				return err
			}
		}
		if len(rows) < step {
			return nil
		}
		b = b.After(out.Next)
	}
}

// App finds an app of an org.
func (s *Store) App(ctx context.Context, org string, ref store.Ref) (app store.App, err error) {
	if !storable(org) || !storable(ref.UID) {
		return app, store.ErrNotFound
	}
	query, key := `SELECT `+appColumns+` FROM app WHERE id = $2 AND org = $1 AND NOT deleted`, any(int64(ref.ID))
	if ref.ID == 0 {
		query, key = `SELECT `+appColumns+` FROM app WHERE org = $1 AND uid = $2 AND NOT deleted`, ref.UID
	}
	return one(ctx, s, scanApp, query, org, key)
}

// OrgOf gives the org of an app.
func (s *Store) OrgOf(ctx context.Context, app id.ID) (string, error) {
	return one(ctx, s, pgx.RowTo[string], `SELECT org FROM app WHERE id = $1 AND NOT deleted`, int64(app))
}

// HasApps reports whether any org has or had an app whose rows are still there.
func (s *Store) HasApps(ctx context.Context) (bool, error) {
	return one(ctx, s, pgx.RowTo[bool], `SELECT EXISTS (SELECT 1 FROM app)`)
}

// Apps lists the apps of an org.
func (s *Store) Apps(ctx context.Context, org string, p store.Page) (store.Listed[store.App], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.App](p)
	err := walk(ctx, s, out, b, scanApp, func(a store.App) (bool, error) { return look(out, a.ID, a) },
		`SELECT `+appColumns+` FROM app WHERE id > $1 AND id < $2 AND org = $4 AND NOT deleted ORDER BY id`+b.Order+` LIMIT $3`, org)
	return out.Listed, err
}

// look shows a page a row that matches.
func look[T any](out *paging.Page[T], at id.ID, row T) (more bool, err error) {
	return out.Look(at, true, func() (T, error) { return row, nil })
}

// AppEndpoint finds an endpoint of an app.
func (s *Store) AppEndpoint(ctx context.Context, app id.ID, ref store.Ref) (ep delivery.Endpoint, err error) {
	if !storable(ref.UID) {
		return ep, store.ErrNotFound
	}
	query, key := `SELECT `+endpointColumns+` FROM endpoint WHERE app = $1 AND id = $2 AND NOT deleted`, any(int64(ref.ID))
	if ref.ID == 0 {
		query, key = `SELECT `+endpointColumns+` FROM endpoint WHERE app = $1 AND uid = $2 AND NOT deleted`, ref.UID
	}
	return one(ctx, s, scanEndpoint, query, int64(app), key)
}

// AppEndpoints lists the endpoints of an app.
func (s *Store) AppEndpoints(ctx context.Context, app id.ID, p store.Page) (store.Listed[delivery.Endpoint], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[delivery.Endpoint](p)
	err := walk(ctx, s, out, b, scanEndpoint, func(e delivery.Endpoint) (bool, error) { return look(out, e.ID, e) },
		`SELECT `+endpointColumns+` FROM endpoint WHERE id > $1 AND id < $2 AND app = $4 AND NOT deleted ORDER BY id`+b.Order+` LIMIT $3`, int64(app))
	return out.Listed, err
}

// EventType finds a declared event type.
func (s *Store) EventType(ctx context.Context, org, name string) (eventType store.EventType, err error) {
	if !storable(org) || !storable(name) {
		return eventType, store.ErrNotFound
	}
	return one(ctx, s, scanEventType, `SELECT `+eventTypeColumns+` FROM event_type WHERE org = $1 AND name = $2`, org, name)
}

// EventTypes lists an org's event types by name. Next is not used: the next page
// begins after the last name.
func (s *Store) EventTypes(ctx context.Context, org string, p store.Page, archived bool) (store.Listed[store.EventType], error) {
	out := paging.NewPage[store.EventType](p)
	if !storable(p.AfterName) {
		return out.Listed, nil
	}
	query, args := `SELECT `+eventTypeColumns+` FROM event_type WHERE org = $1 AND (NOT archived OR $2)`, []any{org, archived, out.Want()}
	if p.AfterName != "" {
		query += map[bool]string{true: ` AND name > $4`, false: ` AND name < $4`}[p.Ascending]
		args = append(args, p.AfterName)
	}
	types, err := all(ctx, s, scanEventType, query+` ORDER BY name`+paging.Within(p, 0, 0).Order+` LIMIT $3`, args...)
	for i := range types {
		if more, _ := look(out, 0, types[i]); !more {
			break
		}
	}
	return out.Listed, err
}

// Settings gives a zero Doc for an org that never set any.
func (s *Store) Settings(ctx context.Context, org string) (store.OrgSettings, error) {
	settings, err := one(ctx, s, scanSettings, `SELECT id, doc, updated_at FROM org WHERE id = $1`, org)
	if errors.Is(err, store.ErrNotFound) {
		return store.OrgSettings{Org: org}, nil
	}
	return settings, err
}

// Message finds a message by id or by eventId (Ref.UID); the payload comes with
// it. The eventId is found by its hash, store.HashText.
func (s *Store) Message(ctx context.Context, app id.ID, ref store.Ref) (store.Message, error) {
	query, key := `SELECT `+messageBody+` FROM message WHERE app = $1 AND id = $2`, any(int64(ref.ID))
	if ref.ID == 0 {
		query, key = `SELECT `+messageBody+` FROM message WHERE app = $1 AND event_hash = $2`, uuid(store.HashText(ref.UID))
	}
	return one(ctx, s, scanMessage, query, int64(app), key)
}

// ListMessages lists messages of an app.
func (s *Store) ListMessages(ctx context.Context, q store.MessageQuery) (store.Listed[store.Message], error) {
	b, out := paging.Within(q.Page, q.Since, q.Until), paging.NewPage[store.Message](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	columns := messageColumns
	if q.Content && !f.Any() {
		columns = messageBody
	}
	err := walk(ctx, s, out, b, scanListed, func(r *messageRow) (bool, error) {
		matches, err := f.Matches(orZero(r.kind), r.extra)
		if err != nil {
			return false, err
		}
		return out.Look(id.ID(orZero(r.id)), matches, r.decode)
	}, `SELECT `+columns+` FROM message WHERE id > $1 AND id < $2 AND app = $4 ORDER BY app, id`+b.Order+` LIMIT $3`, int64(q.App))
	if err != nil || !q.Content || !f.Any() {
		return out.Listed, err
	}
	return out.Listed, s.withPayloads(ctx, out.Rows)
}

// scanListed reads messageColumns or messageBody without looking into documents.
func scanListed(c pgx.CollectableRow) (*messageRow, error) {
	r := &messageRow{}
	return r, c.Scan(r.into(len(c.FieldDescriptions()) > 8)...)
}

// withPayloads loads the payloads of messages that were listed without.
func (s *Store) withPayloads(ctx context.Context, messages []store.Message) error {
	ids := make([]id.ID, len(messages))
	for i := range messages {
		ids[i] = messages[i].ID
	}
	full, err := s.Messages(ctx, ids)
	contents := make(map[id.ID]*store.Message, len(full))
	for i := range full {
		contents[full[i].ID] = &full[i]
	}
	for i := range messages {
		messages[i].Payload, messages[i].Tenant, messages[i].Raw = nil, "", nil
		if found := contents[messages[i].ID]; found != nil {
			messages[i].Payload, messages[i].Tenant, messages[i].Raw = found.Payload, found.Tenant, found.Raw
		}
	}
	return err
}

// Attempt finds an attempt of a message.
func (s *Store) Attempt(ctx context.Context, app, message, attempt id.ID) (a store.AttemptRow, err error) {
	a.Attempt, err = one(ctx, s, func(c pgx.CollectableRow) (delivery.Attempt, error) {
		var r attemptRow
		err := c.Scan(r.into(true)...)
		return r.decode(), err
	}, `SELECT `+attemptBody+` FROM attempt WHERE msg = $1 AND id = $2 AND app = $3`, int64(message), int64(attempt), int64(app))
	if err != nil {
		return a, err
	}
	rows := []store.AttemptRow{a}
	err = s.withURLs(ctx, rows)
	return rows[0], err
}

// listedAttempt is an attempt with what a filter looks at of its message.
type listedAttempt struct {
	attemptRow
	kind  *string
	extra []byte
}

// ListAttempts lists attempts of a message or of an endpoint.
func (s *Store) ListAttempts(ctx context.Context, q store.AttemptQuery) (store.Listed[store.AttemptRow], error) {
	b, out := paging.Within(q.Page, q.Since, q.Until), paging.NewPage[store.AttemptRow](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	scan := func(c pgx.CollectableRow) (*listedAttempt, error) {
		r := &listedAttempt{}
		return r, c.Scan(append(r.into(q.Content), &r.kind, &r.extra)...)
	}
	query, args := attemptQuery(&q, f, b)
	err := walk(ctx, s, out, b, scan, func(r *listedAttempt) (bool, error) {
		matches, err := f.Matches(orZero(r.kind), r.extra)
		if err != nil {
			return false, err
		}
		matches = matches && paging.MatchesAttempt(&q, r.a.Success, int(r.status))
		return out.Look(r.a.ID, matches, func() (store.AttemptRow, error) { return store.AttemptRow{Attempt: r.decode()}, nil })
	}, query, args...)
	if err != nil {
		return out.Listed, err
	}
	if err := s.withURLs(ctx, out.Rows); err != nil {
		return out.Listed, err
	}
	if !q.WithMessage {
		return out.Listed, nil
	}
	return out.Listed, s.withMessages(ctx, out.Rows, q.Content)
}

// attemptQuery walks the attempts of a message, which are few and are sorted, or
// those of an endpoint, which have an index.
func attemptQuery(q *store.AttemptQuery, f paging.Filter, b paging.Bounds) (query string, args []any) {
	columns, join := attemptColumns, ``
	if q.Content {
		columns = attemptBody
	}
	if f.Any() {
		columns, join = columns+`, message.type, message.extra`, ` LEFT JOIN message ON message.id = attempt.msg`
	} else {
		columns += `, NULL::text, NULL::bytea`
	}
	query = `SELECT ` + columns + ` FROM attempt` + join + ` WHERE attempt.id > $1 AND attempt.id < $2 AND attempt.app = $4`
	switch {
	case q.Message == 0:
		return query + ` AND attempt.ep = $5 ORDER BY attempt.ep, attempt.id` + b.Order + ` LIMIT $3`, []any{int64(q.App), int64(q.Endpoint)}
	case q.Endpoint == 0:
		return query + ` AND attempt.msg = $5 ORDER BY attempt.id` + b.Order + ` LIMIT $3`, []any{int64(q.App), int64(q.Message)}
	}
	return query + ` AND attempt.msg = $5 AND attempt.ep = $6 ORDER BY attempt.id` + b.Order + ` LIMIT $3`, []any{int64(q.App), int64(q.Message), int64(q.Endpoint)}
}

// withURLs finds the URL that each attempt was sent to.
func (s *Store) withURLs(ctx context.Context, rows []store.AttemptRow) error {
	var eps []id.ID
	for i := range rows {
		eps = append(eps, rows[i].Endpoint)
	}
	slices.Sort(eps)
	eps = slices.Compact(eps)
	urls, err := all(ctx, s, func(c pgx.CollectableRow) (u store.EndpointURL, err error) {
		var since int64
		var url []byte
		err = c.Scan((*int64)(&u.Endpoint), &since, &url)
		u.Since, u.URL = document.Time(since), string(url)
		return u, err
	}, `SELECT endpoint, since, url FROM endpoint_url WHERE endpoint = ANY ($1::bigint[]) ORDER BY endpoint, since`, idColumn(eps))
	histories := map[id.ID][]store.EndpointURL{}
	for _, u := range urls {
		histories[u.Endpoint] = append(histories[u.Endpoint], u)
	}
	for i := range rows {
		rows[i].URL = store.URLAt(histories[rows[i].Endpoint], rows[i].At)
	}
	return err
}

// withMessages loads the messages of a page's attempts.
func (s *Store) withMessages(ctx context.Context, rows []store.AttemptRow, content bool) error {
	columns := messageColumns
	if content {
		columns = messageBody
	}
	ids := make([]id.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].Attempt.Message
	}
	slices.Sort(ids)
	messages, err := all(ctx, s, scanMessage, `SELECT `+columns+` FROM message WHERE id = ANY ($1::bigint[])`, idColumn(slices.Compact(ids)))
	byID := make(map[id.ID]*store.Message, len(messages))
	for i := range messages {
		byID[messages[i].ID] = &messages[i]
	}
	for i := range rows {
		rows[i].Message = byID[rows[i].Attempt.Message]
	}
	return err
}

// Delivery finds a delivery of an app.
func (s *Store) Delivery(ctx context.Context, app id.ID, key delivery.Key) (delivery.Delivery, error) {
	return one(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM delivery WHERE msg = $1 AND ep = $2 AND app = $3`,
		int64(key.Message), int64(key.Endpoint), int64(app))
}

// listedDelivery is a message with its delivery to an endpoint, if it has one.
type listedDelivery struct {
	deliveryRow
	message messageRow
}

// ListDeliveries lists deliveries of an endpoint, with their messages, or of a
// message.
func (s *Store) ListDeliveries(ctx context.Context, q store.DeliveryQuery) (store.Listed[store.DeliveryRow], error) {
	if q.Message != 0 {
		return s.deliveriesOfMessage(ctx, q)
	}
	out := paging.NewPage[store.DeliveryRow](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	err := s.walkDeliveries(ctx, q.App, q.Endpoint, paging.Within(q.Page, q.Since, q.Until), out, func(r *listedDelivery) (bool, error) {
		matches, err := f.Matches(orZero(r.message.kind), r.message.extra)
		return matches && oneOf(q.States, r), err
	})
	if err != nil || !q.Content {
		return out.Listed, err
	}
	messages := make([]store.Message, len(out.Rows))
	for i := range out.Rows {
		messages[i] = *out.Rows[i].Message
	}
	err = s.withPayloads(ctx, messages)
	for i := range out.Rows {
		out.Rows[i].Message = &messages[i]
	}
	return out.Listed, err
}

// oneOf reports whether a delivery is in one of the states; nil = any.
func oneOf(states []delivery.State, r *listedDelivery) bool {
	return states == nil || slices.Contains(states, delivery.State(orZero(r.state)))
}

// walkDeliveries walks the messages of an endpoint's app with the deliveries to the
// endpoint. There is no index of deliveries by endpoint: it would cost every
// delivery more than this costs the lists (DESIGN.md).
func (s *Store) walkDeliveries(ctx context.Context, app, endpoint id.ID, b paging.Bounds, out *paging.Page[store.DeliveryRow], matches func(*listedDelivery) (bool, error)) error {
	scan := func(c pgx.CollectableRow) (*listedDelivery, error) {
		r := &listedDelivery{}
		return r, c.Scan(append(r.into(), r.message.into(false)...)...)
	}
	return walk(ctx, s, out, b, scan, func(r *listedDelivery) (bool, error) {
		wanted := r.msg != nil
		if wanted {
			var err error
			if wanted, err = matches(r); err != nil {
				return false, err
			}
		}
		return out.Look(id.ID(orZero(r.message.id)), wanted, func() (store.DeliveryRow, error) {
			m, err := r.message.decode()
			return store.DeliveryRow{Delivery: r.decode(), Message: &m}, err
		})
	}, `SELECT `+deliveryColumns+`, `+messageColumns+` FROM message LEFT JOIN delivery ON delivery.msg = message.id AND delivery.ep = $5
		WHERE message.id > $1 AND message.id < $2 AND message.app = $4 ORDER BY message.app, message.id`+b.Order+` LIMIT $3`, int64(app), int64(endpoint))
}

// deliveriesOfMessage lists by endpoint. The message is the same for all, so that
// a filter on it takes all or nothing.
func (s *Store) deliveriesOfMessage(ctx context.Context, q store.DeliveryQuery) (store.Listed[store.DeliveryRow], error) {
	b, out := paging.Within(q.Page, 0, 0), paging.NewPage[store.DeliveryRow](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	matches := (q.Since == 0 || q.Message >= q.Since) && (q.Until == 0 || q.Message < q.Until)
	if f.Any() {
		m, err := one(ctx, s, scanListed, `SELECT `+messageColumns+` FROM message WHERE id = $1`, int64(q.Message))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return out.Listed, err
		}
		if err == nil {
			ok, err := f.Matches(orZero(m.kind), m.extra)
			if err != nil {
				return out.Listed, err
			}
			matches = matches && ok
		}
	}
	err := walk(ctx, s, out, b, scanDelivery, func(d delivery.Delivery) (bool, error) {
		wanted := matches && (q.States == nil || slices.Contains(q.States, d.State))
		return out.Look(d.Endpoint, wanted, func() (store.DeliveryRow, error) { return store.DeliveryRow{Delivery: d}, nil })
	}, `SELECT `+deliveryColumns+` FROM delivery WHERE ep > $1 AND ep < $2 AND msg = $4 AND app = $5 ORDER BY ep`+b.Order+` LIMIT $3`, int64(q.Message), int64(q.App))
	return out.Listed, err
}

// CountDeliveries counts an endpoint's deliveries of messages in [since, until) by
// state. It looks at every message of the app there, about a microsecond each.
func (s *Store) CountDeliveries(ctx context.Context, app, endpoint, since, until id.ID) (store.Counts, error) {
	b := paging.Within(store.Page{}, since, until)
	type count struct {
		state delivery.State
		n     int64
	}
	rows, err := all(ctx, s, func(c pgx.CollectableRow) (r count, err error) {
		err = c.Scan((*uint8)(&r.state), &r.n)
		return r, err
	}, `SELECT delivery.state, count(*) FROM message JOIN delivery ON delivery.msg = message.id AND delivery.ep = $4
		WHERE message.app = $3 AND message.id > $1 AND message.id < $2 GROUP BY delivery.state`, b.Low, b.High, int64(app), int64(endpoint))
	if err != nil {
		return nil, err
	}
	counts := store.Counts{}
	for _, r := range rows {
		counts[r.state] = r.n
	}
	return counts, nil
}

// Health gives a zero Health for an endpoint that is not failing.
func (s *Store) Health(ctx context.Context, endpoint id.ID) (store.Health, error) {
	health, err := one(ctx, s, scanHealth, `SELECT `+healthColumns+` FROM endpoint_health WHERE endpoint = $1`, int64(endpoint))
	if errors.Is(err, store.ErrNotFound) {
		return store.Health{}, nil
	}
	return health, err
}

// Task finds a task of an org.
func (s *Store) Task(ctx context.Context, org string, task id.ID) (store.Task, error) {
	return one(ctx, s, scanTask, `SELECT `+taskColumns+` FROM task WHERE id = $1 AND org = $2`, int64(task), org)
}

// ListTasks lists an org's tasks, of an app and of an endpoint if those are set.
func (s *Store) ListTasks(ctx context.Context, org string, app, endpoint id.ID, p store.Page) (store.Listed[store.Task], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.Task](p)
	err := walk(ctx, s, out, b, scanTask, func(t store.Task) (bool, error) {
		matches := (app == 0 || t.App == app) && (endpoint == 0 || t.Endpoint == endpoint)
		return out.Look(t.ID, matches, func() (store.Task, error) { return t, nil })
	}, `SELECT `+taskColumns+` FROM task WHERE id > $1 AND id < $2 AND org = $4 ORDER BY org, id`+b.Order+` LIMIT $3`, org)
	return out.Listed, err
}
