package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// What people do, in how many of a hundred cases.
const (
	noShows   = 7
	walkIns   = 2
	late      = 35 // comes when it has begun
	early     = 22 // goes before it is over
	switches  = 15 // goes over to a parallel session half-way
	drops     = 18 // loses the connection, and comes back
	unnoticed = 35 // of those, the loss is noticed only when the device is back under another name
	phones    = 16 // has a phone in the hand besides
	lidsShut  = 2  // closes the lid, and no leave is ever told
	toldLate  = 4  // of joins and leaves
	toldTwice = 3
)

// attendee is somebody who registered, and where they were.
type attendee struct {
	person
	id     string
	walkIn bool // registers at the door: the first join brings the registration along
	stays  []stay
}

// newAttendee makes up a person's day. The first never shows and the second always comes, so that every day has both.
func newAttendee(r *rand.Rand, n int) attendee {
	a := attendee{person: newPerson(r, "attendee", n), id: fmt.Sprintf("r-%05d", n)}
	absent := chance(r, noShows)
	if n == 0 || absent && n > 1 {
		return a
	}
	a.walkIn = n > 1 && chance(r, walkIns)
	for i, s := range programme {
		if !chance(r, skips[i]) {
			a.attend(r, s)
		}
	}
	if len(a.stays) == 0 { // it was in the building, so it sees the end
		a.attend(r, programme[len(programme)-1])
	}
	return a
}

// attend spends a slot in one of its talks, or in two. Who would come to the second when it is over does not go there.
func (a *attendee) attend(r *rand.Rand, s slot) {
	first := r.IntN(len(s))
	whole := arrive(r, s[first].span)
	if len(s) == 1 || !chance(r, switches) {
		a.sit(r, s[first].id, leave(r, whole, s[first].to))
		return
	}
	other := s[(first+1+r.IntN(len(s)-1))%len(s)]
	half := whole.from + (s[first].to-whole.from)/2 + random(r, 10*time.Minute)
	a.sit(r, s[first].id, span{whole.from, half})
	back := half + 20*time.Second + random(r, 4*time.Minute)
	if back < other.to {
		a.sit(r, other.id, leave(r, span{max(back, other.from), other.to}, other.to))
	}
}

// arrive is a span that begins about when a session does.
func arrive(r *rand.Rand, s span) span {
	if chance(r, late) {
		return span{s.from + 2*time.Minute + random(r, 20*time.Minute), s.to}
	}
	return span{s.from - random(r, 9*time.Minute), s.to}
}

// leave ends a span about when a session ends.
func leave(r *rand.Rand, s span, ends time.Duration) span {
	if chance(r, early) {
		return span{s.from, max(s.from+time.Minute, ends-random(r, 25*time.Minute))}
	}
	return span{s.from, ends + random(r, 4*time.Minute)}
}

// random is up to so long, in whole seconds and at least one.
func random(r *rand.Rand, most time.Duration) time.Duration {
	return time.Second * time.Duration(1+r.Int64N(int64(most/time.Second)))
}

// sit is a stay with what happens to the connection meanwhile.
func (a *attendee) sit(r *rand.Rand, where string, s span) {
	device := pick(r, []string{"laptop", "laptop", "laptop", "phone", "tv"})
	long := s.to-s.from > 12*time.Minute
	switch {
	case long && chance(r, drops):
		a.drop(r, where, device, s)
	case long && chance(r, lidsShut):
		a.stays = append(a.stays, stay{where, device, s, true})
	default:
		a.stays = append(a.stays, stay{where, device, s, false})
	}
	if long && chance(r, phones) {
		from := s.from + random(r, (s.to-s.from)/2)
		a.stays = append(a.stays, stay{where, "second-phone", span{from, min(from+random(r, 20*time.Minute)+time.Minute, dayLength-time.Minute)}, false})
	}
}

// drop breaks a stay in two. A loss that is noticed ends the first part; one that is not ends it when the device has
// been back under another name for a while, so that the two overlap.
func (a *attendee) drop(r *rand.Rand, where, device string, s span) {
	breaks := s.from + 2*time.Minute + random(r, (s.to-s.from)/2)
	back := breaks + 10*time.Second + random(r, 3*time.Minute)
	if chance(r, unnoticed) {
		gone := min(breaks+90*time.Second+random(r, 4*time.Minute), s.to)
		a.stays = append(a.stays, stay{where, device, span{s.from, gone}, false}, stay{where, device + "-again", span{min(back, s.to-time.Second), s.to}, false})
		return
	}
	a.stays = append(a.stays, stay{where, device, span{s.from, breaks}, false}, stay{where, device, span{min(back, s.to-time.Second), s.to}, false})
}
