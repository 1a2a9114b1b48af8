// Command callboard is a webhook service: it takes messages over a Svix-compatible API and delivers them, signed, to
// every endpoint that subscribed to them. `callboard --help` lists what it can do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/callboard/callboard/internal/cli"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	// Room for two: the second signal may come before anybody has looked at the first.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go obey(signals, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// obey takes the first signal as a wish for an orderly end and the second as an order to end at once, with the exit code
// that shells give a process that a signal ended.
func obey(signals <-chan os.Signal, stop context.CancelFunc) {
	<-signals
	stop()
	code := 1
	if s, ok := (<-signals).(syscall.Signal); ok {
		code = 128 + int(s)
	}
	os.Exit(code)
}
