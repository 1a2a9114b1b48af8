package restapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// minSession is the shortest life of what app-portal-access gives out.
const minSession = time.Hour

// AppPortalAccessIn says what a tenant may do in its portal.
type AppPortalAccessIn struct {
	Capabilities []token.Capability `json:"capabilities,omitempty" enum:"ViewBase,ViewEndpointSecret,ManageEndpointSecret,ManageTransformations,CreateAttempts,ManageEndpoint" doc:"What the token may do; all if absent, nothing if the list is empty."`
	FeatureFlags []string           `json:"featureFlags,omitempty" doc:"Flags of event types that the token may see."`
	ReadOnly     bool               `json:"readOnly,omitempty" doc:"Whether the token may only read."`
	Expiry       optional[int64]    `json:"expiry,omitzero" minimum:"3600" maximum:"604800" doc:"Life of token and session in seconds; 7 days by default."`
	SessionID    optional[string]   `json:"sessionId,omitzero" maxLength:"256" doc:"Your own name of the session."`
	Application  *ApplicationIn     `json:"application,omitempty" doc:"Creates the app if there is none of the path's uid."`
}

// AppPortalAccessOut is a way into the portal.
type AppPortalAccessOut struct {
	URL   string `json:"url" doc:"A link into the portal; it works once within 15 minutes."`
	Token string `json:"token" doc:"A token for the API, limited to the app."`
}

// ApplicationTokenExpireIn is Svix's; see expireAll for what of it has a meaning.
type ApplicationTokenExpireIn struct {
	Expiry     optional[int64]    `json:"expiry,omitzero" doc:"Seconds until the tokens are refused; only 0 is supported."`
	SessionIDs optional[[]string] `json:"sessionIds,omitzero" doc:"Not supported: all of the app's tokens expire."`
}

// registerAuth puts on the mux what gives tenants their tokens.
func (a *api) registerAuth() {
	handle(a, huma.Operation{
		OperationID: "v1.authentication.app-portal-access", Method: http.MethodPost, Path: "/auth/app-portal-access/{app_id}", Tags: []string{tagAuth},
		Summary: "Give a tenant access to its portal", DefaultStatus: http.StatusOK,
		Description: "Makes a token that is limited to the app and a link into its portal. A repetition makes new ones.",
	}, accessAdminWrite, a.portalAccess)
	handle(a, huma.Operation{
		OperationID: "v1.authentication.dashboard-access", Method: http.MethodPost, Path: "/auth/dashboard-access/{app_id}", Tags: []string{tagAuth},
		Summary: "Give a tenant access to its portal", DefaultStatus: http.StatusOK, Deprecated: true,
		Description: "The older form of app-portal-access, without a body.",
	}, accessAdminWrite, a.dashboardAccess)
	handle(a, huma.Operation{
		OperationID: "v1.authentication.expire-all", Method: http.MethodPost, Path: "/auth/app/{app_id}/expire-all", Tags: []string{tagAuth},
		Summary: "Expire an app's tokens", DefaultStatus: http.StatusNoContent,
		Description: "Refuses every token of the app that was made before this request, at once: its sessions end, and links that nobody has followed lead nowhere.",
	}, accessAdminWrite, a.expireAll)
}

// portalAccessIn is what POST /auth/app-portal-access/{app_id} takes; the body may be
// absent.
type portalAccessIn struct {
	AppPath
	Body *AppPortalAccessIn
}

// portalAccess answers POST /auth/app-portal-access/{app_id}. It is rendered afresh
// each time, Idempotency-Key or not: an answer that carries a secret is not kept.
func (a *api) portalAccess(ctx context.Context, c *call, in *portalAccessIn) (*answer[AppPortalAccessOut], error) {
	ask := in.Body
	if ask == nil {
		ask = &AppPortalAccessIn{}
	}
	app, err := a.appOrCreate(ctx, c, ask.Application)
	if err != nil {
		return nil, err
	}
	return a.grant(&app, ask)
}

// dashboardAccess answers the older route, which has no body.
func (a *api) dashboardAccess(ctx context.Context, c *call, _ *AppPath) (*answer[AppPortalAccessOut], error) {
	app, err := c.app(ctx)
	if err != nil {
		return nil, err
	}
	return a.grant(&app, &AppPortalAccessIn{})
}

// appOrCreate reads the path's app; if there is none and the caller described
// one, it is created.
func (a *api) appOrCreate(ctx context.Context, c *call, in *ApplicationIn) (store.App, error) {
	app, err := c.app(ctx)
	if in == nil || c.appRef.UID == "" || !errors.Is(err, store.ErrNotFound) {
		return app, err
	}
	if err := a.createNamed(ctx, c.appRef, in); err != nil {
		return store.App{}, err
	}
	return c.app(ctx)
}

// grant mints the token for the API and makes the link, whose key cannot call the API.
func (a *api) grant(app *store.App, in *AppPortalAccessIn) (*answer[AppPortalAccessOut], error) {
	life := token.MaxSession
	if s := in.Expiry.Value; s != nil {
		life = min(max(time.Duration(*s)*time.Second, minSession), token.MaxSession)
	}
	now := time.Now()
	claims := token.Claims{
		Org: app.Org, App: a.Codec.Encode(id.App, app.ID),
		Capabilities: in.Capabilities, FeatureFlags: in.FeatureFlags, ReadOnly: in.ReadOnly,
		IssuedAt: now, Expires: now.Add(life),
	}
	set(in.SessionID, &claims.Session)
	text, err := a.Tokens.Mint(claims)
	if err != nil {
		return nil, err
	}
	link, err := a.Tokens.Link(a.PublicURL, claims)
	if err != nil {
		return nil, err
	}
	return &answer[AppPortalAccessOut]{AppPortalAccessOut{URL: link, Token: text}}, nil
}

// expireAllIn is what POST /auth/app/{app_id}/expire-all takes; the body may be absent.
type expireAllIn struct {
	AppPath
	Body *ApplicationTokenExpireIn
}

// expireAll refuses the app's tokens from now on. Svix can also do so later, or
// for some sessions only; what we cannot do is refused, not ignored, because
// somebody relies on it.
func (a *api) expireAll(ctx context.Context, c *call, in *expireAllIn) (*nothing, error) {
	if in.Body != nil {
		if s := in.Body.Expiry.Value; s != nil && *s != 0 {
			return nil, invalid("only 0 is supported: tokens expire at once", "body", "expiry")
		}
		if ids := in.Body.SessionIDs.Value; ids != nil && len(*ids) > 0 {
			return nil, invalid("is not supported: leave it out to expire all of the app's tokens", "body", "sessionIds")
		}
	}
	return &nothing{}, a.Ingest.ExpireTokens(ctx, c.appRef, time.Now())
}
