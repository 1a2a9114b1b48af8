package restapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// MessageAttemptOut is one POST of a message to an endpoint, as it ended.
type MessageAttemptOut struct {
	ID                 string          `json:"id" example:"atmpt_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	MessageID          string          `json:"msgId"`
	EndpointID         string          `json:"endpointId"`
	URL                string          `json:"url" doc:"Where it was sent."`
	Response           string          `json:"response" doc:"The first 16 KiB of the answer, or why there was none."`
	ResponseStatusCode int             `json:"responseStatusCode" doc:"0 if there was no answer."`
	ResponseDurationMs int64           `json:"responseDurationMs"`
	Status             int             `json:"status" doc:"0 success, 2 fail."`
	StatusText         string          `json:"statusText" enum:"success,pending,fail,sending,canceled"`
	TriggerType        int             `json:"triggerType" doc:"0 scheduled, 1 manual."`
	Timestamp          time.Time       `json:"timestamp"`
	Explanation        *ExplanationOut `json:"explanation" doc:"Why it failed, in plain words; null if it did not."`
	Message            *MessageOut     `json:"msg,omitempty" doc:"With with_msg; without its payload."`
}

// showAttempt renders an attempt. Where no answer came, response says why, as in
// Svix; without content it is empty. The message comes without its payload even
// if content was asked for, as Svix's clients document it.
func (a *api) showAttempt(row *store.AttemptRow, content bool) MessageAttemptOut {
	status := statusFail
	if row.Success {
		status = statusSuccess
	}
	out := MessageAttemptOut{
		ID:                 a.Codec.Encode(id.Attempt, row.ID),
		MessageID:          a.Codec.Encode(id.Message, row.Attempt.Message),
		EndpointID:         a.Codec.Encode(id.Endpoint, row.Endpoint),
		URL:                row.URL,
		ResponseStatusCode: row.StatusCode,
		ResponseDurationMs: row.Latency.Milliseconds(),
		Status:             status,
		StatusText:         statusTexts[status],
		TriggerType:        int(row.Trigger),
		Timestamp:          row.At.UTC(),
		Explanation:        explain(&row.Attempt),
	}
	if content {
		out.Response = string(row.Response)
		if out.Response == "" && row.StatusCode == 0 {
			out.Response = row.Error
		}
	}
	if row.Message != nil {
		m := a.showMessage(row.Message, false)
		out.Message = &m
	}
	return out
}

// MessageEndpointOut is an endpoint with how a message's delivery to it stands.
type MessageEndpointOut struct {
	EndpointOut
	DeliveryOut
}

// registerAttempts puts the log's routes on the mux.
func (a *api) registerAttempts() {
	const app = "/app/{app_id}"
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.list-by-endpoint", Method: http.MethodGet, Path: app + "/attempt/endpoint/{endpoint_id}", Tags: []string{tagAttempts},
		Summary: "List an endpoint's attempts", Description: "Newest first. A page may end early where a filter matches little; go on while done is false.",
	}, accessRead, a.attemptsByEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.list-by-msg", Method: http.MethodGet, Path: app + "/attempt/msg/{msg_id}", Tags: []string{tagAttempts},
		Summary: "List a message's attempts", Description: "Newest first.",
	}, accessRead, a.attemptsByMessage)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.list-attempted-messages", Method: http.MethodGet, Path: app + "/endpoint/{endpoint_id}/msg", Tags: []string{tagAttempts},
		Summary: "List an endpoint's messages", Description: "Each with how its delivery stands; newest first.",
	}, accessRead, a.endpointMessages)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.list-attempted-destinations", Method: http.MethodGet, Path: app + "/msg/{msg_id}/endpoint", Tags: []string{tagAttempts},
		Summary: "List a message's endpoints", Description: "Each with how the delivery to it stands; oldest first.",
	}, accessRead, a.messageEndpoints)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.get", Method: http.MethodGet, Path: app + "/msg/{msg_id}/attempt/{attempt_id}", Tags: []string{tagAttempts},
		Summary: "Get an attempt",
	}, accessRead, a.getAttempt)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.expunge-content", Method: http.MethodDelete, Path: app + "/msg/{msg_id}/attempt/{attempt_id}/content", Tags: []string{tagAttempts},
		Summary: "Delete an attempt's response",
	}, accessAdminWrite, a.deleteAttemptContent)
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.resend", Method: http.MethodPost, Path: app + "/msg/{msg_id}/endpoint/{endpoint_id}/resend", Tags: []string{tagAttempts},
		Summary: "Send a message to an endpoint once more", DefaultStatus: http.StatusAccepted,
		Description: "At once, outside of any order, whatever became of it before.",
	}, accessAttempt, a.resend)
}

// AttemptsIn are the filters of both lists of attempts.
type AttemptsIn struct {
	PageIn
	TimesIn
	MatchIn
	ContentIn
	StatusIn
	StatusCodeClass query[codeClass] `query:"status_code_class" doc:"Only answers of this class: 0 none at all, 100 to 500."`
	WithMsg         bool             `query:"with_msg" doc:"Whether to show each attempt's message, without its payload."`
}

// codeClass is a class of HTTP status codes in a query.
type codeClass int

// Schema is a multiple of 100 up to 500.
func (codeClass) Schema(huma.Registry) *huma.Schema {
	low, high, step := 0.0, 500.0, 100.0
	return &huma.Schema{Type: huma.TypeInteger, Minimum: &low, Maximum: &high, MultipleOf: &step}
}

// errNoSuchAttempts says that a filter can match nothing: attempts have ended, so
// none is pending, sending or canceled.
var errNoSuchAttempts = errors.New("no attempt can match")

// query turns the parameters into the store's words. Its error is errNoSuchAttempts
// or nil; the query is filled in either way, so that the caller can still find out
// whether the message and endpoint exist.
func (in *AttemptsIn) query(c *call, cur cursor) (store.AttemptQuery, error) {
	q := store.AttemptQuery{
		Page: cur.Page, EventTypes: c.eventTypes(), Channel: in.Channel, Tag: in.Tag,
		Content: in.WithContent, WithMessage: in.WithMsg,
	}
	q.Since, q.Until = in.bounds()
	if in.Status.Given {
		switch in.Status.Value {
		case statusSuccess, statusFail:
			success := in.Status.Value == statusSuccess
			q.Success = &success
		default:
			return q, errNoSuchAttempts
		}
	}
	if in.StatusCodeClass.Given {
		q.StatusClass = int(in.StatusCodeClass.Value)
		if q.StatusClass == 0 {
			q.StatusClass = -1
		}
	}
	return q, nil
}

// attempts lists what a query finds; narrow sets its message and endpoint.
func (a *api) attempts(ctx context.Context, c *call, in *AttemptsIn, narrow func(*store.AttemptQuery) error) (*answer[Page[MessageAttemptOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Attempt, false)
	if err != nil {
		return nil, err
	}
	q, nothingMatches := in.query(c, cur)
	if err := narrow(&q); err != nil {
		return nil, err
	}
	rows := store.Listed[store.AttemptRow]{Done: true}
	if nothingMatches == nil {
		if rows, err = a.Store.ListAttempts(ctx, q); err != nil {
			return nil, err
		}
	}
	page := list(cur, rows, func(r *store.AttemptRow) id.ID { return r.ID },
		all(func(r *store.AttemptRow) MessageAttemptOut { return a.showAttempt(r, in.WithContent) }))
	return &answer[Page[MessageAttemptOut]]{page}, nil
}

// attemptsByEndpointIn are the parameters of the endpoint's log.
type attemptsByEndpointIn struct {
	EndpointPath
	AttemptsIn
}

// attemptsByEndpoint answers GET …/attempt/endpoint/{endpoint_id}.
func (a *api) attemptsByEndpoint(ctx context.Context, c *call, in *attemptsByEndpointIn) (*answer[Page[MessageAttemptOut]], error) {
	return a.attempts(ctx, c, &in.AttemptsIn, func(q *store.AttemptQuery) error {
		ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
		q.App, q.Endpoint = ep.App, ep.ID
		return err
	})
}

// attemptsByMessageIn are the parameters of the message's log.
type attemptsByMessageIn struct {
	MessagePath
	AttemptsIn
	EndpointID string `query:"endpoint_id" doc:"Only attempts to this endpoint."`
}

// attemptsByMessage answers GET …/attempt/msg/{msg_id}, for one endpoint if asked.
func (a *api) attemptsByMessage(ctx context.Context, c *call, in *attemptsByMessageIn) (*answer[Page[MessageAttemptOut]], error) {
	return a.attempts(ctx, c, &in.AttemptsIn, func(q *store.AttemptQuery) error {
		m, err := a.namedMessage(ctx, c, in.MessageID)
		if err != nil {
			return err
		}
		q.App, q.Message = m.App, m.ID
		if in.EndpointID == "" {
			return nil
		}
		ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
		q.Endpoint = ep.ID
		return err
	})
}

// endpointMessagesIn are the parameters of an endpoint's messages.
type endpointMessagesIn struct {
	EndpointPath
	PageIn
	TimesIn
	MatchIn
	ContentIn
	StatusIn
}

// endpointMessages answers GET …/endpoint/{endpoint_id}/msg: deliveries, each with
// its message, newest first. Unlike attempts they include what is still to come.
func (a *api) endpointMessages(ctx context.Context, c *call, in *endpointMessagesIn) (*answer[Page[EndpointMessageOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Message, false)
	if err != nil {
		return nil, err
	}
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	q := store.DeliveryQuery{
		Page: cur.Page, App: ep.App, Endpoint: ep.ID,
		EventTypes: c.eventTypes(), Channel: in.Channel, Tag: in.Tag, Content: in.WithContent,
	}
	q.Since, q.Until = in.bounds()
	if in.Status.Given {
		q.States = states(int(in.Status.Value), in.ExpandedStatuses)
	}
	// A status that no state has for this client (canceled, not expanded) finds nothing.
	rows := store.Listed[store.DeliveryRow]{Done: true}
	if !in.Status.Given || len(q.States) > 0 {
		if rows, err = a.Store.ListDeliveries(ctx, q); err != nil {
			return nil, err
		}
	}
	page := list(cur, rows, func(r *store.DeliveryRow) id.ID { return r.Key.Message },
		func(r *store.DeliveryRow) (EndpointMessageOut, bool) {
			if r.Message == nil { // retention took the message after the delivery was read
				return EndpointMessageOut{}, false
			}
			return EndpointMessageOut{a.showMessage(r.Message, in.WithContent), showDelivery(&r.Delivery, in.ExpandedStatuses)}, true
		})
	return &answer[Page[EndpointMessageOut]]{page}, nil
}

// messageEndpointsIn are the parameters of a message's endpoints.
type messageEndpointsIn struct {
	MessagePath
	PageIn
	ExpandedStatuses bool `query:"expanded_statuses" doc:"Whether the client knows status 4, canceled; else it is told 0."`
}

// messageEndpoints answers GET …/msg/{msg_id}/endpoint. Each endpoint is read by
// its primary key: a page has at most 250, and a message seldom has more than a few.
func (a *api) messageEndpoints(ctx context.Context, c *call, in *messageEndpointsIn) (*answer[Page[MessageEndpointOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Endpoint, true)
	if err != nil {
		return nil, err
	}
	m, err := a.namedMessage(ctx, c, in.MessageID)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.ListDeliveries(ctx, store.DeliveryQuery{Page: cur.Page, App: m.App, Message: m.ID})
	if err != nil {
		return nil, err
	}
	endpoints := make(map[id.ID]delivery.Endpoint, len(rows.Rows))
	for i := range rows.Rows {
		ep, err := a.Store.AppEndpoint(ctx, m.App, store.Ref{ID: rows.Rows[i].Endpoint})
		if errors.Is(err, store.ErrNotFound) {
			continue // a deleted endpoint is not shown
		}
		if err != nil {
			return nil, err
		}
		endpoints[ep.ID] = ep
	}
	page := list(cur, rows, func(r *store.DeliveryRow) id.ID { return r.Endpoint },
		func(r *store.DeliveryRow) (MessageEndpointOut, bool) {
			ep, ok := endpoints[r.Endpoint]
			return MessageEndpointOut{a.showEndpoint(&ep), showDelivery(&r.Delivery, in.ExpandedStatuses)}, ok
		})
	return &answer[Page[MessageEndpointOut]]{page}, nil
}

// getAttemptIn is what GET …/attempt/{attempt_id} takes.
type getAttemptIn struct {
	AttemptPath
	ExpandedStatuses bool `query:"expanded_statuses" doc:"Accepted for Svix's clients; attempts are never canceled."`
}

// getAttempt answers GET …/msg/{msg_id}/attempt/{attempt_id}.
func (a *api) getAttempt(ctx context.Context, c *call, in *getAttemptIn) (*answer[MessageAttemptOut], error) {
	_, row, err := a.namedAttempt(ctx, c, &in.AttemptPath)
	if err != nil {
		return nil, err
	}
	return &answer[MessageAttemptOut]{a.showAttempt(&row, true)}, nil
}

// namedAttempt reads the attempt that a path names.
func (a *api) namedAttempt(ctx context.Context, c *call, in *AttemptPath) (store.Message, store.AttemptRow, error) {
	attempt, ok := a.Codec.Decode(id.Attempt, in.AttemptID)
	if !ok {
		return store.Message{}, store.AttemptRow{}, errs.Missing()
	}
	m, err := a.namedMessage(ctx, c, in.MessageID)
	if err != nil {
		return m, store.AttemptRow{}, err
	}
	row, err := a.Store.Attempt(ctx, m.App, m.ID, attempt)
	return m, row, err
}

// deleteAttemptContent answers DELETE …/attempt/{attempt_id}/content: an endpoint
// may have answered with what should not be kept. The attempt stays in the log.
func (a *api) deleteAttemptContent(ctx context.Context, c *call, in *AttemptPath) (*nothing, error) {
	m, row, err := a.namedAttempt(ctx, c, in)
	if err != nil {
		return nil, err
	}
	return &nothing{}, a.Ingest.DeleteAttemptContent(ctx, c.appRef, m.ID, row.ID)
}

// resendIn are the path parameters of resend.
type resendIn struct {
	MessagePath
	EndpointID string `path:"endpoint_id" doc:"The endpoint's id or uid."`
}

// empty is the body {}.
type empty struct{}

// resend answers POST …/endpoint/{endpoint_id}/resend with 202 and {}, which is
// what Svix's clients decode. Without the payload it is a 409.
func (a *api) resend(ctx context.Context, c *call, in *resendIn) (*answer[empty], error) {
	message, err := web.Ref(a.Codec, id.Message, in.MessageID)
	if err != nil {
		return nil, err
	}
	endpoint, err := web.Ref(a.Codec, id.Endpoint, in.EndpointID)
	if err != nil {
		return nil, err
	}
	return &answer[empty]{}, a.Ingest.Resend(ctx, c.appRef, message, endpoint, c.key())
}
