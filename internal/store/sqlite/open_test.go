package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// open opens a database until the end of the test.
func open(t *testing.T, cfg sqlite.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// write commits changes.
func write(t *testing.T, s *sqlite.Store, c store.Changes) error {
	t.Helper()
	return s.Update(t.Context(), func(tx commit.Tx) error { return tx.Apply(t.Context(), &c) })
}

// handOff makes the changes of messages whose deliveries go straight to senders.
func handOff(from id.ID, n int, at time.Time) (c store.Changes) {
	for i := range n {
		m := store.Message{ID: from + id.ID(i), App: 7, Type: "a", Payload: []byte("{}")}
		c.Messages = append(c.Messages, m)
		c.Deliveries = append(c.Deliveries, delivery.Delivery{
			Key: delivery.Key{Message: m.ID, Endpoint: 9}, App: 7, State: delivery.Leased, Generation: 1, NextAt: at,
		})
	}
	return c
}

func claim(t *testing.T, s *sqlite.Store, now time.Time, room int) []delivery.Delivery {
	t.Helper()
	got, err := s.Claim(t.Context(), now, []store.LaneRoom{{Endpoint: 9, Room: room}})
	if err != nil {
		t.Fatal(err)
	}
	return got[0].Rows
}

func TestOpenTakesTheLock(t *testing.T) {
	t.Parallel()
	cfg := sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db")}
	first := open(t, cfg)
	if _, err := sqlite.Open(t.Context(), cfg); !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("a second opener got %v, want %v", err, sqlite.ErrInUse)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, cfg) // the file that is left behind means nothing
}

func TestOpenChecksItsConfig(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"no path":                       "",
		"a directory":                   t.TempDir(),
		"a directory that is not there": filepath.Join(t.TempDir(), "missing", "callboard.db"),
	} {
		if s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path}); err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

func TestOpenRefusesForeignFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callboard.db")
	if err := os.WriteFile(path, []byte("this is no database, and long enough to be one, if one looks at its length only."), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if !errors.Is(err, store.ErrLost) {
		t.Fatalf("opened a text file: %v, want %v", err, store.ErrLost)
	}
}

// TestFilesArePrivate also has a path of characters that mean something in a URI.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, sqlite.Config{Path: filepath.Join(dir, "a b?c#d%20e.db")})
	if err := write(t, s, handOff(1, 1, time.Now())); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", f.Name(), mode)
		}
	}
	want := []string{"a b?c#d%20e.db", "a b?c#d%20e.db-shm", "a b?c#d%20e.db-wal", "a b?c#d%20e.db.lock"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestCrashImage opens a copy of the files as they are while the store is at work,
// as a crash would leave them.
func TestCrashImage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(sqlite.Config) sqlite.Config{
		"default":     func(cfg sqlite.Config) sqlite.Config { return cfg },
		"small steps": sqlite.SmallSteps,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, now := t.TempDir(), time.Now().Truncate(time.Microsecond)
			s := open(t, change(sqlite.Config{Path: filepath.Join(dir, "callboard.db")}))
			const n = 40
			for i := range n {
				if err := write(t, s, handOff(id.ID(1+i), 1, now)); err != nil {
					t.Fatal(err)
				}
			}
			copied := t.TempDir()
			for _, suffix := range []string{"", "-wal"} {
				copyFile(t, filepath.Join(dir, "callboard.db"+suffix), filepath.Join(copied, "callboard.db"+suffix))
			}
			after := open(t, change(sqlite.Config{Path: filepath.Join(copied, "callboard.db")}))
			if got := len(claim(t, after, now, n+1)); got != n {
				t.Errorf("%d of %d deliveries are claimed after the crash", got, n)
			}
			if got := len(claim(t, s, now, n+1)); got != 0 {
				t.Errorf("%d deliveries are claimed in the store that did not crash", got)
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGiveBackIsMadeUpFor gives back a handed-off row while the store cannot be
// written, and then a transaction fails.
func TestGiveBackIsMadeUpFor(t *testing.T) {
	t.Parallel()
	s, now := open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db")}), time.Now().Truncate(time.Microsecond)
	c := handOff(1, 1, now)
	if err := write(t, s, c); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(t.Context(), func(commit.Tx) error { // nobody else can write now
		if err := s.GiveBack(gone, c.Deliveries); !errors.Is(err, context.Canceled) {
			t.Errorf("give back: %v, want %v", err, context.Canceled)
		}
		return io.EOF
	})
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(commit.Tx) error { return io.EOF }); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if err := write(t, s, store.Changes{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Deliveries, claim(t, s, now, 1)); diff != "" {
		t.Errorf("claimed (-want +got):\n%s", diff)
	}
}

// TestFullDisk bounds the file's size; the store goes on when the bound goes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s, now := open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db")}), time.Now().Truncate(time.Microsecond)
	free := sqlite.BoundSize(t, s, 80)
	next := id.ID(1)
	var err error
	for range 1000 {
		if err = write(t, s, handOff(next, 10, now)); err != nil {
			break
		}
		next += 10
	}
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a full disk gives %v, want %v", err, store.ErrUnavailable)
	}
	if err := write(t, s, handOff(next, 1000, now)); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a full disk gives %v, want %v", err, store.ErrUnavailable)
	}
	free()
	if err := write(t, s, handOff(next, 1000, now)); err != nil {
		t.Fatalf("there is room again: %v", err)
	}
	got, err := s.LastID(t.Context(), 0)
	if want := next + 999; err != nil || got != want {
		t.Errorf("last id is %d, %v, want %d", got, err, want)
	}
}

// TestMigrateFromEverySchema opens databases that were written by every released
// schema; testdata holds one for each. A new one is added with each migration.
func TestMigrateFromEverySchema(t *testing.T) {
	t.Parallel()
	schemas, err := filepath.Glob("testdata/schema-*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(schemas) == 0 {
		t.Fatal("there are no schemas in testdata")
	}
	for _, schema := range schemas {
		t.Run(filepath.Base(schema), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "callboard.db")
			restore(t, schema, path)
			s := open(t, sqlite.Config{Path: path})
			m, err := s.Message(t.Context(), 7, store.Ref{UID: "order-1"})
			if err != nil {
				t.Fatal(err)
			}
			want := store.Message{
				ID: 100, App: 7, Type: "order.paid", EventID: "order-1", EventHash: store.HashText("order-1"),
				Channels: []string{"x"}, Tags: []string{}, Payload: []byte(`{"n":1}`),
			}
			if diff := cmp.Diff(want, m); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if got := len(claim(t, s, time.UnixMicro(2), 5)); got != 1 {
				t.Errorf("%d deliveries are claimed, want 1", got)
			}
			row := live.Row{Key: live.Key{App: 7, Kind: live.Event, ID: "e"}, Seq: 200, Doc: []byte(`{}`)}
			task := store.Task{ID: 300, Org: "org_1", App: 7, Kind: store.TaskErase, State: store.TaskRunning, Subject: "{}"}
			raw := store.Message{ID: 400, App: 7, Type: "a", From: "zuddl", Raw: []byte(`{}`)}
			request := store.Received{ID: 500, App: 7, Source: 600, Status: store.Accepted, Message: raw.ID, Doc: []byte(`{}`)}
			source := store.Source{ID: 600, App: 7, Org: "org_1", Dialect: "zuddl"}
			slot := store.TrafficKey{App: 7, Width: time.Minute, At: time.Unix(600, 0).UTC(), Endpoint: 9}
			if err := write(t, s, store.Changes{
				Messages: []store.Message{raw}, Tasks: []store.Task{task}, Sources: []store.Source{source},
				Received: []store.Received{request}, Objects: []live.Row{row},
				Traffic: []store.Traffic{{TrafficKey: slot, Counts: []store.BinCount{{Bin: 1, N: 2}}}},
			}); err != nil {
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

// restore makes a database of a dump. Page size and vacuum mode are not part of
// one.
func restore(t *testing.T, dump, path string) {
	t.Helper()
	statements, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"PRAGMA page_size = 4096", "PRAGMA auto_vacuum = incremental", "VACUUM", string(statements)} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("restore %s: %v", dump, err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callboard.db")
	if err := open(t, sqlite.Config{Path: path}).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path}); err == nil {
		_ = s.Close()
		t.Fatal("a database of a newer program was opened")
	}
}
