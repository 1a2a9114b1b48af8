// Package traffic counts attempts for charts: how many went well or failed, with which
// class of status and how fast, by endpoint and by slots of time.
//
// Counting costs the hot path one look-up for each attempt that is on disk: a Recorder
// counts in memory and adds what it has to the store's rows about every five seconds, by
// way of the committer. What is not written yet is added to the answers of this process,
// so a chart shows an attempt at once; those of other processes on one database show it
// when they have written it.
//
// The log of attempts is the truth, and this is a summary of it that may lack something.
// An orderly stop writes what was counted. A process that is killed takes the last seconds
// of its chart with it, and nothing else: messages, deliveries and the log do not hang on
// this. An attempt whose result is not kept, because its message was removed meanwhile or
// another result of the same lease was there before, is counted all the same.
//
// A Recorder is safe for concurrent use.
package traffic

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

const (
	// unitCells is how many cells one unit of work writes; each is a row of every width.
	unitCells = 256
	// maxKnownApps bounds for how many apps a Recorder remembers their org.
	maxKnownApps = 10_000
	// maxReaders is how many reports are made at once.
	maxReaders = 64
	// lastFlush is how long a stop may take to write what was counted.
	lastFlush = 5 * time.Second
)

// Store is what is read of the counts of attempts.
type Store interface {
	// Traffic calls each with every row that a query asks for, in any order. The row is
	// valid until each returns.
	Traffic(ctx context.Context, q store.TrafficQuery, each func(*store.Traffic)) error
	// OrgOf gives the org of an app; store.ErrNotFound if there is none or it is deleted.
	OrgOf(ctx context.Context, app id.ID) (string, error)
}

// Submitter commits counts; *commit.Committer is the one outside of tests.
type Submitter interface {
	Submit(ctx context.Context, u *commit.Unit) (commit.Result, error)
}

// Config is what a Recorder is made of.
type Config struct {
	Store  Store         // required
	Node   int           // this process's number
	Every  time.Duration // between writes; default 5 s
	Enough int           // cells that are written at once; default 4096
	// MaxCells bounds what is kept while nothing can be written; what is more is not
	// counted. Default 100,000.
	MaxCells int
	Logger   *slog.Logger // default slog.Default()
}

// Recorder counts attempts and tells of them.
type Recorder struct {
	cfg    Config
	enough chan struct{} // signals that there is much to write

	// moving is held whole while counts move from memory to the store, and in part by
	// readers, who would miss them or see them twice.
	moving *semaphore.Weighted

	mu    sync.Mutex
	cells map[cell]*counts // counted and not on disk
	lost  int64            // attempts that were not counted since the last write

	orgsMu sync.Mutex
	orgs   map[id.ID]string
}

// cell is where an attempt is counted in memory.
type cell struct {
	app, endpoint id.ID
	minute        int64 // since 1970
}

// counts are by bin. Attempts at one endpoint in one minute fall into a few.
type counts struct{ bins []store.BinCount }

// New makes a Recorder.
func New(cfg Config) (*Recorder, error) {
	if cfg.Store == nil {
		return nil, errors.New("traffic: Config.Store is required")
	}
	if cfg.Every == 0 {
		cfg.Every = 5 * time.Second
	}
	if cfg.Enough == 0 {
		cfg.Enough = 4096
	}
	if cfg.MaxCells == 0 {
		cfg.MaxCells = 100_000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Recorder{
		cfg: cfg, enough: make(chan struct{}, 1), moving: semaphore.NewWeighted(maxReaders),
		cells: map[cell]*counts{}, orgs: map[id.ID]string{},
	}, nil
}

// Committed counts attempts that are on disk. It does not block.
func (r *Recorder) Committed(done []store.Completion) {
	if len(done) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range done {
		a := &done[i].Attempt
		r.count(cell{a.App, a.Endpoint, a.At.Unix() / 60}, binOf(a), 1)
	}
	if len(r.cells) >= r.cfg.Enough {
		select {
		case r.enough <- struct{}{}:
		default:
		}
	}
}

// count adds to a cell, under mu.
func (r *Recorder) count(at cell, bin int, n int64) {
	c := r.cells[at]
	if c == nil {
		if len(r.cells) >= r.cfg.MaxCells {
			r.lost += n
			return
		}
		c = &counts{}
		r.cells[at] = c
	}
	c.bins = store.AddCount(c.bins, bin, n)
}

// Run writes what was counted until ctx ends, and then what is left. The committer must
// run until it has returned. A write that fails is told of and tried again at its next
// time; it never ends Run.
func (r *Recorder) Run(ctx context.Context, to Submitter) error {
	// A write that was begun is waited for: if it were given up nobody would know whether
	// it is on disk.
	work := context.WithoutCancel(ctx)
	failing := false
	for r.wait(ctx, failing) {
		err := r.Flush(work, to)
		if err != nil && !failing {
			r.cfg.Logger.WarnContext(work, "counts of attempts cannot be written, it will be tried again", "error", err)
		}
		failing = err != nil
	}
	last, cancel := context.WithTimeout(work, lastFlush)
	defer cancel()
	if err := r.Flush(last, to); err != nil {
		r.cfg.Logger.WarnContext(last, "the last counts of attempts are not in the charts", "error", err)
	}
	return nil
}

// wait waits until it is time to write; false if ctx has ended. After a failure there is
// always something to write, and no hurry.
func (r *Recorder) wait(ctx context.Context, failing bool) bool {
	enough := r.enough
	if failing {
		enough = nil
	}
	select {
	case <-enough:
	case <-time.After(r.cfg.Every/2 + rand.N(r.cfg.Every)):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// Flush writes what was counted so far. What it cannot write stays in memory.
func (r *Recorder) Flush(ctx context.Context, to Submitter) error {
	for _, batch := range r.batches() {
		if err := r.write(ctx, to, batch); err != nil {
			return err
		}
	}
	if lost := r.takeLost(); lost > 0 {
		r.cfg.Logger.WarnContext(ctx, "attempts are missing in charts: there were too many endpoints to count for", "attempts", lost)
	}
	return nil
}

func (r *Recorder) takeLost() (lost int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost, r.lost = r.lost, 0
	return lost
}

// batches gives the cells of the moment, those of an endpoint side by side: their rows are
// partly the same.
func (r *Recorder) batches() [][]cell {
	r.mu.Lock()
	all := make([]cell, 0, len(r.cells))
	for at := range r.cells {
		all = append(all, at)
	}
	r.mu.Unlock()
	slices.SortFunc(all, cell.compare)
	return slices.Collect(slices.Chunk(all, unitCells))
}

// write moves cells from memory to the store.
func (r *Recorder) write(ctx context.Context, to Submitter, batch []cell) error {
	if err := r.moving.Acquire(ctx, maxReaders); err != nil {
		return err
	}
	defer r.moving.Release(maxReaders)
	taken := r.take(batch)
	if _, err := to.Submit(ctx, r.unit(taken)); err != nil {
		r.putBack(taken)
		return err
	}
	return nil
}

// taken is what was counted in a cell.
type taken struct {
	cell
	bins []store.BinCount
}

// take takes cells out of memory.
func (r *Recorder) take(batch []cell) []taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]taken, 0, len(batch))
	for _, at := range batch {
		if c := r.cells[at]; c != nil {
			all = append(all, taken{at, c.bins})
			delete(r.cells, at)
		}
	}
	return all
}

func (r *Recorder) putBack(all []taken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range all {
		for _, c := range t.bins {
			r.count(t.cell, c.Bin, c.N)
		}
	}
}

// rowBytes is about what a row takes.
const rowBytes = 96

// unit is the unit of work that writes cells. It names their apps: the counts of one that
// is deleted meanwhile would never go.
func (r *Recorder) unit(all []taken) *commit.Unit {
	rows := r.rows(all)
	u := &commit.Unit{Size: len(rows) * rowBytes}
	last := id.ID(0)
	for _, t := range all { // which are in the order of apps
		if t.app != last {
			u.Keys.Apps = append(u.Keys.Apps, commit.AppRef{Ref: store.Ref{ID: t.app}})
			last = t.app
		}
	}
	u.Decide = func(v *commit.View) (id.ID, error) {
		for i := range rows {
			if _, there := v.App(commit.AppRef{Ref: store.Ref{ID: rows[i].App}}); there {
				v.AddTraffic(rows[i])
			}
		}
		return 0, nil
	}
	return u
}

// rows are the rows that cells are added to, none of them twice.
func (r *Recorder) rows(all []taken) []store.Traffic {
	widths := store.TrafficWidths()
	rows := make([]store.Traffic, 0, len(widths)*len(all))
	index := make(map[store.TrafficKey]int, len(widths)*len(all))
	for _, t := range all {
		begin := time.Unix(t.minute*60, 0).UTC()
		for _, w := range widths {
			key := store.TrafficKey{App: t.app, Width: w.Width, At: slot(begin, w.Width), Endpoint: t.endpoint, Node: r.cfg.Node}
			at, there := index[key]
			if !there {
				at = len(rows)
				index[key] = at
				rows = append(rows, store.Traffic{TrafficKey: key})
			}
			rows[at].Counts = store.AddCounts(rows[at].Counts, t.bins)
		}
	}
	return rows
}

// slot is the beginning of the slot that a time is in. Slots are counted from 1970, so that
// all nodes and restarts have the same; time.Truncate counts from the year 1, which agrees
// for widths that divide a day.
func slot(t time.Time, width time.Duration) time.Time { return t.Truncate(width) }
