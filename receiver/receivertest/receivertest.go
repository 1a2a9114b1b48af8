// Package receivertest signs webhooks for tests of programs that receive them.
//
// There is one function for each dialect of package receiver. Each returns a
// POST that suits both [http.Handler] and [http.Client]. A secret, token or URL
// that cannot be used ends the test.
package receivertest

import (
	"bytes"
	"cmp"
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
	tokens  http.Header
}

// WithURL sets where the request goes. The default, "http://receiver.test/",
// does for handlers that are called without a network.
func WithURL(url string) Option { return func(s *sending) { s.url = url } }

// WithID sets the message's id. The default is "msg_" and random letters, new
// each time; give one to send a message twice. [Zuddl] and [Iotum] have no id
// outside the body and ignore it.
func WithID(id string) Option { return func(s *sending) { s.id = id } }

// WithSentAt sets the time that is signed. The default is the present. [Zuddl]
// and [Iotum] sign no time and ignore it.
func WithSentAt(sentAt time.Time) Option { return func(s *sending) { s.sentAt = sentAt } }

// WithSecret adds a signature by one more key, as senders do during rotation.
// The headers of [Zuddl] and [Iotum] have no room for two: it ends their test.
func WithSecret(secret string) Option {
	return func(s *sending) { s.secrets = append(s.secrets, secret) }
}

// WithToken adds a header that holds a token, as receiver.WithToken demands.
// The secret may be empty then, which leaves the request unsigned: the token
// comes alone, with the message's id only if [WithID] gives one.
func WithToken(header, token string) Option {
	return func(s *sending) { s.tokens.Set(header, token) }
}

// StandardWebhooks returns a POST of this body as Standard Webhooks has it,
// signed with a secret "whsec_…" (v1) or a signing key "whsk_…" (v1a).
func StandardWebhooks(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	return newSending(secret, opts).standard(tb, body)
}

// Native returns a POST of this body as Callboard itself sends it: like
// [StandardWebhooks], with the same three values under the names svix-id,
// svix-timestamp and svix-signature besides.
func Native(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	r := newSending(secret, opts).standard(tb, body)
	for from, to := range svixNames() {
		if value := r.Header.Get(from); value != "" {
			r.Header.Set(to, value)
		}
	}
	return r
}

// Zuddl returns a POST of this body as Zuddl sends it, with its HMAC in the
// header X-Webhook-Signature. The secret's text is the key.
func Zuddl(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	s := newSending(secret, opts)
	r := s.request(tb, body)
	if s.unsigned() {
		return r
	}
	s.wantOneSecret(tb)
	key, err := signature.NewBodyKey(secret, signature.BodyScheme{Prefix: "sha256="})
	if err != nil {
		tb.Fatalf("receivertest: %v", err)
	}
	r.Header.Set("X-Webhook-Signature", key.Sign(body))
	return r
}

// Sessionboard returns a POST of this body as Sessionboard sends it: like
// [StandardWebhooks], with the headers svix-id, svix-timestamp and
// svix-signature.
func Sessionboard(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	r := newSending(secret, opts).standard(tb, body)
	for from, to := range svixNames() {
		if value := r.Header.Get(from); value != "" {
			r.Header.Set(to, value)
			r.Header.Del(from)
		}
	}
	return r
}

// Oration returns a POST of this body as Oration sends it: like
// [StandardWebhooks].
func Oration(tb testing.TB, secret string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	return newSending(secret, opts).standard(tb, body)
}

// Iotum returns a POST of this body as iotum sends it, with the token in the
// header x-signing-token.
func Iotum(tb testing.TB, token string, body []byte, opts ...Option) *http.Request {
	tb.Helper()
	s := newSending(token, opts)
	r := s.request(tb, body)
	if s.unsigned() {
		return r
	}
	s.wantOneSecret(tb)
	parsed, err := signature.NewToken(token)
	if err != nil {
		tb.Fatalf("receivertest: %v", err)
	}
	r.Header.Set("X-Signing-Token", parsed.Reveal())
	return r
}

// svixNames are the names that Svix gives to the headers of Standard Webhooks.
func svixNames() map[string]string {
	return map[string]string{
		signature.HeaderID:        signature.HeaderSvixID,
		signature.HeaderTimestamp: signature.HeaderSvixTimestamp,
		signature.HeaderSignature: signature.HeaderSvixSignature,
	}
}

func newSending(secret string, opts []Option) *sending {
	s := &sending{
		url:     "http://receiver.test/",
		sentAt:  time.Now(),
		secrets: []string{secret},
		tokens:  make(http.Header),
	}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// unsigned reports whether tokens alone are sent.
func (s *sending) unsigned() bool {
	return len(s.tokens) > 0 && len(s.secrets) == 1 && s.secrets[0] == ""
}

func (s *sending) wantOneSecret(tb testing.TB) {
	tb.Helper()
	if len(s.secrets) != 1 {
		tb.Fatalf("receivertest: %d secrets for a header that has room for one", len(s.secrets))
	}
}

// request is the POST before it is signed.
func (s *sending) request(tb testing.TB, body []byte) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		tb.Fatalf("receivertest: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name := range s.tokens {
		r.Header.Set(name, s.tokens.Get(name))
	}
	return r
}

// standard is the POST with the headers of Standard Webhooks.
func (s *sending) standard(tb testing.TB, body []byte) *http.Request {
	tb.Helper()
	r := s.request(tb, body)
	if s.unsigned() {
		if s.id != "" {
			r.Header.Set(signature.HeaderID, s.id)
		}
		return r
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
	signer.SetHeaders(r.Header, cmp.Or(s.id, "msg_"+rand.Text()), s.sentAt, body)
	return r
}
