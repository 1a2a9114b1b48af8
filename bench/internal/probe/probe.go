// Package probe defines the one message that the bench sends, and how a receiver recognises it: a JSON payload of fixed
// length with a sequence number and the time of sending at fixed offsets, and the webhook-* headers of Standard Webhooks
// with a v1 signature.
//
// It imports nothing of the product, so that the bench is an independent check of what the service delivers: every byte
// of a delivered payload is compared with what was posted, and signatures are verified by code of our own.
package probe

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// EventType is the event type of every message that the bench posts.
const EventType = "bench.joined"

// The payload up to its two stamps. A stamp is 16 hex digits, so every payload of a size has one layout and the sink
// reads it without a JSON parser.
const (
	beforeSeq  = `{"type":"` + EventType + `","seq":"`
	beforeSent = `","sent":"`
	afterSent  = `","data":{`
	tail       = `"}}`
	stampLen   = 16
	seqAt      = len(beforeSeq)
	sentAt     = seqAt + stampLen + len(beforeSent)
	dataAt     = sentAt + stampLen
)

// person is the realistic part of the payload: what a platform says when somebody joins a session. A payload too small
// for it carries filler only.
const person = `"action":"JOINED_SESSION","registration":{"id":"d5e31ba5-2d1e-4918-bb60-dd1514b4b397","firstName":"Jane",` +
	`"lastName":"Smith","email":"jane.smith@example.com","company":"Example Ltd","designation":"Software Engineer"},` +
	`"event":{"id":"3c90c3cc-0d44-4b50-8888-8dd25736052a","name":"Spring webinar","timezone":"UTC","status":"ONGOING"},` +
	`"session":{"id":"7f1f3d54-9a61-4f0b-8a53-0d6f4a1b8e11","title":"Opening","startDateTime":"2026-03-14T05:55:00Z"},`

const (
	note   = `"note":"`
	filler = "joined from the lobby after the doors opened; "
)

// MinPayloadBytes is the smallest payload that holds both stamps.
const MinPayloadBytes = dataAt + len(afterSent) + len(note) + len(tail)

// Template is the payload of one size. Its methods are safe for concurrent use.
type Template struct {
	body []byte
}

// NewTemplate lays out a payload of exactly size bytes; size below MinPayloadBytes is an error.
func NewTemplate(size int) (Template, error) {
	if size < MinPayloadBytes {
		return Template{}, fmt.Errorf("payload of %d bytes: at least %d are needed", size, MinPayloadBytes)
	}
	zero := strings.Repeat("0", stampLen)
	body := beforeSeq + zero + beforeSent + zero + afterSent
	if size >= MinPayloadBytes+len(person) {
		body += person
	}
	body += note
	room := size - len(body) - len(tail)
	body += strings.Repeat(filler, room/len(filler)+1)[:room] + tail
	return Template{body: []byte(body)}, nil
}

// Append appends the payload with number seq, sent at the Unix time sent in nanoseconds, to dst.
func (t Template) Append(dst []byte, seq uint64, sent int64) []byte {
	start := len(dst)
	dst = append(dst, t.body...)
	putHex(dst[start+seqAt:], seq)
	putHex(dst[start+sentAt:], uint64(sent))
	return dst
}

// ErrAltered means that a body is not, byte for byte, a payload of this template.
var ErrAltered = errors.New("body is not the payload as it was posted")

// Read returns the stamps of a payload, or ErrAltered if any byte beside the stamps differs from the template.
func (t Template) Read(body []byte) (seq uint64, sent int64, err error) {
	if len(body) != len(t.body) ||
		!bytes.Equal(body[:seqAt], t.body[:seqAt]) ||
		!bytes.Equal(body[seqAt+stampLen:sentAt], t.body[seqAt+stampLen:sentAt]) ||
		!bytes.Equal(body[dataAt:], t.body[dataAt:]) {
		return 0, 0, ErrAltered
	}
	seq, seqOK := readHex(body[seqAt : seqAt+stampLen])
	at, sentOK := readHex(body[sentAt:dataAt])
	if !seqOK || !sentOK {
		return 0, 0, ErrAltered
	}
	return seq, int64(at), nil
}

const hexDigits = "0123456789abcdef"

// putHex writes v as 16 lower-case hex digits to the start of dst.
func putHex(dst []byte, v uint64) {
	for i := stampLen - 1; i >= 0; i-- {
		dst[i] = hexDigits[v&15]
		v >>= 4
	}
}

// readHex reads 16 lower-case hex digits.
func readHex(digits []byte) (v uint64, ok bool) {
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// HashID is the 64 bit FNV-1a hash of a message id, by which generator and sink agree on ids without storing them. It is
// never 0, which stands for "no id" in both.
func HashID[T string | []byte](id T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return max(h, 1)
}
