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
	name  []byte // between its quotes, with no escapes but those that JSON asks for
	value Value
}

// Get finds a member by a name that JSON writes without escapes; nil if there is none.
// The last of two with one name counts.
func (o Object) Get(name string) Value {
	for n := len(o); n > 0; n-- {
		if string(o[n-1].name) == name {
			return o[n-1].value
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
	depth   int      // of forms within forms
	body    []byte   // room in which a body is written
}

// fast are the checks that were made when the text was taken in.
var fast = jsontext.AllowDuplicateNames(true)

// object reads an object's members. They are kept until release is called with the
// mark that was taken before.
func (r *reader) object(text Value) (Object, error) {
	if text.kind() != '{' {
		return nil, errNotObject
	}
	return r.parts(text)
}

// elements reads an array's elements, like members without names.
func (r *reader) elements(text Value) (Object, error) {
	if text.kind() != '[' {
		return nil, errNotArray
	}
	return r.parts(text)
}

// first reads the first element of an array; nil if there is none.
func (r *reader) first(text Value) (Value, error) {
	defer r.release(r.mark())
	elements, err := r.elements(text)
	if err != nil || len(elements) == 0 {
		return nil, err
	}
	return elements[0].value, nil
}

// maxDepth is how deep forms may stand within forms, as sessions in sessions do: since
// each level reads again what is below it, payloads that are nested for its own sake
// would take time by the square of their size.
const maxDepth = 64

// enter and leave bracket the use of a form within a form; enter reports whether that is
// not too deep.
func (r *reader) enter() bool {
	r.depth++
	return r.depth <= maxDepth
}

func (r *reader) leave() { r.depth-- }

// mark and release bracket the use of an object's members, or an array's elements.
func (r *reader) mark() int        { return len(r.members) }
func (r *reader) release(mark int) { r.members = r.members[:mark] }

// parts reads what an object or an array consists of.
func (r *reader) parts(text Value) (Object, error) {
	if err := r.begin(text); err != nil {
		return nil, err
	}
	return r.rest(text, text.kind() == '{')
}

// begin goes into an object or array.
func (r *reader) begin(text Value) error {
	r.text = *bytes.NewBuffer(text)
	r.dec.Reset(&r.text, fast)
	return r.token()
}

// token goes over a bracket.
func (r *reader) token() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return errBroken
	}
	return nil
}

// rest reads the members or elements up to the bracket that closes the object or array.
func (r *reader) rest(text Value, named bool) (Object, error) {
	begin := len(r.members)
	for {
		if kind := r.dec.PeekKind(); kind == '}' || kind == ']' {
			end := len(r.members)
			return Object(r.members[begin:end:end]), nil
		}
		var m member
		if named {
			var err error
			if m.name, err = r.name(text); err != nil {
				return nil, err
			}
		}
		var err error
		if m.value, err = r.value(text); err != nil {
			return nil, err
		}
		r.members = append(r.members, m)
	}
}

// name reads the name of the next member.
func (r *reader) name(text Value) ([]byte, error) {
	name, err := r.value(text)
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		name = name.plain() // so that there is one spelling to compare with
	}
	return name[1 : len(name)-1], nil
}

// value reads the next value, as a part of the text that is being read.
func (r *reader) value(text Value) (Value, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, errBroken
	}
	end := int(r.dec.InputOffset())
	return text[end-len(v) : end : end], nil
}

// What is wrong with other values.
var (
	errNotArray = errors.New("must be an array")
	errBroken   = errors.New("is not valid JSON")
	errDeep     = errors.New("is nested too deeply")
)
