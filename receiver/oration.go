package receiver

import (
	"cmp"

	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/oration"
)

// Oration is the dialect of Oration's webhooks. Its secrets and headers are
// those of [StandardWebhooks]. (Oration documents no signature; this is
// Callboard's choice. [WithToken] demands a token besides, or instead if there
// are no secrets.)
//
// The message's ID is the body's eventId; without one it is the header
// webhook-id or svix-id, and without that, where only a token is demanded,
// "sha256:" and the hash of the body in lower-case hexadecimal. Its Type is
// eventType. Its Timestamp is payload.updatedAt, since the envelope has none.
//
// A type that package oration does not know comes like the others. If its
// payload is no conversation, Data.Payload is nil and Data.Unknown has it.
func Oration() Dialect[*oration.Webhook] {
	return Dialect[*oration.Webhook]{verifier: standardVerifier, decode: decodeOration}
}

func decodeOration(verified signature.Verified, body []byte) (Message[*oration.Webhook], error) {
	w, err := oration.Decode(body)
	if err != nil {
		return Message[*oration.Webhook]{}, err
	}
	m := Message[*oration.Webhook]{
		ID:     cmp.Or(w.EventID.String(), standardID(verified, body)),
		Type:   string(w.EventType),
		SentAt: verified.SentAt,
		Data:   w,
		Body:   body,
	}
	if w.Payload != nil {
		m.Timestamp = w.Payload.UpdatedAt.Time
	}
	return m, nil
}
