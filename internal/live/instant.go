package live

import "time"

// Instant is what figures of attendance are as of.
type Instant struct {
	at   int64 // Unix microseconds
	past bool
}

// Now is the present, with all that is known: what was told with a time ahead of our clock has
// happened, for clocks differ.
func Now(t time.Time) Instant { return Instant{at: t.UnixMicro()} }

// At is how it was: nothing that happened after t is known then. What is known of the event
// itself, such as its end, is as it is now.
func At(t time.Time) Instant { return Instant{at: t.UnixMicro(), past: true} }

func (i Instant) time() time.Time { return time.UnixMicro(i.at).UTC() }

// of is what was known of a person's attendance of a session.
func (i Instant) of(s presenceState) presenceState {
	if !i.past {
		return s
	}
	told := s.Edges
	s.Edges = told.upTo(i.at)
	if s.Minutes != nil && len(told) > 0 && i.before(s.Edges, *s.Minutes) {
		s.Minutes = nil
	}
	return s
}

// before reports whether somebody who joined, by edges up to then, could not have spent so many
// minutes yet. A source tells minutes without a time, and when they are over.
func (i Instant) before(known edges, spent int64) bool {
	all := known.presences()
	n := len(all)
	return len(known) == 0 || n > 0 && all[n-1].Open && all[n-1].From+spent*microsPerMinute > i.at
}

// LatestActivity is when the latest join or leave of a presence happened; zero = there is none.
func LatestActivity(presence Row) time.Time {
	return later(time.Time{}, state[presenceState](presence).Edges)
}

// later is t, or when the last of the edges happened if that is after it.
func later(t time.Time, of edges) time.Time {
	if len(of) == 0 {
		return t
	}
	if last := time.UnixMicro(of[len(of)-1].At).UTC(); last.After(t) {
		return last
	}
	return t
}

// Ended reports whether an event was over by a time.
func Ended(event Row, by time.Time) bool {
	end := windowOf(document(event)).end
	return end != 0 && end <= by.UnixMicro()
}
