package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"sync/atomic"
)

const (
	secretPrefix = "whsec_"
	versionV1    = "v1"

	// The limits are the standard's: 192 to 512 bits.
	minSecretBytes = 24
	maxSecretBytes = 64
	// newSecretBytes is as long as the hash, beyond which HMAC gains nothing.
	newSecretBytes = sha256.Size
)

// A Secret is the shared key of version v1, HMAC-SHA256, of 24 to 64 bytes. It
// prints as "[redacted]" everywhere. The zero Secret is empty and is refused
// by [NewSigner] and [NewVerifier]. Copies share one secret; compare with
// Equal.
type Secret struct {
	redacted

	hidden[hmacKey]
}

// GenerateSecret returns a Secret of 32 random bytes.
func GenerateSecret() Secret {
	raw := make([]byte, newSecretBytes)
	_, _ = rand.Read(raw) // It never fails: it ends the process instead.
	return Secret{hidden: hide(&hmacKey{raw: raw})}
}

// NewSecret returns the Secret of these bytes, which it copies. Fewer than 24
// or more than 64 are an error that wraps [ErrInvalidKey].
func NewSecret(raw []byte) (Secret, error) {
	if len(raw) < minSecretBytes || len(raw) > maxSecretBytes {
		return Secret{}, fmt.Errorf("%w: the secret has %d bytes, of %d to %d allowed",
			ErrInvalidKey, len(raw), minSecretBytes, maxSecretBytes)
	}
	return Secret{hidden: hide(&hmacKey{raw: bytes.Clone(raw)})}, nil
}

// ParseSecret reads a Secret from "whsec_" and base64, or from the base64
// alone, as the standard's libraries also do. Errors wrap [ErrInvalidKey].
func ParseSecret(text string) (Secret, error) {
	if err := refusePrefix("secret", text, signingKeyPrefix, publicKeyPrefix); err != nil {
		return Secret{}, err
	}
	raw, err := decodeKey("secret", strings.TrimPrefix(text, secretPrefix))
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(raw)
}

// Reveal returns the secret in its written form, "whsec_" and base64. It is
// the only way to the value. The zero Secret reveals "".
func (s Secret) Reveal() string {
	if !s.usable() {
		return ""
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(s.key().raw)
}

// Equal reports in constant time whether both are the same secret.
func (s Secret) Equal(other Secret) bool {
	if !s.usable() || !other.usable() {
		return s.usable() == other.usable()
	}
	return subtle.ConstantTimeCompare(s.key().raw, other.key().raw) == 1
}

func (s Secret) version() string { return versionV1 }

func (s Secret) encodedLen() int { return base64.StdEncoding.EncodedLen(sha256.Size) }

func (s Secret) appendSignature(dst []byte, c content) []byte {
	dst = append(dst, versionV1+","...)
	return s.key().appendSum(dst, c)
}

// matcher compares the encoded forms: there is then one spelling of each
// signature, and nothing of a stranger's is decoded.
func (s Secret) matcher(c content) func(string) bool {
	want := s.key().appendSum(nil, c)
	return func(encoded string) bool {
		return subtle.ConstantTimeCompare([]byte(encoded), want) == 1
	}
}

// hmacKey is a key with an HMAC that was made for it earlier. Making one
// hashes two blocks and allocates six times, as much work again as a small
// body; resetting one restores both blocks from a copy.
//
// One spare is enough: a sum takes about a microsecond, so two goroutines
// rarely meet at one key, and then the second makes its own. A sync.Pool per
// key measured the same and would add a pool per endpoint for each garbage
// collection to clear while the world stands still.
type hmacKey struct {
	raw   []byte
	spare atomic.Pointer[hmacState]
}

// hmacState is what one sum works with. The slices live here because whatever
// goes through hash.Hash escapes to the heap.
type hmacState struct {
	mac  hash.Hash
	head []byte
	sum  [sha256.Size]byte
}

// appendSum appends the base64 of the content's HMAC.
func (k *hmacKey) appendSum(dst []byte, c content) []byte {
	state := k.take()
	defer k.spare.Store(state)

	state.head = c.appendHead(state.head[:0])
	state.mac.Write(state.head)
	state.mac.Write(c.body)
	return base64.StdEncoding.AppendEncode(dst, state.mac.Sum(state.sum[:0]))
}

// take returns a state with nothing written to it that nobody else holds.
func (k *hmacKey) take() *hmacState {
	if state := k.spare.Swap(nil); state != nil {
		state.mac.Reset()
		return state
	}
	return &hmacState{mac: hmac.New(sha256.New, k.raw)}
}
