package signature

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// ErrInvalidKey is wrapped by every error about a key that cannot be used. The
// text around it says what is wrong with the key and never quotes it.
var ErrInvalidKey = errors.New("signature: invalid key")

// A Key signs, and verifies what it signed: a [Secret] or a [SigningKey].
type Key interface {
	VerifyKey

	// appendSignature appends "<version>,<base64>".
	appendSignature(dst []byte, c content) []byte
}

// A VerifyKey verifies: a [Secret], a [PublicKey], or a [SigningKey], which
// holds its public half.
type VerifyKey interface {
	// version is what stands before the comma of this key's signatures.
	version() string
	// encodedLen is the length of this key's signatures in base64.
	encodedLen() int
	// usable is false for a zero value.
	usable() bool
	// matcher returns a function that reports whether a signature of
	// encodedLen characters is this key's signature of c. What does not depend
	// on the signature is computed once, before the function is returned.
	matcher(c content) func(encoded string) bool
}

// ParseKey reads a key to sign with: a [SigningKey] if the text begins with
// "whsk_", else a [Secret]. Errors wrap [ErrInvalidKey].
func ParseKey(text string) (Key, error) {
	if strings.HasPrefix(text, signingKeyPrefix) {
		return asKey(ParseSigningKey(text))
	}
	return asKey(ParseSecret(text))
}

// ParseVerifyKey reads a key to verify with: a [PublicKey] if the text begins
// with "whpk_", a [SigningKey] if it begins with "whsk_", else a [Secret].
// Errors wrap [ErrInvalidKey].
func ParseVerifyKey(text string) (VerifyKey, error) {
	if !strings.HasPrefix(text, publicKeyPrefix) {
		return ParseKey(text)
	}
	key, err := ParsePublicKey(text)
	if err != nil {
		return nil, err
	}
	return key, nil
}

// asKey returns a nil interface beside an error, not one that holds a zero key.
func asKey[K Key](key K, err error) (Key, error) {
	if err != nil {
		return nil, err
	}
	return key, nil
}

// checkUsable refuses an empty list and any key that nobody has set. Without
// it an empty HMAC key would do, and its signatures can be made by anyone.
func checkUsable[K VerifyKey](keys []K) error {
	if len(keys) == 0 {
		return fmt.Errorf("%w: no key was given", ErrInvalidKey)
	}
	for i, key := range keys {
		if any(key) == nil || !key.usable() {
			return fmt.Errorf("%w: key %d of %d is empty", ErrInvalidKey, i+1, len(keys))
		}
	}
	return nil
}

// decodeKey reads the base64 of a key whose prefix is gone already. The noun
// names the key in errors.
func decodeKey(noun, encoded string) ([]byte, error) {
	if encoded == "" {
		return nil, fmt.Errorf("%w: the %s is empty", ErrInvalidKey, noun)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	// The decoder skips line breaks, which no key contains. Its own error is
	// dropped: it would tell where the text goes wrong.
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return nil, fmt.Errorf("%w: the %s is not standard base64 with padding", ErrInvalidKey, noun)
	}
	return raw, nil
}

// refusePrefix tells a reader who mixed up two kinds of keys, since the prefix
// exists to make that visible.
func refusePrefix(noun, text string, others ...string) error {
	for _, prefix := range others {
		if strings.HasPrefix(text, prefix) {
			return fmt.Errorf("%w: a key beginning with %q is no %s", ErrInvalidKey, prefix, noun)
		}
	}
	return nil
}

const redactedText = "[redacted]"

// redacted makes whatever embeds it print "[redacted]".
type redacted struct{}

// Format writes "[redacted]" for every verb, %d and %x included.
func (redacted) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redactedText) }

// String returns "[redacted]".
func (redacted) String() string { return redactedText }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redactedText }

// LogValue implements [slog.LogValuer] with "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText implements [encoding.TextMarshaler] with "[redacted]", so that a
// secret which strays into JSON or YAML does not leave by it.
func (redacted) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// hidden keeps a key where fmt does not find it. Where fmt meets a secret
// inside an unexported field it calls no methods, and with a verb that does
// not suit (%s) it even follows pointers; of a function it only ever prints the
// address. A function also refuses ==, which is not constant in time.
type hidden[K any] struct {
	key func() *K // nil in the zero value of a key
}

func hide[K any](key *K) hidden[K] { return hidden[K]{key: func() *K { return key }} }

func (h hidden[K]) usable() bool { return h.key != nil }
