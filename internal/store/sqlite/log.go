package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/paging"
)

// DeliveryLog lists deliveries of an app. What failed has an index, and of what is pending the
// keys are sorted while they are few; everything else is a walk over the app's messages.
func (s *Store) DeliveryLog(ctx context.Context, q store.LogQuery) (store.Log, error) {
	out := paging.NewLogPage(&q)
	err := s.snapshot(ctx, func(c *conn) error {
		if err := s.fillLog(ctx, c, &q, out); err != nil {
			return err
		}
		ids := make([]id.ID, len(out.Rows))
		for i := range out.Rows {
			ids[i] = out.Rows[i].Delivery.Message
		}
		byID, err := messagesByID(ctx, c, ids, false)
		for i := range out.Rows {
			out.Rows[i].Message = byID[out.Rows[i].Delivery.Message]
		}
		return err
	})
	return out.Log(), err
}

// logColumns are a delivery with what a filter looks at of its message.
const logColumns = deliveryColumns + `, message.id, message.type, message.extra`

func (s *Store) fillLog(ctx context.Context, c *conn, q *store.LogQuery, out *paging.LogPage) error {
	switch {
	case out.Only(delivery.Failed):
		return s.failedLog(ctx, c, q, out)
	case out.Only(delivery.Pending, delivery.Waiting):
		keys, few, err := pendingKeys(ctx, c, q)
		if err != nil {
			return err
		}
		if few {
			return s.pendingLog(ctx, c, q, out, keys)
		}
	}
	b := out.Bounds()
	join, values := `LEFT JOIN delivery ON delivery.msg = message.id`, args{}
	if q.Endpoint != 0 {
		join, values = join+` AND delivery.ep = ?5`, append(values, int64(q.Endpoint))
	}
	w := ofApp(q.App, b, logColumns, join, values...)
	w.then = `, delivery.ep` + b.Order
	return fill(ctx, c, &out.Page, w, s.lookAtLog(out))
}

// lookAtLog shows a page a row of logColumns. A NULL row is a message without deliveries.
func (s *Store) lookAtLog(out *paging.LogPage) func(row []driver.Value) error {
	f := out.Filter()
	return func(row []driver.Value) error {
		if row[0] == nil {
			return more(out.Look(delivery.Key{Message: ident(row[12])}, false, nil))
		}
		d := decodeDelivery(row)
		s.leases.overlay(&d)
		matches, err := f.Matches(text(row[13]), blob(row[14]))
		if err != nil {
			return err
		}
		return more(out.Look(d.Key, matches && out.Wants(d.State), func() (store.DeliveryRow, error) {
			return store.DeliveryRow{Delivery: d}, nil
		}))
	}
}

// more ends a query when the page wants no more.
func more(more bool, err error) error {
	if err == nil && !more {
		return errStop
	}
	return err
}

// failedLog lists by the index of what failed.
func (s *Store) failedLog(ctx context.Context, c *conn, q *store.LogQuery, out *paging.LogPage) error {
	b, look := out.Bounds(), s.lookAtLog(out)
	return c.each(ctx, `SELECT `+logColumns+` FROM delivery INDEXED BY delivery_failed CROSS JOIN message ON message.id = delivery.msg
		WHERE delivery.app = ? AND delivery.state = 5 AND delivery.msg > ? AND delivery.msg < ?
		ORDER BY delivery.msg`+b.Order+`, delivery.ep`+b.Order,
		func(row []driver.Value) error {
			if q.Endpoint != 0 && ident(row[1]) != q.Endpoint {
				return more(out.Look(delivery.Key{Message: ident(row[0]), Endpoint: ident(row[1])}, false, nil))
			}
			return look(row)
		}, int64(q.App), b.Low, b.High)
}

// pendingLog lists pending deliveries, whose keys are known.
func (s *Store) pendingLog(ctx context.Context, c *conn, q *store.LogQuery, out *paging.LogPage, keys []delivery.Key) error {
	look, stopped := s.lookAtLog(out), false
	for _, k := range out.Sort(keys) {
		_, err := c.one(ctx, `SELECT `+logColumns+` FROM delivery CROSS JOIN message ON message.id = delivery.msg WHERE delivery.msg = ? AND delivery.ep = ?`,
			func(row []driver.Value) error {
				err := look(row)
				stopped = err == errStop //nolint:errorlint // it is ours, as it is
				return err
			}, int64(k.Message), int64(k.Endpoint))
		if err != nil || stopped {
			return err
		}
	}
	return nil
}

// pendingKeys gives the pending deliveries of an app, by the index of what is due; few is
// false if there are too many.
func pendingKeys(ctx context.Context, c *conn, q *store.LogQuery) (keys []delivery.Key, few bool, err error) {
	query, values := pendingOfApp, args{int64(q.App)}
	if q.Endpoint != 0 {
		query, values = pendingOfEndpoint, args{int64(q.Endpoint), int64(q.App)}
	}
	err = c.each(ctx, query+` LIMIT ?`, func(row []driver.Value) error {
		keys = append(keys, delivery.Key{Message: ident(row[0]), Endpoint: ident(row[1])})
		return nil
	}, append(values, int64(paging.PendingSorted+1))...)
	return keys, len(keys) <= paging.PendingSorted, err
}

const (
	pendingOfApp = `SELECT d.msg, d.ep FROM endpoint CROSS JOIN delivery d INDEXED BY delivery_due ON d.ep = endpoint.id AND d.state = 1
		WHERE endpoint.app = ? AND endpoint.deleted = 0`
	pendingOfEndpoint = `SELECT d.msg, d.ep FROM endpoint CROSS JOIN delivery d INDEXED BY delivery_due ON d.ep = endpoint.id AND d.state = 1
		WHERE endpoint.id = ? AND endpoint.app = ? AND endpoint.deleted = 0`
)

// LastAttempts gives the last attempt of each delivery that has one, without the response.
func (s *Store) LastAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]delivery.Attempt, error) {
	found := make(map[delivery.Key]delivery.Attempt, len(keys))
	err := s.snapshot(ctx, func(c *conn) error {
		for _, k := range keys { // a statement of its own costs less here than a long one
			_, err := c.one(ctx, `SELECT `+attemptColumns+` FROM attempt INDEXED BY attempt_msg WHERE msg = ? AND ep = ? ORDER BY n DESC LIMIT 1`,
				func(row []driver.Value) error {
					found[k] = decodeAttempt(row)
					return nil
				}, int64(k.Message), int64(k.Endpoint))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// CountAttempts counts the attempts of each delivery that has one: all of them, however
// often it was queued again.
func (s *Store) CountAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]int, error) {
	found := make(map[delivery.Key]int, len(keys))
	err := s.snapshot(ctx, func(c *conn) error {
		for _, k := range keys {
			_, err := c.one(ctx, `SELECT count(*) FROM attempt INDEXED BY attempt_msg WHERE msg = ? AND ep = ?`,
				func(row []driver.Value) error {
					if n := integer(row[0]); n > 0 {
						found[k] = int(n)
					}
					return nil
				}, int64(k.Message), int64(k.Endpoint))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// DeliveriesByKey gives deliveries with their messages, without payloads; absent ones are
// left out.
func (s *Store) DeliveriesByKey(ctx context.Context, keys []delivery.Key) (map[delivery.Key]store.DeliveryRow, error) {
	found := make(map[delivery.Key]store.DeliveryRow, len(keys))
	err := s.snapshot(ctx, func(c *conn) error {
		ids := make([]id.ID, 0, len(keys))
		for _, k := range keys {
			d, ok, err := findDelivery(ctx, c, k)
			if err != nil {
				return err
			}
			if ok {
				s.leases.overlay(&d)
				found[k] = store.DeliveryRow{Delivery: d}
				ids = append(ids, k.Message)
			}
		}
		byID, err := messagesByID(ctx, c, ids, false)
		for k, row := range found {
			if row.Message = byID[k.Message]; row.Message == nil {
				delete(found, k)
				continue
			}
			found[k] = row
		}
		return err
	})
	return found, err
}

// Undelivered tells for the endpoints of an app what of its messages since an id they have
// not got. Endpoints that miss nothing are left out.
func (s *Store) Undelivered(ctx context.Context, app, since id.ID) ([]store.Undelivered, error) {
	found := paging.NewUndelivered()
	err := s.snapshot(ctx, func(c *conn) error {
		if err := found.Failed(func(note func(ep id.ID, n int64, oldest id.ID)) error {
			return c.each(ctx, failedByEndpoint, func(row []driver.Value) error {
				note(ident(row[0]), integer(row[1]), ident(row[2]))
				return nil
			}, int64(app), int64(since), int64(paging.MaxUndelivered))
		}); err != nil {
			return err
		}
		endpoints, err := endpointsOf(ctx, c, app)
		if err != nil {
			return err
		}
		share := found.Share(len(endpoints))
		for _, ep := range endpoints {
			_, err := c.one(ctx, pendingCount, func(row []driver.Value) error {
				found.Pending(ep, integer(row[0]), ident(row[1]))
				return nil
			}, int64(ep), int64(since), share)
			if err != nil {
				return err
			}
		}
		found.Keep(endpoints)
		return nil
	})
	return found.Rows(), err
}

const (
	// failedByEndpoint counts the newest deliveries of an app that failed.
	failedByEndpoint = `SELECT ep, count(*), min(msg) FROM (SELECT ep, msg FROM delivery INDEXED BY delivery_failed
		WHERE app = ? AND state = 5 AND msg >= ? ORDER BY msg DESC LIMIT ?) GROUP BY ep`
	// pendingCount counts an endpoint's pending deliveries, those that are due first.
	pendingCount = `SELECT count(*), min(msg) FROM (SELECT msg FROM delivery INDEXED BY delivery_due WHERE ep = ? AND state = 1 AND msg >= ? LIMIT ?)`
	failedCount  = `SELECT count(*) FROM (SELECT 1 FROM delivery INDEXED BY delivery_failed
		WHERE app = ? AND state = 5 AND msg > ? AND msg < ? AND ep = ? LIMIT ?)`
)

// endpointsOf gives the ids of an app's endpoints, deleted ones left out.
func endpointsOf(ctx context.Context, c *conn, app id.ID) (endpoints []id.ID, err error) {
	err = c.each(ctx, `SELECT id FROM endpoint WHERE app = ? AND deleted = 0 ORDER BY id`, func(row []driver.Value) error {
		endpoints = append(endpoints, ident(row[0]))
		return nil
	}, int64(app))
	return endpoints, err
}

// CountFailed counts an endpoint's failed deliveries of messages in [since, until), by the
// index of what failed; more says that counting stopped at a bound.
func (s *Store) CountFailed(ctx context.Context, app, endpoint, since, until id.ID) (n int64, more bool, err error) {
	b := paging.Within(store.Page{}, since, until)
	err = s.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, failedCount, func(row []driver.Value) error {
			n = integer(row[0])
			return nil
		}, int64(app), b.Low, b.High, int64(endpoint), int64(paging.MaxFailed))
		return err
	})
	return n, n == paging.MaxFailed, err
}

// AttemptMarks gives the ids up to which attempts of each node are on disk, in no order.
func (s *Store) AttemptMarks(ctx context.Context) (marks []id.ID, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT id FROM attempt ORDER BY id DESC LIMIT 1`, func(row []driver.Value) error {
			marks = append(marks, ident(row[0]))
			return nil
		})
	})
	return marks, err
}

// maxAttemptScan is how many rows one look for new attempts takes in: those of all apps
// lie together.
const maxAttemptScan = 20_000

// AttemptsBetween gives attempts of apps with ids in (after, until], in ascending order,
// without responses, at most limit. scannedTo is how far it came, 0 = to the end.
func (s *Store) AttemptsBetween(ctx context.Context, apps []id.ID, after, until id.ID, limit int) (rows []delivery.Attempt, scannedTo id.ID, err error) {
	wanted := make(map[id.ID]bool, len(apps))
	for _, app := range apps {
		wanted[app] = true
	}
	scanned, last, whole := 0, after, true
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+attemptColumns+` FROM attempt WHERE id > ? AND id <= ? ORDER BY id`, func(row []driver.Value) error {
			if scanned++; scanned > maxAttemptScan || len(rows) == limit {
				whole = false
				return errStop
			}
			last = ident(row[4])
			if wanted[ident(row[3])] {
				rows = append(rows, decodeAttempt(row))
			}
			return nil
		}, int64(after), int64(until))
	})
	if whole {
		last = 0
	}
	return rows, last, err
}
