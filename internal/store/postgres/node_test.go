package postgres

import (
	"testing"
	"time"
)

// TestDead goes through what one node can see of another, look by look.
func TestDead(t *testing.T) {
	t.Parallel()
	type look struct {
		after  time.Duration // since the first look
		beat   int64
		locked bool
		dead   bool
	}
	const s = time.Second
	for name, looks := range map[string][]look{
		"it lives": {{0, 1, true, false}, {40 * s, 2, true, false}, {80 * s, 3, true, false}},
		"its process has ended": {
			{0, 1, true, false},
			{1 * s, 2, true, false},
			{2 * s, 2, false, false},
			{10 * s, 2, false, false},
			{11 * s, 2, false, true},
		},
		"it was gone before we came": {{0, 1, false, false}, {1 * s, 1, false, false}, {2 * s, 1, false, true}},
		"its session broke, and it works": {
			{0, 1, true, false}, {1 * s, 2, false, false}, {12 * s, 3, false, false}, {20 * s, 4, false, false},
		},
		"its session broke, and came back": {
			{0, 1, true, false}, {1 * s, 1, false, false}, {9 * s, 1, false, false}, {10 * s, 1, true, false}, {12 * s, 2, true, false},
		},
		"it hangs": {{0, 1, true, false}, {29 * s, 1, true, false}, {30 * s, 1, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var limits times
			limits.setDefaults()
			begin := time.Now()
			var seen sighting
			for i, l := range looks {
				now := begin.Add(l.after)
				seen = seen.next(i > 0, 7, l.beat, l.locked, now)
				if got := seen.dead(now, &limits); got != l.dead {
					t.Errorf("after %s: dead %t, want %t", l.after, got, l.dead)
				}
			}
		})
	}
}

// TestDeadAfterNewIncarnation expects the watch to begin anew when a process has
// taken the number again.
func TestDeadAfterNewIncarnation(t *testing.T) {
	t.Parallel()
	var limits times
	limits.setDefaults()
	begin := time.Now()
	seen := sighting{}.next(false, 1, 5, true, begin)
	later := begin.Add(time.Minute)
	seen = seen.next(true, 2, 5, true, later)
	if seen.dead(later, &limits) {
		t.Error("a new incarnation is dead at once")
	}
}
