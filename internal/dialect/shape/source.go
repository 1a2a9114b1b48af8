package shape

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/dialect"
)

// Source is a message that is being rendered: what Makers may look at.
type Source struct {
	dialect.Message
	// Word is the dialect's own name for the message's type.
	Word string
	// At is when it happened: the payload's timestamp, else the message's time.
	At time.Time
	// Data is the payload's data.
	Data Object
	// About is the object in the data that the webhook is about, if the dialect says so
	// for its Makers.
	About Object

	reader *reader
}

// readers are used again and again: one render follows another.
var readers = sync.Pool{New: func() any { return &reader{} }}

// maxKept is how many members a reader that waits for its next use has room for.
const maxKept = 256

// putBack returns a reader for its next use.
func (r *reader) putBack() {
	r.empty()
	readers.Put(r)
}

// empty lets go of the texts that were read, which may be long gone before the next.
func (r *reader) empty() {
	if cap(r.members) > maxKept {
		r.members = nil
	}
	clear(r.members[:cap(r.members)])
	r.members, r.depth = r.members[:0], 0
	r.text = bytes.Buffer{}
	r.dec.Reset(&r.text)
}

// Render reads a message's payload, {type, timestamp, data}, and lets write make a body
// of it. Whatever goes wrong wraps dialect.ErrUnrenderable.
func Render(m dialect.Message, word string, write func(b []byte, s *Source) ([]byte, error)) ([]byte, error) {
	r := readers.Get().(*reader)
	defer r.putBack()
	s := &Source{Message: m, Word: word, At: m.Time, reader: r}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("%w: %w", dialect.ErrUnrenderable, at("payload", err))
	}
	b, err := write(r.body[:0], s)
	if cap(b) <= maxBody {
		r.body = b
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", dialect.ErrUnrenderable, err)
	}
	return bytes.Clone(b), nil
}

// maxBody is the largest body, in bytes, whose room a reader keeps for its next use. A
// body grows to several times its payload where a vendor writes each field that has no
// value, so it is written where there is room, and copied once its length is known.
const maxBody = 64 << 10

// open reads the payload's frame. It goes into the data on its way, so that the greatest
// part of a payload is not read twice. Of members with one name the last counts.
func (s *Source) open() error {
	r, text := s.reader, Value(s.Payload).trim()
	if text.kind() != '{' {
		return errNotObject
	}
	if err := r.begin(text); err != nil {
		return err
	}
	var happened Value
	wrong := errNotObject // with the data: so far there is none
	for r.dec.PeekKind() != '}' {
		name, err := r.name(text)
		if err != nil {
			return err
		}
		if string(name) == "data" {
			wrong = s.openData(text)
			continue
		}
		value, err := r.value(text)
		if err != nil {
			return err
		}
		if string(name) == "timestamp" {
			happened = value
		}
	}
	if wrong != nil {
		return at("data", wrong)
	}
	return s.setTime(happened)
}

// openData reads the data, which comes next.
func (s *Source) openData(text Value) (err error) {
	if s.reader.dec.PeekKind() != '{' {
		if _, err = s.reader.value(text); err == nil {
			err = errNotObject
		}
		return err
	}
	if err = s.reader.token(); err != nil {
		return err
	}
	if s.Data, err = s.reader.rest(text, true); err != nil {
		return err
	}
	return s.reader.token()
}

// setTime reads the payload's timestamp, which may be missing.
func (s *Source) setTime(v Value) (err error) {
	if v.none() {
		return nil
	}
	if s.At, err = v.time(); err != nil {
		return at("timestamp", err)
	}
	return nil
}

// trim is the value without space around it, which is what JSON calls space.
func (v Value) trim() Value { return bytes.Trim(v, " \t\r\n") }

// Translate replaces the data by what a form makes of it: how a neighbour's words are
// said in those that a dialect knows.
func (s *Source) Translate(f *Form) error {
	text, err := f.Append(nil, s.Data, s)
	if err != nil {
		return err
	}
	s.Data, err = s.reader.object(text)
	return err
}

// Fixed makes a text that is always the same.
func Fixed(text string) Maker {
	quoted := string(AppendQuote(nil, text))
	return Maker{
		Says:   "always " + quoted,
		Append: func(b []byte, _ *Source) []byte { return append(b, quoted...) },
	}
}

// Word makes the dialect's own name for what happened.
func Word() Maker {
	return Maker{
		Says:   "the event type in the vendor's words",
		Append: func(b []byte, s *Source) []byte { return AppendQuote(b, s.Word) },
	}
}

// Tenant makes what the app is called in vendors' ids of organizations.
func Tenant() Maker { return Maker{Says: "the app's uid, else its id", Append: appendTenant} }

func appendTenant(b []byte, s *Source) []byte {
	if s.Tenant == "" {
		return b
	}
	return AppendQuote(b, s.Tenant)
}

// NumberTenant is Tenant, as a number if it is one.
func NumberTenant() Maker {
	return Maker{Says: "the app's uid, else its id", Append: func(b []byte, s *Source) []byte {
		if plainNumber([]byte(s.Tenant)) {
			return append(b, s.Tenant...)
		}
		return appendTenant(b, s)
	}}
}

// AtSeconds makes the time at which it happened, to the second.
func AtSeconds() Maker { return atMaker(secondsForm) }

// AtMillis makes the time at which it happened, with three decimals.
func AtMillis() Maker { return atMaker(millisForm) }

func atMaker(form string) Maker {
	return Maker{Says: "when it happened", Append: func(b []byte, s *Source) []byte { return appendTime(b, s.At.UTC(), form) }}
}

// Object reads a member of the data that has to be an object.
func (s *Source) Object(name string) (Object, error) {
	o, err := s.reader.object(s.Data.Get(name))
	if err != nil {
		return nil, at(name, err)
	}
	return o, nil
}

// Find finds a value in the data by its path.
func (s *Source) Find(name string, path ...string) (Value, error) {
	v := s.Data.Get(name)
	for _, inner := range path {
		if v.none() {
			return nil, nil
		}
		var err error
		if v, err = s.reader.member(v, inner); err != nil {
			return nil, err
		}
	}
	return v, nil
}
