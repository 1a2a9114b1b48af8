package receiver

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/callboard/callboard/signature"
	"github.com/callboard/callboard/wire/zuddl"
)

// headerZuddl holds Zuddl's signature.
const headerZuddl = "X-Webhook-Signature"

// Zuddl is the dialect of Zuddl's webhooks. The header X-Webhook-Signature
// holds "sha256=" and the HMAC-SHA256 of the body in lower-case hexadecimal.
// Secrets are given as Zuddl shows them: their text is the key, and is not
// decoded even if it looks like hexadecimal. (Zuddl documents the header and
// its prefix; the rest is Callboard's choice.)
//
// The message's ID is the body's actionId; without one it is "sha256:" and the
// hash of the body in lower-case hexadecimal. Its Type is action and its
// Timestamp actionCreatedAt. The signature has no time, so SentAt is zero and a
// recorded webhook verifies for ever: the [Deduper] alone keeps it away.
//
// Actions that are not known come like the others; see [zuddl.Decode] for bodies
// that do not fit the types.
func Zuddl() Dialect[*zuddl.Webhook] {
	return Dialect[*zuddl.Webhook]{verifier: zuddlVerifier, decode: decodeZuddl}
}

func zuddlVerifier(secrets []string, _ time.Duration) (verifyFunc, error) {
	keys, err := parseSecrets(secrets, func(secret string) (signature.BodyKey, error) {
		return signature.NewBodyKey(secret, signature.BodyScheme{Prefix: "sha256="})
	})
	if err != nil {
		return nil, err
	}
	return func(header http.Header, body []byte) (signature.Verified, error) {
		value := header.Get(headerZuddl)
		if value == "" {
			return signature.Verified{}, fmt.Errorf("%w: %s", signature.ErrMissingHeader, strings.ToLower(headerZuddl))
		}
		var err error
		for _, key := range keys {
			if err = key.Verify(value, body); err == nil {
				break
			}
		}
		return signature.Verified{}, err
	}, nil
}

func decodeZuddl(_ signature.Verified, body []byte) (Message[*zuddl.Webhook], error) {
	w, err := zuddl.Decode(body)
	if err != nil {
		return Message[*zuddl.Webhook]{}, err
	}
	return Message[*zuddl.Webhook]{
		ID:        cmp.Or(w.ActionID.String(), hashID(string(body))),
		Type:      string(w.Action),
		Timestamp: w.ActionCreatedAt.Time,
		Data:      w,
		Body:      body,
	}, nil
}
