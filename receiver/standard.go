package receiver

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/callboard/callboard/signature"
)

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
// field empty (Data is nil then), and Body has it all. [Native] gives the data
// of Callboard's own event types as Go types.
//
// The message's ID is the header webhook-id or svix-id. Where only a token is
// demanded (see [WithToken]) the header may be missing; the ID is then
// "sha256:" and the hash of the body in lower-case hexadecimal.
func StandardWebhooks() Dialect[json.RawMessage] {
	return Dialect[json.RawMessage]{verifier: standardVerifier, decode: decodeStandard}
}

func standardVerifier(secrets []string, tolerance time.Duration) (verifyFunc, error) {
	keys, err := parseSecrets(secrets, signature.ParseVerifyKey)
	if err != nil {
		return nil, err
	}
	verifier, err := signature.NewVerifier(keys, signature.WithTolerance(tolerance))
	if err != nil {
		return nil, err
	}
	return verifier.Verify, nil
}

// decodeStandard wants an object. That also closes the one gap in the signed
// content, for all dialects that share it: an id with dots in it could
// otherwise pass for another id and body.
func decodeStandard(verified signature.Verified, body []byte) (Message[json.RawMessage], error) {
	members, err := membersOf(body)
	if err != nil {
		return Message[json.RawMessage]{}, err
	}
	m := Message[json.RawMessage]{
		ID:     standardID(verified, body),
		SentAt: verified.SentAt,
		Data:   members["data"],
		Body:   body,
	}
	// What does not decode stays zero, as documented.
	_ = json.Unmarshal(members["type"], &m.Type)
	var timestamp string
	_ = json.Unmarshal(members["timestamp"], &timestamp)
	m.Timestamp, _ = time.Parse(time.RFC3339, timestamp)
	return m, nil
}

// standardID is the header's id. It is never empty where a signature was
// verified.
func standardID(verified signature.Verified, body []byte) string {
	return cmp.Or(verified.ID, hashID(string(body)))
}
