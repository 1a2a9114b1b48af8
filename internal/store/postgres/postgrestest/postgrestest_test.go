package postgrestest_test

import (
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// connect opens a connection that ends with the test.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// column returns the only column of a query's rows, as text.
func column(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

// TestKill kills a server three times with a committed and an open transaction, each time at work for several
// connections.
func TestKill(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t)
	url, other := s.NewDatabase(t), s.NewDatabase(t)
	if url == other {
		t.Fatalf("two databases at %s", url)
	}
	exec(t, connect(t, url), "CREATE TABLE word (word text)")
	var want []string
	for _, word := range []string{"first", "second", "third"} {
		conn, open := connect(t, url), connect(t, url)
		exec(t, open, "BEGIN")
		exec(t, open, "INSERT INTO word VALUES ('never committed')")
		exec(t, conn, "INSERT INTO word VALUES ('"+word+"')")

		s.Kill()
		if err := conn.Ping(t.Context()); err == nil {
			t.Error("a killed server answers")
		}
		s.Restart(t)

		want = append(want, word)
		got := column(t, connect(t, url), "SELECT word FROM word ORDER BY word")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after the kill (-want +got):\n%s", diff)
		}
	}
	tables := column(t, connect(t, other), "SELECT relname::text FROM pg_class WHERE relname = 'word'")
	if len(tables) != 0 {
		t.Error("two databases are one")
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t)
	url := s.NewDatabase(t)
	exec(t, connect(t, url), "CREATE TABLE word (word text)")
	s.Stop()
	s.Stop()
	s.Kill()
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("a stopped server accepts connections")
	}
	s.Restart(t)
	exec(t, connect(t, url), "INSERT INTO word VALUES ('after a stop')")
	s.Restart(t)
	got := column(t, connect(t, url), "SELECT word FROM word")
	if diff := cmp.Diff([]string{"after a stop"}, got); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}

// settings returns the settings that the tests below look at.
func settings(t *testing.T, s *postgrestest.Server) []string {
	t.Helper()
	return column(t, connect(t, s.URL("postgres")), `SELECT name || '=' || setting FROM pg_settings WHERE name IN
		('fsync', 'full_page_writes', 'max_connections', 'synchronous_commit', 'lc_messages') ORDER BY name`)
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t, "max_connections=7", "synchronous_commit=local")
	want := []string{
		"fsync=on", "full_page_writes=on", "lc_messages=C", "max_connections=7", "synchronous_commit=local",
	}
	if diff := cmp.Diff(want, settings(t, s)); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestShared asks for the shared server from several tests at once.
func TestShared(t *testing.T) {
	t.Parallel()
	var servers, databases sync.Map
	t.Run("tests", func(t *testing.T) {
		for range 4 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				s := postgrestest.Shared(t)
				servers.Store(s, true)
				url := s.NewDatabase(t)
				if _, taken := databases.LoadOrStore(url, true); taken {
					t.Errorf("two tests have %s", url)
				}
				exec(t, connect(t, url), "CREATE TABLE word (word text)")
			})
		}
	})
	count := 0
	servers.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("there are %d shared servers", count)
	}
	s := postgrestest.Shared(t)
	left := column(t, connect(t, s.URL("postgres")), "SELECT datname::text FROM pg_database WHERE datname LIKE 'test%'")
	if len(left) != 0 {
		t.Errorf("databases outlived their tests: %q", left)
	}
	want := []string{
		"fsync=off", "full_page_writes=off", "lc_messages=C", "max_connections=100", "synchronous_commit=off",
	}
	if diff := cmp.Diff(want, settings(t, s)); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
