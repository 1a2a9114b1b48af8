package commit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// presence is the key of a row below event "e" of app 1.
func presence(name string) live.Key {
	return live.Key{App: 1, Kind: live.Presence, Parent: "e", ID: name}
}

// change is a unit that reads and writes rows.
func change(decide func(*commit.View), keys ...live.Key) *commit.Unit {
	return &commit.Unit{Keys: commit.Keys{Objects: keys}, Decide: func(v *commit.View) (id.ID, error) {
		decide(v)
		return 0, nil
	}}
}

// put writes a row with a text as its state.
func put(v *commit.View, k live.Key, state string) live.Row {
	return v.PutObject(live.Row{Key: k, State: []byte(state)})
}

// holding makes rows that are in the store from the beginning.
func (r *rig) holding(names ...string) {
	for i, name := range names {
		k := presence(name)
		r.store.objects[k] = live.Row{Key: k, Seq: id.ID(i + 1), State: []byte(name), CreatedAt: time.UnixMicro(1).UTC(), UpdatedAt: time.UnixMicro(1).UTC()}
	}
}

// all submits units that are queued together, and fails the test if one is refused.
func (r *rig) all(units ...*commit.Unit) {
	r.t.Helper()
	var answers []<-chan answer
	for _, u := range units {
		answers = append(answers, r.submit(u))
	}
	if r.stop == nil {
		r.run()
	}
	for i, a := range answers {
		if got := <-a; got.err != nil {
			r.t.Errorf("unit %d: %v", i, got.err)
		}
	}
}

// written gives what transactions did to objects: "name=state" or "-name" each.
func (r *rig) written() (all [][]string) {
	for _, c := range r.store.written {
		var texts []string
		for _, row := range c.Objects {
			texts = append(texts, row.ID+"="+string(row.State))
		}
		for _, k := range c.ErasedObjects {
			texts = append(texts, "-"+k.ID)
		}
		all = append(all, texts)
	}
	return all
}

func TestObjectsAreWrittenOnce(t *testing.T) {
	rows := map[string]struct {
		units []func(*commit.View)
		want  [][]string
	}{
		"what two units write": {
			[]func(*commit.View){
				func(v *commit.View) { put(v, presence("new"), "1") },
				func(v *commit.View) {
					row, _ := v.Object(presence("new"))
					put(v, presence("new"), string(row.State)+"2")
				},
			},
			[][]string{{"new=12"}},
		},
		"in the order of keys": {
			[]func(*commit.View){
				func(v *commit.View) { put(v, presence("old"), "1") },
				func(v *commit.View) { put(v, presence("new"), "1"); put(v, presence("Z"), "1") },
			},
			[][]string{{"Z=1", "new=1", "old=1"}},
		},
		"put after erase": {
			[]func(*commit.View){
				func(v *commit.View) { v.DropObject(presence("old")) },
				func(v *commit.View) {
					if _, there := v.Object(presence("old")); there {
						put(v, presence("new"), "the other was there")
					}
					put(v, presence("old"), "again")
				},
			},
			[][]string{{"old=again"}},
		},
		"erase after put": {
			[]func(*commit.View){
				func(v *commit.View) { put(v, presence("old"), "1") },
				func(v *commit.View) { v.DropObject(presence("old")) },
			},
			[][]string{{"-old"}},
		},
		"what came and went": {
			[]func(*commit.View){
				func(v *commit.View) { put(v, presence("new"), "1") },
				func(v *commit.View) { v.DropObject(presence("new")) },
			},
			nil,
		},
		"what was not there is not erased": {
			[]func(*commit.View){func(v *commit.View) { v.DropObject(presence("new")) }},
			nil,
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			inRig(t, commit.Config{}, func(r *rig) {
				r.holding("old")
				var units []*commit.Unit
				for _, decide := range row.units {
					units = append(units, change(decide, presence("old"), presence("new"), presence("Z")))
				}
				r.all(units...)
				if diff := cmp.Diff(row.want, r.written()); diff != "" {
					t.Errorf("written (-want +got):\n%s", diff)
				}
				if n := r.store.transactions(); n != 1 {
					t.Errorf("%d transactions, want 1", n)
				}
			})
		})
	}
}

// TestObjectsAreStamped looks at what the committer gives a row by itself.
func TestObjectsAreStamped(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		r.holding("old", "gone")
		now := time.Now().UTC()
		odd := now.Add(time.Hour + 1500*time.Nanosecond).In(time.FixedZone("", 3600))
		var put []live.Row
		r.all(change(func(v *commit.View) {
			put = append(put, v.PutObject(live.Row{Key: presence("old"), Due: odd}))
			put = append(put, v.PutObject(live.Row{Key: presence("new"), Doc: []byte(`{}`), CreatedAt: odd, UpdatedAt: odd}))
			v.DropObject(presence("gone"))
			put = append(put, v.PutObject(live.Row{Key: presence("gone")}))
			put = append(put, v.PutObject(live.Row{Key: presence("given"), Seq: 99}))
		}, presence("old"), presence("new"), presence("gone"), presence("given")))
		created := r.store.objects[presence("new")].Seq
		if created.Time() != now.Truncate(time.Millisecond) {
			t.Errorf("the Seq of a new row is of %s, want %s", created.Time(), now)
		}
		want := []live.Row{
			{Key: presence("old"), Seq: 1, Due: now.Add(time.Hour + time.Microsecond), CreatedAt: time.UnixMicro(1).UTC(), UpdatedAt: now},
			{Key: presence("new"), Seq: created, Doc: []byte(`{}`), CreatedAt: now, UpdatedAt: now},
			{Key: presence("gone"), Seq: created + 1, CreatedAt: now, UpdatedAt: now},
			{Key: presence("given"), Seq: 99, CreatedAt: now, UpdatedAt: now},
		}
		if diff := cmp.Diff(want, put); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		for _, row := range want {
			if diff := cmp.Diff(row, r.store.objects[row.Key]); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		}
	})
}

// sweep is a unit that notes which rows of a range it sees.
func sweep(seen *[]string, r live.Range) *commit.Unit {
	return &commit.Unit{Keys: commit.Keys{Ranges: []live.Range{r}}, Decide: func(v *commit.View) (id.ID, error) {
		*seen = nil
		for _, row := range v.Range(r) {
			*seen = append(*seen, row.ID+"="+string(row.State))
		}
		return 0, nil
	}}
}

// TestRangeSeesTheUnitsBefore reads a range in which units before have put rows and
// dropped some, which lets others into it.
func TestRangeSeesTheUnitsBefore(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		r.holding("a", "c", "d", "f")
		of := live.Range{App: 1, Kind: live.Presence, Parent: "e", After: "a", Limit: 3}
		elsewhere := live.Range{App: 1, Kind: live.Presence, Parent: "E", Limit: 3}
		var before, after, none []string
		r.all(
			sweep(&before, of),
			change(func(v *commit.View) { put(v, presence("b"), "new"); v.DropObject(presence("c")) }, presence("b"), presence("c")),
			sweep(&none, elsewhere),
			sweep(&after, of),
		)
		if diff := cmp.Diff([]string{"c=c", "d=d", "f=f"}, before); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"b=new", "d=d", "f=f"}, after); diff != "" {
			t.Errorf("after (-want +got):\n%s", diff)
		}
		if len(none) != 0 {
			t.Errorf("elsewhere there are %q", none)
		}
		if n := r.store.transactions(); n != 2 {
			t.Errorf("%d transactions, want 2: only the last unit had to wait", n)
		}
	})
}

// TestRangeRowsMayBeWritten changes and drops rows that a range has brought.
func TestRangeRowsMayBeWritten(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		r.holding("a", "b", "c")
		of := live.Range{App: 1, Kind: live.Presence, Parent: "e", Limit: 2}
		u := change(func(v *commit.View) {
			rows := v.Range(of)
			put(v, rows[0].Key, "changed")
			v.DropObject(rows[1].Key)
			put(v, presence("aa"), "new")
			var seen []string
			for _, row := range v.Range(of) {
				seen = append(seen, string(row.State))
			}
			if diff := cmp.Diff([]string{"changed"}, seen); diff != "" {
				t.Errorf("the range after its rows were changed (-want +got):\n%s", diff)
			}
		}, presence("aa"))
		u.Keys.Ranges = []live.Range{of, of}
		r.all(u)
		if diff := cmp.Diff([][]string{{"a=changed", "aa=new", "-b"}}, r.written()); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	})
}

// TestUnloadedObjectIsADefect: what the keys do not name is neither absent nor there.
func TestUnloadedObjectIsADefect(t *testing.T) {
	for name, decide := range map[string]func(*commit.View){
		"read":  func(v *commit.View) { v.Object(presence("other")) },
		"put":   func(v *commit.View) { put(v, presence("other"), "1") },
		"drop":  func(v *commit.View) { v.DropObject(presence("other")) },
		"range": func(v *commit.View) { v.Range(live.Range{App: 1, Kind: live.Presence, Parent: "e"}) },
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, commit.Config{}, func(r *rig) {
				r.holding("mine")
				good := r.submit(change(func(v *commit.View) { put(v, presence("mine"), "1") }, presence("mine")))
				bad := r.submit(change(decide, presence("mine")))
				r.run()
				if got := <-good; got.err != nil {
					t.Errorf("unit beside the bad one: %v", got.err)
				}
				if got := <-bad; errs.KindOf(got.err) != errs.Unavailable {
					t.Errorf("bad unit: %v", got.err)
				}
				if diff := cmp.Diff([][]string{{"mine=1"}}, r.written()); diff != "" {
					t.Errorf("written (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestObjectsAfterAConflict: a batch runs again
// with what is there then.
// A row whose key only the decision knows, such as that of the next number, is added
// without having been looked for, and later units of the batch may go on with it.
func TestAddObject(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		r.holding("counter")
		add := func(name string) *commit.Unit {
			return change(func(v *commit.View) {
				v.AddObject(live.Row{Key: presence(name), State: []byte(name)})
				put(v, presence("counter"), name)
			}, presence("counter"))
		}
		r.all(add("1"), add("2"), change(func(v *commit.View) {
			if got, found := v.Object(presence("2")); !found || string(got.State) != "2" {
				t.Errorf("the unit after it sees %+v, %v", got, found)
			}
		}, presence("2")))
		for name, want := range map[string]string{"1": "1", "2": "2", "counter": "2"} {
			if got := r.store.objects[presence(name)]; string(got.State) != want || got.Seq == 0 {
				t.Errorf("%s is stored as %+v", name, got)
			}
		}
	})
}

func TestObjectsAfterAConflict(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		tries := 0
		r.store.fail = func(*store.Changes) error {
			if tries++; tries == 1 { // another node was faster
				r.holding("twin")
				return fmt.Errorf("duplicate key: %w", commit.ErrConflict)
			}
			return nil
		}
		r.all(change(func(v *commit.View) {
			row, _ := v.Object(presence("twin"))
			put(v, presence("twin"), string(row.State)+"+")
		}, presence("twin")))
		if got := r.store.objects[presence("twin")]; string(got.State) != "twin+" || got.Seq != 1 {
			t.Errorf("after the conflict the row is %+v", got)
		}
	})
}

// TestNoObjectsNoStatements: units without live state cost nothing for it.
func TestNoObjectsNoStatements(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		r.all(unit(0, 0, nil), unit(1, 1, nil))
		if r.store.asked != 0 {
			t.Errorf("live state was asked for %d times", r.store.asked)
		}
	})
}

func TestSubmitAll(t *testing.T) {
	inRig(t, commit.Config{Queue: 3, MaxUnits: 4}, func(r *rig) {
		r.run()
		var order []int
		var units []*commit.Unit
		for i := range 50 {
			u := unit(0, 0, nil)
			if i%10 == 7 {
				u = refusal(0)
			}
			decide := u.Decide
			u.Decide = func(v *commit.View) (id.ID, error) { order = append(order, i); return decide(v) }
			units = append(units, u)
		}
		last := id.ID(0)
		for i, got := range r.committer.SubmitAll(context.Background(), units) {
			if (got.Err != nil) != (i%10 == 7) {
				t.Errorf("unit %d: %v", i, got.Err)
			}
			if got.Err == nil && got.ID <= last {
				t.Errorf("unit %d has id %d after %d", i, got.ID, last)
			}
			last = max(last, got.ID)
		}
		if len(order) != len(units) || !slices.IsSorted(order) {
			t.Errorf("units were decided in the order %v", order)
		}
		if got := r.committer.SubmitAll(context.Background(), nil); len(got) != 0 {
			t.Errorf("no units have %d answers", len(got))
		}
	})
}

// TestSubmitAllIsBounded fills the queue: nothing more is queued, and when the caller
// leaves, what was not queued never happens.
func TestSubmitAllIsBounded(t *testing.T) {
	inRig(t, commit.Config{Queue: 3}, func(r *rig) {
		ctx, cancel := context.WithCancel(context.Background())
		var units []*commit.Unit
		for range 10 {
			units = append(units, unit(0, 0, nil))
		}
		answers := make(chan []commit.Answer)
		go func() { answers <- r.committer.SubmitAll(ctx, units) }()
		synctest.Wait()
		cancel()
		for i, got := range <-answers {
			if errs.KindOf(got.Err) != errs.Unavailable || !errors.Is(got.Err, context.Canceled) {
				t.Errorf("unit %d: %v, want unavailable", i, got.Err)
			}
		}
		r.run()
		if n := len(r.store.applied[0]); n != 3 {
			t.Errorf("%d units happened, want the 3 that were queued", n)
		}
	})
}

// TestSubmitAllStopsAtTheFirst: when one unit is not queued, none behind it is, though
// there is room.
func TestSubmitAllStopsAtTheFirst(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		const n = 200 // a unit is queued or not by chance
		var done []int
		var units []*commit.Unit
		for i := range n {
			units = append(units, &commit.Unit{Decide: func(*commit.View) (id.ID, error) {
				done = append(done, i)
				return 0, nil
			}})
		}
		r.committer.SubmitAll(ctx, units)
		r.all(unit(0, 0, nil))
		if len(done) == n || len(done) > 0 && done[len(done)-1] != len(done)-1 {
			t.Errorf("the units %v happened, want those before some one", done)
		}
	})
}

// TestSubmitAllAtTheEnd stops the committer while units are still being queued: a
// prefix of them happens, and nobody waits for ever.
func TestSubmitAllAtTheEnd(t *testing.T) {
	inRig(t, commit.Config{Queue: 3, MaxUnits: 2}, func(r *rig) {
		var done []int
		var units []*commit.Unit
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		for i := range 40 {
			u := unit(0, 0, nil)
			decide := u.Decide
			u.Decide = func(v *commit.View) (id.ID, error) {
				if done = append(done, i); i == 10 {
					stop()
				}
				return decide(v)
			}
			units = append(units, u)
		}
		answers := make(chan []commit.Answer)
		go func() { answers <- r.committer.SubmitAll(context.Background(), units) }()
		if err := r.committer.Run(ctx); err != nil {
			t.Fatal(err)
		}
		for i, got := range <-answers {
			if i < len(done) && (got.Err != nil || done[i] != i) {
				t.Errorf("unit %d, decided as number %d: %v", i, done[i], got.Err)
			}
			if i >= len(done) && !errors.Is(got.Err, commit.ErrClosed) {
				t.Errorf("unit %d, which was not decided: %v", i, got.Err)
			}
		}
		if len(done) <= 10 || len(done) == len(units) {
			t.Errorf("%d units were decided", len(done))
		}
	})
}
