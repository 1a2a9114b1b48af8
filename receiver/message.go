package receiver

import (
	"errors"
	"time"
)

// ErrGone answers 410 when the function given to [New] returns or wraps it:
// this endpoint wants no more messages and the sender should disable it.
var ErrGone = errors.New("receiver: endpoint is gone")

// A Message is a webhook that was verified and decoded. What T is depends on
// the [Dialect]. The slices belong to whoever gets the Message.
type Message[T any] struct {
	// ID names the message. It is the same each time the message is sent, so
	// it is the key to store effects under.
	ID string
	// Type is the event type, such as "session.joined"; "" if the body names
	// none.
	Type string
	// Timestamp is when that happened which the message tells of. It is zero
	// if the body does not say so.
	Timestamp time.Time
	// SentAt is when this copy was sent, to the second. Within the tolerance
	// it is the present. It is zero if no such time was signed.
	SentAt time.Time
	// Data is what the message tells.
	Data T
	// Body holds the request's bytes as they came.
	Body []byte
}
