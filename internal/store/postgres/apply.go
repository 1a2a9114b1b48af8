package postgres

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// Apply writes the changes of a batch, each kind in one statement of many rows, and
// rows in the order of their keys: all nodes lock them in the same order. The
// statements go out with the next read or with the COMMIT.
//
// Dedupe keys come first. A twin on another node makes this transaction wait there
// and fail, with as little as possible done.
func (t *tx) Apply(_ context.Context, c *store.Changes) error {
	steps := []struct {
		name string
		rows int
		run  func(*store.Changes) error
	}{
		{"dedupe keys", len(c.Seen), t.insertSeen},
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
	}
	for _, step := range steps {
		if step.rows == 0 {
			continue
		}
		if err := step.run(c); err != nil {
			return fmt.Errorf("write %s: %w", step.name, err)
		}
	}
	t.fence(c)
	if t.store.cfg.eager {
		return t.store.told(t.send(nil))
	}
	return nil
}

// fence notes the largest ids that were written, by node. For the ids of this node
// it does more: when the row has another incarnation the value is NULL, which the
// column refuses, and with it the transaction (errFenced). It is written even if
// there is no id.
func (t *tx) fence(c *store.Changes) {
	largest := map[int]id.ID{t.store.node.number: 0}
	note := func(k id.ID) { largest[k.Node()] = max(largest[k.Node()], k) }
	for i := range c.Apps {
		note(c.Apps[i].ID)
	}
	for i := range c.Endpoints {
		note(c.Endpoints[i].ID)
	}
	for i := range c.Messages {
		note(c.Messages[i].ID)
	}
	for i := range c.Completed {
		note(c.Completed[i].Attempt.ID)
	}
	for i := range c.Tasks {
		note(c.Tasks[i].ID)
	}
	for i := range c.Sources {
		note(c.Sources[i].ID)
	}
	for i := range c.Received {
		note(c.Received[i].ID)
	}
	for i := range c.Objects {
		if o := &c.Objects[i]; t.objects[o.Key] != o.Seq { // else it is known
			note(o.Seq)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(largest)) {
		last := largest[number]
		if number != t.store.node.number {
			t.queue("high water", raiseHighWater, number, int64(last))
		}
	}
	t.queue("fence", `UPDATE node SET high_water = CASE WHEN incarnation = $2 THEN greatest(high_water, $3) END WHERE number = $1`,
		t.store.node.number, t.store.node.incarnation, int64(largest[t.store.node.number]))
}

// raiseHighWater notes the largest id of another node. As a rule it is known already,
// and that node's row is left alone.
const raiseHighWater = `INSERT INTO node AS n (number, high_water) SELECT $1::smallint, $2::bigint
	WHERE NOT EXISTS (SELECT 1 FROM node o WHERE o.number = $1 AND o.high_water >= $2) ON CONFLICT (number) DO UPDATE SET high_water = greatest(n.high_water, excluded.high_water)`

// insertSeen sorts the keys, so that two nodes cannot wait for each other.
func (t *tx) insertSeen(c *store.Changes) error {
	keys := slices.Clone(c.Seen)
	slices.SortFunc(keys, func(a, b store.Seen) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	hashes, bodies := make([][16]byte, len(keys)), make([][16]byte, len(keys))
	expires, results := make([]int64, len(keys)), make([]int64, len(keys))
	for i := range keys {
		k := &keys[i]
		hashes[i], bodies[i], expires[i], results[i] = k.Hash, k.Body, k.Expires.Unix(), int64(k.Result)
	}
	t.queue("dedupe keys", `INSERT INTO seen (hash, body, expires, result)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])`, hashes, bodies, expires, results)
	return nil
}

func (t *tx) writeOrgs(c *store.Changes) error {
	for i := range c.Orgs {
		o := &c.Orgs[i]
		t.queue("org", `INSERT INTO org (id, doc, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, updated_at = excluded.updated_at`, o.Org, o.Doc, document.Micros(o.UpdatedAt))
	}
	return nil
}

func (t *tx) writeEventTypes(c *store.Changes) error {
	for i := range c.EventTypes {
		e := &c.EventTypes[i]
		doc, err := document.EncodeEventType(e)
		if err != nil {
			return err
		}
		t.queue("event type", `INSERT INTO event_type (org, name, archived, doc, schemas) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (org, name) DO UPDATE SET archived = excluded.archived, doc = excluded.doc, schemas = excluded.schemas`,
			e.Org, e.Name, e.Archived, doc, e.Schemas)
	}
	return nil
}

func (t *tx) eraseEventTypes(c *store.Changes) error {
	for i := range c.EraseTypes {
		t.queue("event type", `DELETE FROM event_type WHERE org = $1 AND name = $2`, c.EraseTypes[i].Org, c.EraseTypes[i].Name)
	}
	return nil
}

// writeApps goes row by row, because one row may free the uid that another takes;
// so that the order does not matter, all of them free theirs first.
func (t *tx) writeApps(c *store.Changes) error {
	freeUIDs(t, "app", c.Apps, func(a *store.App) id.ID { return a.ID })
	for i := range c.Apps {
		a := &c.Apps[i]
		doc, err := document.EncodeApp(a)
		if err != nil {
			return err
		}
		t.queue("app", `INSERT INTO app (id, org, uid, config_version, deleted, doc) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO UPDATE SET org = excluded.org, uid = excluded.uid, config_version = excluded.config_version,
				deleted = excluded.deleted, doc = excluded.doc`,
			int64(a.ID), a.Org, orNull(a.UID), a.ConfigVersion, a.Deleted, doc)
		t.news.Apps = append(t.news.Apps, a.ID)
	}
	return nil
}

// freeUIDs takes the uids off rows that are about to be written, if they are several.
func freeUIDs[T any](t *tx, table string, rows []T, key func(*T) id.ID) {
	if len(rows) < 2 {
		return
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = int64(key(&rows[i]))
	}
	t.queue(table+" uids", `UPDATE `+table+` SET uid = NULL WHERE id = ANY ($1::bigint[]) AND uid IS NOT NULL`, ids)
}

// writeEndpoints is as writeApps.
func (t *tx) writeEndpoints(c *store.Changes) error {
	freeUIDs(t, "endpoint", c.Endpoints, func(e *delivery.Endpoint) id.ID { return e.ID })
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		doc, err := document.EncodeEndpoint(e)
		if err != nil {
			return err
		}
		t.queue("endpoint", `INSERT INTO endpoint (id, app, uid, deleted, doc) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (id) DO UPDATE SET app = excluded.app, uid = excluded.uid, deleted = excluded.deleted, doc = excluded.doc`,
			int64(e.ID), int64(e.App), orNull(e.UID), e.Deleted, doc)
		t.news.Endpoints = append(t.news.Endpoints, e.ID)
	}
	return nil
}

// writeURLs keeps the last of several URLs that an endpoint got in one instant.
func (t *tx) writeURLs(c *store.Changes) error {
	for i := range c.URLs {
		u := &c.URLs[i]
		t.queue("endpoint url", `INSERT INTO endpoint_url (endpoint, since, url) VALUES ($1, $2, $3)
			ON CONFLICT (endpoint, since) DO UPDATE SET url = excluded.url`, int64(u.Endpoint), document.Micros(u.Since), []byte(u.URL))
	}
	return nil
}

func (t *tx) insertMessages(c *store.Changes) error {
	n := len(c.Messages)
	ids, apps, deliverAt := make([]int64, n), make([]int64, n), make([]int64, n)
	expires, flags, hashes := make([]*int64, n), make([]int16, n), make([]pgtype.UUID, n)
	kinds, tenants, extras, payloads := make([]string, n), make([]*string, n), make([][]byte, n), make([][]byte, n)
	var raws [][]byte // nil unless a message came in as a request
	for i := range c.Messages {
		m := &c.Messages[i]
		ids[i], apps[i], deliverAt[i] = int64(m.ID), int64(m.App), document.Micros(m.DeliverAt)
		if !m.PayloadExpires.IsZero() {
			expires[i] = new(document.Micros(m.PayloadExpires))
		}
		if m.Test {
			flags[i] = messageTest
		}
		if m.EventID != "" {
			hashes[i] = uuid(m.EventHash)
		}
		if m.Tenant != "" {
			tenants[i] = &m.Tenant
		}
		var err error
		if extras[i], err = document.EncodeExtra(m); err != nil {
			return err
		}
		kinds[i], payloads[i] = m.Type, m.Payload
		if m.Raw == nil {
			continue
		}
		if raws == nil {
			raws = make([][]byte, n)
		}
		raws[i] = m.Raw
	}
	columns, arrays := `id, app, deliver_at, expires, flags, event_hash, type, extra, payload, tenant`,
		`$1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::text[]`
	values := []any{ids, apps, deliverAt, expires, flags, hashes, kinds, extras, payloads, tenants}
	if raws != nil {
		columns, arrays, values = columns+`, raw`, arrays+`, $11::bytea[]`, append(values, raws)
	}
	t.queue("messages", `INSERT INTO message (`+columns+`) SELECT * FROM unnest(`+arrays+`)`, values...)
	return nil
}

// insertDeliveries stores leased rows under the generation before. Rows that were
// handed to this node's dispatcher are known to t.put before they can be seen.
func (t *tx) insertDeliveries(c *store.Changes) error {
	n := len(c.Deliveries)
	msgs, eps, apps := make([]int64, n), make([]int64, n), make([]int64, n)
	nextAt, due, deadlines, seqs := make([]int64, n), make([]*int64, n), make([]int64, n), make([]int64, n)
	generations, attempts := make([]int32, n), make([]int32, n)
	states, reasons, triggers := make([]int16, n), make([]int16, n), make([]int16, n)
	handed, claimed, ordKeys := make([]*int16, n), make([]*int16, n), make([][]byte, n)
	me := int16(t.store.node.number)
	for i := range c.Deliveries {
		d := &c.Deliveries[i]
		msgs[i], eps[i], apps[i] = int64(d.Message), int64(d.Endpoint), int64(d.App)
		nextAt[i], deadlines[i], seqs[i] = document.Micros(d.NextAt), document.Micros(d.Deadline), d.OrderSeq
		generations[i], attempts[i] = int32(d.Generation), int32(d.Step)
		states[i], reasons[i], triggers[i] = int16(d.State), int16(d.Reason), int16(d.Trigger)
		ordKeys[i] = bytesOrNull(d.OrderKey)
		switch d.State {
		case delivery.Pending:
			due[i] = &nextAt[i]
			t.pending = append(t.pending, *d)
			t.work = true
		case delivery.Leased:
			generations[i]--
			t.put = append(t.put, *d)
			if handed[i] = &me; !t.store.leases.put(d.Key) {
				claimed[i] = &me
			}
		}
	}
	t.queue("deliveries", `INSERT INTO delivery (msg, ep, app, next_at, due, deadline, ord_seq, generation, attempts, state, reason, trigger, handed_to, claimed_by, ord_key)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[], $9::int[],
			$10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[], $14::smallint[], $15::bytea[])`,
		msgs, eps, apps, nextAt, due, deadlines, seqs, generations, attempts, states, reasons, triggers, handed, claimed, ordKeys)
	return nil
}

// complete moves the deliveries that are still held under the attempts' generations
// and records the attempts.
func (t *tx) complete(c *store.Changes) error {
	done := inOrder(c.Completed, func(d *store.Completion) delivery.Key { return d.Next.Key })
	// Of two results under one lease the first counts; they stand side by side.
	done = slices.CompactFunc(done, func(a, b store.Completion) bool {
		return a.Next.Key == b.Next.Key && a.Attempt.N == b.Attempt.N
	})
	t.move(done)
	t.insertAttempts(done)
	return nil
}

// inOrder sorts what is written about deliveries by their keys; what is about one
// delivery stays in its order.
func inOrder[T any](rows []T, key func(*T) delivery.Key) []T {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b T) int {
		x, y := key(&a), key(&b)
		return cmp.Or(cmp.Compare(x.Message, y.Message), cmp.Compare(x.Endpoint, y.Endpoint))
	})
	return rows
}

// move writes what attempts made of deliveries. Of several results for one
// delivery, of different leases, one at most finds its generation in the row.
func (t *tx) move(done []store.Completion) {
	n := len(done)
	msgs, eps, nextAt := make([]int64, n), make([]int64, n), make([]int64, n)
	generations, attempts := make([]int32, n), make([]int32, n)
	states, reasons, triggers := make([]int16, n), make([]int16, n), make([]int16, n)
	for i := range done {
		d := &done[i].Next
		msgs[i], eps[i], nextAt[i] = int64(d.Message), int64(d.Endpoint), document.Micros(d.NextAt)
		generations[i], attempts[i] = int32(d.Generation), int32(d.Step)
		states[i], reasons[i], triggers[i] = int16(d.State), int16(d.Reason), int16(d.Trigger)
		t.ended = append(t.ended, d.Key)
		if d.State == delivery.Pending {
			t.pending = append(t.pending, *d)
		}
	}
	t.queue("deliveries", `UPDATE delivery d SET state = i.state, reason = i.reason, trigger = i.trigger, attempts = i.attempts,
			generation = i.generation, next_at = i.next_at, due = CASE WHEN i.state = 1 THEN i.next_at END, claimed_by = NULL
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::smallint[], $7::smallint[], $8::smallint[])
			AS i(msg, ep, next_at, generation, attempts, state, reason, trigger)
		WHERE d.msg = i.msg AND d.ep = i.ep AND d.state = 3 AND d.generation = i.generation - 1`,
		msgs, eps, nextAt, generations, attempts, states, reasons, triggers)
}

// insertAttempts records attempts, but for those of deliveries that were dropped
// meanwhile: such an attempt would never go.
func (t *tx) insertAttempts(done []store.Completion) {
	n := len(done)
	msgs, eps, ids, apps := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	at, latencies, numbers := make([]int64, n), make([]int64, n), make([]int32, n)
	statuses, triggers, successes := make([]int16, n), make([]int16, n), make([]bool, n)
	errors, responses := make([][]byte, n), make([][]byte, n)
	for i := range done {
		a := &done[i].Attempt
		msgs[i], eps[i], ids[i], apps[i] = int64(a.Message), int64(a.Endpoint), int64(a.ID), int64(a.App)
		at[i], latencies[i], numbers[i] = document.Micros(a.At), a.Latency.Microseconds(), int32(a.N)
		statuses[i], triggers[i], successes[i] = int16(a.StatusCode), int16(a.Trigger), a.Success
		errors[i], responses[i] = bytesOrNull(a.Error), a.Response
	}
	t.queue("attempts", `INSERT INTO attempt (msg, ep, id, app, at, latency, n, status, trigger, success, error, response)
		SELECT i.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::smallint[], $9::smallint[],
			$10::boolean[], $11::bytea[], $12::bytea[]) AS i(msg, ep, id, app, at, latency, n, status, trigger, success, error, response)
		WHERE EXISTS (SELECT 1 FROM delivery d WHERE d.msg = i.msg AND d.ep = i.ep)
		ON CONFLICT (msg, ep, n) DO NOTHING`,
		msgs, eps, ids, apps, at, latencies, numbers, statuses, triggers, successes, errors, responses)
}

func (t *tx) requeue(c *store.Changes) error {
	rows := inOrder(c.Requeued, func(r *store.Requeue) delivery.Key { return r.Key })
	n := len(rows)
	msgs, eps, at, deadlines, triggers := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int16, n)
	for i := range rows {
		r := &rows[i]
		msgs[i], eps[i], at[i] = int64(r.Message), int64(r.Endpoint), document.Micros(r.At)
		deadlines[i], triggers[i] = document.Micros(r.Deadline), int16(r.Trigger)
		t.ended = append(t.ended, r.Key)
		t.pending = append(t.pending, delivery.Delivery{Key: r.Key, NextAt: r.At})
	}
	t.work = true
	t.queue("deliveries", `UPDATE delivery d SET state = 1, reason = 0, trigger = i.trigger, attempts = 0, next_at = i.at, due = i.at, deadline = i.deadline,
			generation = d.generation + 1, claimed_by = NULL
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[]) AS i(msg, ep, at, deadline, trigger)
		WHERE d.msg = i.msg AND d.ep = i.ep`, msgs, eps, at, deadlines, triggers)
	return nil
}

func (t *tx) finish(c *store.Changes) error {
	rows := inOrder(c.Finished, func(f *store.Finish) delivery.Key { return f.Key })
	n := len(rows)
	msgs, eps, states, reasons := make([]int64, n), make([]int64, n), make([]int16, n), make([]int16, n)
	for i := range rows {
		f := &rows[i]
		msgs[i], eps[i], states[i], reasons[i] = int64(f.Message), int64(f.Endpoint), int16(f.State), int16(f.Reason)
		t.ended = append(t.ended, f.Key)
	}
	t.queue("deliveries", `UPDATE delivery d SET state = i.state, reason = i.reason, due = NULL, claimed_by = NULL
		FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[]) AS i(msg, ep, state, reason)
		WHERE d.msg = i.msg AND d.ep = i.ep AND d.state < 4`, msgs, eps, states, reasons)
	return nil
}

func (t *tx) writeHealths(c *store.Changes) error {
	n := len(c.Healths)
	eps, since, failures, first, many := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]bool, n)
	for i := range c.Healths {
		h := &c.Healths[i]
		eps[i], since[i], failures[i] = int64(h.Endpoint), document.Micros(h.FailingSince), int64(h.Failures)
		first[i], many[i] = int64(h.FirstMessage), h.ManyMessages
	}
	t.queue("endpoint health", `INSERT INTO endpoint_health (`+healthColumns+`)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
		ON CONFLICT (endpoint) DO UPDATE SET failing_since = excluded.failing_since, failures = excluded.failures,
			first_message = excluded.first_message, many_messages = excluded.many_messages`, eps, since, failures, first, many)
	return nil
}

func (t *tx) clearHealths(c *store.Changes) error {
	t.queue("endpoint recovery", `DELETE FROM endpoint_health WHERE endpoint = ANY ($1::bigint[])`, idColumn(c.Healthy))
	return nil
}

func (t *tx) dropPayloads(c *store.Changes) error {
	t.queue("payloads", `UPDATE message SET payload = NULL, raw = NULL WHERE id = ANY ($1::bigint[])`, idColumn(c.Payloads))
	return nil
}

func (t *tx) dropResponses(c *store.Changes) error {
	n := len(c.Attempts)
	msgs, eps, ids := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range c.Attempts {
		a := &c.Attempts[i]
		msgs[i], eps[i], ids[i] = int64(a.Message), int64(a.Endpoint), int64(a.ID)
	}
	t.queue("responses", `UPDATE attempt a SET response = NULL, error = CASE WHEN a.status = 0 THEN a.error END
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS i(msg, ep, id)
		WHERE a.msg = i.msg AND a.ep = i.ep AND a.id = i.id`, msgs, eps, ids)
	return nil
}

func (t *tx) writeTasks(c *store.Changes) error {
	for i := range c.Tasks {
		k := &c.Tasks[i]
		t.queue("task", `INSERT INTO task (`+taskColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since, until = excluded.until,
				cursor = excluded.cursor, done = excluded.done, reason = excluded.reason, updated_at = excluded.updated_at, subject = excluded.subject`,
			int64(k.ID), k.Org, int64(k.App), int64(k.Endpoint), int16(k.Kind), int16(k.State), int64(k.Since), int64(k.Until),
			int64(k.Cursor), k.Done, k.Reason, document.Micros(k.UpdatedAt), k.Subject)
	}
	return nil
}

// eraseApps removes deleted apps with what hangs on them but messages, live state and
// received requests.
// An app that is not deleted is left alone.
func (t *tx) eraseApps(c *store.Changes) error {
	const endpoints = ` IN (SELECT e.id FROM endpoint e JOIN app a ON a.id = e.app WHERE a.id = ANY ($1::bigint[]) AND a.deleted)`
	for _, statement := range []string{
		`DELETE FROM endpoint_url WHERE endpoint` + endpoints,
		`DELETE FROM endpoint_health WHERE endpoint` + endpoints,
		`DELETE FROM endpoint WHERE id` + endpoints,
		`DELETE FROM source WHERE app IN (SELECT id FROM app WHERE id = ANY ($1::bigint[]) AND deleted)`,
		`DELETE FROM traffic WHERE app IN (SELECT id FROM app WHERE id = ANY ($1::bigint[]) AND deleted)`,
		`DELETE FROM app WHERE id = ANY ($1::bigint[]) AND deleted`,
	} {
		t.queue("erased apps", statement, idColumn(c.ErasedApps))
	}
	return nil
}

// drop removes ranges of messages with what hangs on them.
func (t *tx) drop(c *store.Changes) error {
	for _, r := range c.Dropped {
		t.dropped = append(t.dropped, r)
		// Deliveries first: a result that is being written has its delivery's lock.
		for _, table := range []string{"delivery", "attempt", "message"} {
			key := "msg"
			if table == "message" {
				key = "id"
			}
			if r.App == 0 {
				t.queue("range of "+table, `DELETE FROM `+table+` WHERE `+key+` >= $1 AND `+key+` < $2`, int64(r.From), int64(r.Until))
				continue
			}
			t.queue("range of "+table, `DELETE FROM `+table+` WHERE `+key+` IN
				(SELECT m.id FROM message m WHERE m.app = $3 AND m.id >= $1 AND m.id < $2)`, int64(r.From), int64(r.Until), int64(r.App))
		}
	}
	return nil
}
