package restapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/delivery"
)

// registerSigningTokens puts on the mux what endpoints share whose dialect has one
// secret per app. Who may see or rotate an endpoint's secret may do the same here.
func (a *api) registerSigningTokens() {
	const path = "/app/{app_id}/signing-token"
	handle(a, huma.Operation{
		OperationID: "v1.signing-token.get", Method: http.MethodGet, Path: path, Tags: []string{tagEndpoints},
		Summary: "Get an app's signing token",
		Description: "The one secret of all endpoints of the app that speak iotum's dialect, in their header `x-signing-token`. It is made " +
			"when it is first needed. `next` takes its place when its grace period ends.",
	}, accessSeeSecret, a.getSigningToken)
	handle(a, huma.Operation{
		OperationID: "v1.signing-token.rotate", Method: http.MethodPost, Path: path + "/rotate", Tags: []string{tagEndpoints},
		Summary: "Rotate an app's signing token", DefaultStatus: http.StatusNoContent,
		Description: "Deliveries carry the old token for the grace period, and the new one after it; a grace period of 0 changes over at once.",
	}, accessRotate, a.rotateSigningToken)
}

// getSigningToken answers GET …/signing-token.
func (a *api) getSigningToken(ctx context.Context, c *call, _ *AppPath) (*answer[EndpointSecretOut], error) {
	tokens, err := a.signingTokens(ctx, c)
	if err != nil {
		return nil, err
	}
	return &answer[EndpointSecretOut]{a.showSecret(a.tokenDialect(), tokens)}, nil
}

// signingTokens gives the tokens of the path's app, newest first, and makes one if there
// is none. Requests at once get the same one: it is read as it is on disk.
func (a *api) signingTokens(ctx context.Context, c *call) ([]delivery.Secret, error) {
	app, err := c.app(ctx)
	if err != nil || len(app.SigningTokens) > 0 {
		return app.SigningTokens, err
	}
	if err := a.Ingest.GiveSigningToken(ctx, c.appRef); err != nil {
		return nil, err
	}
	app, err = c.app(ctx)
	return app.SigningTokens, err
}

// tokenDialect names the dialect whose secrets are the apps'.
func (a *api) tokenDialect() string {
	for _, name := range a.Dialects.Names() {
		if d, _ := a.Dialects.Get(name); d.Secrets().PerApp {
			return name
		}
	}
	return ""
}

// rotateSigningTokenIn is what POST …/signing-token/rotate takes; the body may be absent.
type rotateSigningTokenIn struct {
	AppPath
	Body *EndpointSecretRotateIn
}

// rotateSigningToken answers POST …/signing-token/rotate with 204.
func (a *api) rotateSigningToken(ctx context.Context, c *call, in *rotateSigningTokenIn) (*nothing, error) {
	token, grace := in.Body.read()
	return &nothing{}, a.Ingest.RotateSigningToken(ctx, c.appRef, c.key(), token, grace)
}
