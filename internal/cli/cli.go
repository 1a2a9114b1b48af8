// Package cli is the command line of Callboard: it reads flags and environment, and calls what they ask for.
//
// Every flag of `serve` is also an environment variable, CALLBOARD_ and its name in capitals; the flag wins. Nothing
// below this package reads flags or the environment.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/callboard/callboard/internal/app"
)

// What the process exits with.
const (
	exitOK      = 0
	exitFailure = 1 // what was asked for failed
	exitUsage   = 2 // the command line or the environment is wrong
)

// DefaultOrg is the org of tokens that name none. Any well-formed id is an org; this one is just the same everywhere,
// so that a first token and a later one see the same apps.
const DefaultOrg = "org_000000000000000000callboard"

// commands is the grammar: one field for each command.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Token    tokenCommand    `cmd:"" help:"Print a token for the API."`
	Migrate  migrateCommand  `cmd:"" help:"Bring a database's schema up to date before the server does."`
	Copy     copyCommand     `cmd:"" help:"Copy a SQLite database to PostgreSQL."`
	Events   eventsCommand   `cmd:"" help:"List the event types of the catalogue, in each dialect's words."`
	Trigger  triggerCommand  `cmd:"" help:"Send a sample of an event type to the endpoints that hear it."`
	Import   importCommand   `cmd:"" help:"Tell what happened, from a file of activities, or of a vendor's webhooks."`
	Sources  sourcesCommand  `cmd:"" help:"List, make, show and delete the sources at which vendors' webhooks come in."`
	Replay   replayCommand   `cmd:"" name:"replay-source" help:"Take in again what came in at a source."`
	Verify   verifyCommand   `cmd:"" help:"Say whether a webhook is valid, and if not, exactly why."`
	Sign     signCommand     `cmd:"" help:"Print the headers that authenticate a body."`
	Demo     demoCommand     `cmd:"" help:"Show everything at work, on a temporary database."`
	Simulate simulateCommand `cmd:"" help:"Tell a server of a made-up day, and compare its figures."`
	Listen   listenCommand   `cmd:"" help:"Receive an app's webhooks on this machine."`
	Health   healthCommand   `cmd:"" help:"Ask a server whether it is ready."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// process is what commands have of the process around them.
type process struct {
	stdout, stderr io.Writer
}

// errReported is a failure that the log already tells of.
var errReported = errors.New("reported")

// usageError is a mistake in the command line that is found only when the command runs.
type usageError struct{ error }

// Unwrap gives the mistake itself.
func (e usageError) Unwrap() error { return e.error }

// Run does what the arguments ask for and gives the code to exit with: 0 for success, 1 for failure, 2 for a wrong
// command line. When ctx ends the command stops in order.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	helped := false
	parser, err := kong.New(&commands{},
		kong.Name("callboard"),
		kong.Description("A webhook service: messages go in over a Svix-compatible API, signed webhooks come out."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // --help is all that calls it
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Vars{"listen": app.DefaultListen, "exampleid": exampleID, "db": app.DefaultDB, "org": DefaultOrg, "server": defaultServer(os.Getenv), "tokenof": "of the org or of one app"},
		secretMapper(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&process{stdout: stdout, stderr: stderr}),
	)
	if err != nil {
		return report(stderr, fmt.Errorf("command line: %w", err)) // a mistake in the grammar, seen by every test
	}
	command, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		return report(stderr, err)
	}
	err = command.Run()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	return report(stderr, err)
}

// report prints an error, if any, and says how to exit.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		command := "callboard"
		if selected := parse.Context.Selected(); selected != nil {
			command = selected.FullPath()
		}
		return usage(stderr, command, err)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return usage(stderr, "callboard", err)
	}
	if !errors.Is(err, errReported) {
		_, _ = fmt.Fprintln(stderr, "callboard:", oneLine(err))
	}
	return exitFailure
}

func usage(stderr io.Writer, command string, err error) int {
	_, _ = fmt.Fprintf(stderr, "callboard: %s\nTry: %s --help\n", oneLine(err), command)
	return exitUsage
}

// oneLine joins the lines of errors.Join.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
