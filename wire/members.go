package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Members remembers which members a JSON object had when it was read, so that it can
// be written with exactly these again: null stays null, "" stays "", and what was
// absent stays absent. A payload type of which that matters has one in a field
//
//	Read wire.Members `json:"-"`
//
// and three methods, each a call of the method here:
//
//	func (s *Session) UnmarshalJSON(data []byte) error { return s.Read.Unmarshal(data, s, &s.Unknown) }
//	func (s Session) MarshalJSON() ([]byte, error)     { return s.Read.Marshal(s, s.Unknown) }
//	func (s *Session) Has(name string) bool            { return s.Read.Has(name, s, s.Unknown) }
//
// nil is the memory of an object that was built in Go: it is written with all of its
// documented members. An object that was read and is to be written like one that was
// built gets nil for its Read. The memory of an empty object is empty and not nil.
//
// The keys are the names of the members that have a field. The value is how the member
// was written if it left the field at zero, such as null or "", and nil otherwise. A
// memory does not change after reading: copies of an object share it.
//
// Pointers in place of plain fields would tell null from "", but not null from absent,
// and every reader of a payload would pay for it.
type Members map[string]json.RawMessage

// Unmarshal reads a JSON object into a struct and what has no field into unknown, by
// the rules of the function [Unmarshal], and remembers the object's members. m, too,
// may be a field of the struct.
func (m *Members) Unmarshal(data []byte, into any, unknown *Fields) error {
	v := reflect.ValueOf(into).Elem()
	came := Members{}
	if err := unmarshal(data, v, unknown, came); err != nil {
		return err
	}
	for _, f := range fieldsOf(v) {
		if _, had := came[f.name]; had && !f.value.IsZero() {
			came[f.name] = nil
		}
	}
	*m = came
	return nil
}

// Marshal writes a struct's fields in their order and the unknown members after them.
// A field that is set, which is one that is not zero, is always written. One that is
// not set is written
//
//   - in an object that was read: as it was read, if it was not set then either; not at
//     all, if the object did not have it; and if it has been cleared since, as in an
//     object that was built;
//   - in an object that was built: not at all, if its tag says omitzero, else as [] if
//     it is a list, and as null.
//
// A type that has a MarshalJSON decides itself what its zero value is in the place of
// [] and null. Nothing is escaped that JSON does not ask for. from is a struct or a
// pointer to one; a MarshalJSON of its own type is not called. An error names the
// member.
func (m Members) Marshal(from any, unknown Fields) ([]byte, error) {
	members, err := m.written(from, unknown)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range members {
		name, err := MarshalValue(f.Name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(f.Value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Has reports whether an object has the member of this name, spelled as in JSON, be it
// null or empty: one that was read, whether it was there then, and one that was built,
// whether it is written, for which it is written: that takes as long as Marshal. An
// object that cannot be written has none.
func (m Members) Has(name string, object any, unknown Fields) bool {
	if m != nil {
		_, had := m[name]
		return had || unknown.has(name)
	}
	members, err := m.written(object, unknown)
	return err == nil && members.has(name)
}

// written lists the members that an object is written with, their values as JSON.
func (m Members) written(from any, unknown Fields) (Fields, error) {
	fields := fieldsOf(reflect.Indirect(reflect.ValueOf(from)))
	members := make(Fields, 0, len(fields)+len(unknown))
	for _, f := range fields {
		value, err := m.text(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if value != nil {
			members = append(members, Field{Name: f.name, Value: value})
		}
	}
	for _, f := range unknown {
		value, err := MarshalValue(f.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		members = append(members, Field{Name: f.Name, Value: value})
	}
	return members, nil
}

// text is how a field is written; nil if it is left out.
func (m Members) text(f structField) (json.RawMessage, error) {
	before, had := m[f.name]
	switch {
	case !f.value.IsZero():
		return MarshalValue(f.value.Interface())
	case before != nil:
		return MarshalValue(before)
	case m != nil && !had, f.omitZero:
		return nil, nil
	}
	return unset(f.value)
}

// marshaler is the type of values that decide themselves how they are written.
var marshaler = reflect.TypeFor[json.Marshaler]()

// unset is how a value is written that is zero.
func unset(v reflect.Value) (json.RawMessage, error) {
	switch {
	case v.Type().Implements(marshaler):
		return MarshalValue(v.Interface())
	case v.Kind() == reflect.Slice:
		return json.RawMessage(`[]`), nil
	}
	return json.RawMessage(`null`), nil
}

// has reports whether there is a member of this name.
func (f Fields) has(name string) bool {
	return slices.ContainsFunc(f, func(member Field) bool { return member.Name == name })
}
