package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/store/migration"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// migrateCommand is `callboard migrate`.
type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the migrations that the database lacks."`
	Status migrateStatusCommand `cmd:"" help:"Print which migrations the database has. Changes nothing."`
}

// Help is the end of `callboard migrate --help`.
func (migrateCommand) Help() string {
	return `The server migrates its database by itself when it starts; this is for doing it before, or for looking. A SQLite
database must not be open in a server meanwhile. A database of a newer Callboard is refused.

Example:

    callboard migrate status --db sqlite:./callboard.db`
}

// migrateFlags say which database is meant.
type migrateFlags struct {
	DB database `name:"db" default:"${db}" env:"CALLBOARD_DB" placeholder:"URL" help:"The database: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE. Default ${default}."`
}

// Validate checks what the flag means. Kong calls it after parsing.
func (c *migrateFlags) Validate() error {
	if err := app.CheckDB(string(c.DB)); err != nil {
		return fmt.Errorf("--db: %w", err)
	}
	return nil
}

// migrateUpCommand is `callboard migrate up`.
type migrateUpCommand struct{ migrateFlags }

// Help is the end of `callboard migrate up --help`.
func (migrateUpCommand) Help() string {
	return `Makes a SQLite database that does not exist. Of several processes that migrate a PostgreSQL database one does it, and
the others wait.

Example:

    callboard migrate up --db postgres://callboard@db.example.com:5432/callboard`
}

// Run migrates and says what it did.
func (c *migrateUpCommand) Run(ctx context.Context, p *process) error {
	applied, err := c.up(ctx, p)
	if err != nil {
		return inUse(c.DB, err)
	}
	for _, step := range applied {
		if _, err := fmt.Fprintf(p.stdout, "applied %d %s\n", step.Version, step.Name); err != nil {
			return err
		}
	}
	if len(applied) == 0 {
		_, err = fmt.Fprintln(p.stdout, "nothing to do: the database has every migration")
	}
	return err
}

func (c *migrateUpCommand) up(ctx context.Context, p *process) ([]migration.Step, error) {
	if path, ok := c.DB.sqlitePath(); ok {
		return sqlite.Migrate(ctx, path)
	}
	return postgres.Migrate(ctx, postgresConfig(c.DB, p))
}

// migrateStatusCommand is `callboard migrate status`.
type migrateStatusCommand struct{ migrateFlags }

// Help is the end of `callboard migrate status --help`.
func (migrateStatusCommand) Help() string {
	return "Example:\n\n    callboard migrate status --db sqlite:./callboard.db"
}

// Run prints all migrations.
func (c *migrateStatusCommand) Run(ctx context.Context, p *process) error {
	steps, err := c.steps(ctx, p)
	if err != nil {
		return inUse(c.DB, err)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "version\tname\tapplied")
	for _, step := range steps {
		applied := "no"
		if !step.AppliedAt.IsZero() {
			applied = step.AppliedAt.Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\n", step.Version, step.Name, applied)
	}
	return table.Flush()
}

func (c *migrateStatusCommand) steps(ctx context.Context, p *process) ([]migration.Step, error) {
	if path, ok := c.DB.sqlitePath(); ok {
		return sqlite.Migrations(ctx, path)
	}
	return postgres.Migrations(ctx, postgresConfig(c.DB, p))
}

// postgresConfig is how commands that are no server open a database.
func postgresConfig(db database, p *process) postgres.Config {
	return postgres.Config{URL: string(db), Logger: warnings(p.stderr)}
}

// warnings is a logger for commands that print results.
func warnings(stderr io.Writer) *slog.Logger {
	return logFlags{LogLevel: "warn", LogFormat: "text"}.logger(stderr)
}

// inUse says what to do about a database that a server has open.
func inUse(db database, err error) error {
	if errors.Is(err, sqlite.ErrInUse) {
		return fmt.Errorf("stop the server on %s first: %w", db, err)
	}
	return err
}
