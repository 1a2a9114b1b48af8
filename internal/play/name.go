package play

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"time"
)

// A text of a key or a name is, in base32, when it was made, something that nobody can guess, and a check that tells what
// was made here from what somebody made up.
const (
	timeBytes  = 5 // Unix seconds
	checkBytes = 5

	keySecret  = 15
	nameSecret = 10
)

var nameText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// names makes keys and names with the installation's key.
type names struct{ key []byte }

// newKey makes the key of an inbox.
func (n names) newKey(now time.Time) string {
	random := make([]byte, keySecret)
	_, _ = rand.Read(random) // never fails
	return n.seal("key", append(timeText(now), random...))
}

// ofKey gives the name that follows from a key, and when both were made. An error is one for the holder of the key.
func (n names) ofKey(key string) (name string, made time.Time, err error) {
	raw, ok := n.open("key", key, keySecret)
	if !ok {
		return "", time.Time{}, errNoInbox
	}
	made = timeOf(raw)
	if expired(made) {
		return "", time.Time{}, errExpired
	}
	secret := n.mac("name", raw)[:nameSecret]
	return n.seal("address", append(slices.Clip(raw[:timeBytes]), secret...)), made, nil
}

// made tells when the inbox of a name was made; false = no name was made here like this.
func (n names) made(name string) (time.Time, bool) {
	raw, ok := n.open("address", name, nameSecret)
	if !ok {
		return time.Time{}, false
	}
	return timeOf(raw), true
}

func expired(made time.Time) bool { return !time.Now().Before(made.Add(Lifetime)) }

// seal adds a check and writes as text.
func (n names) seal(purpose string, raw []byte) string {
	return nameText.EncodeToString(append(slices.Clip(raw), n.mac(purpose, raw)[:checkBytes]...))
}

// open reads a text that seal wrote for the same purpose.
func (n names) open(purpose, text string, secretBytes int) ([]byte, bool) {
	size := timeBytes + secretBytes
	if len(text) != nameText.EncodedLen(size+checkBytes) {
		return nil, false
	}
	all, err := nameText.DecodeString(text)
	if err != nil || nameText.EncodeToString(all) != text { // decoding alone would admit more than one spelling
		return nil, false
	}
	return all[:size], hmac.Equal(all[size:], n.mac(purpose, all[:size])[:checkBytes])
}

// mac is the code of bytes that serve a purpose.
func (n names) mac(purpose string, part []byte) []byte {
	m := hmac.New(sha256.New, n.key)
	m.Write([]byte(purpose + "\x00"))
	m.Write(part)
	return m.Sum(nil)
}

func timeText(t time.Time) []byte {
	s := uint64(t.Unix())
	return []byte{byte(s >> 32), byte(s >> 24), byte(s >> 16), byte(s >> 8), byte(s)}
}

func timeOf(raw []byte) time.Time {
	var s int64
	for _, b := range raw[:timeBytes] {
		s = s<<8 | int64(b)
	}
	return time.Unix(s, 0)
}
