package app

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/callboard/callboard/internal/restapi"
)

// readyTimeout bounds how long the store may take to answer a readiness probe.
const readyTimeout = 2 * time.Second

// buildAPI makes what answers requests. It needs the address listened on, since
// answers name the server.
func (a *App) buildAPI() (http.Handler, error) {
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
		Ready: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
			defer cancel()
			return a.ready(ctx)
		},
		Metrics:        a.metricsHandler(),
		Logger:         a.cfg.Logger,
		TrustedProxies: a.cfg.TrustedProxies,
		Version:        a.cfg.Version,
	})
}

// quiet turns what net/http wants to say about single connections into debug
// lines: clients that break off are not our trouble.
func quiet(logger *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
}
