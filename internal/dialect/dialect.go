// Package dialect is the contract between the engine and the ways in which a
// webhook can look on the wire.
//
// A dialect knows what it can say, how a message's body is written, how the
// request proves where it came from, and how a webhook that came in from such a
// vendor reads in Callboard's words. The engine knows none of that: it plans a
// delivery only if the endpoint's dialect has a word for the message's type,
// renders it when a sender takes it, and signs each attempt afresh.
package dialect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"sort"
	"time"
)

// Native is the name of the dialect that sends stored payloads as they are.
const Native = "native"

// ErrUnrenderable is wrapped by Render when a payload cannot be written in the
// dialect. It ends the delivery: no retry can mend it. What Render adds to it
// names the member that is wrong and quotes no value.
var ErrUnrenderable = errors.New("payload cannot be rendered in the endpoint's dialect")

// ErrUnreadable is wrapped by Parse when a body is no webhook of the vendor's.
var ErrUnreadable = errors.New("body is not a webhook of this vendor")

// EventType is a type of messages that Callboard knows by itself.
type EventType struct {
	Name        string // such as session.joined
	Group       string // such as session
	Description string // for people: when it is sent, and what its values mean
	// Schema is a JSON Schema (2020-12) of the payload {type, timestamp, data}, with
	// all that it refers to. It asks only for what rendering needs.
	Schema []byte
	// Sample is a payload that fits the schema and could be real.
	Sample []byte
}

// Message is what a dialect may know of a message.
type Message struct {
	ID   string    // external id, the same for every endpoint, retry and resend
	Type string    // event type, Callboard's name
	Time time.Time // when the message was accepted, UTC
	// Tenant is what the app is called in the vendors' ids of organizations where the
	// payload names none: its uid at the message's commit, else its id. It is empty for
	// messages that are not of the catalogue.
	Tenant string
	// ResourceBase is what links to resources begin with, as it was set for the app or its
	// org at the message's commit; "" = the server's own address.
	ResourceBase string
	Payload      []byte // JSON, the bytes as they were received; never modified
}

// Fit says how well a dialect can say an event type.
type Fit uint8

// The fits.
const (
	Unsaid     Fit = iota // it has no word for the type
	Translated            // it says it as one of its own that is close; endpoints may refuse
	Exact                 // the vendor documents it
)

// Secrets says what a dialect's secrets are for and how they change.
type Secrets struct {
	// PerApp: one secret serves all endpoints of an app and is the app's, not theirs.
	PerApp bool
	// OneAtATime: a request has room for one secret's proof, so that during a grace
	// period deliveries carry the old one, and the new one after it. Otherwise all
	// secrets sign side by side.
	OneAtATime bool
}

// Dialect is one way in which webhooks look on the wire. Implementations are
// immutable and safe for concurrent use.
type Dialect interface {
	// Name is the dialect's name in the API, lower case.
	Name() string
	// Word is the dialect's own name for an event type, such as JOINED_SESSION, and
	// how well it fits; "" and Unsaid if it has none.
	Word(eventType string) (word string, fit Fit)
	// Types are the event types of the catalogue that go out under a word, the one that
	// fits exactly first; nil if the dialect does not know the word.
	Types(word string) []string
	// EventTypes are those that this dialect has besides the catalogue's, by name.
	EventTypes() []EventType
	// Render writes the body of a message. It is pure: the same message gives
	// the same bytes. Its error wraps ErrUnrenderable.
	Render(m Message) ([]byte, error)
	// Parse reads a vendor's webhook, whose signature was verified, as a message of
	// Callboard's. It is pure, and lenient: what it does not know it passes on. Its
	// error wraps ErrUnreadable and quotes no value.
	Parse(r Request) (Activity, error)
	// Observes says what the vendor's webhooks can prove.
	Observes() Observed

	// Secrets says what the dialect's secrets are for.
	Secrets() Secrets
	// NewSigner prepares what signs an endpoint's attempts with its active secrets,
	// newest first. The secrets were accepted by CheckSecret before.
	NewSigner(secrets []string) (Signer, error)
	// CheckSecret says why a secret that a caller chose cannot be used; nil = fine.
	CheckSecret(secret string) error
	// Advice warns of a secret that can be used and should be better; "" = it is fine.
	Advice(secret string) string
	// NewSecret makes a secret for an endpoint whose owner chose none.
	NewSecret() string
	// Verify says whether a request was made by who holds one of these secrets, and if
	// not, exactly why. Its error is about a secret that cannot be used.
	Verify(secrets []string, r Request) (Verdict, error)
	// OwnHeaders are lower-case names that an endpoint's custom headers may not
	// use besides the general deny list.
	OwnHeaders() []string
}

// Signer adds the headers that authenticate one attempt. It is safe for
// concurrent use.
type Signer interface {
	// Sign sets the dialect's headers, canonical keys, for an attempt made at now.
	Sign(h http.Header, messageID string, now time.Time, body []byte)
}

// Request is a webhook as it came in.
type Request struct {
	Header http.Header
	Body   []byte
	// Brief asks Verify for no Hint. To look for one takes many times as long as to verify.
	Brief bool
	// At is when it came, if that was not now.
	At time.Time
}

// Activity is what a vendor's webhook tells, in Callboard's words.
type Activity struct {
	// ID is the vendor's own id of the webhook, by which repetitions are known; where
	// there is none, a hash of what makes it itself.
	ID   string
	Type string    // an event type; one that the catalogue does not have is "<dialect>.<word>"
	At   time.Time // when it happened, UTC; zero if the webhook does not say
	// Payload is a native body, {type, timestamp, data}.
	Payload []byte
}

// Observed says what a vendor's webhooks can prove about attendance.
type Observed struct{ Joins, Leaves bool }

// Foreign is the event type of a vendor's word that the catalogue has no type for,
// such as zuddl.ANSWERED_POLL. Such a type is heard by native endpoints and by those
// of its own dialect.
func Foreign(dialect, word string) string { return dialect + "." + word }

// HashID is the id of a webhook that names none, made of the parts by which it is
// told from others: "sha256:" and their hash in lower-case hexadecimal.
func HashID(parts ...[]byte) string {
	h := sha256.New()
	var size [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(size[:], uint32(len(p)))
		h.Write(size[:])
		h.Write(p)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Set holds the dialects of a process by name. It does not change after New.
type Set struct{ byName map[string]Dialect }

// NewSet makes a set; the last of two dialects with one name wins.
func NewSet(dialects ...Dialect) Set {
	s := Set{byName: make(map[string]Dialect, len(dialects))}
	for _, d := range dialects {
		s.byName[d.Name()] = d
	}
	return s
}

// Get finds a dialect by name; the empty name is native.
func (s Set) Get(name string) (Dialect, bool) {
	if name == "" {
		name = Native
	}
	d, ok := s.byName[name]
	return d, ok
}

// Says reports whether a dialect of the set says an event type to an endpoint that
// accepts translations or does not.
func (s Set) Says(name, eventType string, translate bool) bool {
	d, known := s.Get(name)
	if !known {
		return false
	}
	_, fit := d.Word(eventType)
	return fit == Exact || fit == Translated && translate
}

// Names lists the set's dialects, sorted.
func (s Set) Names() []string {
	names := make([]string, 0, len(s.byName))
	for n := range s.byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
