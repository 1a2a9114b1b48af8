package zuddl

import (
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// scheme is how Callboard writes and by default reads the signature.
var scheme = signature.BodyScheme{Prefix: "sha256="}

// BodySignature is how Callboard reads the signature by default.
func (Dialect) BodySignature() dialect.BodySignature {
	return dialect.BodySignature{Header: headerSignature, Scheme: scheme}
}

// Verify checks X-Webhook-Signature. Since the vendor documents no more than the header
// and its prefix, it looks for the usual variants in a signature that is wrong.
func (d Dialect) Verify(secrets []string, r dialect.Request) (dialect.Verdict, error) {
	return d.BodySignature().Verify(secrets, r)
}
