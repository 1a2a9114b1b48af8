package signature

// The headers of Standard Webhooks ("Webhook headers"). They stand in
// net/http's canonical spelling, so they serve as keys of an [http.Header] map
// as well as in its methods; on the wire their case does not matter.
const (
	// HeaderID names the webhook: the same over retries and resends, so that a
	// consumer can tell what it has handled already.
	HeaderID = "Webhook-Id"
	// HeaderTimestamp is the time of this attempt, in Unix seconds.
	HeaderTimestamp = "Webhook-Timestamp"
	// HeaderSignature lists the signatures, separated by single spaces, each
	// as "<version>,<base64>".
	HeaderSignature = "Webhook-Signature"
)

// The same three headers under the names that Svix gave them before the
// standard existed. Their values are the same too.
const (
	HeaderSvixID        = "Svix-Id"
	HeaderSvixTimestamp = "Svix-Timestamp"
	HeaderSvixSignature = "Svix-Signature"
)
