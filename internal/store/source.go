package store

import (
	"time"

	"github.com/callboard/callboard/internal/id"
)

// Source is where a vendor's webhooks come in.
type Source struct {
	ID, App     id.ID
	Org         string
	Dialect     string // the vendor's, or one that only sources have
	Description string
	Channels    []string // of every message that comes in here; nil = none
	Auth        SourceAuth
	// TypeHeader and TypeField say where a request of dialect raw has its event type: in
	// a header, or in a field of the body, by dotted path. At most one is set.
	TypeHeader, TypeField string
	Deleted               bool
	CreatedAt, UpdatedAt  time.Time
}

// SourceAuth says what proves that a request comes from the vendor. A secret and a token
// may both be demanded.
type SourceAuth struct {
	Secrets []string // that requests are signed with, newest first, each accepted; nil = none
	// Token and NextToken are sent as they are, in TokenHeader (lower case); each is
	// accepted.
	Token, NextToken, TokenHeader string
	// OldUntil is until when all secrets but the first, Token beside a NextToken, and
	// OldKeys are accepted.
	OldUntil   time.Time
	Key        string   // whpk_…, the public key of v1a signatures
	OldKeys    []string // that Key replaced, newest first; nil = none
	Unverified bool     // nothing is demanded
	// SignatureHeader (lower case), Encoding (hex or base64) and Prefix are those of a
	// signature that has a header to itself; Encoding "" = all as the dialect has it.
	SignatureHeader, Encoding, Prefix string
	// SecretForm says how a secret's text becomes the key: text, hex or base64; "" = the
	// dialect's.
	SecretForm string
	// Handshake is the secret that answers the vendor's test of the URL; "" = none.
	Handshake string
}

// ReceivedStatus says what became of a request that came in at a source. The numbers
// are stored.
type ReceivedStatus uint8

// What becomes of requests.
const (
	Accepted   ReceivedStatus = 1
	Refused    ReceivedStatus = 2 // not proven to be the vendor's
	Unreadable ReceivedStatus = 3 // proven, but no webhook of the vendor's
)

// Received is a request that came in at a source, as it is kept for inspection. Its time
// is in its id.
type Received struct {
	ID, App, Source id.ID
	Status          ReceivedStatus
	Message         id.ID  // that it became; 0 = none
	Doc             []byte // JSON of what is shown of it besides its body
	// Body is nil for an accepted request, whose message has it as Raw, and where it was
	// dropped. Lists leave it out.
	Body []byte
}

const (
	// KeptRefused is how many refused requests of a source are kept.
	KeptRefused = 200
	// ReceivedFor is how long received requests are kept at most.
	ReceivedFor = 7 * 24 * time.Hour
)
