package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
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

// DeliveriesOf gives an endpoint's deliveries in some of the states; see
// tasks.Store.
func (s *Store) DeliveriesOf(ctx context.Context, endpoint, after, until id.ID, states []delivery.State, limit int) ([]delivery.Delivery, id.ID, error) {
	p := store.Page{Limit: limit, After: after, Ascending: true}
	b, out := within(p, 0, until), newPage[delivery.Delivery](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+deliveryColumns+` FROM delivery INDEXED BY delivery_ep WHERE ep = ? AND msg > ? AND msg < ? ORDER BY msg`,
			func(row []driver.Value) error {
				d := decodeDelivery(row)
				s.leases.overlay(&d)
				return out.look(d.Message, slices.Contains(states, d.State), func() (delivery.Delivery, error) { return d, nil })
			}, int64(endpoint), b.low, b.high)
	})
	if out.Done {
		out.Next = 0
	}
	return out.Rows, out.Next, err
}

// MessageRange gives the range of at most limit messages after an id; see
// tasks.Store.
func (s *Store) MessageRange(ctx context.Context, app, after, until id.ID, limit int) (r store.Range, ok bool, err error) {
	b := within(store.Page{After: after, Ascending: true}, 0, until)
	query, values := `SELECT id FROM message WHERE id > ? AND id < ? ORDER BY id LIMIT ?`, args{b.low, b.high, int64(limit)}
	if app != 0 {
		query = `SELECT id FROM message INDEXED BY message_app WHERE app = ? AND id > ? AND id < ? ORDER BY id LIMIT ?`
		values = append(args{int64(app)}, values...)
	}
	err = s.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, `SELECT min(id), max(id) FROM (`+query+`)`, func(row []driver.Value) error {
			if row[0] != nil {
				ok, r = true, store.Range{From: ident(row[0]), Until: ident(row[1]) + 1, App: app}
			}
			return nil
		}, values...)
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
			}, micros(now), int64(limit))
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
