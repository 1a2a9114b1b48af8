package restapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/token"
)

// TestSecretsInTurn shows what deliveries carry now, and what comes next.
func TestSecretsInTurn(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	w.endpoint("a", `,"uid":"e","dialect":"terse","secret":"the first secret"`)
	const path = "/app/a/endpoint/e/secret"
	if got := w.do("GET", path, "").want(200).Body; strings.TrimSpace(got) != `{"key":"the first secret"}` {
		t.Errorf("before: %s", got)
	}
	w.do("POST", path+"/rotate", `{"key":"the second secret","gracePeriodSeconds":3600}`).want(204)
	got := w.do("GET", path, "").want(200)
	if got.text("key") != "the first secret" || got.text("next") != "the second secret" {
		t.Errorf("during the grace period: %s", got.Body)
	}
	if at, err := time.Parse(time.RFC3339, got.text("nextAt")); err != nil || time.Until(at).Round(time.Minute) != time.Hour {
		t.Errorf("nextAt %s", got.text("nextAt"))
	}
	w.do("POST", path+"/rotate", `{"key":"short","gracePeriodSeconds":0}`).want(204)
	if got := w.do("GET", path, "").want(200).Body; strings.TrimSpace(got) != `{"key":"short","warnings":["should be longer"]}` {
		t.Errorf("without grace: %s", got)
	}
	if got := w.do("GET", "/app/a/endpoint/e", "").want(200).json()["warnings"]; got == nil {
		t.Error("the endpoint does not warn of its secret")
	}
	if got := w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","dialect":"terse"}`).want(201).json()["warnings"]; got != nil {
		t.Errorf("an endpoint with a good secret warns of %v", got)
	}
}

// TestSigningToken shows and rotates the secret that the endpoints of an app share.
func TestSigningToken(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	w.app("a")
	w.app("b")
	w.endpoint("a", `,"uid":"e","dialect":"shared"`)
	const path = "/app/a/signing-token"
	first := w.do("GET", path, "").want(200).text("key")
	if !strings.HasPrefix(first, "tok_") || w.do("GET", path, "").want(200).text("key") != first {
		t.Errorf("the token is %q, and another one the second time", first)
	}
	if got := w.do("GET", "/app/a/endpoint/e/secret", "").want(200).text("key"); got != first {
		t.Error("the endpoint's secret is not the app's")
	}
	if got := w.do("GET", "/app/b/signing-token", "").want(200).text("key"); got == first {
		t.Error("two apps have one token")
	}
	if got := w.do("POST", "/app/a/endpoint/e/secret/rotate", `{}`).want(409); !strings.Contains(got.text("detail"), "/signing-token/rotate") {
		t.Errorf("the refusal does not say where to go: %s", got.Body)
	}
	for _, r := range []reply{
		w.do("PATCH", "/app/a/endpoint/e", `{"secret":"tok_x"}`),
		w.do("POST", "/app/a/endpoint", `{"url":"https://example.com","dialect":"shared","secret":"tok_x"}`),
	} {
		if got := locs(r.want(422).json()["detail"]); len(got) != 1 || got[0] != "body.secret" {
			t.Errorf("complaints %v", got)
		}
	}
	w.do("PATCH", "/app/a/endpoint/e", `{"secret":null}`).want(200)
	w.do("POST", path+"/rotate", `{"key":"whsec_x"}`).want(422)
	w.do("POST", path+"/rotate", `{"key":"tok_second"}`).want(204)
	for _, where := range []string{path, "/app/a/endpoint/e/secret"} {
		got := w.do("GET", where, "").want(200)
		if got.text("key") != first || got.text("next") != "tok_second" {
			t.Errorf("%s during the grace period: %s", where, got.Body)
		}
		if at, err := time.Parse(time.RFC3339, got.text("nextAt")); err != nil || time.Until(at).Round(time.Minute) != 24*time.Hour {
			t.Errorf("nextAt %s, want a day from now", got.text("nextAt"))
		}
	}
	w.do("POST", path+"/rotate", `{"gracePeriodSeconds":0}`).want(204)
	if got := w.do("GET", path, "").want(200).text("key"); got == first || got == "tok_second" {
		t.Error("no token was made")
	}
	w.do("POST", path+"/rotate", "").want(204)
	w.do("GET", "/app/unknown/signing-token", "").want(404)
}

// TestSigningTokenAccess gives the token to those who may see an endpoint's secret.
func TestSigningTokenAccess(t *testing.T) {
	t.Parallel()
	w := newCatalogWorld(t)
	app := w.app("a")
	w.app("b")
	with := func(c ...token.Capability) string {
		return w.token(token.Claims{Org: testOrg(1), App: app, Capabilities: c})
	}
	view, see, manage := with(token.ViewBase), with(token.ViewBase, token.ViewEndpointSecret), with(token.ViewBase, token.ManageEndpointSecret)
	for _, tt := range []struct {
		token, method, path string
		want                int
	}{
		{view, "GET", "/app/a/signing-token", 403},
		{see, "GET", "/app/a/signing-token", 200},
		{manage, "GET", "/app/a/signing-token", 200},
		{see, "POST", "/app/a/signing-token/rotate", 403},
		{manage, "POST", "/app/a/signing-token/rotate", 204},
		{see, "GET", "/app/b/signing-token", 404},
		{manage, "POST", "/app/b/signing-token/rotate", 404},
		{w.token(token.Claims{Org: testOrg(2)}), "GET", "/app/" + app + "/signing-token", 404},
	} {
		if got := w.as(tt.token, tt.method, tt.path, ""); got.Status != tt.want {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, got.Status, tt.want)
		}
	}
}
