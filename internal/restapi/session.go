package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

// SessionIn is what opens a session of the dashboard.
type SessionIn struct {
	Key    optional[string] `json:"key,omitzero" doc:"What stands behind #key= in a link. It works once."`
	Token  optional[string] `json:"token,omitzero" doc:"A token of the API, instead of a key."`
	Bearer bool             `json:"bearer,omitempty" doc:"Whether to answer with a token instead of setting a cookie: for pages in another site's frame, where cookies are not sent."`
}

// SessionOut is who is signed in and what the dashboard must know.
type SessionOut struct {
	Org            string             `json:"org"`
	App            *SessionApp        `json:"app" doc:"The only app of the session; null = all of the org's."`
	Capabilities   []token.Capability `json:"capabilities" doc:"What the session may do; null = everything."`
	ReadOnly       bool               `json:"readOnly"`
	ExpiresAt      *time.Time         `json:"expiresAt"`
	Token          string             `json:"token,omitempty" doc:"With bearer: what to send in the header Authorization."`
	Embedded       bool               `json:"embedded" doc:"Whether the session is a token in the header Authorization, not a cookie."`
	Brand          Brand              `json:"brand"`
	Play           bool               `json:"play" doc:"Whether there is /play."`
	Version        string             `json:"version"`
	PublicURL      string             `json:"publicUrl"`
	Dialects       []string           `json:"dialects" nullable:"false" doc:"Those that endpoints may use."`
	DefaultDialect string             `json:"defaultDialect" doc:"That of endpoints that name none; empty if there is none left to use."`
	RetrySchedule  []string           `json:"retrySchedule" nullable:"false" doc:"The installation's delays after each failed attempt, for endpoints without a schedule of their own."`
	ServerTime     time.Time          `json:"serverTime"`
}

// SessionApp is the app of a session.
type SessionApp struct {
	ID   string  `json:"id"`
	UID  *string `json:"uid"`
	Name string  `json:"name"`
}

// registerSessions puts the routes of sessions on the mux. A session is a token that a browser
// keeps in a cookie, and so every other route takes it as it takes tokens.
func (a *api) registerSessions() {
	const path = "/auth/session"
	handleOpen(a, huma.Operation{
		OperationID: "v1.authentication.session.open", Method: http.MethodPost, Path: path, Tags: []string{tagAuth},
		Summary: "Sign in", DefaultStatus: http.StatusOK,
		Description: "Takes the key of a link or a token and sets a cookie, which every route takes instead of the header Authorization. " +
			"The session ends with the token, at the latest after 7 days. Browsers may ask from the server's own pages alone.",
		Responses: map[string]*huma.Response{
			"401": {Ref: "#/components/responses/Problem401"}, "403": {Ref: "#/components/responses/Problem403"},
		},
	}, a.openSession)
	handle(a, huma.Operation{
		OperationID: "v1.authentication.session.get", Method: http.MethodGet, Path: path, Tags: []string{tagAuth},
		Summary: "Get the session", Description: "Who the cookie or the token speaks for, and what it may do.",
	}, web.Access{}, a.getSession)
	handleOpen(a, huma.Operation{
		OperationID: "v1.authentication.session.close", Method: http.MethodDelete, Path: path, Tags: []string{tagAuth},
		Summary: "Sign out", DefaultStatus: http.StatusNoContent,
		Description: "Has the browser forget the cookie, whether or not it still holds.",
		Responses:   map[string]*huma.Response{"403": {Ref: "#/components/responses/Problem403"}},
	}, a.closeSession)
}

// errLink answers every key that opens nothing: forged, too old, used, or ended with the app's
// tokens. Which of these it is would help nobody.
var errLink error = errs.New(errs.Unauthenticated, "This link was used or is older than 15 minutes: ask for a new one")

// errToken answers a token that opens nothing.
var errToken error = errs.New(errs.Unauthenticated, "The token is not one of this server, or does not hold any more")

// openSessionIn is what POST /auth/session takes.
type openSessionIn struct {
	Body SessionIn
}

// openSession answers POST /auth/session. It asks for no token, and still no other site may have
// a browser call it: that would sign somebody in as somebody else. A key is used up last, when all
// else is well.
func (a *api) openSession(ctx context.Context, c *call, in *openSessionIn) (*answer[SessionOut], error) {
	c.w.Header().Set("Cache-Control", "no-store")
	if err := a.guard.Cookies.CheckOrigin(c.r); err != nil {
		return nil, err
	}
	from, err := a.verifySession(&in.Body)
	if err != nil {
		return nil, err
	}
	claims := from.ForSession(time.Now())
	caller, err := a.guard.Recognize(ctx, &claims)
	if err != nil {
		return nil, signInError(from, err)
	}
	out, err := a.showSession(ctx, &caller)
	if err != nil {
		return nil, err
	}
	text, err := a.Tokens.Mint(claims)
	if err != nil {
		return nil, err
	}
	if !in.Body.Bearer && !a.guard.Cookies.Fits(text) {
		return nil, errs.New(errs.Forbidden, "The token is too long for a browser's cookie: give it fewer feature flags")
	}
	if err := a.useUp(ctx, from); err != nil {
		return nil, err
	}
	if in.Body.Bearer {
		out.Token, out.Embedded = text, true
	} else {
		a.guard.Cookies.Set(c.w, text, claims.Expires)
	}
	return &answer[SessionOut]{out}, nil
}

// verifySession reads the key or the token that is to open a session.
func (a *api) verifySession(in *SessionIn) (*token.Claims, error) {
	key, text := in.Key.Value, in.Token.Value
	switch {
	case (key == nil) == (text == nil):
		return nil, invalid("give either the key of a link or a token", "body", "key")
	case text != nil:
		return a.verifyPasted(*text)
	}
	claims, err := a.Tokens.VerifyLogin(*key)
	if err != nil {
		return nil, errLink
	}
	return claims, nil
}

// useUp makes a key one that was used; a token can be used any number of times. Nodes' clocks
// differ a little, and a key must be remembered until it has expired for all of them.
func (a *api) useUp(ctx context.Context, from *token.Claims) error {
	if from.Use != token.LoginUse {
		return nil
	}
	first, err := a.Ingest.UseOnce(ctx, "login "+from.ID, from.Expires.Add(time.Hour))
	if err == nil && !first {
		return errLink
	}
	return err
}

// signInError puts what is wrong with whom claims speak for in the words for keys, or for tokens.
func signInError(from *token.Claims, err error) error {
	switch {
	case errs.KindOf(err) != errs.Unauthenticated:
		return err
	case from.Use == token.LoginUse:
		return errLink
	}
	return errToken
}

// verifyPasted reads a token that somebody gives by hand, who may have taken the wrong one.
func (a *api) verifyPasted(text string) (*token.Claims, error) {
	claims, err := a.Tokens.VerifyRead(text)
	switch {
	case err != nil:
		return nil, errToken
	case claims.Use == token.ReadUse:
		return nil, errs.New(errs.Forbidden, "This is a read token, which is for resources under /v1 alone: sign in with one for the API")
	}
	return claims, nil
}

// getSession answers GET /auth/session.
func (a *api) getSession(ctx context.Context, c *call, _ *struct{}) (*answer[SessionOut], error) {
	out, err := a.showSession(ctx, &c.Caller)
	if err != nil {
		return nil, err
	}
	out.Embedded = !c.ByCookie
	return &answer[SessionOut]{out}, nil
}

// closeSession answers DELETE /auth/session with 204. The token itself lives on until it expires,
// and with nobody: only the browser had it.
func (a *api) closeSession(_ context.Context, c *call, _ *struct{}) (*nothing, error) {
	if err := a.guard.Cookies.CheckOrigin(c.r); err != nil {
		return nil, err
	}
	a.guard.Cookies.Clear(c.w)
	return &nothing{}, nil
}

// showSession renders who a caller is.
func (a *api) showSession(ctx context.Context, caller *web.Caller) (SessionOut, error) {
	held, err := a.settingsOf(ctx, caller.Org)
	if err != nil {
		return SessionOut{}, err
	}
	claims := caller.Claims
	out := SessionOut{
		Org: caller.Org, ReadOnly: claims.ReadOnly, ExpiresAt: timePointer(claims.Expires),
		Brand: showBrand(&held.Portal), Play: a.Play != nil, Version: a.Version, PublicURL: a.PublicURL,
		RetrySchedule: durations(a.RetrySchedule), ServerTime: time.Now().UTC(),
	}
	if caller.App != 0 {
		app, err := a.Store.App(ctx, caller.Org, store.Ref{ID: caller.App})
		if err != nil {
			return SessionOut{}, err
		}
		out.App = &SessionApp{ID: a.Codec.Encode(id.App, app.ID), UID: pointer(app.UID), Name: app.Name}
		out.Capabilities = claims.Capabilities
		held = held.Narrowed(app.Dialects, app.DefaultDialect)
	}
	out.Dialects, out.DefaultDialect = append([]string{}, held.Dialects...), held.DefaultDialect
	return out, nil
}
