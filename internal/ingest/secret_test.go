package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/signature"
)

// carried says what requests carry now and next.
func carried(secrets []delivery.Secret) string {
	key, next, _ := delivery.Carried(secrets, time.Now())
	return strings.TrimSpace(key + " " + next)
}

// TestRotationOneAtATime rotates quickly: each value has its turn, the old one first.
func TestRotationOneAtATime(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		ep := e.Endpoint(app, func(p *delivery.Endpoint) {
			p.Dialect, p.Secrets = ingesttest.Terse, []delivery.Secret{{Value: "a"}}
		})
		rotate := func(secret string, grace time.Duration) {
			t.Helper()
			if err := e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, secret, grace); err != nil {
				t.Fatal(err)
			}
		}
		want := func(when, want string) {
			t.Helper()
			if got := carried(endpoint(t, e, ep).Secrets); got != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		want("in the beginning", "a")
		rotate("b", time.Hour)
		want("during the grace period", "a b")
		testenv.Advance(time.Minute)
		rotate("c", time.Hour)
		want("after a second rotation", "a b")
		testenv.Advance(59 * time.Minute)
		want("when the first is over", "b c")
		testenv.Advance(time.Minute)
		want("when both are over", "c")
		rotate("d", time.Hour)
		rotate("c", time.Hour)
		want("after going back to what is carried", "c")
		rotate("d", time.Hour)
		rotate("d", 10*time.Minute)
		want("after a rotation to the newest", "c d")
		testenv.Advance(10 * time.Minute)
		want("whose period is shorter", "d")
		rotate("e", time.Hour)
		rotate("f", 0)
		want("without grace", "f")
		for i := range 12 {
			rotate(fmt.Sprint(i), time.Hour)
			testenv.Advance(time.Second)
		}
		if got := carried(endpoint(t, e, ep).Secrets); !strings.HasPrefix(got, "f ") {
			t.Errorf("after many rotations: %q, want what receivers know first", got)
		}
		if got := len(endpoint(t, e, ep).Secrets); got != 8 {
			t.Errorf("%d secrets are kept, want 8", got)
		}
		testenv.Advance(time.Hour)
		want("in the end", "11")
	})
}

// tokens gives an app's signing tokens.
func tokens(t *testing.T, e *ingesttest.Engine, app ingest.AppRef) []delivery.Secret {
	t.Helper()
	got, err := e.Store.App(t.Context(), app.Org, app.Ref)
	if err != nil {
		t.Fatal(err)
	}
	return got.SigningTokens
}

// shared makes an endpoint whose secret is the app's.
func shared(p *delivery.Endpoint) { p.Dialect = ingesttest.Shared }

// TestSigningToken makes a token when it is first needed, and the same one for all.
func TestSigningToken(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app, other := e.App(), e.App()
	e.Endpoint(app)
	if got := tokens(t, e, app); got != nil {
		t.Errorf("an app that needs none has %d tokens", len(got))
	}
	succeeded, failed := atOnce(8, func(int) error { return e.Service.GiveSigningToken(t.Context(), app) })
	first := tokens(t, e, app)
	if succeeded != 8 || len(first) != 1 || !strings.HasPrefix(first[0].Value, "tok_") {
		t.Fatalf("%d succeeded, %v failed, %d tokens", succeeded, failed, len(first))
	}
	ep := e.Endpoint(app, shared)
	e.Endpoint(other, shared)
	e.Restart()
	if diff := cmp.Diff(first, tokens(t, e, app)); diff != "" {
		t.Errorf("the token changed (-first +later):\n%s", diff)
	}
	if got := tokens(t, e, other); len(got) != 1 || got[0] == first[0] {
		t.Error("another app has no token of its own")
	}
	if got := endpoint(t, e, ep).Secrets; len(got) != 0 {
		t.Errorf("the endpoint has %d secrets of its own", len(got))
	}
	wantKind(t, errs.NotFound, e.Service.GiveSigningToken(t.Context(), byUID("unknown")))
	wantKind(t, errs.NotFound, e.Service.RotateSigningToken(t.Context(), byUID("unknown"), ingest.Key{}, "", 0))
}

// TestRotateSigningToken changes over as an endpoint's secret does.
func TestRotateSigningToken(t *testing.T) {
	t.Parallel()
	ingesttest.Bubble(t, func(t *testing.T, e *ingesttest.Engine) {
		app := e.App()
		rotate := func(key, token string, grace time.Duration) error {
			return e.Service.RotateSigningToken(t.Context(), app, ingest.Key{Scope: "s", Value: key}, token, grace)
		}
		want := func(want string) {
			t.Helper()
			if got := carried(tokens(t, e, app)); got != want {
				t.Errorf("tokens %q, want %q", got, want)
			}
		}
		for _, err := range []error{rotate("", "tok_a", time.Hour), rotate("1", "tok_b", time.Hour)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		want("tok_a tok_b")
		testenv.Advance(time.Hour)
		want("tok_b")
		if err := rotate("1", "tok_b", time.Hour); err != nil { // a repetition
			t.Fatal(err)
		}
		want("tok_b")
		if err := rotate("", "", 0); err != nil {
			t.Fatal(err)
		}
		if got := tokens(t, e, app); len(got) != 1 || got[0].Value == "tok_b" {
			t.Error("no token was made")
		}
		for want, err := range map[string]error{
			"body.key":                rotate("", marker, 0),
			"body.gracePeriodSeconds": rotate("", "", -1),
		} {
			if diff := cmp.Diff([]string{want}, fields(t, err)); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
		}
	})
}

// TestSharedSecretIsTheApps refuses to give an endpoint a secret that it does not have.
func TestSharedSecretIsTheApps(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	_, err := e.Service.CreateEndpoint(t.Context(), app, ingest.Key{}, delivery.Endpoint{
		URL: "https://example.com", Dialect: ingesttest.Shared, Secrets: []delivery.Secret{{Value: "tok_" + marker}},
	})
	if diff := cmp.Diff([]string{"body.secret"}, fields(t, err)); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
	if got := tokens(t, e, app); got != nil {
		t.Error("a refused endpoint has given the app a token")
	}
	ep := e.Endpoint(app, shared)
	_, err = e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
		p.Secrets = []delivery.Secret{{Value: "tok_" + marker}}
		return nil
	})
	if diff := cmp.Diff([]string{"body.secret"}, fields(t, err)); diff != "" {
		t.Errorf("complaints of a change (-want +got):\n%s", diff)
	}
	err = e.Service.RotateSecret(t.Context(), app, store.Ref{ID: ep}, ingest.Key{}, "", 0)
	wantKind(t, errs.Conflict, err)
	if !strings.Contains(fmt.Sprint(err), "/signing-token/rotate") {
		t.Errorf("%v does not say where to go", err)
	}
}

// TestNoSharedSecrets has nothing to show where no dialect has such secrets.
func TestNoSharedSecrets(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	s := serviceOf(t, e, func(cfg *ingest.Config) { cfg.Dialects = dialect.NewSet(native.Dialect{}) })
	app := e.App()
	wantKind(t, errs.NotFound, s.GiveSigningToken(t.Context(), app))
	wantKind(t, errs.NotFound, s.RotateSigningToken(t.Context(), app, ingest.Key{}, "", 0))
}

// TestSecretFollowsTheDialect changes an endpoint's dialect: a secret that does not fit
// gives way to a new one, unless the change brings one.
func TestSecretFollowsTheDialect(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	long := "whsec_" + strings.Repeat("A", 86) + "==" // more than Terse takes
	ep := e.Endpoint(app, func(p *delivery.Endpoint) { p.Secrets = []delivery.Secret{{Value: long}} })
	change := func(name string, secrets ...delivery.Secret) ([]delivery.Secret, error) {
		_, err := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
			p.Dialect = name
			if secrets != nil {
				p.Secrets = secrets
			}
			return nil
		})
		return endpoint(t, e, ep).Secrets, err
	}
	fresh, err := change(ingesttest.Terse)
	if err != nil || len(fresh) != 1 || fresh[0].Value == long {
		t.Errorf("a secret that does not fit: %d secrets, %v", len(fresh), err)
	}
	kept, err := change("native")
	if diff := cmp.Diff(fresh, kept); err != nil || diff != "" {
		t.Errorf("a secret that fits (%v, -before +after):\n%s", err, diff)
	}
	brought, err := change(ingesttest.Terse, delivery.Secret{Value: "mine"})
	if diff := cmp.Diff([]delivery.Secret{{Value: "mine"}}, brought); err != nil || diff != "" {
		t.Errorf("a secret that came with the change (%v, -want +got):\n%s", err, diff)
	}
	_, err = change("native", delivery.Secret{Value: marker})
	if diff := cmp.Diff([]string{"body.secret"}, fields(t, err)); diff != "" {
		t.Errorf("one that came and does not fit: complaints (-want +got):\n%s", diff)
	}
	none, err := change(ingesttest.Shared)
	if err != nil || len(none) != 0 || len(tokens(t, e, app)) != 1 {
		t.Errorf("the app's secret: %d secrets, %d tokens, %v", len(none), len(tokens(t, e, app)), err)
	}
	own, err := change("native")
	if err != nil || len(own) != 1 || !strings.HasPrefix(own[0].Value, "whsec_") {
		t.Errorf("a secret of its own again: %d secrets, %v", len(own), err)
	}
}

// TestPrivateKeyStays: a private key, of which the API shows the public half alone, does
// not become a secret that both sides have and that the API therefore shows.
func TestPrivateKeyStays(t *testing.T) {
	t.Parallel()
	e := ingesttest.New(t)
	app := e.App()
	private := signature.GenerateSigningKey().Reveal()
	ep := e.Endpoint(app, func(p *delivery.Endpoint) { p.Secrets = []delivery.Secret{{Value: private}} })
	change := func(name string) []delivery.Secret {
		_, err := e.Service.UpdateEndpoint(t.Context(), app, store.Ref{ID: ep}, false, func(p *delivery.Endpoint) error {
			p.Dialect = name
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return endpoint(t, e, ep).Secrets
	}
	if got := change(ingesttest.Terse); len(got) != 1 || got[0].Value == private {
		t.Error("the private key is now a shared secret")
	}
}
