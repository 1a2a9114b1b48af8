// Package oration is the dialect of Oration's webhooks: a conversation as it is after
// something happened to it, in an envelope of id and type, and the signature of Standard
// Webhooks.
//
// Source: the vendor's page "Triggered when a user joins a conversation", and what newer
// payloads have. The vendor documents no signature. Where its pages say nothing, the
// tables in form.go say "Choice".
package oration

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/neighbour"
	"github.com/callboard/callboard/internal/dialect/shape"
	"github.com/callboard/callboard/internal/dialect/standard"
	wire "github.com/callboard/callboard/wire/oration"
)

// Name is the dialect's name in the API.
const Name = "oration"

// Dialect is Oration's; New makes it. Its secrets are those of Standard Webhooks, which
// is Callboard's choice.
type Dialect struct {
	standard.Keys

	words dialect.Vocabulary
}

// New makes the dialect.
func New() Dialect {
	join, leave := string(wire.EventUserJoined), string(wire.EventUserLeft)
	return Dialect{words: dialect.NewVocabulary(Name,
		dialect.Term{Type: "conversation.user_joined", Word: join, Fit: dialect.Exact},
		dialect.Term{Type: "session.joined", Word: join, Fit: dialect.Translated},
		dialect.Term{Type: "conference.participant.entered", Word: join, Fit: dialect.Translated},
		dialect.Term{Type: "conversation.user_left", Word: leave, Fit: dialect.Exact},
		dialect.Term{Type: "session.left", Word: leave, Fit: dialect.Translated},
		dialect.Term{Type: "conference.participant.left", Word: leave, Fit: dialect.Translated},
		dialect.Term{Type: "conversation.completed", Word: string(wire.EventCompleted), Fit: dialect.Exact},
		dialect.Term{Type: "conversation.analysis_completed", Word: string(wire.EventAnalysisCompleted), Fit: dialect.Exact},
	)}
}

// Name is "oration".
func (Dialect) Name() string { return Name }

// Word is the vendor's event type of one of Callboard's.
func (d Dialect) Word(eventType string) (string, dialect.Fit) { return d.words.Word(eventType) }

// Types are the event types that go out as one of the vendor's.
func (d Dialect) Types(word string) []string { return d.words.Types(word) }

// EventTypes is empty: all that the vendor documents has a type of the catalogue.
func (Dialect) EventTypes() []dialect.EventType { return nil }

// What is wrong with the members of a body, or of data.
var (
	errType   = errors.New("must be a name such as conversation.userJoined")
	errObject = errors.New("must be an object")
)

// Render writes {eventId, eventType, payload}.
func (d Dialect) Render(m dialect.Message) ([]byte, error) {
	word, fit := d.words.Word(m.Type)
	if fit == dialect.Unsaid {
		return nil, fmt.Errorf("%w: oration has no event for the event type", dialect.ErrUnrenderable)
	}
	return shape.Render(m, word, func(b []byte, s *shape.Source) ([]byte, error) {
		if d.words.Types(word) == nil {
			return otherWebhook.Append(b, s.Data, s)
		}
		if translation := neighbour.Form(m.Type, neighbour.Conversation); translation != nil {
			if err := s.Translate(translation); err != nil {
				return b, err
			}
		}
		if s.Data.Get("conversation").None() { // a body without a payload tells nothing
			return b, &shape.Error{Path: "payload.data.conversation", Err: errObject}
		}
		return webhook.Append(b, s.Data, s)
	})
}

// Parse reads {eventId, eventType, payload} of any event.
func (d Dialect) Parse(r dialect.Request) (dialect.Activity, error) {
	body, err := shape.Parse(r.Body)
	if err != nil {
		return dialect.Activity{}, err
	}
	word, payload := body.Get("eventType").String(), body.Get("payload")
	if !isType(word) {
		return dialect.Activity{}, shape.Unreadable("eventType", errType)
	}
	a := dialect.Activity{
		ID:   cmp.Or(body.Get("eventId").ID(), standard.MessageID(r)),
		Type: d.words.Type(word),
	}
	data := []byte(payload)
	switch {
	case d.words.Types(word) != nil:
		data, a.At, err = readConversation(wire.EventType(word), payload)
	case payload.None():
		data = []byte("{}")
	default:
		a.At = timeOf(payload, "updatedAt")
	}
	if err != nil {
		return dialect.Activity{}, err
	}
	a.Payload = shape.Payload(a.Type, a.At, data)
	return a, nil
}

// readConversation gives a payload as data, {conversation}, and when its event happened.
func readConversation(word wire.EventType, payload shape.Value) ([]byte, time.Time, error) {
	if payload.None() || payload[0] != '{' {
		return nil, time.Time{}, shape.Unreadable("payload", errObject)
	}
	data, err := conversation.Read([]byte(`{"conversation":`), payload)
	if err != nil {
		return nil, time.Time{}, shape.Unreadable("payload", err)
	}
	return append(data, '}'), happened(word, payload), nil
}

// happened is when an event of a conversation happened. The envelope does not say, so it
// is the conversation's last change; but joining and leaving have a time of their own.
// Attendance is the set of these edges by their times: one that is told twice, after the
// conversation has changed again, must have the same time to be one edge.
func happened(word wire.EventType, payload shape.Value) time.Time {
	switch word {
	case wire.EventUserJoined:
		return timeOf(payload, "userJoinTime", "updatedAt")
	case wire.EventUserLeft:
		return timeOf(payload, "userLeaveTime", "updatedAt")
	}
	return timeOf(payload, "updatedAt")
}

// timeOf is the first of an object's members that is a time; zero if none is.
func timeOf(payload shape.Value, names ...string) time.Time {
	o, err := shape.Parse(payload)
	if err != nil { // it is no object
		return time.Time{}
	}
	for _, name := range names {
		if at := o.Get(name).Time(); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// isType reports whether text is a name as the vendor gives them, one that can be part
// of an event type's name.
func isType(text string) bool {
	return text != "" && len(text) <= 200 && strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !letter && r != '_' && r != '.' && r != '-' && (r < '0' || r > '9')
	}) < 0
}

// Observes is true of both: there are events for joining a conversation and for leaving it.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{Joins: true, Leaves: true} }

// NewSigner signs with all the secrets, in their order, under the names webhook-*.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	return standard.NewSigner(standard.Webhook, secrets)
}
