// Package live knows what goes on where people meet: events with their sessions and
// those who attend them, conferences, conversations; and it decides what follows from
// something that happened there.
//
// # How it is asked
//
// Everything that changes live state is an Activity, whether a REST route, the activity
// route or a vendor's webhook tells it. Read reads an activity, Keys names the rows that it is
// about, Apply decides what becomes of them and which messages go out; Fire decides the same
// for a row whose Due has come. Attendance reads what is known of who was where.
//
// All of it is pure: no I/O, no clock, no chance. The same rows, activity and time give
// the same outcome, so that a batch can be decided again after a conflict, and the rules
// can be tested by the ten thousand. Nothing is kept between calls, and rows that are
// handed in are never changed in place: all functions are safe for concurrent use. What
// is decided becomes true with the commit of the rows and messages in one transaction; a
// crash before it leaves nothing, and one after it nothing to do.
//
// DESIGN.md in this directory states the rules, each with its source.
package live

import (
	"fmt"
	"strings"
	"time"
)

// Actor is who did something.
type Actor struct {
	ID   string // "" = not known, or the system
	Type string // USER (also if empty), AGENT or SYSTEM
}

// Mode says what an activity that carries a resource does with it.
type Mode uint8

// The modes. A session.deleted told as an activity (Upsert) deletes.
const (
	Upsert  Mode = iota // an activity: creates what is not known, else merges
	Create              // POST: refuses what is known
	Replace             // PUT: refuses what is not known
	Merge               // PATCH: refuses what is not known; null clears a member
	Delete              // DELETE: refuses what is not known
)

// Activity is something that happened, told to Callboard.
type Activity struct {
	Type           string    // such as session.joined
	At             time.Time // when it happened; zero = now
	Actor          Actor
	SourceOfChange string // user or agent; "" = agent for an AGENT, else user
	Quiet          bool   // changes state, sends nothing
	Data           []byte // JSON object
	Mode           Mode   // of resources
	// Erase: what is deleted, a registration or a contact, is a person to forget. See
	// Person for what else carries it.
	Erase bool
	// Source is set for what a vendor's webhook told. Nothing of ours is sent then, since
	// the webhook itself becomes the message; and what state forbids is no refusal: as
	// much as possible is applied, and Outcome.Note says what was not.
	Source *Source
}

// Source says what the webhooks of a vendor can prove.
type Source struct {
	Joins, Leaves bool
}

// openEnded reports whether attendance that came this way has no end that could be
// trusted. Who tells of no attendance at all takes none away from us.
func (s *Source) openEnded() bool { return s != nil && s.Joins && !s.Leaves }

// View gives the rows that Keys, NeedsRange and NeedsKeys named, with what the batch so
// far made of them.
type View interface {
	Get(k Key) (Row, bool)
}

// Outcome is what follows from an activity, or from a row that was due.
type Outcome struct {
	Rows     []Row // as they are now, each key once
	Gone     []Key // rows to remove
	Messages []Message
	// Late: figures were closed before. What came is kept and shown, and sends nothing.
	Late bool
	// Unchanged: it repeated what was known. There are no messages then.
	Unchanged bool
	ID        string // of the resource
	// Forget, if set, is somebody whom stored payloads are not to tell of any more, up to
	// those of this commit.
	Forget *Person
	// Note is what a source told that did not fit; nil = everything fitted.
	Note *Refusal
}

// Message is one that is to be sent. Its payload is {type, timestamp, data}.
type Message struct {
	Type string
	At   time.Time // when it happened, UTC, to the microsecond
	Data []byte    // JSON object
	// OrderKey names what the message is about: messages with the same one are in order.
	OrderKey string
}

// RefusalKind says in which way an activity is wrong.
type RefusalKind uint8

// The kinds of refusals.
const (
	Invalid  RefusalKind = iota + 1 // the data is wrong, whatever is known
	NotFound                        // it names something that is not known
	Conflict                        // what is known forbids it
)

// Refusal says why an activity is not applied. Nothing of it is.
type Refusal struct {
	Kind RefusalKind
	Loc  []string // where in the data, indexes in decimal; nil = not in the data
	// Member is what is wrong of the activity where it is not a place in the data: at, data or
	// type; "" = none of them.
	Member string
	Msg    string // for people; quotes nothing of the data
}

// Error joins place and text.
func (r *Refusal) Error() string {
	if len(r.Loc) == 0 {
		return strings.TrimPrefix(r.Member+" "+r.Msg, " ")
	}
	return strings.Join(r.Loc, ".") + ": " + r.Msg
}

func invalid(msg string, loc ...string) *Refusal {
	return &Refusal{Kind: Invalid, Loc: loc, Msg: msg}
}

// invalidMember is invalid for a member of the activity itself.
func invalidMember(name, msg string) *Refusal {
	return &Refusal{Kind: Invalid, Member: name, Msg: msg}
}

func conflict(format string, args ...any) *Refusal {
	return &Refusal{Kind: Conflict, Msg: fmt.Sprintf(format, args...)}
}

func notFound(noun string, loc ...string) *Refusal {
	return &Refusal{Kind: NotFound, Loc: loc, Msg: "there is no such " + noun}
}

// Knows reports whether an activity may have a type.
func Knows(activityType string) bool {
	_, known := rules[activityType]
	return known
}

// Apply decides what follows from an activity at a time. Its error is a *Refusal.
func (r *Request) Apply(v View, now time.Time) (Outcome, error) {
	w := newWork(v, r, now)
	if err := w.run(); err != nil {
		return Outcome{}, err
	}
	return w.outcome(), nil
}
