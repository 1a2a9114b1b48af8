// Package catalog holds the event types that Callboard knows by itself: what each is
// for, what its payload has, and a payload that could be real.
//
// # What is here
//
// The core types are a table in types.go, one line of members each; what the members are
// stands beside it, as JSON: schema/members.json has the members of data,
// schema/def/*.json the objects that they refer to, sample/*.json a value for each of
// them, and sample/types.json what differs from type to type. Schemas and samples are
// composed of these pieces, the same bytes each time, when somebody first asks for a
// type. Dialects add types of their own, whole.
//
// # What a schema asks for
//
// A payload is {type, timestamp, data}. A schema asks for these three, and in data for
// what a dialect cannot do without when it renders the type. All else is optional, and
// may be null, but the ids and numbers that some type asks for: an object that has them
// has them rightly. Ids are strings or numbers. Lists of values that a vendor may extend
// are told in descriptions, and never enforced. Members that no schema knows are
// accepted everywhere. Times are RFC 3339, and that is enforced, since a time that
// cannot be read would end the delivery.
//
// # Checking
//
// Check runs on each message of a catalogue type, so that a wrong payload is refused at
// the door and not found out at rendering. It names all members that are wrong, and
// repeats no value. A schema is compiled when the first payload is checked against it:
// starting costs nothing, and a type that is never used neither. Nothing in the core
// schemas refers to itself, so that what a check costs, and what its problems take up,
// is bounded by the payload's length, however deep it is nested.
//
// We refused a validator of our own, which would be faster, since the schemas that
// people read would then not be what decides; and Go structs as the source of the
// schemas, since a struct cannot say what a person needs to know of a member.
//
// A Catalog does not change after New and is safe for concurrent use.
package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// ErrUnknownType is returned by Check for a type that the catalogue does not have.
var ErrUnknownType = errors.New("event type is not of the catalogue")

// Catalog is a set of event types, told apart by their names.
type Catalog struct {
	load func() *index // composes the types once
}

// index is a catalogue whose types are composed.
type index struct {
	types  []dialect.EventType // by name
	byName map[string]*entry
}

// entry is one type with its schema, compiled once.
type entry struct {
	dialect.EventType
	compile func() (*jsonschema.Schema, error)
}

// New makes a catalogue of the core types and of those that dialects have of their own.
// Of two types with one name the first counts, and the core comes before all: a dialect
// cannot change what the others rely on.
func New(own ...dialect.EventType) *Catalog {
	own = slices.Clone(own)
	return &Catalog{load: sync.OnceValue(func() *index { return newIndex(append(core(), own...)) })}
}

// newIndex sorts the types by name. The slice becomes the index's.
func newIndex(types []dialect.EventType) *index {
	byName := func(a, b dialect.EventType) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(types, byName)
	types = slices.CompactFunc(types, func(a, b dialect.EventType) bool { return a.Name == b.Name })
	x := &index{types: types, byName: make(map[string]*entry, len(types))}
	for _, t := range types {
		x.byName[t.Name] = &entry{t, sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(t) })}
	}
	return x
}

// Types are all types, sorted by name. The slice is the caller's; the schemas and samples
// in it are shared and must not be changed.
func (c *Catalog) Types() []dialect.EventType { return slices.Clone(c.load().types) }

// Get finds a type by its name.
func (c *Catalog) Get(name string) (dialect.EventType, bool) {
	e, ok := c.load().byName[name]
	if !ok {
		return dialect.EventType{}, false
	}
	return e.EventType, true
}

// Check says what is wrong with a message's payload, a JSON object, by the schema of its
// type: every wrong member, sorted by where it is; nil if it fits. Loc is relative to the
// payload, such as ["data", "session", "id"], with indexes in decimal; Msg quotes nothing
// of the payload. Of very many problems the first MaxProblems are named. A type without a
// schema takes anything.
//
// The error is ErrUnknownType, or tells that a dialect's schema is no schema.
func (c *Catalog) Check(eventType string, payload []byte) ([]errs.Field, error) {
	e, ok := c.load().byName[eventType]
	switch {
	case !ok:
		return nil, ErrUnknownType
	case len(e.Schema) == 0:
		return nil, nil
	}
	schema, err := e.compile()
	if err != nil {
		return nil, fmt.Errorf("compile the schema of %s: %w", eventType, err)
	}
	value, problem := decode(payload)
	if problem != nil {
		return []errs.Field{*problem}, nil
	}
	return problems(schema.Validate(value)), nil
}
