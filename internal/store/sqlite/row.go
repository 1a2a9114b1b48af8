package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// micros is a time as it is stored: microseconds UTC, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is the time of a stored value; NULL and 0 are the zero time.
func moment(v driver.Value) time.Time { return fromMicros(integer(v)) }

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

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

// decode reads a doc column.
func decode(v driver.Value, into any) error {
	if err := json.Unmarshal(blob(v), into); err != nil {
		return fmt.Errorf("decode stored document: %w", err)
	}
	return nil
}

// appDoc is column app.doc.
type appDoc struct {
	Name            string            `json:"name"`
	ThrottleRate    int               `json:"throttleRate,omitempty"`
	Metadata        map[string]string `json:"metadata"`
	TokensValidFrom int64             `json:"tokensValidFrom,omitempty"`
	CreatedAt       int64             `json:"createdAt"`
	UpdatedAt       int64             `json:"updatedAt"`
}

const appColumns = `app.id, app.org, app.uid, app.config_version, app.deleted, app.doc`

func encodeApp(a *store.App) ([]byte, error) {
	return json.Marshal(appDoc{
		Name: a.Name, ThrottleRate: a.ThrottleRate, Metadata: a.Metadata,
		TokensValidFrom: micros(a.TokensValidFrom), CreatedAt: micros(a.CreatedAt), UpdatedAt: micros(a.UpdatedAt),
	})
}

func decodeApp(row []driver.Value) (store.App, error) {
	var doc appDoc
	if err := decode(row[5], &doc); err != nil {
		return store.App{}, err
	}
	return store.App{
		ID: ident(row[0]), Org: text(row[1]), UID: text(row[2]), ConfigVersion: integer(row[3]), Deleted: integer(row[4]) != 0,
		Name: doc.Name, ThrottleRate: doc.ThrottleRate, Metadata: doc.Metadata, TokensValidFrom: fromMicros(doc.TokensValidFrom),
		CreatedAt: fromMicros(doc.CreatedAt), UpdatedAt: fromMicros(doc.UpdatedAt),
	}, nil
}

// endpointDoc is column endpoint.doc. Lists keep null apart from [].
type endpointDoc struct {
	URL            string            `json:"url"`
	Description    string            `json:"description,omitempty"`
	Dialect        string            `json:"dialect,omitempty"`
	NoTranslate    bool              `json:"noTranslate,omitempty"`
	Ordered        bool              `json:"ordered,omitempty"`
	Paused         bool              `json:"paused,omitempty"`
	Disabled       bool              `json:"disabled,omitempty"`
	DisabledReason string            `json:"disabledReason,omitempty"`
	DisabledAt     int64             `json:"disabledAt,omitempty"`
	Version        int               `json:"version"`
	FilterTypes    []string          `json:"filterTypes"`
	Channels       []string          `json:"channels"`
	Headers        map[string]string `json:"headers"`
	Sensitive      []string          `json:"sensitive"`
	Secrets        []secretDoc       `json:"secrets"`
	ThrottleRate   int               `json:"throttleRate,omitempty"`
	RetrySchedule  []time.Duration   `json:"retrySchedule"` // nanoseconds
	Timeout        time.Duration     `json:"timeout,omitempty"`
	Deadline       time.Duration     `json:"deadline,omitempty"`
	Metadata       map[string]string `json:"metadata"`
	CreatedAt      int64             `json:"createdAt"`
	UpdatedAt      int64             `json:"updatedAt"`
}

type secretDoc struct {
	Value   string `json:"value"`
	Expires int64  `json:"expires,omitempty"`
}

const endpointColumns = `endpoint.id, endpoint.app, endpoint.uid, endpoint.deleted, endpoint.doc`

func encodeEndpoint(e *delivery.Endpoint) ([]byte, error) {
	doc := endpointDoc{
		URL: e.URL, Description: e.Description, Dialect: e.Dialect, NoTranslate: e.NoTranslate, Ordered: e.Ordered, Paused: e.Paused,
		Disabled: e.Disabled, DisabledReason: e.DisabledReason, DisabledAt: micros(e.DisabledAt),
		Version: e.Version, FilterTypes: e.FilterTypes, Channels: e.Channels, Headers: e.Headers, Sensitive: e.Sensitive,
		ThrottleRate: e.ThrottleRate, RetrySchedule: e.RetrySchedule, Timeout: e.Timeout, Deadline: e.Deadline, Metadata: e.Metadata,
		CreatedAt: micros(e.CreatedAt), UpdatedAt: micros(e.UpdatedAt),
	}
	if e.Secrets != nil {
		doc.Secrets = make([]secretDoc, len(e.Secrets))
		for i, s := range e.Secrets {
			doc.Secrets[i] = secretDoc{Value: s.Value, Expires: micros(s.Expires)}
		}
	}
	return json.Marshal(doc)
}

func decodeEndpoint(row []driver.Value) (delivery.Endpoint, error) {
	var doc endpointDoc
	if err := decode(row[4], &doc); err != nil {
		return delivery.Endpoint{}, err
	}
	e := delivery.Endpoint{
		ID: ident(row[0]), App: ident(row[1]), UID: text(row[2]), Deleted: integer(row[3]) != 0,
		URL: doc.URL, Description: doc.Description, Dialect: doc.Dialect, NoTranslate: doc.NoTranslate, Ordered: doc.Ordered, Paused: doc.Paused,
		Disabled: doc.Disabled, DisabledReason: doc.DisabledReason, DisabledAt: fromMicros(doc.DisabledAt),
		Version: doc.Version, FilterTypes: doc.FilterTypes, Channels: doc.Channels, Headers: doc.Headers, Sensitive: doc.Sensitive,
		ThrottleRate: doc.ThrottleRate, RetrySchedule: doc.RetrySchedule, Timeout: doc.Timeout, Deadline: doc.Deadline, Metadata: doc.Metadata,
		CreatedAt: fromMicros(doc.CreatedAt), UpdatedAt: fromMicros(doc.UpdatedAt),
	}
	if doc.Secrets != nil {
		e.Secrets = make([]delivery.Secret, len(doc.Secrets))
		for i, s := range doc.Secrets {
			e.Secrets[i] = delivery.Secret{Value: s.Value, Expires: fromMicros(s.Expires)}
		}
	}
	return e, nil
}

// eventTypeDoc is column event_type.doc.
type eventTypeDoc struct {
	Description  string   `json:"description,omitempty"`
	GroupName    string   `json:"groupName,omitempty"`
	Deprecated   bool     `json:"deprecated,omitempty"`
	FeatureFlags []string `json:"featureFlags"`
	CreatedAt    int64    `json:"createdAt"`
	UpdatedAt    int64    `json:"updatedAt"`
}

const eventTypeColumns = `event_type.org, event_type.name, event_type.archived, event_type.doc, event_type.schemas`

func encodeEventType(t *store.EventType) ([]byte, error) {
	return json.Marshal(eventTypeDoc{
		Description: t.Description, GroupName: t.GroupName, Deprecated: t.Deprecated,
		FeatureFlags: t.FeatureFlags, CreatedAt: micros(t.CreatedAt), UpdatedAt: micros(t.UpdatedAt),
	})
}

func decodeEventType(row []driver.Value) (store.EventType, error) {
	var doc eventTypeDoc
	if err := decode(row[3], &doc); err != nil {
		return store.EventType{}, err
	}
	return store.EventType{
		Org: text(row[0]), Name: text(row[1]), Archived: integer(row[2]) != 0,
		Description: doc.Description, GroupName: doc.GroupName, Deprecated: doc.Deprecated, Schemas: blob(row[4]),
		FeatureFlags: doc.FeatureFlags, CreatedAt: fromMicros(doc.CreatedAt), UpdatedAt: fromMicros(doc.UpdatedAt),
	}, nil
}

// messageExtra is column message.extra: what few messages have.
type messageExtra struct {
	EventID  string   `json:"eventId,omitempty"`
	Channels []string `json:"channels"`
	Tags     []string `json:"tags"`
	OrderKey string   `json:"orderKey,omitempty"`
}

// messageTest is the bit of message.flags for Message.Test.
const messageTest = 1

const (
	messageColumns = `message.id, message.app, message.type, message.flags, message.event_hash, message.deliver_at, message.expires, message.extra`
	messageBody    = messageColumns + `, message.payload`
)

// plainMessage reports whether a message fits the short INSERT.
func plainMessage(m *store.Message) bool {
	return m.EventID == "" && m.Channels == nil && m.Tags == nil && m.OrderKey == "" &&
		!m.Test && m.DeliverAt.IsZero() && m.PayloadExpires.IsZero()
}

func encodeExtra(m *store.Message) ([]byte, error) {
	if m.EventID == "" && m.Channels == nil && m.Tags == nil && m.OrderKey == "" {
		return nil, nil
	}
	return json.Marshal(messageExtra{EventID: m.EventID, Channels: m.Channels, Tags: m.Tags, OrderKey: m.OrderKey})
}

// decodeMessage reads messageColumns or messageBody.
func decodeMessage(row []driver.Value) (store.Message, error) {
	m := store.Message{
		ID: ident(row[0]), App: ident(row[1]), Type: text(row[2]), Test: integer(row[3])&messageTest != 0,
		EventHash: hash16(row[4]), DeliverAt: moment(row[5]), PayloadExpires: moment(row[6]),
	}
	if row[7] != nil {
		var extra messageExtra
		if err := decode(row[7], &extra); err != nil {
			return m, err
		}
		m.EventID, m.Channels, m.Tags, m.OrderKey = extra.EventID, extra.Channels, extra.Tags, extra.OrderKey
	}
	if len(row) > 8 {
		m.Payload = blob(row[8])
	}
	return m, nil
}

const deliveryColumns = `delivery.msg, delivery.ep, delivery.app, delivery.generation, delivery.state, delivery.reason,
	delivery.trigger, delivery.attempts, delivery.next_at, delivery.deadline, delivery.ord_key, delivery.ord_seq`

// decodeDelivery reads deliveryColumns as they are stored, without the lease: what
// is stored as leased is pending until leases.overlay says otherwise.
func decodeDelivery(row []driver.Value) delivery.Delivery {
	d := delivery.Delivery{
		Key:        delivery.Key{Message: ident(row[0]), Endpoint: ident(row[1])},
		App:        ident(row[2]),
		Generation: int(integer(row[3])),
		State:      delivery.State(integer(row[4])),
		Reason:     delivery.Reason(integer(row[5])),
		Trigger:    delivery.Trigger(integer(row[6])),
		Attempts:   int(integer(row[7])),
		NextAt:     moment(row[8]),
		Deadline:   moment(row[9]),
		OrderKey:   text(row[10]),
		OrderSeq:   integer(row[11]),
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
func decodeAttempt(row []driver.Value) delivery.Attempt {
	a := delivery.Attempt{
		Key:        delivery.Key{Message: ident(row[0]), Endpoint: ident(row[1])},
		N:          int(integer(row[2])),
		App:        ident(row[3]),
		ID:         ident(row[4]),
		Trigger:    delivery.Trigger(integer(row[5])),
		At:         moment(row[6]),
		Success:    integer(row[7]) != 0,
		StatusCode: int(integer(row[8])),
		Latency:    time.Duration(integer(row[9])) * time.Microsecond,
		Error:      text(row[10]),
	}
	if len(row) > 11 {
		a.Response = blob(row[11])
	}
	return a
}

const healthColumns = `endpoint, failing_since, failures, first_message, many_messages`

func decodeHealth(row []driver.Value) store.Health {
	return store.Health{
		Endpoint: ident(row[0]), FailingSince: moment(row[1]), Failures: int(integer(row[2])),
		FirstMessage: ident(row[3]), ManyMessages: integer(row[4]) != 0,
	}
}

const taskColumns = `id, org, app, endpoint, kind, state, since, until, cursor, done, reason, updated_at`

func decodeTask(row []driver.Value) store.Task {
	return store.Task{
		ID: ident(row[0]), Org: text(row[1]), App: ident(row[2]), Endpoint: ident(row[3]),
		Kind: store.TaskKind(integer(row[4])), State: store.TaskState(integer(row[5])),
		Since: ident(row[6]), Until: ident(row[7]), Cursor: ident(row[8]), Done: integer(row[9]),
		Reason: text(row[10]), UpdatedAt: moment(row[11]),
	}
}
