package dialect

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/callboard/callboard/signature"
)

// BodySigned is a dialect whose requests are proven by a signature of the body that has
// a header to itself.
type BodySigned interface {
	BodySignature() BodySignature
}

// SecretForm says how the text of a secret becomes the key.
type SecretForm string

// The forms.
const (
	SecretText   SecretForm = "text"   // the text's own bytes
	SecretHex    SecretForm = "hex"    // what its hexadecimal digits stand for
	SecretBase64 SecretForm = "base64" // what its base64 stands for
)

// errForm is what is wrong with a secret that cannot be read in its form.
var errForm = errors.New("cannot be read in the form that signature.secret names")

// Key gives the key that a secret's text stands for; "" is that of text.
func (f SecretForm) Key(secret string) (string, error) {
	var raw []byte
	var err error
	switch f {
	case SecretHex:
		raw, err = hex.DecodeString(secret)
	case SecretBase64:
		raw, err = base64.StdEncoding.DecodeString(secret)
	default:
		raw = []byte(secret)
	}
	if err != nil || len(raw) == 0 {
		return "", errForm
	}
	return string(raw), nil
}

// BodySignature is one way of senders who put the HMAC-SHA256 of the body into a header.
type BodySignature struct {
	Header string // in any case
	Scheme signature.BodyScheme
	Form   SecretForm // "" = text
}

// Verify checks the signature. Since few vendors document more than their header, it
// looks for the usual variants in one that is wrong.
func (s BodySignature) Verify(secrets []string, r Request) (Verdict, error) {
	if len(secrets) == 0 {
		return Verdict{}, fmt.Errorf("%w: there is no secret", signature.ErrInvalidKey)
	}
	value := r.Header.Get(s.Header)
	var why error
	for _, secret := range secrets {
		text, err := s.Form.Key(secret)
		if err != nil {
			return Verdict{}, fmt.Errorf("%w: the secret %w", signature.ErrInvalidKey, err)
		}
		key, err := signature.NewBodyKey(text, s.Scheme)
		if err != nil {
			return Verdict{}, err
		}
		if why = key.Verify(value, r.Body); why == nil {
			return Verdict{Valid: true}, nil
		}
	}
	refused := Verdict{Why: strings.TrimPrefix(why.Error(), "signature: ")}
	if value == "" {
		refused.Why = "there is no header " + strings.ToLower(s.Header)
	}
	if !r.Brief {
		refused.Hint = s.hint(secrets, value, r)
	}
	return refused, nil
}

// hint finds the variant that a signature is of, or the body, or the secret.
func (s BodySignature) hint(secrets []string, value string, r Request) string {
	if variant, found := s.Variant(secrets, r); found {
		return s.tell(&variant)
	}
	for _, secret := range secrets {
		for _, b := range Bodies(r.Body) {
			if s.fits(secret, value, b.Text) {
				return "the signature is of the body " + b.Name
			}
		}
		if trimmed := strings.TrimSpace(secret); trimmed != secret && s.fits(trimmed, value, r.Body) {
			return "the secret is right without the space around it"
		}
	}
	return ""
}

// fits reports whether a value is the signature of a body.
func (s BodySignature) fits(secret, value string, body []byte) bool {
	text, err := s.Form.Key(secret)
	if err != nil {
		return false
	}
	key, err := signature.NewBodyKey(text, s.Scheme)
	return err == nil && key.Verify(value, body) == nil
}

// tell describes a variant beside what it is a variant of.
func (s BodySignature) tell(variant *BodySignature) string {
	if !strings.EqualFold(variant.Header, s.Header) {
		return "the signature " + InHeader + strings.ToLower(variant.Header)
	}
	written := "as documented"
	if variant.Scheme != s.Scheme {
		written = "in hexadecimal"
		if variant.Scheme.Encoding == signature.Base64 {
			written = "in base64"
		}
		if variant.Scheme.Prefix == "" {
			written += " without the prefix " + cmp.Or(s.Scheme.Prefix, usualPrefix)
		} else {
			written += " after the prefix " + variant.Scheme.Prefix
		}
	}
	if cmp.Or(variant.Form, SecretText) == cmp.Or(s.Form, SecretText) {
		return "the signature is right, but written " + written
	}
	return map[SecretForm]string{
		SecretText:   "the key is the secret's text as it is",
		SecretHex:    "the key is what the secret's hexadecimal digits stand for",
		SecretBase64: "the key is what the secret's base64 stands for",
	}[cmp.Or(variant.Form, SecretText)] + ", and the signature written " + written
}

// usualPrefix is what most senders write before a signature, if they write anything.
const usualPrefix = "sha256="

// Variant finds another way in which a request that was refused is signed with one of
// the secrets: with another encoding, prefix, form of the secret or header. Its own
// header comes first.
func (s BodySignature) Variant(secrets []string, r Request) (BodySignature, bool) {
	forms := []SecretForm{cmp.Or(s.Form, SecretText)}
	for _, f := range []SecretForm{SecretText, SecretHex, SecretBase64} {
		if f != forms[0] {
			forms = append(forms, f)
		}
	}
	for _, secret := range secrets {
		for _, form := range forms {
			text, err := form.Key(secret)
			if err != nil {
				continue
			}
			key, err := signature.NewBodyKey(text, signature.BodyScheme{})
			if err != nil {
				continue
			}
			if found, ok := s.search(r, key.Sign(r.Body)); ok {
				found.Form = form
				return found, true
			}
		}
	}
	return BodySignature{}, false
}

// search finds a signature, given in hexadecimal, among the headers. It compares in
// constant time: what it compares with would be a right signature, too.
func (s BodySignature) search(r Request, digits string) (found BodySignature, ok bool) {
	raw, _ := hex.DecodeString(digits)
	encoded := base64.StdEncoding.EncodeToString(raw)
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	for _, name := range s.headersOf(r) {
		for _, prefix := range []string{s.Scheme.Prefix, "", usualPrefix} {
			value, begins := strings.CutPrefix(r.Header.Get(name), prefix)
			switch {
			case !begins:
			case same(strings.ToLower(value), digits):
				return BodySignature{Header: name, Scheme: signature.BodyScheme{Prefix: prefix}}, true
			case same(value, encoded):
				return BodySignature{Header: name, Scheme: signature.BodyScheme{Prefix: prefix, Encoding: signature.Base64}}, true
			}
		}
	}
	return BodySignature{}, false
}

// headersOf are the names of a request's headers, the one that is meant first.
func (s BodySignature) headersOf(r Request) []string {
	names := slices.Sorted(maps.Keys(r.Header))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a, s.Header), rank(b, s.Header)) })
	return names
}

// rank puts the header that is meant before the others.
func rank(name, meant string) int {
	if strings.EqualFold(name, meant) {
		return 0
	}
	return 1
}
