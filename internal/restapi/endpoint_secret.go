package restapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect/standard"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/web"
)

// EndpointSecretOut is what an endpoint's webhooks are signed with, or an app's where
// its endpoints share a token.
type EndpointSecretOut struct {
	Key      string     `json:"key" doc:"What a receiver verifies with: whsec_…, the public whpk_… of a secret that signs as v1a, or what the dialect's vendor has. Where a webhook has room for one secret, the one that it carries now."`
	Next     *string    `json:"next,omitempty" doc:"The secret that comes after key, where a webhook has room for one."`
	NextAt   *time.Time `json:"nextAt,omitempty" doc:"When next takes the place of key."`
	Warnings []string   `json:"warnings,omitempty" doc:"What works and should be better, such as a short secret."`
}

// EndpointSecretRotateIn asks for another secret.
type EndpointSecretRotateIn struct {
	Key                optional[string] `json:"key,omitzero" doc:"The new secret; one is made if there is none."`
	GracePeriodSeconds optional[int64]  `json:"gracePeriodSeconds,omitzero" minimum:"0" maximum:"604800" doc:"How long the old secret goes on signing beside it, or, where a webhook has room for one, before it; 24 hours by default."`
}

// defaultGrace is Svix's.
const defaultGrace = 24 * time.Hour

// EndpointHeadersIn replaces an endpoint's headers.
type EndpointHeadersIn struct {
	Headers   stringMap          `json:"headers" doc:"Sent with every webhook."`
	Sensitive optional[[]string] `json:"sensitive,omitzero" doc:"Names of headers whose values the API never shows again, besides those that are always kept: authorization, x-api-key and the like."`
}

// EndpointHeadersPatchIn changes some of an endpoint's headers.
type EndpointHeadersPatchIn struct {
	Headers       map[string]*string `json:"headers" doc:"Headers to add or change; null takes one away."`
	DeleteHeaders []string           `json:"deleteHeaders,omitempty" doc:"Names of headers to take away."`
	Sensitive     optional[[]string] `json:"sensitive,omitzero" doc:"Names of headers whose values the API never shows again."`
}

// EndpointHeadersOut shows an endpoint's headers.
type EndpointHeadersOut struct {
	Headers   stringMap `json:"headers" doc:"Those that may be shown."`
	Sensitive []string  `json:"sensitive" nullable:"false" doc:"Names of those that are sent and not shown."`
}

// alwaysSensitive are headers that carry credentials whoever sets them; the list
// is Svix's and the usual names beside it.
var alwaysSensitive = []string{
	"authorization", "cookie", "proxy-authenticate", "proxy-authorization", "www-authenticate", "x-api-key", "x-auth-token",
	"x-access-token", "x-signing-token",
}

// showHeaders leaves the values of sensitive headers out and names them. Who wants
// to change one sets it anew.
func showHeaders(ep *delivery.Endpoint) EndpointHeadersOut {
	out := EndpointHeadersOut{Headers: stringMap{}, Sensitive: []string{}}
	for name, value := range ep.Headers {
		if isSensitive(ep, name) {
			out.Sensitive = append(out.Sensitive, name)
		} else {
			out.Headers[name] = value
		}
	}
	slices.Sort(out.Sensitive)
	return out
}

// isSensitive compares as HTTP does, whatever the case.
func isSensitive(ep *delivery.Endpoint, name string) bool {
	same := func(other string) bool { return strings.EqualFold(name, other) }
	return slices.ContainsFunc(alwaysSensitive, same) || slices.ContainsFunc(ep.Sensitive, same)
}

// replace makes the headers what a PUT says. The list of sensitive names stays if
// it is not sent: Svix's clients cannot send it, and must not uncover a value.
func (in *EndpointHeadersIn) replace(ep *delivery.Endpoint) error {
	ep.Headers = in.Headers
	set(in.Sensitive, &ep.Sensitive)
	return nil
}

// apply changes headers whatever case their names are written in. It builds a new
// map, because the old one belongs to whoever else reads the endpoint.
func (in *EndpointHeadersPatchIn) apply(ep *delivery.Endpoint) error {
	gone := slices.Clone(in.DeleteHeaders)
	for name := range in.Headers {
		gone = append(gone, name)
	}
	next := make(map[string]string, len(ep.Headers)+len(in.Headers))
	for name, value := range ep.Headers {
		if !slices.ContainsFunc(gone, func(g string) bool { return strings.EqualFold(g, name) }) {
			next[name] = value
		}
	}
	for name, value := range in.Headers {
		if value != nil {
			next[name] = *value
		}
	}
	ep.Headers = next
	set(in.Sensitive, &ep.Sensitive)
	return nil
}

// registerEndpointSecrets puts on the mux what an endpoint keeps to itself: its
// secret and its headers.
func (a *api) registerEndpointSecrets() {
	const path = "/app/{app_id}/endpoint/{endpoint_id}"
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.get-secret", Method: http.MethodGet, Path: path + "/secret", Tags: []string{tagEndpoints},
		Summary: "Get an endpoint's secret",
		Description: "The newest one, if several sign at the moment. Where a webhook has room for one, as Zuddl's and iotum's have, the one " +
			"that it carries now, with the `next` one during a grace period. iotum's is the app's signing token.",
	}, accessSeeSecret, a.getSecret)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.rotate-secret", Method: http.MethodPost, Path: path + "/secret/rotate", Tags: []string{tagEndpoints},
		Summary: "Rotate an endpoint's secret", DefaultStatus: http.StatusNoContent,
		Description: "The old secret goes on signing beside the new one for the grace period. Where a webhook has room for one, it goes on " +
			"alone, and the new one follows; a grace period of 0 changes over at once. An endpoint whose secret is the app's signing token " +
			"answers 409: rotate that.",
	}, accessRotate, a.rotateSecret)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.get-headers", Method: http.MethodGet, Path: path + "/headers", Tags: []string{tagEndpoints},
		Summary: "Get an endpoint's headers", Description: "Values of sensitive headers are not shown.",
	}, accessRead, a.getHeaders)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.update-headers", Method: http.MethodPut, Path: path + "/headers", Tags: []string{tagEndpoints},
		Summary: "Replace an endpoint's headers", DefaultStatus: http.StatusNoContent,
	}, accessManage, a.putHeaders)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.patch-headers", Method: http.MethodPatch, Path: path + "/headers", Tags: []string{tagEndpoints},
		Summary: "Change an endpoint's headers", DefaultStatus: http.StatusNoContent,
	}, accessManage, a.patchHeaders)
}

// getSecret answers GET …/secret.
func (a *api) getSecret(ctx context.Context, c *call, in *EndpointPath) (*answer[EndpointSecretOut], error) {
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	secrets := ep.Secrets
	if d, known := a.Dialects.Get(ep.Dialect); known && d.Secrets().PerApp {
		if secrets, err = a.signingTokens(ctx, c); err != nil {
			return nil, err
		}
	}
	return &answer[EndpointSecretOut]{a.showSecret(ep.Dialect, secrets)}, nil
}

// showSecret shows the newest of the secrets of a dialect; where a webhook has room for
// one, the one that it carries, and what comes after it.
func (a *api) showSecret(name string, secrets []delivery.Secret) EndpointSecretOut {
	out := EndpointSecretOut{Warnings: a.advice(name, secrets)}
	if d, known := a.Dialects.Get(name); known && d.Secrets().OneAtATime {
		key, next, at := delivery.Carried(secrets, time.Now())
		out.Key, out.Next = key, pointer(next)
		if out.Next != nil {
			out.NextAt = timePointer(at)
		}
		return out
	}
	if len(secrets) > 0 {
		out.Key = verifyingKey(secrets[0].Value)
	}
	return out
}

// advice is what a dialect warns of in the secret that an endpoint got last.
func (a *api) advice(name string, secrets []delivery.Secret) []string {
	d, known := a.Dialects.Get(name)
	if !known || len(secrets) == 0 {
		return nil
	}
	if text := d.Advice(secrets[0].Value); text != "" {
		return []string{text}
	}
	return nil
}

// verifyingKey is what a receiver needs to verify what a secret signs: the secret
// itself, or the public half where there is one. A private key is not given out.
func verifyingKey(secret string) string {
	if public, private := standard.PublicHalf(secret); private {
		return public.String()
	}
	return secret
}

// rotateSecretIn is what POST …/secret/rotate takes; the body may be absent.
type rotateSecretIn struct {
	EndpointPath
	Body *EndpointSecretRotateIn
}

// rotateSecret answers POST …/secret/rotate with 204. The new secret is fetched from
// its own route, so that it is in no answer that a proxy may log.
func (a *api) rotateSecret(ctx context.Context, c *call, in *rotateSecretIn) (*nothing, error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, in.EndpointID)
	if err != nil {
		return nil, err
	}
	secret, grace := in.Body.read()
	return &nothing{}, a.Ingest.RotateSecret(ctx, c.appRef, ref, c.key(), secret, grace)
}

// read gives the secret, "" for one that is to be made, and the grace period.
func (in *EndpointSecretRotateIn) read() (secret string, grace time.Duration) {
	grace = defaultGrace
	if in == nil {
		return "", grace
	}
	set(in.Key, &secret)
	if s := in.GracePeriodSeconds.Value; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	return secret, grace
}

// getHeaders answers GET …/headers.
func (a *api) getHeaders(ctx context.Context, c *call, in *EndpointPath) (*answer[EndpointHeadersOut], error) {
	ep, err := a.namedEndpoint(ctx, c, in.EndpointID)
	if err != nil {
		return nil, err
	}
	return &answer[EndpointHeadersOut]{showHeaders(&ep)}, nil
}

// putHeadersIn is what PUT …/headers takes.
type putHeadersIn struct {
	EndpointPath
	Body EndpointHeadersIn
}

// putHeaders answers PUT …/headers with 204.
func (a *api) putHeaders(ctx context.Context, c *call, in *putHeadersIn) (*nothing, error) {
	return a.changeHeaders(ctx, c, in.EndpointID, in.Body.replace)
}

// patchHeadersIn is what PATCH …/headers takes.
type patchHeadersIn struct {
	EndpointPath
	Body EndpointHeadersPatchIn
}

// patchHeaders answers PATCH …/headers with 204.
func (a *api) patchHeaders(ctx context.Context, c *call, in *patchHeadersIn) (*nothing, error) {
	return a.changeHeaders(ctx, c, in.EndpointID, in.Body.apply)
}

// changeHeaders changes an endpoint that exists; there is nothing to create here.
func (a *api) changeHeaders(ctx context.Context, c *call, text string, mutate func(*delivery.Endpoint) error) (*nothing, error) {
	ref, err := web.Ref(a.Codec, id.Endpoint, text)
	if err != nil {
		return nil, err
	}
	_, err = a.Ingest.UpdateEndpoint(ctx, c.appRef, ref, false, mutate)
	return &nothing{}, err
}
