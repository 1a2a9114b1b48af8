package postgrestest

import (
	"errors"
	"net"
	"testing"
)

// TestPortTaken starts a server on ports that others took between its choice and its start.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Stop()
	free := s.port

	s.port = Shared(t).port
	if err := s.start(t.Context()); !errors.Is(err, errPortTaken) {
		t.Errorf("on another server's port: %v", err)
	}

	silent, err := net.Listen("tcp4", net.JoinHostPort(loopback, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.port = silent.Addr().(*net.TCPAddr).Port
	if err := s.start(t.Context()); !errors.Is(err, errPortTaken) {
		t.Errorf("on a silent listener's port: %v", err)
	}
	if err := silent.Close(); err != nil {
		t.Fatal(err)
	}

	s.port = free
	s.Restart(t)
}
