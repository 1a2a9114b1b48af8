package postgrestest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the test binary's one server. It is a variable of the package because tests have nothing else in common.
var shared sharedServer

type sharedServer struct {
	mu     sync.Mutex
	server *Server // nil until the first use
	err    error   // why there is none
}

// Shared returns the test binary's one server, which the first call starts. It is for tests that neither crash it nor
// stop it: commits do not wait for the disk and may be lost (fsync, full_page_writes and synchronous_commit are off).
// Give every test a database of its own with [Server.NewDatabase]. Every test that asks for a server that could not be
// started fails with the reason.
//
// A package whose tests call Shared needs a TestMain that runs them through [Main].
func Shared(t testing.TB) *Server {
	t.Helper()
	install := find(t)
	s, err := shared.get(t.Context(), install)
	if err != nil {
		t.Fatalf("start the shared PostgreSQL: %v", err)
	}
	return s
}

// Main runs the tests of a package, stops the shared server if one was started, removes its directory and returns the
// exit code. It stands where m.Run would: `func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }`.
func Main(m *testing.M) int {
	code := m.Run()
	if err := shared.discard(); err != nil {
		fmt.Fprintln(os.Stderr, "clean up after the shared PostgreSQL:", err)
		return max(code, 1)
	}
	return code
}

func (s *sharedServer) get(ctx context.Context, install installation) (*Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil && s.err == nil {
		s.server, s.err = launch(ctx, install, []string{"fsync=off", "full_page_writes=off", "synchronous_commit=off"})
	}
	return s.server, s.err
}

func (s *sharedServer) discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	return s.server.discard()
}
