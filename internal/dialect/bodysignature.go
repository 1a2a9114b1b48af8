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

// standardPrefix begins the secrets of Standard Webhooks, before their base64. Senders who
// sign the body alone hand them out as well.
const standardPrefix = "whsec_"

// Key gives the key that a secret's text stands for; "" is that of text. Base64 may have
// "whsec_" before it.
func (f SecretForm) Key(secret string) (string, error) {
	var raw []byte
	var err error
	switch f {
	case SecretHex:
		raw, err = hex.DecodeString(secret)
	case SecretBase64:
		raw, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, standardPrefix))
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

// maxValues bounds how many values of its header Verify tries: each costs a sum over the
// whole body, and how many there are is for a stranger to choose.
const maxValues = 4

// Verify checks the signature. A header that is there several times counts with each of
// its values, up to 4: something on the way may have put its own before the vendor's.
// Since few vendors document more than their header, it looks for the usual variants in
// one that is wrong.
func (s BodySignature) Verify(secrets []string, r Request) (Verdict, error) {
	if len(secrets) == 0 {
		return Verdict{}, fmt.Errorf("%w: there is no secret", signature.ErrInvalidKey)
	}
	values := r.Header.Values(s.Header)
	if len(values) == 0 {
		values = []string{""}
	}
	values = values[:min(len(values), maxValues)]
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
		for _, value := range values {
			if why = key.Verify(value, r.Body); why == nil {
				return Verdict{Valid: true}, nil
			}
		}
	}
	refused := Verdict{Why: strings.TrimPrefix(why.Error(), "signature: ")}
	if strings.Join(values, "") == "" {
		refused.Why = "there is no header " + strings.ToLower(s.Header)
	}
	if !r.Brief {
		refused.Hint = s.hint(secrets, values, r)
	}
	return refused, nil
}

// hint finds the variant that a signature is of, or the body, or the secret.
func (s BodySignature) hint(secrets, values []string, r Request) string {
	if variant, found := s.Variant(secrets, r); found {
		return s.tell(&variant)
	}
	if variant, found := s.Variant(Bare(secrets), r); found {
		text := "the secret is right without " + standardPrefix + " before it"
		if s.Same(&variant) {
			return text
		}
		return text + ", and " + s.tell(&variant)
	}
	if text := s.Unsupported(secrets, r); text != "" {
		return text
	}
	for _, secret := range secrets {
		for _, b := range Bodies(r.Body) {
			if s.fits(secret, values, b.Text) {
				return "the signature is of the body " + b.Name
			}
		}
		if trimmed := strings.TrimSpace(secret); trimmed != secret && s.fits(trimmed, values, r.Body) {
			return "the secret is right without the space around it"
		}
	}
	return ""
}

// Bare gives those of the secrets that have "whsec_" before them, without it.
func Bare(secrets []string) []string {
	var bare []string
	for _, secret := range secrets {
		if text, found := strings.CutPrefix(secret, standardPrefix); found {
			bare = append(bare, text)
		}
	}
	return bare
}

// Same reports whether a variant is none: whether it is signed in this very way.
func (s BodySignature) Same(variant *BodySignature) bool {
	return strings.EqualFold(variant.Header, s.Header) && variant.Scheme == s.Scheme &&
		cmp.Or(variant.Form, SecretText) == cmp.Or(s.Form, SecretText)
}

// fits reports whether one of the values is the signature of a body.
func (s BodySignature) fits(secret string, values []string, body []byte) bool {
	text, err := s.Form.Key(secret)
	if err != nil {
		return false
	}
	key, err := signature.NewBodyKey(text, s.Scheme)
	return err == nil && slices.ContainsFunc(values, func(value string) bool { return key.Verify(value, body) == nil })
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
	for _, sum := range s.sums(secrets, r.Body) {
		if found, ok := s.search(r, sum.writings()); ok {
			return BodySignature{
				Header: found.header, Form: sum.form,
				Scheme: signature.BodyScheme{Prefix: found.prefix, Encoding: found.encoding},
			}, true
		}
	}
	return BodySignature{}, false
}

// Unsupported says where a signature is right and written as no setting has it; "" = it
// is nowhere.
func (s BodySignature) Unsupported(secrets []string, r Request) string {
	for _, sum := range s.sums(secrets, r.Body) {
		if found, ok := s.search(r, sum.unsupported()); ok {
			return "the signature in " + strings.ToLower(found.header) + " is right, but written in " + found.name +
				", which cannot be set: the sender has to write hexadecimal or padded base64"
		}
	}
	return ""
}

// sum is the HMAC of a body with the key that one form of a secret gives.
type sum struct {
	form SecretForm
	raw  []byte
}

// sums are those of every secret in every form, the form that is meant first.
func (s BodySignature) sums(secrets []string, body []byte) []sum {
	forms := []SecretForm{cmp.Or(s.Form, SecretText)}
	for _, f := range []SecretForm{SecretText, SecretHex, SecretBase64} {
		if f != forms[0] {
			forms = append(forms, f)
		}
	}
	var all []sum
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
			raw, _ := hex.DecodeString(key.Sign(body))
			all = append(all, sum{form, raw})
		}
	}
	return all
}

// writing is a signature as it may be written.
type writing struct {
	name     string // of a writing that is not supported
	text     string
	encoding signature.BodyEncoding
}

// is compares in constant time: what it compares with is a right signature.
func (w *writing) is(text string) bool {
	if w.name == "" && w.encoding == signature.Hex {
		text = strings.ToLower(text)
	}
	return subtle.ConstantTimeCompare([]byte(text), []byte(w.text)) == 1
}

// writings are those that a source can be set to.
func (s *sum) writings() []writing {
	return []writing{
		{text: hex.EncodeToString(s.raw), encoding: signature.Hex},
		{text: base64.StdEncoding.EncodeToString(s.raw), encoding: signature.Base64},
	}
}

// unsupported are the others that senders use.
func (s *sum) unsupported() []writing {
	return []writing{
		{name: "base64url", text: base64.URLEncoding.EncodeToString(s.raw)},
		{name: "base64 without padding", text: base64.RawStdEncoding.EncodeToString(s.raw)},
		{name: "base64url without padding", text: base64.RawURLEncoding.EncodeToString(s.raw)},
	}
}

// place is where a signature was found.
type place struct {
	writing

	header, prefix string
}

// search finds a signature at the end of a header's value. What stands before it is its
// prefix.
func (s BodySignature) search(r Request, writings []writing) (place, bool) {
	for _, name := range s.headersOf(r) {
		for _, value := range r.Header[name] {
			for _, w := range writings {
				at := len(value) - len(w.text)
				if at >= 0 && w.is(value[at:]) && s.prefixes(value[:at]) {
					return place{w, name, value[:at]}, true
				}
			}
		}
	}
	return place{}, false
}

// maxPrefix is the greatest length of a prefix that is taken for one.
const maxPrefix = 16

// prefixes reports whether a text can be a prefix that is always the same. A comma or a
// semicolon tells of a list, whose other parts change from request to request.
func (s BodySignature) prefixes(text string) bool {
	strange := strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' || c == ',' || c == ';' })
	return text == s.Scheme.Prefix || len(text) <= maxPrefix && !strange
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
