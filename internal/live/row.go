package live

import (
	"cmp"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// Kind says what a row of live state is. The numbers are stored: append only.
type Kind uint8

// The kinds of rows.
const (
	Event Kind = iota + 1
	Session
	Registration
	Contact
	Exhibitor
	Sponsor
	Association
	Presence
	Conference
	Participant
	Conversation
	File
	Host
	EventNumber
	Counter
	Sweep
)

// Key names a row.
type Key struct {
	App  id.ID // 0 for EventNumber and Counter, which belong to an org
	Kind Kind
	// Parent is what a row hangs on: the event of sessions, registrations, presences and
	// associations; the conference of participants; the host of files; the org of event
	// numbers and counters. "" for what stands alone.
	Parent string
	ID     string
}

// Compare orders keys as the stores do: texts byte by byte.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.App, other.App),
		cmp.Compare(k.Kind, other.Kind),
		strings.Compare(k.Parent, other.Parent),
		strings.Compare(k.ID, other.ID),
	)
}

// Row is one row of live state. A row that was handed out is shared: neither its Doc nor
// its State is ever changed in place.
type Row struct {
	Key
	// Seq is taken when the row is created, and kept; lists go by it. 0 = new: the
	// committer gives one.
	Seq id.ID
	// Doc is the JSON object that the API shows of a resource; nil = the row is none.
	Doc []byte
	// State is what Callboard keeps beside it, as JSON; nil = nothing.
	State []byte
	// Due is when something happens to the row by itself, to the microsecond; zero = never.
	Due time.Time
	// CreatedAt and UpdatedAt are set by the committer.
	CreatedAt, UpdatedAt time.Time
}

// Range asks for the rows of a kind below a parent in the order of their keys.
type Range struct {
	App    id.ID
	Kind   Kind
	Parent string
	After  string // an ID, exclusive; "" = from the beginning
	Limit  int    // how many rows at most
}

// Covers reports whether a key lies in the range, whatever its limit.
func (r Range) Covers(k Key) bool {
	return k.App == r.App && k.Kind == r.Kind && k.Parent == r.Parent && k.ID > r.After
}
