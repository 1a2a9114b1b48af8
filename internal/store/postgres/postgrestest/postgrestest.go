// Package postgrestest gives tests real PostgreSQL servers: [Shared] one for the whole test binary, for tests that only
// need a database, and [Start] one of the test's own, which it may kill, restart and set up as it likes. Where
// PostgreSQL is missing the test is skipped, or fails when CALLBOARD_REQUIRE names postgres, see testenv.
//
// A server is a direct child of the test's process and listens on loopback alone, on a free port, so that any number of
// them run side by side, in one process and in several. Everything it keeps lies in a temporary directory of its own.
// PostgreSQL refuses to run as root: a test that does runs the server as the user postgres.
//
// A server ends with its test. On Linux it also ends, by itself, when the test's process dies in whatever way; then its
// directory stays behind. On other systems, use `go test` as an ordinary user and expect [Server.Kill] to do less.
//
// Loopback connections do not work in a testing/synctest bubble: neither does anything here.
//
// It is test support: only tests and test kits import it.
package postgrestest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// queryTimeout bounds what the package itself asks a server that runs.
const queryTimeout = 30 * time.Second

// Server is one PostgreSQL server and its data directory. The server's life, that is Kill, Stop and Restart, belongs to
// one goroutine at a time; everything else is safe for concurrent use.
type Server struct {
	install  installation
	settings []string
	dir      string // holds the data directory and the log
	port     int

	databases atomic.Int64 // how many NewDatabase made, for their names

	mu      sync.Mutex
	process *process // the last one that was started, running or not; guarded by mu
}

// Start starts a server of the test's own and returns when it accepts connections. Each setting is "name=value", as in
// postgresql.conf, and wins over the package's defaults: 100 connections, 64 MB of shared buffers. What makes commits
// durable is as PostgreSQL has it, so that a committed row outlives a Kill. When the test ends the server is stopped
// and its directory removed; the log of a test that failed is printed.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := launch(t.Context(), find(t), settings)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("PostgreSQL's log since its last start:\n%s", s.log())
		}
		if err := s.discard(); err != nil {
			t.Errorf("clean up after PostgreSQL: %v", err)
		}
	})
	return s
}

// URL returns the address of a database on the server, as the superuser postgres without a password and without TLS. It
// does not change with a restart. The database "postgres" always exists.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(superuser),
		Host:     net.JoinHostPort(loopback, strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// NewDatabase makes an empty database under a name that the server has not seen before and returns its URL. When the
// test ends the database is dropped, whoever is still connected, unless the server does not run then.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	// Of the two templates nobody can be connected to template0, which would make the copy wait and fail.
	if err := s.exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if !s.last().runs() {
			return
		}
		// By now the test's own context is cancelled.
		if err := s.exec(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	return s.URL(name)
}

// Kill ends the server as kill -9 of all its processes at once would, with no chance to write or say anything more, and
// returns when they are gone: Restart works at once. A server that does not run is left alone. Where there is no /proc
// it kills the first process alone; the others end by themselves soon after.
//
// What the server wrote and did not sync outlives a Kill, in the system's page cache: that a commit is on disk needs
// other proof.
func (s *Server) Kill() { s.last().kill() }

// Stop shuts the server down the fast way: it rolls open transactions back, closes connections and writes a checkpoint.
// A server that has not ended after ten seconds is killed, and one that does not run is left alone.
func (s *Server) Stop() { s.last().stop() }

// Restart starts the server again, after a Kill or a Stop or from running, which stops it first. It has the same data
// directory, port and settings, and has recovered from a crash and accepts connections when Restart returns.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := s.start(t.Context()); err != nil {
		t.Fatalf("restart PostgreSQL: %v", err)
	}
}

// exec runs one statement as the superuser.
func (s *Server) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func (s *Server) last() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// discard stops the server and removes what it leaves on the machine.
func (s *Server) discard() error {
	s.Stop()
	freeSharedMemory(s.data())
	return os.RemoveAll(s.dir)
}
