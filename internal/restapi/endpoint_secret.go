package restapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/web"
	"github.com/callboard/callboard/signature"
)

// EndpointSecretOut is what an endpoint's webhooks are signed with.
type EndpointSecretOut struct {
	Key string `json:"key" doc:"What a receiver verifies with: whsec_…, or the public whpk_… of a secret that signs as v1a."`
}

// EndpointSecretRotateIn asks for another secret.
type EndpointSecretRotateIn struct {
	Key                optional[string] `json:"key,omitzero" doc:"The new secret; one is made if there is none."`
	GracePeriodSeconds optional[int64]  `json:"gracePeriodSeconds,omitzero" minimum:"0" maximum:"604800" doc:"How long the old secret goes on signing beside it; 24 hours by default."`
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
		Summary: "Get an endpoint's secret", Description: "The newest one, if several sign at the moment.",
	}, accessSeeSecret, a.getSecret)
	handle(a, huma.Operation{
		OperationID: "v1.endpoint.rotate-secret", Method: http.MethodPost, Path: path + "/secret/rotate", Tags: []string{tagEndpoints},
		Summary: "Rotate an endpoint's secret", DefaultStatus: http.StatusNoContent,
		Description: "The old secret goes on signing beside the new one for the grace period.",
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
	out := EndpointSecretOut{}
	if len(ep.Secrets) > 0 {
		out.Key = verifyingKey(ep.Secrets[0].Value)
	}
	return &answer[EndpointSecretOut]{out}, nil
}

// verifyingKey is what a receiver needs to verify what a secret signs: the secret
// itself, or the public half where there is one. A private key is not given out.
func verifyingKey(secret string) string {
	key, err := signature.ParseKey(secret)
	if err != nil { // of another dialect
		return secret
	}
	if private, ok := key.(signature.SigningKey); ok {
		return private.Public().String()
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
	secret, grace := "", defaultGrace
	if in.Body != nil {
		set(in.Body.Key, &secret)
		if s := in.Body.GracePeriodSeconds.Value; s != nil {
			grace = time.Duration(*s) * time.Second
		}
	}
	return &nothing{}, a.Ingest.RotateSecret(ctx, c.appRef, ref, c.key(), secret, grace)
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
