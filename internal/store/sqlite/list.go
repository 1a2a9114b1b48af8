package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
	"github.com/callboard/callboard/internal/store/paging"
)

// emptyBucket is how many rows a bucket without any counts for in what a page may
// look at.
const emptyBucket = 2

// look shows a page the row that a query came to, and ends the query when the page
// wants no more.
func look[T any](p *paging.Page[T], at id.ID, matches bool, decode func() (T, error)) error {
	more, err := p.Look(at, matches, decode)
	if err == nil && !more {
		return errStop
	}
	return err
}

// fill fills a page by a walk whose rows go to look.
func fill[T any](ctx context.Context, c *conn, p *paging.Page[T], w *walk, look func(row []driver.Value) error) error {
	at, stopped, err := w.run(ctx, c, look, func() bool { return p.Skip(emptyBucket) })
	if stopped {
		p.Done = false
	}
	if at != 0 {
		p.Next = at
	}
	return err
}

// App finds an app of an org.
func (s *Store) App(ctx context.Context, org string, ref store.Ref) (app store.App, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		app, err = findApp(ctx, c, org, ref)
		return err
	})
	return app, err
}

// OrgOf gives the org of an app.
func (s *Store) OrgOf(ctx context.Context, app id.ID) (org string, err error) {
	err = s.find(ctx, `SELECT org FROM app WHERE id = ? AND deleted = 0`, func(row []driver.Value) error {
		org = text(row[0])
		return nil
	}, int64(app))
	return org, err
}

// HasApps reports whether any org has or had an app whose rows are still there.
func (s *Store) HasApps(ctx context.Context) (found bool, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		found, err = c.one(ctx, `SELECT 1 FROM app LIMIT 1`, func([]driver.Value) error { return nil })
		return err
	})
	return found, err
}

// Apps lists the apps of an org.
func (s *Store) Apps(ctx context.Context, org string, p store.Page) (store.Listed[store.App], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.App](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+appColumns+` FROM app WHERE org = ? AND deleted = 0 AND id > ? AND id < ? ORDER BY id`+b.Order,
			func(row []driver.Value) error {
				return look(out, ident(row[0]), true, func() (store.App, error) { return decodeApp(row) })
			}, org, b.Low, b.High)
	})
	return out.Listed, err
}

// AppEndpoint finds an endpoint of an app.
func (s *Store) AppEndpoint(ctx context.Context, app id.ID, ref store.Ref) (ep delivery.Endpoint, err error) {
	query, key := `SELECT `+endpointColumns+` FROM endpoint WHERE app = ? AND id = ? AND deleted = 0`, driver.Value(int64(ref.ID))
	if ref.ID == 0 {
		query, key = `SELECT `+endpointColumns+` FROM endpoint WHERE app = ? AND uid = ? AND deleted = 0`, ref.UID
	}
	err = s.find(ctx, query, func(row []driver.Value) (err error) {
		ep, err = decodeEndpoint(row)
		return err
	}, int64(app), key)
	return ep, err
}

// find reads one row; store.ErrNotFound if there is none.
func (s *Store) find(ctx context.Context, query string, fn func([]driver.Value) error, values ...driver.Value) error {
	return s.read(ctx, func(c *conn) error {
		found, err := c.one(ctx, query, fn, values...)
		if err == nil && !found {
			return store.ErrNotFound
		}
		return err
	})
}

// AppEndpoints lists the endpoints of an app.
func (s *Store) AppEndpoints(ctx context.Context, app id.ID, p store.Page) (store.Listed[delivery.Endpoint], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[delivery.Endpoint](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+endpointColumns+` FROM endpoint WHERE app = ? AND deleted = 0 AND id > ? AND id < ? ORDER BY id`+b.Order,
			func(row []driver.Value) error {
				return look(out, ident(row[0]), true, func() (delivery.Endpoint, error) { return decodeEndpoint(row) })
			}, int64(app), b.Low, b.High)
	})
	return out.Listed, err
}

// EventType finds a declared event type.
func (s *Store) EventType(ctx context.Context, org, name string) (eventType store.EventType, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		var found bool
		eventType, found, err = findEventType(ctx, c, org, name)
		if err == nil && !found {
			return store.ErrNotFound
		}
		return err
	})
	return eventType, err
}

// EventTypes lists an org's event types by name. Next is not used: the next page
// begins after the last name.
func (s *Store) EventTypes(ctx context.Context, org string, p store.Page, archived bool) (store.Listed[store.EventType], error) {
	query := `SELECT ` + eventTypeColumns + ` FROM event_type WHERE org = ? AND archived <= ?`
	values := args{org, flag(archived)}
	if p.AfterName != "" {
		query += map[bool]string{true: ` AND name > ?`, false: ` AND name < ?`}[p.Ascending]
		values = append(values, p.AfterName)
	}
	query += ` ORDER BY name` + paging.Within(p, 0, 0).Order
	out := paging.NewPage[store.EventType](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, query, func(row []driver.Value) error {
			return look(out, 0, true, func() (store.EventType, error) { return decodeEventType(row) })
		}, values...)
	})
	return out.Listed, err
}

// Settings gives a zero Doc for an org that never set any.
func (s *Store) Settings(ctx context.Context, org string) (settings store.OrgSettings, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		settings, _, err = findSettings(ctx, c, org, document.Version(nil, org))
		return err
	})
	return settings, err
}

// Message finds a message by id or by eventId (Ref.UID); the payload comes with
// it. The eventId is found by its hash, store.HashText.
func (s *Store) Message(ctx context.Context, app id.ID, ref store.Ref) (m store.Message, err error) {
	query, key := `SELECT `+messageBody+` FROM message WHERE app = ? AND id = ?`, driver.Value(int64(ref.ID))
	if ref.ID == 0 {
		hash := store.HashText(ref.UID)
		query, key = `SELECT `+messageBody+` FROM message WHERE app = ? AND event_hash = ?`, hash[:]
	}
	err = s.find(ctx, query, func(row []driver.Value) (err error) {
		m, err = decodeMessage(row)
		return err
	}, int64(app), key)
	return m, err
}

// ListMessages lists messages of an app.
func (s *Store) ListMessages(ctx context.Context, q store.MessageQuery) (store.Listed[store.Message], error) {
	b, out := paging.Within(q.Page, q.Since, q.Until), paging.NewPage[store.Message](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	err := s.snapshot(ctx, func(c *conn) error {
		err := fill(ctx, c, out, ofApp(q.App, b, messageColumns, ""), func(row []driver.Value) error {
			matches, err := f.Matches(text(row[2]), blob(row[7]))
			if err != nil {
				return err
			}
			return look(out, ident(row[0]), matches, func() (store.Message, error) { return decodeMessage(row) })
		})
		if err != nil || !q.Content {
			return err
		}
		return withPayloads(ctx, c, out.Rows)
	})
	return out.Listed, err
}

// withPayloads loads the payloads of messages that were listed without.
func withPayloads(ctx context.Context, c *conn, messages []store.Message) error {
	ids := make([]id.ID, len(messages))
	for i := range messages {
		ids[i] = messages[i].ID
	}
	type content struct {
		payload, raw []byte
		tenant       string
	}
	contents := make(map[id.ID]content, len(ids))
	err := eachIn(ctx, c, `SELECT id, payload, tenant, raw FROM message WHERE id IN `, ids, func(row []driver.Value) error {
		contents[ident(row[0])] = content{payload: blob(row[1]), tenant: text(row[2]), raw: blob(row[3])}
		return nil
	})
	for i := range messages {
		found := contents[messages[i].ID]
		messages[i].Payload, messages[i].Tenant, messages[i].Raw = found.payload, found.tenant, found.raw
	}
	return err
}

// Attempt finds an attempt of a message.
func (s *Store) Attempt(ctx context.Context, app, message, attempt id.ID) (a store.AttemptRow, err error) {
	err = s.snapshot(ctx, func(c *conn) error {
		found, err := c.one(ctx, `SELECT `+attemptBody+` FROM attempt WHERE id = ? AND msg = ? AND app = ?`, func(row []driver.Value) error {
			a.Attempt = decodeAttempt(row)
			return nil
		}, int64(attempt), int64(message), int64(app))
		if err != nil {
			return err
		}
		if !found {
			return store.ErrNotFound
		}
		rows := []store.AttemptRow{a}
		err = withURLs(ctx, c, rows)
		a = rows[0]
		return err
	})
	return a, err
}

// ListAttempts lists attempts of a message or of an endpoint.
func (s *Store) ListAttempts(ctx context.Context, q store.AttemptQuery) (store.Listed[store.AttemptRow], error) {
	out := paging.NewPage[store.AttemptRow](q.Page)
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	look := func(row []driver.Value) error {
		matches, err := matchesAttempt(q, f, row)
		if err != nil {
			return err
		}
		return look(out, ident(row[4]), matches, func() (store.AttemptRow, error) {
			return store.AttemptRow{Attempt: decodeAttempt(row[:11])}, nil
		})
	}
	err := s.snapshot(ctx, func(c *conn) error {
		if err := eachAttempt(ctx, c, q, out, look); err != nil {
			return err
		}
		return fillAttempts(ctx, c, q, out.Rows)
	})
	return out.Listed, err
}

// eachAttempt walks the attempts of a message, which are few and sorted, or those
// of an endpoint. Row columns 11 and 12 are the type and the extra column of the
// message, if a filter needs them.
func eachAttempt(ctx context.Context, c *conn, q store.AttemptQuery, out *paging.Page[store.AttemptRow], look func(row []driver.Value) error) error {
	b := paging.Within(q.Page, q.Since, q.Until)
	columns, join := attemptColumns+`, NULL, NULL`, ``
	if (paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}).Any() {
		columns, join = attemptColumns+`, message.type, message.extra`, ` LEFT JOIN message ON message.id = attempt.msg`
	}
	if q.Message == 0 {
		return fill(ctx, c, out, &walk{
			table:  "attempt",
			query:  `SELECT ` + columns + ` FROM attempt INDEXED BY attempt_ep` + join + ` WHERE attempt.bucket = ?1 AND attempt.ep = ?4 AND attempt.app = ?5`,
			values: args{int64(q.Endpoint), int64(q.App)},
			bounds: b,
		}, look)
	}
	query := `SELECT ` + columns + ` FROM attempt INDEXED BY attempt_msg` + join + ` WHERE attempt.msg = ? AND attempt.app = ?`
	values := args{int64(q.Message), int64(q.App)}
	if q.Endpoint != 0 {
		query, values = query+` AND attempt.ep = ?`, append(values, int64(q.Endpoint))
	}
	return c.each(ctx, query+` AND attempt.id > ? AND attempt.id < ? ORDER BY attempt.id`+b.Order, look, append(values, b.Low, b.High)...)
}

func matchesAttempt(q store.AttemptQuery, f paging.Filter, row []driver.Value) (bool, error) {
	if !paging.MatchesAttempt(&q, integer(row[7]) != 0, int(integer(row[8]))) {
		return false, nil
	}
	return f.Matches(text(row[11]), blob(row[12]))
}

// fillAttempts adds to the rows of a page what the query asks for.
func fillAttempts(ctx context.Context, c *conn, q store.AttemptQuery, rows []store.AttemptRow) error {
	if err := withURLs(ctx, c, rows); err != nil {
		return err
	}
	if q.Content {
		if err := withResponses(ctx, c, rows); err != nil {
			return err
		}
	}
	if !q.WithMessage {
		return nil
	}
	ids := make([]id.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].Attempt.Message
	}
	byID, err := messagesByID(ctx, c, ids, q.Content)
	for i := range rows {
		rows[i].Message = byID[rows[i].Attempt.Message]
	}
	return err
}

// withResponses loads the responses of attempts that were listed without.
func withResponses(ctx context.Context, c *conn, rows []store.AttemptRow) error {
	ids := make([]id.ID, len(rows))
	at := make(map[id.ID]int, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, i
	}
	return eachIn(ctx, c, `SELECT id, response FROM attempt WHERE id IN `, ids, func(row []driver.Value) error {
		rows[at[ident(row[0])]].Response = blob(row[1])
		return nil
	})
}

// messagesByID loads the messages of a page's rows.
func messagesByID(ctx context.Context, c *conn, ids []id.ID, content bool) (map[id.ID]*store.Message, error) {
	columns := messageColumns
	if content {
		columns = messageBody
	}
	slices.Sort(ids)
	messages, err := findMessages(ctx, c, slices.Compact(ids), columns)
	byID := make(map[id.ID]*store.Message, len(messages))
	for i := range messages {
		byID[messages[i].ID] = &messages[i]
	}
	return byID, err
}

// withURLs finds the URL that each attempt was sent to.
func withURLs(ctx context.Context, c *conn, rows []store.AttemptRow) error {
	histories := map[id.ID][]store.EndpointURL{}
	for i := range rows {
		ep := rows[i].Endpoint
		history, known := histories[ep]
		if !known {
			var err error
			if history, err = urlHistory(ctx, c, ep); err != nil {
				return err
			}
			histories[ep] = history
		}
		rows[i].URL = store.URLAt(history, rows[i].At)
	}
	return nil
}

// urlHistory gives the URLs of an endpoint, oldest first.
func urlHistory(ctx context.Context, c *conn, endpoint id.ID) (history []store.EndpointURL, err error) {
	err = c.each(ctx, `SELECT since, url FROM endpoint_url WHERE endpoint = ? ORDER BY since`, func(row []driver.Value) error {
		history = append(history, store.EndpointURL{Endpoint: endpoint, Since: moment(row[0]), URL: text(row[1])})
		return nil
	}, int64(endpoint))
	return history, err
}

// Delivery finds a delivery of an app.
func (s *Store) Delivery(ctx context.Context, app id.ID, key delivery.Key) (d delivery.Delivery, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		var found bool
		d, found, err = findDelivery(ctx, c, key)
		if err == nil && (!found || d.App != app) {
			d, err = delivery.Delivery{}, store.ErrNotFound
		}
		return err
	})
	if err == nil {
		s.leases.overlay(&d)
	}
	return d, err
}

// ListDeliveries lists deliveries of an endpoint, with their messages, or of a
// message.
func (s *Store) ListDeliveries(ctx context.Context, q store.DeliveryQuery) (store.Listed[store.DeliveryRow], error) {
	out := paging.NewPage[store.DeliveryRow](q.Page)
	err := s.snapshot(ctx, func(c *conn) error {
		if q.Message != 0 {
			return s.deliveriesOfMessage(ctx, c, q, out)
		}
		if err := s.deliveriesOfEndpoint(ctx, c, q, out); err != nil {
			return err
		}
		ids := make([]id.ID, len(out.Rows))
		for i := range out.Rows {
			ids[i] = out.Rows[i].Delivery.Message
		}
		byID, err := messagesByID(ctx, c, ids, q.Content)
		for i := range out.Rows {
			out.Rows[i].Message = byID[out.Rows[i].Delivery.Message]
		}
		return err
	})
	return out.Listed, err
}

func (s *Store) deliveriesOfEndpoint(ctx context.Context, c *conn, q store.DeliveryQuery, out *paging.Page[store.DeliveryRow]) error {
	columns := deliveryColumns + `, message.id, NULL, NULL`
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	if f.Any() {
		columns = deliveryColumns + `, message.id, message.type, message.extra`
	}
	w := ofEndpoint(q.App, q.Endpoint, paging.Within(q.Page, q.Since, q.Until), columns)
	return fill(ctx, c, out, w, func(row []driver.Value) error {
		matches, err := f.Matches(text(row[13]), blob(row[14]))
		if err != nil {
			return err
		}
		return s.lookAt(row, ident(row[12]), matches, q.States, out)
	})
}

// lookAt decodes a delivery, shows it as it is, and passes it on if it matches. A
// NULL row is a message without one.
func (s *Store) lookAt(row []driver.Value, at id.ID, matches bool, states []delivery.State, out *paging.Page[store.DeliveryRow]) error {
	if row[0] == nil {
		return look(out, at, false, nil)
	}
	d := decodeDelivery(row)
	s.leases.overlay(&d)
	return look(out, at, matches && (states == nil || slices.Contains(states, d.State)), func() (store.DeliveryRow, error) {
		return store.DeliveryRow{Delivery: d}, nil
	})
}

// deliveriesOfMessage lists by endpoint. The message is the same for all, so that
// a filter on it takes all or nothing.
func (s *Store) deliveriesOfMessage(ctx context.Context, c *conn, q store.DeliveryQuery, out *paging.Page[store.DeliveryRow]) error {
	f := paging.Filter{Types: q.EventTypes, Channel: q.Channel, Tag: q.Tag}
	matches := (q.Since == 0 || q.Message >= q.Since) && (q.Until == 0 || q.Message < q.Until)
	if f.Any() {
		_, err := c.one(ctx, `SELECT type, extra FROM message WHERE id = ?`, func(row []driver.Value) error {
			ok, err := f.Matches(text(row[0]), blob(row[1]))
			matches = matches && ok
			return err
		}, int64(q.Message))
		if err != nil {
			return err
		}
	}
	b := paging.Within(q.Page, 0, 0)
	return c.each(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE msg = ? AND app = ? AND ep > ? AND ep < ? ORDER BY ep`+b.Order,
		func(row []driver.Value) error { return s.lookAt(row, ident(row[1]), matches, q.States, out) },
		int64(q.Message), int64(q.App), b.Low, b.High)
}

// countBuckets is how many buckets are counted in one read, because a long one
// keeps the log from being folded into the file.
const countBuckets = 100

// CountDeliveries counts an endpoint's deliveries of messages in [since, until)
// by state. It looks at every message of the app there, two to three microseconds
// each.
func (s *Store) CountDeliveries(ctx context.Context, app, endpoint, since, until id.ID) (store.Counts, error) {
	stored := store.Counts{}
	b := paging.Within(store.Page{}, since, until)
	var first, last int64
	err := s.read(ctx, func(c *conn) (err error) {
		first, last, err = (&walk{table: "message", bounds: b}).span(ctx, c)
		return err
	})
	for ; err == nil && first <= last; first += countBuckets {
		err = s.read(ctx, func(c *conn) error {
			return c.each(ctx, countQuery, func(row []driver.Value) error {
				stored[delivery.State(integer(row[0]))] += integer(row[1])
				return nil
			}, first, min(last, first+countBuckets-1), b.Low, b.High, int64(app), int64(endpoint))
		})
	}
	if err != nil {
		return nil, err
	}
	return s.leases.overlayCounts(stored, endpoint, since, until), nil
}

// countQuery counts in the buckets ?1 to ?2. CROSS JOIN keeps the order of the
// tables: https://sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join.
const countQuery = `WITH RECURSIVE buckets (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM buckets WHERE n < ?2)
	SELECT delivery.state, count(*) FROM buckets
	CROSS JOIN message INDEXED BY message_app ON message.bucket = buckets.n AND message.app = ?5 AND message.id > ?3 AND message.id < ?4
	CROSS JOIN delivery ON delivery.msg = message.id AND delivery.ep = ?6
	GROUP BY delivery.state`

// Health gives a zero Health for an endpoint that is not failing.
func (s *Store) Health(ctx context.Context, endpoint id.ID) (health store.Health, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		health, _, err = findHealth(ctx, c, endpoint)
		return err
	})
	return health, err
}

// Task finds a task of an org.
func (s *Store) Task(ctx context.Context, org string, task id.ID) (found store.Task, err error) {
	err = s.find(ctx, `SELECT `+taskColumns+` FROM task WHERE id = ? AND org = ?`, func(row []driver.Value) error {
		found = decodeTask(row)
		return nil
	}, int64(task), org)
	return found, err
}

// ListTasks lists an org's tasks, of an app and of an endpoint if those are set.
func (s *Store) ListTasks(ctx context.Context, org string, app, endpoint id.ID, p store.Page) (store.Listed[store.Task], error) {
	b, out := paging.Within(p, 0, 0), paging.NewPage[store.Task](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+taskColumns+` FROM task WHERE org = ? AND id > ? AND id < ? ORDER BY id`+b.Order,
			func(row []driver.Value) error {
				task := decodeTask(row)
				matches := (app == 0 || task.App == app) && (endpoint == 0 || task.Endpoint == endpoint)
				return look(out, task.ID, matches, func() (store.Task, error) { return task, nil })
			}, org, b.Low, b.High)
	})
	return out.Listed, err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, `SELECT 1 FROM meta LIMIT 1`, func([]driver.Value) error { return nil })
		return err
	})
}
