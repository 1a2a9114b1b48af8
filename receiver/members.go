package receiver

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// errNotObject is the sender's to read.
var errNotObject = errors.New("the body is not a JSON object")

// membersOf splits a body that is a JSON object, by the exact names. Decoding
// into a struct would take "TYPE" for "type" and let either win.
func membersOf(body []byte) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return nil, errNotObject
	}
	return members, nil
}

// textOf is the text of a JSON string, and any other value as it came; "" for
// null and for none.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
}

// hashID is the id of what has none: the same for the same parts.
func hashID(parts ...string) string {
	sums := make([]byte, 0, len(parts)*sha256.Size)
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part))
		sums = append(sums, sum[:]...)
	}
	if len(parts) > 1 {
		sum := sha256.Sum256(sums)
		sums = sum[:]
	}
	return "sha256:" + hex.EncodeToString(sums)
}
