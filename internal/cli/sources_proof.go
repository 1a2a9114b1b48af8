package cli

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// sourceProofs are what a vendor proves its requests with. They come from a flag, the environment or
// a file, so that they need not be in a shell's history.
type sourceProofs struct {
	Secret          bearerToken `env:"CALLBOARD_WEBHOOK_SECRET" placeholder:"SECRET" help:"What the vendor signs with."`
	SecretFile      string      `placeholder:"FILE" help:"A file that holds it; - is standard input."`
	VendorToken     bearerToken `env:"CALLBOARD_VENDOR_TOKEN" placeholder:"TOKEN" help:"The token that the vendor sends along, such as iotum's signing token."`
	VendorTokenFile string      `placeholder:"FILE" help:"A file that holds it; - is standard input."`
}

// checkProofs says which flag is wrong.
func (p *sourceProofs) checkProofs() error {
	switch {
	case p.Secret.text != "" && p.SecretFile != "":
		return errors.New("--secret-file: the secret is given twice, here and with --secret or CALLBOARD_WEBHOOK_SECRET")
	case p.VendorToken.text != "" && p.VendorTokenFile != "":
		return errors.New("--vendor-token-file: the token is given twice, here and with --vendor-token or CALLBOARD_VENDOR_TOKEN")
	case p.SecretFile == "-" && p.VendorTokenFile == "-":
		return errors.New("--vendor-token-file: standard input holds the secret")
	}
	return nil
}

// read gives the secret and the token; "" = none.
func (p *sourceProofs) read() (secret, token string, err error) {
	if secret, err = fromFile("--secret-file", p.SecretFile, p.Secret.text); err != nil {
		return "", "", err
	}
	token, err = fromFile("--vendor-token-file", p.VendorTokenFile, p.VendorToken.text)
	return secret, token, err
}

// fromFile reads what a file holds, without the end of its line; without a file it is what was given.
func fromFile(flag, file, given string) (string, error) {
	if file == "" {
		return given, nil
	}
	text, err := readInput(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	held := strings.TrimRight(string(text), "\r\n")
	if held == "" {
		return "", usageError{fmt.Errorf("%s: %s is empty", flag, file)}
	}
	return held, nil
}

// vendorSigner proves requests as a source's vendor does.
type vendorSigner struct {
	body        *signature.BodyKey // of a signature of the body; nil = none
	bodyHeader  string
	standard    dialect.Signer // as Standard Webhooks says; nil = not
	token       string
	tokenHeader string
}

// newVendorSigner makes one for what a source demands. Its errors name the flag that is missing.
func newVendorSigner(src *apiSource, secret, token string) (*vendorSigner, error) {
	s := &vendorSigner{}
	switch {
	case src.Key != nil:
		return nil, errors.New("the source takes signatures of a public key (v1a), which only the vendor can make: " +
			"import into another source, which has a secret or is unverified")
	case src.HasSecret && secret == "":
		return nil, usageError{errors.New("--secret: is required, since the source wants each request signed")}
	case src.HasToken && token == "":
		return nil, usageError{errors.New("--vendor-token: is required, since the source wants it with each request")}
	}
	if src.HasToken && src.TokenHeader != nil {
		s.token, s.tokenHeader = token, *src.TokenHeader
	}
	if !src.HasSecret {
		return s, nil
	}
	if err := s.sign(src, secret); err != nil {
		return nil, usageError{fmt.Errorf("--secret: %w", err)}
	}
	return s, nil
}

// sign makes the signer of a source's signatures.
func (s *vendorSigner) sign(src *apiSource, secret string) error {
	set := builtin.Dialects(builtin.Config{})
	d, known := source.Dialect(set, &store.Source{Dialect: src.Dialect})
	if !known {
		return errors.New("the source has a dialect that this program does not know: it is older than the server")
	}
	native, _ := set.Get(dialect.Native)
	sig := bodySignature(d, src.Signature)
	var err error
	if sig.Header == "" && (sig.Form == "" || sig.Form == dialect.SecretBase64) {
		s.standard, err = native.NewSigner([]string{secret})
		return err
	}
	key, err := sig.Form.Key(secret)
	if err != nil {
		return err
	}
	if sig.Header != "" {
		made, err := signature.NewBodyKey(key, sig.Scheme)
		s.body, s.bodyHeader = &made, sig.Header
		return err
	}
	s.standard, err = native.NewSigner([]string{"whsec_" + base64.StdEncoding.EncodeToString([]byte(key))})
	return err
}

// bodySignature is how a source's vendor signs the body; without a header if it signs as Standard Webhooks
// says.
func bodySignature(d dialect.Dialect, own *sourceSignature) dialect.BodySignature {
	sig := source.BodySignature(d)
	if own == nil {
		return sig
	}
	if own.Header != nil {
		sig.Header = *own.Header
	}
	if own.Encoding != nil {
		sig.Scheme.Encoding = signature.Hex
		if *own.Encoding == source.Base64 {
			sig.Scheme.Encoding = signature.Base64
		}
	}
	if own.Prefix != nil {
		sig.Scheme.Prefix = *own.Prefix
	}
	if own.Secret != nil {
		sig.Form = dialect.SecretForm(*own.Secret)
	}
	return sig
}

// proofHeaders are those that a recorded request's proof was in: it is made anew.
var proofHeaders = []string{"svix-signature", "svix-timestamp", "webhook-signature", "webhook-timestamp"}

// prove adds to a request's headers what proves it. name is what Standard Webhooks knows it by unless the
// headers have that.
func (s *vendorSigner) prove(h http.Header, name string, body []byte) {
	name = cmp.Or(h.Get("webhook-id"), h.Get("svix-id"), name)
	for _, old := range proofHeaders {
		h.Del(old)
	}
	if s.standard != nil {
		s.standard.Sign(h, name, time.Now(), body)
	}
	if s.body != nil {
		h.Set(s.bodyHeader, s.body.Sign(body))
	}
	if s.tokenHeader != "" {
		h.Set(s.tokenHeader, s.token)
	}
}

// sortedKeys are the names in a map.
func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
