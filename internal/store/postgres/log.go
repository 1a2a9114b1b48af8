package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/paging"
)

// DeliveryLog lists deliveries of an app. What failed has an index, and of what is pending the
// keys are sorted while they are few; everything else is a walk over the app's messages.
func (s *Store) DeliveryLog(ctx context.Context, q store.LogQuery) (store.Log, error) {
	out := paging.NewLogPage(&q)
	err := s.fillLog(ctx, &q, out)
	return out.Log(), err
}

func (s *Store) fillLog(ctx context.Context, q *store.LogQuery, out *paging.LogPage) error {
	order := out.Bounds().Order
	switch {
	case out.Only(delivery.Failed):
		return s.walkFailed(ctx, q, out, failedLog(order))
	case out.Only(delivery.Pending, delivery.Waiting):
		keys, err := s.pendingKeys(ctx, q)
		if err != nil {
			return err
		}
		if len(keys) <= paging.PendingSorted {
			return s.pendingLog(ctx, out, keys)
		}
	}
	if q.Endpoint != 0 {
		return s.walkLog(ctx, q, out, messageLog(order, ` AND delivery.ep = $5`), int64(q.Endpoint))
	}
	return s.walkLog(ctx, q, out, messageLog(order, ``))
}

const logColumns = deliveryColumns + `, ` + messageColumns

// messageLog takes $3 messages of app $4 between $1 and $2 with all their deliveries, or
// with those that a condition leaves. NULL stands where there is none. The limit stands
// below the join: a plan that was made for empty tables would join and sort everything.
func messageLog(order, condition string) string {
	return `SELECT ` + logColumns + ` FROM (SELECT ` + messageColumns + ` FROM message
			WHERE message.app = $4 AND message.id > $1 AND message.id < $2 ORDER BY message.app` + order + `, message.id` + order + ` LIMIT $3) AS message
		LEFT JOIN delivery ON delivery.msg = message.id` + condition + ` ORDER BY message.id` + order + `, delivery.ep` + order
}

// failedLog takes $3 failed deliveries of app $4 to messages between $1 and $2, of message
// $5 only those to endpoints behind $6.
func failedLog(order string) string {
	than := ` > `
	if order != "" {
		than = ` < `
	}
	return `SELECT ` + logColumns + ` FROM delivery JOIN message ON message.id = delivery.msg
		WHERE delivery.reason <> 0 AND delivery.app = $4 AND delivery.msg > $1 AND delivery.msg < $2 AND (delivery.msg <> $5 OR delivery.ep` + than + `$6)
		ORDER BY delivery.app` + order + `, delivery.msg` + order + `, delivery.ep` + order + ` LIMIT $3`
}

func scanLogged(c pgx.CollectableRow) (*listedDelivery, error) {
	r := &listedDelivery{}
	return r, c.Scan(append(r.into(), r.message.into(false)...)...)
}

// key names the delivery, or the message alone if there is none.
func (r *listedDelivery) key() delivery.Key {
	return delivery.Key{Message: id.ID(orZero(r.message.id)), Endpoint: id.ID(orZero(r.ep))}
}

// lookAtLog shows a page a row.
func lookAtLog(q *store.LogQuery, out *paging.LogPage, r *listedDelivery) (more bool, err error) {
	wanted := r.msg != nil && (q.Endpoint == 0 || id.ID(orZero(r.ep)) == q.Endpoint) && out.Wants(delivery.State(orZero(r.state)))
	if wanted {
		if wanted, err = out.Filter().Matches(orZero(r.message.kind), r.message.extra); err != nil {
			return false, err
		}
	}
	return out.Look(r.key(), wanted, func() (store.DeliveryRow, error) {
		m, err := r.message.decode()
		return store.DeliveryRow{Delivery: r.decode(), Message: &m}, err
	})
}

// walkLog fills a page by messageLog, some messages at a time: as many as have about
// largeStep deliveries.
func (s *Store) walkLog(ctx context.Context, q *store.LogQuery, out *paging.LogPage, query string, args ...any) error {
	b := out.Bounds()
	for step := smallStep; ; {
		rows, err := all(ctx, s, scanLogged, query, append([]any{b.Low, b.High, step, int64(q.App)}, args...)...)
		if err != nil {
			return err
		}
		messages, last := 0, id.ID(0)
		for _, r := range rows {
			if at := r.key().Message; at != last {
				messages, last = messages+1, at
			}
			if more, err := lookAtLog(q, out, r); err != nil || !more {
				return err
			}
		}
		if messages < step {
			return nil
		}
		b = b.After(last)
		step = max(1, largeStep*messages/len(rows))
	}
}

// walkFailed fills a page by failedLog, some rows at a time.
func (s *Store) walkFailed(ctx context.Context, q *store.LogQuery, out *paging.LogPage, query string) error {
	b, from := out.Bounds(), q.After
	if from.Endpoint == 0 {
		from.Message = 0
	}
	for step := max(smallStep, out.Want()); ; step = largeStep {
		rows, err := all(ctx, s, scanLogged, query, b.Low, b.High, step, int64(q.App), int64(from.Message), int64(from.Endpoint))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if more, err := lookAtLog(q, out, r); err != nil || !more {
				return err
			}
		}
		if len(rows) < step {
			return nil
		}
		from = rows[len(rows)-1].key()
		b = b.After(from.Message).Including(from.Message) // which may have more
	}
}

// pendingLog lists pending deliveries, whose keys are known.
func (s *Store) pendingLog(ctx context.Context, out *paging.LogPage, keys []delivery.Key) error {
	keys = out.Sort(keys)
	for len(keys) > 0 {
		n := min(len(keys), max(smallStep, out.Want()))
		msgs, eps := keyColumns(keys[:n])
		rows, err := all(ctx, s, scanLogged, loggedByKey, msgs, eps)
		if err != nil {
			return err
		}
		byKey := make(map[delivery.Key]*listedDelivery, len(rows))
		for _, r := range rows {
			byKey[r.key()] = r
		}
		for _, k := range keys[:n] {
			r := byKey[k]
			if r == nil {
				continue // it went meanwhile
			}
			if more, err := lookAtLog(&store.LogQuery{}, out, r); err != nil || !more {
				return err
			}
		}
		keys = keys[n:]
	}
	return nil
}

const loggedByKey = `SELECT ` + logColumns + ` FROM unnest($1::bigint[], $2::bigint[]) AS i(msg, ep)
	JOIN delivery ON delivery.msg = i.msg AND delivery.ep = i.ep JOIN message ON message.id = i.msg`

// pendingKeys gives pending deliveries of an app, by the index of what is due: all of them
// if they are at most paging.PendingSorted.
func (s *Store) pendingKeys(ctx context.Context, q *store.LogQuery) ([]delivery.Key, error) {
	scan := func(c pgx.CollectableRow) (k delivery.Key, err error) {
		err = c.Scan((*int64)(&k.Message), (*int64)(&k.Endpoint))
		return k, err
	}
	if q.Endpoint != 0 {
		return all(ctx, s, scan, pendingOfEndpoint, int64(q.App), paging.PendingSorted+1, int64(q.Endpoint))
	}
	return all(ctx, s, scan, pendingOfApp, int64(q.App), paging.PendingSorted+1)
}

const (
	pendingOfApp = `SELECT d.msg, d.ep FROM endpoint JOIN delivery d ON d.ep = endpoint.id AND d.due IS NOT NULL
		WHERE endpoint.app = $1 AND NOT endpoint.deleted LIMIT $2`
	pendingOfEndpoint = `SELECT d.msg, d.ep FROM delivery d WHERE d.ep = $3 AND d.due IS NOT NULL AND d.app = $1 LIMIT $2`
)

// LastAttempts gives the last attempt of each delivery that has one, without the response.
func (s *Store) LastAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]delivery.Attempt, error) {
	msgs, eps := keyColumns(keys)
	rows, err := all(ctx, s, scanAttempt, lastAttempts, msgs, eps)
	found := make(map[delivery.Key]delivery.Attempt, len(rows))
	for _, a := range rows {
		found[a.Key] = a
	}
	return found, err
}

const lastAttempts = `SELECT attempt.* FROM unnest($1::bigint[], $2::bigint[]) AS i(msg, ep) CROSS JOIN LATERAL
	(SELECT ` + attemptColumns + ` FROM attempt WHERE attempt.msg = i.msg AND attempt.ep = i.ep ORDER BY attempt.n DESC LIMIT 1) AS attempt`

// CountAttempts counts the attempts of each delivery that has one: all of them, however
// often it was queued again.
func (s *Store) CountAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]int, error) {
	found := make(map[delivery.Key]int, len(keys))
	msgs, eps := keyColumns(keys)
	_, err := all(ctx, s, func(c pgx.CollectableRow) (k delivery.Key, err error) {
		var n int
		err = c.Scan((*int64)(&k.Message), (*int64)(&k.Endpoint), &n)
		if n > 0 {
			found[k] = n
		}
		return k, err
	}, countAttempts, msgs, eps)
	return found, err
}

const countAttempts = `SELECT i.msg, i.ep, a.n FROM unnest($1::bigint[], $2::bigint[]) AS i(msg, ep) CROSS JOIN LATERAL
	(SELECT count(*) AS n FROM attempt WHERE attempt.msg = i.msg AND attempt.ep = i.ep) AS a`

// scanAttempt reads attemptColumns.
func scanAttempt(c pgx.CollectableRow) (delivery.Attempt, error) {
	var r attemptRow
	err := c.Scan(r.into(false)...)
	return r.decode(), err
}

// DeliveriesByKey gives deliveries with their messages, without payloads; absent ones are
// left out.
func (s *Store) DeliveriesByKey(ctx context.Context, keys []delivery.Key) (map[delivery.Key]store.DeliveryRow, error) {
	msgs, eps := keyColumns(keys)
	rows, err := all(ctx, s, scanLogged, loggedByKey, msgs, eps)
	found := make(map[delivery.Key]store.DeliveryRow, len(rows))
	for _, r := range rows {
		m, err := r.message.decode()
		if err != nil {
			return nil, err
		}
		found[r.key()] = store.DeliveryRow{Delivery: r.decode(), Message: &m}
	}
	return found, err
}

// Undelivered tells for the endpoints of an app what of its messages since an id they have
// not got. Endpoints that miss nothing are left out.
func (s *Store) Undelivered(ctx context.Context, app, since id.ID) ([]store.Undelivered, error) {
	type count struct {
		ep, n, oldest int64
	}
	scan := func(c pgx.CollectableRow) (r count, err error) {
		err = c.Scan(&r.ep, &r.n, &r.oldest)
		return r, err
	}
	found := paging.NewUndelivered()
	if err := found.Failed(func(note func(ep id.ID, n int64, oldest id.ID)) error {
		rows, err := all(ctx, s, scan, failedByEndpoint, int64(app), int64(since), paging.MaxUndelivered)
		for _, r := range rows {
			note(id.ID(r.ep), r.n, id.ID(r.oldest))
		}
		return err
	}); err != nil {
		return nil, err
	}
	number, err := one(ctx, s, pgx.RowTo[int], endpointsOfApp, int64(app))
	if err != nil {
		return nil, err
	}
	rows, err := all(ctx, s, scan, pendingByEndpoint, int64(app), int64(since), found.Share(number))
	endpoints := make([]id.ID, len(rows))
	for i, r := range rows {
		endpoints[i] = id.ID(r.ep)
		found.Pending(endpoints[i], r.n, id.ID(r.oldest))
	}
	found.Keep(endpoints)
	return found.Rows(), err
}

const (
	// failedByEndpoint counts the newest deliveries of an app that failed.
	failedByEndpoint = `SELECT ep, count(*), min(msg) FROM (SELECT ep, msg FROM delivery
		WHERE app = $1 AND reason <> 0 AND msg >= $2 ORDER BY app DESC, msg DESC LIMIT $3) AS f GROUP BY ep`
	endpointsOfApp = `SELECT count(*) FROM endpoint WHERE app = $1 AND NOT deleted`
	// pendingByEndpoint counts each endpoint's pending deliveries, those that are due first.
	pendingByEndpoint = `SELECT e.id, p.n, p.oldest FROM endpoint e CROSS JOIN LATERAL
		(SELECT count(*) AS n, coalesce(min(msg), 0) AS oldest FROM (SELECT d.msg FROM delivery d
			WHERE d.ep = e.id AND d.due IS NOT NULL AND d.msg >= $2 LIMIT $3) AS d) AS p
		WHERE e.app = $1 AND NOT e.deleted ORDER BY e.id`
	failedCount = `SELECT count(*) FROM (SELECT 1 FROM delivery
		WHERE app = $1 AND reason <> 0 AND msg > $2 AND msg < $3 AND ep = $4 LIMIT $5) AS f`
)

// CountFailed counts an endpoint's failed deliveries of messages in [since, until), by the
// index of what failed; more says that counting stopped at a bound.
func (s *Store) CountFailed(ctx context.Context, app, endpoint, since, until id.ID) (n int64, more bool, err error) {
	b := paging.Within(store.Page{}, since, until)
	n, err = one(ctx, s, pgx.RowTo[int64], failedCount, int64(app), b.Low, b.High, int64(endpoint), paging.MaxFailed)
	return n, n == paging.MaxFailed, err
}

// AttemptMarks gives the ids up to which attempts of each node are committed, in no
// order. A node takes its ids in the order of its commits; those of two nodes may become
// visible in any order.
func (s *Store) AttemptMarks(ctx context.Context) ([]id.ID, error) {
	return all(ctx, s, func(c pgx.CollectableRow) (mark id.ID, err error) {
		err = c.Scan((*int64)(&mark))
		return mark, err
	}, `SELECT high_water FROM node WHERE high_water > 0`)
}

// AttemptsBetween gives attempts of apps with ids in (after, until], in ascending order,
// without responses, at most limit. scannedTo is how far it came, 0 = to the end.
func (s *Store) AttemptsBetween(ctx context.Context, apps []id.ID, after, until id.ID, limit int) (rows []delivery.Attempt, scannedTo id.ID, err error) {
	rows, err = all(ctx, s, scanAttempt, attemptsBetween, idColumn(apps), int64(after), int64(until), limit)
	if len(rows) == limit {
		scannedTo = rows[limit-1].ID
	}
	return rows, scannedTo, err
}

// attemptsBetween looks at each endpoint: attempts have no index by app.
const attemptsBetween = `SELECT attempt.* FROM endpoint e CROSS JOIN LATERAL
	(SELECT ` + attemptColumns + ` FROM attempt WHERE attempt.ep = e.id AND attempt.id > $2 AND attempt.id <= $3 ORDER BY attempt.ep, attempt.id LIMIT $4) AS attempt
	WHERE e.app = ANY ($1::bigint[]) ORDER BY attempt.id LIMIT $4`
