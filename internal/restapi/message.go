package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// MessageIn is a message as a client posts it. Its handler reads it by hand (see
// parseMessage); this type is what the document says about it.
type MessageIn struct {
	EventType              string             `json:"eventType" doc:"What the message is about." example:"session.joined"`
	Payload                map[string]any     `json:"payload" doc:"A JSON object; its bytes are delivered as they are. data is another name of it."`
	EventID                *string            `json:"eventId,omitempty" nullable:"true" doc:"Your own name of the message; a second message of that name is a conflict."`
	Channels               []string           `json:"channels,omitempty" minItems:"1" maxItems:"5" doc:"Only endpoints that share a channel, or have none, hear it."`
	Tags                   []string           `json:"tags,omitempty" maxItems:"8" doc:"To find it in lists."`
	DeliverAt              *time.Time         `json:"deliverAt,omitempty" nullable:"true" doc:"Not before this time."`
	PayloadRetentionPeriod *int               `json:"payloadRetentionPeriod,omitempty" nullable:"true" minimum:"5" maximum:"90" doc:"Days for which the payload is kept; 90 by default."`
	PayloadRetentionHours  *int               `json:"payloadRetentionHours,omitempty" nullable:"true" minimum:"1" maximum:"2160" doc:"The same in hours; give one of the two."`
	Deadline               *string            `json:"deadline,omitempty" nullable:"true" doc:"No attempt begins later than this after the message, such as 24h."`
	OrderingKey            *string            `json:"orderingKey,omitempty" nullable:"true" maxLength:"128" doc:"Messages of one key keep their order at endpoints that ask for it."`
	Application            *ApplicationIn     `json:"application,omitempty" doc:"Creates the app if there is none of the path's uid."`
	TransformationsParams  *transformationsIn `json:"transformationsParams,omitempty" doc:"rawPayload replaces payload: its text is delivered as it is, and must be a JSON object."`
}

// transformationsIn is the one of Svix's parameters that has a meaning here.
type transformationsIn struct {
	RawPayload *string `json:"rawPayload,omitempty"`
}

// MessageOut is a message as the API shows it.
type MessageOut struct {
	ID        string         `json:"id" example:"msg_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	EventID   *string        `json:"eventId"`
	EventType string         `json:"eventType" example:"session.joined"`
	Payload   optionalObject `json:"payload" nullable:"false" doc:"{} where content was not asked for, {\"expired\": true} where it is gone."`
	Channels  []string       `json:"channels"`
	Tags      []string       `json:"tags"`
	DeliverAt *time.Time     `json:"deliverAt"`
	Timestamp time.Time      `json:"timestamp"`
	Test      bool           `json:"test" doc:"Whether it was sent by send-example."`
	Warnings  []FieldWarning `json:"warnings,omitempty" doc:"Only in the answer to sending, where the org's setting schemaValidation is warn: what of the payload does not fit the event type's schema."`
}

// FieldWarning names a part of a request that was accepted and is not as it should be.
type FieldWarning struct {
	Loc []string `json:"loc" nullable:"false" example:"[\"body\",\"payload\",\"data\",\"session\",\"id\"]"`
	Msg string   `json:"msg" example:"is required"`
}

// showWarnings renders warnings; nil for none.
func showWarnings(fields []errs.Field) []FieldWarning {
	var out []FieldWarning
	for _, f := range fields {
		out = append(out, FieldWarning{Loc: f.Loc, Msg: f.Msg})
	}
	return out
}

// EndpointMessageOut is a message with how its delivery to an endpoint stands.
type EndpointMessageOut struct {
	MessageOut
	DeliveryOut
}

// DeliveryOut is where a delivery stands.
type DeliveryOut struct {
	Status      int        `json:"status" doc:"0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
	StatusText  string     `json:"statusText" enum:"success,pending,fail,sending,canceled"`
	NextAttempt *time.Time `json:"nextAttempt"`
	Reason      *string    `json:"reason" doc:"Why it failed: exhausted, expired, endpoint_disabled and so on."`
}

// What stands for a payload that is not shown, and for one that is gone.
var (
	noContent = optionalObject(`{}`)
	expired   = optionalObject(`{"expired":true}`)
)

// showMessage renders a message. Its time is in its id, to the millisecond.
func (a *api) showMessage(m *store.Message, content bool) MessageOut {
	out := MessageOut{
		ID:        a.Codec.Encode(id.Message, m.ID),
		EventID:   pointer(m.EventID),
		EventType: m.Type,
		Payload:   noContent,
		Channels:  m.Channels,
		Tags:      m.Tags,
		DeliverAt: timePointer(m.DeliverAt),
		Timestamp: m.ID.Time(),
		Test:      m.Test,
	}
	if content {
		out.Payload = m.Payload
		if m.Payload == nil {
			out.Payload = expired
		}
	}
	return out
}

// Svix's numbers for where a delivery or an attempt stands.
const (
	statusSuccess  = 0
	statusPending  = 1
	statusFail     = 2
	statusSending  = 3
	statusCanceled = 4
)

var statusTexts = [...]string{"success", "pending", "fail", "sending", "canceled"}

// wireStatus is Svix's number of a delivery's state. Older clients know no
// canceled and are told success, as Svix does.
func wireStatus(s delivery.State, expanded bool) int {
	switch s {
	case delivery.Pending, delivery.Waiting:
		return statusPending
	case delivery.Leased:
		return statusSending
	case delivery.Failed:
		return statusFail
	case delivery.Canceled:
		if expanded {
			return statusCanceled
		}
	}
	return statusSuccess
}

// states are the states of deliveries with a wire status.
func states(status int, expanded bool) []delivery.State {
	var out []delivery.State
	for s := delivery.Pending; s <= delivery.Canceled; s++ {
		if wireStatus(s, expanded) == status {
			out = append(out, s)
		}
	}
	return out
}

// showDelivery renders where a delivery stands. The next attempt is known only while
// the delivery is pending: one that waits behind another has no time of its own yet.
func showDelivery(d *delivery.Delivery, expanded bool) DeliveryOut {
	status := wireStatus(d.State, expanded)
	out := DeliveryOut{Status: status, StatusText: statusTexts[status], Reason: pointer(d.Reason.String())}
	if d.State == delivery.Pending {
		out.NextAttempt = timePointer(d.NextAt)
	}
	return out
}

// ContentIn asks for payloads.
type ContentIn struct {
	WithContent bool `query:"with_content" default:"true" doc:"Whether to show payloads."`
}

// MatchIn are the filters of lists of messages and attempts.
type MatchIn struct {
	Channel    string   `query:"channel" doc:"Only messages of this channel."`
	Tag        string   `query:"tag" doc:"Only messages with this tag."`
	EventTypes []string `query:"event_types" doc:"Only messages of these types: a,b, or the parameter repeated, or event_types[]."`
}

// StatusIn filters by where a delivery or an attempt stands.
type StatusIn struct {
	Status           query[statusNumber] `query:"status" doc:"Only those that stand so: 0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
	ExpandedStatuses bool                `query:"expanded_statuses" doc:"Whether the client knows status 4, canceled; else it is told 0."`
}

// statusNumber is a status in a query.
type statusNumber int

// Schema is the range of numbers.
func (statusNumber) Schema(huma.Registry) *huma.Schema {
	low, high := float64(statusSuccess), float64(statusCanceled)
	return &huma.Schema{Type: huma.TypeInteger, Minimum: &low, Maximum: &high}
}

// registerMessages puts the routes of messages on the mux. Sending is the org's; a
// portal may look.
func (a *api) registerMessages() {
	const path = "/app/{app_id}/msg"
	handle(a, huma.Operation{
		OperationID: "v1.message.list", Method: http.MethodGet, Path: path, Tags: []string{tagMessages},
		Summary: "List an app's messages", Description: "Newest first.",
	}, accessRead, a.listMessages)
	a.registerPostMessage()
	handle(a, huma.Operation{
		OperationID: "v1.message.precheck", Method: http.MethodPost, Path: path + "/precheck/active", Tags: []string{tagMessages},
		Summary: "Ask whether anybody would hear a message",
	}, accessAdmin, a.precheck)
	handle(a, huma.Operation{
		OperationID: "v1.message.get", Method: http.MethodGet, Path: path + "/{msg_id}", Tags: []string{tagMessages},
		Summary: "Get a message",
	}, accessRead, a.getMessage)
	handle(a, huma.Operation{
		OperationID: "v1.message.expunge-content", Method: http.MethodDelete, Path: path + "/{msg_id}/content", Tags: []string{tagMessages},
		Summary: "Delete a message's payload", Description: "The message stays in the log and can no longer be sent.",
	}, accessAdminWrite, a.deletePayload)
}

// listMessagesIn are the parameters of GET …/msg.
type listMessagesIn struct {
	AppPath
	PageIn
	TimesIn
	MatchIn
	ContentIn
}

// listMessages answers GET …/msg, newest first.
func (a *api) listMessages(ctx context.Context, c *call, in *listMessagesIn) (*answer[Page[MessageOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Message, false)
	if err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	since, until := in.bounds()
	rows, err := a.Store.ListMessages(ctx, store.MessageQuery{
		Page: cur.Page, App: app.ID, Since: since, Until: until,
		EventTypes: c.eventTypes(), Channel: in.Channel, Tag: in.Tag, Content: in.WithContent,
	})
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, func(r *store.Message) id.ID { return r.ID },
		all(func(r *store.Message) MessageOut { return a.showMessage(r, in.WithContent) }))
	return &answer[Page[MessageOut]]{page}, nil
}

// getMessageIn is what GET …/msg/{msg_id} takes.
type getMessageIn struct {
	MessagePath
	ContentIn
}

// getMessage answers GET …/msg/{msg_id}.
func (a *api) getMessage(ctx context.Context, c *call, in *getMessageIn) (*answer[MessageOut], error) {
	m, err := a.namedMessage(ctx, c, in.MessageID)
	if err != nil {
		return nil, err
	}
	return &answer[MessageOut]{a.showMessage(&m, in.WithContent)}, nil
}

// namedMessage reads the message that a path names.
func (a *api) namedMessage(ctx context.Context, c *call, text string) (store.Message, error) {
	ref, err := web.Ref(a.Codec, id.Message, text)
	if err != nil {
		return store.Message{}, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return store.Message{}, err
	}
	return a.Store.Message(ctx, app.ID, ref)
}

// deletePayload answers DELETE …/msg/{msg_id}/content. Deliveries that have not ended
// fail with the reason payload_gone.
func (a *api) deletePayload(ctx context.Context, c *call, in *MessagePath) (*nothing, error) {
	ref, err := web.Ref(a.Codec, id.Message, in.MessageID)
	if err != nil {
		return nil, err
	}
	return &nothing{}, a.Ingest.DeletePayload(ctx, c.appRef, ref)
}

// MessagePrecheckIn describes a message that might be sent.
type MessagePrecheckIn struct {
	EventType string   `json:"eventType"`
	Channels  []string `json:"channels,omitempty"`
}

// MessagePrecheckOut says whether an active endpoint would hear it.
type MessagePrecheckOut struct {
	Active bool `json:"active"`
}

// precheckIn is what POST …/msg/precheck/active takes.
type precheckIn struct {
	AppPath
	Body MessagePrecheckIn
}

// precheck answers POST …/msg/precheck/active. It asks the very rule that fan-out
// asks, so the two cannot disagree; it stops at the first endpoint that hears.
func (a *api) precheck(ctx context.Context, c *call, in *precheckIn) (*answer[MessagePrecheckOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	ofCatalog, err := a.governs(ctx, c.Org, in.Body.EventType)
	if err != nil {
		return nil, err
	}
	subject := delivery.Subject{App: app.ID, Type: in.Body.EventType, Channels: in.Body.Channels}
	says := func(ep *delivery.Endpoint) bool { return a.lexicon.Says(ep, in.Body.EventType, ofCatalog) }
	page := store.Page{Limit: maxPage, Ascending: true}
	for {
		rows, err := a.Store.AppEndpoints(ctx, app.ID, page)
		if err != nil {
			return nil, err
		}
		if len(delivery.Plan(subject, rows.Rows, says)) > 0 {
			return &answer[MessagePrecheckOut]{MessagePrecheckOut{Active: true}}, nil
		}
		if rows.Done || rows.Next == 0 {
			return &answer[MessagePrecheckOut]{}, nil
		}
		page.After = rows.Next
	}
}

// governs reports whether a message of an event type would be the catalogue's for an
// org, as ingest decides it when one is sent.
func (a *api) governs(ctx context.Context, org, eventType string) (bool, error) {
	if !a.lexicon.Knows(eventType) {
		return false, nil
	}
	own, err := a.ownEventType(ctx, org, eventType)
	if err != nil {
		return false, err
	}
	held, err := a.settingsOf(ctx, org)
	return a.lexicon.Governs(eventType, own, &held), err
}

// maxPage is the largest page of any list.
const maxPage = 250
