package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/proc"
	"github.com/callboard/callboard/bench/internal/sink"
)

// The bench starts its own binary again for its parts; this variable tells a child which one it is.
const (
	roleVariable = "CALLBOARD_BENCH_ROLE"
	roleSink     = "sink"
	roleLoad     = "load"
)

// playRole is the main function of a child. Children collect garbage less often than Go's default: their processor time
// is taken from the service and the bare loop alike.
func playRole(ctx context.Context, role string) error {
	debug.SetGCPercent(400)
	switch role {
	case roleSink:
		return playSink(ctx)
	case roleLoad:
		return proc.Serve(ctx, os.Stdin, os.Stdout, map[string]proc.Handler{
			"run":  proc.Typed(load.Run),
			"join": proc.Typed(load.Join),
			"bare": proc.Typed(load.Bare),
		})
	}
	return fmt.Errorf("unknown role %q", role)
}

// hangRequest makes a slot of the sink hang or answer again.
type hangRequest struct {
	Slot int
	On   bool
}

// playSink serves deliveries from the first operation, "start", on.
func playSink(ctx context.Context) error {
	var s *sink.Sink
	server := &http.Server{}
	served := make(chan error, 1)
	start := func(_ context.Context, cfg sink.Config) (addr string, err error) {
		if s, err = sink.New(cfg); err != nil {
			return "", err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		server.Handler = s
		go func() { served <- server.Serve(listener) }()
		return listener.Addr().String(), nil
	}
	err := proc.Serve(ctx, os.Stdin, os.Stdout, map[string]proc.Handler{
		"start":    proc.Typed(start),
		"report":   proc.Typed(func(_ context.Context, q sink.Query) (sink.Report, error) { return s.Report(q) }),
		"distinct": proc.Typed(func(_ context.Context, slots []int) (uint64, error) { return s.Distinct(slots), nil }),
		"hang":     proc.Typed(func(_ context.Context, r hangRequest) (bool, error) { return r.On, s.Hang(r.Slot, r.On) }),
	})
	if s == nil {
		return err
	}
	closeErr := server.Close()
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return errors.Join(err, closeErr)
}
