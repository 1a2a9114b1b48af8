package receiver

import (
	"context"
	"errors"
	"testing"
)

// TestTurnsLeaveNothing looks inside, because a leak shows nowhere else: ids
// come for ever, so an entry must not outlive its turn.
func TestTurnsLeaveNothing(t *testing.T) {
	t.Parallel()
	var turns turns
	end, err := turns.take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	left := errors.New("left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(left)
	if _, err := turns.take(ctx, "a"); !errors.Is(err, left) {
		t.Errorf("take of a taken turn: %v, want the context's cause", err)
	}
	if len(turns.taken) != 1 {
		t.Errorf("%d entries while one turn is taken", len(turns.taken))
	}
	end()
	if len(turns.taken) != 0 {
		t.Errorf("%d entries after the turn has ended", len(turns.taken))
	}
}
