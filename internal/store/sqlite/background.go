package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

// RunningTasks lists the tasks that have not ended, oldest first.
func (s *Store) RunningTasks(ctx context.Context) (running []store.Task, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+taskColumns+` FROM task INDEXED BY task_running WHERE state = 1 ORDER BY id`, func(row []driver.Value) error {
			running = append(running, decodeTask(row))
			return nil
		})
	})
	return running, err
}

// failedOf are an endpoint's failed deliveries, in ascending order.
const failedOf = `SELECT ` + deliveryColumns + ` FROM delivery INDEXED BY delivery_failed
	WHERE app = ? AND state = 5 AND msg > ? AND msg < ? AND ep = ? ORDER BY msg`

// DeliveriesOf gives an endpoint's deliveries in some of the states; see
// tasks.Store.
func (s *Store) DeliveriesOf(ctx context.Context, endpoint, after, until id.ID, states []delivery.State, limit int) ([]delivery.Delivery, id.ID, error) {
	p := store.Page{Limit: limit, After: after, Ascending: true}
	out := paging.NewPage[store.DeliveryRow](p)
	err := s.snapshot(ctx, func(c *conn) error {
		var app id.ID
		found, err := c.one(ctx, `SELECT app FROM endpoint WHERE id = ?`, func(row []driver.Value) error {
			app = ident(row[0])
			return nil
		}, int64(endpoint))
		if err != nil || !found {
			return err
		}
		b := paging.Within(p, 0, until)
		if len(states) == 1 && states[0] == delivery.Failed {
			return c.each(ctx, failedOf, func(row []driver.Value) error {
				return s.lookAt(row, ident(row[0]), true, states, out)
			}, int64(app), b.Low, b.High, int64(endpoint))
		}
		w := ofEndpoint(app, endpoint, b, deliveryColumns+`, message.id`)
		return fill(ctx, c, out, w, func(row []driver.Value) error {
			return s.lookAt(row, ident(row[12]), true, states, out)
		})
	})
	if err != nil {
		return nil, 0, err
	}
	rows, scannedTo := paging.Deliveries(out)
	return rows, scannedTo, nil
}

// MessageRange gives the range of at most limit messages after an id; see
// tasks.Store.
func (s *Store) MessageRange(ctx context.Context, app, after, until id.ID, limit int) (r store.Range, ok bool, err error) {
	b := paging.Within(store.Page{After: after, Ascending: true}, 0, until)
	note := func(row []driver.Value) error {
		m := ident(row[0])
		if !ok {
			ok, r = true, store.Range{From: m, App: app}
		}
		r.Until = m + 1
		if limit--; limit <= 0 {
			return errStop
		}
		return nil
	}
	err = s.snapshot(ctx, func(c *conn) error {
		if app == 0 {
			return c.each(ctx, `SELECT id FROM message WHERE id > ? AND id < ? ORDER BY id`, note, b.Low, b.High)
		}
		_, _, err := ofApp(app, b, `message.id`, ``).run(ctx, c, note, func() bool { return true })
		return err
	})
	return r, ok, err
}

// ExpiredPayloads gives messages whose own retention ended before now and whose
// payload is still there, at most limit.
func (s *Store) ExpiredPayloads(ctx context.Context, now time.Time, limit int) (ids []id.ID, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT id FROM message INDEXED BY message_expires
				WHERE expires IS NOT NULL AND payload IS NOT NULL AND expires < ? ORDER BY expires, id LIMIT ?`,
			func(row []driver.Value) error {
				ids = append(ids, ident(row[0]))
				return nil
			}, document.Micros(now), int64(limit))
	})
	return ids, err
}

// shrinkPages is how many free pages one Shrink gives back: 2 MB.
const shrinkPages = 256

// Shrink gives free pages back to the file system, a bounded number at a time.
func (s *Store) Shrink(ctx context.Context) error {
	return s.write(ctx, func(w *writer) error {
		_, err := w.conn.run(fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, shrinkPages))
		return err
	}, func(bool) {})
}
