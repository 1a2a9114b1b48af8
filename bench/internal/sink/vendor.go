package sink

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// maxVendorBody bounds the bodies of dialects, whose lengths the sink does not know beforehand.
const maxVendorBody = 64 << 10

// Live and TimeSpent stand for the dialect of a slot that hears, in native, what live state says; Inbound for that of one
// which hears, in native, what a vendor says, and ZuddlAgain for that of one to which Zuddl's webhooks go on byte for byte.
const (
	Live       = "live"
	TimeSpent  = "time spent"
	Inbound    = "inbound"
	ZuddlAgain = "zuddl again"
	liveTimes  = "timestamp createdAt updatedAt"
)

// vendor is what the sink looks for in webhooks of a dialect.
type vendor struct {
	word     string // path of the member that says what happened
	id       string // path of the id that carries the mark
	own      string // name of a string member with an id of the webhook's own
	loose    string // names of members, all strings of one length, that may say anything
	header   string // the header with the message's id
	untold   bool   // the API's answers do not tell that id
	verifier func(secret string) (verifier, error)
}

// vendors are the dialects by name. Only the path of the id depends on the event type, and is that of the type that the
// bench posts.
func vendors() map[string]vendor {
	family := func(name string) func(string) (verifier, error) {
		return func(secret string) (verifier, error) { return newStandard(name, secret) }
	}
	return map[string]vendor{
		"zuddl":        {word: "action", id: "registration.id", own: "actionId", verifier: newBodyMAC},
		"sessionboard": {word: "metadata.action", id: "data.id", header: "Svix-Id", verifier: family("Svix")},
		"oration":      {word: "eventType", id: "payload.id", own: "eventId", header: probe.HeaderID, verifier: family("Webhook")},
		"iotum":        {word: "event", id: "payload.participant_id", verifier: newToken},
		// What live state says of a registration, in native. Time spent is told by the service's own clock, so that the
		// generator knows no id.
		Live:      {word: "type", id: "data.registration.id", loose: liveTimes, header: probe.HeaderID, verifier: family("Webhook")},
		TimeSpent: {word: "type", id: "data.registration.id", loose: liveTimes, header: probe.HeaderID, untold: true, verifier: family("Webhook")},
		// Vendors are told no id.
		ZuddlAgain: {word: "action", id: "registration.id", verifier: newBodyMAC},
		Inbound:    {word: "type", id: "data.registration.id", header: probe.HeaderID, untold: true, verifier: family("Webhook")},
	}
}

// vendorReader reads the webhooks of one endpoint that speaks a dialect. The first is read as JSON and must say what
// happened and carry the mark where the vendor has the id. It becomes the frame that all later ones must fit byte by byte,
// which is a hundred times cheaper than reading them all.
type vendorReader struct {
	vendor
	expected string // value of the member word
	frames   []atomic.Pointer[probe.Frame]
}

func newVendorReader(c Slot) (*vendorReader, error) {
	v, known := vendors()[c.Dialect]
	if !known || c.Word == "" || c.Frames < 0 {
		return nil, fmt.Errorf("dialect %q with the word %q, %d frames", c.Dialect, c.Word, c.Frames)
	}
	reader := &vendorReader{vendor: v, expected: c.Word, frames: make([]atomic.Pointer[probe.Frame], max(c.Frames, 1))}
	if len(c.Payload) == 0 {
		return reader, nil
	}
	frame, err := reader.learn(c.Payload)
	reader.frames[0].Store(frame)
	return reader, err
}

func (v *vendorReader) newVerifier(secret string) (verifier, error) { return v.verifier(secret) }

// unnamed is true where no header has the id that the API answered with.
func (v *vendorReader) unnamed() bool { return v.header == "" || v.untold }

func (v *vendorReader) read(h http.Header, body []byte) (arrival, error) {
	place, err := v.place(body)
	if err != nil {
		return arrival{}, err
	}
	frame := place.Load()
	if frame == nil {
		if frame, err = v.learn(body); err != nil {
			return arrival{}, err
		}
		if !place.CompareAndSwap(nil, frame) {
			frame = place.Load()
		}
	}
	seq, sent, own, err := frame.Read(body)
	if err != nil {
		return arrival{}, err
	}
	id, err := v.name(h, own)
	return arrival{seq: seq, id: id, sent: sent}, err
}

// place is where the frame of a webhook stands: of several, messages have one in turn.
func (v *vendorReader) place(body []byte) (*atomic.Pointer[probe.Frame], error) {
	if len(v.frames) == 1 {
		return &v.frames[0], nil
	}
	seq, _, err := probe.FirstMark(body)
	return &v.frames[seq%uint64(len(v.frames))], err
}

// learn reads the first webhook of a frame.
func (v *vendorReader) learn(body []byte) (*probe.Frame, error) {
	if word, err := lookUp(body, v.word); err != nil || word != v.expected {
		return nil, fmt.Errorf("%s is not %s: %w", v.word, v.expected, errors.Join(probe.ErrAltered, err))
	}
	id, err := lookUp(body, v.id)
	if err != nil {
		return nil, err
	}
	if _, _, err := probe.ReadMark([]byte(id)); err != nil {
		return nil, fmt.Errorf("%s: %w", v.id, err)
	}
	return probe.NewFrame(body, v.own, strings.Fields(v.loose)...)
}

// name is the hash of what names the message: the id that the API answered with or, where no header has it, the webhook's
// own id. A dialect with neither has one name for all.
func (v *vendorReader) name(h http.Header, own []byte) (uint64, error) {
	if v.header == "" {
		return probe.HashID(own), nil
	}
	id := first(h[v.header])
	_, bare, _ := strings.Cut(id, "_")
	if bare == "" {
		return 0, errors.New("no " + v.header)
	}
	if v.own != "" && !strings.HasSuffix(string(own), "_"+bare) {
		return 0, fmt.Errorf("%s is not made of %s", v.own, v.header)
	}
	return probe.HashID(id), nil
}

// lookUp gives the string at a path of members; a string with JSON in it is a step like an object.
func lookUp(body []byte, path string) (string, error) {
	value := json.RawMessage(body)
	for name := range strings.SplitSeq(path, ".") {
		var inside string
		if json.Unmarshal(value, &inside) == nil {
			value = json.RawMessage(inside)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(value, &object); err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		value = object[name]
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// bodyMAC verifies Zuddl's X-Webhook-Signature: "sha256=" and the body's HMAC in hexadecimal; the key is the secret's text.
type bodyMAC struct {
	mac hash.Hash
	sum []byte
	hex []byte
}

func newBodyMAC(secret string) (verifier, error) {
	if secret == "" {
		return nil, errors.New("no secret")
	}
	return &bodyMAC{mac: hmac.New(sha256.New, []byte(secret))}, nil
}

func (b *bodyMAC) verify(h http.Header, body []byte, _ time.Time) error {
	b.mac.Reset()
	b.mac.Write(body)
	b.sum = b.mac.Sum(b.sum[:0])
	b.hex = hex.AppendEncode(append(b.hex[:0], "sha256="...), b.sum)
	if !hmac.Equal(b.hex, []byte(first(h["X-Webhook-Signature"]))) {
		return errors.New("X-Webhook-Signature does not fit")
	}
	return nil
}

// token verifies iotum's x-signing-token, which is the same in every request.
type token string

func newToken(secret string) (verifier, error) {
	if secret == "" {
		return nil, errors.New("no token")
	}
	return token(secret), nil
}

func (t token) verify(h http.Header, _ []byte, _ time.Time) error {
	if !hmac.Equal([]byte(t), []byte(first(h["X-Signing-Token"]))) {
		return errors.New("X-Signing-Token does not fit")
	}
	return nil
}
