package feed

import (
	"slices"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
)

// Position is a place in the sequence of all attempts: for each node that has written
// any, the last id of its that is before. One node takes its ids in the order of its
// commits, so each node's part is exact. Between nodes there is no order: their clocks
// differ, and so do the times that their transactions take.
type Position map[int]id.ID

// slack is how much older than the newest attempt before a position an attempt behind it
// can be: the longest transaction, and what clocks of nodes may differ by. It bounds what
// has to be read for a node that was silent for long.
const slack = 2 * time.Minute

// At makes a position of the ids in it, of which each names its node.
func At(ids []id.ID) Position {
	p := make(Position, len(ids))
	for _, i := range ids {
		p.Pass(i)
	}
	return p
}

// IDs are the ids in a position, in ascending order; At makes it of them again.
func (p Position) IDs() []id.ID {
	ids := make([]id.ID, 0, len(p))
	for _, i := range p {
		ids = append(ids, i)
	}
	slices.Sort(ids)
	return ids
}

// Pass moves the position behind an attempt.
func (p Position) Pass(attempt id.ID) {
	node := attempt.Node()
	p[node] = max(p[node], attempt)
}

// passed reports whether an attempt is before the position.
func (p Position) passed(attempt id.ID) bool { return attempt <= p[attempt.Node()] }

// span gives bounds of the ids between two positions, after exclusive and until inclusive;
// none if there is nothing between.
func (p Position) span(end Position) (after, until id.ID, some bool) {
	floor := id.ID(0)
	for _, i := range p {
		floor = max(floor, i)
	}
	if floor > 0 {
		floor = max(1, id.AtTime(floor.Time().Add(-slack))) - 1
	}
	for node, last := range end {
		begin := max(p[node], floor)
		if last <= begin {
			continue
		}
		if !some || begin < after {
			after = begin
		}
		until, some = max(until, last), true
	}
	return after, until, some
}

// between leaves the attempts that are behind one position and not behind the other.
func between(attempts []delivery.Attempt, begin, end Position) []delivery.Attempt {
	return slices.DeleteFunc(attempts, func(a delivery.Attempt) bool { return begin.passed(a.ID) || !end.passed(a.ID) })
}
