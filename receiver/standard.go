package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/callboard/callboard/signature"
)

// errNotObject is the sender's to read.
var errNotObject = errors.New("the body is not a JSON object")

// StandardWebhooks is the dialect of Standard Webhooks 1.0.0, which Callboard
// speaks natively and Svix speaks too. Its secrets are "whsec_…" (v1) or
// "whpk_…" (v1a); see [signature.ParseVerifyKey].
//
// The body must be a JSON object. In the form that the standard recommends,
//
//	{"type": "session.joined", "timestamp": "2026-05-04T10:00:00.000Z", "data": {…}}
//
// it fills Type, Timestamp and Data. A sender may also deliver any other
// object: a member that is missing, or that is not of this form, leaves its
// field empty (Data is nil then), and Body has it all.
func StandardWebhooks() Dialect[json.RawMessage] {
	return Dialect[json.RawMessage]{verifier: standardVerifier, decode: decodeStandard}
}

func standardVerifier(secrets []string, tolerance time.Duration) (verifyFunc, error) {
	keys := make([]signature.VerifyKey, 0, len(secrets))
	for i, secret := range secrets {
		key, err := signature.ParseVerifyKey(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d of %d: %w", i+1, len(secrets), err)
		}
		keys = append(keys, key)
	}
	verifier, err := signature.NewVerifier(keys, signature.WithTolerance(tolerance))
	if err != nil {
		return nil, err
	}
	return verifier.Verify, nil
}

// decodeStandard looks members up by their exact names. Decoding into a struct
// would take "TYPE" for "type" and let either win.
//
// That the body is an object also closes the one gap in the signed content: an
// id with dots in it could otherwise pass for another id and body.
func decodeStandard(verified signature.Verified, body []byte) (Message[json.RawMessage], error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return Message[json.RawMessage]{}, errNotObject
	}
	m := Message[json.RawMessage]{ID: verified.ID, SentAt: verified.SentAt, Data: members["data"], Body: body}
	// What does not decode stays zero, as documented.
	_ = json.Unmarshal(members["type"], &m.Type)
	var timestamp string
	_ = json.Unmarshal(members["timestamp"], &timestamp)
	m.Timestamp, _ = time.Parse(time.RFC3339, timestamp)
	return m, nil
}
