package inbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/callboard/callboard/internal/store"
)

// urlValidation is the event by which Zoom, and those who took it over, test an address.
const urlValidation = "endpoint.url_validation"

// maxPlainToken is the longest token that is answered, in characters. Zoom's have 22.
const maxPlainToken = 256

// shake answers the vendor's test of an address, if the source asks for that and the body
// is one: it proves that we hold the secret. nil = there is nothing to answer.
//
// Whoever knows the address can ask. What is hashed for him is a word of letters and
// digits alone, so that the answer is never the signature of a webhook, even where one
// secret serves both.
func shake(s *store.Source, body []byte) []byte {
	if s.Auth.Handshake == "" {
		return nil
	}
	var test struct {
		Event   string `json:"event"`
		Payload struct {
			PlainToken string `json:"plainToken"`
		} `json:"payload"`
	}
	if json.Unmarshal(body, &test) != nil || test.Event != urlValidation || !isPlainToken(test.Payload.PlainToken) {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(s.Auth.Handshake))
	mac.Write([]byte(test.Payload.PlainToken))
	reply, err := json.Marshal(struct {
		PlainToken     string `json:"plainToken"`
		EncryptedToken string `json:"encryptedToken"`
	}{test.Payload.PlainToken, hex.EncodeToString(mac.Sum(nil))})
	if err != nil {
		panic(err) // two texts
	}
	return reply
}

func isPlainToken(text string) bool {
	return text != "" && len(text) <= maxPlainToken && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !letter && (r < '0' || r > '9') && r != '-' && r != '_' && r != '+' && r != '/' && r != '='
	})
}
