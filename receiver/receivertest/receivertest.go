// Package receivertest signs webhooks for tests of programs that receive them.
package receivertest

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/callboard/callboard/signature"
)

// An Option changes the request that is made.
type Option func(*sending)

type sending struct {
	url     string
	id      string
	sentAt  time.Time
	secrets []string
}

// WithURL sets where the request goes. The default, "http://receiver.test/",
// does for handlers that are called without a network.
func WithURL(url string) Option { return func(s *sending) { s.url = url } }

// WithID sets the message's id. The default is "msg_" and random letters, new
// each time; give one to send a message twice.
func WithID(id string) Option { return func(s *sending) { s.id = id } }

// WithSentAt sets the time that is signed. The default is the present.
func WithSentAt(sentAt time.Time) Option { return func(s *sending) { s.sentAt = sentAt } }

// WithSecret adds a signature by one more key, as senders do during rotation.
func WithSecret(secret string) Option {
	return func(s *sending) { s.secrets = append(s.secrets, secret) }
}

// StandardWebhooks returns a POST of this body as Standard Webhooks has it,
// signed with a secret "whsec_…" (v1) or a signing key "whsk_…" (v1a). It
// suits both [http.Handler] and [http.Client]. A secret or URL that cannot be
// used ends the test.
func StandardWebhooks(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	s := sending{
		url:     "http://receiver.test/",
		id:      "msg_" + rand.Text(),
		sentAt:  time.Now(),
		secrets: []string{secret},
	}
	for _, opt := range opts {
		opt(&s)
	}
	keys := make([]signature.Key, 0, len(s.secrets))
	for _, secret := range s.secrets {
		key, err := signature.ParseKey(secret)
		if err != nil {
			tb.Fatalf("receivertest: %v", err)
		}
		keys = append(keys, key)
	}
	signer, err := signature.NewSigner(keys...)
	if err != nil {
		tb.Fatalf("receivertest: %v", err)
	}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		tb.Fatalf("receivertest: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	signer.SetHeaders(r.Header, s.id, s.sentAt, body)
	return r
}
