package dispatch

import (
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Reserve implements commit.Handoff: it promises a place in the endpoint's lane
// if the lane has room and the store holds no due row that is older.
func (d *Dispatcher) Reserve(endpoint id.ID, sizeBytes int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lane(endpoint)
	now := d.cfg.Now()
	if !d.running || d.stalled || l.shut || l.behind(now) || l.notBefore.After(now) ||
		d.room(l) <= 0 || d.bytes+sizeBytes > d.cfg.MaxBytes {
		return false
	}
	l.reserved++
	d.bytes += sizeBytes
	return true
}

// RolledBack implements commit.Handoff.
func (d *Dispatcher) RolledBack(c *store.Changes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	messages := messagesOf(c)
	for i := range c.Deliveries {
		if row := &c.Deliveries[i]; row.State == delivery.Leased {
			l := d.lane(row.Endpoint)
			l.reserved--
			d.bytes -= messages.size(row.Message)
			d.place(l, d.cfg.Now())
		}
	}
}

// Committed implements commit.Handoff: it queues what was handed over and notes
// when the store has work. It copies what it keeps.
func (d *Dispatcher) Committed(c *store.Changes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stalled {
		signal(d.storeWrites)
	}
	now := d.cfg.Now()
	messages := messagesOf(c)
	for i := range c.Deliveries {
		row := &c.Deliveries[i]
		l := d.lane(row.Endpoint)
		switch row.State {
		case delivery.Leased:
			l.reserved--
			l.queue = append(l.queue, d.handedOver(row, &messages))
		case delivery.Pending:
			l.noteDue(row.NextAt)
		}
		d.place(l, now)
	}
	for i := range c.Completed {
		if next := &c.Completed[i].Next; next.State == delivery.Pending {
			d.noteDue(next.Endpoint, next.NextAt, now)
		}
	}
	for i := range c.Requeued {
		d.noteDue(c.Requeued[i].Endpoint, c.Requeued[i].At, now)
	}
	d.changes += uint64(len(c.Endpoints) + len(c.Apps))
	for i := range c.Endpoints {
		d.reconfigure(&c.Endpoints[i])
	}
	for i := range c.Apps {
		d.reconfigureApp(&c.Apps[i])
	}
	d.wakeWorkers()
}

// handedOver is the item of a row that comes straight from its commit.
func (d *Dispatcher) handedOver(row *delivery.Delivery, messages *batchMessages) item {
	it := item{Delivery: *row}
	if m := messages.shared(d.cfg.Codec, row.Message); m != nil {
		it.message, it.size = m, sizeOf(&m.Message)
	}
	return it
}

// noteDue remembers that the store has a row of an endpoint that is due at t.
func (d *Dispatcher) noteDue(endpoint id.ID, t, now time.Time) {
	l := d.lane(endpoint)
	l.noteDue(t)
	d.place(l, now)
}

// reconfigure takes over an endpoint that was changed.
func (d *Dispatcher) reconfigure(ep *delivery.Endpoint) {
	l, ok := d.lanes[ep.ID]
	if !ok {
		return
	}
	l.target = nil
	reopened := l.shut && !closedTo(ep)
	l.shut = closedTo(ep)
	if reopened {
		l.noteDue(d.cfg.Now())
	}
	if l.shut {
		d.giveUp(l)
	}
	d.place(l, d.cfg.Now())
}

// closedTo reports whether nothing may be sent to an endpoint.
func closedTo(ep *delivery.Endpoint) bool { return ep.Disabled || ep.Deleted || ep.Paused }

// reconfigureApp takes over an app that was changed. A change of an endpoint changes
// its app too, so the lanes are walked only if there is something for them.
func (d *Dispatcher) reconfigureApp(app *store.App) {
	g, ok := d.apps[app.ID]
	if ok {
		g.bucket.setRate(app.ThrottleRate, d.cfg.Now())
	}
	resigned := ok && !slices.Equal(g.tokens, app.SigningTokens)
	if !app.Deleted && !resigned {
		return
	}
	for _, l := range d.lanes {
		if l.target == nil || l.target.app != app.ID {
			continue
		}
		if app.Deleted {
			l.shut = true
			d.giveUp(l)
			d.place(l, d.cfg.Now())
		} else if l.target.perApp {
			l.target = nil
		}
	}
	if app.Deleted {
		delete(d.apps, app.ID)
	} else {
		g.tokens = app.SigningTokens
	}
}

// giveUp empties a lane's memory; the scheduler gives the leases back.
func (d *Dispatcher) giveUp(l *lane) {
	for i := range l.queue {
		d.unused = append(d.unused, l.queue[i].Delivery)
		d.bytes -= l.queue[i].size
	}
	if len(l.queue) > 0 {
		l.noteDue(d.cfg.Now())
		signal(d.kick)
	}
	l.queue = nil
}

// batchMessages finds the messages of a batch. Both its messages and its
// deliveries are in the order of the decisions, so a cursor is enough; resends
// of older messages bring no message and are loaded by their sender.
type batchMessages struct {
	rows   []store.Message
	cursor int
	last   *message
}

func messagesOf(c *store.Changes) batchMessages { return batchMessages{rows: c.Messages} }

// find gives the batch's message of that id, nil if the batch did not write it.
func (b *batchMessages) find(k id.ID) *store.Message {
	for i := range b.rows {
		at := (b.cursor + i) % len(b.rows)
		if b.rows[at].ID == k {
			b.cursor = at
			return &b.rows[at]
		}
	}
	return nil
}

// size is what a delivery of that message counted for when it was reserved.
func (b *batchMessages) size(k id.ID) int {
	if m := b.find(k); m != nil {
		return sizeOf(m)
	}
	return 0
}

// sizeOf is what a message counts for in memory.
func sizeOf(m *store.Message) int { return len(m.Payload) + len(m.Raw) }

// shared gives the one copy that all deliveries of a message use, nil if the
// batch did not write it.
func (b *batchMessages) shared(codec *id.Codec, k id.ID) *message {
	if b.last != nil && b.last.ID == k {
		return b.last
	}
	m := b.find(k)
	if m == nil {
		return nil
	}
	b.last = &message{Message: *m, external: codec.Encode(id.Message, k)}
	return b.last
}
