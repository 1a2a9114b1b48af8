package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/callboard/callboard/signature"
)

// WithToken demands a token in a header of each request, besides what the
// dialect verifies. It is for senders that let one set a custom header: the
// header may also be "Authorization", with a token such as "Bearer …".
//
// Given again for the same header it admits one more token, for rotation;
// given for another header it demands both. If [New] is given a token and no
// secrets, the token alone proves who sends. It proves nothing about the body:
// TLS has to protect that.
//
// The name must be one that HTTP allows; the token must not be empty, and of
// printable ASCII characters.
func WithToken(header, token string) Option {
	// The token is parsed here, since what a config holds may be printed.
	parsed, err := signature.NewToken(token)
	if err == nil && !isHeaderName(header) {
		// The name is not quoted: whoever swaps the two puts the token there.
		err = errors.New("the name of the header is none that HTTP allows")
	}
	return func(c *config) {
		if err != nil {
			c.tokenErr = errors.Join(c.tokenErr, fmt.Errorf("token: %w", err))
			return
		}
		c.tokens = c.tokens.with(http.CanonicalHeaderKey(header), parsed)
	}
}

// isHeaderName reports whether name is a token of RFC 9110, section 5.6.2.
func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// tokenHeader is a header that must hold one of its tokens.
type tokenHeader struct {
	name   string // in net/http's canonical spelling
	tokens []signature.Token
}

func (h tokenHeader) verify(header http.Header) error {
	value, name := header.Get(h.name), strings.ToLower(h.name)
	if value == "" {
		return fmt.Errorf("%w: %s", signature.ErrMissingHeader, name)
	}
	for _, token := range h.tokens {
		if token.Verify(value) == nil {
			return nil
		}
	}
	return fmt.Errorf("the token in %s is wrong", name)
}

// tokenHeaders must all be content.
type tokenHeaders []tokenHeader

func (hs tokenHeaders) with(name string, token signature.Token) tokenHeaders {
	i := slices.IndexFunc(hs, func(h tokenHeader) bool { return h.name == name })
	if i < 0 {
		return append(hs, tokenHeader{name: name, tokens: []signature.Token{token}})
	}
	hs[i].tokens = append(hs[i].tokens, token)
	return hs
}

func (hs tokenHeaders) verify(header http.Header) error {
	for _, h := range hs {
		if err := h.verify(header); err != nil {
			return err
		}
	}
	return nil
}

// verifyFunc is for receivers without secrets. The id is whatever the sender
// says, as is the rest of the request.
func (hs tokenHeaders) verifyFunc(header http.Header, _ []byte) (signature.Verified, error) {
	if err := hs.verify(header); err != nil {
		return signature.Verified{}, err
	}
	id := header.Get(signature.HeaderID)
	if id == "" {
		id = header.Get(signature.HeaderSvixID)
	}
	return signature.Verified{ID: id}, nil
}

// authenticator joins what the secrets verify with what the tokens do.
func authenticator(verifier verifierFunc, secrets []string, c config) (verifyFunc, error) {
	switch {
	case len(secrets) > 0:
	case len(c.tokens) > 0:
		return c.tokens.verifyFunc, nil
	default:
		return nil, errors.New("there is no secret and no token")
	}
	verify, err := verifier(secrets, c.tolerance)
	if err != nil || len(c.tokens) == 0 {
		return verify, err
	}
	return func(header http.Header, body []byte) (signature.Verified, error) {
		if err := c.tokens.verify(header); err != nil {
			return signature.Verified{}, err
		}
		return verify(header, body)
	}, nil
}
