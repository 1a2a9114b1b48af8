package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// Lanes tells each endpoint that has pending deliveries, with the due time of the
// first that is not leased. It seeks from endpoint to endpoint in the hot index,
// so its cost grows with endpoints, not with rows.
func (s *Store) Lanes(ctx context.Context) (lanes []store.LaneDue, err error) {
	err = s.snapshot(ctx, func(c *conn) error {
		for last := id.ID(0); ; {
			var ep id.ID
			_, err := c.one(ctx, `SELECT ep FROM delivery INDEXED BY delivery_due WHERE state = 1 AND ep > ? ORDER BY ep LIMIT 1`,
				func(row []driver.Value) error {
					ep = ident(row[0])
					return nil
				}, int64(last))
			if err != nil || ep == 0 {
				return err
			}
			lane, found, err := s.firstDue(ctx, c, ep, 0)
			if err != nil {
				return err
			}
			if found {
				lanes = append(lanes, lane)
			}
			last = ep
		}
	})
	return lanes, err
}

// firstDue finds an endpoint's first pending delivery that is not leased, of
// those due after a time.
func (s *Store) firstDue(ctx context.Context, c *conn, endpoint id.ID, after int64) (lane store.LaneDue, found bool, err error) {
	err = c.each(ctx, `SELECT msg, app, next_at FROM delivery INDEXED BY delivery_due
			WHERE ep = ? AND state = 1 AND next_at > ? ORDER BY next_at, msg`,
		func(row []driver.Value) error {
			if s.leases.generation(delivery.Key{Message: ident(row[0]), Endpoint: endpoint}) > 0 {
				return nil
			}
			lane, found = store.LaneDue{App: ident(row[1]), Endpoint: endpoint, Due: moment(row[2])}, true
			return errStop
		}, int64(endpoint), after)
	return lane, found, err
}

// Claim leases due deliveries; see dispatch.Store, and leases for how it is kept
// from what transactions do meanwhile.
func (s *Store) Claim(ctx context.Context, now time.Time, lanes []store.LaneRoom) (claimed []store.Claimed, err error) {
	// A cancelable context costs a goroutine a query in this driver, and a claim is
	// short.
	ctx = context.WithoutCancel(ctx)
	claim := s.leases.begin()
	defer s.leases.finish(claim)
	claimed = make([]store.Claimed, 0, len(lanes))
	err = s.snapshot(ctx, func(c *conn) error {
		for _, lane := range lanes {
			result, err := s.claimLane(ctx, c, claim, now, lane)
			claimed = append(claimed, result)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // what was leased before the error is due again
		for i := range claimed {
			s.leases.giveBack(claimed[i].Rows) // none of them is stored as leased
		}
		return nil, err
	}
	return claimed, nil
}

// claimLane leases due deliveries of one endpoint. Leased rows lie among the due
// ones, so as many rows more than there is room for are read, and one to learn
// whether any are left.
func (s *Store) claimLane(ctx context.Context, c *conn, claim *claim, now time.Time, lane store.LaneRoom) (store.Claimed, error) {
	result := store.Claimed{Endpoint: lane.Endpoint}
	limit := lane.Room + s.leases.count(lane.Endpoint) + 1
	due := make([]delivery.Delivery, 0, min(limit, 1024))
	err := c.each(ctx, `SELECT `+deliveryColumns+` FROM delivery INDEXED BY delivery_due
			WHERE ep = ? AND state = 1 AND next_at <= ? ORDER BY next_at, msg LIMIT ?`,
		func(row []driver.Value) error {
			due = append(due, decodeDelivery(row))
			return nil
		}, int64(lane.Endpoint), document.Micros(now), int64(limit))
	if err != nil {
		return result, err
	}
	cut := len(due) == limit // another claim may have leased what was read
	result.Rows, result.Behind = s.leases.settle(claim, due, lane.Room)
	result.Behind = result.Behind || cut
	if result.Behind {
		return result, nil
	}
	next, _, err := s.firstDue(ctx, c, lane.Endpoint, document.Micros(now))
	result.NextDue = next.Due
	return result, err
}

// GiveBack ends leases unused: the rows are pending again. Those that are stored
// as leased must be written; if that fails the next transaction does it.
func (s *Store) GiveBack(ctx context.Context, rows []delivery.Delivery) error {
	if !s.leases.giveBack(rows) {
		return nil
	}
	return s.write(ctx, func(*writer) error { return nil }, func(bool) {})
}

// Endpoint loads an endpoint, deleted ones included, and its app.
func (s *Store) Endpoint(ctx context.Context, endpoint id.ID) (ep delivery.Endpoint, app store.App, err error) {
	err = s.snapshot(context.WithoutCancel(ctx), func(c *conn) error {
		found, err := c.one(ctx, `SELECT `+endpointColumns+`, `+appColumns+` FROM endpoint JOIN app ON app.id = endpoint.app WHERE endpoint.id = ?`,
			func(row []driver.Value) (err error) {
				if ep, err = decodeEndpoint(row[:5]); err != nil {
					return err
				}
				app, err = decodeApp(row[5:])
				return err
			}, int64(endpoint))
		if err == nil && !found {
			return store.ErrNotFound
		}
		return err
	})
	return ep, app, err
}

// Messages loads messages with their payloads; absent ones are left out.
func (s *Store) Messages(ctx context.Context, ids []id.ID) (messages []store.Message, err error) {
	err = s.read(context.WithoutCancel(ctx), func(c *conn) (err error) {
		messages, err = findMessages(context.WithoutCancel(ctx), c, ids, messageBody)
		return err
	})
	return messages, err
}
