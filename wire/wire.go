// Package wire holds what the payloads of all vendors have in common. The packages
// below it, one for each vendor, have the payloads themselves.
//
// Three rules hold for all of them. A payload that was read and is written again
// loses nothing: fields that this package's version does not know are kept, in
// [Fields], and written after those it knows; where null, empty and absent differ in
// meaning, [Members] remembers which it was. Reading is lenient where the vendors'
// documents disagree with each other or with what is really sent: an id may be a
// string or a number ([ID]), a time may have any of the usual forms. And each package
// has the functions Decode and Encode for the body of a request: both want the members
// that no body may lack, and Encode escapes nothing that JSON does not ask for.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Fields are the members of a JSON object that a struct has no field for, in the
// order in which they came.
type Fields []Field

// Field is one member of a JSON object.
type Field struct {
	Name  string
	Value json.RawMessage // as it came
}

// Get finds a member by its name; nil if there is none.
func (f Fields) Get(name string) json.RawMessage {
	for i := range f {
		if f[i].Name == name {
			return f[i].Value
		}
	}
	return nil
}

// errNotObject is what is wrong with a payload that is something else.
var errNotObject = errors.New("is not a JSON object")

// Unmarshal reads a JSON object into a struct, and what the struct has no field for
// into rest; both are emptied first, and rest may be a field of the struct. A field
// takes the member that its json tag names, letter for letter: unlike package
// encoding/json, which takes "ACTION" for "action". A field that is tagged "-" takes
// none. null leaves a field zero.
//
// It is called by the UnmarshalJSON of payload types that do not tell null from absent;
// for those that do, see [Members]. into is a pointer to a struct; an UnmarshalJSON of
// its own type is not called. An error names the member.
func Unmarshal(data []byte, into any, rest *Fields) error {
	return unmarshal(data, reflect.ValueOf(into).Elem(), rest, nil)
}

// unmarshal reads a JSON object into a struct, and adds to came, unless that is nil,
// the members that have a field, as they came.
func unmarshal(data []byte, into reflect.Value, rest *Fields, came Members) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return errNotObject
	}
	into.SetZero()
	*rest = nil
	fields := fieldsOf(into)
	met := map[string]int{} // where a member stands in rest; the last of two counts
	for dec.More() {
		name, value, err := nextMember(dec)
		if err != nil {
			return err
		}
		if field, known := find(fields, name); known {
			if came != nil {
				came[name] = value
			}
			if err := field.set(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if at, again := met[name]; again {
			(*rest)[at].Value = value
			continue
		}
		met[name] = len(*rest)
		*rest = append(*rest, Field{Name: name, Value: value})
	}
	return nil
}

// nextMember reads the next member of the object that a decoder is in.
func nextMember(dec *json.Decoder) (name string, value json.RawMessage, err error) {
	token, err := dec.Token()
	if err != nil {
		return "", nil, err
	}
	name, _ = token.(string) // inside of an object it is one
	if err := dec.Decode(&value); err != nil {
		return "", nil, fmt.Errorf("%s: %w", name, err)
	}
	return name, value, nil
}

// plain makes an error of package encoding/json short: the member is named already.
func plain(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return err
	}
	kind := wrong.Value
	if strings.HasPrefix(kind, "number ") { // with its digits, which stay out of the error
		kind = "number that does not fit"
	}
	if wrong.Field != "" {
		return fmt.Errorf("%s: is a %s", wrong.Field, kind)
	}
	return fmt.Errorf("is a %s", kind)
}

// Marshal writes a struct's fields in their order and what came with them after that,
// as [Members.Marshal] writes an object that was built: a field that is zero is left
// out if its tag says omitzero, else it is written, a list as [] and the rest as null.
//
// It is called by the MarshalJSON of payload types that do not tell null from absent.
func Marshal(from any, rest Fields) ([]byte, error) { return Members(nil).Marshal(from, rest) }

// MarshalValue writes a value like [json.Marshal], but escapes nothing that JSON does
// not ask for: <, > and & stay as they are.
func MarshalValue(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil // which an encoder adds
}

// structField is a field of a struct with its tag.
type structField struct {
	name     string
	omitZero bool
	value    reflect.Value
}

// fieldsOf lists a struct's fields that have a name in JSON, those of embedded
// structs in their place.
func fieldsOf(v reflect.Value) (fields []structField) {
	t := v.Type()
	fields = make([]structField, 0, t.NumField())
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		switch {
		case t.Field(i).Anonymous && name == "":
			fields = append(fields, fieldsOf(v.Field(i))...)
		case name != "" && name != "-":
			fields = append(fields, structField{name: name, omitZero: options == "omitzero", value: v.Field(i)})
		}
	}
	return fields
}

// set reads a member's value into the field.
func (f structField) set(value json.RawMessage) error {
	f.value.SetZero()
	if bytes.Equal(value, []byte("null")) {
		return nil
	}
	return plain(json.Unmarshal(value, f.value.Addr().Interface()))
}

// find finds the field of a member.
func find(fields []structField, name string) (structField, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return structField{}, false
}
