package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// ID is an identifier that is written as a JSON string or as a number. The zero ID
// is none, and is written as null.
type ID struct {
	text   string
	number bool
}

// maxExact is the largest integer that every JSON reader keeps exact: 2^53.
const maxExact = 1 << 53

// Text is an ID that is written as a string, whatever it looks like.
func Text(id string) ID { return ID{text: id} }

// Number is an ID that is written as a number.
func Number(id int64) ID { return ID{text: strconv.FormatInt(id, 10), number: true} }

// NumberOrText is an ID that is written as a number if it is one, plain decimal and
// at most 2^53, and as a string otherwise.
func NumberOrText(id string) ID {
	n, err := strconv.ParseInt(id, 10, 64)
	if err == nil && n >= 0 && n <= maxExact && strconv.FormatInt(n, 10) == id {
		return Number(n)
	}
	return Text(id)
}

// String is the id without regard to how it is written; "" for none.
func (id ID) String() string { return id.text }

// Equal reports whether two ids are the same and written the same way.
func (id ID) Equal(other ID) bool { return id == other }

// IsZero reports whether there is none.
func (id ID) IsZero() bool { return id == ID{} }

// errID is what is wrong with an id that is neither.
var errID = errors.New("is neither a string nor a number")

// UnmarshalJSON reads a string, a number, or null.
func (id *ID) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")):
		*id = ID{}
		return nil
	case len(data) > 0 && data[0] == '"':
		*id = ID{}
		return json.Unmarshal(data, &id.text)
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return errID
	}
	*id = ID{text: n.String(), number: true}
	return nil
}

// MarshalJSON writes the id as it was read or made.
func (id ID) MarshalJSON() ([]byte, error) {
	switch {
	case id.number:
		return []byte(id.text), nil
	case id.IsZero():
		return []byte("null"), nil
	}
	return MarshalValue(id.text)
}

// Seconds is a time that is written to the second, in UTC with a Z; a fraction is
// cut off. The zero time is written as null.
type Seconds struct{ time.Time }

// Millis is a time that is written with three decimals, in UTC with a Z; the rest is
// cut off. The zero time is written as null.
type Millis struct{ time.Time }

// The forms in which times are written.
const (
	secondsForm = "2006-01-02T15:04:05Z"
	millisForm  = "2006-01-02T15:04:05.000Z"
)

// MarshalJSON writes the time.
func (t Seconds) MarshalJSON() ([]byte, error) { return marshalTime(t.Time, secondsForm) }

// MarshalJSON writes the time.
func (t Millis) MarshalJSON() ([]byte, error) { return marshalTime(t.Time, millisForm) }

// UnmarshalJSON reads any of the usual forms of a time, or null; a text that is
// empty counts as null.
func (t *Seconds) UnmarshalJSON(data []byte) (err error) {
	t.Time, err = unmarshalTime(data)
	return err
}

// UnmarshalJSON reads any of the usual forms of a time, or null; a text that is
// empty counts as null.
func (t *Millis) UnmarshalJSON(data []byte) (err error) {
	t.Time, err = unmarshalTime(data)
	return err
}

func marshalTime(t time.Time, form string) ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.UTC().Format(form) + `"`), nil
}

// errTime is what is wrong with a time in no form that is known.
var errTime = errors.New("is not a time such as 2027-03-04T05:06:07Z")

// unmarshalTime reads RFC 3339, the same with an offset without a colon or with none
// at all (then it is UTC), and Unix time in milliseconds.
func unmarshalTime(data []byte) (time.Time, error) {
	var ms int64
	if json.Unmarshal(data, &ms) == nil && len(data) > 0 && data[0] != 'n' {
		return inForm(time.UnixMilli(ms))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return time.Time{}, errTime
	}
	if text == "" {
		return time.Time{}, nil
	}
	return ParseTime(text)
}

// timeForms are those in which times are read: RFC 3339, an offset without a colon, no
// offset (UTC), a day.
var timeForms = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", time.DateOnly}

// ParseTime reads a time that is written in any of the usual forms, and gives it in
// UTC. One of a year without four digits is an error.
func ParseTime(text string) (time.Time, error) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return inForm(t)
		}
	}
	return time.Time{}, errTime
}

// inForm gives a time in UTC, if it can be written in four digits of a year.
func inForm(t time.Time) (time.Time, error) {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}, errTime
	}
	return t, nil
}
