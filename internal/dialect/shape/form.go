package shape

import (
	"errors"
	"slices"
	"strings"
)

// Field is one member of a vendor's object.
type Field struct {
	// Key is what the vendor calls it.
	Key string
	// From is what Callboard calls it; "" = the same. It may be a path such as
	// conversation.customer.email, and several with a | between: the first that has a
	// value counts. What is read goes to the first, if that is no path.
	From string
	// As is the form of the value.
	As Kind
	// Else gives the value where Callboard's data has none; the zero Maker = none.
	Else Maker
	// Make gives the value of a field that comes from the message and not its data;
	// From and Else are then not used. What Make writes is not read back.
	Make Maker
	// Optional: left out where there is no value, even if the form writes null.
	Optional bool
	// Choice says why a field is as it is if the vendor's pages do not; "" = documented.
	Choice string
}

// Maker makes a value that follows from the message.
type Maker struct {
	// Says tells people what the value is, such as "the message's id".
	Says string
	// Append writes it; it returns b as it was if there is none.
	Append func(b []byte, s *Source) []byte
}

// Absent says how a form writes a field that has no value. A list is always [].
type Absent uint8

// The ways.
const (
	Omit Absent = iota
	Null
)

// Form is how one of a vendor's objects looks. It does not change once it is made.
type Form struct {
	name   string
	absent Absent
	fields []field
	// passes lists what Callboard knows and this vendor does not: of the members without
	// a field these are left out and others pass. nil = none passes.
	passes map[string]bool
}

// field is a Field as it is used.
type field struct {
	Field
	lead string     // the key as it is written, with its quotes and colon
	from [][]string // the paths of From
	into string     // From's first name
}

// New makes a form; name is what the object is called in documents.
func New(name string, absent Absent, fields ...Field) *Form {
	f := &Form{name: name, absent: absent}
	for _, one := range fields {
		compiled := field{Field: one, lead: string(AppendQuote(nil, one.Key)) + ":"}
		for path := range strings.SplitSeq(one.From, "|") {
			if path == "" {
				path = one.Key
			}
			compiled.from = append(compiled.from, strings.Split(path, "."))
		}
		compiled.into = compiled.from[0][0]
		f.fields = append(f.fields, compiled)
	}
	return f
}

// NewNesting makes a form that may hold itself.
func NewNesting(name string, absent Absent, fields func(self *Form) []Field) *Form {
	f := &Form{}
	*f = *New(name, absent, fields(f)...)
	return f
}

// Passing is the form with members that it has no field for passing as they are, both
// ways, but for those that are Callboard's own names of something else.
func (f *Form) Passing(but ...string) *Form {
	g := *f
	g.passes = map[string]bool{}
	for _, name := range but {
		g.passes[name] = true
	}
	return &g
}

// Append writes the vendor's object from Callboard's. An error names the member, by
// the vendor's key, and quotes no value.
func (f *Form) Append(b []byte, o Object, s *Source) ([]byte, error) {
	b = append(b, '{')
	open := len(b)
	var err error
	for i := range f.fields {
		if b, err = f.appendField(b, &f.fields[i], o, s, open); err != nil {
			return b, err
		}
	}
	if f.passes != nil {
		b = f.appendRest(b, o, open)
	}
	return append(b, '}'), nil
}

// appendText writes the vendor's object from the text of Callboard's.
func (f *Form) appendText(b []byte, v Value, s *Source) ([]byte, error) {
	mark := s.reader.mark()
	defer s.reader.release(mark)
	o, err := s.reader.object(v)
	if err != nil {
		return b, err
	}
	return f.Append(b, o, s)
}

func (f *Form) appendField(b []byte, one *field, o Object, s *Source, open int) ([]byte, error) {
	begin := len(b)
	if begin > open {
		b = append(b, ',')
	}
	b = append(b, one.lead...)
	empty := len(b)
	var err error
	if b, err = one.append(b, o, s); err != nil {
		return b, at(one.Key, err)
	}
	switch {
	case len(b) > empty && string(b[empty:]) != "null":
		return b, nil
	case one.As.list && !one.Optional:
		return append(b[:empty], "[]"...), nil
	case f.absent == Null && !one.Optional:
		return append(b[:empty], "null"...), nil
	}
	return b[:begin], nil
}

// append writes a field's value; nothing if it has none.
func (one *field) append(b []byte, o Object, s *Source) ([]byte, error) {
	switch {
	case one.Make.Append != nil:
		return one.Make.Append(b, s), nil
	case one.As.gather:
		return one.As.form.Append(b, o, s)
	}
	v, err := one.find(o, s)
	switch {
	case err != nil:
		return b, err
	case !v.none():
		return one.As.out(b, v, s)
	case one.Else.Append != nil:
		return one.Else.Append(b, s), nil
	}
	return b, nil
}

// find finds the value of a field in Callboard's object.
func (one *field) find(o Object, s *Source) (Value, error) {
	for _, path := range one.from {
		v := o.Get(path[0])
		for _, name := range path[1:] {
			if v.none() {
				break
			}
			inner, err := s.reader.member(v, name)
			if err != nil {
				return nil, err
			}
			v = inner
		}
		if !v.none() {
			return v, nil
		}
	}
	return nil, nil
}

// member reads one member of an object, or of the first object in an array; what is
// neither has none.
func (r *reader) member(v Value, name string) (Value, error) {
	if v.kind() == '[' {
		elements, err := r.elements(v)
		if err != nil || len(elements) == 0 {
			return nil, err
		}
		v = elements[0]
	}
	if v.kind() != '{' {
		return nil, nil
	}
	mark := r.mark()
	defer r.release(mark)
	o, err := r.object(v)
	return o.Get(name), err
}

// appendRest writes the members that no field takes, as they are.
func (f *Form) appendRest(b []byte, o Object, open int) []byte {
	for i := range o {
		if f.passes[string(o[i].name)] || f.takes(o[i].name) {
			continue
		}
		if len(b) > open {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, o[i].name...)
		b = append(b, '"', ':')
		b = append(b, o[i].value...)
	}
	return b
}

func (f *Form) takes(name []byte) bool {
	return slices.ContainsFunc(f.fields, func(one field) bool {
		return slices.ContainsFunc(one.from, func(path []string) bool { return path[0] == string(name) })
	})
}

// Read writes Callboard's object from the text of the vendor's, which must be valid:
// every member under Callboard's name, those that the form does not know under their
// own, but none of those in drop. It never refuses a value: one that does not fit goes
// through as it came.
func (f *Form) Read(b []byte, text Value, drop ...string) ([]byte, error) {
	r := readers.Get().(*reader)
	defer r.putBack()
	return f.read(b, text, r, drop...)
}

func (f *Form) read(b []byte, text Value, r *reader, drop ...string) ([]byte, error) {
	if text.kind() != '{' { // what should be an object and is none goes through
		return append(b, text...), nil
	}
	mark := r.mark()
	defer r.release(mark)
	o, err := r.object(text)
	if err != nil {
		return b, err
	}
	b = append(b, '{')
	open := len(b)
	for i := range o {
		if slices.Contains(drop, string(o[i].name)) {
			continue
		}
		if len(b) > open {
			b = append(b, ',')
		}
		if b, err = f.readMember(b, &o[i], r); err != nil {
			return b, at(string(o[i].name), err)
		}
	}
	return append(b, '}'), nil
}

func (f *Form) readMember(b []byte, m *member, r *reader) ([]byte, error) {
	for i := range f.fields {
		one := &f.fields[i]
		if one.Make.Append != nil || one.As.gather || one.Key != string(m.name) || len(one.from[0]) > 1 {
			continue
		}
		b = AppendQuote(b, one.into)
		b = append(b, ':')
		if m.value.none() {
			return append(b, "null"...), nil
		}
		return one.As.in(b, m.value, r)
	}
	b = append(b, '"')
	b = append(b, m.name...)
	b = append(b, '"', ':')
	return append(b, m.value...), nil
}

// Error says what is wrong with a member; it quotes no value.
type Error struct {
	Path string // such as event.startDate, in the words of who is to mend it
	Err  error
}

// Error gives both.
func (e *Error) Error() string { return e.Path + " " + e.Err.Error() }

// Unwrap gives what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// at puts a name before the path of an error.
func at(name string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Path: name + "." + e.Path, Err: e.Err}
	}
	return &Error{Path: name, Err: err}
}
