package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/callboard/callboard/internal/demo"
)

// demoCommand is `callboard demo`.
type demoCommand struct {
	Once      bool   `help:"Play one day, wait until every delivery has ended, print figures, and exit 0 only if all arrived and all agree."`
	Attendees int    `default:"300" placeholder:"N" help:"How many people register for a day. Default ${default}."`
	Length    span   `default:"48s" placeholder:"DURATION" help:"How long a day takes. Default ${default}."`
	Seed      uint64 `default:"1" placeholder:"N" help:"Which day it is: the same seed gives the same day. Default ${default}."`
	Verbose   bool   `help:"Show the server's log too."`
}

// Help is the end of `callboard demo --help`.
func (demoCommand) Help() string {
	return `Starts a server on a temporary database and seven receivers on loopback. Three speak Callboard's own dialect: one is
healthy, one fails twice before it takes each message, one hangs at first. The others read the webhooks of Zuddl,
Sessionboard, Oration and iotum. For each dialect there is a page of Play beside them, on which webhooks show as they come.
Then a day at an event is told to the server: hundreds of attendees who come late, switch,
lose their connection and come back, two conferences, calls, and what organizers change. At the end the time that people
spent, as a receiver was told it, is held against what really happened. Without --once there is day after day until it is
interrupted.

Example:

    callboard demo --once`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *demoCommand) Validate() error {
	if !isDayLength(time.Duration(c.Length)) {
		return errors.New("--length: must be 1s to 4h")
	}
	return checkAttendees(c.Attendees)
}

func isDayLength(d time.Duration) bool { return d >= time.Second && d <= 4*time.Hour }

func checkAttendees(n int) error {
	if n < 10 || n > 100_000 {
		return errors.New("--attendees: must be 10 to 100000")
	}
	return nil
}

// Run shows the demo.
func (c *demoCommand) Run(ctx context.Context, p *process) error {
	log, level := io.Discard, "error"
	if c.Verbose {
		log, level = p.stderr, "info"
	}
	return demo.Run(ctx, demo.Config{
		Once:      c.Once,
		Seed:      c.Seed,
		Attendees: c.Attendees,
		Length:    time.Duration(c.Length),
		Org:       DefaultOrg,
		Version:   version(),
		Out:       p.stdout,
		Terminal:  isTerminal(p.stdout),
		Logger:    logFlags{LogLevel: level, LogFormat: "text"}.logger(log),
	})
}
