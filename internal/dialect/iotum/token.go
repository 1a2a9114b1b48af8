package iotum

import (
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// headerToken is the header that holds the token.
const headerToken = "X-Signing-Token"

// Secrets are tokens, one for all of an account, which is an app here; the header holds one.
func (Dialect) Secrets() dialect.Secrets { return dialect.Secrets{PerApp: true, OneAtATime: true} }

// OwnHeaders is the token's.
func (Dialect) OwnHeaders() []string { return []string{strings.ToLower(headerToken)} }

// NewSecret makes a token of 64 hexadecimal digits.
func (Dialect) NewSecret() string { return dialect.NewHexSecret() }

// CheckSecret accepts what can be a header's value.
func (Dialect) CheckSecret(secret string) error { return dialect.CheckToken(secret) }

// shortToken is the length, in characters, below which a token could be guessed.
const shortToken = 16

// Advice warns of short tokens.
func (Dialect) Advice(secret string) string {
	if len(secret) < shortToken {
		return "the token is shorter than 16 characters and could be guessed"
	}
	return ""
}

// NewSigner sends the token that is in force.
func (Dialect) NewSigner(secrets []string) (dialect.Signer, error) {
	secret, err := dialect.InForce(secrets)
	if err != nil {
		return nil, err
	}
	token, err := signature.NewToken(secret)
	if err != nil {
		return nil, err
	}
	return signer{token}, nil
}

type signer struct{ token signature.Token }

// Sign sets x-signing-token. The token proves who sends, and nothing about the body.
func (s signer) Sign(h http.Header, _ string, _ time.Time, _ []byte) {
	h[headerToken] = []string{s.token.Reveal()}
}

// TokenHeader is x-signing-token.
func (Dialect) TokenHeader() string { return headerToken }

// Verify checks x-signing-token. A token that is not there is looked for where senders
// put it by mistake.
func (Dialect) Verify(secrets []string, r dialect.Request) (dialect.Verdict, error) {
	return dialect.VerifyToken(headerToken, secrets, r)
}
