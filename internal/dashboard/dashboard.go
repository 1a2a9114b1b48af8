// Package dashboard serves the page: one document for every route that the page draws by
// itself, and the files that it loads. Both are built from dashboard-ui and embedded.
//
// Nothing here knows who is looking. The document is the same for everybody and holds no
// data; what it shows comes from the API, which decides. What is decided here is what a
// browser may do with the page: the headers allow no script, style or connection but its own,
// and no frame around it, except that the pages of an app may be framed by the sites that the
// app's org has allowed.
package dashboard

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// dist is the build of dashboard-ui.
//
//go:embed all:dist
var dist embed.FS

// Orgs says which sites an org allows to embed the pages of its apps.
type Orgs interface {
	// OrgOf gives the org of an app, or store.ErrNotFound.
	OrgOf(ctx context.Context, app id.ID) (string, error)
	// Settings gives a zero Doc for an org that never set any.
	Settings(ctx context.Context, org string) (store.OrgSettings, error)
}

// Config is what a Handler is made of.
type Config struct {
	Orgs   Orgs         // required
	Codec  *id.Codec    // required
	Files  fs.FS        // the page, with an index.html; default is the one that is embedded
	NoPlay bool         // whether /play is 404, with the page that says so
	Logger *slog.Logger // default slog.Default()
	// TrustedProxies are those whose X-Forwarded-For is believed, for the log.
	TrustedProxies []netip.Prefix
}

// Handler serves the page. It is safe for concurrent use.
type Handler struct {
	index   []byte
	files   map[string]*file // by path, without index.html
	frames  *frames
	noPlay  bool
	wrapped http.Handler
}

// New reads the files and makes a Handler.
func New(cfg Config) (*Handler, error) {
	if cfg.Orgs == nil || cfg.Codec == nil {
		return nil, errors.New("dashboard: Config.Orgs and Codec are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Files == nil {
		built, err := fs.Sub(dist, "dist")
		if err != nil {
			return nil, err
		}
		cfg.Files = built
	}
	h := &Handler{frames: newFrames(cfg.Orgs, cfg.Codec), noPlay: cfg.NoPlay}
	var err error
	if h.files, err = readFiles(cfg.Files); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	index, ok := h.files[indexPath]
	if !ok {
		return nil, errors.New("dashboard: there is no index.html")
	}
	delete(h.files, indexPath)
	h.index = index.plain.body
	h.wrapped = web.Wrap(http.HandlerFunc(h.serve), cfg.Logger, cfg.TrustedProxies...)
	return h, nil
}

// indexPath is where the document lies among the files.
const indexPath = "/index.html"

// assets is where files lie whose names hold a hash of what is in them.
const assets = "/assets/"

// Serves reports whether a path is the page's: a file of it, or a route that it draws.
func (h *Handler) Serves(path string) bool {
	path = trimmed(path)
	_, isFile := h.files[path]
	return isFile || isDrawn(path) || strings.HasPrefix(path, assets)
}

// trimmed is a path without the slash at its end.
func trimmed(path string) string {
	if path == "/" {
		return path
	}
	return strings.TrimSuffix(path, "/")
}

// isDrawn reports whether the page draws a route by itself. The catalogue's Markdown is not
// its own.
func isDrawn(path string) bool {
	switch path {
	case "/", "/login", "/app", "/play", "/catalog":
		return true
	}
	inCatalog, ok := strings.CutPrefix(path, "/catalog/")
	// An event type below an org may have any ending.
	isMarkdown := strings.HasSuffix(inCatalog, ".md") && !strings.Contains(inCatalog, "/")
	return strings.HasPrefix(path, "/app/") || ok && !isMarkdown
}

// ServeHTTP answers requests for paths that Serves.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.wrapped.ServeHTTP(w, r) }

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	r.Pattern = "dashboard" // for the log, which names no path
	found, isFile := h.files[r.URL.Path]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		web.MethodNotAllowed(w, "GET, HEAD")
	case isFile:
		found.serve(w, r)
	case h.noPlay && r.URL.Path == "/play":
		h.serveIndex(w, r, http.StatusNotFound) // the page says in words that it is switched off
	case isDrawn(r.URL.Path):
		h.serveIndex(w, r, http.StatusOK)
	default:
		web.Fail(w, web.ErrNoRoute())
	}
}

// serveIndex answers with the document. It is small and its headers depend on the route and on
// what the org says now, so nobody keeps it.
func (h *Handler) serveIndex(w http.ResponseWriter, r *http.Request, status int) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy+h.ancestors(r))
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Cache-Control", "no-store")
	common(header)
	send(w, r, status, h.index)
}

// policy is the page's, but for who may frame it, which is its last directive.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors "

// ancestors says who may frame a route.
func (h *Handler) ancestors(r *http.Request) string {
	if r.URL.Path == "/play" {
		return "'self'"
	}
	rest, ofApp := strings.CutPrefix(r.URL.Path, "/app/")
	if !ofApp {
		return "'none'"
	}
	app, _, _ := strings.Cut(rest, "/")
	sites := h.frames.of(r.Context(), app)
	if len(sites) == 0 {
		return "'none'"
	}
	return "'self' " + strings.Join(sites, " ")
}

// common sets what every answer says: what it is holds, and no address that may hold a key
// goes to another site.
func common(header http.Header) {
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
}
