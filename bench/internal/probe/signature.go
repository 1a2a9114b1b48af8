package probe

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks 1.0.0 in the canonical form in which net/http keys its header map.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is how far a timestamp may be off, either way (Standard Webhooks 1.0.0, verifying webhooks).
const Tolerance = 5 * time.Minute

const secretPrefix = "whsec_"

// NewSecret returns a fresh secret: whsec_ and 32 random bytes in base64.
func NewSecret() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // It never fails: crypto/rand ends the process rather than return an error.
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// Signer makes v1 signatures with one secret. It keeps its HMAC state and buffers, so a signature allocates only the
// string it returns; it is not safe for concurrent use.
type Signer struct {
	mac hash.Hash
	sum []byte
	buf []byte
}

// NewSigner takes a secret in the form whsec_<base64>. The error does not quote the secret.
func NewSigner(secret string) (*Signer, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) == 0 {
		return nil, errors.New("secret is not whsec_ and base64")
	}
	return &Signer{mac: hmac.New(sha256.New, key)}, nil
}

// Sign returns the value of webhook-signature, "v1,<base64>", over id.timestamp.body.
func (s *Signer) Sign(id, timestamp string, body []byte) string {
	s.buf = append(s.buf[:0], id...)
	s.buf = append(s.buf, '.')
	s.buf = append(s.buf, timestamp...)
	s.buf = append(s.buf, '.')
	s.mac.Reset()
	s.mac.Write(s.buf)
	s.mac.Write(body)
	s.sum = s.mac.Sum(s.sum[:0])
	s.buf = append(s.buf[:0], "v1,"...)
	return string(base64.StdEncoding.AppendEncode(s.buf, s.sum))
}

// Verify checks what a receiver must check: the three headers are there, the timestamp is within Tolerance of now, and
// one of the space-separated signatures is the v1 signature of this body.
func (s *Signer) Verify(id, timestamp, signatures string, body []byte, now time.Time) error {
	if id == "" || timestamp == "" || signatures == "" {
		return fmt.Errorf("a header of %s, %s, %s is missing", HeaderID, HeaderTimestamp, HeaderSignature)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no number of seconds", HeaderTimestamp)
	}
	if off := now.Sub(time.Unix(seconds, 0)); off.Abs() > Tolerance {
		return fmt.Errorf("%s is %s off", HeaderTimestamp, off)
	}
	want := s.Sign(id, timestamp, body)
	for signature := range strings.SplitSeq(signatures, " ") {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return nil
		}
	}
	return fmt.Errorf("no signature in %s fits", HeaderSignature)
}
