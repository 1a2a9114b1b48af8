package signature

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	signingKeyPrefix = "whsk_"
	publicKeyPrefix  = "whpk_"
	versionV1a       = "v1a"
)

// A SigningKey is the private key of version v1a, ed25519. It prints as
// "[redacted]" everywhere. The zero SigningKey is empty and is refused by
// [NewSigner] and [NewVerifier]. Copies share one key; compare with Equal.
type SigningKey struct {
	redacted

	hidden[ed25519.PrivateKey]
}

// GenerateSigningKey returns a random SigningKey.
func GenerateSigningKey() SigningKey {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // It never fails: it ends the process instead.
	key := ed25519.NewKeyFromSeed(seed)
	return SigningKey{hidden: hide(&key)}
}

// ParseSigningKey reads a SigningKey from "whsk_" and the base64 of 64 bytes,
// 32 of seed and 32 of public key, or from the base64 alone. A public half
// that does not belong to the seed is an error, since signing with such a pair
// gives the seed away. Errors wrap [ErrInvalidKey].
func ParseSigningKey(text string) (SigningKey, error) {
	if err := refusePrefix("signing key", text, secretPrefix, publicKeyPrefix); err != nil {
		return SigningKey{}, err
	}
	raw, err := decodeKey("signing key", strings.TrimPrefix(text, signingKeyPrefix))
	if err != nil {
		return SigningKey{}, err
	}
	if len(raw) != ed25519.PrivateKeySize {
		return SigningKey{}, fmt.Errorf("%w: the signing key has %d bytes, of %d wanted",
			ErrInvalidKey, len(raw), ed25519.PrivateKeySize)
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	if subtle.ConstantTimeCompare(key, raw) != 1 {
		return SigningKey{}, fmt.Errorf("%w: the signing key's halves do not belong together", ErrInvalidKey)
	}
	return SigningKey{hidden: hide(&key)}, nil
}

// Reveal returns the key in its written form, "whsk_" and base64. It is the
// only way to the value. The zero SigningKey reveals "".
func (k SigningKey) Reveal() string {
	if !k.usable() {
		return ""
	}
	return signingKeyPrefix + base64.StdEncoding.EncodeToString(*k.key())
}

// Public returns the half that a consumer verifies with.
func (k SigningKey) Public() PublicKey {
	if !k.usable() {
		return PublicKey{}
	}
	return PublicKey{key: string((*k.key())[ed25519.SeedSize:])}
}

// Equal reports in constant time whether both are the same key.
func (k SigningKey) Equal(other SigningKey) bool {
	if !k.usable() || !other.usable() {
		return k.usable() == other.usable()
	}
	return subtle.ConstantTimeCompare(*k.key(), *other.key()) == 1
}

func (k SigningKey) version() string { return versionV1a }

func (k SigningKey) encodedLen() int { return k.Public().encodedLen() }

func (k SigningKey) appendSignature(dst []byte, c content) []byte {
	dst = append(dst, versionV1a+","...)
	return base64.StdEncoding.AppendEncode(dst, ed25519.Sign(*k.key(), c.bytes()))
}

func (k SigningKey) matcher(c content) func(string) bool { return k.Public().matcher(c) }

// A PublicKey verifies version v1a. It is no secret and prints as it is
// written, "whpk_" and base64. The zero PublicKey is empty, prints as "" and
// is refused by [NewVerifier].
type PublicKey struct {
	key string // its 32 bytes; a string so that nobody can change them
}

// ParsePublicKey reads a PublicKey from "whpk_" and the base64 of 32 bytes, or
// from the base64 alone. Errors wrap [ErrInvalidKey].
func ParsePublicKey(text string) (PublicKey, error) {
	if err := refusePrefix("public key", text, secretPrefix, signingKeyPrefix); err != nil {
		return PublicKey{}, err
	}
	raw, err := decodeKey("public key", strings.TrimPrefix(text, publicKeyPrefix))
	if err != nil {
		return PublicKey{}, err
	}
	if len(raw) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("%w: the public key has %d bytes, of %d wanted",
			ErrInvalidKey, len(raw), ed25519.PublicKeySize)
	}
	// Zeros are what a forgotten key looks like. They decode to a point of
	// order four, under which anybody can sign.
	if bytes.Equal(raw, make([]byte, ed25519.PublicKeySize)) {
		return PublicKey{}, fmt.Errorf("%w: the public key is all zeros", ErrInvalidKey)
	}
	return PublicKey{key: string(raw)}, nil
}

// String returns the key in its written form, "whpk_" and base64.
func (k PublicKey) String() string {
	if !k.usable() {
		return ""
	}
	return publicKeyPrefix + base64.StdEncoding.EncodeToString([]byte(k.key))
}

// Equal reports whether both are the same key.
func (k PublicKey) Equal(other PublicKey) bool { return k.key == other.key }

// MarshalText implements [encoding.TextMarshaler] with the written form.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k PublicKey) version() string { return versionV1a }

func (k PublicKey) encodedLen() int { return base64.StdEncoding.EncodedLen(ed25519.SignatureSize) }

func (k PublicKey) usable() bool { return k.key != "" }

// matcher decodes strictly: of the several base64 texts that stand for one
// signature it admits the canonical one. The caller has checked the length, so
// a line break, which the decoder skips, leaves too few bytes.
func (k PublicKey) matcher(c content) func(string) bool {
	message := c.bytes()
	return func(encoded string) bool {
		sig, err := base64.StdEncoding.Strict().DecodeString(encoded)
		return err == nil && len(sig) == ed25519.SignatureSize &&
			ed25519.Verify(ed25519.PublicKey(k.key), message, sig)
	}
}
