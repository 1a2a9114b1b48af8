package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// Apps finds an app of an org, or store.ErrNotFound.
type Apps interface {
	App(ctx context.Context, org string, ref store.Ref) (store.App, error)
}

// Access says who may use a route.
type Access struct {
	// Admin keeps tokens of single apps out.
	Admin bool
	// AnyOf are the capabilities of which a token of an app needs one.
	AnyOf []token.Capability
	// Write keeps read-only tokens out.
	Write bool
	// Resource lets read tokens in as well, and takes the token out of the header
	// x-access-token too: for the routes that give what webhooks' resource URLs name.
	Resource bool
}

// Caller is who makes a request.
type Caller struct {
	Org    string
	Claims *token.Claims
	// App is the only app that the caller may see; 0 = all of the org.
	App id.ID
	// appUID is that app's uid, "" = none.
	appUID string
	// ByCookie reports whether the token came in a cookie: who calls is a browser.
	ByCookie bool
}

// Subject names the caller in the scope of idempotency keys.
func (c *Caller) Subject() string { return c.Claims.Subject() }

// Guard decides who may call what.
//
// An org's token is believed as long as it verifies. For an app's token the app's
// row is read with each request: that its tokens were expired, or that it was
// deleted, holds at once and on every node, and costs one read by primary key on
// requests that come from a person's browser. The hot path is the orgs' and reads
// nothing.
type Guard struct {
	Tokens *token.Authority
	Apps   Apps
	Codec  *id.Codec
	// Cookies are taken where there is no header Authorization; nil = none are.
	Cookies *Cookies
}

// errForbidden answers a valid token that may not use a route.
var errForbidden = &errs.Error{Kind: errs.Forbidden}

// errNoRoute answers paths that no route has.
var errNoRoute error = &errs.Error{Kind: errs.NotFound, Detail: "There is no such route"}

// ErrNoRoute is the 404 for a path that no route has.
func ErrNoRoute() error { return errNoRoute }

// Admit checks a request's token against what its route needs.
func (g *Guard) Admit(r *http.Request, need Access) (Caller, error) {
	claims, byCookie, err := g.verify(r, need)
	if err != nil {
		return Caller{}, err
	}
	caller, err := g.Recognize(r.Context(), claims)
	if err != nil {
		return Caller{}, err
	}
	caller.ByCookie = byCookie
	if need.Admin && claims.App != "" || need.Write && claims.ReadOnly || !claims.May(need.AnyOf...) {
		return Caller{}, errForbidden
	}
	return caller, nil
}

// Recognize gives whom claims speak for. Those of an app must be accepted still.
func (g *Guard) Recognize(ctx context.Context, claims *token.Claims) (Caller, error) {
	caller := Caller{Org: claims.Org, Claims: claims}
	if claims.App == "" {
		return caller, nil
	}
	err := g.narrow(ctx, &caller)
	return caller, err
}

// verify finds and reads a request's token, and reports whether a cookie held it. A cookie is
// looked at only if there is no header Authorization: a wrong token is wrong, whoever sent it.
func (g *Guard) verify(r *http.Request, need Access) (claims *token.Claims, byCookie bool, err error) {
	if need.Resource {
		text, ok := accessToken(r)
		if !ok {
			text, _ = bearer(r)
		}
		claims, err = g.Tokens.VerifyRead(text)
		return claims, false, err
	}
	if text, ok := g.cookie(r); ok {
		if err := g.Cookies.CheckOrigin(r); err != nil {
			return nil, true, err
		}
		claims, err = g.Tokens.Verify(text)
		return claims, true, err
	}
	text, _ := bearer(r)
	claims, err = g.Tokens.Verify(text)
	return claims, false, err
}

// cookie finds the token in a request's cookie, if that is where to look.
func (g *Guard) cookie(r *http.Request) (string, bool) {
	if g.Cookies == nil || len(r.Header["Authorization"]) > 0 {
		return "", false
	}
	return g.Cookies.token(r)
}

// accessToken finds the token of a request in Sessionboard's header; it reports whether
// there is that header.
func accessToken(r *http.Request) (string, bool) {
	values := r.Header["X-Access-Token"]
	if len(values) != 1 {
		return "", len(values) > 1
	}
	return strings.TrimSpace(values[0]), true
}

// bearer finds the token of a request.
func bearer(r *http.Request) (string, bool) {
	values := r.Header["Authorization"]
	const scheme = "Bearer "
	if len(values) != 1 || len(values[0]) <= len(scheme) || !strings.EqualFold(values[0][:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(values[0][len(scheme):]), true
}

// narrow limits a caller to the app of its token, which must still accept it.
func (g *Guard) narrow(ctx context.Context, caller *Caller) error {
	app, ok := g.Codec.Decode(id.App, caller.Claims.App)
	if !ok {
		return token.ErrInvalid
	}
	row, err := g.Apps.App(ctx, caller.Org, store.Ref{ID: app})
	if errors.Is(err, store.ErrNotFound) {
		return token.ErrInvalid
	}
	if err != nil {
		return err
	}
	if caller.Claims.IssuedAt.Before(row.TokensValidFrom) {
		return token.ErrInvalid
	}
	caller.App, caller.appUID = row.ID, row.UID
	return nil
}

// AppRef reads what a path names as an app: an id or a uid. A forged id is
// missing without a read, and so is another app than the caller's own. That an
// app of the org exists is for the caller of AppRef to find out.
func (g *Guard) AppRef(caller *Caller, text string) (store.Ref, error) {
	ref, err := Ref(g.Codec, id.App, text)
	if err != nil || caller.App == 0 {
		return ref, err
	}
	if ref.ID != caller.App && (ref.UID == "" || ref.UID != caller.appUID) {
		return store.Ref{}, errs.Missing()
	}
	return store.Ref{ID: caller.App}, nil
}

// Ref reads an id or a uid. Text with the prefix of ids that is no id of this
// installation is missing: no uid may begin so.
func Ref(codec *id.Codec, kind id.Kind, text string) (store.Ref, error) {
	if !strings.HasPrefix(text, kind.Prefix()) {
		if text == "" {
			return store.Ref{}, errs.Missing()
		}
		return store.Ref{UID: text}, nil
	}
	row, ok := codec.Decode(kind, text)
	if !ok {
		return store.Ref{}, errs.Missing()
	}
	return store.Ref{ID: row}, nil
}
