package signature

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Signer signs webhooks with one key or, while keys are rotated, with
// several. It is safe for concurrent use.
type Signer struct {
	keys []Key
}

// NewSigner returns a Signer whose signatures stand in the order of its keys.
// No key, or an empty one, is an error that wraps [ErrInvalidKey].
func NewSigner(keys ...Key) (*Signer, error) {
	if err := checkUsable(keys); err != nil {
		return nil, err
	}
	return &Signer{keys: slices.Clone(keys)}, nil
}

// Append appends the value of [HeaderSignature] to dst and returns it: one
// signature per key, separated by spaces. With secrets only (v1) and room in
// dst it does not allocate. About 50 bytes of room per secret and 100 per
// signing key are enough.
//
// The id and the Unix second of sentAt must be what [HeaderID] and
// [HeaderTimestamp] say, and the body's bytes those that are sent. The id must
// not contain a dot, the separator of the signed content, unless whoever
// chooses ids may be trusted ("Signature scheme" of the standard).
func (s *Signer) Append(dst []byte, id string, sentAt time.Time, body []byte) []byte {
	c := content{id: id, unixSeconds: sentAt.Unix(), body: body}
	for i, key := range s.keys {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = key.appendSignature(dst, c)
	}
	return dst
}

// Sign is [Signer.Append] as a string.
func (s *Signer) Sign(id string, sentAt time.Time, body []byte) string {
	const roomPerKey = 100
	dst := make([]byte, 0, roomPerKey*len(s.keys))
	return string(s.Append(dst, id, sentAt, body))
}

// SetHeaders sets [HeaderID], [HeaderTimestamp] and [HeaderSignature].
func (s *Signer) SetHeaders(header http.Header, id string, sentAt time.Time, body []byte) {
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, strconv.FormatInt(sentAt.Unix(), 10))
	header.Set(HeaderSignature, s.Sign(id, sentAt, body))
}
