// Package readapi serves the addresses that webhooks of the Sessionboard dialect name in
// metadata.resource_url: GET /v1/event/{event}/sessions/{id} and its neighbours, in the
// form of Sessionboard's public API.
//
// It is a door of its own because it is a vendor's: the token comes in the header
// x-access-token, errors are {error, message}, lists go by page number, and those who
// call it are the receivers of webhooks, who know nothing of the API under /api/v1. A
// read token opens this door and no other. What a resource looks like is written by the
// code that writes it into webhooks (package sessionboard), so the two cannot come to
// differ.
//
// It only reads, and keeps nothing between requests: each answer is the state that is
// committed by then, and may be newer than the webhook that named the address. What was
// deleted meanwhile, what belongs to another app or org, and what never was look alike:
// 404.
package readapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/callboard/callboard/internal/dialect/sessionboard"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/web"
)

// Prefix is where the addresses begin.
const Prefix = "/v1/"

// Store is what is read. What is not there is store.ErrNotFound; a deleted app is not.
type Store interface {
	App(ctx context.Context, org string, ref store.Ref) (store.App, error)
	Object(ctx context.Context, k live.Key) (live.Row, error)
	// CountedObjects gives resources by their place, and how many there are in all.
	CountedObjects(ctx context.Context, q store.ObjectQuery) (rows []live.Row, total int, err error)
}

// Config is what the API is made of.
type Config struct {
	Store  Store            // required
	Codec  *id.Codec        // required
	Tokens *token.Authority // required
	Logger *slog.Logger     // default slog.Default()
	// TrustedProxies are those whose X-Forwarded-For is believed, for the log.
	TrustedProxies []netip.Prefix
}

// api holds what the handlers need. It does not change after New.
type api struct {
	Config
	guard web.Guard
	mux   *http.ServeMux
}

// New makes the handler of everything under Prefix.
func New(cfg Config) (http.Handler, error) {
	if cfg.Store == nil || cfg.Codec == nil || cfg.Tokens == nil {
		return nil, errors.New("readapi: Config.Store, Codec and Tokens are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a := &api{
		Config: cfg,
		guard:  web.Guard{Tokens: cfg.Tokens, Apps: cfg.Store, Codec: cfg.Codec},
		mux:    http.NewServeMux(),
	}
	for _, r := range sessionboard.Resources() {
		a.register(resource{Resource: r, kind: kinds[r.Noun]})
	}
	a.mux.HandleFunc("/", a.noRoute)
	return web.WrapAs(write, a.mux, cfg.Logger, cfg.TrustedProxies...), nil
}

// kinds are the rows of live state that hold the resources.
var kinds = map[string]live.Kind{"session": live.Session, "contact": live.Contact, "exhibitor": live.Exhibitor, "sponsor": live.Sponsor}

// resource is a kind of resource that has addresses.
type resource struct {
	sessionboard.Resource
	kind live.Kind
}

// register puts the addresses of a kind on the mux. A session is never without an event.
func (a *api) register(r resource) {
	event, org := "GET "+Prefix+"event/{event}/"+r.Plural, "GET "+Prefix+"organization/{org_id}/"+r.Plural
	a.handle(event, r, a.ofEvent, a.list)
	a.handle(event+"/{id}", r, a.ofEvent, a.get)
	if r.kind != live.Session {
		a.handle(org, r, a.ofOrganization, a.list)
		a.handle(org+"/{id}", r, a.ofOrganization, a.get)
	}
}

// access is what a token needs: of an app's tokens, those that may look at anything.
var access = web.Access{AnyOf: []token.Capability{token.ViewBase}, Resource: true}

// handle registers an address: the token is checked first, then in finds what the path
// begins with, then show answers.
func (a *api) handle(pattern string, of resource, in func(*http.Request, *web.Caller) (place, error), show func(http.ResponseWriter, *http.Request, resource, place) error) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.guard.Admit(r, access)
		var at place
		if err == nil {
			at, err = in(r, &caller)
		}
		if err == nil {
			err = show(w, r, of, at)
		}
		if err != nil {
			write(w, web.Note(w, err))
		}
	})
}

// noRoute answers what matches no address: 405 if it is one that can be read, else 404.
func (a *api) noRoute(w http.ResponseWriter, r *http.Request) {
	if _, pattern := a.mux.Handler(&http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}); pattern == "/" {
		write(w, web.Note(w, web.ErrNoRoute()))
		return
	}
	w.Header().Set("Allow", "GET, HEAD")
	write(w, web.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "This address can be read only: GET or HEAD"})
}
