package receiver

import (
	"net/http"
	"time"

	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/iotum"
)

// headerIotum holds iotum's token.
const headerIotum = "X-Signing-Token"

// Iotum is the dialect of iotum's webhooks, which Callbridge and FreeConference
// send. The header x-signing-token holds a token, always the same: despite its
// name it signs nothing. The secrets given to [New] are the tokens that are
// accepted, as iotum's administration shows them. TLS has to protect the body.
//
// The webhooks have no id. The message's ID is made of the body's event,
// timestamp and payload, which are the same whenever a webhook is sent again:
// "sha256:" and the lower-case hexadecimal of
//
//	SHA-256(SHA-256(event) ‖ SHA-256(timestamp) ‖ SHA-256(payload))
//
// Each of the three is the text of the JSON string in UTF-8, not parsed
// further; nothing if it is missing or null; and if it is another JSON value,
// its bytes as they came. So the ID does not depend on other members, on their
// order, on white space around them, or on the version of this package.
//
// The Type is event and the Timestamp timestamp. There is no signed time:
// SentAt is zero and a recorded webhook verifies for ever.
//
// An event that package iotum does not know has the payload *[iotum.Other].
func Iotum() Dialect[*iotum.Webhook] {
	return Dialect[*iotum.Webhook]{verifier: iotumVerifier, decode: decodeIotum}
}

func iotumVerifier(secrets []string, _ time.Duration) (verifyFunc, error) {
	tokens, err := parseSecrets(secrets, signature.NewToken)
	if err != nil {
		return nil, err
	}
	required := tokenHeader{name: headerIotum, tokens: tokens}
	return func(header http.Header, _ []byte) (signature.Verified, error) {
		return signature.Verified{}, required.verify(header)
	}, nil
}

func decodeIotum(_ signature.Verified, body []byte) (Message[*iotum.Webhook], error) {
	w, err := iotum.Decode(body)
	if err != nil {
		return Message[*iotum.Webhook]{}, err
	}
	members, err := membersOf(body)
	if err != nil {
		return Message[*iotum.Webhook]{}, err
	}
	return Message[*iotum.Webhook]{
		ID:        hashID(textOf(members["event"]), textOf(members["timestamp"]), textOf(members["payload"])),
		Type:      string(w.Event),
		Timestamp: w.Timestamp.Time,
		Data:      w,
		Body:      body,
	}, nil
}
