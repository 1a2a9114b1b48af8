package ingest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/testenv"
)

// between is a store that does something after a range was read and before the unit.
type between struct {
	ingest.Store
	then func()
}

func (b between) ObjectRange(ctx context.Context, r live.Range) ([]live.Row, error) {
	rows, err := b.Store.ObjectRange(ctx, r)
	b.then()
	return rows, err
}

// due gives the row of the event, which is due.
func due(t *testing.T, e *ingesttest.Engine) live.Row {
	t.Helper()
	rows, err := e.Store.DueObjects(t.Context(), time.Now(), 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows are due; %v", len(rows), err)
	}
	return rows[0]
}

// step takes a step of what is due by the engine's service.
func step(t *testing.T, e *ingesttest.Engine) {
	t.Helper()
	if moved, err := e.Service.Fire(t.Context(), due(t, e), time.Hour); err != nil || !moved {
		t.Fatalf("moved %v; %v", moved, err)
	}
}

// TestFireMeetsLateOnes lets somebody come after the rows were read and before the unit
// is decided, who brings along rows that the unit has not loaded.
func TestFireMeetsLateOnes(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		v.do(live.Upsert, "session.joined", seat)
		testenv.Advance(10 * time.Hour) // the event has ended at 20:00
		for range 2 {                   // it is COMPLETED, its figures are closed
			step(t, v.Engine)
		}
		came := false
		late := func() {
			if came {
				return
			}
			came = true
			r := v.do(live.Upsert, "session.joined", `{"eventId":"e","session":{"id":"z"},"registration":{"id":"late"}}`)
			if !r.Late {
				t.Errorf("it is not late: %+v", r)
			}
		}
		begin, row := v.last(), due(t, v.Engine)
		slow, err := ingest.New(ingest.Config{
			Submitter: v.Committer, Store: between{v.Store, late}, Dialects: ingesttest.Dialects(), Guard: netguard.New(netguard.Policy{}),
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{false, true} { // the second time it has read all
			if moved, err := slow.Fire(t.Context(), row, time.Hour); err != nil || moved != want {
				t.Fatalf("time %d: moved %v; %v", i, moved, err)
			}
		}
		if got, want := v.types(v.native, begin), "session.time_spent event.time_spent"; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

// TestFireOnce takes a step that was taken before, with the row as it was then.
func TestFireOnce(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		v.do(live.Upsert, "session.joined", seat)
		testenv.Advance(10 * time.Hour)
		for i, want := range []string{"event.updated", "", "session.time_spent event.time_spent", "registration.attended"} {
			begin, row := v.last(), due(t, v.Engine)
			for n := range 2 {
				moved, err := v.Service.Fire(t.Context(), row, time.Hour)
				// Closing the figures follows the status without a range in either.
				if again := n == 1 && i > 0; err != nil || moved == again && i > 0 {
					t.Errorf("step %d, time %d: moved %v; %v", i, n, moved, err)
				}
				if i == 0 {
					break
				}
			}
			if got := v.types(v.native, begin); got != want {
				t.Errorf("step %d: heard %q, want %q", i, got, want)
			}
		}
		if rows, err := v.Store.DueObjects(t.Context(), time.Now().Add(1000*time.Hour), 10); err != nil || len(rows) != 0 {
			t.Errorf("%d rows are due; %v", len(rows), err)
		}
	})
}

// TestFireWithoutApp drops the row.
func TestFireWithoutApp(t *testing.T) {
	meet(t, func(t *testing.T, v *venue) {
		testenv.Advance(10 * time.Hour)
		row := due(t, v.Engine)
		if err := v.Service.DeleteApp(t.Context(), v.app); err != nil {
			t.Fatal(err)
		}
		if moved, err := v.Service.Fire(t.Context(), row, time.Hour); err != nil || !moved {
			t.Errorf("moved %v; %v", moved, err)
		}
		if _, err := v.Store.Object(t.Context(), row.Key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the row: %v", err)
		}
		if moved, err := v.Service.Fire(t.Context(), row, time.Hour); err != nil || moved {
			t.Errorf("once more: moved %v; %v", moved, err)
		}
	})
}
