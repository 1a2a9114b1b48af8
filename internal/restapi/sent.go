package restapi

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/snippet"
	"github.com/callboard/callboard/internal/store"
)

// RequestHeader is a header of a webhook.
type RequestHeader struct {
	Name   string `json:"name" example:"Webhook-Id"`
	Value  string `json:"value"`
	Masked bool   `json:"masked" doc:"Whether the value is a secret, of which at most the last 4 characters are shown."`
}

// RequestOut is a webhook as it goes over the wire.
type RequestOut struct {
	Method         string             `json:"method" example:"POST"`
	URL            string             `json:"url"`
	Dialect        string             `json:"dialect" example:"native"`
	At             time.Time          `json:"at" doc:"When it was sent, or now for one that was not."`
	Headers        []RequestHeader    `json:"headers" nullable:"false" doc:"By name. Host, Content-Length and the like are left out."`
	Body           string             `json:"body" doc:"The text that is signed, byte for byte; empty if it is not UTF-8."`
	BodyBase64     *string            `json:"bodyBase64" doc:"The body, if it is not UTF-8."`
	Authentication AuthenticationInfo `json:"authentication"`
}

// AuthenticationInfo says what proves a webhook.
type AuthenticationInfo struct {
	Scheme     string   `json:"scheme" example:"Standard Webhooks: HMAC-SHA256 of id, timestamp and body" doc:"What the proof is, in words."`
	Headers    []string `json:"headers" nullable:"false" doc:"Names of the headers that prove it."`
	SecretHint string   `json:"secretHint" example:"whsec_…Ab3d" doc:"Which secret proves it: how it begins and ends."`
	Valid      bool     `json:"valid" doc:"Whether a receiver that knows the present secret accepts it."`
	Detail     string   `json:"detail" doc:"What there is to know about it."`
}

// registerSent puts on the mux what shows webhooks as they are sent.
func (a *api) registerSent() {
	handle(a, huma.Operation{
		OperationID: "v1.message-attempt.request", Method: http.MethodGet, Path: "/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/request",
		Tags: []string{tagAttempts}, Summary: "Show the request that a message is for an endpoint",
		Description: "The request of an attempt, or, without one, as it would be made now. Nothing of requests is stored: it is rendered and " +
			"signed again, at the attempt's time and for the URL that it went to, with the endpoint's dialect, headers and secrets, which may " +
			"have been changed since; `authentication.detail` says so. Secrets are masked for everybody, and the proof of one that was not " +
			"sent for who may neither attempt nor see the secret. 409 if the payload is gone, or " +
			"cannot be written in the endpoint's dialect.",
	}, accessRead, a.getRequest)
}

// getRequestIn is what GET …/request takes.
type getRequestIn struct {
	MessagePath
	EndpointID string `path:"endpoint_id" doc:"The endpoint's id or uid."`
	AttemptID  string `query:"attempt_id" doc:"The attempt; without one the request is made as of now."`
}

// getRequest answers GET …/request.
func (a *api) getRequest(ctx context.Context, c *call, in *getRequestIn) (*answer[RequestOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	m, err := a.namedMessage(ctx, c, in.MessageID)
	if err != nil {
		return nil, err
	}
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	if _, err := a.Store.Delivery(ctx, app.ID, delivery.Key{Message: m.ID, Endpoint: ep.ID}); err != nil {
		return nil, err
	}
	at := time.Now()
	if in.AttemptID != "" {
		row, err := a.attemptOf(ctx, &m, &ep, in.AttemptID)
		if err != nil {
			return nil, err
		}
		at, ep.URL = row.At, cmp.Or(row.URL, ep.URL)
	}
	out, err := a.requestAt(&app, &ep, &m, at, in.AttemptID != "")
	if err != nil {
		return nil, err
	}
	if in.AttemptID == "" {
		c.hideProof(out.Headers, out.Authentication.Headers)
	}
	return &answer[RequestOut]{out}, nil
}

// hideProof masks what proves a webhook that nobody has sent, unless the caller could have it
// sent or knows the secret: else whoever may only look could send receivers what they accept.
func (c *call) hideProof(headers []RequestHeader, proof []string) {
	if c.Claims.May(accessSeeSecret.AnyOf...) || c.Claims.May(accessAttempt.AnyOf...) {
		return
	}
	for i := range headers {
		if slices.Contains(proof, headers[i].Name) {
			headers[i].Value, headers[i].Masked = masked, true
		}
	}
}

// attemptOf reads an attempt of a message to an endpoint.
func (a *api) attemptOf(ctx context.Context, m *store.Message, ep *delivery.Endpoint, text string) (store.AttemptRow, error) {
	attempt, ok := a.Codec.Decode(id.Attempt, text)
	if !ok {
		return store.AttemptRow{}, errs.Missing()
	}
	row, err := a.Store.Attempt(ctx, m.App, m.ID, attempt)
	if err == nil && row.Endpoint != ep.ID {
		err = store.ErrNotFound
	}
	return row, err
}

// requestAt makes the request of a message to an endpoint at a time, which lies in the past
// for one that was sent.
func (a *api) requestAt(app *store.App, ep *delivery.Endpoint, m *store.Message, at time.Time, sent bool) (RequestOut, error) {
	if m.Payload == nil {
		return RequestOut{}, errs.New(errs.Conflict, "The message's payload is not kept any more")
	}
	target, err := a.maker.Target(ep, app.SigningTokens, at)
	if err != nil {
		return RequestOut{}, err
	}
	messageID := a.Codec.Encode(id.Message, m.ID)
	body, err := outgoing.Body(target.Dialect, m, messageID)
	if errors.Is(err, dialect.ErrUnrenderable) {
		return RequestOut{}, errs.New(errs.Conflict, "There is no request: the %s", err)
	}
	if err != nil {
		return RequestOut{}, err
	}
	out := RequestOut{
		Method: http.MethodPost, URL: ep.URL, Dialect: target.Dialect.Name(), At: at.UTC(),
		Headers: showRequestHeaders(target, ep, messageID, at, body),
	}
	if utf8.Valid(body) {
		out.Body = string(body)
	} else {
		text := base64.StdEncoding.EncodeToString(body)
		out.BodyBase64 = &text
	}
	out.Authentication = authentication(app, ep, target, dialect.Request{
		Header: target.Header(messageID, at, body), Body: body, At: at, Brief: true,
	})
	if changed := changedAfter(app, ep, target.Dialect); sent && changed.After(at) {
		out.Authentication.Detail += " The endpoint has been changed since the attempt: its dialect, headers and secrets are shown as they are now."
	}
	return out, nil
}

// changedAfter is when what a request is made of changed last.
func changedAfter(app *store.App, ep *delivery.Endpoint, d dialect.Dialect) time.Time {
	if d.Secrets().PerApp && app.UpdatedAt.After(ep.UpdatedAt) {
		return app.UpdatedAt
	}
	return ep.UpdatedAt
}

// showRequestHeaders are the headers of a request by name, with secrets masked.
func showRequestHeaders(t *outgoing.Target, ep *delivery.Endpoint, messageID string, at time.Time, body []byte) []RequestHeader {
	proof := t.Proof(messageID, at, body)
	sent, isToken := t.Dialect.(dialect.TokenSent)
	shown := []RequestHeader{}
	for name, values := range t.Header(messageID, at, body) {
		_, proves := proof[name]
		for _, value := range values {
			h := RequestHeader{Name: name, Value: value}
			switch {
			case isSensitive(ep, name) && !proves:
				h.Value, h.Masked = masked, true
			case proves && isToken && strings.EqualFold(name, sent.TokenHeader()), !proves && looksSecret(name):
				h.Value, h.Masked = tail(value), true
			}
			shown = append(shown, h)
		}
	}
	slices.SortFunc(shown, func(x, y RequestHeader) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Value, y.Value))
	})
	return shown
}

// masked stands for a secret, or for the part of it that is not shown.
const masked = "…"

// looksSecret reports whether a header of this name holds a secret, as far as a name tells.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "token", "key", "secret", "cookie", "password", "credential", "session", "signature"},
		func(part string) bool { return strings.Contains(name, part) })
}

// tail is the end of a secret, if that leaves enough to guess.
func tail(secret string) string {
	const shown, least = 4, 16
	if len(secret) < least || strings.ContainsFunc(secret[len(secret)-shown:], func(r rune) bool { return r >= utf8.RuneSelf }) {
		return masked
	}
	return masked + secret[len(secret)-shown:]
}

// hint is how a secret begins, if that says its kind alone, and ends.
func hint(secret string) string {
	secret = verifyingKey(secret)
	for _, kind := range []string{"whsec_", "whpk_"} {
		if rest, found := strings.CutPrefix(secret, kind); found {
			return kind + tail(rest)
		}
	}
	return tail(secret)
}

// authentication says what proves a request, and whether the present secrets accept it.
func authentication(app *store.App, ep *delivery.Endpoint, t *outgoing.Target, r dialect.Request) AuthenticationInfo {
	info := AuthenticationInfo{Scheme: "What the dialect " + t.Dialect.Name() + " has", Headers: []string{}}
	if g, known := snippet.For(t.Dialect); known {
		info.Scheme = g.Scheme
	}
	for name := range t.Proof("", r.At, r.Body) {
		info.Headers = append(info.Headers, name)
	}
	slices.Sort(info.Headers)
	secrets := outgoing.SecretsOf(t.Dialect, ep, app.SigningTokens)
	if len(t.Secrets) > 0 {
		carried := t.Secrets[0]
		if t.Dialect.Secrets().OneAtATime {
			carried = t.Secrets[len(t.Secrets)-1]
		}
		info.SecretHint = hint(carried)
	}
	verdict, err := t.Dialect.Verify(delivery.Active(secrets, time.Now()), r)
	info.Valid = err == nil && verdict.Valid
	switch {
	case !info.Valid && err == nil:
		info.Detail = "A receiver that knows the present secret alone refuses it: the secret has been replaced since."
	case !info.Valid:
		info.Detail = "It cannot be verified with the present secret."
	case len(t.Secrets) > 1 && t.Dialect.Secrets().OneAtATime:
		info.Detail = "It carries the old secret, until its grace period ends."
	case len(t.Secrets) > 1:
		info.Detail = "It is signed with several secrets, of which the old ones end with their grace period. A receiver accepts it with any of them."
	default:
		info.Detail = "It is signed with the endpoint's secret."
		if t.Dialect.Secrets().PerApp {
			info.Detail = "It carries the app's signing token."
		}
	}
	return info
}
