// Package probe defines the messages that the bench sends, and how a receiver recognises them: a JSON payload of fixed
// length with a sequence number and the time of sending at fixed offsets, which is either one of the bench's own or a
// sample of the catalogue's, and the webhook-* headers of Standard Webhooks with a v1 signature.
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

// EventType is the event type of the messages that are the bench's own.
const EventType = "bench.joined"

// The payload up to its two stamps. A stamp is 16 hex digits, so every payload of a size has one layout and the sink
// reads it without a JSON parser.
const (
	beforeSeq  = `{"type":"` + EventType + `","seq":"`
	beforeSent = `","sent":"`
	afterSent  = `","data":{`
	tail       = `"}}`
	stampLen   = 16
	ownSeqAt   = len(beforeSeq)
	ownSentAt  = ownSeqAt + stampLen + len(beforeSent)
	ownDataAt  = ownSentAt + stampLen
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
const MinPayloadBytes = ownDataAt + len(afterSent) + len(note) + len(tail)

// Template is a payload up to its two stamps. Its methods are safe for concurrent use.
type Template struct {
	body          []byte
	seqAt, sentAt int // where the stamps begin
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
	return Template{body: []byte(body), seqAt: ownSeqAt, sentAt: ownSentAt}, nil
}

// Mark is an id that carries both stamps, here with nothing in them. Where a payload has it for an id, a vendor's webhook
// has it too, whatever else the dialect makes of the message.
const (
	Mark       = markHead + "0000000000000000" + "-" + "0000000000000000"
	markHead   = "bench-"
	markSeqAt  = len(markHead)
	markSentAt = markSeqAt + stampLen + len("-")
)

// Marked makes a template of a payload in which Mark stands once.
func Marked(payload []byte) (Template, error) {
	if n := bytes.Count(payload, []byte(Mark)); n != 1 {
		return Template{}, fmt.Errorf("a payload has %d marks: exactly one is needed", n)
	}
	at := bytes.Index(payload, []byte(Mark))
	return Template{body: bytes.Clone(payload), seqAt: at + markSeqAt, sentAt: at + markSentAt}, nil
}

// Len is the length of every payload of the template.
func (t Template) Len() int { return len(t.body) }

// Append appends the payload with number seq, sent at the Unix time sent in nanoseconds, to dst.
func (t Template) Append(dst []byte, seq uint64, sent int64) []byte {
	start := len(dst)
	dst = append(dst, t.body...)
	putHex(dst[start+t.seqAt:], seq)
	putHex(dst[start+t.sentAt:], uint64(sent))
	return dst
}

// ErrAltered means that a body is not, byte for byte, a payload of this template.
var ErrAltered = errors.New("body is not the payload as it was posted")

// Read returns the stamps of a payload, or ErrAltered if any byte beside the stamps differs from the template.
func (t Template) Read(body []byte) (seq uint64, sent int64, err error) {
	betweenAt, restAt := t.seqAt+stampLen, t.sentAt+stampLen
	if len(body) != len(t.body) ||
		!bytes.Equal(body[:t.seqAt], t.body[:t.seqAt]) ||
		!bytes.Equal(body[betweenAt:t.sentAt], t.body[betweenAt:t.sentAt]) ||
		!bytes.Equal(body[restAt:], t.body[restAt:]) {
		return 0, 0, ErrAltered
	}
	return readStamps(body[t.seqAt:betweenAt], body[t.sentAt:restAt])
}

// readStamps reads both stamps' digits.
func readStamps(seqDigits, sentDigits []byte) (seq uint64, sent int64, err error) {
	seq, seqOK := readHex(seqDigits)
	at, sentOK := readHex(sentDigits)
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
