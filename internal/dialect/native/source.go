package native

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/dialect/standard"
)

// The dialects that only sources have: webhooks of theirs come in, and nothing goes out
// in them.
const (
	// StandardName is that of any sender who signs as Standard Webhooks says.
	StandardName = "standard"
	// RawName is that of any sender of JSON.
	RawName = "raw"
)

// The types of webhooks that do not say theirs.
const (
	StandardReceived = "standard.received"
	RawReceived      = "raw.received"
)

// inOnly is what the dialects have in common that nothing goes out in. They sign as
// Standard Webhooks says, unless a source says otherwise.
type inOnly struct{ standard.Keys }

// Word is none.
func (inOnly) Word(string) (string, dialect.Fit) { return "", dialect.Unsaid }

// Types are none.
func (inOnly) Types(string) []string { return nil }

// EventTypes is empty: the types are the senders' own.
func (inOnly) EventTypes() []dialect.EventType { return nil }

// Render writes nothing.
func (inOnly) Render(dialect.Message) ([]byte, error) {
	return nil, fmt.Errorf("%w: the dialect is for what comes in", dialect.ErrUnrenderable)
}

// errInOnly is what a signer that was asked for is told.
var errInOnly = errors.New("the dialect is for what comes in")

// NewSigner makes none.
func (inOnly) NewSigner([]string) (dialect.Signer, error) { return nil, errInOnly }

// Standard is the dialect of any sender who signs as Standard Webhooks says, Svix's
// customers among them; its zero value is ready.
type Standard struct{ inOnly }

// Name is "standard".
func (Standard) Name() string { return StandardName }

// Parse reads any JSON object. One of the form that Standard Webhooks recommends, {type,
// timestamp, data}, is a native body as it is; another one becomes the data of one.
func (Standard) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	a := dialect.Activity{
		ID:      standard.MessageID(r),
		Type:    body.Get("type").String(),
		At:      body.Get("timestamp").Time(),
		Payload: bytes.TrimSpace(r.Body),
	}
	named := isType(a.Type)
	if !named {
		a.Type = StandardReceived
	}
	timed := body.Get("timestamp").None() || !a.At.IsZero()
	if data := body.Get("data"); !named || !timed || data.None() || data[0] != '{' {
		a.Payload = shape.Payload(a.Type, a.At, a.Payload)
	}
	return a, nil
}

// Observes is true of both: a sender may use the catalogue's words, as another Callboard
// does.
func (Standard) Observes() dialect.Observed { return dialect.Observed{Joins: true, Leaves: true} }

// Raw is the dialect of any sender of JSON objects; its zero value is ready, and knows no
// types. A webhook has no id: it is told from others by its body.
type Raw struct {
	inOnly

	// TypeHeader is the header that holds the event type, TypeField the path of the
	// body's member that does, such as event.type; at most one is set.
	TypeHeader, TypeField string
}

// Name is "raw".
func (Raw) Name() string { return RawName }

// errTypeName is what is wrong with an event type.
var errTypeName = errors.New("must be 1 to 256 characters of A-Z a-z 0-9 . - _")

// Parse reads any JSON object: it is the data. A webhook without a type has the type
// raw.received.
func (d Raw) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	a := dialect.Activity{ID: dialect.HashID(r.Body), Type: RawReceived}
	where, text := d.typeOf(r, body)
	switch {
	case text == "":
	case isType(text):
		a.Type = text
	default:
		return dialect.Activity{}, shape.Unreadable(where, errTypeName)
	}
	a.Payload = shape.Payload(a.Type, a.At, bytes.TrimSpace(r.Body))
	return a, nil
}

// typeOf gives the event type of a request, "" if it has none, and where it stands.
func (d Raw) typeOf(r dialect.Request, body shape.Object) (where, text string) {
	if d.TypeHeader != "" {
		return "header " + strings.ToLower(d.TypeHeader), r.Header.Get(d.TypeHeader)
	}
	if d.TypeField == "" {
		return "", ""
	}
	path := strings.Split(d.TypeField, ".")
	for _, name := range path[:len(path)-1] {
		var err error
		if body, err = body.Object(name); err != nil { // there is no such member
			return d.TypeField, ""
		}
	}
	return d.TypeField, typeText(body.Get(path[len(path)-1]))
}

// typeText is the text of a member that holds an event type; that of one that can hold
// none is its JSON, which is no type's name.
func typeText(v shape.Value) string {
	switch {
	case v.None():
		return ""
	case v[0] == '"', v[0] == '-', v[0] >= '0' && v[0] <= '9':
		return v.ID()
	}
	return "{}"
}

// Observes nothing: the words are the sender's own.
func (Raw) Observes() dialect.Observed { return dialect.Observed{} }

// isType reports whether text can be the name of an event type.
func isType(text string) bool {
	const maxLen = 256
	return text != "" && len(text) <= maxLen && strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !letter && r != '_' && r != '.' && r != '-' && (r < '0' || r > '9')
	}) < 0
}
