package iotum

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
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

// Bounds of a token that is assigned, in characters.
const (
	maxToken   = 256
	shortToken = 16
)

// errToken is the rule for tokens.
var errToken = errors.New("must be 1 to 256 printable ASCII characters without space around them")

// CheckSecret accepts what can be a header's value.
func (Dialect) CheckSecret(secret string) error {
	if _, err := signature.NewToken(secret); err != nil || len(secret) > maxToken {
		return errToken
	}
	return nil
}

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

// errNone is what is wrong with a list of tokens.
var errNone = fmt.Errorf("%w: there is no token", signature.ErrInvalidKey)

type signer struct{ token signature.Token }

// Sign sets x-signing-token. The token proves who sends, and nothing about the body.
func (s signer) Sign(h http.Header, _ string, _ time.Time, _ []byte) {
	h[headerToken] = []string{s.token.Reveal()}
}

// Verify checks x-signing-token. A token that is not there is looked for where senders
// put it by mistake.
func (Dialect) Verify(secrets []string, r dialect.Request) (dialect.Verdict, error) {
	tokens := make([]signature.Token, 0, len(secrets))
	for _, s := range secrets {
		token, err := signature.NewToken(s)
		if err != nil {
			return dialect.Verdict{}, err
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return dialect.Verdict{}, errNone
	}
	name, value := strings.ToLower(headerToken), r.Header.Get(headerToken)
	switch {
	case fits(tokens, value):
		return dialect.Verdict{Valid: true}, nil
	case value == "":
		return dialect.Verdict{Why: "there is no header " + name, Hint: misplaced(tokens, r.Header)}, nil
	}
	return dialect.Verdict{Why: "the token in " + name + " is wrong", Hint: cmp.Or(wrapped(tokens, value), misplaced(tokens, r.Header))}, nil
}

// fits reports whether a text is one of the tokens.
func fits(tokens []signature.Token, text string) bool {
	return slices.ContainsFunc(tokens, func(t signature.Token) bool { return t.Verify(text) == nil })
}

// wrapped finds the token among what is around it.
func wrapped(tokens []signature.Token, value string) string {
	bare := strings.TrimSpace(value)
	if fits(tokens, bare) {
		return "the token is right without the space around it"
	}
	if scheme, rest, ok := strings.Cut(bare, " "); ok && strings.EqualFold(scheme, "Bearer") && fits(tokens, rest) {
		return "the token is right without the word Bearer"
	}
	if fits(tokens, strings.Trim(bare, `"`)) {
		return "the token is right without the quotes around it"
	}
	return ""
}

// misplaced finds the token in another header, or in one that is there twice.
func misplaced(tokens []signature.Token, h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if fits(tokens, value) || wrapped(tokens, value) != "" {
				return "the token is in the header " + strings.ToLower(name)
			}
		}
	}
	return ""
}
