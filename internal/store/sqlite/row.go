package sqlite

import (
	"database/sql/driver"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/document"
)

// moment is the time of a stored value; NULL and 0 are the zero time.
func moment(v driver.Value) time.Time { return document.Time(integer(v)) }

// orNull stores an empty text as NULL, for partial indexes and short rows.
func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// bytesOrNull stores nil as NULL and an empty slice as an empty blob.
func bytesOrNull(b []byte) driver.Value {
	if b == nil {
		return nil
	}
	return b
}

func integer(v driver.Value) int64 {
	i, _ := v.(int64) // NULL is 0
	return i
}

func ident(v driver.Value) id.ID { return id.ID(integer(v)) }

func text(v driver.Value) string {
	s, _ := v.(string) // NULL is ""
	return s
}

// blob is nil only for NULL: the driver gives an empty blob as a nil slice.
func blob(v driver.Value) []byte {
	b, ok := v.([]byte)
	if ok && b == nil {
		return []byte{}
	}
	return b
}

func hash16(v driver.Value) (h store.Hash16) {
	b, _ := v.([]byte)
	copy(h[:], b)
	return h
}

const appColumns = `app.id, app.org, app.uid, app.config_version, app.deleted, app.doc`

func decodeApp(v []driver.Value) (store.App, error) {
	a := store.App{ID: ident(v[0]), Org: text(v[1]), UID: text(v[2]), ConfigVersion: integer(v[3]), Deleted: integer(v[4]) != 0}
	err := document.DecodeApp(blob(v[5]), &a)
	return a, err
}

const endpointColumns = `endpoint.id, endpoint.app, endpoint.uid, endpoint.deleted, endpoint.doc`

func decodeEndpoint(v []driver.Value) (delivery.Endpoint, error) {
	e := delivery.Endpoint{ID: ident(v[0]), App: ident(v[1]), UID: text(v[2]), Deleted: integer(v[3]) != 0}
	err := document.DecodeEndpoint(blob(v[4]), &e)
	return e, err
}

const eventTypeColumns = `event_type.org, event_type.name, event_type.archived, event_type.doc, event_type.schemas`

func decodeEventType(v []driver.Value) (store.EventType, error) {
	t := store.EventType{Org: text(v[0]), Name: text(v[1]), Archived: integer(v[2]) != 0, Schemas: blob(v[4])}
	err := document.DecodeEventType(blob(v[3]), &t)
	return t, err
}

// messageTest is the bit of message.flags for Message.Test.
const messageTest = 1

const (
	messageColumns = `message.id, message.app, message.type, message.flags, message.event_hash, message.deliver_at, message.expires, message.extra`
	messageBody    = messageColumns + `, message.payload, message.tenant, message.raw`
)

// plainMessage reports whether a message fits one of the short INSERTs, of which the
// other one is for messages with a tenant.
func plainMessage(m *store.Message) bool {
	return m.EventID == "" && m.Channels == nil && m.Tags == nil && m.OrderKey == "" && m.ResourceBase == "" &&
		m.From == "" && m.Raw == nil && !m.Test && m.DeliverAt.IsZero() && m.PayloadExpires.IsZero()
}

// decodeMessage reads messageColumns or messageBody.
func decodeMessage(v []driver.Value) (store.Message, error) {
	m := store.Message{
		ID: ident(v[0]), App: ident(v[1]), Type: text(v[2]), Test: integer(v[3])&messageTest != 0,
		EventHash: hash16(v[4]), DeliverAt: moment(v[5]), PayloadExpires: moment(v[6]),
	}
	if len(v) > 8 {
		m.Payload, m.Tenant, m.Raw = blob(v[8]), text(v[9]), blob(v[10])
	}
	err := document.DecodeExtra(blob(v[7]), &m)
	return m, err
}

const deliveryColumns = `delivery.msg, delivery.ep, delivery.app, delivery.generation, delivery.state, delivery.reason,
	delivery.trigger, delivery.attempts, delivery.next_at, delivery.deadline, delivery.ord_key, delivery.ord_seq`

// decodeDelivery reads deliveryColumns as they are stored, without the lease: what
// is stored as leased is pending until leases.overlay says otherwise.
func decodeDelivery(v []driver.Value) delivery.Delivery {
	d := delivery.Delivery{
		Key:        delivery.Key{Message: ident(v[0]), Endpoint: ident(v[1])},
		App:        ident(v[2]),
		Generation: int(integer(v[3])),
		State:      delivery.State(integer(v[4])),
		Reason:     delivery.Reason(integer(v[5])),
		Trigger:    delivery.Trigger(integer(v[6])),
		Step:       int(integer(v[7])),
		NextAt:     moment(v[8]),
		Deadline:   moment(v[9]),
		OrderKey:   text(v[10]),
		OrderSeq:   integer(v[11]),
	}
	if d.State == delivery.Leased {
		d.State = delivery.Pending
	}
	return d
}

const (
	attemptColumns = `attempt.msg, attempt.ep, attempt.n, attempt.app, attempt.id, attempt.trigger, attempt.at,
		attempt.success, attempt.status, attempt.latency, attempt.error`
	attemptBody = attemptColumns + `, attempt.response`
)

// decodeAttempt reads attemptColumns or attemptBody.
func decodeAttempt(v []driver.Value) delivery.Attempt {
	a := delivery.Attempt{
		Key:        delivery.Key{Message: ident(v[0]), Endpoint: ident(v[1])},
		N:          int(integer(v[2])),
		App:        ident(v[3]),
		ID:         ident(v[4]),
		Trigger:    delivery.Trigger(integer(v[5])),
		At:         moment(v[6]),
		Success:    integer(v[7]) != 0,
		StatusCode: int(integer(v[8])),
		Latency:    time.Duration(integer(v[9])) * time.Microsecond,
		Error:      text(v[10]),
	}
	if len(v) > 11 {
		a.Response = blob(v[11])
	}
	return a
}

const healthColumns = `endpoint, failing_since, failures, first_message, many_messages`

func decodeHealth(v []driver.Value) store.Health {
	return store.Health{
		Endpoint: ident(v[0]), FailingSince: moment(v[1]), Failures: int(integer(v[2])),
		FirstMessage: ident(v[3]), ManyMessages: integer(v[4]) != 0,
	}
}

const taskColumns = `id, org, app, endpoint, kind, state, since, until, cursor, done, reason, updated_at, subject`

func decodeTask(v []driver.Value) store.Task {
	return store.Task{
		ID: ident(v[0]), Org: text(v[1]), App: ident(v[2]), Endpoint: ident(v[3]),
		Kind: store.TaskKind(integer(v[4])), State: store.TaskState(integer(v[5])),
		Since: ident(v[6]), Until: ident(v[7]), Cursor: ident(v[8]), Done: integer(v[9]),
		Reason: text(v[10]), UpdatedAt: moment(v[11]), Subject: text(v[12]),
	}
}
