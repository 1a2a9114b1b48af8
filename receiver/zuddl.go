package receiver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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
// An action that package zuddl does not know comes like the others. If the rest
// of its body does not fit the types, Data has only the members whose names
// begin with "action"; Body has it all.
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
		w = strangeZuddl(body)
	}
	if w == nil {
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

// strangeZuddl reads what all actions have, of one that is not known and whose
// objects have become others; nil if that is not the case. Refused, the sender
// would only send it again.
func strangeZuddl(body []byte) *zuddl.Webhook {
	members, err := membersOf(body)
	if err != nil {
		return nil
	}
	var w zuddl.Webhook
	for name, into := range map[string]any{
		"action":          &w.Action,
		"actionId":        &w.ActionID,
		"actionCreatedAt": &w.ActionCreatedAt,
	} {
		if value := members[name]; value != nil && json.Unmarshal(value, into) != nil {
			return nil
		}
	}
	if w.Action == "" || slices.Contains(zuddl.Actions(), w.Action) {
		return nil
	}
	return &w
}
