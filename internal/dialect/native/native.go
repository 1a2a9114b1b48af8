// Package native is Callboard's own dialect: Standard Webhooks, with the payload
// sent exactly as it was stored.
//
// Each attempt carries the headers of the standard under both names by which the
// field knows them, webhook-* and svix-*, so consumers of either need no change.
package native

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/standard"
)

// Dialect is the native dialect; its zero value is ready.
type Dialect struct{ standard.Keys }

// Name is "native".
func (Dialect) Name() string { return dialect.Native }

// Word is the event type itself: any payload goes out as it is.
func (Dialect) Word(eventType string) (string, dialect.Fit) { return eventType, dialect.Exact }

// Types is the word itself: native endpoints may name types that do not exist yet.
func (Dialect) Types(word string) []string { return []string{word} }

// EventTypes is empty: the catalogue has them all.
func (Dialect) EventTypes() []dialect.EventType { return nil }

// Render gives the payload's own bytes.
func (Dialect) Render(m dialect.Message) ([]byte, error) { return m.Payload, nil }

// body is what the payload of a catalogue type has, and any that follows Standard
// Webhooks.
type body struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// Parse reads a webhook of the form that Standard Webhooks recommends.
func (Dialect) Parse(r dialect.Request) (dialect.Activity, error) {
	var b body
	if err := json.Unmarshal(r.Body, &b); err != nil || b.Type == "" {
		return dialect.Activity{}, fmt.Errorf("%w: it is not an object with a type, a timestamp and data", dialect.ErrUnreadable)
	}
	return dialect.Activity{ID: standard.MessageID(r), Type: b.Type, At: b.Timestamp.UTC(), Payload: r.Body}, nil
}

// Observes is true of both: the catalogue has words for joining and for leaving.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{Joins: true, Leaves: true} }

// NewSigner signs with all the secrets, in their order, under both families of names.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	return standard.NewSigner(standard.Webhook|standard.Svix, secrets)
}
