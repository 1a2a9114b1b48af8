// Package commit is the one writer of a process: everything that changes goes
// through a Committer, in transactions that many requests share.
//
// A caller submits a Unit: the keys of what it reads, an optional dedupe key,
// and a pure decision over a view of the loaded rows. The committer takes what is
// queued, without waiting for more, runs the decisions one by one so that each
// sees what the ones before it decided, writes all rows together, commits, and
// only then answers. A caller that has an answer has its data on disk.
//
// What holds under failure:
//   - A refused unit writes nothing, and its key is free for a corrected retry.
//   - When a batch fails for another reason than data, its units are tried one by
//     one, so that one bad unit does not spoil the others.
//   - A store that is out of reach or full answers every unit of the batch with
//     an unavailable error; nothing is retried behind the caller's back.
//   - A store that is lost (failed fsync) ends Run with the error. Nobody has
//     been told that the batch is on disk; dedupe makes a repetition harmless.
package commit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// ErrClosed answers units that were submitted after the committer had stopped.
var ErrClosed = &errs.Error{Kind: errs.Unavailable, Detail: "The server is shutting down"}

// ErrConflict is wrapped by a store's errors after which the same batch may
// succeed when it is run again: deadlock, serialization failure.
var ErrConflict = errors.New("transaction conflict")

// maxConflicts bounds how often a batch is run again after ErrConflict.
const maxConflicts = 5

// Config is what a Committer is made of.
type Config struct {
	Store    Store                 // required
	Handoff  Handoff               // nil = rows wait to be claimed
	Node     int                   // this node's number, 0..id.MaxNode
	MaxUnits int                   // in one transaction; default 256
	MaxBytes int                   // of payloads in one transaction; default 8 MiB
	Queue    int                   // units that wait before Submit blocks; default 4096
	MaxApps  int                   // app configurations kept in memory; default 10,000
	Now      func() time.Time      // the wall clock; set only by tests in which it jumps
	Logger   *slog.Logger          // default slog.Default()
	Metrics  prometheus.Registerer // nil = not registered
}

// Handoff is the short way from a commit to the senders of this node.
type Handoff interface {
	// Reserve asks for a place for a delivery that is due now. A reserved delivery
	// is inserted as leased and comes back in Committed or RolledBack.
	Reserve(endpoint id.ID, sizeBytes int) bool
	// Committed tells what is now on disk. It must not block.
	Committed(c *store.Changes)
	// RolledBack gives reservations back.
	RolledBack(c *store.Changes)
}

// Unit is a piece of work that happens whole or not at all.
type Unit struct {
	// Seen, if it has a Hash, makes the unit happen once: a second unit with the
	// same Hash gets the first one's result, or a conflict if Body differs.
	Seen store.Seen
	Keys Keys
	// Size is about how many bytes the unit writes.
	Size int
	// Decide reads the view and puts changes into it; its result is the id that
	// the answer is rendered from. It must not write before it is sure not to
	// fail, must not block, and may run several times.
	Decide func(*View) (id.ID, error)

	done   chan struct{}
	result Result
	err    error
}

// Result is what a unit decided.
type Result struct {
	ID       id.ID
	Replayed bool // an earlier unit with the same key decided it
}

// Committer writes units in shared transactions; see the package comment.
type Committer struct {
	cfg     Config
	queue   chan *Unit
	closing chan struct{} // closed when Run begins to drain
	stopped chan struct{} // closed when Run has returned
	gen     *id.Generator
	cache   *appCache
	orgs    *settingsCache
	view    *View
	metrics metrics
	failing atomic.Bool // the last transaction failed for another reason than data

	hashes   map[store.Hash16]struct{} // used by cut
	rows     map[any]bool              // used by cut; true = a unit changes it
	families map[family]struct{}       // used by cut
}

// New makes a committer and asks the store for the largest id of its node.
func New(ctx context.Context, cfg Config) (*Committer, error) {
	if cfg.Store == nil {
		return nil, errors.New("commit: Config.Store is required")
	}
	cfg.MaxUnits = orDefault(cfg.MaxUnits, 256)
	cfg.MaxBytes = orDefault(cfg.MaxBytes, 8<<20)
	cfg.Queue = orDefault(cfg.Queue, 4096)
	cfg.MaxApps = orDefault(cfg.MaxApps, 10_000)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		// Without its monotonic part: times are stored, and compare by the wall clock.
		cfg.Now = func() time.Time { return time.Now().Round(0) }
	}
	last, err := cfg.Store.LastID(ctx, cfg.Node)
	if err != nil {
		return nil, fmt.Errorf("read last id: %w", err)
	}
	gen, err := id.NewGenerator(cfg.Node, last)
	if err != nil {
		return nil, err
	}
	c := &Committer{
		cfg:      cfg,
		queue:    make(chan *Unit, cfg.Queue),
		closing:  make(chan struct{}),
		stopped:  make(chan struct{}),
		gen:      gen,
		cache:    newAppCache(cfg.MaxApps),
		orgs:     &settingsCache{byOrg: map[string]store.OrgSettings{}},
		metrics:  newMetrics(cfg.Metrics),
		hashes:   map[store.Hash16]struct{}{},
		rows:     map[any]bool{},
		families: map[family]struct{}{},
	}
	c.view = newView(gen, cfg.Handoff)
	return c, nil
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// Submit queues a unit and waits until it is on disk or refused. A unit must not
// be submitted twice. If ctx ends first the unit's outcome is unknown and ctx's
// cause is returned as an unavailable error.
func (c *Committer) Submit(ctx context.Context, u *Unit) (Result, error) {
	if err := c.enqueue(ctx, u); err != nil {
		return Result{}, err
	}
	return c.wait(ctx, u)
}

// Answer is what became of one of several units.
type Answer struct {
	Result
	Err error
}

// SubmitAll queues units, which are decided in their order, and waits until each is
// on disk or refused; others' units may come between them. While the queue is full it
// waits for room. If ctx or the committer ends first, units that were not queued yet
// are not, and get the error that the first of them got; of those that were, the ones
// that are not answered by then are as in Submit. The units share no transaction:
// each fails alone.
func (c *Committer) SubmitAll(ctx context.Context, units []*Unit) []Answer {
	answers := make([]Answer, len(units))
	queued, stopped := 0, error(nil)
	for queued < len(units) {
		if stopped = c.enqueue(ctx, units[queued]); stopped != nil {
			break
		}
		queued++
	}
	for i, u := range units[:queued] {
		answers[i].Result, answers[i].Err = c.wait(ctx, u)
	}
	for i := queued; i < len(units); i++ {
		answers[i].Err = stopped
	}
	return answers
}

// enqueue queues a unit, or says why it does not.
func (c *Committer) enqueue(ctx context.Context, u *Unit) error {
	u.done = make(chan struct{})
	select {
	case <-c.closing:
		return ErrClosed
	default:
	}
	select {
	case c.queue <- u:
		return nil
	case <-c.closing:
		return ErrClosed
	case <-ctx.Done():
		return unavailable(context.Cause(ctx))
	}
}

// wait waits for the answer of a queued unit.
func (c *Committer) wait(ctx context.Context, u *Unit) (Result, error) {
	var ended error
	select {
	case <-u.done:
	case <-c.stopped:
		ended = ErrClosed
	case <-ctx.Done():
		ended = unavailable(context.Cause(ctx))
	}
	select { // it may have been answered last of all
	case <-u.done:
		return u.result, u.err
	default:
		return Result{}, ended
	}
}

// Failing reports whether the store took no writes when it was last asked. While
// it is so and nobody else writes, Run asks again every second.
func (c *Committer) Failing() bool { return c.failing.Load() }

// probeEvery is how often a failing store is asked whether it takes writes again.
const probeEvery = time.Second

// probe is a unit that writes a little and means nothing: a dedupe key that
// expires at once.
func probe() *Unit {
	u := &Unit{
		Seen:   store.Seen{Expires: time.Now()},
		Decide: func(*View) (id.ID, error) { return 0, nil },
		done:   make(chan struct{}),
	}
	binary.LittleEndian.PutUint64(u.Seen.Hash[:], rand.Uint64())
	binary.LittleEndian.PutUint64(u.Seen.Hash[8:], rand.Uint64())
	return u
}

// Run commits until ctx ends, then commits what is queued and returns nil. It
// returns an error only if the store is lost; everything queued is answered
// then too. Run is called once.
func (c *Committer) Run(ctx context.Context) error {
	defer close(c.stopped)
	// The transactions outlive ctx: what is queued at the end is still committed.
	work := context.WithoutCancel(ctx)
	var carry []*Unit
	for {
		batch := carry
		if len(batch) == 0 {
			var retry <-chan time.Time
			if c.Failing() {
				retry = time.After(probeEvery)
			}
			select {
			case u := <-c.queue:
				batch = append(batch, u)
			case <-retry:
				batch = append(batch, probe())
			case <-ctx.Done():
				return c.drain(work)
			}
		}
		// Whoever was answered by the batch before may be about to ask again: let
		// what is runnable run first. It costs nothing when nothing is.
		runtime.Gosched()
		var err error
		if carry, err = c.commit(work, c.fill(batch)); err != nil {
			c.close(err)
			return err
		}
	}
}

// drain closes the door, then commits what is already inside.
func (c *Committer) drain(ctx context.Context) error {
	close(c.closing)
	var carry []*Unit
	for {
		batch := c.fill(carry)
		if len(batch) == 0 {
			return nil
		}
		var err error
		if carry, err = c.commit(ctx, batch); err != nil {
			c.refuseQueued(err)
			return err
		}
	}
}

// close answers everything that is queued or still comes with err.
func (c *Committer) close(err error) {
	close(c.closing)
	c.refuseQueued(err)
}

func (c *Committer) refuseQueued(err error) {
	for {
		select {
		case u := <-c.queue:
			u.finish(Result{}, unavailable(err))
		default:
			return
		}
	}
}

// fill adds what is queued to a batch, up to the bounds.
func (c *Committer) fill(batch []*Unit) []*Unit {
	size := 0
	for _, u := range batch {
		size += u.Size
	}
	for len(batch) < c.cfg.MaxUnits && size < c.cfg.MaxBytes {
		select {
		case u := <-c.queue:
			batch = append(batch, u)
			size += u.Size
		default:
			return batch
		}
	}
	return batch
}

// commit brings a batch to its end: every unit is answered, except those that must
// wait for the next batch, which are returned. It fails only if the store is lost.
func (c *Committer) commit(ctx context.Context, batch []*Unit) (carry []*Unit, err error) {
	batch, carry = c.cut(batch)
	err = c.attempt(ctx, batch)
	for try := 1; errors.Is(err, ErrConflict) && try <= maxConflicts; try++ {
		if err := pause(ctx, time.Duration(try)*5*time.Millisecond); err != nil {
			break
		}
		err = c.attempt(ctx, batch)
	}
	c.failing.Store(err != nil && !errors.Is(err, ErrConflict))
	switch {
	case err == nil:
		for _, u := range batch {
			close(u.done)
		}
		return carry, nil
	case errors.Is(err, store.ErrLost):
		answerAll(batch, err)
		answerAll(carry, err)
		return nil, err
	case errors.Is(err, store.ErrUnavailable), len(batch) == 1:
		c.cfg.Logger.ErrorContext(ctx, "commit failed", "units", len(batch), "error", err)
		answerAll(batch, err)
		return carry, nil
	}
	c.cfg.Logger.WarnContext(ctx, "batch failed, trying its units one by one", "units", len(batch), "error", err)
	for i, u := range batch {
		if _, err := c.commit(ctx, []*Unit{u}); err != nil {
			answerAll(batch[i+1:], err)
			answerAll(carry, err)
			return nil, err
		}
	}
	return carry, nil
}

// attempt runs one transaction for the batch. On success every unit holds its
// result, but nobody has been told yet.
func (c *Committer) attempt(ctx context.Context, batch []*Unit) error {
	begin := time.Now()
	v := c.view
	err := c.cfg.Store.Update(ctx, func(tx Tx) error {
		// A driver that runs fn again must find the batch as it was.
		v.rollBack()
		v.reset(c.cfg.Now())
		for _, u := range batch {
			u.result, u.err = Result{}, nil
		}
		open, err := c.takeKeys(ctx, tx, batch)
		if err != nil {
			return err
		}
		if err := c.load(ctx, tx, open); err != nil {
			return err
		}
		if err := v.decide(open); err != nil {
			return err
		}
		// A twin on another node may have ended between the look at the keys and what
		// was read after it: then that is why the unit was refused.
		if _, err := c.takeKeys(ctx, tx, refused(open)); err != nil {
			return err
		}
		if err := tx.Apply(ctx, &v.changes); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	})
	if err != nil {
		v.rollBack()
		c.metrics.failed.Inc()
		return err
	}
	c.cache.update(v)
	v.committed()
	c.metrics.units.Observe(float64(len(batch)))
	c.metrics.seconds.Observe(time.Since(begin).Seconds())
	return nil
}

// takeKeys claims the dedupe keys of a batch. Units whose key is taken get the
// stored result; the others are returned.
func (c *Committer) takeKeys(ctx context.Context, tx Tx, batch []*Unit) ([]*Unit, error) {
	var keys []store.Seen
	for _, u := range batch {
		if u.keyed() {
			keys = append(keys, u.Seen)
		}
	}
	if len(keys) == 0 {
		return batch, nil
	}
	found, err := tx.TakeSeen(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("take keys: %w", err)
	}
	if len(found) == 0 {
		return batch, nil
	}
	byHash := make(map[store.Hash16]store.Seen, len(found))
	for _, s := range found {
		byHash[s.Hash] = s
	}
	open := make([]*Unit, 0, len(batch))
	for _, u := range batch {
		earlier, taken := byHash[u.Seen.Hash]
		switch {
		case !u.keyed() || !taken:
			open = append(open, u)
		case earlier.Body != u.Seen.Body:
			u.err = &errs.Error{Kind: errs.Conflict, Code: "conflict", Detail: "The Idempotency-Key was used with another request body"}
		default:
			u.result, u.err = Result{ID: earlier.Result, Replayed: true}, nil
		}
	}
	return open, nil
}

// refused gives the units that were refused and have a dedupe key.
func refused(units []*Unit) (keyed []*Unit) {
	for _, u := range units {
		if u.err != nil && u.keyed() {
			keyed = append(keyed, u)
		}
	}
	return keyed
}

func (u *Unit) keyed() bool { return u.Seen.Hash != store.Hash16{} }

func (u *Unit) finish(r Result, err error) {
	u.result, u.err = r, err
	close(u.done)
}

func answerAll(units []*Unit, err error) {
	for _, u := range units {
		u.finish(Result{}, unavailable(err))
	}
}

// cut ends a batch before the first unit that meets another one of the batch in
// more than the view can hold: the same dedupe key, the same delivery or task, or
// event types or settings that one of the two changes; and before one that reads a
// range of live state in which another one may write. What follows waits for the next
// batch, so that units are always decided in the order of the queue.
func (c *Committer) cut(batch []*Unit) (now, later []*Unit) {
	if len(batch) == 1 {
		return batch, nil
	}
	clear(c.hashes)
	clear(c.rows)
	clear(c.families)
	for i, u := range batch {
		if c.meets(u) {
			return batch[:i:i], batch[i:]
		}
	}
	return batch, nil
}

// meets reports whether a unit shares something that must be its own with the
// units of the batch so far, and notes what it brings.
func (c *Committer) meets(u *Unit) bool {
	if u.keyed() {
		if _, again := c.hashes[u.Seen.Hash]; again {
			return true
		}
		c.hashes[u.Seen.Hash] = struct{}{}
	}
	changes := u.Keys.ChangesConfig
	return c.reads(u) || take(c.rows, u.Keys.Deliveries, true) || take(c.rows, u.Keys.Tasks, true) ||
		take(c.rows, u.Keys.EventTypes, changes) || take(c.rows, u.Keys.Orgs, changes)
}

// take notes keys as taken by a unit that changes their rows, or one that reads them
// alone. It reports true if one of them was taken already and either unit changes it:
// any number of units may read the same row.
func take[K comparable](taken map[any]bool, keys []K, changes bool) bool {
	for _, k := range unique(keys) {
		changed, again := taken[k]
		if again && (changed || changes) {
			return true
		}
		taken[k] = changes
	}
	return false
}

// unavailable makes a 503 of a cause that the caller cannot mend.
func unavailable(cause error) error {
	if _, public := errors.AsType[*errs.Error](cause); public {
		return cause
	}
	return errs.Wrap(errs.Unavailable, cause, "The store cannot take the request now; retry it")
}

// pause waits for d ± 50 %.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
