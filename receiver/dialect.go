package receiver

import (
	"net/http"
	"time"

	"github.com/callboard/callboard/signature"
)

// A Dialect is how a sender writes and signs its webhooks, with payloads of
// type T. Its value comes from a function of this package, such as
// [StandardWebhooks]; the zero Dialect is refused by [New].
type Dialect[T any] struct {
	// verifier reads the secrets, in the form in which the sender shows them,
	// and returns what checks a request against them.
	verifier func(secrets []string, tolerance time.Duration) (verifyFunc, error)
	// decode reads a body whose signature is good. An error means that it can
	// never be read. The id is the signature's; a dialect that signs none
	// finds one in the body.
	decode func(verified signature.Verified, body []byte) (Message[T], error)
}

// verifyFunc tells whether this header vouches for this body.
type verifyFunc func(header http.Header, body []byte) (signature.Verified, error)
