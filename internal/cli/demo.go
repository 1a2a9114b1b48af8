package cli

import (
	"context"
	"io"

	"github.com/callboard/callboard/internal/demo"
)

// demoCommand is `callboard demo`.
type demoCommand struct {
	Once    bool `help:"Send 120 messages, wait until every delivery has ended, print figures, and exit 0 only if all arrived."`
	Verbose bool `help:"Show the server's log too."`
}

// Help is the end of `callboard demo --help`.
func (demoCommand) Help() string {
	return `Starts a server on a temporary database and seven receivers on loopback. Three speak Callboard's own dialect: one is
healthy, one fails twice before it takes each message, one hangs at first. The others read the webhooks of Zuddl,
Sessionboard, Oration and iotum. Then it sends messages of every event type of the catalogue and shows what becomes of
them. Without --once it goes on until it is interrupted.

Example:

    callboard demo --once`
}

// Run shows the demo.
func (c *demoCommand) Run(ctx context.Context, p *process) error {
	log, level := io.Discard, "error"
	if c.Verbose {
		log, level = p.stderr, "info"
	}
	return demo.Run(ctx, demo.Config{
		Once:     c.Once,
		Org:      DefaultOrg,
		Version:  version(),
		Out:      p.stdout,
		Terminal: isTerminal(p.stdout),
		Logger:   logFlags{LogLevel: level, LogFormat: "text"}.logger(log),
	})
}
