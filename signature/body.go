package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// BodyEncoding is how the bytes of a [BodyKey]'s signature become text.
type BodyEncoding int

// The encodings that senders use.
const (
	Hex    BodyEncoding = iota // written in lower case, read in either
	Base64                     // standard, with padding
)

// BodyScheme is how a sender writes the signature of a body.
type BodyScheme struct {
	Prefix   string // such as "sha256="
	Encoding BodyEncoding
}

// A BodyKey signs, and verifies, the body of a webhook and nothing else: it is
// the scheme of senders who put the HMAC-SHA256 of the body into one header.
// There is no time in it, so a recorded webhook verifies for ever: a receiver
// has to remember the ids that it has handled.
//
// It prints as "[redacted]" everywhere. The zero BodyKey is empty: its Sign
// panics and its Verify refuses everything.
type BodyKey struct {
	redacted

	hidden[bodyKey]
}

type bodyKey struct {
	hmacKey

	scheme BodyScheme
}

// NewBodyKey returns the key that is the text of a secret as it is shown, in
// UTF-8: hexadecimal digits are not decoded. An empty one, or an encoding that
// is none, is an error that wraps [ErrInvalidKey].
func NewBodyKey(secret string, scheme BodyScheme) (BodyKey, error) {
	if secret == "" {
		return BodyKey{}, fmt.Errorf("%w: the secret is empty", ErrInvalidKey)
	}
	if scheme.Encoding != Hex && scheme.Encoding != Base64 {
		return BodyKey{}, fmt.Errorf("%w: encoding %d is none", ErrInvalidKey, scheme.Encoding)
	}
	return BodyKey{hidden: hide(&bodyKey{hmacKey: hmacKey{raw: []byte(secret)}, scheme: scheme})}, nil
}

// Sign gives the value of the sender's header.
func (k BodyKey) Sign(body []byte) string {
	key := k.key()
	state := key.take()
	defer key.spare.Store(state)

	state.mac.Write(body)
	sum := state.mac.Sum(state.sum[:0])
	if key.scheme.Encoding == Base64 {
		return key.scheme.Prefix + base64.StdEncoding.EncodeToString(sum)
	}
	return key.scheme.Prefix + hex.EncodeToString(sum)
}

// Verify checks the value of the sender's header against the body's bytes as
// they came, in constant time. Its errors wrap [ErrMissingHeader] for an empty
// value, [ErrSignatureMalformed] for one without the prefix or of another
// length, and [ErrNoMatch].
func (k BodyKey) Verify(value string, body []byte) error {
	if !k.usable() {
		return fmt.Errorf("%w: the key is empty", ErrNoMatch)
	}
	if value == "" {
		return ErrMissingHeader
	}
	scheme := k.key().scheme
	encoded, ok := strings.CutPrefix(value, scheme.Prefix)
	if !ok {
		return fmt.Errorf("%w: it does not begin with %q", ErrSignatureMalformed, scheme.Prefix)
	}
	if scheme.Encoding == Hex {
		encoded = strings.ToLower(encoded)
	}
	want := k.Sign(body)[len(scheme.Prefix):]
	switch {
	case len(encoded) != len(want):
		return fmt.Errorf("%w: it has %d characters after the prefix, not %d", ErrSignatureMalformed, len(encoded), len(want))
	case subtle.ConstantTimeCompare([]byte(encoded), []byte(want)) != 1:
		return ErrNoMatch
	}
	return nil
}

// A Token is a text that a sender puts into a header of each webhook as it is.
// It proves who sends, as long as it stays secret, and nothing about the body:
// TLS has to protect that.
//
// It prints as "[redacted]" everywhere. The zero Token is empty and verifies
// nothing.
type Token struct {
	redacted

	hidden[string]
}

// NewToken returns the token of this text. An empty one, or one that cannot be
// the value of a header, is an error that wraps [ErrInvalidKey].
func NewToken(text string) (Token, error) {
	if text == "" {
		return Token{}, fmt.Errorf("%w: the token is empty", ErrInvalidKey)
	}
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return Token{}, fmt.Errorf("%w: the token has a character that no header can carry", ErrInvalidKey)
		}
	}
	if strings.Trim(text, " ") != text {
		return Token{}, fmt.Errorf("%w: the token begins or ends with a space, which headers lose", ErrInvalidKey)
	}
	return Token{hidden: hide(&text)}, nil
}

// Reveal gives the token's text; "" for the zero Token.
func (t Token) Reveal() string {
	if !t.usable() {
		return ""
	}
	return *t.key()
}

// Verify checks the value of a header, in a time that tells nothing about the
// token, its length included. Its errors wrap [ErrMissingHeader] for an empty
// value and [ErrNoMatch].
func (t Token) Verify(value string) error {
	if value == "" {
		return ErrMissingHeader
	}
	got, want := sha256.Sum256([]byte(value)), sha256.Sum256([]byte(t.Reveal()))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !t.usable() {
		return ErrNoMatch
	}
	return nil
}
