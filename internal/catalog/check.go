package catalog

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// MaxProblems is how many problems of one payload Check names at most, so that an answer
// about a large payload stays readable.
const MaxProblems = 100

// compile prepares a type's schema. Formats are asserted; nothing is fetched, so that a
// schema has to hold all that it refers to.
func compile(t dialect.EventType) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(t.Schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkTime})
	c.AssertFormat()
	url := "callboard:///" + t.Name
	if err := c.AddResource(url, doc); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

// errTime is what is wrong with a time. What is said of it in public is in message.
var errTime = errors.New("is no time of RFC 3339")

// checkTime accepts what is no string, since that is a matter of the type, and times that
// Go reads and that can be written in UTC with four digits of a year: the library's own
// check lets pass leap seconds, which no dialect can write.
func checkTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return errTime
	}
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return errTime
	}
	return nil
}

// lenient reads what encoding/json reads: of two members with one name the last counts,
// and bytes that are no UTF-8 are replaced. What is sent is the payload's own bytes,
// whatever was read here. It takes half as long again, so it comes second.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decode reads a payload. Numbers become float64: the schemas look at their kind and at
// small bounds, never at the digits of an id. A number that no float64 holds is a problem
// whatever the schema says: to look at 1e999999 exactly would keep a processor busy.
func decode(payload []byte) (any, *errs.Field) {
	var value any
	if json.Unmarshal(payload, &value) == nil {
		return value, nil
	}
	value = nil
	err := json.Unmarshal(payload, &value, lenient)
	if err == nil {
		return value, nil
	}
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return nil, &errs.Field{Loc: slices.AppendSeq([]string{}, e.JSONPointer.Tokens()), Msg: "must be a number that 64 bits can hold"}
	}
	return nil, &errs.Field{Loc: []string{}, Msg: "must be JSON"}
}

// problems are the leaves of what the validator found.
func problems(err error) []errs.Field {
	e, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil
	}
	found := appendProblems(nil, e)
	slices.SortFunc(found, compareFields)
	found = slices.CompactFunc(found, func(a, b errs.Field) bool { return compareFields(a, b) == 0 })
	return found[:min(len(found), MaxProblems)]
}

// appendProblems walks down to what is wrong with single members. Alternatives are not
// walked into: that none of them fits is the problem, not why each does not.
func appendProblems(found []errs.Field, e *jsonschema.ValidationError) []errs.Field {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Reference, *kind.Group, *kind.AllOf:
		for _, cause := range e.Causes {
			found = appendProblems(found, cause)
		}
		return found
	case *kind.Required:
		for _, name := range k.Missing {
			found = append(found, errs.Field{Loc: append(slices.Clone(e.InstanceLocation), name), Msg: "is required"})
		}
		return found
	default:
		return append(found, errs.Field{Loc: append([]string{}, e.InstanceLocation...), Msg: message(e.ErrorKind)})
	}
}

// compareFields orders problems by where they are, items of an array by their index.
func compareFields(a, b errs.Field) int {
	if c := slices.CompareFunc(a.Loc, b.Loc, compareSegments); c != 0 {
		return c
	}
	return strings.Compare(a.Msg, b.Msg)
}

func compareSegments(a, b string) int {
	if isIndex(a) && isIndex(b) && len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isIndex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// message says in public what is wrong. It tells what the schema wants, and nothing of
// what was there.
func message(problem jsonschema.ErrorKind) string {
	switch k := problem.(type) {
	case *kind.Type:
		return "must be " + either(k.Want)
	case *kind.Const:
		return "must be " + literal(k.Want)
	case *kind.Enum:
		return "must be one of " + literals(k.Want)
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.Format:
		if k.Want == "date-time" {
			return "must be a time such as 2027-06-10T09:00:00.000Z"
		}
		return "must have the format " + k.Want
	default:
		return "does not fit the schema"
	}
}

// literal writes a value of the schema; a text without quotes.
func literal(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := stdjson.Marshal(v) // it was JSON before, with numbers as std's json.Number
	return string(text)
}

func literals(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = literal(v)
	}
	return strings.Join(texts, ", ")
}

// kinds are JSON Schema's types as people read them, in the order in which they are told.
var kinds = [...]struct{ name, text string }{
	{"string", "a string"},
	{"integer", "a whole number"},
	{"number", "a number"},
	{"boolean", "true or false"},
	{"object", "an object"},
	{"array", "an array"},
	{"null", "null"},
}

// either lists types, as in "a string or null".
func either(types []string) string {
	var texts []string
	for _, k := range kinds {
		if slices.Contains(types, k.name) {
			texts = append(texts, k.text)
		}
	}
	return strings.Join(texts, " or ")
}
