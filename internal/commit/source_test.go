package commit_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
)

// TestSourceIsAsTheUnitsBeforeLeftIt changes, deletes and uses a source in one batch.
func TestSourceIsAsTheUnitsBeforeLeftIt(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "callboard.db"), Synchronous: sqlite.Normal})
	if err != nil {
		t.Fatal(err)
	}
	p := &player{ctx: t.Context()}
	submit := func(decisions ...func(*commit.View)) {
		t.Helper()
		committer := p.committer(t, db, 128)
		var units []*commit.Unit
		for _, decide := range decisions {
			units = append(units, &commit.Unit{Keys: commit.Keys{Sources: p.sources}, Decide: func(v *commit.View) (id.ID, error) {
				decide(v)
				return 0, nil
			}})
		}
		stop := run(committer)
		for _, a := range committer.SubmitAll(t.Context(), units) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
		stop()
	}
	submit(func(v *commit.View) {
		app := v.NextID()
		p.sources = []id.ID{v.NextID()}
		v.PutApp(store.App{ID: app, Org: testOrg})
		v.PutSource(store.Source{ID: p.sources[0], App: app, Org: testOrg, Dialect: "raw"})
	})
	k := p.sources[0]
	var seen []string
	look := func(v *commit.View) {
		source, there := v.Source(k)
		seen = append(seen, source.Description)
		if !there {
			seen[len(seen)-1] = "none"
		}
	}
	change := func(description string, deleted bool) func(*commit.View) {
		return func(v *commit.View) {
			source, _ := v.Source(k)
			source.Description, source.Deleted = description, deleted
			v.PutSource(source)
		}
	}
	submit(look, change("one", false), look, change("two", false), look)
	found, err := db.Source(t.Context(), k)
	if err != nil || found.Description != "two" {
		t.Errorf("source %+v, %v", found, err)
	}
	submit(change("three", true), look)
	submit(look)
	if diff := cmp.Diff([]string{"", "one", "two", "none", "none"}, seen); diff != "" {
		t.Errorf("what the units saw (-want +got):\n%s", diff)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
