package postgres_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
	"github.com/callboard/callboard/internal/store/storetest"
)

// driver makes databases of one configuration.
func driver(t *testing.T, change func(postgres.Config) postgres.Config) storetest.Driver {
	server := postgrestest.Shared(t)
	return storetest.Driver{
		Shared: true,
		Fresh: func(t testing.TB) func(context.Context) (storetest.Store, error) {
			cfg := change(postgres.Config{URL: server.NewDatabase(t), MaxConns: 6, Logger: slog.New(slog.DiscardHandler)})
			return func(ctx context.Context) (storetest.Store, error) { return postgres.Open(ctx, cfg) }
		},
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, driver(t, func(cfg postgres.Config) postgres.Config { return cfg }))
}

// TestStoreEager runs the suite with transactions that send what they apply at
// once, so that those that fail have written something.
func TestStoreEager(t *testing.T) {
	t.Parallel()
	storetest.RunVariant(t, driver(t, postgres.Eager))
}

// TestStoreRipe runs the suite where no delivery stays handed off.
func TestStoreRipe(t *testing.T) {
	t.Parallel()
	storetest.RunVariant(t, driver(t, postgres.Ripe))
}
