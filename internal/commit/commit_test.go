package commit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
	"github.com/google/go-cmp/cmp"
)

// fakeStore keeps dedupe keys and counts transactions; its Apply can be made to
// fail. Everything else is empty.
type fakeStore struct {
	mu      sync.Mutex
	seen    map[store.Hash16]store.Seen
	applied [][]store.Message // by committed transaction
	objects map[live.Key]live.Row
	written []store.Changes // what was applied of objects, by committed transaction with any
	asked   int             // how often rows of live state were asked for
	begun   int
	fail    func(c *store.Changes) error
	failEnd error // of the COMMIT itself
}

func (f *fakeStore) LastID(context.Context, int) (id.ID, error) { return 0, nil }

func (f *fakeStore) Update(_ context.Context, fn func(commit.Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
	tx := &fakeTx{store: f}
	if err := fn(tx); err != nil {
		return err
	}
	if f.failEnd != nil {
		return f.failEnd
	}
	for _, s := range tx.seen {
		f.seen[s.Hash] = s
	}
	f.applied = append(f.applied, tx.messages)
	f.follow(tx.changed)
	return nil
}

// follow takes over what a committed transaction did to objects.
func (f *fakeStore) follow(c store.Changes) {
	if len(c.Objects)+len(c.ErasedObjects) == 0 {
		return
	}
	f.written = append(f.written, c)
	for _, row := range c.Objects {
		f.objects[row.Key] = row
	}
	for _, k := range c.ErasedObjects {
		delete(f.objects, k)
	}
}

func (f *fakeStore) transactions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.applied)
}

func (f *fakeStore) transactionsBegun() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.begun
}

type fakeTx struct {
	commit.Tx // what is not used panics
	store     *fakeStore
	seen      []store.Seen
	messages  []store.Message
	changed   store.Changes // Objects and ErasedObjects alone
}

func (tx *fakeTx) Objects(_ context.Context, keys []live.Key) (rows []live.Row, err error) {
	tx.store.asked++
	for _, k := range keys {
		if row, ok := tx.store.objects[k]; ok {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (tx *fakeTx) ObjectRange(_ context.Context, r live.Range) (rows []live.Row, err error) {
	tx.store.asked++
	for k, row := range tx.store.objects {
		if r.Covers(k) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b live.Row) int { return a.Compare(b.Key) })
	return rows[:min(len(rows), r.Limit)], nil
}

func (tx *fakeTx) TakeSeen(_ context.Context, keys []store.Seen) ([]store.Seen, error) {
	var found []store.Seen
	for _, k := range keys {
		if s, ok := tx.store.seen[k.Hash]; ok {
			found = append(found, s)
		}
	}
	return found, nil
}

func (tx *fakeTx) LockConfig(context.Context) error { return nil }

func (tx *fakeTx) Settings(context.Context, []string, map[string]time.Time) ([]store.OrgSettings, error) {
	return nil, nil
}

func (tx *fakeTx) EventTypes(context.Context, []commit.TypeKey) ([]store.EventType, error) {
	return nil, nil
}

func (tx *fakeTx) Apply(_ context.Context, c *store.Changes) error {
	if tx.store.fail != nil {
		if err := tx.store.fail(c); err != nil {
			return err
		}
	}
	tx.seen = append(tx.seen, c.Seen...)
	tx.messages = append(tx.messages, c.Messages...)
	tx.changed.Objects = append(tx.changed.Objects, c.Objects...)
	tx.changed.ErasedObjects = append(tx.changed.ErasedObjects, c.ErasedObjects...)
	return nil
}

// rig runs a committer over a fakeStore in a bubble.
type rig struct {
	t         *testing.T
	store     *fakeStore
	committer *commit.Committer
	ran       chan error // what Run returned
	stop      context.CancelFunc
}

func inRig(t *testing.T, cfg commit.Config, test func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		testenv.Advance(time.Until(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)))
		r := &rig{t: t, store: &fakeStore{seen: map[store.Hash16]store.Seen{}, objects: map[live.Key]live.Row{}}, ran: make(chan error, 1)}
		cfg.Store = r.store
		cfg.Logger = slog.New(slog.DiscardHandler)
		var err error
		if r.committer, err = commit.New(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		test(r)
		if r.stop != nil {
			r.stop()
			synctest.Wait()
		}
	})
}

func (r *rig) run() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ran <- r.committer.Run(ctx) }()
	synctest.Wait()
}

// answer is what Submit returned.
type answer struct {
	result commit.Result
	err    error
}

// submit queues a unit behind those that were submitted before.
func (r *rig) submit(u *commit.Unit) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		result, err := r.committer.Submit(context.Background(), u)
		out <- answer{result, err}
	}()
	synctest.Wait()
	return out
}

// unit writes one message; a key of 0 is no key.
func unit(key, body byte, note *id.ID) *commit.Unit {
	u := &commit.Unit{Decide: func(v *commit.View) (id.ID, error) {
		m := v.NextID()
		v.AddMessage(store.Message{ID: m})
		if note != nil {
			*note = m
		}
		return m, nil
	}}
	if key != 0 {
		u.Seen = store.Seen{Hash: store.Hash16{key}, Body: store.Hash16{body}, Expires: time.Now().Add(time.Hour)}
	}
	return u
}

func refusal(key byte) *commit.Unit {
	u := unit(key, 1, nil)
	u.Decide = func(*commit.View) (id.ID, error) { return 0, errs.Missing() }
	return u
}

func TestUnitsShareATransaction(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		var answers []<-chan answer
		for range 10 {
			answers = append(answers, r.submit(unit(0, 0, nil)))
		}
		r.run()
		var last id.ID
		for i, a := range answers {
			got := <-a
			if got.err != nil || got.result.ID <= last {
				t.Errorf("unit %d: %+v after id %d: ids are in the order of the queue", i, got, last)
			}
			last = got.result.ID
		}
		if n := r.store.transactions(); n != 1 {
			t.Errorf("%d transactions for what was queued together, want 1", n)
		}
	})
}

// Any number of units may read an org's settings and event types: each message of a
// catalogue type does. One that changes them stands apart from those before and after.
func TestReadersShareATransaction(t *testing.T) {
	keys := commit.Keys{Orgs: []string{"org_1"}, EventTypes: []commit.TypeKey{{Org: "org_1", Name: "a.b"}}}
	inRig(t, commit.Config{}, func(r *rig) {
		var answers []<-chan answer
		for i := range 11 {
			u := unit(0, 0, nil)
			u.Keys = keys
			u.Keys.ChangesConfig = i == 5
			answers = append(answers, r.submit(u))
		}
		r.run()
		for i, a := range answers {
			if got := <-a; got.err != nil {
				t.Errorf("unit %d: %v", i, got.err)
			}
		}
		if n := r.store.transactions(); n != 3 {
			t.Errorf("%d transactions, want one for the readers before the change, one for it and one for those after it", n)
		}
	})
}

func TestBatchIsBoundedInUnitsAndBytes(t *testing.T) {
	rows := map[string]struct {
		cfg  commit.Config
		size int
		want int
	}{
		"units": {commit.Config{MaxUnits: 4}, 1, 3},
		"bytes": {commit.Config{MaxBytes: 100}, 50, 5},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			inRig(t, row.cfg, func(r *rig) {
				for range 10 {
					u := unit(0, 0, nil)
					u.Size = row.size
					r.submit(u)
				}
				r.run()
				if n := r.store.transactions(); n != row.want {
					t.Errorf("%d transactions, want %d", n, row.want)
				}
			})
		})
	}
}

func TestDedupe(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		// Twins meet in one batch, and again after it.
		first, twin := r.submit(unit(1, 1, nil)), r.submit(unit(1, 1, nil))
		other := r.submit(unit(1, 2, nil))
		r.run()
		a, b := <-first, <-twin
		if a.err != nil || a.result.Replayed {
			t.Errorf("first: %+v", a)
		}
		want := answer{result: commit.Result{ID: a.result.ID, Replayed: true}}
		if b != want {
			t.Errorf("twin in the same batch: %+v, want %+v", b, want)
		}
		if got := <-r.submit(unit(1, 1, nil)); got != want {
			t.Errorf("repetition: %+v, want %+v", got, want)
		}
		if got := <-other; errs.KindOf(got.err) != errs.Conflict {
			t.Errorf("another body under the same key: %v, want a conflict", got.err)
		}
		if n := len(r.store.applied[0]); n != 1 {
			t.Errorf("%d messages written, want 1", n)
		}
	})
}

func TestRefusedUnitFreesItsKey(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		refused, retried := r.submit(refusal(1)), r.submit(unit(1, 1, nil))
		r.run()
		if got := <-refused; errs.KindOf(got.err) != errs.NotFound {
			t.Errorf("refused unit: %v", got.err)
		}
		if got := <-retried; got.err != nil || got.result.Replayed {
			t.Errorf("corrected retry under the same key: %+v, want it done", got)
		}
	})
}

// TestTwinOfAnotherNode lets a twin on another node commit while a unit is being decided: the unit is refused for what
// the twin has written, and gets the twin's result.
func TestTwinOfAnotherNode(t *testing.T) {
	for _, tt := range []struct {
		name    string
		body    byte // of the twin
		want    commit.Result
		refused bool
	}{
		{"the same request", 1, commit.Result{ID: 42, Replayed: true}, false},
		{"another request under its key", 2, commit.Result{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, commit.Config{}, func(r *rig) {
				r.run()
				u := refusal(7)
				u.Seen.Body = store.Hash16{1}
				refuse := u.Decide
				u.Decide = func(v *commit.View) (id.ID, error) {
					r.store.seen[u.Seen.Hash] = store.Seen{Hash: u.Seen.Hash, Body: store.Hash16{tt.body}, Result: 42}
					return refuse(v)
				}
				got := <-r.submit(u)
				if got.result != tt.want || (got.err != nil) != tt.refused {
					t.Errorf("got %+v, %v, want %+v", got.result, got.err, tt.want)
				}
			})
		})
	}
}

func TestOneBadUnitDoesNotSpoilTheOthers(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		var bad id.ID
		r.store.fail = func(c *store.Changes) error {
			for _, m := range c.Messages {
				if m.ID == bad {
					return errors.New("constraint failed")
				}
			}
			return nil
		}
		good, spoilt, after := r.submit(unit(0, 0, nil)), r.submit(unit(0, 0, &bad)), r.submit(unit(0, 0, nil))
		r.run()
		if got := <-good; got.err != nil {
			t.Errorf("unit before the bad one: %v", got.err)
		}
		if got := <-spoilt; errs.KindOf(got.err) != errs.Unavailable {
			t.Errorf("bad unit: %v", got.err)
		}
		if got := <-after; got.err != nil {
			t.Errorf("unit after the bad one: %v", got.err)
		}
	})
}

func TestUnavailableStoreAnswersAllAndIsProbed(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		var full atomic.Bool
		full.Store(true)
		r.store.fail = func(*store.Changes) error {
			if full.Load() {
				return fmt.Errorf("disk full: %w", store.ErrUnavailable)
			}
			return nil
		}
		a, b := r.submit(unit(0, 0, nil)), r.submit(unit(0, 0, nil))
		r.run()
		for _, got := range []answer{<-a, <-b} {
			if errs.KindOf(got.err) != errs.Unavailable || !errors.Is(got.err, store.ErrUnavailable) {
				t.Errorf("got %v, want unavailable with its cause", got.err)
			}
		}
		if begun := r.store.transactionsBegun(); begun != 1 {
			t.Errorf("%d transactions begun: an unavailable store is not asked again for each unit", begun)
		}
		if !r.committer.Failing() {
			t.Error("Failing = false")
		}
		full.Store(false)
		testenv.Advance(1500 * time.Millisecond)
		synctest.Wait()
		if r.committer.Failing() {
			t.Error("Failing = true although the store takes writes again and time has passed")
		}
	})
}

func TestConflictsAreRetried(t *testing.T) {
	for conflicts, want := range map[int]bool{1: true, 5: true, 6: false} {
		t.Run(fmt.Sprint(conflicts), func(t *testing.T) {
			inRig(t, commit.Config{}, func(r *rig) {
				left := conflicts
				r.store.fail = func(*store.Changes) error {
					if left--; left >= 0 {
						return fmt.Errorf("deadlock: %w", commit.ErrConflict)
					}
					return nil
				}
				a := r.submit(unit(0, 0, nil))
				r.run()
				if got := <-a; (got.err == nil) != want {
					t.Errorf("after %d conflicts: %v", conflicts, got.err)
				}
			})
		})
	}
}

func TestLostStoreEndsRun(t *testing.T) {
	inRig(t, commit.Config{MaxUnits: 1}, func(r *rig) {
		r.store.failEnd = fmt.Errorf("fsync: %w", store.ErrLost)
		a, b := r.submit(unit(0, 0, nil)), r.submit(unit(0, 0, nil))
		r.run()
		if err := <-r.ran; !errors.Is(err, store.ErrLost) {
			t.Errorf("Run = %v, want the lost store", err)
		}
		for _, got := range []answer{<-a, <-b} {
			if errs.KindOf(got.err) != errs.Unavailable {
				t.Errorf("unit got %v, want unavailable", got.err)
			}
		}
		if got := <-r.submit(unit(0, 0, nil)); !errors.Is(got.err, commit.ErrClosed) {
			t.Errorf("later unit got %v, want ErrClosed", got.err)
		}
	})
}

func TestRunDrains(t *testing.T) {
	inRig(t, commit.Config{MaxUnits: 2}, func(r *rig) {
		var answers []<-chan answer
		for range 7 {
			answers = append(answers, r.submit(unit(0, 0, nil)))
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := r.committer.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
		for i, a := range answers {
			if got := <-a; got.err != nil && !errors.Is(got.err, commit.ErrClosed) {
				t.Errorf("unit %d: %v", i, got.err)
			} else if got.err != nil {
				t.Errorf("unit %d was queued before the end and not committed", i)
			}
		}
	})
}

func TestCallerThatLeaves(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if _, err := r.committer.Submit(ctx, unit(0, 0, nil)); errs.KindOf(err) != errs.Unavailable {
			t.Errorf("Submit = %v, want unavailable: the outcome is not known", err)
		}
	})
}

func TestUnitThatWritesAndRefusesIsADefect(t *testing.T) {
	inRig(t, commit.Config{}, func(r *rig) {
		wild := unit(0, 0, nil)
		wild.Decide = func(v *commit.View) (id.ID, error) {
			v.AddMessage(store.Message{ID: v.NextID()})
			return 0, errs.Missing()
		}
		a := r.submit(wild)
		r.run()
		if got := <-a; got.err == nil {
			t.Error("the unit was answered as done")
		}
		if n := r.store.transactions(); n != 0 {
			t.Errorf("%d transactions committed", n)
		}
	})
}

// handoff takes every reservation and remembers what it was told.
type handoff struct {
	reserved, committed, back int
}

func (h *handoff) Reserve(id.ID, int) bool { h.reserved++; return true }

func (h *handoff) Committed(c *store.Changes) { h.committed += countLeased(c) }

func (h *handoff) RolledBack(c *store.Changes) { h.back += countLeased(c) }

func countLeased(c *store.Changes) (n int) {
	for i := range c.Deliveries {
		if c.Deliveries[i].State == delivery.Leased {
			n++
		}
	}
	return n
}

func TestReservationsComeBack(t *testing.T) {
	h := &handoff{}
	inRig(t, commit.Config{Handoff: h}, func(r *rig) {
		failures := 2
		r.store.fail = func(*store.Changes) error {
			if failures--; failures >= 0 {
				return fmt.Errorf("deadlock: %w", commit.ErrConflict)
			}
			return nil
		}
		u := unit(0, 0, nil)
		u.Decide = func(v *commit.View) (id.ID, error) {
			m := v.NextID()
			for ep := range 3 {
				v.AddDelivery(delivery.Delivery{
					Key: delivery.Key{Message: m, Endpoint: id.ID(ep + 1)}, State: delivery.Pending, NextAt: v.Now(),
				}, 10)
			}
			v.AddDelivery(delivery.Delivery{
				Key: delivery.Key{Message: m, Endpoint: 9}, State: delivery.Pending, NextAt: v.Now().Add(time.Hour),
			}, 10)
			return m, nil
		}
		a := r.submit(u)
		r.run()
		if got := <-a; got.err != nil {
			t.Fatal(got.err)
		}
		// What was committed is not given back by the batch after it.
		if got := <-r.submit(unit(0, 0, nil)); got.err != nil {
			t.Fatal(got.err)
		}
	})
	// Three tries reserved three places each; a delivery for later needs none.
	if diff := cmp.Diff(handoff{reserved: 9, committed: 3, back: 6}, *h, cmp.AllowUnexported(handoff{})); diff != "" {
		t.Errorf("reservations (-want +got):\n%s", diff)
	}
}
