// Package transfer copies a database of one driver into an empty one of another:
// every row, the id key, and which ids were given out. External ids, dedupe keys,
// schedules and cursors are then the same there.
//
// Rows go over in chunks, table by table, in ascending order of their keys. Each chunk
// is one transaction of the target, which also notes how far the copy is. Wherever it
// is interrupted, the next run goes on after the last chunk that is on disk, and nothing
// is written twice. No server may run on either side meanwhile: the source's lock and
// the target see to that, and a source on which one has run in between is refused.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Source is a database that rows are read from. Nobody else has it open. It is used by
// one goroutine at a time.
type Source interface {
	// Origin says which database this is.
	Origin(ctx context.Context) (*Origin, error)
	// Count counts the rows of a table.
	Count(ctx context.Context, table Table) (int64, error)
	// Page reads rows of a table in ascending order of their keys, from after a place
	// on (nil = from the beginning): at most limit of them, and about PageBytes.
	Page(ctx context.Context, table Table, after []string, limit int) (*Page, error)
}

// Target is a database that rows are written to. It is used by one goroutine at a
// time.
type Target interface {
	// Begin looks at what is there and says from where the copy goes on, by
	// Found.Resume. A fresh copy gives the target the source's id key and high-water
	// marks. From then on no server can open it until the copy is finished. It fails
	// with ErrInUse if one has it open.
	Begin(ctx context.Context, origin *Origin) (Progress, error)
	// Load writes rows and how far the copy is with them, in one transaction. It runs to
	// its end whatever becomes of ctx.
	Load(ctx context.Context, rows *Rows, p *Progress) error
	// Count counts the rows of a table.
	Count(ctx context.Context, table Table) (int64, error)
}

// Config says what to copy where.
type Config struct {
	Source Source // required
	Target Target // required
	// ChunkRows is how many rows a transaction takes; default 1000.
	ChunkRows int
	// Show is told how far the copy is after each chunk, and before the first; default
	// is nobody.
	Show func(done, total int64)
}

// Result is what became of a copy.
type Result struct {
	Rows   int64   // copied by this run
	Before int64   // copied by runs before it
	Tables []Count // on both sides; nil if an earlier run has finished the copy
	// FinishedBefore is when an earlier run has finished the copy; zero = this one did.
	FinishedBefore time.Time
	// Stale says that a server has run on the source since a copy that was finished
	// before.
	Stale bool
}

// Count is how many rows a table has on both sides.
type Count struct {
	Table          Table
	Source, Target int64
}

// Run copies what is left to copy and verifies the whole: in the end every table has as
// many rows here as there. When ctx ends it stops after the chunk under way.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if cfg.Source == nil || cfg.Target == nil {
		return nil, errors.New("transfer: Config.Source and Config.Target are required")
	}
	if cfg.ChunkRows == 0 {
		cfg.ChunkRows = 1000
	}
	if cfg.Show == nil {
		cfg.Show = func(int64, int64) {}
	}
	origin, err := cfg.Source.Origin(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	c := &copying{Config: cfg}
	if c.progress, err = cfg.Target.Begin(ctx, origin); err != nil {
		return nil, err
	}
	if c.progress.Finished() {
		return &Result{Before: c.progress.Rows, FinishedBefore: c.progress.FinishedAt, Stale: c.progress.State != origin.State}, nil
	}
	c.before = c.progress.Rows
	if err := c.copy(ctx); err != nil {
		return nil, err
	}
	return c.finish(ctx)
}

// copying is a copy under way.
type copying struct {
	Config
	progress Progress
	before   int64   // rows of earlier runs
	counts   []Count // of the source
	total    int64
}

// copy copies all tables from where the progress stands on.
func (c *copying) copy(ctx context.Context) error {
	for _, table := range Tables() {
		n, err := c.Source.Count(ctx, table)
		if err != nil {
			return fmt.Errorf("count %s in the source: %w", table, err)
		}
		c.counts, c.total = append(c.counts, Count{Table: table, Source: n}), c.total+n
	}
	c.Show(c.progress.Rows, c.total)
	begin := slices.Index(Tables(), c.progress.Table)
	if begin < 0 {
		return fmt.Errorf("the copy was begun by another version: it knows a table %q", c.progress.Table)
	}
	for _, table := range Tables()[begin:] {
		if err := c.copyTable(ctx, table); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	return nil
}

// copyTable copies one table chunk by chunk.
func (c *copying) copyTable(ctx context.Context, table Table) error {
	if c.progress.Table != table {
		c.progress.Table, c.progress.After = table, nil
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		page, err := c.Source.Page(ctx, table, c.progress.After, c.ChunkRows)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		if page.Len() == 0 {
			return nil
		}
		next := c.progress
		next.After, next.Rows = page.Next, next.Rows+int64(page.Len())
		if err := c.Target.Load(ctx, &page.Rows, &next); err != nil {
			return fmt.Errorf("write the target: %w", err)
		}
		c.progress = next
		c.Show(next.Rows, c.total)
	}
}

// finish compares both sides and opens the target for servers.
func (c *copying) finish(ctx context.Context) (*Result, error) {
	var problems []error
	for i := range c.counts {
		n := &c.counts[i]
		var err error
		if n.Target, err = c.Target.Count(ctx, n.Table); err != nil {
			return nil, fmt.Errorf("count %s in the target: %w", n.Table, err)
		}
		if n.Source != n.Target {
			problems = append(problems, fmt.Errorf("table %s has %d rows in the source and %d in the target", n.Table, n.Source, n.Target))
		}
	}
	result := &Result{Rows: c.progress.Rows - c.before, Before: c.before, Tables: c.counts}
	if problems != nil {
		return result, fmt.Errorf("the copy is not equal to its source: %w", errors.Join(problems...))
	}
	done := c.progress
	done.FinishedAt = time.Now().UTC()
	if err := c.Target.Load(ctx, &Rows{}, &done); err != nil {
		return nil, fmt.Errorf("finish the copy: %w", err)
	}
	return result, nil
}
