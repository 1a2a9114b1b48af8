package receiver

import (
	"encoding/json"
	"slices"

	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/sessionboard"
)

// Sessionboard is the dialect of Sessionboard's webhooks. Its secrets and
// headers are those of [StandardWebhooks], as svix-id, svix-timestamp and
// svix-signature or under the names webhook-….
//
// Sessionboard documents only a custom header, of a name and value that one
// sets. Demand it by [WithToken], with secrets or without.
//
// The message's ID is the header svix-id or webhook-id. Where only a token is
// demanded the header may be missing; the ID is then "sha256:" and the hash of
// the body in lower-case hexadecimal. Its Type is metadata.action and its
// Timestamp metadata.datetime.
//
// An action that package sessionboard does not know has data of the type
// *[sessionboard.Other]. If its data is no JSON object, that is empty; Body has
// it all.
func Sessionboard() Dialect[*sessionboard.Webhook] {
	return Dialect[*sessionboard.Webhook]{verifier: standardVerifier, decode: decodeSessionboard}
}

func decodeSessionboard(verified signature.Verified, body []byte) (Message[*sessionboard.Webhook], error) {
	w, err := sessionboard.Decode(body)
	if err != nil {
		w = strangeSessionboard(body)
	}
	if w == nil {
		return Message[*sessionboard.Webhook]{}, err
	}
	return Message[*sessionboard.Webhook]{
		ID:        standardID(verified, body),
		Type:      string(w.Metadata.Action),
		Timestamp: w.Metadata.Datetime.Time,
		SentAt:    verified.SentAt,
		Data:      w,
		Body:      body,
	}, nil
}

// strangeSessionboard reads the metadata of an action that is not known and
// whose data is no object; nil if that is not the case.
func strangeSessionboard(body []byte) *sessionboard.Webhook {
	members, err := membersOf(body)
	if err != nil || members["metadata"] == nil {
		return nil
	}
	w := &sessionboard.Webhook{Data: new(sessionboard.Other)}
	if json.Unmarshal(members["metadata"], &w.Metadata) != nil {
		return nil
	}
	if action := w.Metadata.Action; action == "" || slices.Contains(sessionboard.Actions(), action) {
		return nil
	}
	return w
}
