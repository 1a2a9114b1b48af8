// Package zuddl is the dialect of Zuddl's webhooks: one flat JSON object that says in
// "action" what happened, and X-Webhook-Signature.
//
// Sources: the vendor pages "joined session" and "time spent in session", and its list
// of actions. Where those say nothing, the tables in form.go say "Choice".
package zuddl

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/neighbour"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/signature"
	wire "github.com/callboard/callboard/wire/zuddl"
)

// Name is the dialect's name in the API.
const Name = "zuddl"

// Dialect is Zuddl's; New makes it.
type Dialect struct{ words dialect.Vocabulary }

// New makes the dialect.
func New() Dialect {
	terms := []dialect.Term{
		{Type: "session.joined", Word: string(wire.JoinedSession), Fit: dialect.Exact},
		{Type: "conference.participant.entered", Word: string(wire.JoinedSession), Fit: dialect.Translated},
		{Type: "conversation.user_joined", Word: string(wire.JoinedSession), Fit: dialect.Translated},
		{Type: "session.time_spent", Word: string(wire.TimeSpentInSession), Fit: dialect.Exact},
		{Type: "conference.participant.time_spent", Word: string(wire.TimeSpentInSession), Fit: dialect.Translated},
		{Type: "event.created", Word: string(wire.EventCreated), Fit: dialect.Exact},
		{Type: "event.updated", Word: string(wire.EventUpdated), Fit: dialect.Exact},
		{Type: "event.time_spent", Word: string(wire.TimeSpentInEvent), Fit: dialect.Exact},
		{Type: "registration.created", Word: string(wire.Registered), Fit: dialect.Exact},
		{Type: "registration.attended", Word: string(wire.Attended), Fit: dialect.Exact},
		{Type: "registration.no_show", Word: string(wire.NoShow), Fit: dialect.Exact},
	}
	known := make(map[string]bool, len(terms))
	for _, t := range terms {
		known[t.Word] = true
	}
	for _, action := range wire.Actions() {
		if word := string(action); !known[word] {
			terms = append(terms, dialect.Term{Type: dialect.Foreign(Name, word), Word: word, Fit: dialect.Exact})
		}
	}
	return Dialect{words: dialect.NewVocabulary(Name, terms...)}
}

// Name is "zuddl".
func (Dialect) Name() string { return Name }

// Word is the action of an event type.
func (d Dialect) Word(eventType string) (string, dialect.Fit) { return d.words.Word(eventType) }

// Types are the event types that go out as an action.
func (d Dialect) Types(word string) []string { return d.words.Types(word) }

// EventTypes is empty: of the actions that the catalogue has no type for, the vendor's
// pages show no form.
func (Dialect) EventTypes() []dialect.EventType { return nil }

// Render writes the flat object.
func (d Dialect) Render(m dialect.Message) ([]byte, error) {
	word, fit := d.words.Word(m.Type)
	if fit == dialect.Unsaid {
		return nil, fmt.Errorf("%w: zuddl has no action for the event type", dialect.ErrUnrenderable)
	}
	return shape.Render(m, word, func(b []byte, s *shape.Source) ([]byte, error) {
		if form := neighbour.Form(m.Type, neighbour.Attendance); form != nil {
			if err := s.Translate(form); err != nil {
				return b, err
			}
		}
		return formOf(m.Type).Append(b, s.Data, s)
	})
}

// formOf is the form of a webhook about an event type.
func formOf(eventType string) *shape.Form {
	switch {
	case strings.HasPrefix(eventType, Name+"."):
		return other
	case strings.HasSuffix(eventType, ".time_spent"):
		return timeSpent
	}
	return happened
}

// Parse reads the flat object of any action.
func (d Dialect) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	action := body.Get("action").String()
	if !isAction(action) {
		return dialect.Activity{}, shape.Unreadable("action", errAction)
	}
	a := dialect.Activity{
		ID:   body.Get("actionId").ID(),
		Type: d.words.Type(action),
		At:   body.Get("actionCreatedAt").Time(),
	}
	if a.ID == "" {
		a.ID = dialect.HashID(r.Body)
	}
	data, err := formIn(a.Type).Read(nil, r.Body, "action", "actionId", "actionCreatedAt")
	if err != nil {
		return dialect.Activity{}, shape.Unreadable("body", err)
	}
	a.Payload = shape.Payload(a.Type, a.At, data)
	return a, nil
}

// formIn is the form by which a webhook about an event type is read: the long one knows
// all members that the short one has.
func formIn(eventType string) *shape.Form {
	if form := formOf(eventType); form == other {
		return form
	}
	return happened
}

// errAction is what is wrong with an action.
var errAction = errors.New("must be a name such as JOINED_SESSION")

// isAction reports whether text is a name as the vendor gives them, one that can be
// part of an event type's name.
func isAction(text string) bool {
	return text != "" && len(text) <= 200 && strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !letter && r != '_' && (r < '0' || r > '9')
	}) < 0
}

// Observes is true of joins alone: there is no action for leaving, see TIME_SPENT_IN_SESSION.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{Joins: true} }

// Secrets are each endpoint's own. The header holds one signature.
func (Dialect) Secrets() dialect.Secrets { return dialect.Secrets{OneAtATime: true} }

// headerSignature is the header that carries the signature.
const headerSignature = "X-Webhook-Signature"

// OwnHeaders is the signature's.
func (Dialect) OwnHeaders() []string { return []string{strings.ToLower(headerSignature)} }

// NewSecret makes a secret of 64 hexadecimal digits.
func (Dialect) NewSecret() string { return dialect.NewHexSecret() }

// Bounds of a secret that is assigned, in characters.
const (
	maxSecret   = 256
	shortSecret = 16
)

// errSecret is the rule for secrets.
var errSecret = errors.New("must be 1 to 256 printable characters")

// CheckSecret accepts what can be typed: the vendor lets its customers assign a key.
func (Dialect) CheckSecret(secret string) error {
	n := utf8.RuneCountInString(secret)
	strange := strings.ContainsFunc(secret, func(r rune) bool { return !unicode.IsPrint(r) })
	if n < 1 || n > maxSecret || strange || !utf8.ValidString(secret) {
		return errSecret
	}
	return nil
}

// Advice warns of short secrets.
func (Dialect) Advice(secret string) string {
	if utf8.RuneCountInString(secret) < shortSecret {
		return "the secret is shorter than 16 characters and could be guessed"
	}
	return ""
}

// NewSigner signs with the secret that is in force.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	secret, err := dialect.InForce(secrets)
	if err != nil {
		return nil, err
	}
	key, err := signature.NewBodyKey(secret, scheme)
	if err != nil {
		return nil, err
	}
	return signer{key}, nil
}

type signer struct{ key signature.BodyKey }

// Sign sets X-Webhook-Signature to "sha256=" and the HMAC-SHA256 of the body in
// lower-case hexadecimal.
func (s signer) Sign(h http.Header, _ string, _ time.Time, body []byte) {
	h[headerSignature] = []string{s.key.Sign(body)}
}
