// Package sqlite keeps Callboard's rows in one SQLite file.
//
// One process has the file open (an advisory lock keeps others away) and one
// connection of it writes; a few more read. The journal is a write-ahead log with
// synchronous=FULL: when Update returns nil the transaction is on disk. A crash
// at any point leaves either the whole of a transaction or nothing of it.
//
// Which deliveries are leased is known in memory only, so after a restart nothing
// is leased and everything unfinished is due again: at least once.
//
// A Store is safe for concurrent use. Transactions queue up; reads run beside
// them and see what was committed when they began.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/callboard/callboard/internal/id"
)

// Synchronous is SQLite's promise about a power cut.
type Synchronous int

// The levels: https://sqlite.org/pragma.html#pragma_synchronous.
const (
	Full   Synchronous = 2 // a commit is on disk when it returns; the default
	Normal Synchronous = 1 // the last commits may be lost; only to show that Full matters
)

// Config says which file to open and how.
type Config struct {
	Path        string      // required; made if it does not exist
	Synchronous Synchronous // default Full
	Readers     int         // connections that read; default 4
	// SeenBytes bounds the memory that finds dedupe keys; default 64 MiB.
	SeenBytes int

	bucketRows  int // default bucketRows; tests cross the borders sooner
	handoffStep int // default handoffStep; likewise
}

const (
	pageSize = 4096
	// checkpointPages is when the log is copied into the file: 32 MB.
	checkpointPages = 8000
	busyTimeout     = 5000 // milliseconds; only a foreign tool can make us wait
	writerCacheKiB  = 32 << 10
	readerCacheKiB  = 4 << 10
	// lockSuffix makes the name of the lock's file from the database's path.
	lockSuffix = ".lock"
)

// Store is an open database. It satisfies the Store interfaces of commit,
// dispatch, restapi, tasks and janitor.
type Store struct {
	lock   *os.File
	leases *leases

	writing  chan struct{} // holds one token; who takes it may use what follows
	writer   *writer
	seen     seenSet
	failing  map[id.ID]struct{} // endpoints that may have a health row
	apps     versions
	handoffs handoffs
	messages bucketing
	attempts bucketing
	seqs     map[int]id.ID // the largest Seq of live state by node, as far as it is in meta

	readers chan *conn // idle ones
	dialled []*conn    // all readers

	closing sync.Once
	closed  chan struct{}
	err     error // of Close
}

// Open opens a database, makes it if it does not exist and migrates it. It fails
// with ErrInUse while another process has it open.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Path == "" {
		return nil, errors.New("sqlite: Config.Path is required")
	}
	if cfg.Synchronous == 0 {
		cfg.Synchronous = Full
	}
	if cfg.Readers == 0 {
		cfg.Readers = 4
	}
	if cfg.SeenBytes == 0 {
		cfg.SeenBytes = 64 << 20
	}
	if cfg.bucketRows == 0 {
		cfg.bucketRows = bucketRows
	}
	if cfg.handoffStep == 0 {
		cfg.handoffStep = handoffStep
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{
		leases:   newLeases(),
		writing:  make(chan struct{}, 1),
		seen:     seenSet{max: cfg.SeenBytes / seenEntryBytes},
		failing:  map[id.ID]struct{}{},
		apps:     versions{},
		handoffs: handoffs{every: cfg.handoffStep},
		messages: bucketing{every: cfg.bucketRows},
		attempts: bucketing{every: cfg.bucketRows},
		seqs:     map[int]id.ID{},
		readers:  make(chan *conn, cfg.Readers),
		closed:   make(chan struct{}),
	}
	s.writing <- struct{}{}
	if s.lock, err = lock(path + lockSuffix); err != nil {
		return nil, err
	}
	if err := s.open(ctx, path, cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", cfg.Path, err), s.Close())
	}
	return s, nil
}

// open does what Open does under the lock.
func (s *Store) open(ctx context.Context, path string, cfg Config) error {
	if err := create(ctx, path); err != nil {
		return err
	}
	dsn := dataSource(path, cfg.Synchronous)
	raw, err := dial(ctx, dsn+pragma("cache_size", -writerCacheKiB))
	if err != nil {
		return err
	}
	s.writer = newWriter(raw)
	if err := s.writer.conn.expect(ctx, cfg.Synchronous); err != nil {
		return err
	}
	if _, err := migrate(ctx, dsn); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	for range cfg.Readers {
		c, err := dial(ctx, dsn+pragma("cache_size", -readerCacheKiB)+pragma("query_only", 1))
		if err != nil {
			return err
		}
		s.dialled = append(s.dialled, c)
		s.readers <- c
	}
	return nil
}

// begin makes the installation's key if there is none, marks the start, and loads
// what is kept in memory.
func (s *Store) begin(ctx context.Context) error {
	random := make([]byte, id.KeyBytes+16)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	key, start := random[:id.KeyBytes], random[id.KeyBytes:]
	c := s.writer.conn
	if _, err := c.run(`INSERT INTO meta (name, value) VALUES ('id_key', ?) ON CONFLICT DO NOTHING`, key); err != nil {
		return err
	}
	if _, err := c.run(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, lastStart, start); err != nil {
		return err
	}
	if err := s.handoffs.recover(ctx, c); err != nil {
		return err
	}
	if err := s.messages.load(ctx, c, "message"); err != nil {
		return err
	}
	if err := s.attempts.load(ctx, c, "attempt"); err != nil {
		return err
	}
	if err := s.seen.load(ctx, c); err != nil {
		return err
	}
	return c.each(ctx, `SELECT endpoint FROM endpoint_health`, func(row []driver.Value) error {
		s.failing[ident(row[0])] = struct{}{}
		return nil
	})
}

// create makes a file that only its owner can read, unless there is one; SQLite
// gives the log beside it the same mode.
func create(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if info.Size() > 0 {
		return nil
	}
	return format(ctx, path)
}

// format gives an empty file its page size and vacuum mode, which count only before
// the first page is written; the driver sorts the pragmas of a name by theirs, so
// they cannot stand beside journal_mode, which writes it.
func format(ctx context.Context, path string) error {
	c, err := dial(ctx, fileName(path)+pragma("page_size", pageSize))
	if err != nil {
		return err
	}
	for _, statement := range []string{`PRAGMA auto_vacuum = incremental`, `VACUUM`} {
		if _, err := c.run(statement); err != nil {
			return errors.Join(err, c.close())
		}
	}
	return c.close()
}

// fileName is the driver's name for the file, without pragmas.
func fileName(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String() + "?_dqs=0&_error_rc=1"
}

// dataSource is the driver's name for the file, with the pragmas that every
// connection needs.
func dataSource(path string, sync Synchronous) string {
	return fileName(path) +
		pragma("busy_timeout", busyTimeout) +
		"&_pragma=journal_mode(wal)" +
		pragma("synchronous", int(sync)) +
		pragma("wal_autocheckpoint", checkpointPages) +
		pragma("foreign_keys", 0) +
		"&_pragma=temp_store(memory)"
}

func pragma(name string, value int) string {
	return "&_pragma=" + name + "(" + strconv.Itoa(value) + ")"
}

// expect fails if a pragma that durability rests on did not take: SQLite ignores
// those it does not like.
func (c *conn) expect(ctx context.Context, sync Synchronous) error {
	want := map[string]driver.Value{
		"journal_mode": "wal", "synchronous": int64(sync), "foreign_keys": int64(0),
		"page_size": int64(pageSize), "auto_vacuum": int64(2), // 2 = incremental
	}
	for name, value := range want {
		_, err := c.one(ctx, "PRAGMA "+name, func(row []driver.Value) error {
			if row[0] != value {
				return fmt.Errorf("pragma %s is %v, want %v", name, row[0], value)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// IDKey gives the installation's id key, which was made when the database was.
func (s *Store) IDKey(ctx context.Context) (key []byte, err error) {
	err = s.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, `SELECT value FROM meta WHERE name = 'id_key'`, func(row []driver.Value) error {
			key = blob(row[0])
			return nil
		})
		return err
	})
	return key, err
}

// Close waits for what is under way, closes the database and gives the lock
// back. It may be called more than once; everything else fails afterwards.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		var errs []error
		for range s.dialled {
			errs = append(errs, (<-s.readers).close())
		}
		<-s.writing
		if s.writer != nil {
			errs = append(errs, s.writer.conn.close())
		}
		// Last, so that no other process comes while the log is being folded in.
		errs = append(errs, s.lock.Close())
		s.err = errors.Join(errs...)
	})
	return s.err
}

// errClosed is returned by a Store that was closed.
var errClosed = errors.New("database is closed")

// read runs fn with a connection that reads.
func (s *Store) read(ctx context.Context, fn func(*conn) error) error {
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	select {
	case c := <-s.readers:
		defer func() { s.readers <- c }()
		return fn(c)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closed:
		return errClosed
	}
}

// snapshot runs fn with a connection whose queries all see the same rows.
func (s *Store) snapshot(ctx context.Context, fn func(*conn) error) error {
	return s.read(ctx, func(c *conn) (err error) {
		if _, err := c.run(`BEGIN`); err != nil {
			return err
		}
		defer func() {
			if _, endErr := c.run(`ROLLBACK`); err == nil {
				err = endErr
			}
		}()
		return fn(c)
	})
}
