package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"math"
	"slices"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// maxScan is how many rows a list looks at for one page. A filter that matches
// less ends its page early, with the place to go on from, so that no query holds
// the log or the caller up.
const maxScan = 2000

// bounds are what a list's order and limits come to in SQL: id > low AND id <
// high in the direction of order.
type bounds struct {
	low, high int64 // exclusive
	order     string
}

// within turns a page and bounds of ids (since inclusive, until exclusive, 0 =
// none) into bounds.
func within(p store.Page, since, until id.ID) bounds {
	b := bounds{low: math.MinInt64, high: math.MaxInt64, order: " DESC"}
	if since != 0 {
		b.low = int64(since) - 1
	}
	if until != 0 {
		b.high = int64(until)
	}
	if p.Ascending {
		b.order = ""
		if p.After != 0 {
			b.low = max(b.low, int64(p.After))
		}
	} else if p.After != 0 {
		b.high = min(b.high, int64(p.After))
	}
	return b
}

// page collects the rows of one page while a query walks.
type page[T any] struct {
	store.Listed[T]
	limit   int
	scanned int
}

func newPage[T any](p store.Page) *page[T] {
	return &page[T]{limit: max(1, p.Limit), Listed: store.Listed[T]{Done: true}}
}

// look takes a row that the walk came to. It ends the walk when the page is full
// or the scan long enough, which it knows only when one row more comes.
func (p *page[T]) look(at id.ID, matches bool, row func() (T, error)) error {
	if len(p.Rows) == p.limit || p.scanned == maxScan {
		p.Done = false
		return errStop
	}
	p.scanned++
	p.Next = at
	if !matches {
		return nil
	}
	r, err := row()
	if err == nil {
		p.Rows = append(p.Rows, r)
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

// Apps lists the apps of an org.
func (s *Store) Apps(ctx context.Context, org string, p store.Page) (store.Listed[store.App], error) {
	b, out := within(p, 0, 0), newPage[store.App](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+appColumns+` FROM app WHERE org = ? AND deleted = 0 AND id > ? AND id < ? ORDER BY id`+b.order,
			func(row []driver.Value) error {
				return out.look(ident(row[0]), true, func() (store.App, error) { return decodeApp(row) })
			}, org, b.low, b.high)
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
	b, out := within(p, 0, 0), newPage[delivery.Endpoint](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+endpointColumns+` FROM endpoint WHERE app = ? AND deleted = 0 AND id > ? AND id < ? ORDER BY id`+b.order,
			func(row []driver.Value) error {
				return out.look(ident(row[0]), true, func() (delivery.Endpoint, error) { return decodeEndpoint(row) })
			}, int64(app), b.low, b.high)
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
	query += ` ORDER BY name` + within(p, 0, 0).order
	out := newPage[store.EventType](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, query, func(row []driver.Value) error {
			return out.look(0, true, func() (store.EventType, error) { return decodeEventType(row) })
		}, values...)
	})
	return out.Listed, err
}

// Settings gives a zero Doc for an org that never set any.
func (s *Store) Settings(ctx context.Context, org string) (settings store.OrgSettings, err error) {
	err = s.read(ctx, func(c *conn) (err error) {
		settings, _, err = findSettings(ctx, c, org)
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

// filter are the conditions on a message that lists share.
type filter struct {
	types   []string // nil = all
	channel string
	tag     string
}

func (f filter) any() bool { return f.types != nil || f.channel != "" || f.tag != "" }

// matches tests a row's type and extra columns.
func (f filter) matches(kind, extra driver.Value) (bool, error) {
	if f.types != nil && !slices.Contains(f.types, text(kind)) {
		return false, nil
	}
	if f.channel == "" && f.tag == "" {
		return true, nil
	}
	if extra == nil {
		return false, nil
	}
	var e messageExtra
	if err := json.Unmarshal(blob(extra), &e); err != nil {
		return false, err
	}
	return (f.channel == "" || slices.Contains(e.Channels, f.channel)) && (f.tag == "" || slices.Contains(e.Tags, f.tag)), nil
}

// ListMessages lists messages of an app.
func (s *Store) ListMessages(ctx context.Context, q store.MessageQuery) (store.Listed[store.Message], error) {
	b, out := within(q.Page, q.Since, q.Until), newPage[store.Message](q.Page)
	f := filter{types: q.EventTypes, channel: q.Channel, tag: q.Tag}
	err := s.snapshot(ctx, func(c *conn) error {
		err := c.each(ctx, `SELECT `+messageColumns+` FROM message INDEXED BY message_app WHERE app = ? AND id > ? AND id < ? ORDER BY id`+b.order,
			func(row []driver.Value) error {
				matches, err := f.matches(row[2], row[7])
				if err != nil {
					return err
				}
				return out.look(ident(row[0]), matches, func() (store.Message, error) { return decodeMessage(row) })
			}, int64(q.App), b.low, b.high)
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
	payloads := make(map[id.ID][]byte, len(ids))
	err := eachIn(ctx, c, `SELECT id, payload FROM message WHERE id IN `, ids, func(row []driver.Value) error {
		payloads[ident(row[0])] = blob(row[1])
		return nil
	})
	for i := range messages {
		messages[i].Payload = payloads[messages[i].ID]
	}
	return err
}

// Attempt finds an attempt of a message.
func (s *Store) Attempt(ctx context.Context, app, message, attempt id.ID) (a store.AttemptRow, err error) {
	err = s.snapshot(ctx, func(c *conn) error {
		found, err := c.one(ctx, `SELECT `+attemptBody+` FROM attempt WHERE msg = ? AND id = ? AND app = ?`, func(row []driver.Value) error {
			a.Attempt = decodeAttempt(row)
			return nil
		}, int64(message), int64(attempt), int64(app))
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
	out := newPage[store.AttemptRow](q.Page)
	query, values := attemptQuery(q)
	f := filter{types: q.EventTypes, channel: q.Channel, tag: q.Tag}
	err := s.snapshot(ctx, func(c *conn) error {
		err := c.each(ctx, query, func(row []driver.Value) error {
			matches, err := matchesAttempt(q, f, row)
			if err != nil {
				return err
			}
			return out.look(ident(row[4]), matches, func() (store.AttemptRow, error) {
				return store.AttemptRow{Attempt: decodeAttempt(row[:11])}, nil
			})
		}, values...)
		if err != nil {
			return err
		}
		return fillAttempts(ctx, c, q, out.Rows)
	})
	return out.Listed, err
}

// attemptQuery walks the attempts of a message by its primary key, sorted, or
// those of an endpoint by its index. Row columns 11 and 12 are the type and the
// extra column of the message, if a filter needs them.
func attemptQuery(q store.AttemptQuery) (query string, values args) {
	b := within(q.Page, q.Since, q.Until)
	query = `SELECT ` + attemptColumns
	if (filter{q.EventTypes, q.Channel, q.Tag}).any() {
		query += `, message.type, message.extra FROM attempt LEFT JOIN message ON message.id = attempt.msg`
	} else {
		query += `, NULL, NULL FROM attempt`
	}
	switch {
	case q.Message == 0: // one endpoint
		query += ` WHERE attempt.ep = ?`
		values = args{int64(q.Endpoint)}
	case q.Endpoint == 0:
		query += ` WHERE attempt.msg = ?`
		values = args{int64(q.Message)}
	default:
		query += ` WHERE attempt.msg = ? AND attempt.ep = ?`
		values = args{int64(q.Message), int64(q.Endpoint)}
	}
	// The unary plus keeps the planner from another index than that of the key.
	query += ` AND +attempt.app = ? AND attempt.id > ? AND attempt.id < ? ORDER BY attempt.id` + b.order
	return query, append(values, int64(q.App), b.low, b.high)
}

func matchesAttempt(q store.AttemptQuery, f filter, row []driver.Value) (bool, error) {
	success, status := integer(row[7]) != 0, int(integer(row[8]))
	if q.Success != nil && *q.Success != success {
		return false, nil
	}
	if q.StatusClass == -1 && status != 0 || q.StatusClass > 0 && status/100*100 != q.StatusClass {
		return false, nil
	}
	return f.matches(row[11], row[12])
}

// fillAttempts adds to the rows of a page what the query asks for.
func fillAttempts(ctx context.Context, c *conn, q store.AttemptQuery, rows []store.AttemptRow) error {
	if err := withURLs(ctx, c, rows); err != nil {
		return err
	}
	if q.Content {
		for i := range rows {
			r := &rows[i]
			_, err := c.one(ctx, `SELECT response FROM attempt WHERE msg = ? AND ep = ? AND n = ?`, func(row []driver.Value) error {
				r.Response = blob(row[0])
				return nil
			}, int64(r.Attempt.Message), int64(r.Endpoint), int64(r.N))
			if err != nil {
				return err
			}
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

// withURLs finds the URL that each attempt was sent to: the endpoint's last one
// that was set before it. A clock that was set back leaves an attempt before the
// first; it gets that one.
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
		rows[i].URL = urlAt(history, rows[i].At.UnixMicro())
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

func urlAt(history []store.EndpointURL, at int64) string {
	if len(history) == 0 {
		return ""
	}
	after, _ := slices.BinarySearchFunc(history, at, func(u store.EndpointURL, at int64) int {
		if micros(u.Since) <= at {
			return -1
		}
		return 1
	})
	return history[max(0, after-1)].URL
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
	out := newPage[store.DeliveryRow](q.Page)
	query, values := deliveryQuery(q)
	f := filter{types: q.EventTypes, channel: q.Channel, tag: q.Tag}
	err := s.snapshot(ctx, func(c *conn) error {
		err := c.each(ctx, query, func(row []driver.Value) error {
			d := decodeDelivery(row)
			s.leases.overlay(&d)
			matches, err := f.matches(row[12], row[13])
			if err != nil {
				return err
			}
			at := d.Message
			if q.Message != 0 {
				at = d.Endpoint
			}
			return out.look(at, matches && (q.States == nil || slices.Contains(q.States, d.State)), func() (store.DeliveryRow, error) {
				return store.DeliveryRow{Delivery: d}, nil
			})
		}, values...)
		if err != nil || q.Message != 0 {
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

// deliveryQuery walks the deliveries of a message by its primary key or those of
// an endpoint by its index. Row columns 12 and 13 are as in attemptQuery.
func deliveryQuery(q store.DeliveryQuery) (query string, values args) {
	query = `SELECT ` + deliveryColumns
	if (filter{q.EventTypes, q.Channel, q.Tag}).any() {
		query += `, message.type, message.extra FROM delivery LEFT JOIN message ON message.id = delivery.msg`
	} else {
		query += `, NULL, NULL FROM delivery`
	}
	if q.Message != 0 {
		b := within(q.Page, 0, 0)
		m := within(store.Page{}, q.Since, q.Until)
		query += ` WHERE delivery.msg = ? AND +delivery.app = ? AND +delivery.msg > ? AND +delivery.msg < ?
			AND delivery.ep > ? AND delivery.ep < ? ORDER BY delivery.ep` + b.order
		return query, args{int64(q.Message), int64(q.App), m.low, m.high, b.low, b.high}
	}
	b := within(q.Page, q.Since, q.Until)
	query += ` WHERE delivery.ep = ? AND +delivery.app = ? AND delivery.msg > ? AND delivery.msg < ? ORDER BY delivery.msg` + b.order
	return query, args{int64(q.Endpoint), int64(q.App), b.low, b.high}
}

// CountDeliveries counts an endpoint's deliveries of messages in [since, until)
// by state. It looks at every one of them, in several short reads, because a
// long one keeps the log from being folded into the file.
func (s *Store) CountDeliveries(ctx context.Context, app, endpoint, since, until id.ID) (store.Counts, error) {
	counts := store.Counts{}
	b := within(store.Page{}, since, until)
	for done := false; !done; {
		seen := 0
		err := s.read(ctx, func(c *conn) error {
			return c.each(ctx, `SELECT msg, state, app FROM delivery INDEXED BY delivery_ep WHERE ep = ? AND msg > ? AND msg < ? ORDER BY msg LIMIT ?`,
				func(row []driver.Value) error {
					seen++
					b.low = integer(row[0])
					if ident(row[2]) != app {
						return nil
					}
					d := delivery.Delivery{Key: delivery.Key{Message: ident(row[0]), Endpoint: endpoint}, State: delivery.State(integer(row[1]))}
					s.leases.overlay(&d)
					counts[d.State]++
					return nil
				}, int64(endpoint), b.low, b.high, int64(countChunk))
		})
		if err != nil {
			return nil, err
		}
		done = seen < countChunk
	}
	return counts, nil
}

// countChunk is how many deliveries are counted in one read.
const countChunk = 20_000

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
	b, out := within(p, 0, 0), newPage[store.Task](p)
	err := s.read(ctx, func(c *conn) error {
		return c.each(ctx, `SELECT `+taskColumns+` FROM task WHERE org = ? AND id > ? AND id < ? ORDER BY id`+b.order,
			func(row []driver.Value) error {
				task := decodeTask(row)
				matches := (app == 0 || task.App == app) && (endpoint == 0 || task.Endpoint == endpoint)
				return out.look(task.ID, matches, func() (store.Task, error) { return task, nil })
			}, org, b.low, b.high)
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
