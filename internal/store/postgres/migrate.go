package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/callboard/callboard/internal/store/migration"
)

// The migrations. One that was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// provider knows the migrations and a database. Of several processes that migrate
// at once one does it and the others wait.
func provider(cfg *pgx.ConnConfig) (*sql.DB, *goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, nil, err
	}
	cfg = cfg.Copy()
	cfg.RuntimeParams["timezone"] = "UTC"        // goose notes times without a zone
	cfg.RuntimeParams["statement_timeout"] = "0" // an index of a large table takes as long as it takes
	db := stdlib.OpenDB(*cfg)
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, p, nil
}

// migrate brings the schema up to date and tells what it did.
func migrate(ctx context.Context, cfg *pgx.ConnConfig) (applied []migration.Step, err error) {
	db, p, err := provider(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	applied, err = migration.Up(ctx, p)
	return applied, classify(err)
}

// Migrate does what Open would do to the schema of a database, and gives the
// migrations that it has applied. It does not wait for a server that cannot be
// reached.
func Migrate(ctx context.Context, cfg Config) (applied []migration.Step, err error) {
	err = visit(ctx, cfg, func(s *Store) error {
		applied, err = migrate(ctx, s.pool.Config().ConnConfig)
		return err
	})
	return applied, err
}

// Migrations tells which migrations a database has and which it lacks, and changes
// nothing. It does not wait for a server that cannot be reached.
func Migrations(ctx context.Context, cfg Config) (steps []migration.Step, err error) {
	err = visit(ctx, cfg, func(s *Store) (err error) {
		db, p, err := provider(s.pool.Config().ConnConfig)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		var tracked bool
		err = s.pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, goose.DefaultTablename).Scan(&tracked)
		if err != nil {
			return classify(err)
		}
		steps, err = migration.List(ctx, p, !tracked)
		return classify(err)
	})
	return steps, err
}

// visit runs fn with a Store that is no node of its database: it can do what needs
// connections alone.
func visit(ctx context.Context, cfg Config, fn func(*Store) error) error {
	s, err := newStore(ctx, cfg)
	if err != nil {
		return err
	}
	if err = s.reach(ctx); err == nil {
		err = fn(s)
	}
	return errors.Join(err, s.Close())
}

// reach looks whether the server answers and will do.
func (s *Store) reach(ctx context.Context) error {
	err := s.inspect(ctx)
	switch meant := meaning(err); {
	case err == nil:
		return nil
	case meant == nil:
		return fmt.Errorf("open database: %s", explain(err)) // the URL stays out of it
	default:
		return fmt.Errorf("open database: %w: %s", meant, explain(err))
	}
}
