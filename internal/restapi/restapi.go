// Package restapi is the API. One half delivers: Svix's routes, so that Svix's clients
// work against Callboard unchanged. The other half is live: resources, activities and
// attendance, from which the messages follow by themselves.
//
// It reads through Store and changes through Ingest, and knows nothing of
// dispatch. Most routes are registered with huma, which reads parameters, checks
// bodies against their JSON schema and describes all of it in the OpenAPI
// document. Two things of huma's are replaced: its errors, which echo the value
// that they reject (see problem), and its links to schemas in answers. POST
// …/msg, the one route that is called thousands of times a second, is a plain
// handler (see postMessage) that is described in the same document; so are those
// whose bodies huma cannot read or write: activities and attendance.
//
// What holds for every route:
//   - The token is checked before the body is read, and what the token may do
//     before the path is looked at (package web). A foreign app, a forged id and
//     a thing that does not exist look alike: 404.
//   - A POST under an Idempotency-Key is done once; its answer is rendered from
//     the id of the result by reading it again, so a repetition shows the thing
//     as it is now.
//   - Unknown fields of a body are ignored (resources of the live API keep them), because clients send more than we
//     know; unknown settings are refused, because nobody sends those by accident.
package restapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

// prefix is where the API's routes begin.
const prefix = "/api/v1"

// Config is what the API is made of.
type Config struct {
	Store     Store            // required
	Ingest    Ingest           // required
	Codec     *id.Codec        // required
	Tokens    *token.Authority // required
	Dialects  dialect.Set      // required: at least native
	Catalog   Catalog          // nil = there are no event types besides the orgs' own
	PublicURL string           // required: scheme and host under which clients reach the server
	Inboxes   Inboxes          // nil = no routes for listening
	Feed      Feed             // nil = no stream
	Play      *play.Hub        // nil = no routes of Play. It takes requests by the Inboxes
	Traffic   Traffic          // nil = no statistics over time
	// Ready reports why the server cannot do its work; nil = the store is asked.
	Ready   func() error
	Metrics http.Handler // served at /metrics; nil = not served
	Logger  *slog.Logger // default slog.Default()
	// TrustedProxies are those whose X-Forwarded-For is believed, for the log.
	TrustedProxies []netip.Prefix
	Version        string // of Callboard, for the OpenAPI document; default "dev"
	UserAgent      string // of webhooks, which the API shows; default outgoing.DefaultUserAgent
	// RetrySchedule is that of endpoints without their own, which the API shows; default
	// delivery.DefaultSchedule.
	RetrySchedule []time.Duration
}

// api holds what the handlers need. It does not change after New.
type api struct {
	Config
	lexicon ingest.Lexicon
	maker   outgoing.Maker
	guard   *web.Guard
	huma    huma.API
	mux     *http.ServeMux
	pages   *shelf // the catalogue as Markdown, by org
}

// Catalog are the event types that Callboard has by itself; *catalog.Catalog is the one
// outside of tests.
type Catalog interface {
	ingest.Catalog
	// Types are all of them, sorted by name.
	Types() []dialect.EventType
}

// New makes the handler of the whole API, the documents and the probes.
func New(cfg Config) (http.Handler, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	if cfg.RetrySchedule == nil {
		cfg.RetrySchedule = delivery.DefaultSchedule()
	}
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	cookies, err := web.NewCookies(cfg.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("restapi: %w", err)
	}
	a := &api{
		Config:  cfg,
		lexicon: ingest.Lexicon{Dialects: cfg.Dialects},
		guard:   &web.Guard{Tokens: cfg.Tokens, Apps: cfg.Store, Codec: cfg.Codec, Cookies: cookies},
		maker:   outgoing.Maker{Dialects: cfg.Dialects, UserAgent: cfg.UserAgent},
		mux:     http.NewServeMux(),
		pages:   newShelf(),
	}
	if cfg.Catalog != nil {
		a.lexicon.Catalog = cfg.Catalog
	}
	a.huma = humago.New(a.mux, a.document())
	a.registerRoutes()
	a.serveDocuments()
	return a.atInboxes(web.Wrap(a.mux, cfg.Logger, cfg.TrustedProxies...)), nil
}

func (cfg *Config) check() error {
	if cfg.Store == nil || cfg.Ingest == nil || cfg.Codec == nil || cfg.Tokens == nil {
		return errors.New("restapi: Config.Store, Ingest, Codec and Tokens are required")
	}
	if _, ok := cfg.Dialects.Get(dialect.Native); !ok {
		return errors.New("restapi: Config.Dialects lacks native")
	}
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("restapi: Config.PublicURL must be http:// or https:// and a host")
	}
	return nil
}

// registerRoutes puts every route on the mux, in the order of the document.
func (a *api) registerRoutes() {
	a.registerApps()
	a.registerEndpoints()
	a.registerEndpointSecrets()
	a.registerSigningTokens()
	a.registerEndpointWork()
	a.registerEventTypes()
	a.registerMessages()
	a.registerAttempts()
	a.registerDeliveries()
	a.registerStats()
	a.registerStream()
	a.registerSent()
	a.registerExamples()
	a.registerCatalog()
	a.registerLive()
	a.registerSources()
	a.registerAuth()
	a.registerSessions()
	a.registerTasks()
	a.registerInboxes()
	a.registerPlay()
	a.registerSettings()
	a.registerHealth()
	a.registerLater()
	if a.Metrics != nil {
		a.mux.Handle("GET /metrics", a.Metrics)
	}
	a.mux.HandleFunc("/", a.noRoute)
}

// methods are those that noRoute tries.
var methods = [...]string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
}

// noRoute answers what matches no route: 405 if the path has other methods, else
// 404. It catches everything, so net/http's own plain-text answers never show.
func (a *api) noRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range methods {
		other := http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := a.mux.Handler(&other); pattern != "/" && pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 {
		web.MethodNotAllowed(w, strings.Join(allowed, ", "))
		return
	}
	web.Fail(w, web.ErrNoRoute())
}

// registerLater answers for the routes that are documented and not built yet.
// The token is checked first, so that 501 is told to callers only.
func (a *api) registerLater() {
	for _, r := range svixRoutes {
		if r.Answer != Later {
			continue
		}
		a.mux.HandleFunc(r.Method+" "+r.Path, func(w http.ResponseWriter, req *http.Request) {
			caller, err := a.guard.Admit(req, web.Access{Write: req.Method != http.MethodGet})
			if text := req.PathValue("app_id"); err == nil && text != "" {
				_, err = a.guard.AppRef(&caller, text)
			}
			if err == nil {
				err = &errs.Error{Kind: errs.NotImplemented}
			}
			web.Fail(w, err)
		})
	}
}
