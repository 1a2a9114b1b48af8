// Package outgoing makes the request of an attempt: body, headers and what proves where it
// comes from, of a message, an endpoint and a time. It is pure. The dispatcher sends what
// is made here, and the API makes it again to show what was sent.
package outgoing

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/store"
)

// DefaultUserAgent is the header User-Agent of servers that have no other.
const DefaultUserAgent = "Callboard"

// Maker makes requests.
type Maker struct {
	Dialects  dialect.Set
	UserAgent string // of endpoints without one among their headers; "" = DefaultUserAgent
}

// Target is an endpoint as its requests need it: everything that is the same for all
// attempts, prepared. It does not change.
type Target struct {
	URL     *url.URL
	Dialect dialect.Dialect
	// Secrets are those that prove the requests, newest first; where a request has room for
	// one, it is the last of them.
	Secrets []string
	// Until is when a secret's grace period ends and with it the target; zero = never.
	Until time.Time

	header http.Header // custom headers, content type, user agent; never modified
	signer dialect.Signer
}

// Target prepares an endpoint, for attempts from a time on. tokens are the app's signing
// tokens, which count where the dialect's secrets are the app's.
func (m Maker) Target(ep *delivery.Endpoint, tokens []delivery.Secret, now time.Time) (*Target, error) {
	t := &Target{}
	var known bool
	if t.Dialect, known = m.Dialects.Get(ep.Dialect); !known {
		return nil, fmt.Errorf("endpoint has a dialect that this server does not know: %q", ep.Dialect)
	}
	var err error
	if t.URL, err = url.Parse(ep.URL); err != nil {
		return nil, errors.New("endpoint has a URL that does not parse")
	}
	secrets := SecretsOf(t.Dialect, ep, tokens)
	t.Secrets = delivery.Active(secrets, now)
	if t.signer, err = t.Dialect.NewSigner(t.Secrets); err != nil {
		return nil, fmt.Errorf("prepare signing: %w", err)
	}
	for _, s := range secrets {
		if !s.Expires.IsZero() && s.Expires.After(now) && (t.Until.IsZero() || s.Expires.Before(t.Until)) {
			t.Until = s.Expires
		}
	}
	t.header = m.header(ep)
	return t, nil
}

// SecretsOf are the secrets of a dialect's requests to an endpoint: its own, or the app's
// signing tokens.
func SecretsOf(d dialect.Dialect, ep *delivery.Endpoint, tokens []delivery.Secret) []delivery.Secret {
	if d.Secrets().PerApp {
		return tokens
	}
	return ep.Secrets
}

// header is what all requests to an endpoint have.
func (m Maker) header(ep *delivery.Endpoint) http.Header {
	h := make(http.Header, len(ep.Headers)+8)
	for name, value := range ep.Headers {
		h.Set(name, value)
	}
	h.Set("Content-Type", "application/json")
	if h.Get("User-Agent") == "" {
		agent := m.UserAgent
		if agent == "" {
			agent = DefaultUserAgent
		}
		h.Set("User-Agent", agent)
	}
	return h
}

// Header gives the headers of an attempt that is made at a time. The caller owns them.
func (t *Target) Header(messageID string, at time.Time, body []byte) http.Header {
	h := maps.Clone(t.header)
	t.signer.Sign(h, messageID, at, body)
	return h
}

// Proof gives the headers that prove an attempt, alone.
func (t *Target) Proof(messageID string, at time.Time, body []byte) http.Header {
	h := http.Header{}
	t.signer.Sign(h, messageID, at, body)
	return h
}

// errOwn is why a message of the org's own is not written in a vendor's dialect. None is
// planned so; the endpoint had another dialect then.
var errOwn = fmt.Errorf("%w: the message is of an event type of your own, which only native endpoints hear", dialect.ErrUnrenderable)

// DefectError says that a dialect panicked over a message. It reads as any payload that
// cannot be rendered.
type DefectError struct {
	Kind  string // the type of what it panicked with, which itself may hold the payload
	Stack []byte
}

// Error says as little as the error that it wraps.
func (*DefectError) Error() string { return dialect.ErrUnrenderable.Error() }

// Unwrap gives dialect.ErrUnrenderable.
func (*DefectError) Unwrap() error { return dialect.ErrUnrenderable }

// Body writes a message's body: what came in from a vendor, or was posted in its dialect,
// goes out in that dialect as it came, byte for byte. Its error wraps
// dialect.ErrUnrenderable; that of a dialect that panicked is a *DefectError.
func Body(in dialect.Dialect, m *store.Message, messageID string) (body []byte, err error) {
	defer func() {
		if defect := recover(); defect != nil {
			body, err = nil, &DefectError{Kind: fmt.Sprintf("%T", defect), Stack: debug.Stack()}
		}
	}()
	if m.Raw != nil && m.From == in.Name() {
		return m.Raw, nil
	}
	if m.Tenant == "" && in.Name() != dialect.Native {
		return nil, errOwn
	}
	return in.Render(dialect.Message{
		ID: messageID, Type: m.Type, Time: m.ID.Time(), Tenant: m.Tenant, ResourceBase: m.ResourceBase, Payload: m.Payload,
	})
}
