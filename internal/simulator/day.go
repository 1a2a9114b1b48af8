package simulator

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/wire"
	"github.com/callboard/callboard/wire/native"
)

// Plan says which day to make up.
type Plan struct {
	Seed      uint64
	Attendees int       // who register; at least 2
	Name      string    // the event's id, and the beginning of every other id that an app has only once
	Ends      time.Time // when the event ends; the doors open eight hours before
}

// Happening is something that is told to a server: an activity, or a change to a resource.
type Happening struct {
	At  time.Time // when it happened
	Due time.Time // when it is told: then, or somewhat later
	// Activity is what happened, if Write is nil.
	Activity client.Activity
	// What names a change to a resource, and Write makes it.
	What  string
	Write func(ctx context.Context, c *client.Client, app string) error
}

// Day is a made-up day: what happens, in the order in which it is told, and who sat where.
type Day struct {
	Plan       Plan
	Happenings []Happening
	Account    *Account

	opens    time.Time
	presence []span // when somebody was somewhere: each person's own, apart from each other
}

// Script makes up a day. The same plan gives the same day.
func Script(p Plan) *Day {
	p.Ends = p.Ends.Truncate(time.Second).UTC()
	p.Attendees = max(p.Attendees, 2)
	d := &Day{Plan: p, Account: NewAccount(), opens: p.Ends.Add(-dayLength)}
	d.prepare()
	d.attend()
	d.confer()
	d.call()
	slices.SortStableFunc(d.Happenings, func(a, b Happening) int { return a.Due.Compare(b.Due) })
	return d
}

// random is a source of chance of its own for each part of a day, so that a change to one changes no other.
func (d *Day) random(part string, n int) *rand.Rand {
	seed := uint64(n)
	for _, c := range part {
		seed = seed*131 + uint64(c)<<32
	}
	return rand.New(rand.NewPCG(d.Plan.Seed, seed))
}

// at is a moment of the day.
func (d *Day) at(offset time.Duration) time.Time { return d.opens.Add(offset) }

// id is one that an app has only once.
func (d *Day) id(name string) string { return d.Plan.Name + "-" + name }

// number is an id of the kind that conferences and hosts have. It follows from the plan's name.
func (d *Day) number(n int) string {
	sum := uint64(14695981039346656037)
	for _, c := range []byte(d.Plan.Name) {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return strconv.FormatUint(sum%9_000_000_000*1000+uint64(n), 10)
}

// tell adds an activity.
func (d *Day) tell(offset time.Duration, eventType native.Type, data any) {
	d.add(Happening{At: d.at(offset), Activity: client.Activity{Type: eventType, Data: data}})
}

// add adds a happening, which is due when it happens unless it says otherwise. Every activity has a name, so that one
// that is told again is known to be the same.
func (d *Day) add(h Happening) {
	h.Due = cmp.Or(h.Due, h.At)
	if h.Write == nil {
		h.Activity.At = h.At
		h.Activity.ID = cmp.Or(h.Activity.ID, d.id(fmt.Sprint("a", len(d.Happenings))))
	}
	d.Happenings = append(d.Happenings, h)
}

// attend tells where everybody was.
func (d *Day) attend() {
	for n := range d.Plan.Attendees {
		r := d.random("attendee", n)
		a := newAttendee(r, n)
		d.register(r, &a)
		for _, s := range a.stays {
			d.move(r, &a, s)
		}
		d.Account.enter(a.id, a.stays, eventSpan)
		d.presence = append(d.presence, apart(a.stays)...)
	}
}

// register tells of a registration in the weeks before, unless it is made at the door.
func (d *Day) register(r *rand.Rand, a *attendee) {
	if a.walkIn {
		return
	}
	before := -24*time.Hour - random(r, 30*24*time.Hour)
	d.tell(before, native.RegistrationCreated, client.Subject{EventID: d.Plan.Name, Registration: a.registration()})
}

func (a *attendee) registration() *native.Registration {
	return &native.Registration{ID: wire.Text(a.id), Profile: &native.Profile{
		FirstName: a.first, LastName: a.last, Email: a.email, Company: a.company, Designation: a.job, Country: a.country,
		PhoneNumber: a.phone,
	}}
}

// move tells of a join and, if anybody noticed, of the leave.
func (d *Day) move(r *rand.Rand, a *attendee, s stay) {
	join := client.Attendance{EventID: d.Plan.Name, SessionID: s.where, RegistrationID: a.id, ConnectionID: s.device}
	leave := join
	if a.walkIn {
		join.Registration = a.registration()
		leave.Registration = join.Registration
	}
	d.gossip(r, s.from, native.SessionJoined, join)
	if !s.open {
		d.gossip(r, s.to, native.SessionLeft, leave)
	}
}

// gossip tells an activity as the world does: mostly at once, sometimes late, sometimes twice. Half of what is told
// again has a name of its own, as from a sender that does not know that it is.
func (d *Day) gossip(r *rand.Rand, offset time.Duration, eventType native.Type, data any) {
	h := Happening{At: d.at(offset), Activity: client.Activity{Type: eventType, Data: data}}
	if chance(r, toldLate) {
		h.Due = d.at(min(offset+random(r, 25*time.Minute), dayLength))
	}
	d.add(h)
	if !chance(r, toldTwice) {
		return
	}
	if chance(r, 50) {
		h.Activity.ID = d.Happenings[len(d.Happenings)-1].Activity.ID
	}
	h.Due = d.at(min(offset+random(r, 40*time.Minute), dayLength))
	d.add(h)
}

// apart are the times at which somebody was anywhere.
func apart(stays []stay) (spans []span) {
	stays = slices.Clone(stays)
	slices.SortFunc(stays, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
	for _, s := range stays {
		if s.open {
			s.to = dayLength
		}
		if last := len(spans) - 1; last >= 0 && s.from <= spans[last].to {
			spans[last].to = max(spans[last].to, s.to)
		} else {
			spans = append(spans, s.span)
		}
	}
	return spans
}

// Present is how many people are in a session at a moment.
func (d *Day) Present(at time.Time) (n int) {
	offset := at.Sub(d.opens)
	for _, s := range d.presence {
		if s.from <= offset && offset < s.to {
			n++
		}
	}
	return n
}
