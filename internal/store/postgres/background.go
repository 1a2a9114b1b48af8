package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

// RunningTasks lists the tasks that have not ended, oldest first.
func (s *Store) RunningTasks(ctx context.Context) ([]store.Task, error) {
	return all(ctx, s, scanTask, `SELECT `+taskColumns+` FROM task WHERE state = 1 ORDER BY id`)
}

// failedOf are an endpoint's failed deliveries, in ascending order.
const failedOf = `SELECT ` + deliveryColumns + ` FROM delivery WHERE reason <> 0 AND app = $4 AND msg > $1 AND msg < $2 AND ep = $5
	ORDER BY app, msg, ep LIMIT $3`

// DeliveriesOf gives an endpoint's deliveries in some of the states; see
// tasks.Store.
func (s *Store) DeliveriesOf(ctx context.Context, endpoint, after, until id.ID, states []delivery.State, limit int) ([]delivery.Delivery, id.ID, error) {
	app, err := one(ctx, s, pgx.RowTo[int64], `SELECT app FROM endpoint WHERE id = $1`, int64(endpoint))
	if errors.Is(err, store.ErrNotFound) {
		return []delivery.Delivery{}, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	p := store.Page{Limit: limit, After: after, Ascending: true}
	out := paging.NewPage[store.DeliveryRow](p)
	b := paging.Within(p, 0, until)
	if len(states) == 1 && states[0] == delivery.Failed {
		err = walk(ctx, s, out, b, scanDelivery, func(d delivery.Delivery) (bool, error) {
			return out.Look(d.Message, true, func() (store.DeliveryRow, error) { return store.DeliveryRow{Delivery: d}, nil })
		}, failedOf, app, int64(endpoint))
		if err != nil {
			return nil, 0, err
		}
		rows, scannedTo := paging.Deliveries(out)
		return rows, scannedTo, nil
	}
	err = s.walkDeliveries(ctx, id.ID(app), endpoint, b, out, func(r *listedDelivery) (bool, error) {
		return oneOf(states, r), nil
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
	query, args := `SELECT id FROM message WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`, []any{b.Low, b.High, limit}
	if app != 0 {
		query, args = `SELECT id FROM message WHERE app = $4 AND id > $1 AND id < $2 ORDER BY app, id LIMIT $3`, append(args, int64(app))
	}
	ids, err := all(ctx, s, pgx.RowTo[int64], query, args...)
	if err != nil || len(ids) == 0 {
		return store.Range{}, false, err
	}
	return store.Range{From: id.ID(ids[0]), Until: id.ID(ids[len(ids)-1]) + 1, App: app}, true, nil
}

// ExpiredPayloads gives messages whose own retention ended before now and whose
// payload is still there, at most limit.
func (s *Store) ExpiredPayloads(ctx context.Context, now time.Time, limit int) ([]id.ID, error) {
	return all(ctx, s, scanID, `SELECT id FROM message WHERE expires IS NOT NULL AND payload IS NOT NULL AND expires < $1 ORDER BY expires, id LIMIT $2`, document.Micros(now), limit)
}

// ForgetSeen removes keys that expired before now, at most limit, and returns how
// many went. Keys that another node is removing are left to it.
func (s *Store) ForgetSeen(ctx context.Context, now time.Time, limit int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	tag, err := s.pool.Exec(ctx, `DELETE FROM seen WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM seen WHERE expires < $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED))`, now.Unix(), limit)
	return int(tag.RowsAffected()), s.told(err)
}

// Shrink does nothing: the server's vacuum gives pages back.
func (s *Store) Shrink(ctx context.Context) error { return nil }
