package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/callboard/callboard/internal/store/migration"
)

// The migrations. One that was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// provider knows the migrations and a database. Whoever uses it has the lock.
func provider(dsn string) (*sql.DB, *goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, p, nil
}

// migrate brings the schema up to date and tells what it did.
func migrate(ctx context.Context, dsn string) (applied []migration.Step, err error) {
	db, p, err := provider(dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	applied, err = migration.Up(ctx, p)
	return applied, classify(err)
}

// Migrate does what Open would do to the schema of a database, the making of the
// file included, and gives the migrations that it has applied. It fails with
// ErrInUse while another process has the database open.
func Migrate(ctx context.Context, path string) (applied []migration.Step, err error) {
	err = locked(path, func(path string) error {
		if err := create(ctx, path); err != nil {
			return err
		}
		applied, err = migrate(ctx, dataSource(path, Full))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("migrate database %s: %w", path, err)
	}
	return applied, nil
}

// Migrations tells which migrations a database has and which it lacks; one that
// does not exist lacks all. It writes nothing, not even a lock file where there is
// none. It fails with ErrInUse while another process has the database open.
func Migrations(ctx context.Context, path string) (steps []migration.Step, err error) {
	if _, err = os.Stat(path + lockSuffix); errors.Is(err, fs.ErrNotExist) {
		steps, err = list(ctx, path) // nobody can have locked it
	} else {
		err = locked(path, func(path string) error {
			steps, err = list(ctx, path)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read database %s: %w", path, err)
	}
	return steps, nil
}

// locked runs fn with the absolute path of a database that no other process has
// open.
func locked(path string, fn func(path string) error) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	held, err := lock(path + lockSuffix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	return fn(path)
}

// list does what Migrations does under the lock.
func list(ctx context.Context, path string) (steps []migration.Step, err error) {
	dsn, exists, err := untouched(path)
	if err != nil {
		return nil, err
	}
	db, p, err := provider(dsn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tracked := false
	if exists {
		err := db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM sqlite_schema WHERE name = ?`, goose.DefaultTablename).Scan(&tracked)
		if err != nil {
			return nil, classify(err)
		}
	}
	steps, err = migration.List(ctx, p, !tracked)
	return steps, classify(err)
}

// untouched is the driver's name for a file that is to stay as it is. SQLite makes
// files beside a database with a log even to read it, unless it is told that nobody
// writes; but then it leaves out what a crash has left in the log.
func untouched(path string) (dsn string, exists bool, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", false, err
	}
	switch _, err = os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return fileName(path), false, nil
	case err != nil:
		return "", false, err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return fileName(path) + "&mode=ro", true, nil
	}
	return fileName(path) + "&mode=ro&immutable=1", true, nil
}
