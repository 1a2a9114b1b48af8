package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
)

// handoffs decides which deliveries are stored as leased.
//
// A delivery that goes straight to a sender would be written to the hot index of
// pending rows by one transaction and removed by the next; with many busy
// endpoints these two cost more than all the rest. So it is stored as leased,
// which keeps it out of that index. The price is that a start must find such rows
// and make them pending. They are looked for from a message on that is kept in
// meta.handed_off_from: every so many inserts that place moves on, and the few rows
// before it that still wait for their sender become ordinary ones, stored as
// pending. So a start looks at two steps' worth of rows, however large the table.
//
// It is used by whoever holds the write lock.
type handoffs struct {
	from id.ID // deliveries of messages before it are not stored as leased
	next id.ID // where from goes with the next step

	every int // inserts make a step
	rows  int // inserted since the last step
}

// handoffStep is how many inserted deliveries make a step.
const handoffStep = 1 << 15

// handedOffFrom is the name in meta.
const handedOffFrom = "handed_off_from"

// recover makes what was stored as leased pending: whoever held it is gone.
func (h *handoffs) recover(ctx context.Context, c *conn) error {
	_, err := c.one(ctx, `SELECT value FROM meta WHERE name = ?`, func(row []driver.Value) error {
		h.from = ident(row[0])
		return nil
	}, handedOffFrom)
	if err != nil {
		return err
	}
	h.next = h.from
	if _, err := c.run(`UPDATE delivery SET state = 1 WHERE msg >= ? AND state = 3`, int64(h.from)); err != nil {
		return fmt.Errorf("recover deliveries under way: %w", err)
	}
	return nil
}

// fresh reports whether a delivery is to be stored as leased.
func (h *handoffs) fresh(d *delivery.Delivery) bool {
	return d.State == delivery.Leased && d.Message >= h.from
}

// step moves the place on if enough rows were inserted.
func (t *tx) step(inserted []delivery.Delivery) error {
	h := &t.store.handoffs
	h.rows += len(inserted) // counts rolled back ones too, which is harmless
	if h.rows < h.every {
		return nil
	}
	ripe := t.store.leases.freshBefore(h.next)
	if err := makePending(t.writer.conn, ripe); err != nil {
		return err
	}
	t.ripe = append(t.ripe, ripe...)
	t.stepTo = inserted[len(inserted)-1].Message
	_, err := t.writer.conn.run(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		handedOffFrom, int64(h.next))
	return err
}

// stepped follows the commit of a step.
func (h *handoffs) stepped(to id.ID) {
	h.from, h.next, h.rows = h.next, to, 0
}

// makePending writes rows that are stored as leased as pending.
func makePending(c *conn, keys []delivery.Key) error {
	for _, k := range keys {
		if _, err := c.run(`UPDATE delivery SET state = 1 WHERE msg = ? AND ep = ? AND state = 3`, int64(k.Message), int64(k.Endpoint)); err != nil {
			return err
		}
	}
	return nil
}
