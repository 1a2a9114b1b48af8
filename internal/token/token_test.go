package token_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/callboard/callboard/internal/token"
)

const (
	secret = "a secret that is long enough to be one"
	app    = "app_0ujsswThIGTUYm2K8FjOOfXtY1K"
)

func org() string { return id.OrgFromBytes([20]byte{1, 2, 3}) }

func authority(t testing.TB, secret string) *token.Authority {
	t.Helper()
	a, err := token.New(token.Config{Secret: token.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMintAndVerify(t *testing.T) {
	t.Parallel()
	issued := time.Now().UTC().Truncate(time.Microsecond)
	for name, want := range map[string]token.Claims{
		"org":           {Org: org(), IssuedAt: issued},
		"org read only": {Org: org(), ReadOnly: true, IssuedAt: issued, Expires: issued.Add(time.Hour)},
		"app": {
			Org: org(), App: app, IssuedAt: issued, Expires: issued.Add(time.Hour), Session: "s1",
			Capabilities: []token.Capability{token.ViewBase, token.CreateAttempts}, FeatureFlags: []string{"beta"},
		},
		"app that may do nothing": {Org: org(), App: app, IssuedAt: issued, Capabilities: []token.Capability{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := authority(t, secret)
			text, err := a.Mint(want)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from the cache
				got, err := a.Verify(text)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(&want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestMintRefusesWhatVerifyWould(t *testing.T) {
	t.Parallel()
	for _, c := range []token.Claims{{}, {Org: "acme"}, {App: app}, {Org: "org_short", App: app}} {
		if text, err := authority(t, secret).Mint(c); err == nil {
			t.Errorf("%+v was minted as %s", c, text)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	claims := jwt.MapClaims{"sub": org(), "exp": time.Now().Add(time.Hour).Unix()}
	with := func(key string, value any) jwt.MapClaims {
		out := jwt.MapClaims{key: value}
		for k, v := range claims {
			if _, set := out[k]; !set {
				out[k] = v
			}
		}
		return out
	}
	hs256 := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, []byte(secret), c) }
	good := hs256(claims)
	if _, err := authority(t, secret).Verify(good); err != nil {
		t.Fatal("the token that the others are changed from:", err)
	}
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"empty":             "",
		"no JWT":            "testsk_abc",
		"two parts":         parts[0] + "." + parts[1],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"other secret":      sign(t, jwt.SigningMethodHS256, []byte("another"), claims),
		"alg none":          sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims),
		"alg none, signed":  withHeader(`{"alg":"none","typ":"JWT"}`, good),
		"alg HS512":         sign(t, jwt.SigningMethodHS512, []byte(secret), claims),
		"alg RS256":         withHeader(`{"alg":"RS256","typ":"JWT"}`, good),
		"expired":           hs256(with("exp", time.Now().Add(-time.Second).Unix())),
		"not yet valid":     hs256(with("nbf", time.Now().Add(time.Hour).Unix())),
		"exp is no number":  hs256(with("exp", "tomorrow")),
		"exp is no time":    hs256(with("exp", 1e300)),
		"no subject":        hs256(with("sub", "")),
		"subject of no org": hs256(with("sub", "user_1")),
		"short org":         hs256(with("sub", "org_1")),
		"app without org":   hs256(with("sub", app)),
		"login":             hs256(with("use", token.LoginUse)),
		"read":              hs256(with("use", token.ReadUse)),
		"another use":       hs256(with("use", "later")),
		"changed payload":   parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+org()+`"}`)) + "." + parts[2],
		"longer than 8 KiB": hs256(with("pad", strings.Repeat("x", token.MaxBytes))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := authority(t, secret).Verify(text)
			if errs.KindOf(err) != errs.Unauthenticated {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestIssuerIsNotChecked(t *testing.T) {
	t.Parallel()
	text := sign(t, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"sub": org(), "iss": "svix-server", "iat": 1700000000})
	c, err := authority(t, secret).Verify(text)
	if err != nil || c.Org != org() {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestLoginTokenIsNoAPIToken(t *testing.T) {
	t.Parallel()
	a := authority(t, secret)
	login := key(t, a, token.Claims{Org: org(), App: app})
	if _, err := a.Verify(login); err == nil {
		t.Error("a login token passed as an API token")
	}
	if c, err := a.VerifyLogin(login); err != nil || c.App != app {
		t.Errorf("login token: %+v, %v", c, err)
	}
	api, err := a.Mint(token.Claims{Org: org(), App: app})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.VerifyLogin(api); err == nil {
		t.Error("an API token passed as a login token")
	}
}

// TestReadToken: it is no API token, remembered or not; where it is let in, API tokens are
// as well and login tokens are not.
func TestReadToken(t *testing.T) {
	t.Parallel()
	a := authority(t, secret)
	texts := map[string]string{}
	for _, use := range []string{"", token.ReadUse, token.LoginUse, "later"} {
		text, err := a.Mint(token.Claims{Org: org(), App: app, Use: use})
		if err != nil {
			t.Fatal(err)
		}
		texts[use] = text
	}
	for range 2 { // the second time from the cache
		for use, want := range map[string]bool{"": true, token.ReadUse: true, token.LoginUse: false, "later": false} {
			if c, err := a.VerifyRead(texts[use]); (err == nil) != want || want && (c.App != app || c.Use != use) {
				t.Errorf("use %q to read: %+v, %v", use, c, err)
			}
			if _, err := a.Verify(texts[use]); (err == nil) != (use == "") {
				t.Errorf("use %q as an API token: %v", use, err)
			}
		}
	}
	if _, err := a.VerifyLogin(texts[token.ReadUse]); err == nil {
		t.Error("a read token passed as a login token")
	}
}

func TestRememberedTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, secret)
		text, err := a.Mint(token.Claims{Org: org(), Expires: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Verify(text); err != nil {
			t.Fatal(err)
		}
		testenv.Advance(time.Minute)
		if _, err := a.Verify(text); err == nil {
			t.Error("the token outlived its exp in the cache")
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	a, err := token.New(token.Config{Secret: token.NewSecret(secret), MaxCached: 8})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		text, err := a.Mint(token.Claims{Org: org(), Session: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Verify(text); err != nil {
			t.Fatal(err)
		}
		if n := a.Cached(); n > 8 {
			t.Fatalf("%d tokens are remembered, the limit is 8", n)
		}
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	limited := &token.Claims{Org: org(), App: app, Capabilities: []token.Capability{token.ViewBase}}
	for _, row := range []struct {
		name   string
		claims *token.Claims
		anyOf  []token.Capability
		want   bool
	}{
		{"an org token may everything", &token.Claims{Org: org()}, []token.Capability{token.ManageEndpoint}, true},
		{"no list is all", &token.Claims{Org: org(), App: app}, []token.Capability{token.ManageEndpoint}, true},
		{"listed", limited, []token.Capability{token.ViewBase}, true},
		{"one of several", limited, []token.Capability{token.ManageEndpoint, token.ViewBase}, true},
		{"not listed", limited, []token.Capability{token.ManageEndpoint}, false},
		{"an empty list is none", &token.Claims{App: app, Capabilities: []token.Capability{}}, []token.Capability{token.ViewBase}, false},
	} {
		if got := row.claims.May(row.anyOf...); got != row.want {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := token.NewSecret("hunter2hunter2")
	asJSON, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %d %x %q", s, s, s, s, s, s, s), s.LogValue().String(), string(asJSON)} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "104 117") || !strings.Contains(text, "[redacted]") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestEmptySecretIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := token.New(token.Config{}); err == nil {
		t.Error("an empty secret was taken")
	}
}

func BenchmarkVerifyCached(b *testing.B) {
	a := authority(b, secret)
	text, err := a.Mint(token.Claims{Org: org(), Expires: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Verify(text); err != nil {
			b.Fatal(err)
		}
	}
}

func sign(t *testing.T, m jwt.SigningMethod, key any, c jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(m, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withHeader puts another header before a token's payload and signature.
func withHeader(header, text string) string {
	_, rest, _ := strings.Cut(text, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + rest
}
