package shape

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/dialect"
)

// Parse reads the body of a webhook that came in. An error wraps
// dialect.ErrUnreadable.
func Parse(body []byte) (Object, error) {
	text := Value(body).trim()
	if !jsontext.Value(text).IsValid(fast) {
		return nil, fmt.Errorf("%w: %w", dialect.ErrUnreadable, errBroken)
	}
	var r reader // its members are the caller's
	o, err := r.object(text)
	if err != nil {
		return nil, Unreadable("body", err)
	}
	return o, nil
}

// Object reads a member of a body that has to be an object. An error wraps
// dialect.ErrUnreadable.
func (o Object) Object(name string) (Object, error) {
	var r reader // its members are the caller's
	inner, err := r.object(o.Get(name))
	if err != nil {
		return nil, Unreadable(name, err)
	}
	return inner, nil
}

// Unreadable says what is wrong with a member of a body; it wraps
// dialect.ErrUnreadable.
func Unreadable(name string, err error) error {
	return fmt.Errorf("%w: %w", dialect.ErrUnreadable, at(name, err))
}

// Time is the value as a time, in any of the usual forms; zero if it is none.
func (v Value) Time() time.Time {
	t, err := v.time()
	if err != nil {
		return time.Time{}
	}
	return t
}

// ID is the text of a string or of a number; "" for any other value.
func (v Value) ID() string {
	if v.kind() == '0' {
		return string(v)
	}
	return v.String()
}

// None reports whether the value says nothing: absent or null.
func (v Value) None() bool { return v.none() }

// Payload writes a native body, {type, timestamp, data}. A time that is not known is
// left out.
func Payload(eventType string, at time.Time, data []byte) []byte {
	b := make([]byte, 0, len(data)+len(eventType)+64)
	b = append(b, `{"type":`...)
	b = AppendQuote(b, eventType)
	if !at.IsZero() {
		b = append(b, `,"timestamp":`...)
		b = appendTime(b, at.UTC(), millisForm)
	}
	b = append(b, `,"data":`...)
	b = append(b, data...)
	return append(b, '}')
}
