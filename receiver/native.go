package receiver

import (
	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/native"
)

// Native is the dialect of Callboard's own webhooks with their data as Go types.
// Its secrets and headers are those of [StandardWebhooks].
//
// The message's ID is the header webhook-id or svix-id. Where only a token is
// demanded (see [WithToken]) the header may be missing; the ID is then
// "sha256:" and the hash of the body in lower-case hexadecimal. Its Type is the
// body's type and its Timestamp the body's timestamp.
//
// A type that package native does not know comes like the others, with data of
// the type *[native.Other]; that includes a sender's own types, whatever form
// their data has. A body without a type is refused: whoever gets such bodies, or
// wants the data as it came, takes StandardWebhooks.
func Native() Dialect[*native.Webhook] {
	return Dialect[*native.Webhook]{verifier: standardVerifier, decode: decodeNative}
}

func decodeNative(verified signature.Verified, body []byte) (Message[*native.Webhook], error) {
	w, err := native.Decode(body)
	if err != nil {
		return Message[*native.Webhook]{}, err
	}
	return Message[*native.Webhook]{
		ID:        standardID(verified, body),
		Type:      string(w.Type),
		Timestamp: w.Timestamp.Time,
		SentAt:    verified.SentAt,
		Data:      w,
		Body:      body,
	}, nil
}
