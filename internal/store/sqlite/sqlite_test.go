package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{Fresh: func(t testing.TB) func(context.Context) (storetest.Store, error) {
		cfg := sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db")}
		return func(ctx context.Context) (storetest.Store, error) { return sqlite.Open(ctx, cfg) }
	}})
}
