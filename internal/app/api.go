package app

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dashboard"
	"github.com/callboard/callboard/internal/inbound"
	"github.com/callboard/callboard/internal/readapi"
	"github.com/callboard/callboard/internal/restapi"
)

// readyTimeout bounds how long the store may take to answer a readiness probe.
const readyTimeout = 2 * time.Second

// buildAPI makes what answers requests.
func (a *App) buildAPI() (http.Handler, error) {
	own, err := a.buildOwnAPI()
	if err != nil {
		return nil, err
	}
	read, err := readapi.New(readapi.Config{
		Store: a.store, Codec: a.codec, Tokens: a.authority, Logger: a.cfg.Logger, TrustedProxies: a.cfg.TrustedProxies,
	})
	if err != nil {
		return nil, err
	}
	sources, err := inbound.New(inbound.Config{
		Sources: a.sources, Ingest: a.ingest, Codec: a.codec, Dialects: a.dialects, Logger: a.cfg.Logger, Metrics: a.metrics,
		TrustedProxies: a.cfg.TrustedProxies,
	})
	if err != nil {
		return nil, err
	}
	page, err := dashboard.New(dashboard.Config{
		Orgs: a.store, Codec: a.codec, NoPlay: a.cfg.NoPlay, Logger: a.cfg.Logger, TrustedProxies: a.cfg.TrustedProxies,
	})
	if err != nil {
		return nil, err
	}
	// Not a mux: it would answer some paths itself, in a form that is none of theirs.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path + "/"; {
		case strings.HasPrefix(path, readapi.Prefix):
			read.ServeHTTP(w, r)
		case strings.HasPrefix(path, inbound.Prefix):
			sources.ServeHTTP(w, r)
		case page.Serves(r.URL.Path):
			page.ServeHTTP(w, r)
		default:
			own.ServeHTTP(w, r)
		}
	}), nil
}

// buildOwnAPI makes Callboard's own API. It needs the address listened on, since answers
// name the server.
func (a *App) buildOwnAPI() (http.Handler, error) {
	if err := a.inboxes.Open(a.URL()); err != nil {
		return nil, err
	}
	return restapi.New(restapi.Config{
		Store:     a.store,
		Ingest:    a.ingest,
		Codec:     a.codec,
		Tokens:    a.authority,
		Dialects:  a.dialects,
		Catalog:   a.catalog,
		PublicURL: a.URL(),
		Inboxes:   a.inboxes,
		Feed:      a.feed,
		Play:      a.play,
		Traffic:   a.traffic,
		Ready: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
			defer cancel()
			return a.ready(ctx)
		},
		Metrics:        a.metricsHandler(),
		Logger:         a.cfg.Logger,
		TrustedProxies: a.cfg.TrustedProxies,
		Version:        a.cfg.Version,
		UserAgent:      a.cfg.userAgent(),
		RetrySchedule:  a.cfg.RetrySchedule,
	})
}

// quiet turns what net/http wants to say about single connections into debug
// lines: clients that break off are not our trouble.
func quiet(logger *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
}
