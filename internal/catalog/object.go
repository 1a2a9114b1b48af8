package catalog

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object that keeps the order of its members, for people read schemas
// and samples.
type object []field

type field struct {
	name  string
	value jsontext.Value
}

// errNoMember is what is wrong with a path that leads nowhere.
var errNoMember = errors.New("there is no such member")

func (o object) get(name string) (jsontext.Value, bool) {
	for _, f := range o {
		if f.name == name {
			return f.value, true
		}
	}
	return nil, false
}

// set replaces a member where it is, or adds it at the end.
func (o *object) set(name string, value jsontext.Value) {
	for i, f := range *o {
		if f.name == name {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, field{name, value})
}

// put sets the member at a path. The objects that it is in have to be there already.
func (o *object) put(path []string, value jsontext.Value) error {
	if len(path) > 1 {
		old, ok := o.get(path[0])
		if !ok {
			return errNoMember
		}
		var inner object
		if err := json.Unmarshal(old, &inner); err != nil {
			return err
		}
		if err := inner.put(path[1:], value); err != nil {
			return err
		}
		value = encode(inner)
	}
	o.set(path[0], value)
	return nil
}

// UnmarshalJSONFrom reads an object; a name that comes twice is an error.
func (o *object) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if start, err := dec.ReadToken(); err != nil {
		return err
	} else if start.Kind() != '{' {
		return errors.New("is not an object")
	}
	*o = object{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*o = append(*o, field{key, value.Clone()})
	}
	_, err := dec.ReadToken()
	return err
}

// MarshalJSONTo writes the members in their order.
func (o object) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, f := range o {
		if err := enc.WriteToken(jsontext.String(f.name)); err != nil {
			return err
		}
		if err := enc.WriteValue(f.value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}
