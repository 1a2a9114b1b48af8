// Package dialect is the contract between the engine and the ways in which a
// webhook can look on the wire.
//
// A dialect knows what it can say, how a message's body is written and how the
// request proves where it came from. The engine knows none of that: it plans a
// delivery only if the endpoint's dialect says the message's type, renders it
// when a sender takes it, and signs each attempt afresh.
package dialect

import (
	"errors"
	"net/http"
	"sort"
	"time"
)

// Native is the name of the dialect that sends stored payloads as they are.
const Native = "native"

// ErrUnrenderable is wrapped by Render when a payload cannot be written in the
// dialect. It ends the delivery: no retry can mend it.
var ErrUnrenderable = errors.New("payload cannot be rendered in the endpoint's dialect")

// Message is what a dialect may know of a message.
type Message struct {
	ID      string    // external id, the same for every endpoint, retry and resend
	Type    string    // event type, Callboard's name
	Time    time.Time // when the message was accepted, UTC
	Payload []byte    // JSON, the bytes as they were received; never modified
}

// Dialect is one way in which webhooks look on the wire. Implementations are
// immutable and safe for concurrent use.
type Dialect interface {
	// Name is the dialect's name in the API, lower case.
	Name() string
	// Says reports whether the dialect has words for an event type.
	Says(eventType string) bool
	// Render writes the body of a message. It is pure: the same message gives
	// the same bytes. Its error wraps ErrUnrenderable.
	Render(m Message) ([]byte, error)
	// NewSigner prepares what signs an endpoint's attempts. The secrets were
	// accepted by CheckSecret before.
	NewSigner(secrets []string) (Signer, error)
	// CheckSecret says why a secret that a caller chose cannot be used; nil = fine.
	CheckSecret(secret string) error
	// NewSecret makes a secret for an endpoint whose owner chose none.
	NewSecret() string
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

// Names lists the set's dialects, sorted.
func (s Set) Names() []string {
	names := make([]string, 0, len(s.byName))
	for n := range s.byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
