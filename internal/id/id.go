// Package id makes the identifiers of Callboard: 8 bytes inside, an opaque
// sortable string outside.
//
// Inside, an ID is an int64 that ascends with time: 42 bits of milliseconds
// since 2020-01-01 UTC, 8 bits of node number, 13 bits of sequence. Rows keyed
// by it are appended, never scattered, which is what keeps inserts cheap.
//
// Outside, an id is a prefix such as "msg_" and 27 base62 characters: 20 bytes,
// namely the int64 in big-endian order and 12 bytes of
// HMAC-SHA256(installation key, kind ‖ int64). The form is that of a KSUID, so
// strings sort as the ids do, and a forged or mistyped id is refused by a
// computation instead of a read.
package id

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash"
	"sync"
	"time"
)

// ID is a row's identifier. Zero is no id.
type ID int64

// Kind is what an id names; ids of different kinds never decode as each other.
type Kind uint8

// The kinds of ids. Their numbers enter the MAC: append only.
const (
	App Kind = iota + 1
	Endpoint
	Message
	Attempt
	Task
	Object   // of live state: lists of it go by such ids, which name nothing else
	Source   // where a vendor's webhooks come in
	Received // a request that came in at a source
)

// prefixes hold the text before the 27 characters, indexed by Kind.
var prefixes = [...]string{
	App: "app_", Endpoint: "ep_", Message: "msg_", Attempt: "atmpt_", Task: "qtask_", Object: "obj_", Source: "src_", Received: "rcv_",
}

// Prefix is the text that external ids of this kind begin with.
func (k Kind) Prefix() string { return prefixes[k] }

const (
	nodeBits = 8
	seqBits  = 13
	seqMask  = 1<<seqBits - 1
	msShift  = nodeBits + seqBits

	rawBytes  = 20
	textChars = 27
	macBytes  = rawBytes - 8

	// KeyBytes is the length of an installation's id key.
	KeyBytes = 32
)

// epochMS is 2020-01-01T00:00:00Z in Unix milliseconds, the origin of ids.
const epochMS = 1577836800000

// Time is when the id was taken, to the millisecond, in UTC.
func (i ID) Time() time.Time {
	return time.UnixMilli(int64(i)>>msShift + epochMS).UTC()
}

// Node is the number of the node that took the id.
func (i ID) Node() int { return int(i>>seqBits) & MaxNode }

// AtTime is the smallest id that could be taken at t or later; it turns bounds
// of time into bounds of ids. Times before 2020 give 0.
func AtTime(t time.Time) ID {
	ms := t.UnixMilli() - epochMS
	if ms < 0 {
		return 0
	}
	if ms >= 1<<42 {
		ms = 1<<42 - 1
	}
	return ID(ms << msShift)
}

// Codec turns ids into external text and back under one installation's key.
// It is safe for concurrent use.
type Codec struct {
	macs   sync.Pool
	sealer *sealer
}

// NewCodec makes a codec. The key is KeyBytes random bytes that are kept in the
// database, so that every node of an installation speaks the same ids.
func NewCodec(key []byte) (*Codec, error) {
	if len(key) != KeyBytes {
		return nil, errors.New("id key must be 32 bytes")
	}
	key = append([]byte(nil), key...)
	s, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	c := &Codec{sealer: s}
	c.macs.New = func() any { return hmac.New(sha256.New, key) }
	return c, nil
}

// Encode gives the external text of id, for example "msg_" + 27 characters.
func (c *Codec) Encode(kind Kind, id ID) string {
	var raw [rawBytes]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(id))
	c.mac(kind, raw[:8], raw[8:])
	prefix := kind.Prefix()
	var out [6 + textChars]byte
	n := copy(out[:], prefix)
	encode62(out[n:n+textChars], &raw)
	return string(out[:n+textChars])
}

// Decode reads an external id of the given kind. It reports false for any text
// that this installation cannot have issued.
func (c *Codec) Decode(kind Kind, text string) (ID, bool) {
	raw, ok := Bytes(kind, text)
	if !ok {
		return 0, false
	}
	var want [macBytes]byte
	c.mac(kind, raw[:8], want[:])
	if subtle.ConstantTimeCompare(want[:], raw[8:]) != 1 {
		return 0, false
	}
	id := ID(binary.BigEndian.Uint64(raw[:8]))
	return id, id > 0
}

// mac writes the first macBytes of HMAC(key, kind ‖ id) to dst.
func (c *Codec) mac(kind Kind, id, dst []byte) {
	h := c.macs.Get().(hash.Hash)
	defer c.macs.Put(h)
	h.Reset()
	var in [9]byte
	in[0] = byte(kind)
	copy(in[1:], id)
	h.Write(in[:])
	var sum [sha256.Size]byte
	copy(dst, h.Sum(sum[:0]))
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// encode62 writes raw, a big-endian number, as base62 of fixed width. It divides
// the number as five 32-bit limbs by 62^5 at a time, because this runs on the
// path of every message.
func encode62(dst []byte, raw *[rawBytes]byte) {
	var limbs [5]uint64
	for i := range limbs {
		limbs[i] = uint64(binary.BigEndian.Uint32(raw[4*i:]))
	}
	const chunk = 62 * 62 * 62 * 62 * 62
	for end := textChars; end > 0; end -= 5 {
		var rem uint64
		for i := range limbs {
			cur := rem<<32 | limbs[i]
			limbs[i], rem = cur/chunk, cur%chunk
		}
		for j := 1; j <= 5 && end-j >= 0; j++ {
			dst[end-j] = alphabet[rem%62]
			rem /= 62
		}
	}
}

// Bytes are the 20 bytes of an external id of a kind, the ID and its MAC, whoever
// issued it; it reports false for text of another form.
func Bytes(kind Kind, text string) (raw [rawBytes]byte, ok bool) {
	prefix := kind.Prefix()
	if len(text) != len(prefix)+textChars || text[:len(prefix)] != prefix {
		return raw, false
	}
	return decode62(text[len(prefix):])
}

// decode62 reads 27 base62 characters as 20 bytes; it reports false for other
// characters and for numbers that do not fit.
func decode62(text string) (raw [rawBytes]byte, ok bool) {
	var limbs [5]uint64
	for i := range len(text) {
		digit, ok := digit62(text[i])
		if !ok {
			return raw, false
		}
		carry := digit
		for j := len(limbs) - 1; j >= 0; j-- {
			cur := limbs[j]*62 + carry
			limbs[j], carry = cur&0xffffffff, cur>>32
		}
		if carry != 0 {
			return raw, false
		}
	}
	for i, l := range limbs {
		binary.BigEndian.PutUint32(raw[4*i:], uint32(l))
	}
	return raw, true
}

func digit62(c byte) (uint64, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0'), true
	case c >= 'A' && c <= 'Z':
		return uint64(c-'A') + 10, true
	case c >= 'a' && c <= 'z':
		return uint64(c-'a') + 36, true
	}
	return 0, false
}

// OrgFromBytes is the external id of an org made from 20 bytes. Orgs are outside
// the MAC scheme: any well-formed "org_…" is a valid org (see WellFormedOrg).
func OrgFromBytes(raw [rawBytes]byte) string {
	var out [textChars]byte
	encode62(out[:], &raw)
	return "org_" + string(out[:])
}

// WellFormedOrg reports whether text is "org_" and 27 base62 characters that
// hold at most 160 bits.
func WellFormedOrg(text string) bool {
	if len(text) != 4+textChars || text[:4] != "org_" {
		return false
	}
	_, ok := decode62(text[4:])
	return ok
}
