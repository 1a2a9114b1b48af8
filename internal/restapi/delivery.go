package restapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// DeliveryRow is a delivery in the log of an app: where it stands, and of which message.
type DeliveryRow struct {
	MessageID   string           `json:"msgId" example:"msg_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	EndpointID  string           `json:"endpointId" example:"ep_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	EventType   string           `json:"eventType" example:"session.joined"`
	EventID     *string          `json:"eventId"`
	Channels    []string         `json:"channels"`
	Tags        []string         `json:"tags"`
	Test        bool             `json:"test" doc:"Whether the message was sent by send-example."`
	Timestamp   time.Time        `json:"timestamp" doc:"Of the message."`
	Status      int              `json:"status" doc:"0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
	StatusText  string           `json:"statusText" enum:"success,pending,fail,sending,canceled"`
	Attempts    int              `json:"attempts" doc:"How many were made, those before a resend or a recovery included. Where the retry schedule stands it does not say: nextAttempt does."`
	NextAttempt *time.Time       `json:"nextAttempt" doc:"While it is pending."`
	FailReason  *string          `json:"failReason" doc:"Why it failed: exhausted, expired, endpoint_disabled and so on."`
	LastAttempt *DeliveryAttempt `json:"lastAttempt" doc:"Null before the first one."`
}

// DeliveryAttempt is an attempt as lists of deliveries show it.
type DeliveryAttempt struct {
	ID                 string          `json:"id" example:"atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	Timestamp          time.Time       `json:"timestamp"`
	Status             int             `json:"status" doc:"0 success, 2 fail."`
	ResponseStatusCode int             `json:"responseStatusCode" doc:"0 if there was no answer."`
	ResponseDurationMs int64           `json:"responseDurationMs"`
	TriggerType        int             `json:"triggerType" doc:"0 scheduled, 1 manual."`
	Explanation        *ExplanationOut `json:"explanation" doc:"Why it failed, in plain words; null for a success."`
}

// showDeliveryRow renders a delivery, how many attempts there were, and the last of them;
// nil = there was none.
func (a *api) showDeliveryRow(row *store.DeliveryRow, attempts int, last *delivery.Attempt) DeliveryRow {
	m, stands := a.showMessage(row.Message, false), showDelivery(&row.Delivery, true)
	out := DeliveryRow{
		MessageID: m.ID, EndpointID: a.Codec.Encode(id.Endpoint, row.Endpoint), EventType: m.EventType, EventID: m.EventID,
		Channels: m.Channels, Tags: m.Tags, Test: m.Test, Timestamp: m.Timestamp,
		Status: stands.Status, StatusText: stands.StatusText, NextAttempt: stands.NextAttempt, Attempts: attempts,
	}
	if row.State == delivery.Failed {
		out.FailReason = stands.Reason
	}
	if last != nil {
		out.LastAttempt = a.showDeliveryAttempt(last)
	}
	return out
}

func (a *api) showDeliveryAttempt(at *delivery.Attempt) *DeliveryAttempt {
	status := statusFail
	if at.Success {
		status = statusSuccess
	}
	return &DeliveryAttempt{
		ID: a.Codec.Encode(id.Attempt, at.ID), Timestamp: at.At.UTC(), Status: status, ResponseStatusCode: at.StatusCode,
		ResponseDurationMs: at.Latency.Milliseconds(), TriggerType: int(at.Trigger), Explanation: explain(at),
	}
}

// UndeliveredOut is what an endpoint has not got.
type UndeliveredOut struct {
	EndpointID   string     `json:"endpointId"`
	Pending      int64      `json:"pending" doc:"Deliveries that wait for their next attempt."`
	Failed       int64      `json:"failed" doc:"Deliveries that were given up; recover queues them again."`
	PendingMore  bool       `json:"pendingMore" doc:"Whether counting stopped: there are at least so many, and they may be older."`
	FailedMore   bool       `json:"failedMore" doc:"The same of those that failed."`
	PendingSince *time.Time `json:"pendingSince" doc:"The oldest message of those that are pending and were counted."`
	FailedSince  *time.Time `json:"failedSince" doc:"The oldest message of those that failed and were counted: where a recovery would begin."`
	FailingSince *time.Time `json:"failingSince" doc:"Since when no attempt has succeeded; null if the last one did."`
}

// ListUndelivered are the endpoints of an app that miss something.
type ListUndelivered struct {
	Since time.Time        `json:"since" doc:"Messages from this time on were looked at."`
	Data  []UndeliveredOut `json:"data" nullable:"false"`
}

// registerDeliveries puts the routes of the log on the mux.
func (a *api) registerDeliveries() {
	handle(a, huma.Operation{
		OperationID: "v1.delivery.list", Method: http.MethodGet, Path: "/app/{app_id}/delivery", Tags: []string{tagDeliveries},
		Summary: "List an app's deliveries",
		Description: "Over all its endpoints, those of the newest message first, each with where it stands and its last attempt. A page may end early " +
			"where a filter matches little: go on with `iterator` while `done` is false.",
	}, accessRead, a.listDeliveries)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.recover-preview", Method: http.MethodGet, Path: "/app/{app_id}/endpoint/{endpoint_id}/recover", Tags: []string{tagEndpoints},
		Summary: "Count what a recovery would deliver again", Description: "Up to 100,000 are counted; `more` says that there may be more.",
	}, accessRead, a.recoverPreview)
	handle(a, huma.Operation{
		OperationID: "v1.delivery.undelivered", Method: http.MethodGet, Path: "/app/{app_id}/undelivered", Tags: []string{tagDeliveries},
		Summary: "List the endpoints that miss something",
		Description: "Of the messages of the last 30 days: what is pending and what failed, by endpoint. Of what failed the newest 10,000 of the app are " +
			"counted, and up to 10,000 pending ones of an endpoint, fewer in an app of more than four; where there are more, `pendingMore` and `failedMore` say so.",
	}, accessRead, a.undelivered)
}

// listDeliveriesIn are the parameters of GET /app/{app_id}/delivery.
type listDeliveriesIn struct {
	AppPath
	PageIn
	TimesIn
	MatchIn
	EndpointID string              `query:"endpoint_id" doc:"Only deliveries to this endpoint."`
	Status     query[statusNumber] `query:"status" doc:"Only those that stand so: 0 success, 1 pending, 2 fail, 3 sending, 4 canceled."`
}

// listDeliveries answers GET /app/{app_id}/delivery.
func (a *api) listDeliveries(ctx context.Context, c *call, in *listDeliveriesIn) (*answer[Page[DeliveryRow]], error) {
	after, back, err := a.deliveryIterator(in.Iterator)
	if err != nil {
		return nil, err
	}
	q := store.LogQuery{Limit: in.Limit, After: after, Ascending: back, EventTypes: c.eventTypes(), Channel: in.Channel, Tag: in.Tag}
	q.Since, q.Until = in.bounds()
	if in.Status.Given {
		q.States = states(int(in.Status.Value), true)
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	q.App = app.ID
	if in.EndpointID != "" {
		ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
		if err != nil {
			return nil, err
		}
		q.Endpoint = ep.ID
	}
	log, err := a.Store.DeliveryLog(ctx, q)
	if err != nil {
		return nil, err
	}
	page, err := a.showLog(ctx, log, back)
	return &answer[Page[DeliveryRow]]{page}, err
}

// showLog renders a page of deliveries with their last attempts.
func (a *api) showLog(ctx context.Context, log store.Log, back bool) (Page[DeliveryRow], error) {
	keys := make([]delivery.Key, len(log.Rows))
	for i := range log.Rows {
		keys[i] = log.Rows[i].Key
	}
	last, err := a.Store.LastAttempts(ctx, keys)
	if err != nil {
		return Page[DeliveryRow]{}, err
	}
	attempts, err := a.Store.CountAttempts(ctx, keys)
	if err != nil {
		return Page[DeliveryRow]{}, err
	}
	cur := deliveryCursor{codec: a.Codec, back: back}
	page := Page[DeliveryRow]{Data: make([]DeliveryRow, 0, len(log.Rows)), Done: log.Done}
	rows := cur.forward(log.Rows)
	for i := range rows {
		if rows[i].Message == nil { // retention took it after the delivery was read
			continue
		}
		var attempt *delivery.Attempt
		if at, ok := last[rows[i].Key]; ok {
			attempt = &at
		}
		page.Data = append(page.Data, a.showDeliveryRow(&rows[i], attempts[rows[i].Key], attempt))
	}
	page.Iterator, page.PrevIterator = cur.iterators(rows, log)
	return page, nil
}

// deliveryCursor writes iterators of deliveries: the ids of a message and of an endpoint,
// or of the message alone where all of its deliveries were looked at.
type deliveryCursor struct {
	codec *id.Codec
	back  bool
}

// forward brings a page into the order in which lists are shown.
func (cur deliveryCursor) forward(rows []store.DeliveryRow) []store.DeliveryRow {
	if !cur.back {
		return rows
	}
	shown := make([]store.DeliveryRow, len(rows))
	for i := range rows {
		shown[len(rows)-1-i] = rows[i]
	}
	return shown
}

// iterators are those before and behind the rows. A page that ended early goes on from
// the last delivery that was looked at.
func (cur deliveryCursor) iterators(rows []store.DeliveryRow, log store.Log) (next, prev *string) {
	var first, last delivery.Key
	if n := len(rows); n > 0 {
		first, last = rows[0].Key, rows[n-1].Key
	}
	switch {
	case log.Done || log.Next.Message == 0:
	case cur.back:
		first = log.Next
	default:
		last = log.Next
	}
	if last.Message != 0 {
		text := cur.encode(last)
		next = &text
	}
	if first.Message != 0 {
		text := "-" + cur.encode(first)
		prev = &text
	}
	return next, prev
}

func (cur deliveryCursor) encode(k delivery.Key) string {
	text := cur.codec.Encode(id.Message, k.Message)
	if k.Endpoint != 0 {
		text += "." + cur.codec.Encode(id.Endpoint, k.Endpoint)
	}
	return text
}

// deliveryIterator reads what deliveryCursor has written.
func (a *api) deliveryIterator(text string) (after delivery.Key, back bool, err error) {
	text, back = strings.CutPrefix(text, "-")
	if text == "" {
		if back {
			return after, back, errIterator()
		}
		return after, back, nil
	}
	message, endpoint, within := strings.Cut(text, ".")
	var ok bool
	if after.Message, ok = a.Codec.Decode(id.Message, message); !ok {
		return after, back, errIterator()
	}
	if !within {
		return after, back, nil
	}
	if after.Endpoint, ok = a.Codec.Decode(id.Endpoint, endpoint); !ok {
		return after, back, errIterator()
	}
	return after, back, nil
}

// undeliveredFor is how far back what is undelivered is looked for.
const undeliveredFor = 30 * 24 * time.Hour

// undelivered answers GET /app/{app_id}/undelivered.
func (a *api) undelivered(ctx context.Context, c *call, _ *AppPath) (*answer[ListUndelivered], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	since := time.Now().Add(-undeliveredFor).UTC().Truncate(time.Millisecond)
	rows, err := a.Store.Undelivered(ctx, app.ID, id.AtTime(since))
	if err != nil {
		return nil, err
	}
	out := ListUndelivered{Since: since, Data: []UndeliveredOut{}}
	for _, row := range rows {
		health, err := a.Store.Health(ctx, row.Endpoint)
		if err != nil {
			return nil, err
		}
		out.Data = append(out.Data, UndeliveredOut{
			EndpointID: a.Codec.Encode(id.Endpoint, row.Endpoint), Pending: row.Pending, Failed: row.Failed,
			PendingMore: row.PendingMore, FailedMore: row.FailedMore,
			PendingSince: messageTime(row.PendingSince), FailedSince: messageTime(row.FailedSince), FailingSince: timePointer(health.FailingSince),
		})
	}
	return &answer[ListUndelivered]{out}, nil
}

// messageTime is when a message came, nil for none.
func messageTime(m id.ID) *time.Time {
	if m == 0 {
		return nil
	}
	at := m.Time()
	return &at
}

// RecoverPreviewOut is what a recovery would queue again.
type RecoverPreviewOut struct {
	Messages int64 `json:"messages" doc:"How many failed deliveries there are in that time."`
	More     bool  `json:"more" doc:"Whether counting stopped: there are at least so many."`
}

// recoverPreview answers GET …/endpoint/{endpoint_id}/recover.
func (a *api) recoverPreview(ctx context.Context, c *call, in *statsIn) (*answer[RecoverPreviewOut], error) {
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	if !in.Since.IsZero() && !in.Until.IsZero() && !in.Until.After(in.Since) {
		return nil, errs.InvalidField("must be later than since", "query", "until")
	}
	since, until := in.bounds()
	n, more, err := a.Store.CountFailed(ctx, ep.App, ep.ID, since, until)
	return &answer[RecoverPreviewOut]{RecoverPreviewOut{n, more}}, err
}
