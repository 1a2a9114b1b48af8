// Package sessionboard is the dialect of Sessionboard's webhooks: the whole resource that
// changed under "data", what happened to it under "metadata", and the headers of Svix.
//
// Sources: the vendor page "webhooks", and the response schemas of the vendor's API
// reference. Where those say nothing, the tables in form.go say "Choice".
package sessionboard

import (
	"fmt"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/dialect/standard"
	wire "github.com/callboard/callboard/wire/sessionboard"
)

// Name is the dialect's name in the API.
const Name = "sessionboard"

// Config says where the server is.
type Config struct {
	// BaseURL is the address under which the server's API gives the resources, such as
	// https://callboard.example; "" = webhooks have no resource_url.
	BaseURL string
}

// Dialect is Sessionboard's; New makes it. The rules for secrets are those of Standard
// Webhooks, which Svix's became.
type Dialect struct {
	standard.Keys

	words    dialect.Vocabulary
	subjects map[string]subject // by what the names of their types begin with
}

// subject is a kind of object that webhooks are about. Its name is that of the member of
// Callboard's data that holds it.
type subject struct {
	name    string
	data    *shape.Form
	webhook *shape.Form
}

// New makes the dialect.
func New(cfg Config) Dialect {
	var terms []dialect.Term
	for _, action := range wire.Actions() {
		terms = append(terms, dialect.Term{Type: string(action), Word: string(action), Fit: dialect.Exact})
	}
	d := Dialect{words: dialect.NewVocabulary(Name, terms...), subjects: map[string]subject{}}
	frame := metadata(cfg.BaseURL)
	for name, about := range map[string]object{"session": session, "contact": contact, "exhibitor": exhibitor, "sponsor": sponsor} {
		d.subjects[name] = subject{name: name, data: about.data, webhook: webhook(about.data, frame)}
	}
	return d
}

// Name is "sessionboard".
func (Dialect) Name() string { return Name }

// Word is the action of an event type: the same name.
func (d Dialect) Word(eventType string) (string, dialect.Fit) { return d.words.Word(eventType) }

// Types are the event types that go out as an action.
func (d Dialect) Types(word string) []string { return d.words.Types(word) }

// EventTypes is empty: the catalogue has all that the vendor documents.
func (Dialect) EventTypes() []dialect.EventType { return nil }

// Render writes {data, metadata}.
func (d Dialect) Render(m dialect.Message) ([]byte, error) {
	word, fit := d.words.Word(m.Type)
	if fit == dialect.Unsaid {
		return nil, fmt.Errorf("%w: sessionboard has no action for the event type", dialect.ErrUnrenderable)
	}
	about, known := d.subject(m.Type)
	if !known {
		return shape.Render(m, word, renderOther)
	}
	return shape.Render(m, word, func(b []byte, s *shape.Source) (_ []byte, err error) {
		if s.About, err = s.Object(about.name); err != nil {
			return b, err
		}
		return about.webhook.Append(b, s.About, s)
	})
}

// subject is what an event type is about; it knows none for the vendor's own actions.
func (d Dialect) subject(eventType string) (subject, bool) {
	name, _, _ := strings.Cut(eventType, ".")
	about, known := d.subjects[name]
	return about, known
}

// renderOther writes a webhook of an action that the catalogue has no type for.
func renderOther(b []byte, s *shape.Source) (_ []byte, err error) {
	if _, err = s.Object("data"); err != nil {
		return b, err
	}
	if !s.Data.Get("metadata").None() {
		if s.About, err = s.Object("metadata"); err != nil {
			return b, err
		}
	}
	return other.Append(b, s.About, s)
}

// Observes nothing: no action tells that somebody came or went.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{} }

// NewSigner signs with all the secrets, in their order, under the names that Svix uses.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	return standard.NewSigner(standard.Svix, secrets)
}
