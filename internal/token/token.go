// Package token mints and verifies the tokens with which callers of the API say
// who they are.
//
// A token is a JWT signed with HS256 under the server's secret. One for a whole
// org has `sub` = "org_…"; one for a single app, which a portal hands to a
// tenant, has `sub` = "app_…" and a claim `org`. The algorithm is pinned: a token
// that names another one ("none", RS256) is refused whatever its signature is.
// `iss` is not checked, so tokens that were made for a Svix server go on working.
//
// Verified tokens are remembered until they expire, in a bounded cache, because a
// backend sends the same one with each of thousands of requests a second. Nothing
// else is remembered: what can change about a token (an app's tokens were
// expired) is asked for with every request, see package web.
package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
)

// Secret is what tokens are signed with. It prints as [redacted].
type Secret struct{ key []byte }

// NewSecret keeps text as a secret; its bytes are the HMAC key as they are.
func NewSecret(text string) Secret { return Secret{key: []byte(text)} }

// IsZero reports whether there is no secret at all.
func (s Secret) IsZero() bool { return len(s.key) == 0 }

const redacted = "[redacted]"

// Format hides the secret from every verb of fmt, %d and %x included.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return redacted }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Capability is a right that a token for an app may carry. The names are Svix's.
type Capability string

// The capabilities. A token without a list has all of them.
const (
	ViewBase              Capability = "ViewBase"              // read everything but secrets
	ViewEndpointSecret    Capability = "ViewEndpointSecret"    // read signing secrets
	ManageEndpointSecret  Capability = "ManageEndpointSecret"  // read and rotate signing secrets
	ManageTransformations Capability = "ManageTransformations" // change transformations
	CreateAttempts        Capability = "CreateAttempts"        // resend, recover, send examples
	ManageEndpoint        Capability = "ManageEndpoint"        // change endpoints, secrets included
)

// LoginUse marks a login key: a token that can only be exchanged for a session of the
// dashboard, once. Verify refuses it, so a link that leaks into a log is no key to the API.
const LoginUse = "login"

// ReadUse marks a read token: it may GET what webhooks' resource URLs name, under /v1, and
// nothing else. Who receives webhooks can be given it; Verify refuses it.
const ReadUse = "read"

// Claims is what a token says.
type Claims struct {
	Org string // "org_…", always set
	App string // "app_…" for a token of one app, else ""
	// Capabilities limit a token of an app; nil = all, and an empty list = none.
	Capabilities []Capability
	// FeatureFlags are those of the event types that a token of an app may see.
	FeatureFlags []string
	ReadOnly     bool
	Session      string    // the caller's own name for a session; "" = none
	Use          string    // "" = the API, LoginUse or ReadUse
	IssuedAt     time.Time // to the microsecond; zero = not given
	Expires      time.Time // zero = never

	// ID tells a login key from every other; "" for other tokens.
	ID string
	// SessionEnds is when the session ends, at the latest, that a login key opens.
	SessionEnds time.Time
}

// Subject is whom the token speaks for: the app if it has one, else the org.
func (c *Claims) Subject() string {
	if c.App != "" {
		return c.App
	}
	return c.Org
}

// May reports whether the token carries one of the capabilities.
func (c *Claims) May(anyOf ...Capability) bool {
	if c.App == "" || c.Capabilities == nil || len(anyOf) == 0 {
		return true
	}
	return slices.ContainsFunc(anyOf, func(need Capability) bool {
		return slices.Contains(c.Capabilities, need)
	})
}

// ErrInvalid answers every token that does not verify. It never says why: the
// reason would help only somebody who guesses.
var ErrInvalid = &errs.Error{Kind: errs.Unauthenticated, Code: "authentication_failed", Detail: "Invalid token"}

// MaxBytes is the longest token that is looked at.
const MaxBytes = 8 << 10

// Authority mints and verifies the tokens of one secret. It is safe for
// concurrent use.
type Authority struct {
	secret Secret
	parser *jwt.Parser
	cache  *cache
}

// Config is what an Authority is made of.
type Config struct {
	Secret    Secret // required, not empty
	MaxCached int    // verified tokens that are remembered; default 10,000
}

// New makes an Authority.
func New(cfg Config) (*Authority, error) {
	if cfg.Secret.IsZero() {
		return nil, errors.New("token: Config.Secret is empty")
	}
	if cfg.MaxCached == 0 {
		cfg.MaxCached = 10_000
	}
	return &Authority{
		secret: cfg.Secret,
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()})),
		cache:  newCache(cfg.MaxCached),
	}, nil
}

// Mint signs a token. A zero IssuedAt becomes now.
func (a *Authority) Mint(c Claims) (string, error) {
	if c.IssuedAt.IsZero() {
		c.IssuedAt = time.Now()
	}
	wire := wireClaims{
		Subject:      c.Subject(),
		Capabilities: c.Capabilities,
		FeatureFlags: c.FeatureFlags,
		ReadOnly:     c.ReadOnly,
		Session:      c.Session,
		Use:          c.Use,
		ID:           c.ID,
		IssuedAt:     seconds{c.IssuedAt},
		Expires:      seconds{c.Expires},
		SessionEnds:  seconds{c.SessionEnds},
	}
	if c.App != "" {
		wire.Org = c.Org
	}
	if _, err := wire.claims(); err != nil {
		return "", errors.New("token: claims name no well-formed org or app")
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, &wire).SignedString(a.secret.key)
}

// Verify reads an API token: signature, algorithm, lifetime and form. The result
// is shared and must not be modified. Its only error is ErrInvalid.
func (a *Authority) Verify(text string) (*Claims, error) {
	c, err := a.verify(text)
	if err != nil || c.Use != "" {
		return nil, ErrInvalid
	}
	return c, nil
}

// VerifyRead is Verify for the routes that a read token may GET: it reads API tokens and
// read tokens.
func (a *Authority) VerifyRead(text string) (*Claims, error) { return a.verify(text) }

// verify reads a token that may be sent more than once, as it is remembered or afresh.
func (a *Authority) verify(text string) (*Claims, error) {
	now := time.Now()
	if c, ok := a.cache.get(text, now); ok {
		return c, nil
	}
	c, err := a.read(text)
	if err != nil || c.Use != "" && c.Use != ReadUse {
		return nil, ErrInvalid
	}
	a.cache.put(strings.Clone(text), c, now)
	return c, nil
}

func (a *Authority) read(text string) (*Claims, error) {
	if text == "" || len(text) > MaxBytes {
		return nil, ErrInvalid
	}
	var wire wireClaims
	_, err := a.parser.ParseWithClaims(text, &wire, func(*jwt.Token) (any, error) { return a.secret.key, nil })
	if err != nil {
		return nil, ErrInvalid
	}
	return wire.claims()
}

// wireClaims is the JSON of a token.
type wireClaims struct {
	Subject      string       `json:"sub"`
	Org          string       `json:"org,omitempty"`
	Capabilities []Capability `json:"capabilities,omitzero"` // an empty list is none, which is not all
	FeatureFlags []string     `json:"featureFlags,omitempty"`
	ReadOnly     bool         `json:"readOnly,omitempty"`
	Session      string       `json:"sid,omitempty"`
	Use          string       `json:"use,omitempty"`
	ID           string       `json:"jti,omitempty"`
	IssuedAt     seconds      `json:"iat,omitzero"`
	NotBefore    seconds      `json:"nbf,omitzero"`
	Expires      seconds      `json:"exp,omitzero"`
	SessionEnds  seconds      `json:"sxp,omitzero"`
}

// claims checks the subject and gives what the token says.
func (w *wireClaims) claims() (*Claims, error) {
	c := &Claims{
		Org:          w.Subject,
		Capabilities: w.Capabilities,
		FeatureFlags: w.FeatureFlags,
		ReadOnly:     w.ReadOnly,
		Session:      w.Session,
		Use:          w.Use,
		ID:           w.ID,
		IssuedAt:     w.IssuedAt.Time,
		Expires:      w.Expires.Time,
		SessionEnds:  w.SessionEnds.Time,
	}
	if strings.HasPrefix(w.Subject, id.App.Prefix()) {
		c.Org, c.App = w.Org, w.Subject
	}
	if !id.WellFormedOrg(c.Org) {
		return nil, ErrInvalid
	}
	return c, nil
}

// The methods of jwt.Claims give the library's checks their times.

// GetExpirationTime is the claim exp.
func (w *wireClaims) GetExpirationTime() (*jwt.NumericDate, error) { return w.Expires.numeric(), nil }

// GetNotBefore is the claim nbf.
func (w *wireClaims) GetNotBefore() (*jwt.NumericDate, error) { return w.NotBefore.numeric(), nil }

// GetIssuedAt is the claim iat.
func (w *wireClaims) GetIssuedAt() (*jwt.NumericDate, error) { return w.IssuedAt.numeric(), nil }

// GetSubject is the claim sub.
func (w *wireClaims) GetSubject() (string, error) { return w.Subject, nil }

// GetIssuer is empty: iss is not checked.
func (w *wireClaims) GetIssuer() (string, error) { return "", nil }

// GetAudience is empty: aud is not checked.
func (w *wireClaims) GetAudience() (jwt.ClaimStrings, error) { return nil, nil }

// seconds is a NumericDate of RFC 7519 with microseconds. Whole seconds would not
// do: a token that is minted right after an app's tokens were expired must count
// as younger than the expiry.
type seconds struct{ time.Time }

func (s seconds) numeric() *jwt.NumericDate {
	if s.IsZero() {
		return nil
	}
	return &jwt.NumericDate{Time: s.Time}
}

// MarshalJSON writes seconds since 1970 with a fraction where there is one.
func (s seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(s.UnixMicro()) / 1e6)
}

// UnmarshalJSON reads any JSON number that is a time within some 290,000 years.
func (s *seconds) UnmarshalJSON(text []byte) error {
	var number float64
	if err := json.Unmarshal(text, &number); err != nil {
		return err
	}
	micros := math.Round(number * 1e6)
	if math.Abs(micros) >= math.MaxInt64 {
		return errors.New("time out of range")
	}
	s.Time = time.UnixMicro(int64(micros)).UTC()
	return nil
}
