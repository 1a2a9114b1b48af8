package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/migration"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

func quiet(url string) postgres.Config {
	return postgres.Config{URL: url, MaxConns: 2, Logger: slog.New(slog.DiscardHandler)}
}

// wantSteps compares migrations, and whether they are applied.
func wantSteps(t *testing.T, got []migration.Step, err error, applied bool) {
	t.Helper()
	want := []migration.Step{{Version: 1, Name: "init"}, {Version: 2, Name: "tenant"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(migration.Step{}, "AppliedAt")); err != nil || diff != "" {
		t.Fatalf("migrations (-want +got):\n%s\n(%v)", diff, err)
	}
	for _, s := range got {
		if recent := time.Since(s.AppliedAt).Abs() < 10*time.Minute; recent != applied {
			t.Errorf("migration %d was applied at %s, want applied %v", s.Version, s.AppliedAt, applied)
		}
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	// A server in another zone: times are UTC all the same.
	cfg := quiet(postgrestest.Start(t, "timezone=Asia/Kolkata").NewDatabase(t))
	conn, err := pgx.Connect(t.Context(), cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))

	steps, err := postgres.Migrations(t.Context(), cfg)
	wantSteps(t, steps, err, false)
	var tables int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("looking has made %d tables (%v)", tables, err)
	}
	steps, err = postgres.Migrate(t.Context(), cfg)
	wantSteps(t, steps, err, true)
	steps, err = postgres.Migrations(t.Context(), cfg)
	wantSteps(t, steps, err, true)
	if again, err := postgres.Migrate(t.Context(), cfg); err != nil || len(again) != 0 {
		t.Errorf("the second time applied %v (%v)", again, err)
	}

	if _, err := conn.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`); err != nil {
		t.Fatal(err)
	}
	const want = "schema version 99 is newer than this program's 2"
	for name, use := range map[string]func() error{
		"migrate": func() error { _, err := postgres.Migrate(t.Context(), cfg); return err },
		"look":    func() error { _, err := postgres.Migrations(t.Context(), cfg); return err },
		"open":    func() error { _, err := postgres.Open(t.Context(), cfg); return err },
		"copy":    func() error { _, err := postgres.OpenTarget(t.Context(), cfg); return err },
	} {
		if err := use(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// TestPasswordIsNotShown makes all kinds of connections fail.
func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	here := strings.Replace(server.URL("missing"), "postgres@", "postgres:hunter2@", 1)
	for name, tt := range map[string]struct {
		url         string
		unavailable bool
	}{
		"no such database": {url: here},
		"no such user":     {url: strings.Replace(here, "postgres:hunter2", "nobody:hunter2", 1)},
		"no server":        {url: "postgres://nobody:hunter2@127.0.0.1:1/callboard?sslmode=disable", unavailable: true},
		"no such host":     {url: "postgres://nobody:hunter2@host.invalid:1/callboard?password=hunter2", unavailable: true},
		"no URL":           {url: "postgres://nobody:hunter2@127.0.0.1:port/callboard"},
		"no parameter":     {url: "postgres://nobody:hunter2@127.0.0.1:1/callboard?sslmode=hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, looked := postgres.Migrations(t.Context(), quiet(tt.url))
			_, migrated := postgres.Migrate(t.Context(), quiet(tt.url))
			_, copied := postgres.OpenTarget(t.Context(), quiet(tt.url))
			for _, err := range []error{looked, migrated, copied} {
				if err == nil || strings.Contains(err.Error(), "hunter2") || errors.Is(err, store.ErrUnavailable) != tt.unavailable {
					t.Errorf("got %v, want unavailable %v", err, tt.unavailable)
				}
			}
		})
	}
}
