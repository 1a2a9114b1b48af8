package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

// newWriter prepares the shapes of the hot path's statements. A message or a
// delivery that has nothing but the ordinary gets a short INSERT: binding an
// argument costs about as much as storing it.
//
// All name what happens on a conflict, though none is to come: with the default,
// ABORT, a statement of several rows must be able to undo its first ones, and
// SQLite keeps a copy of every page that it touches for that (a fifth of the
// whole cost; DESIGN.md).
func newWriter(c *conn) *writer {
	into := func(columns, row string) *inserter {
		return &inserter{conn: c, head: "INSERT OR ROLLBACK INTO " + columns + " VALUES ", row: row}
	}
	return &writer{
		conn:     c,
		messages: into(`message (id, app, type, bucket, payload)`, `(?,?,?,?,?)`),
		tenants:  into(`message (id, app, type, bucket, payload, tenant)`, `(?,?,?,?,?,?)`),
		fullMsgs: into(`message (id, app, type, flags, event_hash, deliver_at, expires, bucket, extra, payload, tenant)`, `(?,?,?,?,?,?,?,?,?,?,?)`),
		rawMsgs:  into(`message (id, app, type, flags, event_hash, deliver_at, expires, bucket, extra, payload, tenant, raw)`, `(?,?,?,?,?,?,?,?,?,?,?,?)`),
		rows:     into(`delivery (msg, ep, app, next_at)`, `(?,?,?,?)`),
		handed:   into(`delivery (msg, ep, app, next_at, state)`, `(?,?,?,?,3)`),
		fullRows: into(`delivery (msg, ep, app, generation, state, reason, trigger, attempts, next_at, deadline, ord_key, ord_seq)`,
			`(?,?,?,?,?,?,?,?,?,?,?,?)`),
		// Two results of one lease have one key; the first stays.
		attempts: &inserter{
			conn: c, head: `INSERT OR IGNORE INTO attempt (id, msg, ep, n, app, trigger, at, success, status, latency, bucket, error, response) VALUES `,
			row: `(?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		},
		seen:  into(`seen (number, expires, hash, body, result)`, `(?,?,?,?,?)`),
		spill: into(`seen_spill (hash, expires, body, result)`, `(?,?,?,?)`),

		objects:  into(`object (`+objectColumns+`)`, `(?,?,?,?,?,?,?,?,?,?)`),
		received: into(`received (`+receivedBody+`)`, `(?,?,?,?,?,?,?)`),
	}
}

// Apply writes the changes of a batch in the order of the fields of Changes.
func (t *tx) Apply(ctx context.Context, c *store.Changes) error {
	steps := []struct {
		name string
		rows int
		run  func(context.Context, *store.Changes) error
	}{
		{"orgs", len(c.Orgs), t.writeOrgs},
		{"event types", len(c.EventTypes), t.writeEventTypes},
		{"erased event types", len(c.EraseTypes), t.eraseEventTypes},
		{"apps", len(c.Apps), t.writeApps},
		{"endpoints", len(c.Endpoints), t.writeEndpoints},
		{"endpoint urls", len(c.URLs), t.writeURLs},
		{"messages", len(c.Messages), t.insertMessages},
		{"deliveries", len(c.Deliveries), t.insertDeliveries},
		{"completions", len(c.Completed), t.complete},
		{"requeued deliveries", len(c.Requeued), t.requeue},
		{"finished deliveries", len(c.Finished), t.finish},
		{"endpoint health", len(c.Healths), t.writeHealths},
		{"endpoint recovery", len(c.Healthy), t.clearHealths},
		{"dropped payloads", len(c.Payloads), t.dropPayloads},
		{"dropped responses", len(c.Attempts), t.dropResponses},
		{"tasks", len(c.Tasks), t.writeTasks},
		{"sources", len(c.Sources), t.writeSources},
		{"received requests", len(c.Received), t.insertReceived},
		{"trimmed requests", len(c.TrimReceived), t.trimReceived},
		{"dropped bodies", len(c.Bodies), t.dropBodies},
		{"erased requests", len(c.ErasedReceived), t.eraseReceived},
		{"objects", len(c.Objects), t.writeObjects},
		{"erased objects", len(c.ErasedObjects), t.eraseObjects},
		{"traffic", len(c.Traffic), t.writeTraffic},
		{"erased traffic", len(c.ErasedTraffic), t.eraseTraffic},
		{"erased apps", len(c.ErasedApps), t.eraseApps},
		{"dropped messages", len(c.Dropped), t.drop},
		{"dedupe keys", len(c.Seen), t.writeSeen},
	}
	for _, step := range steps {
		if step.rows == 0 {
			continue
		}
		if err := step.run(ctx, c); err != nil {
			return fmt.Errorf("write %s: %w", step.name, err)
		}
	}
	return nil
}

// eraseApps removes deleted apps with what hangs on them but messages, live state and
// received requests.
// An app that is not deleted is left alone.
func (t *tx) eraseApps(_ context.Context, c *store.Changes) error {
	const endpoints = ` IN (SELECT e.id FROM endpoint e JOIN app a ON a.id = e.app WHERE a.id = ? AND a.deleted = 1)`
	for _, app := range c.ErasedApps {
		for _, statement := range []string{
			`DELETE FROM endpoint_url WHERE endpoint` + endpoints,
			`DELETE FROM endpoint_health WHERE endpoint` + endpoints,
			`DELETE FROM endpoint WHERE id` + endpoints,
			`DELETE FROM source WHERE app = (SELECT id FROM app WHERE id = ? AND deleted = 1)`,
			`DELETE FROM traffic WHERE app = (SELECT id FROM app WHERE id = ? AND deleted = 1)`,
			`DELETE FROM app WHERE id = ? AND deleted = 1`,
		} {
			if _, err := t.writer.conn.run(statement, int64(app)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) writeOrgs(_ context.Context, c *store.Changes) error {
	for i := range c.Orgs {
		o := &c.Orgs[i]
		_, err := t.writer.conn.run(`INSERT INTO org (id, doc, updated_at) VALUES (?,?,?)
			ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`,
			o.Org, bytesOrNull(o.Doc), document.Micros(o.UpdatedAt))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeEventTypes(_ context.Context, c *store.Changes) error {
	for i := range c.EventTypes {
		e := &c.EventTypes[i]
		doc, err := document.EncodeEventType(e)
		if err != nil {
			return err
		}
		_, err = t.writer.conn.run(`INSERT INTO event_type (org, name, archived, doc, schemas) VALUES (?,?,?,?,?)
			ON CONFLICT (org, name) DO UPDATE SET archived = excluded.archived, doc = excluded.doc, schemas = excluded.schemas`,
			e.Org, e.Name, flag(e.Archived), doc, bytesOrNull(e.Schemas))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) eraseEventTypes(_ context.Context, c *store.Changes) error {
	for i := range c.EraseTypes {
		if _, err := t.writer.conn.run(`DELETE FROM event_type WHERE org = ? AND name = ?`, c.EraseTypes[i].Org, c.EraseTypes[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// writeApps goes row by row, because one row may free the uid that the next takes.
func (t *tx) writeApps(_ context.Context, c *store.Changes) error {
	for i := range c.Apps {
		a := &c.Apps[i]
		doc, err := document.EncodeApp(a)
		if err != nil {
			return err
		}
		t.apps = append(t.apps, a.ID)
		delete(t.store.apps, a.ID)
		_, err = t.writer.conn.run(`INSERT INTO app (id, org, uid, config_version, deleted, doc) VALUES (?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET org = excluded.org, uid = excluded.uid, config_version = excluded.config_version,
				deleted = excluded.deleted, doc = excluded.doc`,
			int64(a.ID), a.Org, orNull(a.UID), a.ConfigVersion, flag(a.Deleted), doc)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeEndpoints(_ context.Context, c *store.Changes) error {
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		doc, err := document.EncodeEndpoint(e)
		if err != nil {
			return err
		}
		_, err = t.writer.conn.run(`INSERT INTO endpoint (id, app, uid, deleted, doc) VALUES (?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET app = excluded.app, uid = excluded.uid, deleted = excluded.deleted, doc = excluded.doc`,
			int64(e.ID), int64(e.App), orNull(e.UID), flag(e.Deleted), doc)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeURLs keeps the last of several URLs that an endpoint got in one instant.
func (t *tx) writeURLs(_ context.Context, c *store.Changes) error {
	for i := range c.URLs {
		u := &c.URLs[i]
		_, err := t.writer.conn.run(`INSERT INTO endpoint_url (endpoint, since, url) VALUES (?,?,?)
			ON CONFLICT (endpoint, since) DO UPDATE SET url = excluded.url`, int64(u.Endpoint), document.Micros(u.Since), u.URL)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertMessages(_ context.Context, c *store.Changes) error {
	shape := func(i int) *inserter { return t.messageShape(&c.Messages[i]) }
	return runs(len(c.Messages), shape, func(from, to int, into *inserter) error {
		batch := c.Messages[from:to]
		if into == t.writer.fullMsgs || into == t.writer.rawMsgs {
			return t.insertFullMessages(into, batch)
		}
		return into.insert(len(batch), func(v args, i int) args {
			m := &batch[i]
			v = append(v, int64(m.ID), int64(m.App), m.Type, t.messages.next(), bytesOrNull(m.Payload))
			if into == t.writer.tenants {
				v = append(v, m.Tenant)
			}
			return v
		})
	})
}

// messageShape gives the shortest INSERT that a message fits.
func (t *tx) messageShape(m *store.Message) *inserter {
	switch {
	case m.Raw != nil:
		return t.writer.rawMsgs
	case !plainMessage(m):
		return t.writer.fullMsgs
	case m.Tenant != "":
		return t.writer.tenants
	}
	return t.writer.messages
}

// insertFullMessages inserts messages with all columns, of which raw is only in one of the
// two shapes.
func (t *tx) insertFullMessages(into *inserter, batch []store.Message) error {
	extras := make([][]byte, len(batch))
	for i := range batch {
		var err error
		if extras[i], err = document.EncodeExtra(&batch[i]); err != nil {
			return err
		}
	}
	return into.insert(len(batch), func(v args, i int) args {
		m := &batch[i]
		var hash, expires driver.Value
		if m.EventID != "" {
			hash = m.EventHash[:]
		}
		if !m.PayloadExpires.IsZero() {
			expires = document.Micros(m.PayloadExpires)
		}
		v = append(v, int64(m.ID), int64(m.App), m.Type, flag(m.Test)*messageTest, hash, document.Micros(m.DeliverAt), expires,
			t.messages.next(), bytesOrNull(extras[i]), bytesOrNull(m.Payload), orNull(m.Tenant))
		if into == t.writer.rawMsgs {
			v = append(v, m.Raw)
		}
		return v
	})
}

// runs cuts 0..n into stretches of rows that are alike and calls fn with each.
func runs[K comparable](n int, kindOf func(int) K, fn func(from, to int, kind K) error) error {
	for from := 0; from < n; {
		kind, to := kindOf(from), from+1
		for to < n && kindOf(to) == kind {
			to++
		}
		if err := fn(from, to, kind); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// insertDeliveries stores leased rows under the generation before; the lease
// itself is in memory, and there before the rows can be seen.
func (t *tx) insertDeliveries(_ context.Context, c *store.Changes) error {
	for i := range c.Deliveries {
		if d := &c.Deliveries[i]; d.State == delivery.Leased {
			t.put = append(t.put, d.Key)
			t.store.leases.put(d, t.store.handoffs.fresh(d))
		}
	}
	shape := func(i int) *inserter { return t.shape(&c.Deliveries[i]) }
	err := runs(len(c.Deliveries), shape, func(from, to int, into *inserter) error {
		batch := c.Deliveries[from:to]
		if into != t.writer.fullRows {
			return into.insert(len(batch), func(v args, i int) args {
				d := &batch[i]
				return append(v, int64(d.Message), int64(d.Endpoint), int64(d.App), document.Micros(d.NextAt))
			})
		}
		return into.insert(len(batch), func(v args, i int) args {
			d := &batch[i]
			generation, state := t.stored(d)
			return append(v, int64(d.Message), int64(d.Endpoint), int64(d.App), generation, int64(state), int64(d.Reason), int64(d.Trigger),
				int64(d.Step), document.Micros(d.NextAt), document.Micros(d.Deadline), orNull(d.OrderKey), d.OrderSeq)
		})
	})
	if err != nil {
		return err
	}
	return t.step(c.Deliveries)
}

// stored gives the generation and state of a delivery's row.
func (t *tx) stored(d *delivery.Delivery) (generation int64, state delivery.State) {
	switch {
	case d.State != delivery.Leased:
		return int64(d.Generation), d.State
	case t.store.handoffs.fresh(d):
		return int64(d.Generation - 1), delivery.Leased
	}
	return int64(d.Generation - 1), delivery.Pending
}

// shape gives the shortest INSERT that a delivery fits.
func (t *tx) shape(d *delivery.Delivery) *inserter {
	generation, state := t.stored(d)
	switch {
	case generation != 0 || d.Reason != 0 || d.Trigger != 0 || d.Step != 0 || !d.Deadline.IsZero() || d.OrderKey != "" || d.OrderSeq != 0:
		return t.writer.fullRows
	case state == delivery.Pending:
		return t.writer.rows
	case state == delivery.Leased:
		return t.writer.handed
	}
	return t.writer.fullRows
}

// complete records attempts and moves the deliveries that are still held under
// the attempts' generations.
func (t *tx) complete(ctx context.Context, c *store.Changes) error {
	attempts := make([]*delivery.Attempt, 0, len(c.Completed))
	for i := range c.Completed {
		done := &c.Completed[i]
		if t.store.leases.takeHeld(done.Next.Key, done.Next.Generation) {
			t.taken = append(t.taken, done.Next.Key)
			if err := t.move(&done.Next); err != nil {
				return err
			}
		} else if known, err := t.exists(ctx, done.Next.Key); err != nil {
			return err
		} else if !known {
			continue // dropped meanwhile; an attempt alone would never go
		}
		attempts = append(attempts, &done.Attempt)
	}
	return t.insertAttempts(attempts)
}

// move writes what an attempt made of a delivery. The row's generation is the one
// before the lease's, so of two results under one lease the first counts.
func (t *tx) move(d *delivery.Delivery) error {
	next := document.Micros(d.NextAt)
	if d.State.Finished() {
		next = 0
	}
	_, err := t.writer.conn.run(`UPDATE delivery SET state = ?, reason = ?, trigger = ?, attempts = ?, next_at = ?, generation = ?
		WHERE msg = ? AND ep = ? AND generation = ?`,
		int64(d.State), int64(d.Reason), int64(d.Trigger), int64(d.Step), next, int64(d.Generation),
		int64(d.Message), int64(d.Endpoint), int64(d.Generation-1))
	return err
}

func (t *tx) exists(ctx context.Context, k delivery.Key) (bool, error) {
	return t.writer.conn.one(ctx, `SELECT 1 FROM delivery WHERE msg = ? AND ep = ?`, func([]driver.Value) error { return nil },
		int64(k.Message), int64(k.Endpoint))
}

func (t *tx) insertAttempts(attempts []*delivery.Attempt) error {
	return t.writer.attempts.insert(len(attempts), func(v args, i int) args {
		a := attempts[i]
		return append(v, int64(a.ID), int64(a.Message), int64(a.Endpoint), int64(a.N), int64(a.App), int64(a.Trigger), document.Micros(a.At),
			flag(a.Success), int64(a.StatusCode), a.Latency.Microseconds(), t.attempts.next(), orNull(a.Error), bytesOrNull(a.Response))
	})
}

// take keeps claims off a key until the transaction ends.
func (t *tx) take(k delivery.Key) {
	t.taken = append(t.taken, k)
	t.store.leases.take(k)
}

func (t *tx) requeue(_ context.Context, c *store.Changes) error {
	for i := range c.Requeued {
		r := &c.Requeued[i]
		t.take(r.Key)
		_, err := t.writer.conn.run(`UPDATE delivery SET state = 1, reason = 0, trigger = ?, attempts = 0, next_at = ?, deadline = ?,
				generation = generation + 1 WHERE msg = ? AND ep = ?`,
			int64(r.Trigger), document.Micros(r.At), document.Micros(r.Deadline), int64(r.Message), int64(r.Endpoint))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) finish(_ context.Context, c *store.Changes) error {
	for i := range c.Finished {
		f := &c.Finished[i]
		t.take(f.Key)
		_, err := t.writer.conn.run(`UPDATE delivery SET state = ?, reason = ?, next_at = 0 WHERE msg = ? AND ep = ? AND state < 4`,
			int64(f.State), int64(f.Reason), int64(f.Message), int64(f.Endpoint))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeHealths(_ context.Context, c *store.Changes) error {
	for i := range c.Healths {
		h := &c.Healths[i]
		t.store.failing[h.Endpoint] = struct{}{} // if this is rolled back: one look-up too many
		_, err := t.writer.conn.run(`INSERT INTO endpoint_health (`+healthColumns+`) VALUES (?,?,?,?,?)
			ON CONFLICT (endpoint) DO UPDATE SET failing_since = excluded.failing_since, failures = excluded.failures,
				first_message = excluded.first_message, many_messages = excluded.many_messages`,
			int64(h.Endpoint), document.Micros(h.FailingSince), int64(h.Failures), int64(h.FirstMessage), flag(h.ManyMessages))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) clearHealths(_ context.Context, c *store.Changes) error {
	for _, ep := range c.Healthy {
		if _, err := t.writer.conn.run(`DELETE FROM endpoint_health WHERE endpoint = ?`, int64(ep)); err != nil {
			return err
		}
		t.healthy = append(t.healthy, ep)
	}
	return nil
}

func (t *tx) dropPayloads(_ context.Context, c *store.Changes) error {
	for _, m := range c.Payloads {
		if _, err := t.writer.conn.run(`UPDATE message SET payload = NULL, raw = NULL WHERE id = ?`, int64(m)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) dropResponses(_ context.Context, c *store.Changes) error {
	for i := range c.Attempts {
		a := &c.Attempts[i]
		_, err := t.writer.conn.run(`UPDATE attempt SET response = NULL, error = CASE WHEN status = 0 THEN error END WHERE id = ? AND msg = ? AND ep = ?`,
			int64(a.ID), int64(a.Message), int64(a.Endpoint))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeTasks(_ context.Context, c *store.Changes) error {
	for i := range c.Tasks {
		k := &c.Tasks[i]
		_, err := t.writer.conn.run(`INSERT INTO task (`+taskColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since, until = excluded.until,
				cursor = excluded.cursor, done = excluded.done, reason = excluded.reason, updated_at = excluded.updated_at, subject = excluded.subject`,
			int64(k.ID), k.Org, int64(k.App), int64(k.Endpoint), int64(k.Kind), int64(k.State), int64(k.Since), int64(k.Until),
			int64(k.Cursor), k.Done, k.Reason, document.Micros(k.UpdatedAt), k.Subject)
		if err != nil {
			return err
		}
	}
	return nil
}

// drop removes ranges of messages with what hangs on them, and remembers the
// largest ids that went, so that no id is given twice after a restart.
func (t *tx) drop(ctx context.Context, c *store.Changes) error {
	for _, r := range c.Dropped {
		t.taken = append(t.taken, t.store.leases.takeRange(r)...)
		if r.App == 0 {
			within := func(key string) string { return key + ` >= ? AND ` + key + ` < ?` }
			if err := t.dropWhere(ctx, within, int64(r.From), int64(r.Until)); err != nil {
				return err
			}
			continue
		}
		// The range may hold any number of other apps' rows: go message by message.
		messages, err := t.messagesIn(ctx, r)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := t.dropWhere(ctx, func(key string) string { return key + ` = ?` }, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// messagesIn gives the messages of an app's range.
func (t *tx) messagesIn(ctx context.Context, r store.Range) (messages []driver.Value, err error) {
	b := paging.Within(store.Page{Ascending: true}, r.From, r.Until)
	_, _, err = ofApp(r.App, b, `message.id`, ``).run(ctx, t.writer.conn, func(row []driver.Value) error {
		messages = append(messages, row[0])
		return nil
	}, func() bool { return true })
	return messages, err
}

// dropWhere removes the messages that a condition on their key takes.
func (t *tx) dropWhere(ctx context.Context, condition func(key string) string, values ...driver.Value) error {
	if err := t.raiseHighWater(ctx, condition, values); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM attempt WHERE ` + condition("msg"),
		`DELETE FROM delivery WHERE ` + condition("msg"),
		`DELETE FROM message WHERE ` + condition("id"),
	} {
		if _, err := t.writer.conn.run(query, values...); err != nil {
			return err
		}
	}
	return nil
}

// raiseHighWater notes the largest ids, by node, among rows about to be removed.
func (t *tx) raiseHighWater(ctx context.Context, condition func(key string) string, values args) error {
	largest := map[int64]int64{}
	note := func(row []driver.Value) error {
		node := integer(row[0])
		largest[node] = max(largest[node], integer(row[1]))
		return nil
	}
	c := t.writer.conn
	for _, query := range []string{
		`SELECT (id >> 13) & 255, max(id) FROM attempt WHERE ` + condition("msg") + ` GROUP BY 1`,
		`SELECT (id >> 13) & 255, max(id) FROM message WHERE ` + condition("id") + ` GROUP BY 1`,
	} {
		if err := c.each(ctx, query, note, values...); err != nil {
			return err
		}
	}
	for node, last := range largest {
		if err := t.raise(int(node), id.ID(last)); err != nil {
			return err
		}
	}
	return nil
}

// raise notes that an id of a node was given out, whatever becomes of its row.
func (t *tx) raise(node int, last id.ID) error {
	_, err := t.writer.conn.run(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
		highWater(node), int64(last))
	return err
}

// writeSeen keeps keys where they are found again: in seen while the set in
// memory has room, in seen_spill beyond.
func (t *tx) writeSeen(_ context.Context, c *store.Changes) error {
	n := min(len(c.Seen), t.store.seen.room())
	inside, outside := c.Seen[:n], c.Seen[n:]
	t.spilled = len(outside) > 0
	now := time.Now()
	for i := range inside {
		t.seen = append(t.seen, numbered{inside[i].Hash, t.store.seen.number(inside[i].Expires, now)})
	}
	added := t.seen[len(t.seen)-n:]
	err := t.writer.seen.insert(n, func(v args, i int) args {
		k := &inside[i]
		return append(v, added[i].number, k.Expires.Unix(), k.Hash[:], k.Body[:], int64(k.Result))
	})
	if err != nil {
		return err
	}
	return t.writer.spill.insert(len(outside), func(v args, i int) args {
		k := &outside[i]
		return append(v, k.Hash[:], k.Expires.Unix(), k.Body[:], int64(k.Result))
	})
}

// LastID is the largest id that the store holds or held of a node, 0 for none.
func (s *Store) LastID(ctx context.Context, node int) (last id.ID, err error) {
	keep := func(row []driver.Value) error {
		last = max(last, ident(row[0]))
		return nil
	}
	err = s.snapshot(ctx, func(c *conn) error {
		if _, err := c.one(ctx, `SELECT value FROM meta WHERE name = ?`, keep, highWater(node)); err != nil {
			return err
		}
		for _, table := range []string{"message", "attempt", "app", "endpoint", "task", "source", "received"} {
			query := `SELECT id FROM ` + table + ` WHERE (id >> 13) & 255 = ? ORDER BY id DESC LIMIT 1`
			if _, err := c.one(ctx, query, keep, int64(node)); err != nil {
				return err
			}
		}
		return nil
	})
	return last, err
}

// highWaterPrefix begins the names in meta of the largest ids among rows that were
// removed or have no table that finds them; the number of their node follows.
const highWaterPrefix = "high_water_"

func highWater(node int) string { return highWaterPrefix + strconv.Itoa(node) }
