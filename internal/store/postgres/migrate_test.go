package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/live"
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
	want := []migration.Step{{Version: 1, Name: "init"}, {Version: 2, Name: "tenant"}, {Version: 3, Name: "object"}, {Version: 4, Name: "task_subject"}, {Version: 5, Name: "source"}, {Version: 6, Name: "traffic"}, {Version: 7, Name: "delivery_failed"}}
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
	const want = "schema version 99 is newer than this program's 7"
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

// TestMigrateFromEverySchema opens databases of every schema before the present one,
// with a row in them.
func TestMigrateFromEverySchema(t *testing.T) {
	t.Parallel()
	migrations, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(migrations) < 2 {
		t.Fatalf("migrations %v, %v", migrations, err)
	}
	for last := range len(migrations) - 1 {
		t.Run(filepath.Base(migrations[last]), func(t *testing.T) {
			t.Parallel()
			cfg := quiet(postgrestest.Shared(t).NewDatabase(t))
			applyBy(t, cfg.URL, migrations[:last+1])
			s, err := postgres.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if got, err := s.App(t.Context(), "org_1", store.Ref{UID: "acme"}); err != nil || got.Name != "Acme" {
				t.Errorf("app %+v, %v", got, err)
			}
			row := live.Row{Key: live.Key{App: 7, Kind: live.Event, ID: "e"}, Seq: 200, Doc: []byte(`{}`)}
			task := store.Task{ID: 300, Org: "org_1", App: 7, Kind: store.TaskErase, State: store.TaskRunning, Subject: "{}"}
			raw := store.Message{ID: 400, App: 7, Type: "a", From: "zuddl", Raw: []byte(`{}`)}
			request := store.Received{ID: 500, App: 7, Source: 600, Status: store.Accepted, Message: raw.ID, Doc: []byte(`{}`)}
			source := store.Source{ID: 600, App: 7, Org: "org_1", Dialect: "zuddl"}
			slot := store.TrafficKey{App: 7, Width: time.Minute, At: time.Unix(600, 0).UTC(), Endpoint: 9}
			err = s.Update(t.Context(), func(tx commit.Tx) error {
				return tx.Apply(t.Context(), &store.Changes{
					Messages: []store.Message{raw}, Tasks: []store.Task{task}, Sources: []store.Source{source},
					Received: []store.Received{request}, Objects: []live.Row{row},
					Traffic: []store.Traffic{{TrafficKey: slot, Counts: []store.BinCount{{Bin: 1, N: 2}}}},
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.Object(t.Context(), row.Key); err != nil || !cmp.Equal(row, got) {
				t.Errorf("object %+v, %v, want %+v", got, err, row)
			}
			if got, err := s.Task(t.Context(), "org_1", task.ID); err != nil || !cmp.Equal(task, got) {
				t.Errorf("task %+v, %v, want %+v", got, err, task)
			}
			if got, err := s.Message(t.Context(), 7, store.Ref{ID: raw.ID}); err != nil || !cmp.Equal(raw, got) {
				t.Errorf("message %+v, %v, want %+v", got, err, raw)
			}
			if got, err := s.Source(t.Context(), source.ID); err != nil || !cmp.Equal(source, got) {
				t.Errorf("source %+v, %v, want %+v", got, err, source)
			}
			if got, err := s.ReceivedOne(t.Context(), 7, source.ID, request.ID); err != nil || !cmp.Equal(request, got) {
				t.Errorf("received %+v, %v, want %+v", got, err, request)
			}
			if got, err := s.AppTraffic(t.Context(), 7, 2); err != nil || !cmp.Equal([]store.TrafficKey{slot}, got) {
				t.Errorf("traffic %+v, %v, want %+v", got, err, slot)
			}
		})
	}
}

// applyBy makes a database as an older program does, which knows only these migrations.
func applyBy(t *testing.T, url string, migrations []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	run := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id BIGINT NOT NULL,
		is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP NOT NULL DEFAULT now())`)
	run(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)`)
	for i, name := range migrations {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		run(string(text))
		run(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)`, i+1)
	}
	run(`INSERT INTO app (id, org, uid, config_version, deleted, doc) VALUES (7, 'org_1', 'acme', 3, false, '{"name":"Acme"}')`)
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
