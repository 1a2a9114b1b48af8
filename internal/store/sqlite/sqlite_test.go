package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/store/storetest"
)

// driver makes databases of one configuration.
func driver(change func(sqlite.Config) sqlite.Config) storetest.Driver {
	return storetest.Driver{Fresh: func(t testing.TB) func(context.Context) (storetest.Store, error) {
		cfg := change(sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db")})
		return func(ctx context.Context) (storetest.Store, error) { return sqlite.Open(ctx, cfg) }
	}}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, driver(func(cfg sqlite.Config) sqlite.Config { return cfg }))
}

// TestStoreSmallSteps runs the suite where every few rows cross a border that
// usually takes thousands.
func TestStoreSmallSteps(t *testing.T) {
	t.Parallel()
	storetest.RunVariant(t, driver(sqlite.SmallSteps))
}

// TestStoreSpills runs the suite with a set of dedupe keys that is always full.
func TestStoreSpills(t *testing.T) {
	t.Parallel()
	storetest.RunVariant(t, driver(func(cfg sqlite.Config) sqlite.Config {
		cfg.SeenBytes = 1
		return cfg
	}))
}
