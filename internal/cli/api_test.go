package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/token"
)

func TestAPIClient(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/base/api/v1/echo":
			_ = json.NewEncoder(w).Encode(map[string]string{
				"method": r.Method, "query": r.URL.RawQuery, "body": string(body),
				"type": r.Header.Get("Content-Type"), "token": r.Header.Get("Authorization"),
			})
		case "/base/api/v1/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/base/api/v1/moved":
			http.Redirect(w, r, "/base/api/v1/echo", http.StatusFound)
		case "/base/api/v1/plain":
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code":"conflict","detail":"It is taken"}`)
		case "/base/api/v1/fields":
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"detail":[{"loc":["body","url"],"msg":"must use https","type":"x"},{"loc":["query","limit"],"msg":"is wrong"}]}`)
		case "/base/api/v1/page":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html>\x1b[2J"+strings.Repeat("x", 1000))
		case "/base/api/v1/garbage":
			_, _ = io.WriteString(w, "<html>")
		}
	}))
	t.Cleanup(server.Close)
	c := newAPIClient(server.URL+"/base/", "hunter2")
	t.Cleanup(c.close)

	var got map[string]string
	for body, in := range map[string]any{
		"":                  nil,
		`{"a":"<&>"}`:       map[string]string{"a": "<&>"},
		`{ "a" : "\u003c"}`: json.RawMessage(`{ "a" : "\u003c"}`),
	} {
		if err := c.do(t.Context(), http.MethodPost, "/echo?a=b", in, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"method": "POST", "query": "a=b", "body": body, "type": "application/json", "token": "Bearer hunter2"}
		if in == nil {
			want["type"] = ""
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if err := c.do(t.Context(), http.MethodDelete, "/nothing", nil, &got); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{
		"/plain":   "GET /api/v1/plain: 409 Conflict: It is taken",
		"/fields":  "GET /api/v1/fields: 422 Unprocessable Entity: body.url must use https; query.limit is wrong",
		"/page":    `GET /api/v1/page: 502 Bad Gateway: <html>\u001b[2J` + strings.Repeat("x", 290),
		"/moved":   "GET /api/v1/moved: 302 Found: ",
		"/garbage": "GET /garbage: the answer is not as expected: ",
	} {
		err := c.do(t.Context(), http.MethodGet, path, nil, &got)
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > len(want)+100 {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	server.Close()
	err := c.do(t.Context(), http.MethodGet, "/echo?secret", nil, nil)
	if _, ok := errors.AsType[*unreachableError](err); !ok || strings.Contains(err.Error(), "secret") {
		t.Errorf("no server: %v", err)
	}
}

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
