package live

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object that keeps the order of its members, and each value as it was
// written but for space: what people gave comes back as they gave it.
type object []member

type member struct {
	name  string
	value value
}

// value is a JSON value without space between its parts. nil = it is absent.
type value = jsontext.Value

// maxDepth is how deep data may be nested. Merging costs its depth times its length.
const maxDepth = 64

// parse reads a JSON object. It reports false for anything else, for names that come
// twice at any depth, for numbers that no reader can hold, and for what is nested deeper
// than anybody means.
func parse(data []byte) (object, bool) {
	whole := value(bytes.Clone(data))
	if !whole.IsValid() || whole.Compact() != nil || whole.Kind() != '{' || !readable(whole) {
		return nil, false
	}
	return members(whole), true
}

// readable reports whether a float64 holds every number in a value, and it is not nested
// too deep.
func readable(v value) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return true // the end: the value was read before
		}
		if dec.StackDepth() > maxDepth {
			return false
		}
		if token.Kind() == '0' {
			if _, err := strconv.ParseFloat(token.String(), 64); err != nil {
				return false
			}
		}
	}
}

// members are those of a value that was checked; nil if it is no object.
func members(v value) object {
	if v.Kind() != '{' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	_, _ = dec.ReadToken()
	o := object{}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			break
		}
		key := name.String()
		val, err := dec.ReadValue()
		if err != nil {
			break
		}
		o = append(o, member{key, val.Clone()})
	}
	return o
}

// items are those of a value that was checked; nil if it is no array.
func items(v value) []value {
	if v.Kind() != '[' {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	_, _ = dec.ReadToken()
	list := []value{}
	for dec.PeekKind() != ']' {
		item, err := dec.ReadValue()
		if err != nil {
			break
		}
		list = append(list, item.Clone())
	}
	return list
}

// encode writes the object without space.
func (o object) encode() value {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name) // the name was read before: it is UTF-8
		b = append(b, ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// array writes values without space.
func array(list []value) value {
	return slices.Concat([]byte{'['}, bytes.Join(asBytes(list), []byte{','}), []byte{']'})
}

func asBytes(list []value) [][]byte {
	raw := make([][]byte, len(list))
	for i, v := range list {
		raw[i] = v
	}
	return raw
}

// get gives a member's value; nil if it is absent or null.
func (o object) get(name string) value {
	for _, m := range o {
		if m.name == name && m.value.Kind() != 'n' {
			return m.value
		}
	}
	return nil
}

// object gives the members of a member that is an object; nil if it is none.
func (o object) object(name string) object { return members(o.get(name)) }

// text gives the text of a member that is a string; "" if it is none.
func (o object) text(name string) string { return text(o.get(name)) }

// time gives the time in a member; zero if there is none.
func (o object) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		return time.Time{}
	}
	return instant(t)
}

// set puts a value where the member is, or at the end.
func (o *object) set(name string, v value) {
	for i := range *o {
		if (*o)[i].name == name {
			(*o)[i].value = v
			return
		}
	}
	*o = append(*o, member{name, v})
}

// add sets a member unless the value is absent.
func (o *object) add(name string, v value) {
	if v != nil {
		o.set(name, v)
	}
}

// fill adds a member that the object does not have.
func (o *object) fill(name string, v value) {
	if o.get(name) == nil {
		o.add(name, v)
	}
}

// first puts a member at the very beginning.
func (o *object) first(name string, v value) {
	o.remove(name)
	*o = slices.Insert(*o, 0, member{name, v})
}

// remove takes members out.
func (o *object) remove(names ...string) {
	*o = slices.DeleteFunc(*o, func(m member) bool { return slices.Contains(names, m.name) })
}

// without is a copy that lacks members.
func (o object) without(names ...string) object {
	rest := slices.Clone(o)
	rest.remove(names...)
	return rest
}

// merge is the object with a patch applied as RFC 7396 says: null clears a member,
// objects are merged member by member, everything else is replaced. Members stay where
// they are, new ones come at the end.
func (o object) merge(patch object) object {
	merged := slices.Clone(o)
	for _, m := range patch {
		switch m.value.Kind() {
		case 'n':
			merged.remove(m.name)
		case '{':
			merged.set(m.name, merged.object(m.name).merge(members(m.value)).encode())
		default:
			merged.set(m.name, m.value)
		}
	}
	return merged
}

// same reports whether two values say the same, whatever the order of members.
func same(a, b value) bool {
	switch {
	case a == nil || b == nil:
		return a == nil && b == nil
	case a.Kind() != b.Kind():
		return false
	case a.Kind() == '{':
		return sameMembers(members(a), members(b))
	case a.Kind() == '[':
		return slices.EqualFunc(items(a), items(b), same)
	case a.Kind() == '"':
		return text(a) == text(b)
	}
	return bytes.Equal(a, b)
}

func sameMembers(a, b object) bool {
	if len(a) != len(b) {
		return false
	}
	for _, m := range a {
		i := slices.IndexFunc(b, func(other member) bool { return other.name == m.name })
		if i < 0 || !same(m.value, b[i].value) {
			return false
		}
	}
	return true
}

// text is the text of a string; "" for any other value.
func text(v value) string {
	if v.Kind() != '"' {
		return ""
	}
	if plain := v[1 : len(v)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	s, _ := jsontext.AppendUnquote(nil, v)
	return string(s)
}

// quote writes a text as JSON.
func quote(s string) value {
	b, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return b
}

// number writes a whole number as JSON.
func number(n int64) value { return strconv.AppendInt(nil, n, 10) }

// moment writes a time as JSON, with three decimals.
func moment(t time.Time) value { return quote(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// instant is a time as rows keep it: UTC, to the microsecond.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// state reads what was kept beside a row. It is our own writing, so what cannot be read
// is a defect, and counts as nothing.
func state[T any](row Row) T {
	var s T
	if len(row.State) > 0 {
		_ = json.Unmarshal(row.State, &s)
	}
	return s
}

// keep writes what is kept beside a row.
func keep(s any) []byte {
	b, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		panic("live: encode state: " + err.Error()) // plain structs always can be
	}
	return b
}

// document reads a row's Doc, which is our own writing.
func document(row Row) object { return members(row.Doc) }
