// Package timer makes happen what happens by itself in live state: events begin and end,
// time spent is told, idle conferences end, and what hung on something deleted is swept
// up.
//
// What is due stands in the rows themselves, so nothing is kept in memory that a restart
// could lose. What is due soon is waited for, and an Alarm tells of what this process
// commits meanwhile; what others commit is found by looking about every second. A row that
// is due is worked off in small steps, each of them one commit of the row, the rows that it
// changes and the messages that it causes; the row's cursor moves with them. A crash
// between two steps therefore neither repeats nor skips any.
// Several processes on one database may run a Runner each: a step takes place only if the
// row still is where it was, and one of two that try gets its commit through.
package timer

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/internal/live"
)

const (
	// roundRows is how many rows one round takes a step of.
	roundRows = 256
	// roundSteps is how many steps are under way at once; they share transactions.
	roundSteps = 16
	// maxRounds is how many rounds fit into Config.Poll if none has anything to do.
	maxRounds = 100
	// maxHold is the longest time for which a row that fails is left alone.
	maxHold = time.Minute
)

// Store is what the timer reads; it writes through ingest.
type Store interface {
	// DueObjects gives rows of live state of any app that are due at a time or were
	// before it, by due time, at most limit.
	DueObjects(ctx context.Context, at time.Time, limit int) ([]live.Row, error)
}

// Firer takes one step of a row that is due. moved is false if there was nothing to do.
// *ingest.Service is the one outside of tests.
type Firer interface {
	Fire(ctx context.Context, row live.Row, delay time.Duration) (moved bool, err error)
}

// Config is what a Runner is made of.
type Config struct {
	Store  Store         // required
	Firer  Firer         // required
	Alarm  *Alarm        // what the process commits; nil = the Runner only looks
	Delay  time.Duration // after an end, until time spent is told; default live.DefaultDelay
	Poll   time.Duration // between looks for rows that are due; default 1 s
	Logger *slog.Logger  // default slog.Default()
}

// Runner takes steps of all rows that are due.
type Runner struct {
	cfg  Config
	mu   sync.Mutex
	held map[live.Key]hold
}

// hold says for how long a row is left alone that could not be moved.
type hold struct {
	until time.Time
	last  time.Duration // how long it was held last
}

// New makes a Runner.
func New(cfg Config) *Runner {
	if cfg.Delay == 0 {
		cfg.Delay = live.DefaultDelay
	}
	if cfg.Poll == 0 {
		cfg.Poll = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Runner{cfg: cfg, held: map[live.Key]hold{}}
}

// Run takes steps until ctx ends. A step that fails is tried again later, and later still
// if it goes on failing; it never ends Run, nor holds up the steps of other rows.
func (r *Runner) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		began := time.Now()
		moved, next, err := r.round(ctx, began)
		if err != nil && !failing && ctx.Err() == nil {
			r.cfg.Logger.ErrorContext(ctx, "looking for what is due failed, it will be tried again", "error", err)
		}
		failing = err != nil
		if moved && err == nil {
			continue
		}
		look := began.Add(r.cfg.Poll/2 + rand.N(r.cfg.Poll))
		r.cfg.Alarm.wait(ctx, began.Add(r.cfg.Poll/maxRounds), sooner(next, look))
	}
	return nil
}

// round takes one step of every row that is due and not held; moved is false if none could
// be taken, so that there is nothing to do at the moment. next is when the first of the other
// rows is due, if that is soon; else zero.
func (r *Runner) round(ctx context.Context, now time.Time) (moved bool, next time.Time, err error) {
	r.cfg.Alarm.reset() // what is on disk by now is read
	rows, err := r.cfg.Store.DueObjects(ctx, now.Add(2*r.cfg.Poll), roundRows+r.release(now))
	if err != nil {
		return false, time.Time{}, err
	}
	var some atomic.Bool
	steps := errgroup.Group{}
	steps.SetLimit(roundSteps)
	for _, row := range rows {
		if ctx.Err() != nil {
			break
		}
		if row.Due.After(now) {
			next = row.Due
			break
		}
		if r.isHeld(row.Key, now) {
			continue
		}
		steps.Go(func() error {
			if r.step(ctx, row) {
				some.Store(true)
			}
			return nil
		})
	}
	_ = steps.Wait() // steps give no errors
	return some.Load(), next, nil
}

// step takes one step of a row, and holds the row if that was none.
func (r *Runner) step(ctx context.Context, row live.Row) (moved bool) {
	moved, err := r.cfg.Firer.Fire(ctx, row, r.cfg.Delay)
	if ctx.Err() != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.held[row.Key]
	switch {
	case err == nil && moved:
		delete(r.held, row.Key)
	case err == nil:
		r.held[row.Key] = hold{until: time.Now().Add(r.cfg.Poll)}
	default:
		if before.last == 0 { // it is told once
			r.cfg.Logger.ErrorContext(ctx, "what was due could not be done, it will be tried again",
				"app", int64(row.App), "kind", int(row.Kind), "error", err)
		}
		wait := min(maxHold, max(r.cfg.Poll, 2*before.last))
		r.held[row.Key] = hold{until: time.Now().Add(wait/2 + rand.N(wait)), last: wait}
	}
	return moved
}

// release forgets rows that were held and did not come up again since, and gives the
// number of those that are left: they stand before others that are due.
func (r *Runner) release(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, h := range r.held {
		if now.Sub(h.until) > 2*maxHold {
			delete(r.held, k)
		}
	}
	return len(r.held)
}

func (r *Runner) isHeld(k live.Key, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.held[k].until)
}
