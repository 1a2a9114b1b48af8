package dashboard_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/dashboard"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// orgs are a fake of dashboard.Orgs: one org with one app.
type orgs struct {
	app   id.ID
	doc   string
	err   error
	reads int
}

const org = "org_0000000000000000000000test1"

func (o *orgs) OrgOf(_ context.Context, app id.ID) (string, error) {
	o.reads++
	if app != o.app && o.err == nil {
		return "", store.ErrNotFound
	}
	return org, o.err
}

func (o *orgs) Settings(_ context.Context, named string) (store.OrgSettings, error) {
	if named != org {
		return store.OrgSettings{}, fmt.Errorf("asked for %s", named)
	}
	return store.OrgSettings{Org: named, Doc: []byte(o.doc)}, nil
}

const (
	index  = "<!doctype html><title>the page</title>"
	script = "console.log('a script that is long enough to be worth compressing, long enough, long enough, long enough')"
	app    = id.ID(7 << 40)
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":       {Data: []byte(index)},
		"favicon.svg":      {Data: []byte("<svg/>")},
		"assets/a-123.js":  {Data: []byte(script)},
		"assets/a-123.css": {Data: []byte("b{}")},
		"assets/a-1.woff2": {Data: []byte(strings.Repeat("f", 5000))},
	}
}

type scene struct {
	*dashboard.Handler
	orgs *orgs
	id   string // of the app
}

func newScene(t *testing.T, changes ...func(*dashboard.Config)) *scene {
	t.Helper()
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{orgs: &orgs{app: app}, id: codec.Encode(id.App, app)}
	cfg := dashboard.Config{Orgs: s.orgs, Codec: codec, Files: built(), Logger: slog.New(slog.DiscardHandler)}
	for _, change := range changes {
		change(&cfg)
	}
	if s.Handler, err = dashboard.New(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks for a path with headers, given as pairs.
func (s *scene) get(path string, headers ...string) *httptest.ResponseRecorder {
	return s.ask(http.MethodGet, path, headers...)
}

func (s *scene) ask(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestRoutes says which paths are the page's, and what becomes of them.
func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for path, want := range map[string]struct {
		serves bool
		status int
	}{
		"/": {true, 200}, "/login": {true, 200}, "/login/": {true, 200}, "/app": {true, 200}, "/app/x": {true, 200}, "/app/x/deliveries/m/e": {true, 200},
		"/play": {true, 200}, "/catalog/org_1": {true, 200}, "/catalog/org_1/a.b": {true, 200}, "/catalog/org_1/a.md": {true, 200}, "/favicon.svg": {true, 200},
		"/assets/a-123.js": {true, 200}, "/assets/gone.js": {true, 404}, "/assets/": {false, 404}, "/assets/../index.html": {true, 404},
		"/catalog/org_1.md": {false, 0}, "/play/in/x": {false, 0}, "/play/x": {false, 0}, "/index.html": {false, 0}, "/api/v1/app": {false, 0},
		"/docs": {false, 0}, "/metrics": {false, 0}, "/in/src_1": {false, 0}, "/v1/event/1": {false, 0}, "/applications": {false, 0}, "": {false, 0},
	} {
		if got := s.Serves(path); got != want.serves {
			t.Errorf("%s: serves %v", path, got)
		}
		if want.status == 0 {
			continue
		}
		got := s.get(path)
		if got.Code != want.status {
			t.Errorf("%s: status %d, want %d", path, got.Code, want.status)
		}
		if got.Code == 404 && strings.Contains(got.Body.String(), "<") {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if got := s.ask(method, "/login"); got.Code != 405 || got.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, got.Code, got.Header().Get("Allow"))
		}
	}
}

func TestNoPlay(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(cfg *dashboard.Config) { cfg.NoPlay = true })
	if got := s.get("/play"); got.Code != 404 || got.Body.String() != index {
		t.Errorf("status %d, %q; want the page, to say so in words", got.Code, got.Body)
	}
	if got := s.get("/login"); got.Code != 200 {
		t.Errorf("status %d for another page", got.Code)
	}
}

// TestPage looks at what a browser is told of the document.
func TestPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	got := s.get("/login")
	if got.Body.String() != index {
		t.Errorf("body %q", got.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
			"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-store",
		"Content-Length":             fmt.Sprint(len(index)),
	} {
		if got := got.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(got.Header().Get("Permissions-Policy"), "camera=()") {
		t.Errorf("Permissions-Policy %q", got.Header().Get("Permissions-Policy"))
	}
	head := s.ask(http.MethodHead, "/login")
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(index)) {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
}

// framers is the last directive of a page's policy.
func (s *scene) framers(path string) string {
	_, framers, _ := strings.Cut(s.get(path).Header().Get("Content-Security-Policy"), "frame-ancestors ")
	return framers
}

// TestFrames: the pages of an app may be framed by whom its org allows, all others by nobody;
// and what cannot be an app costs no read.
func TestFrames(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.orgs.doc = `{"portal":{"allowedOrigins":["https://a.example","https://b.example:8443"]}}`
	const allowed = "'self' https://a.example https://b.example:8443"
	for path, want := range map[string]string{
		"/app/" + s.id: allowed, "/app/" + s.id + "/endpoints": allowed, "/app/" + s.id + "/login": allowed,
		"/": "'none'", "/login": "'none'", "/app": "'none'", "/catalog/" + org: "'none'", "/play": "'self'",
		"/app/acme": "'none'", "/app/app_000000000000000000000000000": "'none'", "/app/" + strings.ToUpper(s.id): "'none'",
	} {
		if got := s.framers(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if s.orgs.reads != 1 {
		t.Errorf("%d reads", s.orgs.reads)
	}
}

// TestFramesFollowTheSettings: what an org says holds within seconds, and a store that does not
// answer lets nobody in and is asked again.
func TestFramesFollowTheSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		path := "/app/" + s.id
		s.orgs.err = errors.New("the database is away")
		if got := s.framers(path); got != "'none'" {
			t.Errorf("without a store: %s", got)
		}
		s.orgs.err = nil
		s.orgs.doc = `{"portal":{"allowedOrigins":["https://a.example"]}}`
		if got := s.framers(path); got != "'self' https://a.example" {
			t.Errorf("allowed: %s", got)
		}
		s.orgs.doc = `{}`
		testenv.Advance(6 * time.Second)
		if got := s.framers(path); got != "'none'" {
			t.Errorf("taken back: %s", got)
		}
		s.orgs.app = 0
		testenv.Advance(6 * time.Second)
		if got := s.framers(path); got != "'none'" {
			t.Errorf("of a deleted app: %s", got)
		}
	})
}

func TestFiles(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for path, want := range map[string][2]string{
		"/assets/a-123.js":  {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/assets/a-123.css": {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		"/assets/a-1.woff2": {"font/woff2", "public, max-age=31536000, immutable"},
		"/favicon.svg":      {"image/svg+xml", "no-cache"},
	} {
		got := s.get(path, "Cookie", "callboard=x")
		if h := got.Header(); h.Get("Content-Type") != want[0] || h.Get("Cache-Control") != want[1] || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("ETag") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestGzip asks in several ways for a file that is worth compressing, and for two that are not.
func TestGzip(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "GZIP": true, "*": true, "gzip;q=0": false, "gzip; q=0.0, *": false, "*;q=0": false,
		"br": false, "gzipped": false, "identity, *;q=0.1": true, "gzip;q=x": false,
	} {
		got := s.get("/assets/a-123.js", "Accept-Encoding", accept)
		packed := got.Header().Get("Content-Encoding") == "gzip"
		if packed != want || got.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: compressed %v, Vary %q", accept, packed, got.Header().Get("Vary"))
		}
		if text := read(t, got); text != script {
			t.Errorf("%q: %q", accept, text)
		}
	}
	for _, path := range []string{"/assets/a-123.css", "/assets/a-1.woff2"} {
		if got := s.get(path, "Accept-Encoding", "gzip").Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%s is %s", path, got)
		}
	}
}

// read gives a body as it was before it was compressed.
func read(t *testing.T, got *httptest.ResponseRecorder) string {
	t.Helper()
	var body io.Reader = got.Body
	if got.Header().Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestETag: who has a file is not sent it, and compressed and plain are two.
func TestETag(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const path = "/assets/a-123.js"
	plain, packed := s.get(path).Header().Get("ETag"), s.get(path, "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == packed {
		t.Errorf("both are %s", plain)
	}
	for has, want := range map[string]int{
		plain: 304, "W/" + plain: 304, `"x", ` + plain: 304, "*": 304, packed: 200, `"x"`: 200, strings.Trim(plain, `"`): 200,
	} {
		if got := s.get(path, "If-None-Match", has); got.Code != want || want == 304 && got.Body.Len() > 0 {
			t.Errorf("%s: status %d, %d bytes, want %d", has, got.Code, got.Body.Len(), want)
		}
	}
	if got := s.get(path, "If-None-Match", packed, "Accept-Encoding", "gzip"); got.Code != 304 {
		t.Errorf("compressed: status %d", got.Code)
	}
}

// TestNew refuses a build that would not work.
func TestNew(t *testing.T) {
	t.Parallel()
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]fstest.MapFS{
		"without a document":   {"assets/a.js": {}},
		"with an unknown file": {"index.html": {}, "assets/a.exe": {}},
	} {
		if _, err := dashboard.New(dashboard.Config{Orgs: &orgs{}, Codec: codec, Files: files}); err == nil {
			t.Errorf("a build %s was taken", name)
		}
	}
	if _, err := dashboard.New(dashboard.Config{}); err == nil {
		t.Error("an empty Config was taken")
	}
}

// TestEmbedded: what is built into the binary is a page that keeps to the policy.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(cfg *dashboard.Config) { cfg.Files = nil })
	got := s.get("/")
	if got.Code != 200 || !strings.Contains(got.Body.String(), "<title>") {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	for _, refused := range []string{"<style", "style=", "<script>", "onload=", "http:", "https:"} {
		if strings.Contains(got.Body.String(), refused) {
			t.Errorf("the document holds %s", refused)
		}
	}
}
