package transfer_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/store/storetest"
	"github.com/callboard/callboard/internal/transfer"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

func postgresConfig(url string) postgres.Config {
	return postgres.Config{URL: url, MaxConns: 4, Logger: slog.New(slog.DiscardHandler)}
}

// run copies as the command does; change may set up the copy.
func run(ctx context.Context, t *testing.T, path, url string, change func(*transfer.Config)) (*transfer.Result, error) {
	t.Helper()
	source, err := sqlite.OpenSource(ctx, path)
	if err != nil {
		return nil, err
	}
	defer closing(t, source)
	target, err := postgres.OpenTarget(ctx, postgresConfig(url))
	if err != nil {
		return nil, err
	}
	defer closing(t, target)
	cfg := transfer.Config{Source: source, Target: target, ChunkRows: 3}
	change(&cfg)
	return transfer.Run(ctx, cfg)
}

func asItIs(*transfer.Config) {}

func closing(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// copied is run that must succeed.
func copied(t *testing.T, path, url string) *transfer.Result {
	t.Helper()
	result, err := run(t.Context(), t, path, url, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// refused is run that must fail with an error.
func refused(t *testing.T, path, url string, want error) {
	t.Helper()
	if _, err := run(t.Context(), t, path, url, asItIs); !errors.Is(err, want) {
		t.Errorf("the copy ended with %v, want %v", err, want)
	}
}

// interrupted is run that is cancelled after the first chunk.
func interrupted(t *testing.T, path, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := run(ctx, t, path, url, func(cfg *transfer.Config) {
		cfg.Show = func(done, _ int64) {
			if done > 0 {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("an interrupted copy ended with %v, want %v", err, context.Canceled)
	}
}

// fails is a target on which one chunk is written and then something goes wrong: with
// the answer to it, or else with the chunk that follows.
type fails struct {
	transfer.Target
	answer bool
	loaded *bool
}

var errOnPurpose = errors.New("on purpose")

func (f fails) Load(ctx context.Context, rows *transfer.Rows, p *transfer.Progress) error {
	if *f.loaded && !p.Finished() {
		return errOnPurpose
	}
	err := f.Target.Load(ctx, rows, p)
	*f.loaded = true
	if f.answer && !p.Finished() && err == nil {
		return errOnPurpose
	}
	return err
}

func openPostgres(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgresConfig(url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, s) })
	return s
}

// equal fails the test unless both databases answer the same.
func (f *fixture) equal(t *testing.T, url string) {
	t.Helper()
	source, err := sqlite.Open(t.Context(), sqlite.Config{Path: f.path})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, source)
	want := f.answers(t, source)
	got := f.answers(t, storetest.Store(openPostgres(t, url)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-source +target):\n%s", diff)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	result := copied(t, f.path, url)
	want := []transfer.Count{
		{Table: transfer.Orgs, Source: 2, Target: 2},
		{Table: transfer.EventTypes, Source: 5, Target: 5},
		{Table: transfer.Apps, Source: 4, Target: 4},
		{Table: transfer.Endpoints, Source: 5, Target: 5},
		{Table: transfer.URLs, Source: 9, Target: 9},
		{Table: transfer.Healths, Source: 2, Target: 2},
		{Table: transfer.Tasks, Source: 4, Target: 4},
		{Table: transfer.Objects, Source: 5, Target: 5},
		{Table: transfer.Sources, Source: 3, Target: 3},
		{Table: transfer.Seen, Source: 9, Target: 9},
		{Table: transfer.Messages, Source: 12, Target: 12},
		{Table: transfer.Deliveries, Source: 12, Target: 12},
		{Table: transfer.Attempts, Source: 4, Target: 4},
		{Table: transfer.Received, Source: 4, Target: 4},
		{Table: transfer.Traffic, Source: 8, Target: 8},
	}
	if diff := cmp.Diff(want, result.Tables); diff != "" || result.Rows != 88 {
		t.Errorf("%d rows, want 88; tables (-want +got):\n%s", result.Rows, diff)
	}
	f.equal(t, url)
}

// TestCopyNothing copies a database that has nothing but its key.
func TestCopyNothing(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	path := filepath.Join(t.TempDir(), "callboard.db")
	refusedWith(t, path, url, "there is no database")
	if _, err := sqlite.Migrate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, path, url, "no server was ever started on it")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, path, url, sqlite.ErrInUse)
	closing(t, s)
	if result := copied(t, path, url); result.Rows != 0 || len(result.Tables) != len(transfer.Tables()) {
		t.Errorf("the copy of nothing is %+v", result)
	}
	if result := copied(t, path, url); result.FinishedBefore.IsZero() {
		t.Errorf("the second copy of nothing is %+v", result)
	}
}

func refusedWith(t *testing.T, path, url, words string) {
	t.Helper()
	if _, err := run(t.Context(), t, path, url, asItIs); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("the copy ended with %v, want %q", err, words)
	}
}

// TestEveryBoundary interrupts a copy after each of its chunks: by a signal, by an error
// that hides that the chunk is on disk, and by one before the next is.
func TestEveryBoundary(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	const chunks = 35 // of three rows or fewer
	var began []int64
	for round := 0; ; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		result, err := run(ctx, t, f.path, url, func(cfg *transfer.Config) {
			if round%3 > 0 {
				cfg.Target = fails{Target: cfg.Target, answer: round%3 == 1, loaded: new(bool)}
			}
			cfg.Show = func(done, total int64) {
				if len(began) == round {
					began = append(began, done)
				} else if round%3 == 0 && done < total {
					cancel()
				}
			}
		})
		cancel()
		if err == nil {
			if got := result.Before + result.Rows; got != 88 {
				t.Errorf("%d rows in the end, want 88", got)
			}
			break
		}
		if !errors.Is(err, context.Canceled) && !errors.Is(err, errOnPurpose) || round > chunks {
			t.Fatalf("round %d: %v", round, err)
		}
		if _, err := postgres.Open(t.Context(), postgresConfig(url)); !errors.Is(err, transfer.ErrUnfinished) {
			t.Fatalf("a server on an unfinished copy gets %v, want %v", err, transfer.ErrUnfinished)
		}
	}
	// The first round began at 0, and each one did exactly one chunk.
	if len(began) < chunks || len(slices.Compact(slices.Clone(began))) != len(began) || !slices.IsSorted(began) {
		t.Errorf("the rounds began after %d rows, want %d different numbers", began, chunks)
	}
	f.equal(t, url)
}

// TestServerGoesAway kills PostgreSQL in the middle.
func TestServerGoesAway(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	url, f := server.NewDatabase(t), newFixture(t)
	_, err := run(t.Context(), t, f.path, url, func(cfg *transfer.Config) {
		cfg.Show = func(done, _ int64) {
			if done > 30 {
				server.Kill()
			}
		}
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("the copy ended with %v, want %v", err, store.ErrUnavailable)
	}
	refused(t, f.path, url, store.ErrUnavailable)
	server.Restart(t)
	if result := copied(t, f.path, url); result.Before+result.Rows != 88 || result.Before < 30 {
		t.Errorf("the copy is %+v, want 88 rows", result)
	}
	f.equal(t, url)
}

// TestClaimedOnce claims from the copy until nothing is left.
func TestClaimedOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	copied(t, f.path, url)
	s := openPostgres(t, url)
	held := map[delivery.Key]int{}
	for range 2 {
		for _, ep := range f.endpoints {
			claimed, err := s.Claim(t.Context(), f.now, []store.LaneRoom{{Endpoint: ep.ID, Room: 100}})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range claimed[0].Rows {
				held[d.Key]++
			}
		}
	}
	for key, times := range held {
		if times != 1 {
			t.Errorf("%v was claimed %d times", key, times)
		}
	}
	if len(held) != f.pending {
		t.Errorf("%d deliveries were claimed, want %d", len(held), f.pending)
	}
}

func TestFinishedCopyIsLeftAlone(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	copied(t, f.path, url)
	again := copied(t, f.path, url)
	if again.FinishedBefore.IsZero() || again.Stale || again.Before != 88 {
		t.Errorf("the second copy is %+v", again)
	}
	f.equal(t, url) // starts the store on the source
	if again := copied(t, f.path, url); again.FinishedBefore.IsZero() || !again.Stale {
		t.Errorf("the copy after a start is %+v", again)
	}
	refused(t, newFixture(t).path, url, transfer.ErrNotEmpty)
}

func TestUnfinishedCopyOfAnother(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	interrupted(t, f.path, url)
	refused(t, newFixture(t).path, url, transfer.ErrOtherSource)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: f.path})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	refused(t, f.path, url, transfer.ErrChanged)
}

func TestTargetIsNotEmpty(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	s, err := postgres.Open(t.Context(), postgresConfig(url))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, f.path, url, transfer.ErrInUse)
	err = s.Update(t.Context(), func(tx commit.Tx) error {
		return tx.Apply(t.Context(), &store.Changes{Orgs: []store.OrgSettings{{Org: "org_1", UpdatedAt: f.now}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	refused(t, f.path, url, transfer.ErrNotEmpty)
	if got := openPostgres(t, url); got == nil {
		t.Error("the target does not open any more")
	}
}

// TestTargetWasServed copies to a database on which a server has run and left no rows:
// its key was given to nobody.
func TestTargetWasServed(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	s, err := postgres.Open(t.Context(), postgresConfig(url))
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	// As if it had died, or only lost its session and were to come back.
	if _, err := conn.Exec(t.Context(), `UPDATE node SET open = true, incarnation = 7`); err != nil {
		t.Fatal(err)
	}
	copied(t, f.path, url)
	var fenced bool
	if err := conn.QueryRow(t.Context(), `SELECT NOT open AND incarnation > 7 FROM node WHERE number = $1`, s.Node()).Scan(&fenced); err != nil || !fenced {
		t.Errorf("the server that ran before can come back (%v)", err)
	}
	f.equal(t, url)
}

func TestTwoCopiesAtOnce(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	_, err := run(t.Context(), t, f.path, url, func(cfg *transfer.Config) {
		cfg.Show = func(done, _ int64) {
			if done != 0 {
				return
			}
			refused(t, newFixture(t).path, url, transfer.ErrInUse)
			if _, err := postgres.Open(t.Context(), postgresConfig(url)); !errors.Is(err, transfer.ErrUnfinished) {
				t.Errorf("a server during a copy gets %v, want %v", err, transfer.ErrUnfinished)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	f.equal(t, url)
}

// loses is a target that has lost rows.
type loses struct{ transfer.Target }

func (l loses) Count(ctx context.Context, table transfer.Table) (int64, error) {
	n, err := l.Target.Count(ctx, table)
	if table == transfer.Attempts {
		n--
	}
	return n, err
}

func TestCountsDiffer(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	result, err := run(t.Context(), t, f.path, url, func(cfg *transfer.Config) { cfg.Target = loses{cfg.Target} })
	if err == nil || !strings.Contains(err.Error(), "table attempt has 4 rows in the source and 3 in the target") {
		t.Errorf("the copy ended with %v", err)
	}
	if result == nil || len(result.Tables) != len(transfer.Tables()) {
		t.Errorf("the result is %+v", result)
	}
	if _, err := postgres.Open(t.Context(), postgresConfig(url)); !errors.Is(err, transfer.ErrUnfinished) {
		t.Errorf("a server gets %v, want %v", err, transfer.ErrUnfinished)
	}
}

// TestLargePayloads has more bytes in a chunk than fit into one page.
func TestLargePayloads(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	f := newFixture(t)
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: f.path})
	if err != nil {
		t.Fatal(err)
	}
	var c store.Changes
	for range 20 {
		m := store.Message{ID: f.next(), App: f.apps[0].ID, Type: "session.1", Payload: make([]byte, 1<<20)}
		c.Messages, f.messages = append(c.Messages, m), append(f.messages, m)
	}
	write(t, s, c)
	closing(t, s)
	chunks := 0
	_, err = run(t.Context(), t, f.path, url, func(cfg *transfer.Config) {
		cfg.ChunkRows = 1000
		cfg.Show = func(int64, int64) { chunks++ }
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + len(transfer.Tables()) + 1 + 2; chunks != want { // the start, both tables of keys, messages in three pages
		t.Errorf("%d chunks, want %d", chunks, want)
	}
	target := openPostgres(t, url)
	got, err := target.Messages(t.Context(), nil)
	if err != nil || len(got) != 0 {
		t.Fatalf("no messages are %v, %v", got, err)
	}
	for _, m := range c.Messages {
		got, err := target.Message(t.Context(), m.App, store.Ref{ID: m.ID})
		if err != nil || len(got.Payload) != len(m.Payload) {
			t.Fatalf("message %d has a payload of %d bytes, %v", m.ID, len(got.Payload), err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := transfer.Run(t.Context(), transfer.Config{}); err == nil {
		t.Error("a copy from nowhere to nowhere ran")
	}
}
