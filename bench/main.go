// Command bench measures Callboard on one machine: it builds and starts `callboard serve`, a sink and a load generator, as
// processes of their own on loopback, and beside them a bare loop that does nothing but sign and POST the same payload to
// the same sink. The bare loop is the yardstick: it turns figures of one machine into a ratio that holds on others.
//
// Every delivery is checked: its body byte for byte, a sample of the signatures, and at the end that each accepted message
// has arrived at each of its endpoints under the id that the API answered with. A loss makes the bench fail.
//
// It runs on Linux, where /proc tells a process's processor time and memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // the run failed, or something accepted was lost or altered
	exitUsage = 2
)

// run is main without the process: it plays the role that the environment names or, without one, runs a scenario.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if role := os.Getenv(roleVariable); role != "" {
		return report(playRole(ctx, role), stderr)
	}
	opts, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "bench: %v\nTry: go run ./bench --help\n", err)
		return exitUsage
	}
	figures, err := runScenario(ctx, opts, stderr)
	if err != nil {
		return report(err, stderr)
	}
	if err := figures.print(stdout, opts.json); err != nil {
		return report(err, stderr)
	}
	return report(figures.verdict(), stderr)
}

// report prints an error, if any, and says how to exit.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
	return exitFail
}
