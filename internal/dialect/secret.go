package dialect

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
)

// hexSecretBytes is the length of a secret that is made here, before it is written as
// hexadecimal digits.
const hexSecretBytes = 32

// NewHexSecret makes a secret of 64 hexadecimal digits, for vendors whose secrets have no
// form of their own.
func NewHexSecret() string {
	raw := make([]byte, hexSecretBytes)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// InForce is the secret that a request carries which has room for one: of several, newest
// first, the oldest, whose grace period has not ended.
func InForce(secrets []string) (string, error) {
	if len(secrets) == 0 {
		return "", errors.New("there is no secret")
	}
	return secrets[len(secrets)-1], nil
}
