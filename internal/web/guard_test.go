package web_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

// apps is a fake of web.Apps.
type apps struct {
	rows  map[id.ID]store.App
	err   error
	reads int
}

func (a *apps) App(_ context.Context, org string, ref store.Ref) (store.App, error) {
	a.reads++
	app, ok := a.rows[ref.ID]
	switch {
	case a.err != nil:
		return store.App{}, a.err
	case !ok || app.Org != org:
		return store.App{}, store.ErrNotFound
	}
	return app, nil
}

// scene has an org with two apps, and a guard.
type scene struct {
	*web.Guard
	t    *testing.T
	apps *apps
	org  string
}

const (
	acme  id.ID = 1 << 40
	other id.ID = 2 << 40
)

func newScene(t *testing.T) *scene {
	t.Helper()
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := token.New(token.Config{Secret: token.NewSecret("secret")})
	if err != nil {
		t.Fatal(err)
	}
	org := id.OrgFromBytes([20]byte{1})
	fake := &apps{rows: map[id.ID]store.App{
		acme:  {ID: acme, Org: org, UID: "acme"},
		other: {ID: other, Org: org, UID: "other"},
	}}
	return &scene{&web.Guard{Tokens: tokens, Apps: fake, Codec: codec}, t, fake, org}
}

// request carries a token with these claims; the org is the scene's.
func (s *scene) request(c token.Claims) *http.Request {
	s.t.Helper()
	if c.Org == "" {
		c.Org = s.org
	}
	text, err := s.Tokens.Mint(c)
	if err != nil {
		s.t.Fatal(err)
	}
	r := get("/")
	r.Header.Set("Authorization", "Bearer "+text)
	return r
}

func (s *scene) app(a id.ID) string { return s.Codec.Encode(id.App, a) }

func TestAdmit(t *testing.T) {
	t.Parallel()
	now := time.Now()
	read := web.Access{AnyOf: []token.Capability{token.ViewBase}}
	manage := web.Access{AnyOf: []token.Capability{token.ManageEndpoint}, Write: true}
	admin := web.Access{Admin: true, Write: true}
	some := []token.Capability{token.ViewBase}
	const admitted = errs.Internal // the kind of no error

	for _, row := range []struct {
		name   string
		need   web.Access
		claims func(*scene) token.Claims
		change func(*scene)
		want   errs.Kind
	}{
		{"the org's token", admin, func(*scene) token.Claims { return token.Claims{} }, nil, admitted},
		{"the org's, read only, reads", web.Access{Admin: true}, func(*scene) token.Claims { return token.Claims{ReadOnly: true} }, nil, admitted},
		{"the org's, read only, writes", admin, func(*scene) token.Claims { return token.Claims{ReadOnly: true} }, nil, errs.Forbidden},
		{"an app's token", read, func(s *scene) token.Claims { return token.Claims{App: s.app(acme)} }, nil, admitted},
		{"an app's token, all capabilities", manage, func(s *scene) token.Claims { return token.Claims{App: s.app(acme)} }, nil, admitted},
		{"an app's token on an org's route", admin, func(s *scene) token.Claims { return token.Claims{App: s.app(acme)} }, nil, errs.Forbidden},
		{"an app's token lacks the capability", manage, func(s *scene) token.Claims { return token.Claims{App: s.app(acme), Capabilities: some} }, nil, errs.Forbidden},
		{"an app's token has the capability", read, func(s *scene) token.Claims { return token.Claims{App: s.app(acme), Capabilities: some} }, nil, admitted},
		{"an app's token, read only, writes", manage, func(s *scene) token.Claims { return token.Claims{App: s.app(acme), ReadOnly: true} }, nil, errs.Forbidden},
		{"the app is gone", read, func(s *scene) token.Claims { return token.Claims{App: s.app(acme)} }, func(s *scene) { delete(s.apps.rows, acme) }, errs.Unauthenticated},
		{"the app is of another org", read, func(s *scene) token.Claims {
			return token.Claims{App: s.app(acme), Org: id.OrgFromBytes([20]byte{2})}
		}, nil, errs.Unauthenticated},
		{"the app's id is forged", read, func(*scene) token.Claims { return token.Claims{App: "app_0ujsswThIGTUYm2K8FjOOfXtY1K"} }, nil, errs.Unauthenticated},
		{"the app's tokens were expired", read, func(s *scene) token.Claims {
			return token.Claims{App: s.app(acme), IssuedAt: now}
		}, func(s *scene) { s.expire(now.Add(time.Microsecond)) }, errs.Unauthenticated},
		{"the token is younger than the expiry", read, func(s *scene) token.Claims {
			return token.Claims{App: s.app(acme), IssuedAt: now.Truncate(time.Microsecond)}
		}, func(s *scene) { s.expire(now.Truncate(time.Microsecond)) }, admitted},
		{"the store does not answer", read, func(s *scene) token.Claims { return token.Claims{App: s.app(acme)} }, func(s *scene) {
			s.apps.err = &errs.Error{Kind: errs.Unavailable}
		}, errs.Unavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			r := s.request(row.claims(s))
			if row.change != nil {
				row.change(s)
			}
			_, err := s.Admit(r, row.need)
			if errs.KindOf(err) != row.want || (err != nil) != (row.want != admitted) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func (s *scene) expire(from time.Time) {
	app := s.apps.rows[acme]
	app.TokensValidFrom = from
	s.apps.rows[acme] = app
}

func TestAdmitReadsNothingForAnOrg(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	if _, err := s.Admit(s.request(token.Claims{}), web.Access{Admin: true}); err != nil || s.apps.reads != 0 {
		t.Errorf("%d reads, error %v", s.apps.reads, err)
	}
}

func TestAdmitRefusesOddHeaders(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	good := s.request(token.Claims{}).Header.Get("Authorization")
	for name, values := range map[string][]string{
		"none": nil, "empty": {""}, "scheme alone": {"Bearer "}, "another scheme": {"Basic " + good[7:]}, "no scheme": {good[7:]},
		"two headers": {good, good}, "rubbish": {"Bearer x"},
	} {
		r := get("/")
		r.Header["Authorization"] = values
		if _, err := s.Admit(r, web.Access{}); errs.KindOf(err) != errs.Unauthenticated {
			t.Errorf("%s: error %v", name, err)
		}
	}
	r := get("/")
	r.Header.Set("Authorization", "bearer  "+good[7:])
	if _, err := s.Admit(r, web.Access{}); err != nil {
		t.Errorf("lower case: %v", err)
	}
}

func TestAppRef(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var org, app web.Caller
	var err error
	if org, err = s.Admit(s.request(token.Claims{}), web.Access{}); err != nil {
		t.Fatal(err)
	}
	if app, err = s.Admit(s.request(token.Claims{App: s.app(acme)}), web.Access{}); err != nil {
		t.Fatal(err)
	}
	missing := errors.New("missing")
	for _, row := range []struct {
		name   string
		caller *web.Caller
		text   string
		want   store.Ref
		err    error
	}{
		{"org, id", &org, s.app(other), store.Ref{ID: other}, nil},
		{"org, uid", &org, "anything", store.Ref{UID: "anything"}, nil},
		{"org, forged id", &org, "app_0ujsswThIGTUYm2K8FjOOfXtY1K", store.Ref{}, missing},
		{"org, id of another kind", &org, s.Codec.Encode(id.Endpoint, acme), store.Ref{UID: s.Codec.Encode(id.Endpoint, acme)}, nil},
		{"org, nothing", &org, "", store.Ref{}, missing},
		{"app, own id", &app, s.app(acme), store.Ref{ID: acme}, nil},
		{"app, own uid", &app, "acme", store.Ref{ID: acme}, nil},
		{"app, another id", &app, s.app(other), store.Ref{}, missing},
		{"app, another uid", &app, "other", store.Ref{}, missing},
	} {
		got, err := s.AppRef(row.caller, row.text)
		if got != row.want || (err != nil) != (row.err != nil) || err != nil && errs.KindOf(err) != errs.NotFound {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}
