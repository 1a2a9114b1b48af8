package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/token"
)

// TestAPIFlags: a token is made for a server of this machine alone.
func TestAPIFlags(t *testing.T) {
	t.Parallel()
	for server, local := range map[string]bool{
		"http://127.0.0.1:8071": true, "http://localhost:8071": true, "https://LOCALHOST": true, "http://[::1]:1": true, "http://127.9.9.9": true,
		"https://example.com": false, "http://10.0.0.1": false, "http://0.0.0.0:8071": false, "http://localhost.example.com": false, "http://[::]:1": false,
	} {
		flags := apiFlags{Server: server, DB: "sqlite:none", JWTSecret: token.NewSecret(testSecret)}
		c, err := flags.client()
		if (err == nil) != local {
			t.Errorf("%s: %v", server, err)
		}
		if err == nil && (c.token == "" || appOfToken(c.token) != "") {
			t.Errorf("%s: a token of an app, or none", server)
		}
		flags.Token.text = "given"
		if c, err := flags.client(); err != nil || c.token != "given" {
			t.Errorf("%s with a token: %v", server, err)
		}
	}
	if text := fmt.Sprintf("%v %+v", bearerToken{"hunter2"}, apiFlags{Token: bearerToken{"hunter2"}}); strings.Contains(text, "hunter2") {
		t.Errorf("a token is printed: %s", text)
	}
}

func TestAppOfToken(t *testing.T) {
	t.Parallel()
	authority, err := token.New(token.Config{Secret: token.NewSecret(testSecret)})
	if err != nil {
		t.Fatal(err)
	}
	const tenant = "app_1234567890abcdefghijklmnopq"
	for want, claims := range map[string]token.Claims{
		"":     {Org: DefaultOrg, Expires: time.Now().Add(time.Hour)},
		tenant: {Org: DefaultOrg, App: tenant},
	} {
		text, err := authority.Mint(claims)
		if err != nil {
			t.Fatal(err)
		}
		if got := appOfToken(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, text := range []string{"", "x", "a.b.c", "..", "e30.e30.x"} {
		if got := appOfToken(text); got != "" {
			t.Errorf("%q has the app %q", text, got)
		}
	}
}
