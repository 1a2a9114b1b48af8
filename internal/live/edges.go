package live

import (
	"cmp"
	"slices"
	"strings"
)

// maxEdges is how many joins and leaves of one person in one session, or one participant
// in one conference, are kept.
const maxEdges = 1000

// edge is a join or a leave of one connection.
type edge struct {
	Leave      bool   `json:"leave,omitzero"`
	At         int64  `json:"at"` // Unix microseconds
	Connection string `json:"connection,omitzero"`
	// Late: it came when the figures were closed.
	Late bool `json:"late,omitzero"`
	// Said: a message told of it, or of another edge of the same sort at the same time.
	Said bool `json:"said,omitzero"`
}

// compareEdges is the order in which edges count: by time, at one time joins before
// leaves.
func compareEdges(a, b edge) int {
	return cmp.Or(cmp.Compare(a.At, b.At), compareBool(a.Leave, b.Leave), strings.Compare(a.Connection, b.Connection))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// edges is the set of what is known of one person's joins and leaves in one place, sorted.
// All figures follow from the set, never from the order in which it became known.
type edges []edge

// with is the set with one more; false if it was in it.
func (s edges) with(e edge) (edges, bool) {
	i, found := slices.BinarySearchFunc(s, e, compareEdges)
	if found {
		return s, false
	}
	return slices.Insert(slices.Clone(s), i, e), true
}

// upTo are the edges that happened at a time or before it.
func (s edges) upTo(at int64) edges {
	for i, e := range s {
		if e.At > at {
			return s[:i:i]
		}
	}
	return s
}

// inTime are the edges that came before the figures were closed.
func (s edges) inTime() edges {
	return slices.DeleteFunc(slices.Clone(s), func(e edge) bool { return e.Late })
}

// hasLate reports whether something came after the figures were closed.
func (s edges) hasLate() bool {
	return slices.ContainsFunc(s, func(e edge) bool { return e.Late })
}

// firstJoin is the earliest join.
func (s edges) firstJoin() (at int64, joined bool) {
	for _, e := range s {
		if !e.Leave {
			return e.At, true
		}
	}
	return 0, false
}

// open counts the connections that have joined and not left.
func (s edges) open() int {
	in := map[string]bool{}
	for _, e := range s {
		if e.Leave {
			delete(in, e.Connection)
		} else {
			in[e.Connection] = true
		}
	}
	return len(in)
}

// presence is a time during which at least one connection was open.
type presence struct {
	From  int64 `json:"from"`
	Until int64 `json:"until"` // if it has ended
	Open  bool  `json:"open,omitzero"`
}

// presences are the union of all connections' times, sorted and apart from each other. A
// join of a connection that is open counts nothing, nor does a leave of one that is not.
func (s edges) presences() []presence {
	var all []presence
	in := map[string]bool{}
	for _, e := range s {
		switch {
		case !e.Leave && len(in) == 0:
			all = append(all, presence{From: e.At, Open: true})
			in[e.Connection] = true
		case !e.Leave:
			in[e.Connection] = true
		case in[e.Connection]:
			delete(in, e.Connection)
			if len(in) == 0 {
				last := &all[len(all)-1]
				last.Until, last.Open = e.At, false
			}
		}
	}
	return all
}

// turn is a moment at which a person's presence begins or ends.
type turn struct {
	leave bool
	at    int64
}

// turns are all of them, in order.
func (s edges) turns() []turn {
	var all []turn
	for _, p := range s.presences() {
		all = append(all, turn{false, p.From})
		if !p.Open {
			all = append(all, turn{true, p.Until})
		}
	}
	return all
}

// news are the turns of the set that were none in the set as it was before, and that no
// message has told: what a new edge has made true. A join that opens gives one, a leave
// that closes gives one; a join whose leave was known gives both.
func (s edges) news(before edges) []turn {
	known := before.turns()
	for _, e := range s {
		if e.Said {
			known = append(known, turn{e.Leave, e.At})
		}
	}
	return slices.DeleteFunc(s.turns(), func(t turn) bool { return slices.Contains(known, t) })
}

// said is the set with turns marked as told. It may be changed in place: with made it.
func (s edges) said(told []turn) {
	for i, e := range s {
		if slices.Contains(told, turn{e.Leave, e.At}) {
			s[i].Said = true
		}
	}
}

// window is the time that counts; 0 = it has no such bound.
type window struct{ start, end int64 }

// cut are presences within the window, those that are open to its end. One that is open
// without an end of the window counts nothing.
func (w window) cut(all []presence) []presence {
	var within []presence
	for _, p := range all {
		switch {
		case p.Open && w.end == 0:
			continue
		case p.Open:
			p.Until, p.Open = w.end, false
		case w.end != 0:
			p.Until = min(p.Until, w.end)
		}
		if w.start != 0 {
			p.From = max(p.From, w.start)
		}
		if p.Until > p.From {
			within = append(within, p)
		}
	}
	return within
}

// total is how long presences are together, in microseconds.
func total(all []presence) int64 {
	var sum int64
	for _, p := range all {
		sum += p.Until - p.From
	}
	return sum
}

// union joins presences of several places, none of them open: time in two places at once
// counts once.
func union(all []presence) []presence {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b presence) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until, b.Until)) })
	var apart []presence
	for _, p := range all {
		if n := len(apart); n > 0 && p.From <= apart[n-1].Until {
			apart[n-1].Until = max(apart[n-1].Until, p.Until)
		} else {
			apart = append(apart, p)
		}
	}
	return apart
}

const (
	microsPerMinute = 60_000_000
	maxMinutes      = 1<<31 - 1 // vendors' timeSpentInMinutes is an int32
)

// minutes is a time in whole minutes, rounded to the nearest and at least 1; 0 is none.
func minutes(micros int64) int64 {
	if micros <= 0 {
		return 0
	}
	return min(max((micros+microsPerMinute/2)/microsPerMinute, 1), maxMinutes)
}
