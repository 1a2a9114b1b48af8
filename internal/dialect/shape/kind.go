package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/wire"
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
	quoted bool // the object is written inside a string
}

// asIs writes a value as it came.
func asIs(b []byte, v Value, _ *reader) ([]byte, error) { return append(b, v...), nil }

// errKinds are what is wrong with a value of another kind.
var (
	errText  = errors.New("must be a string")
	errID    = errors.New("must be a string or a number")
	errWhole = errors.New("must be a whole number")
	errBool  = errors.New("must be true or false")
	errTime  = errors.New("must be a time such as 2027-03-04T05:06:07Z")
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
				return v.appendPlain(b), nil
			case '0':
				return appendQuoted(b, v), nil
			}
			return b, wrong
		},
	}
}

// appendPlain appends a string with the escapes that JSON asks for and no others: what
// callers escape besides, such as & for HTML, means the same and reads badly.
func (v Value) appendPlain(b []byte) []byte {
	if bytes.IndexByte(v, '\\') >= 0 {
		v = v.plain()
	}
	return append(b, v...)
}

// plain is a string with the escapes that JSON asks for and no others.
func (v Value) plain() Value {
	text, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return v
	}
	return AppendQuote(nil, text)
}

// appendQuoted appends a number as a string.
func appendQuoted(b []byte, v Value) []byte {
	b = append(b, '"')
	b = append(b, v...)
	return append(b, '"')
}

// maxExact is the largest integer that every JSON reader keeps exact: 2^53.
const maxExact = 1 << 53

// NumberID is an id as a number if it is one, plain decimal and at most 2^53, else as
// a string: a number that readers round would be another id.
func NumberID() Kind {
	return Kind{
		name: "id, a number if it is one", in: asIs, schema: map[string]any{"type": []string{"integer", "string"}},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			switch v.kind() {
			case '0':
				if plainNumber(bytes.TrimPrefix(v, []byte("-"))) {
					return append(b, v...), nil
				}
				return appendQuoted(b, v), nil
			case '"':
				if digits := v[1 : len(v)-1]; plainNumber(digits) {
					return append(b, digits...), nil
				}
				return v.appendPlain(b), nil
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
			n, err := whole(string(digits))
			if err != nil {
				return b, errWhole
			}
			return strconv.AppendInt(b, n, 10), nil
		},
	}
}

// whole reads a whole number, which JSON Schema says 5.0 is, too.
func whole(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	goOnly := strings.ContainsAny(text, "_xX") // as in Go's source, not in JSON
	if err != nil || goOnly || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, errWhole
	}
	return int64(f), nil
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

// Any is a value that goes through as it is, but for space between its parts.
func Any() Kind {
	return Kind{
		name: "any", in: asIs, schema: map[string]any{},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) { return append(b, compact(v)...), nil },
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
			if string(v) == `""` { // some write so what they do not know
				return b, nil
			}
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
		var known bool
		if t, known = v.timeText(); !known {
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

// timeText reads the text of a string as a time.
func (v Value) timeText() (t time.Time, known bool) {
	if t.UnmarshalText(v[1:len(v)-1]) == nil { // RFC 3339, as nearly always
		return t, true
	}
	t, err := wire.ParseTime(v.String())
	return t, err == nil
}

// JSONText is an object or array written inside a string, as JSON in JSON; a string
// goes through as it is.
func JSONText() Kind {
	return Kind{
		name: "JSON in a string", in: asIs, schema: map[string]any{"type": "string"},
		out: func(b []byte, v Value, _ *Source) ([]byte, error) {
			if v.kind() == '"' {
				return v.appendPlain(b), nil
			}
			return AppendQuote(b, compact(v)), nil
		},
	}
}

// compact is a value without space between its parts.
func compact(v Value) Value {
	if !bytes.ContainsAny(v, " \t\r\n") {
		return v
	}
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
// around it. One without any is none.
func Gather(f *Form) Kind {
	k := Nested(f)
	k.gather = true
	return k
}

// InString is an object like Gather's, written inside a string, as JSON in JSON.
func InString(f *Form) Kind {
	k := Gather(f)
	k.name, k.quoted = "JSON in a string", true
	return k
}

// gathered writes the object of a kind that gathers.
func (k Kind) gathered(b []byte, o Object, s *Source) ([]byte, error) {
	begin := len(b)
	b, err := k.form.Append(b, o, s)
	switch {
	case err != nil:
		return b, err
	case !k.quoted && string(b[begin:]) == "{}": // nothing is known of it
		return b[:begin], nil
	case !k.quoted:
		return b, nil
	}
	end := len(b)
	b = AppendQuote(b, b[begin:end])
	n := copy(b[begin:], b[end:]) // over the object
	return b[:begin+n], nil
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

// Label is a text that may also be given as an object with a name, of which it writes
// that.
func Label() Kind {
	text := Text()
	k := text
	k.name = "text"
	k.out = func(b []byte, v Value, s *Source) ([]byte, error) {
		if v.kind() != '{' {
			return text.out(b, v, s)
		}
		name, err := s.reader.member(v, "name")
		if err != nil {
			return b, err
		}
		if name.none() {
			return b, errLabel
		}
		return text.out(b, name, s)
	}
	return k
}

// errLabel is what is wrong with a label that says nothing.
var errLabel = errors.New("must be a string, or an object with a name")

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
// which it writes the first: vendors' pages show both. An array that comes in stays one.
func First(f *Form) Kind {
	k := Nested(f)
	k.name = "object"
	k.out = func(b []byte, v Value, s *Source) ([]byte, error) {
		if v.kind() != '[' {
			return f.appendText(b, v, s)
		}
		first, err := s.reader.first(v)
		if err != nil || first.none() {
			return b, err
		}
		return f.appendText(b, first, s)
	}
	k.in = func(b []byte, v Value, r *reader) ([]byte, error) {
		if v.kind() != '[' {
			return f.read(b, v, r)
		}
		return r.appendList(b, v, func(b []byte, v Value) ([]byte, error) { return f.read(b, v, r) })
	}
	return k
}

// List is an array whose elements are of one kind. An absent one is written as [].
func List(of Kind) Kind {
	return Kind{
		name: "list of " + of.name, form: of.form, list: true,
		out: func(b []byte, v Value, s *Source) ([]byte, error) {
			return s.reader.appendList(b, v, func(b []byte, v Value) ([]byte, error) { return of.out(b, v, s) })
		},
		in: func(b []byte, v Value, r *reader) ([]byte, error) {
			if v.kind() != '[' { // what does not fit goes through as it is
				return append(b, v...), nil
			}
			return r.appendList(b, v, func(b []byte, v Value) ([]byte, error) { return of.in(b, v, r) })
		},
		schema: map[string]any{"type": "array", "items": of.schema},
	}
}

// appendList writes an array's elements.
func (r *reader) appendList(b []byte, v Value, element func([]byte, Value) ([]byte, error)) ([]byte, error) {
	defer r.release(r.mark())
	elements, err := r.elements(v)
	if err != nil {
		return b, err
	}
	b = append(b, '[')
	for i := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = element(b, elements[i].value); err != nil {
			return b, at(strconv.Itoa(i), err)
		}
	}
	return append(b, ']'), nil
}
