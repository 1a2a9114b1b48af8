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
	// InData: From is looked for in the message's data, beside the object that the form
	// writes, and not in that object.
	InData bool
	// If says whether the field has a value at all; nil = it may always have one.
	If func(s *Source) bool
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
	OmitEmpty // Omit, where an empty text has no value, either
)

// Form is how one of a vendor's objects looks. It does not change once it is made.
type Form struct {
	name   string
	absent Absent
	fields []field
	// passes lists what Callboard knows and this vendor does not: of the members without
	// a field these are left out and others pass. nil = none passes.
	passes map[string]bool
	names  map[string]bool          // of the fields, in either's words: no member of these passes
	again  func(self *Form) []Field // makes the fields of a form that may hold itself
}

// field is a Field as it is used.
type field struct {
	Field
	lead string     // the key as it is written, with its quotes and colon
	from [][]string // the paths of From
	into string     // From's first name
	some bool       // an empty text is no value
	// spelled: the value may stand under the vendor's own key.
	spelled bool
}

// none reports whether a value of Callboard's is none for the field.
func (one *field) none(v Value) bool {
	return v.none() || one.some && len(v) == len(`""`) && v[0] == '"'
}

// New makes a form; name is what the object is called in documents.
func New(name string, absent Absent, fields ...Field) *Form {
	f := &Form{name: name, absent: absent, names: map[string]bool{}}
	for _, one := range fields {
		f.names[one.Key] = true
		compiled := field{Field: one, lead: string(AppendQuote(nil, one.Key)) + ":", some: absent == OmitEmpty}
		for path := range strings.SplitSeq(one.From, "|") {
			if path == "" {
				path = one.Key
			}
			steps := strings.Split(path, ".")
			compiled.from = append(compiled.from, steps)
			f.names[steps[0]] = true
		}
		compiled.into = compiled.from[0][0]
		f.fields = append(f.fields, compiled)
	}
	return f
}

// NewNesting makes a form that may hold itself.
func NewNesting(name string, absent Absent, fields func(self *Form) []Field) *Form {
	f := &Form{}
	f.nest(name, absent, fields)
	return f
}

func (f *Form) nest(name string, absent Absent, fields func(self *Form) []Field) {
	*f = *New(name, absent, fields(f)...)
	f.again = fields
}

// Passing is the form with members that it has no field for passing as they are, both
// ways, but for those that are Callboard's own names of something else. A member that is
// spelled as one of the vendor's keys is that field's value where there is no other: it
// would otherwise stand there twice.
func (f *Form) Passing(but ...string) *Form {
	g := &Form{}
	if f.again == nil {
		*g = *f
		g.fields = slices.Clone(f.fields)
	} else { // what it holds of its own kind passes as well
		g.nest(f.name, f.absent, f.again)
	}
	g.passes = map[string]bool{}
	for _, name := range but {
		g.passes[name] = true
	}
	for i := range g.fields {
		one := &g.fields[i]
		one.spelled = !one.InData && one.into != one.Key && !g.reads(one.Key)
	}
	return g
}

// reads reports whether a member of Callboard's object is the value of a field, or has
// it inside.
func (f *Form) reads(name string) bool {
	return slices.ContainsFunc(f.fields, func(one field) bool {
		return slices.ContainsFunc(one.from, func(path []string) bool { return path[0] == name })
	})
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
	defer s.reader.leave()
	if !s.reader.enter() {
		return b, errDeep
	}
	defer s.reader.release(s.reader.mark())
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
	case one.If != nil && !one.If(s):
		return b, nil
	case one.Make.Append != nil:
		return one.Make.Append(b, s), nil
	case one.As.gather:
		return one.As.gathered(b, o, s)
	}
	v, err := one.find(o, s)
	switch {
	case err != nil:
		return b, err
	case !one.none(v):
		return one.As.out(b, v, s)
	case one.spelled && !one.none(o.Get(one.Key)):
		return one.appendSpelled(b, o.Get(one.Key), s), nil
	case one.Else.Append != nil:
		return one.Else.Append(b, s), nil
	}
	return b, nil
}

// find finds the value of a field in Callboard's object.
func (one *field) find(o Object, s *Source) (Value, error) {
	if one.InData {
		o = s.Data
	}
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
		if !one.none(v) {
			return v, nil
		}
	}
	return nil, nil
}

// appendSpelled writes the value that stands under the vendor's own key. The catalogue
// does not know that member, so nobody has looked at it: one that does not fit passes as
// it is, like any other unknown member, and does not end the delivery.
func (one *field) appendSpelled(b []byte, v Value, s *Source) []byte {
	if written, err := one.As.out(b, v, s); err == nil {
		return written
	}
	return append(b, compact(v)...)
}

// member reads one member of an object, or of the first object in an array; what is
// neither has none.
func (r *reader) member(v Value, name string) (Value, error) {
	if v.kind() == '[' {
		var err error
		if v, err = r.first(v); err != nil {
			return nil, err
		}
	}
	if v.kind() != '{' {
		return nil, nil
	}
	defer r.release(r.mark())
	o, err := r.object(v)
	return o.Get(name), err
}

// appendRest writes the members that no field takes, as they are.
func (f *Form) appendRest(b []byte, o Object, open int) []byte {
	for i := range o {
		if f.passes[string(o[i].name)] || f.names[string(o[i].name)] {
			continue
		}
		if len(b) > open {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, o[i].name...)
		b = append(b, '"', ':')
		b = append(b, compact(o[i].value)...)
	}
	return b
}

// Read writes Callboard's object from the text of the vendor's, which must be valid:
// every member under Callboard's name, those that the form does not know under their
// own, but none of those in drop. It never refuses a value: one that does not fit goes
// through as it came.
func (f *Form) Read(b []byte, text Value, drop ...string) ([]byte, error) {
	r := readers.Get().(*reader)
	defer r.putBack()
	return f.read(b, text.trim(), r, drop...)
}

func (f *Form) read(b []byte, text Value, r *reader, drop ...string) ([]byte, error) {
	defer r.leave()
	if !r.enter() || text.kind() != '{' { // what should be an object and is none goes through
		return append(b, text...), nil
	}
	defer r.release(r.mark())
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
