package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Kind is how one value is written: in the vendor's words, and in Callboard's when
// it comes from the vendor. Kinds are lenient about what they are given, since callers
// and vendors mix strings and numbers, and exact about what they write.
type Kind struct {
	name   string // for people
	out    func(b []byte, v Value, s *Source) ([]byte, error)
	in     func(b []byte, v Value, r *reader) ([]byte, error)
	schema map[string]any
	form   *Form // of objects and their lists
	list   bool
	gather bool // the form takes its fields from the object that it stands in
}

// asIs writes a value as it came.
func asIs(b []byte, v Value, _ *reader) ([]byte, error) { return append(b, v...), nil }

// errKinds are what is wrong with a value of another kind.
var (
	errText   = errors.New("must be a string")
	errID     = errors.New("must be a string or a number")
	errNumber = errors.New("must be a number")
	errWhole  = errors.New("must be a whole number")
	errBool   = errors.New("must be true or false")
	errTime   = errors.New("must be a time such as 2027-03-04T05:06:07Z")
)

// Text is a string; a number becomes one.
func Text() Kind { return textKind("text", errText) }

// ID is an id as a string, whatever it was given as.
func ID() Kind { return textKind("id", errID) }

func textKind(name string, wrong error) Kind {
	return Kind{
		name: name, in: asIs, schema: map[string]any{"type": "string"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			switch v.kind() {
			case '"':
				return append(b, v...), nil
			case '0':
				b = append(b, '"')
				b = append(b, v...)
				return append(b, '"'), nil
			}
			return b, wrong
		},
	}
}

// maxExact is the largest integer that every JSON reader keeps exact: 2^53.
const maxExact = 1 << 53

// NumberID is an id as a number if it is one, plain decimal and at most 2^53, else as
// a string.
func NumberID() Kind {
	return Kind{
		name: "id, a number if it is one", in: asIs, schema: map[string]any{"type": []string{"integer", "string"}},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			switch v.kind() {
			case '0':
				return append(b, v...), nil
			case '"':
				if digits := v[1 : len(v)-1]; plainNumber(digits) {
					return append(b, digits...), nil
				}
				return append(b, v...), nil
			}
			return b, errID
		},
	}
}

// plainNumber reports whether digits are a whole number as a program writes it, that no
// reader of JSON rounds.
func plainNumber(digits []byte) bool {
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && len(digits) > 1 {
		return false
	}
	n := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	return n <= maxExact
}

// Whole is a whole number; a string of digits becomes one.
func Whole() Kind {
	return Kind{
		name: "whole number", in: asIs, schema: map[string]any{"type": "integer"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			digits := v
			if v.kind() == '"' {
				digits = v[1 : len(v)-1]
			}
			if _, err := strconv.ParseInt(string(digits), 10, 64); err != nil {
				return b, errWhole
			}
			return append(b, digits...), nil
		},
	}
}

// Bool is true or false.
func Bool() Kind {
	return Kind{
		name: "true or false", in: asIs, schema: map[string]any{"type": "boolean"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			if v.kind() != 't' && v.kind() != 'f' {
				return b, errBool
			}
			return append(b, v...), nil
		},
	}
}

// Any is a value that goes through as it is.
func Any() Kind {
	return Kind{
		name: "any", in: asIs, schema: map[string]any{},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) { return append(b, v...), nil },
	}
}

// The forms in which vendors write times, always in UTC; what is finer is cut off.
const (
	secondsForm = "2006-01-02T15:04:05Z"
	millisForm  = "2006-01-02T15:04:05.000Z"
)

// Seconds is a time to the second.
func Seconds() Kind { return timeKind("time, to the second", secondsForm) }

// Millis is a time with three decimals.
func Millis() Kind { return timeKind("time, with three decimals", millisForm) }

func timeKind(name, form string) Kind {
	return Kind{
		name: name, in: timeIn, schema: map[string]any{"type": "string", "format": "date-time"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			t, err := v.time()
			if err != nil {
				return b, err
			}
			return appendTime(b, t, form), nil
		},
	}
}

// timeIn writes a vendor's time as Callboard does, and what is no time as it came.
func timeIn(b []byte, v Value, _ *reader) ([]byte, error) {
	t, err := v.time()
	if err != nil {
		return append(b, v...), nil
	}
	return appendTime(b, t, millisForm), nil
}

func appendTime(b []byte, t time.Time, form string) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, form)
	return append(b, '"')
}

// timeForms are those that are read besides RFC 3339: an offset without a colon, no
// offset (UTC), a day.
var timeForms = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", time.DateOnly}

// time reads a time in any of the usual forms, Unix milliseconds among them.
func (v Value) time() (time.Time, error) {
	t := time.Time{}
	switch v.kind() {
	case '0':
		ms, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return t, errTime
		}
		t = time.UnixMilli(ms)
	case '"':
		text, err := v.String(), error(nil)
		for _, form := range timeForms {
			if t, err = time.Parse(form, text); err == nil {
				break
			}
		}
		if err != nil {
			return t, errTime
		}
	default:
		return t, errTime
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return t, errTime
	}
	return t, nil
}

// JSONText is an object or array written inside a string, as JSON in JSON; a string
// goes through as it is.
func JSONText() Kind {
	return Kind{
		name: "JSON in a string", in: asIs, schema: map[string]any{"type": "string"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			if v.kind() == '"' {
				return append(b, v...), nil
			}
			return AppendQuote(b, compact(v)), nil
		},
	}
}

// compact is a value without space between its parts.
func compact(v Value) Value {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return v
	}
	return b.Bytes()
}

// AppendQuote appends text as a JSON string that escapes only what JSON asks for.
func AppendQuote[T ~[]byte | ~string](b []byte, text T) []byte {
	// It reports bytes that are no UTF-8, and has replaced them by then.
	b, _ = jsontext.AppendQuote(b, text)
	return b
}

// Nested is an object of a form.
func Nested(f *Form) Kind {
	return Kind{
		name: "object", form: f,
		out: func(b []byte, v Value, s *Source) ([]byte, error) { return f.appendText(b, v, s) },
		in:  func(b []byte, v Value, r *reader) ([]byte, error) { return f.read(b, v, r) },
	}
}

// Gather is an object whose fields come from the same object of Callboard's as those
// around it.
func Gather(f *Form) Kind {
	k := Nested(f)
	k.gather = true
	return k
}

// Derived is a text that is made of another one; "" = there is none.
func Derived(name string, of func(text string) string) Kind {
	return Kind{
		name: name, in: asIs, schema: map[string]any{"type": "string"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			if v.kind() != '"' {
				return b, errText
			}
			if text := of(v.String()); text != "" {
				b = AppendQuote(b, text)
			}
			return b, nil
		},
	}
}

// Joined is a text made of some of an object's texts, with spaces between them.
func Joined(names ...string) Kind {
	return Kind{
		name: strings.Join(names, " and "), in: asIs, schema: map[string]any{"type": "string"},
		out: func(b []byte, v Value, s *Source) ([]byte, error) {
			var texts []string
			for _, name := range names {
				one, err := s.reader.member(v, name)
				if err != nil {
					return b, err
				}
				if text := one.String(); text != "" {
					texts = append(texts, text)
				}
			}
			if len(texts) > 0 {
				b = AppendQuote(b, strings.Join(texts, " "))
			}
			return b, nil
		},
	}
}

// First is an object of a form that may also be given as an array of such objects, of
// which it writes the first: vendors' pages show both.
func First(f *Form) Kind {
	k := Nested(f)
	k.name = "object"
	k.out = func(b []byte, v Value, s *Source) ([]byte, error) {
		if v.kind() != '[' {
			return f.appendText(b, v, s)
		}
		elements, err := s.reader.elements(v)
		if err != nil || len(elements) == 0 {
			return append(b, "null"...), err
		}
		return f.appendText(b, elements[0], s)
	}
	k.in = func(b []byte, v Value, r *reader) ([]byte, error) {
		if v.kind() != '[' {
			return f.read(b, v, r)
		}
		elements, err := r.elements(v)
		if err != nil || len(elements) == 0 {
			return append(b, "null"...), err
		}
		return f.read(b, elements[0], r)
	}
	return k
}

// List is an array whose elements are of one kind. An absent one is written as [].
func List(of Kind) Kind {
	return Kind{
		name: "list of " + of.name, form: of.form, list: true,
		out: func(b []byte, v Value, s *Source) ([]byte, error) {
			elements, err := s.reader.elements(v)
			if err != nil {
				return b, err
			}
			return appendList(b, elements, func(b []byte, v Value) ([]byte, error) { return of.out(b, v, s) })
		},
		in: func(b []byte, v Value, r *reader) ([]byte, error) {
			elements, err := r.elements(v)
			if err != nil {
				return append(b, v...), nil //nolint:nilerr // what does not fit goes through as it is
			}
			return appendList(b, elements, func(b []byte, v Value) ([]byte, error) { return of.in(b, v, r) })
		},
		schema: map[string]any{"type": "array", "items": of.schema},
	}
}

// elements reads an array.
func (r *reader) elements(v Value) (all []Value, err error) {
	err = r.each(v, '[', func(_ []byte, value Value) error {
		all = append(all, value)
		return nil
	})
	return all, err
}

func appendList(b []byte, elements []Value, element func([]byte, Value) ([]byte, error)) ([]byte, error) {
	b = append(b, '[')
	for i, v := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = element(b, v); err != nil {
			return b, at(strconv.Itoa(i), err)
		}
	}
	return append(b, ']'), nil
}
