package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// lanesQuery steps from endpoint to endpoint in the hot index, so its cost grows
// with endpoints, not with rows.
const lanesQuery = `WITH RECURSIVE lane AS (
		(SELECT ep, due, app FROM delivery WHERE due IS NOT NULL ORDER BY ep, due, msg LIMIT 1)
		UNION ALL
		SELECT n.ep, n.due, n.app FROM lane CROSS JOIN LATERAL
			(SELECT d.ep, d.due, d.app FROM delivery d WHERE d.due IS NOT NULL AND d.ep > lane.ep ORDER BY d.ep, d.due, d.msg LIMIT 1) n)
	SELECT ep, due, app FROM lane`

// Lanes tells each endpoint that has pending deliveries, with the due time of the
// first.
func (s *Store) Lanes(ctx context.Context) ([]store.LaneDue, error) {
	return all(ctx, s, func(r pgx.CollectableRow) (l store.LaneDue, err error) {
		var due int64
		err = r.Scan(&l.Endpoint, &due, &l.App)
		l.Due = document.Time(due)
		return l, err
	}, lanesQuery)
}

// claimQuery leases due rows of several endpoints. Rows that another transaction
// has locked are passed over. The update finds the rows by their place in the
// table: a join would read all of it.
const claimQuery = `UPDATE delivery AS delivery SET state = 3, due = NULL, claimed_by = $5
	WHERE ctid = ANY (ARRAY(SELECT p.ctid FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS l(ep, room, low)
		CROSS JOIN LATERAL (SELECT d.ctid FROM delivery d WHERE d.ep = l.ep AND d.due IS NOT NULL AND d.due >= l.low AND d.due <= $4
			ORDER BY d.due, d.msg LIMIT l.room FOR UPDATE SKIP LOCKED) p))
	RETURNING ` + deliveryColumns

// leftQuery finds the first row that a claim has left in each lane, in the order of
// the lanes. It sees rows that another transaction has locked.
const leftQuery = `SELECT n.due FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS l(ep, low, place)
	LEFT JOIN LATERAL (SELECT d.due FROM delivery d WHERE d.ep = l.ep AND d.due IS NOT NULL AND d.due >= l.low ORDER BY d.due LIMIT 1) n ON true
	ORDER BY l.place`

// fencedQuery finds nothing when this node was taken for dead; else nobody can take
// it for dead before the transaction ends.
const fencedQuery = `SELECT 1 FROM node WHERE number = $1 AND incarnation = $2 FOR KEY SHARE`

// Claim leases due deliveries; see dispatch.Store. The transaction is committed in
// a round trip of its own: should its outcome be unknown, the rows are known.
func (s *Store) Claim(ctx context.Context, now time.Time, lanes []store.LaneRoom) ([]store.Claimed, error) {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
	defer cancel()
	var claimed []store.Claimed
	var rows []delivery.Delivery
	var left []int64
	committing := false
	err := s.writers.AcquireFunc(ctx, func(c *pgxConn) (err error) {
		if rows, left, err = s.claim(ctx, c.Conn(), now, lanes); err != nil {
			return err
		}
		if len(rows) == 0 {
			_, err = c.Exec(ctx, `ROLLBACK`)
			return err
		}
		committing = true
		_, err = c.Exec(ctx, `COMMIT`)
		return err
	})
	if err != nil {
		if committing {
			s.leases.doubt(rows)
		}
		return nil, s.told(err)
	}
	s.leases.sure(rows)
	claimed = share(lanes, rows)
	for i := range claimed {
		c := &claimed[i]
		if first := left[i]; first != 0 && first <= document.Micros(now) {
			c.Behind = true
		} else {
			c.NextDue = document.Time(first)
		}
		// No pending row is due before the first that was left.
		if len(c.Rows) > 0 && left[i] != 0 {
			s.marks.set(c.Endpoint, left[i])
		}
	}
	return claimed, nil
}

// claim runs the statements of a claim, all but its end.
func (s *Store) claim(ctx context.Context, c *pgx.Conn, now time.Time, lanes []store.LaneRoom) (rows []delivery.Delivery, left []int64, err error) {
	eps, rooms, lows := make([]int64, len(lanes)), make([]int32, len(lanes)), make([]int64, len(lanes))
	for i, l := range lanes {
		eps[i], rooms[i], lows[i] = int64(l.Endpoint), int32(l.Room), s.marks.of(l.Endpoint)
	}
	var b pgx.Batch
	b.Queue(`BEGIN`)
	b.Queue(fencedQuery, s.node.number, s.node.incarnation).QueryRow(func(r pgx.Row) error {
		var one int
		if err := r.Scan(&one); errors.Is(err, pgx.ErrNoRows) {
			return errFenced
		} else if err != nil {
			return err
		}
		return nil
	})
	b.Queue(claimQuery, eps, rooms, lows, document.Micros(now), s.node.number).Query(func(r pgx.Rows) error {
		rows, err = gather(r, scanDelivery)
		return err
	})
	b.Queue(leftQuery, eps, lows).Query(func(r pgx.Rows) error {
		left, err = gather(r, func(r pgx.CollectableRow) (int64, error) {
			var due *int64
			err := r.Scan(&due)
			return orZero(due), err
		})
		return err
	})
	if err := c.SendBatch(ctx, &b).Close(); err != nil {
		return nil, nil, fmt.Errorf("claim: %w", err)
	}
	return rows, left, nil
}

// share gives each lane its rows, in order of due time.
func share(lanes []store.LaneRoom, rows []delivery.Delivery) []store.Claimed {
	slices.SortFunc(rows, func(a, b delivery.Delivery) int {
		return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.Message, b.Message))
	})
	claimed := make([]store.Claimed, len(lanes))
	at := make(map[id.ID]int, len(lanes))
	for i, l := range lanes {
		claimed[i].Endpoint, at[l.Endpoint] = l.Endpoint, i
	}
	for _, d := range rows {
		c := &claimed[at[d.Endpoint]]
		c.Rows = append(c.Rows, d)
	}
	return claimed
}

// GiveBack ends leases unused: the rows are pending again, and the number of the
// lease is free. Where that fails they are doubtful, and given back later.
func (s *Store) GiveBack(ctx context.Context, rows []delivery.Delivery) error {
	if len(rows) == 0 {
		return nil
	}
	rows = inOrder(rows, func(d *delivery.Delivery) delivery.Key { return d.Key })
	keys, generations := make([]delivery.Key, len(rows)), make([]int32, len(rows))
	for i := range rows {
		keys[i], generations[i] = rows[i].Key, int32(rows[i].Generation)
	}
	msgs, eps := keyColumns(keys)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
	defer cancel()
	_, err := s.writers.Exec(ctx, `UPDATE delivery d SET state = 1, due = d.next_at, claimed_by = NULL
		FROM unnest($2::bigint[], $3::bigint[], $4::int[]) AS i(msg, ep, generation)
		WHERE d.msg = i.msg AND d.ep = i.ep AND d.generation = i.generation - 1 AND `+held, s.node.number, msgs, eps, generations)
	if err != nil {
		s.leases.doubt(rows)
		return s.told(err)
	}
	s.leases.end(keys)
	for i := range rows {
		s.marks.lower(rows[i].Endpoint, document.Micros(rows[i].NextAt))
	}
	return nil
}

// Endpoint loads an endpoint, deleted ones included, and its app.
func (s *Store) Endpoint(ctx context.Context, endpoint id.ID) (ep delivery.Endpoint, app store.App, err error) {
	_, err = one(ctx, s, func(r pgx.CollectableRow) (struct{}, error) {
		var e endpointRow
		var a appRow
		if err := r.Scan(append(e.into(), a.into()...)...); err != nil {
			return struct{}{}, err
		}
		if ep, err = e.decode(); err != nil {
			return struct{}{}, err
		}
		app, err = a.decode()
		return struct{}{}, err
	}, `SELECT `+endpointColumns+`, `+appColumns+` FROM endpoint JOIN app ON app.id = endpoint.app WHERE endpoint.id = $1`, int64(endpoint))
	return ep, app, err
}
