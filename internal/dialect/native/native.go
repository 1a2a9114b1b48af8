// Package native is Callboard's own dialect: Standard Webhooks, with the payload
// sent exactly as it was stored.
//
// Each attempt carries the headers of the standard under both names by which the
// field knows them, webhook-* and svix-*, so consumers of either need no change.
package native

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// Dialect is the native dialect; its zero value is ready.
type Dialect struct{}

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
	id := cmp.Or(r.Header.Get(signature.HeaderID), r.Header.Get(signature.HeaderSvixID))
	if id == "" {
		id = dialect.HashID(r.Body)
	}
	return dialect.Activity{ID: id, Type: b.Type, At: b.Timestamp.UTC(), Payload: r.Body}, nil
}

// Observes is true of both: the catalogue has words for joining and for leaving.
func (Dialect) Observes() dialect.Observed { return dialect.Observed{Joins: true, Leaves: true} }

// Secrets are each endpoint's own, and sign side by side.
func (Dialect) Secrets() dialect.Secrets { return dialect.Secrets{} }

// OwnHeaders is empty: webhook-* and svix-* are denied to everybody.
func (Dialect) OwnHeaders() []string { return nil }

// NewSecret makes a v1 secret, "whsec_…".
func (Dialect) NewSecret() string { return signature.GenerateSecret().Reveal() }

// CheckSecret accepts "whsec_…" (or its base64 alone) for v1 and "whsk_…" for v1a.
func (Dialect) CheckSecret(secret string) error {
	_, err := signature.ParseKey(secret)
	return err
}

// Advice is empty: shorter secrets than 24 bytes are refused.
func (Dialect) Advice(string) string { return "" }

// NewSigner signs with all the secrets, in their order.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	keys := make([]signature.Key, 0, len(secrets))
	for _, s := range secrets {
		key, err := signature.ParseKey(s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	s, err := signature.NewSigner(keys...)
	if err != nil {
		return nil, err
	}
	return signer{s}, nil
}

type signer struct{ *signature.Signer }

// Sign sets six headers; each value is shared by its two names.
func (s signer) Sign(h http.Header, messageID string, now time.Time, body []byte) {
	values := []string{messageID, strconv.FormatInt(now.Unix(), 10), s.Signer.Sign(messageID, now, body)}
	h[signature.HeaderID], h[signature.HeaderSvixID] = values[0:1:1], values[0:1:1]
	h[signature.HeaderTimestamp], h[signature.HeaderSvixTimestamp] = values[1:2:2], values[1:2:2]
	h[signature.HeaderSignature], h[signature.HeaderSvixSignature] = values[2:3:3], values[2:3:3]
}
