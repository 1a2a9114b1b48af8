// Package postgres keeps Callboard's rows in PostgreSQL, for any number of
// processes (nodes) on one database.
//
// A transaction of the committer is one transaction of the database, sent in as
// few round trips as its reads allow; when Update returns nil it is on disk, as
// far as the server's settings promise that. Leases are columns of the delivery:
// a row is held by a node under a generation, and what a node holds is held until
// it gives it back, records a result, or is found dead by the others (node.go). No
// clock of any node is compared with another's.
//
// While the database cannot be reached every call fails with store.ErrUnavailable,
// at once or within a few seconds. What this process held it still holds when the
// database is back.
//
// A Store is safe for concurrent use.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Config says which database to open and how.
type Config struct {
	// URL is postgres://…, with the parameters of libpq. Required.
	URL    string
	Logger *slog.Logger // default slog.Default()
	// MaxConns bounds the connections that read; default 8. Five more write, and hold
	// this process's session.
	MaxConns int

	times times // tests do not wait as long
	// eager sends what a transaction writes when it is applied and not with its
	// COMMIT, so that tests of rollbacks have something to roll back.
	eager bool
}

const (
	// minServer is the oldest version that is tested against, as in
	// server_version_num.
	minServer = 140000
	// connectTimeout bounds one try to connect.
	connectTimeout = 5 * time.Second
	// updateTimeout bounds a transaction, waiting for locks included.
	updateTimeout = 10 * time.Second
	// readTimeout bounds a read.
	readTimeout = 20 * time.Second
	// closeTimeout bounds the good-bye of Close.
	closeTimeout = 5 * time.Second
	// defaultConns is Config.MaxConns.
	defaultConns = 8
	// writerConns bounds the connections that write: one transaction of the committer,
	// one claim, and what gives leases back.
	writerConns = 4
)

// Store is an open database. It satisfies the Store interfaces of commit,
// dispatch, restapi, tasks and janitor.
type Store struct {
	cfg     Config
	logger  *slog.Logger
	pool    *pgxpool.Pool // for reads, of which any number may be under way
	writers *pgxpool.Pool // for the committer and the dispatcher, who must not wait behind those
	node    node
	leases  leases
	loader  loader
	marks   marks
	hints   hints
	watcher watcher

	claiming sync.Mutex // claims and the resolution of doubtful leases exclude each other

	closing sync.Once
	life    context.Context // of what runs by itself
	stop    context.CancelCauseFunc
	running sync.WaitGroup
	closed  chan struct{}
}

// Open opens a database and migrates it. It waits for a server that cannot be
// reached, until ctx ends, and says so in the log; it fails at once when the
// server answers that the URL is wrong.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := newStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	return s, nil
}

// newStore makes a Store that has connected to nothing yet.
func newStore(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.URL == "" {
		return nil, errors.New("postgres: Config.URL is required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = defaultConns
	}
	cfg.times.setDefaults()
	conns, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, logger: cfg.Logger, leases: newLeases(), marks: newMarks(), hints: newHints(), closed: make(chan struct{}),
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, conns); err != nil {
		return nil, err
	}
	writers := conns.Copy()
	writers.MaxConns = writerConns
	if s.writers, err = pgxpool.NewWithConfig(ctx, writers); err != nil {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}

// poolConfig turns the URL into how to connect.
func poolConfig(cfg Config) (*pgxpool.Config, error) {
	conns, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("not a valid PostgreSQL URL; write postgres://USER:PASSWORD@HOST:5432/DATABASE") // the cause would show the password
	}
	conns.MaxConns = int32(cfg.MaxConns)
	conns.ConnConfig.ConnectTimeout = connectTimeout
	params := conns.ConnConfig.RuntimeParams
	setDefault := func(name, value string) {
		if _, given := params[name]; !given {
			params[name] = value
		}
	}
	setDefault("application_name", "callboard")
	setDefault("statement_timeout", "20s")
	setDefault("idle_in_transaction_session_timeout", "15s")
	// Every statement is written to be a walk along an index. The planner knows that
	// only while its statistics are fresh: a plan that was made when a table was
	// empty, kept for a prepared statement, would scan a million rows an hour later.
	for _, name := range []string{"jit", "enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"} {
		setDefault(name, "off")
	}
	conns.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		// What is acknowledged is on disk, whatever the server's default.
		_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
		return err
	}
	return conns, nil
}

// open does what Open does with a pool.
func (s *Store) open(ctx context.Context) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	if _, err := migrate(ctx, s.pool.Config().ConnConfig); err != nil {
		return err
	}
	if err := s.refuseUnfinished(ctx); err != nil {
		return err
	}
	key := make([]byte, id.KeyBytes)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if _, err := s.pool.Exec(ctx, `INSERT INTO meta (name, value) VALUES ('id_key', $1) ON CONFLICT DO NOTHING`, key); err != nil {
		return classify(err)
	}
	if err := s.join(ctx); err != nil {
		return err
	}
	// A copy that begins sees the nodes that run; one that began a moment ago is seen here.
	if err := s.refuseUnfinished(ctx); err != nil {
		return err // and Close leaves
	}
	running, stop := context.WithCancelCause(context.Background())
	s.life, s.stop = running, stop
	s.running.Go(func() { s.keep(running) })
	s.running.Go(func() { s.sendHints(running) })
	return nil
}

// await waits until the server answers, and looks whether it will do.
func (s *Store) await(ctx context.Context) error {
	began := time.Now()
	for pause := s.cfg.times.retry; ; pause = min(2*pause, 5*time.Second) {
		err := s.inspect(ctx)
		switch {
		case err == nil:
			if waited := time.Since(began); waited > time.Second {
				s.logger.InfoContext(ctx, "the database answers", "waited", waited.Round(time.Millisecond))
			}
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case hopeless(err) || meaning(err) == nil && !errors.Is(err, store.ErrUnavailable):
			return errors.New(explain(err))
		}
		s.logger.WarnContext(ctx, "waiting for PostgreSQL", "error", explain(err), "waited", time.Since(began).Round(time.Second))
		if err := rest(ctx, pause); err != nil {
			return err
		}
	}
}

// inspect asks the server what it is.
func (s *Store) inspect(ctx context.Context) error {
	var version int
	var recovering bool
	var fsync string
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync')`).
		Scan(&version, &recovering, &fsync)
	switch {
	case err != nil:
		return err
	case version < minServer:
		return fmt.Errorf("the server is PostgreSQL %d, at least %d is needed", version/10000, minServer/10000)
	case recovering:
		return fmt.Errorf("%w: the server is a standby, which takes no writes", store.ErrUnavailable) // it may be promoted
	case fsync != "on":
		s.logger.WarnContext(ctx, "the server runs with fsync = off: a crash of its machine loses what was accepted")
	}
	return nil
}

// rest waits for d ± 50 %.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + mathrand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Node is the number of this process among those on the database, 1..255, for its
// ids.
func (s *Store) Node() int { return s.node.number }

// IDKey gives the installation's id key, which was made when the database was.
func (s *Store) IDKey(ctx context.Context) ([]byte, error) {
	return one(ctx, s, pgx.RowTo[[]byte], `SELECT value FROM meta WHERE name = 'id_key'`)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var one int
	return s.told(s.writers.QueryRow(ctx, `SELECT 1`).Scan(&one))
}

// told classifies an error of the pool. After one of a connection the idle ones
// are closed, because they are likely to be broken too.
func (s *Store) told(err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	if unreachable(err) || isReadOnly(err) {
		s.pool.Reset()
		s.writers.Reset()
	}
	return classify(err)
}

// Close says good-bye to the other nodes, waits for what is under way, and closes
// the connections. It may be called more than once; everything else fails
// afterwards. It never fails: a good-bye that nobody hears is none.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if s.stop != nil {
			s.stop(errClosed)
			s.running.Wait()
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		s.leave(ctx)
		close(s.closed)
		s.writers.Close()
		s.pool.Close()
	})
	return nil
}
