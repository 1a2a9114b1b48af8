package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/transfer"
)

// copyCommand is `callboard copy`.
type copyCommand struct {
	From database `required:"" placeholder:"sqlite:PATH" help:"The database to copy. No server may run on it."`
	To   database `required:"" placeholder:"postgres://..." help:"The PostgreSQL database to fill. It must be empty, or hold an unfinished copy of the same database."`
}

// Help is the end of `callboard copy --help`.
func (copyCommand) Help() string {
	return `Copies everything from SQLite to PostgreSQL, the one direction there is: messages, deliveries, attempts, endpoints and
their secrets, and the key of the ids, so that ids, idempotency keys and retries go on as they were. Stop the server first.

A copy that was interrupted goes on when the same command is run again. Until it is finished no server starts on the
target. The source stays as it is: to go back, start the server on it again.

A password can be left out of --to and given in the variable PGPASSWORD.

Example:

    callboard copy --from sqlite:./callboard.db --to postgres://callboard@db.example.com:5432/callboard`
}

// Validate checks what the flags mean. Kong calls it after parsing, and tells of what is missing later.
func (c *copyCommand) Validate() error {
	if _, ok := c.From.sqlitePath(); !ok && c.From != "" {
		return errors.New("--from: must be sqlite:PATH; copies go from SQLite to PostgreSQL only")
	}
	switch {
	case c.To == "":
		return nil
	case !c.To.isPostgres():
		return errors.New("--to: must be postgres://...; copies go from SQLite to PostgreSQL only")
	}
	if err := app.CheckDB(string(c.To)); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return nil
}

// Run copies.
func (c *copyCommand) Run(ctx context.Context, p *process) error {
	bar := newProgress(p.stderr, isTerminal(p.stderr))
	began := time.Now()
	result, err := c.copy(ctx, p, bar)
	bar.end()
	if result != nil {
		if err := printCopy(p.stdout, result, time.Since(began)); err != nil {
			return err
		}
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.New("interrupted; run the same command again to go on")
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("%w; run the same command again to go on", err)
	}
	return inUse(c.From, err)
}

// copy opens both sides and copies.
func (c *copyCommand) copy(ctx context.Context, p *process, bar *progress) (result *transfer.Result, err error) {
	path, _ := c.From.sqlitePath() // Validate has seen it
	source, err := sqlite.OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := postgres.OpenTarget(ctx, postgresConfig(c.To, p))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, _ = fmt.Fprintf(p.stderr, "copying %s to %s\n", c.From, c.To)
	return transfer.Run(ctx, transfer.Config{
		Source: source,
		Target: target,
		Show:   func(done, total int64) { bar.show(time.Now(), done, total) },
	})
}

// printCopy prints what became of a copy.
func printCopy(stdout io.Writer, r *transfer.Result, took time.Duration) error {
	if !r.FinishedBefore.IsZero() {
		text := fmt.Sprintf("nothing to do: the copy of %d rows was finished at %s\n", r.Before, r.FinishedBefore.Format(time.RFC3339))
		if r.Stale {
			text += "a server has run on the source since; what it did is not in the copy\n"
		}
		_, err := io.WriteString(stdout, text)
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "table          \tsource\ttarget\t")
	for _, n := range r.Tables {
		_, _ = fmt.Fprintf(table, "%-15s\t%d\t%d\t\n", n.Table, n.Source, n.Target)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	text := fmt.Sprintf("copied %d rows in %s", r.Rows, took.Round(time.Second/10))
	if r.Before > 0 {
		text += fmt.Sprintf(", after %d in earlier runs", r.Before)
	}
	_, err := fmt.Fprintln(stdout, text)
	return err
}
