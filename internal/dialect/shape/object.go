package shape

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is one JSON value as text, without space around it. nil means that there is
// none. Texts were checked when they were taken in, so that a Value is valid JSON.
type Value []byte

// kind is the first byte of the value by which its kind is known: '{', '[', '"', 't',
// 'f', 'n', '0' for a number, 0 for none.
func (v Value) kind() byte {
	if len(v) == 0 {
		return 0
	}
	switch c := v[0]; c {
	case '-', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return '0'
	default:
		return c
	}
}

// none reports whether the value says nothing: absent or null.
func (v Value) none() bool { return len(v) == 0 || v[0] == 'n' }

// String is the text of a JSON string; "" for any other value.
func (v Value) String() string {
	if v.kind() != '"' {
		return ""
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	text, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return ""
	}
	return string(text)
}

// Object is the members of a JSON object, in their order.
type Object []member

// member is one member of an object.
type member struct {
	name  []byte // between its quotes, as it is written
	value Value
}

// Get finds a member; nil if there is none. The last of two with one name counts.
func (o Object) Get(name string) Value {
	for i := len(o) - 1; i >= 0; i-- {
		if string(o[i].name) == name {
			return o[i].value
		}
	}
	return nil
}

// errNotObject is what is wrong with a value that is to be an object and is none.
var errNotObject = errors.New("must be an object")

// reader reads objects. It keeps what it needs for that from one to the next.
type reader struct {
	dec     jsontext.Decoder
	text    bytes.Buffer
	members []member // of all objects that are being read, the innermost last
}

// fast are the checks that were made when the text was taken in.
var fast = jsontext.AllowDuplicateNames(true)

// object reads an object's members. They are kept until release is called with the
// mark that was taken before.
func (r *reader) object(text Value) (Object, error) {
	begin := len(r.members)
	err := r.each(text, '{', func(name []byte, value Value) error {
		r.members = append(r.members, member{name: name[1 : len(name)-1], value: value})
		return nil
	})
	if err != nil {
		return nil, err
	}
	end := len(r.members)
	return Object(r.members[begin:end:end]), nil
}

// mark and release bracket the use of an object's members.
func (r *reader) mark() int        { return len(r.members) }
func (r *reader) release(mark int) { r.members = r.members[:mark] }

// each calls f for each member of an object, or with no name for each element of an
// array. f must not read.
func (r *reader) each(text Value, open byte, f func(name []byte, value Value) error) error {
	if text.kind() != open {
		if open == '{' {
			return errNotObject
		}
		return errNotArray
	}
	r.text = *bytes.NewBuffer(text)
	r.dec.Reset(&r.text, fast)
	if _, err := r.dec.ReadToken(); err != nil {
		return errBroken
	}
	next := func() Value {
		v, err := r.dec.ReadValue()
		if err != nil {
			return nil
		}
		end := int(r.dec.InputOffset())
		return text[end-len(v) : end : end]
	}
	for {
		switch r.dec.PeekKind() {
		case '}', ']':
			return nil
		}
		var name Value
		if open == '{' {
			if name = next(); name == nil {
				return errBroken
			}
		}
		value := next()
		if value == nil {
			return errBroken
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
}

// What is wrong with other values.
var (
	errNotArray = errors.New("must be an array")
	errBroken   = errors.New("is not valid JSON")
)
