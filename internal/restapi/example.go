package restapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/store"
)

// ExampleOut is an event type's example as an endpoint would get it.
type ExampleOut struct {
	EventType string          `json:"eventType" example:"session.joined"`
	Word      string          `json:"word" example:"JOINED_SESSION" doc:"What the endpoint's dialect calls it."`
	Fit       string          `json:"fit" enum:"exact,close" doc:"close: the dialect's word is of a type that is close, and not the same."`
	Dialect   string          `json:"dialect" example:"zuddl"`
	Body      string          `json:"body" doc:"The body, indented. Edited or not, send-example takes it as its body."`
	Headers   []RequestHeader `json:"headers" nullable:"false" doc:"As they would be sent with this body now."`
}

// CheckURLIn asks whether an endpoint may have a URL.
type CheckURLIn struct {
	URL string `json:"url" example:"https://example.com/webhook"`
}

// CheckURLOut says whether it may.
type CheckURLOut struct {
	OK      bool    `json:"ok"`
	Reason  *string `json:"reason" doc:"Why saving it would be refused, in the words of that answer."`
	Warning *string `json:"warning" doc:"What may be saved and should be better."`
}

// registerExamples puts on the mux what helps to set up and try out an endpoint.
func (a *api) registerExamples() {
	const path = "/app/{app_id}/endpoint"
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.example", Method: http.MethodGet, Path: path + "/{endpoint_id}/example", Tags: []string{tagEndpoints},
		Summary:     "Show an event type's example in an endpoint's dialect",
		Description: "Secrets are masked, and what proves it for who may neither attempt nor see the secret.",
	}, accessRead, a.getExample)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.check-url", Method: http.MethodPost, Path: path + "/check-url", Tags: []string{tagEndpoints},
		Summary: "Ask whether an endpoint may have a URL", DefaultStatus: http.StatusOK,
		Description: "By the rules of saving one. Nothing is looked up or connected to: a name that resolves to a private address is refused when " +
			"a webhook is sent.",
	}, accessManage, a.checkURL)
}

// fitNames are how well a dialect says an event type, as the API shows it.
var fitNames = map[dialect.Fit]string{dialect.Exact: "exact", dialect.Translated: "close"}

// getExampleIn is what GET …/example takes.
type getExampleIn struct {
	EndpointPath
	EventType string `query:"event_type" required:"true" doc:"The event type." example:"session.joined"`
}

// errUnsaid is the 422 for an event type that an endpoint cannot get.
func errUnsaid() error {
	return invalid("the endpoint's dialect cannot say this event type", "query", "event_type")
}

// getExample answers GET …/example.
func (a *api) getExample(ctx context.Context, c *call, in *getExampleIn) (*answer[ExampleOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	if own, err := a.ownEventType(ctx, c.Org, in.EventType); err != nil || own != nil && !c.mayHear(own) {
		return nil, cmp.Or(err, errUnsaid())
	}
	m, err := a.exampleMessage(ctx, c, &app, in.EventType)
	if err != nil {
		return nil, err
	}
	if !a.lexicon.Says(&ep, in.EventType, m.Tenant != "") {
		return nil, errUnsaid()
	}
	target, err := a.maker.Target(&ep, app.SigningTokens, time.Now())
	if err != nil {
		return nil, err
	}
	body, err := exampleBody(target.Dialect, m)
	if errors.Is(err, dialect.ErrUnrenderable) {
		return nil, errUnsaid()
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	headers := showRequestHeaders(target, &ep, exampleMessage, now, body)
	c.hideProof(headers, slices.Collect(maps.Keys(target.Proof(exampleMessage, now, body))))
	word, fit := target.Dialect.Word(in.EventType)
	return &answer[ExampleOut]{ExampleOut{
		EventType: in.EventType, Word: word, Fit: fitNames[fit], Dialect: target.Dialect.Name(), Body: string(body), Headers: headers,
	}}, nil
}

// exampleMessage is an event type's example as a message of an app.
func (a *api) exampleMessage(ctx context.Context, c *call, app *store.App, eventType string) (*store.Message, error) {
	payload, err := c.examplePayload(ctx, &EventExampleIn{EventType: eventType})
	if err != nil {
		return nil, err
	}
	governed, err := a.governs(ctx, c.Org, eventType)
	if err != nil {
		return nil, err
	}
	held, err := a.settingsOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	m := &store.Message{ID: id.AtTime(time.Now()), Type: eventType, Payload: payload}
	if governed {
		m.Tenant, m.ResourceBase = cmp.Or(app.UID, a.Codec.Encode(id.App, app.ID)), held.Base(app.ResourceURLBase)
	}
	return m, nil
}

// exampleBody writes a sample's body, indented for people.
func exampleBody(d dialect.Dialect, m *store.Message) ([]byte, error) {
	body, err := outgoing.Body(d, m, exampleMessage)
	if err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") != nil {
		return body, nil
	}
	return pretty.Bytes(), nil
}

// sendRawExample answers send-example with a body of the caller's own.
func (a *api) sendRawExample(ctx context.Context, c *call, app *store.App, ref store.Ref, in *EventExampleIn) (*answer[MessageOut], error) {
	if in.Data != nil || in.Payload != nil {
		return nil, invalid("is sent as it is: give neither data nor payload beside it", "body", "body")
	}
	ep, err := a.Store.AppEndpoint(ctx, app.ID, ref)
	if err != nil {
		return nil, err
	}
	r, err := a.Ingest.SendRawExample(ctx, c.appRef, ref, c.key(), ingest.RawExample{
		EventType: in.EventType, Dialect: cmp.Or(ep.Dialect, dialect.Native), Body: []byte(*in.Body),
	})
	if err != nil {
		return nil, err
	}
	m, err := a.Store.Message(ctx, app.ID, store.Ref{ID: r.ID})
	if err != nil {
		return nil, err
	}
	return &answer[MessageOut]{a.showMessage(&m, true)}, nil
}

// checkURLIn is what POST …/check-url takes.
type checkURLIn struct {
	AppPath
	Body CheckURLIn
}

// checkURL answers POST …/check-url.
func (a *api) checkURL(ctx context.Context, c *call, in *checkURLIn) (*answer[CheckURLOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	if reason := a.Ingest.CheckURL(in.Body.URL); reason != "" {
		return &answer[CheckURLOut]{CheckURLOut{Reason: &reason}}, nil
	}
	warning, err := a.warnOfURL(ctx, &app, in.Body.URL)
	if err != nil {
		return nil, err
	}
	return &answer[CheckURLOut]{CheckURLOut{OK: true, Warning: pointer(warning)}}, nil
}

// warnOfURL says what of a URL that may be saved should be better; "" = nothing.
func (a *api) warnOfURL(ctx context.Context, app *store.App, text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", nil
	case u.Scheme == "http":
		return "webhooks go over the network in the clear: use https outside of tests", nil
	case u.Fragment != "":
		return "what stands after # is not sent", nil
	}
	rows, err := a.Store.AppEndpoints(ctx, app.ID, store.Page{Limit: maxPage})
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(rows.Rows, func(ep delivery.Endpoint) bool { return ep.URL == text }) {
		return "another endpoint of the app has this URL: it would get messages twice", nil
	}
	return "", nil
}
