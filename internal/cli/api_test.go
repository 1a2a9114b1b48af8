package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/client"
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

// tenantToken is a token of one app.
func tenantToken(t *testing.T) string {
	t.Helper()
	authority, err := token.New(token.Config{Secret: token.NewSecret(testSecret)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := authority.Mint(token.Claims{Org: DefaultOrg, App: "app_1234567890abcdefghijklmnopq", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTokenOfOneApp: commands that change live state refuse it before they say anything, and
// their help says so. Importing webhooks changes it by way of a source.
func TestTokenOfOneApp(t *testing.T) {
	t.Parallel()
	tenant := tenantToken(t)
	for _, args := range [][]string{{"simulate"}, {"simulate", "--url", "http://127.0.0.1:1"}, {"import", os.DevNull}} {
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), append(args, "--token", tenant), &stdout, &stderr)
		if code == exitOK || stdout.Len() > 0 || !strings.Contains(stderr.String(), "--token: must be the org's") {
			t.Errorf("%v: %d %s %s", args, code, &stdout, &stderr)
		}
	}
	var stdout, stderr bytes.Buffer
	Run(t.Context(), []string{"import", os.DevNull, "--token", tenant, "--dialect", "zuddl", "--server", "http://127.0.0.1:1"}, &stdout, &stderr)
	if !strings.Contains(stderr.String(), "does not answer") { // it was asked: the token is no reason to refuse
		t.Errorf("webhooks: %s", &stderr)
	}
	for command, want := range map[string]string{"simulate": "API, the org's. Default", "import": "API, the org's (of one app will do", "listen": "API, of the org or of one app."} {
		var stdout bytes.Buffer
		Run(t.Context(), []string{command, "--help"}, &stdout, &stdout)
		if said := strings.Join(strings.Fields(stdout.String()), " "); !strings.Contains(said, want) {
			t.Errorf("%s --help lacks %q", command, want)
		}
	}
}

// TestDefaultServer: commands ask the server that would be started in the same environment.
func TestDefaultServer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ listen, cert, want string }{
		{"", "", "http://127.0.0.1:8071"},
		{"127.0.0.1:9000", "", "http://127.0.0.1:9000"},
		{"0.0.0.0:9000", "", "http://localhost:9000"},
		{":9000", "", "http://localhost:9000"},
		{"[::]:9000", "cert.pem", "https://localhost:9000"},
		{"[::1]:9000", "", "http://[::1]:9000"},
		{"", "cert.pem", "https://127.0.0.1:8071"},
		{"nonsense", "", "http://nonsense"},
	} {
		env := map[string]string{"CALLBOARD_LISTEN": row.listen, "CALLBOARD_TLS_CERT": row.cert}
		if got := defaultServer(func(name string) string { return env[name] }); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}

// TestServerOfEnvironment: --server goes before CALLBOARD_SERVER, and that before
// CALLBOARD_LISTEN.
func TestServerOfEnvironment(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := func(args ...string) string {
		var out bytes.Buffer
		Run(ctx, append([]string{"import", os.DevNull, "--token", "x", "--app", "a"}, args...), &out, &out)
		return out.String()
	}
	t.Setenv("CALLBOARD_LISTEN", "127.0.0.1:1")
	help := func() string {
		var out bytes.Buffer
		Run(t.Context(), []string{"import", "--help"}, &out, &out)
		return strings.Join(strings.Fields(out.String()), " ")
	}
	if text := help(); !strings.Contains(text, "Default http://127.0.0.1:1: this machine") {
		t.Errorf("help: %s", text)
	}
	t.Setenv("CALLBOARD_SERVER", "wrong")
	if text := asked(); !strings.Contains(text, "--server: must be an http") {
		t.Errorf("CALLBOARD_SERVER is not asked: %s", text)
	}
	if text := asked("--server", "http://127.0.0.1:2"); strings.Contains(text, "--server") {
		t.Errorf("--server is not asked: %s", text)
	}
}

// away is a server that does not answer for some tries.
type away struct{ tries, until int }

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	a.tries++
	if a.tries <= a.until {
		return nil, errors.New("connection refused")
	}
	body := `{"data":[{"id":"1","status":"applied","messages":[]}]}`
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// TestTellPatiently: a server that is away for a while is waited for, but not for ever.
func TestTellPatiently(t *testing.T) {
	t.Parallel()
	for until, back := range map[int]bool{0: true, 3: true, 20: true, 1000: false} {
		synctest.Test(t, func(t *testing.T) {
			server := &away{until: until}
			c, err := client.New("http://example.com", "x", client.WithHTTPClient(&http.Client{Transport: server}))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			began := time.Now()
			told, err := tellPatiently(t.Context(), c.App("a"), newProgress(&out, false), []json.RawMessage{json.RawMessage(`{"id":"1"}`)})
			if (err == nil) != back || len(told) == 1 != back {
				t.Errorf("away for %d tries: %v, %v", until, told, err)
			}
			if took := time.Since(began); took > 90*time.Second || !back && took < 30*time.Second {
				t.Errorf("away for %d tries: it took %s", until, took)
			}
			want := ""
			if until > 3 {
				want = "the server does not answer, waiting\n"
			}
			if out.String() != want {
				t.Errorf("away for %d tries: %q", until, &out)
			}
		})
	}
}

func TestPassing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err   error
		asked time.Duration
		want  bool
	}{
		{nil, 0, false},
		{errors.New("x"), 0, false},
		{&client.UnreachableError{}, 0, true},
		{&client.Error{Status: 503, RetryAfter: time.Second}, time.Second, true},
		{&client.Error{Status: 429, RetryAfter: 2 * time.Minute}, 0, false},
		{&client.Error{Status: 500}, 0, false},
		{&client.Error{Status: 403}, 0, false},
	} {
		if asked, passes := passing(row.err); asked != row.asked || passes != row.want {
			t.Errorf("%v: %s, %v", row.err, asked, passes)
		}
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
