package app_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
	"github.com/callboard/callboard/internal/token"
)

// signInBody is what a browser posts that has followed a fresh link.
func signInBody(t *testing.T) string {
	t.Helper()
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	link, err := authority.Link("http://127.0.0.1", token.Claims{Org: id.OrgFromBytes([20]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(link, "#key=")
	return `{"key":"` + key + `"}`
}

const sessionPath = "/api/v1/auth/session"

// TestLinkAfterRestart: a link that was followed stays so when the server starts again.
func TestLinkAfterRestart(t *testing.T) {
	cfg := config(t)
	used, unused := signInBody(t), signInBody(t)
	first := started(t, cfg)
	want(t, first, http.StatusOK, http.MethodPost, sessionPath, used)
	stop(t, first)
	second := started(t, cfg)
	want(t, second, http.StatusUnauthorized, http.MethodPost, sessionPath, used)
	want(t, second, http.StatusOK, http.MethodPost, sessionPath, unused)
}

// TestLinkOnTwoNodes: of two processes on one database one takes a link, and a session of one is
// one of both.
func TestLinkOnTwoNodes(t *testing.T) {
	url := postgrestest.Shared(t).NewDatabase(t) // a server that stays for the next test
	cfg := config(t)
	cfg.DB = url
	nodes := []*app.App{started(t, cfg), started(t, cfg)}
	for range 5 {
		body := signInBody(t)
		statuses := make([]int, len(nodes))
		done := make(chan struct{})
		go func() {
			defer close(done)
			statuses[1], _ = call(t, nodes[1], http.MethodPost, sessionPath, body)
		}()
		statuses[0], _ = call(t, nodes[0], http.MethodPost, sessionPath, body)
		<-done
		if statuses[0]+statuses[1] != http.StatusOK+http.StatusUnauthorized {
			t.Errorf("statuses %v", statuses)
		}
	}
}

// TestPageBesideTheAPI: the page takes its own paths and no other's.
func TestPageBesideTheAPI(t *testing.T) {
	a := running(t)
	if a.HasApps() {
		t.Error("a new database has apps")
	}
	for path, wantHTML := range map[string]bool{
		"/": true, "/login": true, "/app/x/endpoints": true, "/play": true, "/catalog/org_1": true,
		"/docs": false, "/api/v1/app": false, "/health": false, "/ready": false, "/metrics": false, "/play/in/x": false, "/in/x": false, "/v1/x": false,
		"/catalog/org_1.md": false, "/nothing": false, "/assets/nothing.js": false,
	} {
		status, body := call(t, a, http.MethodGet, path, "")
		isPage := status == http.StatusOK && strings.Contains(body, "<title>Callboard") && !strings.Contains(body, "OpenAPI")
		if isPage != wantHTML {
			t.Errorf("%s: status %d, %.100s", path, status, body)
		}
	}
	want(t, a, http.StatusMethodNotAllowed, http.MethodPost, "/login", "{}")
}

// TestNoPlayPage: without Play its page is not there either.
func TestNoPlayPage(t *testing.T) {
	quiet := running(t, func(cfg *app.Config) { cfg.NoPlay = true })
	want(t, quiet, http.StatusNotFound, http.MethodGet, "/play", "")
}
