// Package migration brings the schema of a database up to date, and tells how far
// it is, by the same rules for all drivers of the store. The driver makes the
// goose.Provider: its dialect, its files, and what keeps two processes from
// migrating at once.
//
// A database of a newer Callboard is refused: its rows may mean what this one does
// not know.
package migration

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// Step is one migration.
type Step struct {
	Version   int64
	Name      string    // as its file is called, without the version
	AppliedAt time.Time // in UTC; zero = not applied
}

// Up applies what is missing, in order, and gives what it has applied.
func Up(ctx context.Context, p *goose.Provider) ([]Step, error) {
	if err := refuseNewer(ctx, p); err != nil {
		return nil, err
	}
	results, err := p.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	// A newer process may have been faster, and this one has waited for it.
	if err := refuseNewer(ctx, p); err != nil {
		return nil, err
	}
	applied := make([]Step, len(results))
	for i, r := range results {
		applied[i] = step(r.Source)
		applied[i].AppliedAt = time.Now().UTC()
	}
	return applied, nil
}

// List gives all migrations that this program knows, in order, and changes nothing.
// Untracked says that the database has no table of versions: none is applied.
func List(ctx context.Context, p *goose.Provider, untracked bool) ([]Step, error) {
	if untracked { // goose would make the table
		var steps []Step
		for _, source := range p.ListSources() {
			steps = append(steps, step(source))
		}
		return steps, nil
	}
	if err := refuseNewer(ctx, p); err != nil {
		return nil, err
	}
	all, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which migrations are applied: %w", err)
	}
	steps := make([]Step, len(all))
	for i, m := range all {
		steps[i] = step(m.Source)
		if m.State == goose.StateApplied {
			steps[i].AppliedAt = m.AppliedAt.UTC()
		}
	}
	return steps, nil
}

// refuseNewer fails if the database has seen a newer program.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("schema version %d is newer than this program's %d", have, want)
	}
	return nil
}

// step names a migration by its file, such as 00001_init.sql.
func step(source *goose.Source) Step {
	name := strings.TrimSuffix(path.Base(source.Path), path.Ext(source.Path))
	if _, after, found := strings.Cut(name, "_"); found {
		name = after
	}
	return Step{Version: source.Version, Name: name}
}
