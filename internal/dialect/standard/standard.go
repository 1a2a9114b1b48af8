// Package standard holds what dialects share that sign as Standard Webhooks says: the
// rules for secrets, and what signs an attempt under one or both of the families of
// names by which the field knows the standard's headers.
package standard

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// Keys are the rules for secrets; a dialect embeds it. Its zero value is ready.
type Keys struct{}

// Secrets are each endpoint's own, and sign side by side.
func (Keys) Secrets() dialect.Secrets { return dialect.Secrets{} }

// OwnHeaders is empty: webhook-* and svix-* are denied to everybody.
func (Keys) OwnHeaders() []string { return nil }

// NewSecret makes a v1 secret, "whsec_…".
func (Keys) NewSecret() string { return signature.GenerateSecret().Reveal() }

// CheckSecret accepts "whsec_…" (or its base64 alone) for v1 and "whsk_…" for v1a.
func (Keys) CheckSecret(secret string) error {
	_, err := signature.ParseKey(secret)
	return err
}

// PublicHalf is the public key of a secret that is the private key of a pair (v1a); it
// reports false for every other text.
func PublicHalf(secret string) (signature.PublicKey, bool) {
	key, err := signature.ParseKey(secret)
	if err != nil {
		return signature.PublicKey{}, false
	}
	private, ok := key.(signature.SigningKey)
	if !ok {
		return signature.PublicKey{}, false
	}
	return private.Public(), true
}

// Advice is empty: shorter secrets than 24 bytes are refused.
func (Keys) Advice(string) string { return "" }

// Names says under which names the three headers go out.
type Names uint8

// The names; a bit each.
const (
	Webhook Names = 1 << iota // webhook-id, webhook-timestamp, webhook-signature
	Svix                      // svix-id, svix-timestamp, svix-signature
)

// NewSigner makes what signs with all the secrets, in their order.
func NewSigner(names Names, secrets []string) (dialect.Signer, error) {
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
	return signer{signer: s, names: names}, nil
}

type signer struct {
	signer *signature.Signer
	names  Names
}

// Sign sets three headers under each of the names; names share their values.
func (s signer) Sign(h http.Header, messageID string, now time.Time, body []byte) {
	values := []string{messageID, strconv.FormatInt(now.Unix(), 10), s.signer.Sign(messageID, now, body)}
	id, timestamp, proof := values[0:1:1], values[1:2:2], values[2:3:3]
	if s.names&Webhook != 0 {
		h[signature.HeaderID], h[signature.HeaderTimestamp], h[signature.HeaderSignature] = id, timestamp, proof
	}
	if s.names&Svix != 0 {
		h[signature.HeaderSvixID], h[signature.HeaderSvixTimestamp], h[signature.HeaderSvixSignature] = id, timestamp, proof
	}
}

// MessageID is the id that a webhook's headers give it: the one that its signature vouches
// for, else whatever is there under either name; a hash of its body if there is none.
func MessageID(r dialect.Request) string {
	if id := cmp.Or(signature.ID(r.Header), r.Header.Get(signature.HeaderID), r.Header.Get(signature.HeaderSvixID)); id != "" {
		return id
	}
	return dialect.HashID(r.Body)
}
