package zuddl

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// scheme is how Callboard writes and by default reads the signature.
var scheme = signature.BodyScheme{Prefix: "sha256="}

// Verify checks X-Webhook-Signature. Since the vendor documents no more than the header
// and its prefix, it looks for the usual variants in a signature that is wrong.
func (Dialect) Verify(secrets []string, r dialect.Request) (dialect.Verdict, error) {
	if len(secrets) == 0 {
		return dialect.Verdict{}, fmt.Errorf("%w: there is no secret", signature.ErrInvalidKey)
	}
	value := r.Header.Get(headerSignature)
	var why error
	for _, secret := range secrets {
		key, err := signature.NewBodyKey(secret, scheme)
		if err != nil {
			return dialect.Verdict{}, err
		}
		if why = key.Verify(value, r.Body); why == nil {
			return dialect.Verdict{Valid: true}, nil
		}
	}
	if value == "" {
		return dialect.Verdict{Why: "there is no header " + strings.ToLower(headerSignature)}, nil
	}
	return dialect.Verdict{Why: strings.TrimPrefix(why.Error(), "signature: "), Hint: hint(secrets, value, r.Body)}, nil
}

// variant is another way to sign.
type variant struct {
	name   string
	scheme signature.BodyScheme
}

// variants are what other senders with a signature of the body do.
var variants = []variant{
	{"in hexadecimal without the prefix sha256=", signature.BodyScheme{}},
	{"in base64 after the prefix sha256=", signature.BodyScheme{Prefix: "sha256=", Encoding: signature.Base64}},
	{"in base64 without the prefix sha256=", signature.BodyScheme{Encoding: signature.Base64}},
}

// hint finds the variant that a signature is of, or the body.
func hint(secrets []string, value string, body []byte) string {
	fits := func(secret string, s signature.BodyScheme, body []byte) bool {
		key, err := signature.NewBodyKey(secret, s)
		return err == nil && key.Verify(value, body) == nil
	}
	for _, secret := range secrets {
		for _, v := range variants {
			if fits(secret, v.scheme, body) {
				return "the signature is right, but written " + v.name
			}
		}
		for _, b := range dialect.Bodies(body) {
			if fits(secret, scheme, b.Text) {
				return "the signature is of the body " + b.Name
			}
		}
		if trimmed := strings.TrimSpace(secret); trimmed != secret && fits(trimmed, scheme, body) {
			return "the secret is right without the space around it"
		}
		raw, err := hex.DecodeString(secret)
		if err != nil {
			continue
		}
		for _, v := range append([]variant{{"as documented", scheme}}, variants...) {
			if fits(string(raw), v.scheme, body) {
				return "the key is what the secret's hexadecimal digits stand for, and the signature written " + v.name
			}
		}
	}
	return ""
}
