package receiver

import (
	"fmt"
	"net/http"
	"time"

	"github.com/callboard/callboard/signature"
)

// A Dialect is how a sender writes and signs its webhooks, with payloads of
// type T. Its value comes from a function of this package, such as
// [StandardWebhooks]; the zero Dialect is refused by [New].
type Dialect[T any] struct {
	verifier verifierFunc
	// decode reads a body whose signature is good. An error means that it can
	// never be read. The id is the signature's, or what the sender's header
	// says if only a token was verified; it may be empty. A dialect that has
	// ids in the body takes those.
	decode func(verified signature.Verified, body []byte) (Message[T], error)
}

// verifierFunc reads the secrets, at least one, in the form in which the sender
// shows them, and returns what checks a request against them.
type verifierFunc func(secrets []string, tolerance time.Duration) (verifyFunc, error)

// verifyFunc tells whether this header vouches for this body.
type verifyFunc func(header http.Header, body []byte) (signature.Verified, error)

// parseSecrets reads each secret. An error says which it is of, and no more of
// it than parse does.
func parseSecrets[K any](secrets []string, parse func(secret string) (K, error)) ([]K, error) {
	keys := make([]K, 0, len(secrets))
	for i, secret := range secrets {
		key, err := parse(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d of %d: %w", i+1, len(secrets), err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
