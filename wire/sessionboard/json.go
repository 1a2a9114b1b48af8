package sessionboard

import (
	"errors"

	"github.com/callboard/callboard/wire"
)

// maxDepth is how deep a payload may be nested. Each object is scanned again for each
// object that it is in, so that without a limit a small body of sessions in sessions
// would keep the reader busy for minutes.
const maxDepth = 32

var errTooDeep = errors.New("is nested more than 32 levels deep")

// read reads a JSON object into a struct, what that has no field for into unknown, and
// remembers in members which members the object had.
func read(data []byte, members *wire.Members, into any, unknown *wire.Fields) error {
	if depth(data) > maxDepth {
		return errTooDeep
	}
	return members.Unmarshal(data, into, unknown)
}

// depth counts the levels of a JSON text.
func depth(data []byte) (deepest int) {
	level, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++ // what it escapes does not end the text
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// ResourceID is the session's id.
func (s *Session) ResourceID() wire.ID { return s.ID }

// ResourceID is the contact's id.
func (c *Contact) ResourceID() wire.ID { return c.ID }

// ResourceID is the exhibitor's id.
func (e *Exhibitor) ResourceID() wire.ID { return e.ID }

// ResourceID is the sponsor's id.
func (s *Sponsor) ResourceID() wire.ID { return s.ID }

// ResourceID is the resource's id.
func (o *Other) ResourceID() wire.ID { return o.ID }

// Source is the session's sourceOfChange.
func (s *Session) Source() SourceOfChange { return s.SourceOfChange }

// Source is the contact's sourceOfChange.
func (c *Contact) Source() SourceOfChange { return c.SourceOfChange }

// Source is the exhibitor's sourceOfChange.
func (e *Exhibitor) Source() SourceOfChange { return e.SourceOfChange }

// Source is the sponsor's sourceOfChange.
func (s *Sponsor) Source() SourceOfChange { return s.SourceOfChange }

// Source is the resource's sourceOfChange.
func (o *Other) Source() SourceOfChange { return o.SourceOfChange }

func (s *Session) unknown() wire.Fields   { return s.Unknown }
func (c *Contact) unknown() wire.Fields   { return c.Unknown }
func (e *Exhibitor) unknown() wire.Fields { return e.Unknown }
func (s *Sponsor) unknown() wire.Fields   { return s.Unknown }
func (o *Other) unknown() wire.Fields     { return o.Unknown }

// UnmarshalJSON reads a JSON object.
func (m *Metadata) UnmarshalJSON(data []byte) error { return read(data, &m.Read, m, &m.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (m Metadata) MarshalJSON() ([]byte, error) { return m.Read.Marshal(m, m.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (m *Metadata) Has(name string) bool { return m.Read.Has(name, m, m.Unknown) }

// UnmarshalJSON reads a JSON object.
func (s *Session) UnmarshalJSON(data []byte) error { return read(data, &s.Read, s, &s.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s Session) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (s *Session) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// UnmarshalJSON reads a JSON object.
func (t *Term) UnmarshalJSON(data []byte) error { return read(data, &t.Read, t, &t.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (t Term) MarshalJSON() ([]byte, error) { return t.Read.Marshal(t, t.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (t *Term) Has(name string) bool { return t.Read.Has(name, t, t.Unknown) }

// UnmarshalJSON reads a JSON object.
func (p *Participant) UnmarshalJSON(data []byte) error { return read(data, &p.Read, p, &p.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (p Participant) MarshalJSON() ([]byte, error) { return p.Read.Marshal(p, p.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (p *Participant) Has(name string) bool { return p.Read.Has(name, p, p.Unknown) }

// UnmarshalJSON reads a JSON object.
func (p *ParticipantRole) UnmarshalJSON(data []byte) error { return read(data, &p.Read, p, &p.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (p ParticipantRole) MarshalJSON() ([]byte, error) { return p.Read.Marshal(p, p.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (p *ParticipantRole) Has(name string) bool { return p.Read.Has(name, p, p.Unknown) }

// UnmarshalJSON reads a JSON object.
func (c *Contact) UnmarshalJSON(data []byte) error { return read(data, &c.Read, c, &c.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (c Contact) MarshalJSON() ([]byte, error) { return c.Read.Marshal(c, c.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (c *Contact) Has(name string) bool { return c.Read.Has(name, c, c.Unknown) }

// UnmarshalJSON reads a JSON object.
func (s *Sponsor) UnmarshalJSON(data []byte) error { return read(data, &s.Read, s, &s.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s Sponsor) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (s *Sponsor) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// UnmarshalJSON reads a JSON object.
func (e *Exhibitor) UnmarshalJSON(data []byte) error { return read(data, &e.Read, e, &e.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (e Exhibitor) MarshalJSON() ([]byte, error) { return e.Read.Marshal(e, e.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (e *Exhibitor) Has(name string) bool { return e.Read.Has(name, e, e.Unknown) }

// UnmarshalJSON reads a JSON object.
func (o *Other) UnmarshalJSON(data []byte) error { return read(data, &o.Read, o, &o.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (o Other) MarshalJSON() ([]byte, error) { return o.Read.Marshal(o, o.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is written.
func (o *Other) Has(name string) bool { return o.Read.Has(name, o, o.Unknown) }
