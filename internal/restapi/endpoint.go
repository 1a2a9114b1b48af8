package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// EndpointFields are the fields that creating, replacing and changing an endpoint
// have in common. Those of the second block are Callboard's own.
type EndpointFields struct {
	Description  optional[string]    `json:"description,omitzero" doc:"For people."`
	UID          optional[string]    `json:"uid,omitzero" doc:"Your own name for the endpoint, unique in the app."`
	Disabled     optional[bool]      `json:"disabled,omitzero" doc:"A disabled endpoint gets nothing; what it still had to get has failed."`
	FilterTypes  optional[[]string]  `json:"filterTypes,omitzero" doc:"The event types it hears, each in Callboard's name or as the dialect's own word, which stands for all types that go out under it; null = all."`
	EventTypes   optional[[]string]  `json:"eventTypes,omitzero" doc:"Another name of filterTypes."`
	Channels     optional[[]string]  `json:"channels,omitzero" doc:"It hears messages that share a channel; null = all messages."`
	ThrottleRate optional[int]       `json:"throttleRate,omitzero" minimum:"1" maximum:"65535" doc:"Attempts per second; null = no limit."`
	RateLimit    optional[int]       `json:"rateLimit,omitzero" minimum:"1" maximum:"65535" deprecated:"true" doc:"The older name of throttleRate."`
	Metadata     optional[stringMap] `json:"metadata,omitzero" doc:"Your own notes, 16 KiB at most."`
	Version      optional[int]       `json:"version,omitzero" minimum:"1" maximum:"65535" doc:"Your own version number; 1 by default."`

	Dialect       optional[string]   `json:"dialect,omitzero" doc:"How webhooks look on the wire; by default the app's or the org's choice, which is native by default. Changing it makes a new secret where the old one does not fit."`
	Translate     optional[bool]     `json:"translate,omitzero" doc:"Whether event types that the dialect does not have go out as those of its own that are close; true by default."`
	Ordering      optional[string]   `json:"ordering,omitzero" enum:"none,key" doc:"none is the only one so far."`
	RetrySchedule optional[[]string] `json:"retrySchedule,omitzero" doc:"The delay after each failed attempt, such as [\"5s\", \"5m\"]; null = the installation's."`
	Timeout       optional[string]   `json:"timeout,omitzero" doc:"Of one exchange, such as 15s; null = the installation's."`
	Deadline      optional[string]   `json:"deadline,omitzero" doc:"Of a delivery, such as 24h; null = none."`
	Filter        optional[any]      `json:"filter,omitzero" doc:"A later version filters by content."`
}

// EndpointIn is an endpoint as a client creates it.
type EndpointIn struct {
	URL     string              `json:"url" doc:"Where webhooks go." example:"https://example.com/webhook"`
	Secret  optional[string]    `json:"secret,omitzero" doc:"What webhooks are signed with: whsec_…, or what the dialect's vendor has; one is made if there is none. Not for dialects whose secret is the app's signing token."`
	Headers optional[stringMap] `json:"headers,omitzero" doc:"Sent with every webhook."`
	EndpointFields
}

// EndpointUpdate replaces an endpoint. The secret stays, and so do headers and
// Callboard's own fields that are absent: clients made for Svix do not know them.
type EndpointUpdate struct {
	URL     string              `json:"url" doc:"Where webhooks go." example:"https://example.com/webhook"`
	Headers optional[stringMap] `json:"headers,omitzero" doc:"Sent with every webhook."`
	EndpointFields
}

// EndpointPatch changes the fields that are sent; null clears.
type EndpointPatch struct {
	URL    optional[string] `json:"url,omitzero" doc:"Where webhooks go."`
	Secret optional[string] `json:"secret,omitzero" doc:"Replaces the secret at once; see secret/rotate for a grace period."`
	EndpointFields
}

// EndpointOut is an endpoint as the API shows it. Headers and secret have routes
// of their own.
type EndpointOut struct {
	ID           string    `json:"id" example:"ep_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	UID          *string   `json:"uid"`
	URL          string    `json:"url" example:"https://example.com/webhook"`
	Description  string    `json:"description"`
	Disabled     bool      `json:"disabled"`
	FilterTypes  []string  `json:"filterTypes"`
	EventTypes   []string  `json:"eventTypes"`
	Channels     []string  `json:"channels"`
	ThrottleRate *int      `json:"throttleRate"`
	RateLimit    *int      `json:"rateLimit" deprecated:"true"`
	Version      int       `json:"version"`
	Metadata     stringMap `json:"metadata"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`

	Dialect        string     `json:"dialect" example:"native"`
	Translate      bool       `json:"translate"`
	Ordering       string     `json:"ordering" enum:"none,key"`
	RetrySchedule  []string   `json:"retrySchedule"`
	Timeout        *string    `json:"timeout"`
	Deadline       *string    `json:"deadline"`
	DisabledReason *string    `json:"disabledReason" doc:"Why it is disabled: api, gone (410), failing or receiver."`
	DisabledAt     *time.Time `json:"disabledAt"`
	Warnings       []string   `json:"warnings,omitempty" doc:"What works and should be better, such as a short secret."`
}

// showEndpoint renders an endpoint, renamed fields under both of their names: Svix's
// clients of different ages read different ones.
func (a *api) showEndpoint(ep *delivery.Endpoint) EndpointOut {
	ordering, dialectName := "none", ep.Dialect
	if ep.Ordered {
		ordering = "key"
	}
	if dialectName == "" {
		dialectName = "native"
	}
	return EndpointOut{
		ID:             a.Codec.Encode(id.Endpoint, ep.ID),
		UID:            pointer(ep.UID),
		URL:            ep.URL,
		Description:    ep.Description,
		Disabled:       ep.Disabled,
		FilterTypes:    ep.FilterTypes,
		EventTypes:     ep.FilterTypes,
		Channels:       ep.Channels,
		ThrottleRate:   pointer(ep.ThrottleRate),
		RateLimit:      pointer(ep.ThrottleRate),
		Version:        max(1, ep.Version),
		Metadata:       notNil(ep.Metadata),
		CreatedAt:      ep.CreatedAt.UTC(),
		UpdatedAt:      ep.UpdatedAt.UTC(),
		Dialect:        dialectName,
		Translate:      !ep.NoTranslate,
		Ordering:       ordering,
		RetrySchedule:  durations(ep.RetrySchedule),
		Timeout:        durationPointer(ep.Timeout),
		Deadline:       durationPointer(ep.Deadline),
		DisabledReason: pointer(ep.DisabledReason),
		DisabledAt:     timePointer(ep.DisabledAt),
		Warnings:       a.advice(ep.Dialect, ep.Secrets),
	}
}

// durations renders a retry schedule; nil, the installation's, stays null.
func durations(all []time.Duration) []string {
	if all == nil {
		return nil
	}
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return texts
}

// durationPointer renders a duration of which 0 means that there is none.
func durationPointer(d time.Duration) *string {
	if d == 0 {
		return nil
	}
	text := d.String()
	return &text
}

// apply changes the fields of ep that were sent. What it cannot read, it names;
// whether the values are allowed is ingest's to say.
func (in *EndpointFields) apply(ep *delivery.Endpoint) error {
	if in.Filter.Sent && in.Filter.Value != nil {
		return later("content filters")
	}
	if in.Ordering.Value != nil && *in.Ordering.Value == "key" {
		return later("ordering by key")
	}
	set(in.Description, &ep.Description)
	set(in.UID, &ep.UID)
	set(in.Disabled, &ep.Disabled)
	set(either(in.FilterTypes, in.EventTypes), &ep.FilterTypes)
	set(in.Channels, &ep.Channels)
	set(either(in.ThrottleRate, in.RateLimit), &ep.ThrottleRate)
	set(in.Metadata, &ep.Metadata)
	set(in.Version, &ep.Version)
	set(in.Dialect, &ep.Dialect)
	if in.Translate.Sent {
		ep.NoTranslate = in.Translate.Value != nil && !*in.Translate.Value
	}
	if in.Ordering.Sent {
		ep.Ordered = false
	}
	return in.applyTiming(ep)
}

// applyTiming changes the three fields that are durations in text.
func (in *EndpointFields) applyTiming(ep *delivery.Endpoint) error {
	if err := setDuration(in.Timeout, &ep.Timeout, "timeout"); err != nil {
		return err
	}
	if err := setDuration(in.Deadline, &ep.Deadline, "deadline"); err != nil {
		return err
	}
	if !in.RetrySchedule.Sent {
		return nil
	}
	ep.RetrySchedule = nil
	if in.RetrySchedule.Value == nil {
		return nil
	}
	schedule := make([]time.Duration, 0, len(*in.RetrySchedule.Value))
	for _, text := range *in.RetrySchedule.Value {
		d, err := time.ParseDuration(text)
		if err != nil {
			return invalid("delays are durations such as 5s, 5m or 10h", "body", "retrySchedule")
		}
		schedule = append(schedule, d)
	}
	ep.RetrySchedule = schedule
	return nil
}

// setDuration changes a duration that was sent; null makes it 0, the default. The
// text is not repeated in the error.
func setDuration(o optional[string], field *time.Duration, name string) error {
	if !o.Sent {
		return nil
	}
	*field = 0
	if o.Value == nil {
		return nil
	}
	d, err := time.ParseDuration(*o.Value)
	if err != nil || d <= 0 {
		return invalid("must be a duration such as 15s, 5m or 24h", "body", name)
	}
	*field = d
	return nil
}

// replace makes ep what a PUT says: Svix's fields that are absent go back to their
// defaults. See EndpointUpdate for what stays, and ApplicationIn.replace for uid.
func (in *EndpointUpdate) replace(ep *delivery.Endpoint) error {
	ep.URL = in.URL
	set(in.Headers, &ep.Headers)
	ep.Description, ep.Disabled, ep.FilterTypes, ep.Channels, ep.ThrottleRate, ep.Metadata = "", false, nil, nil, 0, nil
	return in.apply(ep)
}

// change makes the changes of a PATCH. A new secret replaces the old ones at once;
// whoever needs both for a while rotates.
func (in *EndpointPatch) change(ep *delivery.Endpoint) error {
	set(in.URL, &ep.URL)
	if in.Secret.Value != nil {
		ep.Secrets = []delivery.Secret{{Value: *in.Secret.Value}}
	} else if in.Secret.Sent {
		ep.Secrets = nil // ingest makes a new one
	}
	return in.apply(ep)
}

// endpoint is the endpoint that a POST describes, with Svix's version 1 if it names
// none. Without a secret ingest makes one.
func (in *EndpointIn) endpoint() (delivery.Endpoint, error) {
	ep := delivery.Endpoint{URL: in.URL, Version: 1}
	set(in.Headers, &ep.Headers)
	if in.Secret.Value != nil {
		ep.Secrets = []delivery.Secret{{Value: *in.Secret.Value}}
	}
	return ep, in.apply(&ep)
}

// registerEndpoints puts the routes of endpoints on the mux. A tenant's portal uses
// all of them.
func (a *api) registerEndpoints() {
	const path = "/app/{app_id}/endpoint"
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.list", Method: http.MethodGet, Path: path, Tags: []string{tagEndpoints},
		Summary: "List an app's endpoints", Description: "Newest first unless asked otherwise.",
	}, accessRead, a.listEndpoints)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.create", Method: http.MethodPost, Path: path, Tags: []string{tagEndpoints},
		Summary: "Create an endpoint", DefaultStatus: http.StatusCreated,
		Description: "It hears every message that is accepted after this answer.",
	}, accessManage, a.createEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.get", Method: http.MethodGet, Path: path + "/{endpoint_id}", Tags: []string{tagEndpoints},
		Summary: "Get an endpoint",
	}, accessRead, a.getEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.update", Method: http.MethodPut, Path: path + "/{endpoint_id}", Tags: []string{tagEndpoints},
		Summary: "Replace an endpoint", Description: "A uid that no endpoint has creates one, with status 201. " +
			"Secret, headers and the fields that Svix does not have stay as they are unless they are sent.",
	}, accessManage, a.putEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.patch", Method: http.MethodPatch, Path: path + "/{endpoint_id}", Tags: []string{tagEndpoints},
		Summary: "Change an endpoint", Description: "Changes the fields that are sent; null clears.",
	}, accessManage, a.patchEndpoint)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.delete", Method: http.MethodDelete, Path: path + "/{endpoint_id}", Tags: []string{tagEndpoints},
		Summary: "Delete an endpoint", Description: "What it should still get has failed.",
	}, accessManage, a.deleteEndpoint)
}

// listEndpointsIn are the parameters of GET …/endpoint.
type listEndpointsIn struct {
	AppPath
	PageIn
	OrderIn
}

// listEndpoints answers GET …/endpoint, newest first as in Svix.
func (a *api) listEndpoints(ctx context.Context, c *call, in *listEndpointsIn) (*answer[Page[EndpointOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Endpoint, in.ascending(false))
	if err != nil {
		return nil, err
	}
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := a.Store.AppEndpoints(ctx, app.ID, cur.Page)
	if err != nil {
		return nil, err
	}
	page := list(cur, rows, func(r *delivery.Endpoint) id.ID { return r.ID }, all(a.showEndpoint))
	return &answer[Page[EndpointOut]]{page}, nil
}

// createEndpointIn is what POST …/endpoint takes.
type createEndpointIn struct {
	AppPath
	Body EndpointIn
}

// createEndpoint answers POST …/endpoint with 201. Every message that is accepted
// after that reaches the endpoint: ingest compares the app's version inside its
// transaction.
func (a *api) createEndpoint(ctx context.Context, c *call, in *createEndpointIn) (*answerStatus[EndpointOut], error) {
	ep, err := in.Body.endpoint()
	if err != nil {
		return nil, err
	}
	r, err := a.Ingest.CreateEndpoint(ctx, c.appRef, c.key(), ep)
	if err != nil {
		return nil, err
	}
	return a.answerEndpoint(ctx, c, r)
}

// answerEndpoint reads an endpoint again, as it is on disk.
func (a *api) answerEndpoint(ctx context.Context, c *call, r ingest.Result) (*answerStatus[EndpointOut], error) {
	ep, err := a.readEndpoint(ctx, c, store.Ref{ID: r.ID})
	if err != nil {
		return nil, err
	}
	return &answerStatus[EndpointOut]{createdOr200(r), a.showEndpoint(&ep)}, nil
}

// readEndpoint reads an endpoint within the path's app, which must be the caller's:
// no endpoint is ever found by its id alone.
func (a *api) readEndpoint(ctx context.Context, c *call, ref store.Ref) (delivery.Endpoint, error) {
	app, err := c.app(ctx)
	if err != nil {
		return delivery.Endpoint{}, err
	}
	return a.Store.AppEndpoint(ctx, app.ID, ref)
}

// namedEndpoint reads the endpoint that a path names.
func (a *api) namedEndpoint(ctx context.Context, c *call, text string) (delivery.Endpoint, error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, text)
	if err != nil {
		return delivery.Endpoint{}, err
	}
	return a.readEndpoint(ctx, c, ref)
}

// getEndpoint answers GET …/endpoint/{endpoint_id}.
func (a *api) getEndpoint(ctx context.Context, c *call, in *EndpointPath) (*answer[EndpointOut], error) {
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	return &answer[EndpointOut]{a.showEndpoint(&ep)}, nil
}

// putEndpointIn is what PUT …/endpoint/{endpoint_id} takes.
type putEndpointIn struct {
	EndpointPath
	Body EndpointUpdate
}

// putEndpoint answers PUT …/endpoint/{endpoint_id}; an unknown uid is created.
func (a *api) putEndpoint(ctx context.Context, c *call, in *putEndpointIn) (*answerStatus[EndpointOut], error) {
	return a.updateEndpoint(ctx, c, in.EndpointID, true, in.Body.replace)
}

// patchEndpointIn is what PATCH …/endpoint/{endpoint_id} takes.
type patchEndpointIn struct {
	EndpointPath
	Body EndpointPatch
}

// patchEndpoint answers PATCH …/endpoint/{endpoint_id}.
func (a *api) patchEndpoint(ctx context.Context, c *call, in *patchEndpointIn) (*answerStatus[EndpointOut], error) {
	return a.updateEndpoint(ctx, c, in.EndpointID, false, in.Body.change)
}

// updateEndpoint changes an endpoint through mutate and answers with it.
func (a *api) updateEndpoint(ctx context.Context, c *call, text string, orCreate bool, mutate func(*delivery.Endpoint) error) (*answerStatus[EndpointOut], error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, text)
	if err != nil {
		return nil, err
	}
	r, err := a.Ingest.UpdateEndpoint(ctx, c.appRef, ref, orCreate, mutate)
	if err != nil {
		return nil, err
	}
	r.Existed = r.Existed || !orCreate
	return a.answerEndpoint(ctx, c, r)
}

// deleteEndpoint answers DELETE …/endpoint/{endpoint_id}. No attempt begins after it.
func (a *api) deleteEndpoint(ctx context.Context, c *call, in *EndpointPath) (*nothing, error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, in.EndpointID)
	if err != nil {
		return nil, err
	}
	return &nothing{}, a.Ingest.DeleteEndpoint(ctx, c.appRef, ref)
}
