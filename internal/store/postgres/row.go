package postgres

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// pgxConn is a connection of the pool.
type pgxConn = pgxpool.Conn

// storable reports whether a text can be in the database at all: PostgreSQL's text
// is UTF-8 without NUL. What is not cannot be found either, and asking would be an
// error that ends the transaction.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// orNull stores an empty text as NULL, for partial indexes and short rows.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// bytesOrNull is a text that strangers wrote, in a column of bytes.
func bytesOrNull(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func orZero[T any](v *T) (zero T) {
	if v == nil {
		return zero
	}
	return *v
}

func idColumn(ids []id.ID) []int64 {
	column := make([]int64, len(ids))
	for i, v := range ids {
		column[i] = int64(v)
	}
	return column
}

// uuid is a hash as a column holds it: 16 bytes without a length.
func uuid(h store.Hash16) pgtype.UUID { return pgtype.UUID{Bytes: h, Valid: true} }

const appColumns = `app.id, app.org, app.uid, app.config_version, app.deleted, app.doc`

type appRow struct {
	app store.App
	uid *string
	doc []byte
}

func (r *appRow) into() []any {
	return []any{(*int64)(&r.app.ID), &r.app.Org, &r.uid, &r.app.ConfigVersion, &r.app.Deleted, &r.doc}
}

func (r *appRow) decode() (store.App, error) {
	r.app.UID = orZero(r.uid)
	err := document.DecodeApp(r.doc, &r.app)
	return r.app, err
}

func scanApp(c pgx.CollectableRow) (store.App, error) {
	var r appRow
	if err := c.Scan(r.into()...); err != nil {
		return store.App{}, err
	}
	return r.decode()
}

const endpointColumns = `endpoint.id, endpoint.app, endpoint.uid, endpoint.deleted, endpoint.doc`

type endpointRow struct {
	ep  delivery.Endpoint
	uid *string
	doc []byte
}

func (r *endpointRow) into() []any {
	return []any{(*int64)(&r.ep.ID), (*int64)(&r.ep.App), &r.uid, &r.ep.Deleted, &r.doc}
}

func (r *endpointRow) decode() (delivery.Endpoint, error) {
	r.ep.UID = orZero(r.uid)
	err := document.DecodeEndpoint(r.doc, &r.ep)
	return r.ep, err
}

func scanEndpoint(c pgx.CollectableRow) (delivery.Endpoint, error) {
	var r endpointRow
	if err := c.Scan(r.into()...); err != nil {
		return delivery.Endpoint{}, err
	}
	return r.decode()
}

const eventTypeColumns = `event_type.org, event_type.name, event_type.archived, event_type.doc, event_type.schemas`

func scanEventType(c pgx.CollectableRow) (t store.EventType, err error) {
	var doc []byte
	if err := c.Scan(&t.Org, &t.Name, &t.Archived, &doc, &t.Schemas); err != nil {
		return t, err
	}
	err = document.DecodeEventType(doc, &t)
	return t, err
}

func scanSettings(c pgx.CollectableRow) (o store.OrgSettings, err error) {
	var updated int64
	err = c.Scan(&o.Org, &o.Doc, &updated)
	o.UpdatedAt = document.Time(updated)
	return o, err
}

// messageTest is the bit of message.flags for Message.Test.
const messageTest = 1

const (
	messageColumns = `message.id, message.app, message.type, message.flags, message.event_hash, message.deliver_at, message.expires, message.extra`
	messageBody    = messageColumns + `, message.payload, message.tenant, message.raw`
)

// messageRow is a row of messageColumns or, with body, of messageBody. The columns
// of a message that an outer join did not find are NULL.
type messageRow struct {
	id, app, deliverAt, expires *int64
	kind, tenant                *string
	flags                       *int16
	hash                        pgtype.UUID
	extra, payload, raw         []byte
}

func (r *messageRow) into(body bool) []any {
	columns := []any{&r.id, &r.app, &r.kind, &r.flags, &r.hash, &r.deliverAt, &r.expires, &r.extra}
	if body {
		return append(columns, &r.payload, &r.tenant, &r.raw)
	}
	return columns
}

func (r *messageRow) decode() (store.Message, error) {
	m := store.Message{
		ID: id.ID(orZero(r.id)), App: id.ID(orZero(r.app)), Type: orZero(r.kind), Test: orZero(r.flags)&messageTest != 0,
		EventHash: r.hash.Bytes, DeliverAt: document.Time(orZero(r.deliverAt)), PayloadExpires: document.Time(orZero(r.expires)), Payload: r.payload,
		Tenant: orZero(r.tenant), Raw: r.raw,
	}
	err := document.DecodeExtra(r.extra, &m)
	return m, err
}

// scanMessage reads messageColumns or messageBody.
func scanMessage(c pgx.CollectableRow) (store.Message, error) {
	var r messageRow
	if err := c.Scan(r.into(len(c.FieldDescriptions()) > 8)...); err != nil {
		return store.Message{}, err
	}
	return r.decode()
}

const deliveryColumns = `delivery.msg, delivery.ep, delivery.app, delivery.generation, delivery.state, delivery.reason,
	delivery.trigger, delivery.attempts, delivery.next_at, delivery.deadline, delivery.ord_key, delivery.ord_seq`

// deliveryRow is a row of deliveryColumns, NULL where an outer join found none.
type deliveryRow struct {
	msg, ep, app, nextAt, deadline, ordSeq *int64
	generation, attempts                   *int32
	state, reason, trigger                 *int16
	ordKey                                 []byte
}

func (r *deliveryRow) into() []any {
	return []any{
		&r.msg, &r.ep, &r.app, &r.generation, &r.state, &r.reason, &r.trigger, &r.attempts, &r.nextAt, &r.deadline, &r.ordKey, &r.ordSeq,
	}
}

// decode shows a leased row with the generation of its lease.
func (r *deliveryRow) decode() delivery.Delivery {
	d := delivery.Delivery{
		Key:        delivery.Key{Message: id.ID(orZero(r.msg)), Endpoint: id.ID(orZero(r.ep))},
		App:        id.ID(orZero(r.app)),
		Generation: int(orZero(r.generation)),
		State:      delivery.State(orZero(r.state)),
		Reason:     delivery.Reason(orZero(r.reason)),
		Trigger:    delivery.Trigger(orZero(r.trigger)),
		Step:       int(orZero(r.attempts)),
		NextAt:     document.Time(orZero(r.nextAt)),
		Deadline:   document.Time(orZero(r.deadline)),
		OrderKey:   string(r.ordKey),
		OrderSeq:   orZero(r.ordSeq),
	}
	if d.State == delivery.Leased {
		d.Generation++
	}
	return d
}

func scanDelivery(c pgx.CollectableRow) (delivery.Delivery, error) {
	var r deliveryRow
	err := c.Scan(r.into()...)
	return r.decode(), err
}

const (
	attemptColumns = `attempt.msg, attempt.ep, attempt.n, attempt.app, attempt.id, attempt.trigger, attempt.at,
		attempt.success, attempt.status, attempt.latency, attempt.error`
	attemptBody = attemptColumns + `, attempt.response`
)

type attemptRow struct {
	a                   delivery.Attempt
	at, latency         int64
	n                   int32
	trigger, status     int16
	errorText, response []byte
}

func (r *attemptRow) into(body bool) []any {
	columns := []any{
		(*int64)(&r.a.Message), (*int64)(&r.a.Endpoint), &r.n, (*int64)(&r.a.App), (*int64)(&r.a.ID), &r.trigger, &r.at,
		&r.a.Success, &r.status, &r.latency, &r.errorText,
	}
	if body {
		return append(columns, &r.response)
	}
	return columns
}

func (r *attemptRow) decode() delivery.Attempt {
	a := r.a
	a.N, a.Trigger, a.At = int(r.n), delivery.Trigger(r.trigger), document.Time(r.at)
	a.StatusCode, a.Latency = int(r.status), time.Duration(r.latency)*time.Microsecond
	a.Error, a.Response = string(r.errorText), r.response
	return a
}

const healthColumns = `endpoint, failing_since, failures, first_message, many_messages`

func scanHealth(c pgx.CollectableRow) (h store.Health, err error) {
	var since, failures int64
	err = c.Scan((*int64)(&h.Endpoint), &since, &failures, (*int64)(&h.FirstMessage), &h.ManyMessages)
	h.FailingSince, h.Failures = document.Time(since), int(failures)
	return h, err
}

const taskColumns = `id, org, app, endpoint, kind, state, since, until, cursor, done, reason, updated_at, subject`

func scanTask(c pgx.CollectableRow) (t store.Task, err error) {
	var kind, state int16
	var updated int64
	err = c.Scan((*int64)(&t.ID), &t.Org, (*int64)(&t.App), (*int64)(&t.Endpoint), &kind, &state, (*int64)(&t.Since), (*int64)(&t.Until),
		(*int64)(&t.Cursor), &t.Done, &t.Reason, &updated, &t.Subject)
	t.Kind, t.State, t.UpdatedAt = store.TaskKind(kind), store.TaskState(state), document.Time(updated)
	return t, err
}
