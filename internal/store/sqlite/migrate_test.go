package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store/migration"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// steps are all migrations; those of a test are applied or none is.
func steps() []migration.Step {
	return []migration.Step{{Version: 1, Name: "init"}, {Version: 2, Name: "tenant"}, {Version: 3, Name: "object"}, {Version: 4, Name: "task_subject"}, {Version: 5, Name: "source"}, {Version: 6, Name: "traffic"}, {Version: 7, Name: "delivery_failed"}}
}

// wantSteps compares migrations, and whether they are applied.
func wantSteps(t *testing.T, got []migration.Step, applied bool) {
	t.Helper()
	if diff := cmp.Diff(steps(), got, cmpopts.IgnoreFields(migration.Step{}, "AppliedAt")); diff != "" {
		t.Errorf("migrations (-want +got):\n%s", diff)
	}
	for _, s := range got {
		if recent := time.Since(s.AppliedAt) < time.Hour; recent != applied {
			t.Errorf("migration %d was applied at %s, want applied %v", s.Version, s.AppliedAt, applied)
		}
	}
}

// files gives what is in a directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(content)
	}
	return found
}

// list asks for the migrations; the directory must stay as it is.
func list(t *testing.T, path string) []migration.Step {
	t.Helper()
	before := files(t, filepath.Dir(path))
	got, err := sqlite.Migrations(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, files(t, filepath.Dir(path))); diff != "" {
		t.Errorf("files were changed (-before +after):\n%s", diff)
	}
	return got
}

func migrate(t *testing.T, path string) []migration.Step {
	t.Helper()
	applied, err := sqlite.Migrate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callboard.db")
	wantSteps(t, list(t, path), false)
	wantSteps(t, migrate(t, path), true)
	wantSteps(t, list(t, path), true)
	if again := migrate(t, path); len(again) != 0 {
		t.Errorf("the second time applied %v", again)
	}
	s := open(t, sqlite.Config{Path: path})
	if _, err := sqlite.Migrate(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("migrating what is in use: %v, want %v", err, sqlite.ErrInUse)
	}
	if _, err := sqlite.Migrations(t.Context(), path); !errors.Is(err, sqlite.ErrInUse) {
		t.Errorf("looking at what is in use: %v, want %v", err, sqlite.ErrInUse)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	wantSteps(t, list(t, path), true)
}

// TestMigrationsAfterACrash looks at a database whose rows are in the log.
func TestMigrationsAfterACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callboard.db")
	s := open(t, sqlite.Config{Path: path})
	if err := write(t, s, handOff(id.ID(1), 10, time.Now())); err != nil {
		t.Fatal(err)
	}
	crashed := t.TempDir()
	for name, content := range files(t, filepath.Dir(path)) {
		if err := os.WriteFile(filepath.Join(crashed, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wal, err := os.Stat(filepath.Join(crashed, "callboard.db-wal"))
	if err != nil || wal.Size() == 0 {
		t.Fatalf("there is no log: %v", err)
	}
	got, err := sqlite.Migrations(t.Context(), filepath.Join(crashed, "callboard.db"))
	if err != nil {
		t.Fatal(err)
	}
	wantSteps(t, got, true)
	want, after := files(t, filepath.Dir(path)), files(t, crashed)
	for _, name := range []string{"callboard.db", "callboard.db-wal"} {
		if want[name] != after[name] {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestMigrationsOfOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "text": strings.Repeat("no database\n", 1000)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if content == "" {
			wantSteps(t, list(t, path), false)
		} else if got, err := sqlite.Migrations(t.Context(), path); err == nil {
			t.Errorf("%s has migrations: %v", name, got)
		}
	}
	if got, err := sqlite.Migrations(t.Context(), dir); err == nil {
		t.Errorf("a directory has migrations: %v", got)
	}
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callboard.db")
	migrate(t, path)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	const want = "schema version 99 is newer than this program's 7"
	if _, err := sqlite.Migrate(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("migrating: %v, want %s", err, want)
	}
	if _, err := sqlite.Migrations(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("looking: %v, want %s", err, want)
	}
}
