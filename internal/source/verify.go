package source

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// Verify says whether a request that came in at a source comes from its vendor: whether
// it has each proof that the source demands. d is the source's Dialect. A refused
// request's Hint names the known variant that it is, and what the source can be set to so
// that it takes it, unless the request is Brief.
//
// The settings are those that Check accepted. With others, and with none, it refuses.
func Verify(s *store.Source, d dialect.Dialect, r dialect.Request) dialect.Verdict {
	a := &s.Auth
	if a.Unverified {
		return dialect.Verdict{Valid: true}
	}
	now := time.Now()
	demanded := proofs(a, d, now)
	if len(demanded) == 0 {
		return dialect.Verdict{Why: "the source has nothing to prove a request by"}
	}
	var all dialect.Verdict
	for _, proof := range demanded {
		v, err := proof(r)
		if err != nil { // it would quote no secret, but is nothing that a sender can mend
			return dialect.Verdict{Why: "what the source is to prove a request by cannot be used"}
		}
		if !v.Valid {
			return v
		}
		if v.ID != "" { // a signature vouches for them, and a token does not
			all.ID, all.SentAt = v.ID, v.SentAt
		}
	}
	all.Valid = true
	return all
}

// proof verifies one thing that a source demands.
type proof func(dialect.Request) (dialect.Verdict, error)

// proofs are what a source demands.
func proofs(a *store.SourceAuth, d dialect.Dialect, now time.Time) []proof {
	var all []proof
	if secrets := Secrets(a, now); len(secrets) > 0 {
		if sig := signed(a, d); sig.Header != "" {
			all = append(all, func(r dialect.Request) (dialect.Verdict, error) { return verifyBody(d, sig, secrets, r) })
		} else {
			form := dialect.SecretForm(a.SecretForm)
			all = append(all, func(r dialect.Request) (dialect.Verdict, error) { return verifyStandard(d, form, secrets, r) })
		}
	}
	if keys := Keys(a, now); len(keys) > 0 {
		all = append(all, func(r dialect.Request) (dialect.Verdict, error) { return d.Verify(keys, r) })
	}
	if tokens := Tokens(a, now); len(tokens) > 0 {
		header := cmp.Or(a.TokenHeader, TokenHeader(d))
		all = append(all, func(r dialect.Request) (dialect.Verdict, error) { return verifyToken(header, tokens, r) })
	}
	return all
}

// Secrets are the signing secrets that are accepted now, newest first.
func Secrets(a *store.SourceAuth, now time.Time) []string {
	if len(a.Secrets) > 1 && !a.OldUntil.After(now) {
		return a.Secrets[:1]
	}
	return a.Secrets
}

// Keys are the public keys that are accepted now, newest first.
func Keys(a *store.SourceAuth, now time.Time) []string {
	switch {
	case a.Key == "":
		return nil
	case a.OldUntil.After(now):
		return append([]string{a.Key}, a.OldKeys...)
	}
	return []string{a.Key}
}

// Tokens are those that are accepted now, newest first.
func Tokens(a *store.SourceAuth, now time.Time) []string {
	switch {
	case a.NextToken != "" && a.Token != "" && a.OldUntil.After(now):
		return []string{a.NextToken, a.Token}
	case a.NextToken != "":
		return []string{a.NextToken}
	case a.Token != "":
		return []string{a.Token}
	}
	return nil
}

// signed is the signature of the body that a source demands; without a header if it
// demands the dialect's own, which is none of that kind.
func signed(a *store.SourceAuth, d dialect.Dialect) dialect.BodySignature {
	sig := BodySignature(d)
	sig.Header = cmp.Or(a.SignatureHeader, sig.Header)
	if a.Encoding != "" {
		sig.Scheme = signature.BodyScheme{Prefix: a.Prefix, Encoding: encodings[a.Encoding]}
	}
	if a.SecretForm != "" {
		sig.Form = dialect.SecretForm(a.SecretForm)
	}
	return sig
}

// The encodings of signatures, by their names in the API.
const (
	Hex    = "hex"
	Base64 = "base64"
)

var encodings = map[string]signature.BodyEncoding{Hex: signature.Hex, Base64: signature.Base64}

// setting is the member signature of a source as the API has it.
type setting struct {
	Header   string             `json:"header,omitempty"`
	Encoding string             `json:"encoding,omitempty"`
	Prefix   *string            `json:"prefix,omitempty"`
	Secret   dialect.SecretForm `json:"secret,omitempty"`
}

// advise adds to a hint what the source is to be set to.
func (s *setting) advise(v *dialect.Verdict) {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts
	}
	v.Hint += ": set the source's signature to " + string(text)
}

// verifyBody checks a signature that has a header to itself.
func verifyBody(d dialect.Dialect, sig dialect.BodySignature, secrets []string, r dialect.Request) (dialect.Verdict, error) {
	v, err := sig.Verify(secrets, r)
	if err != nil || v.Valid || r.Brief {
		return v, err
	}
	variant, found := sig.Variant(secrets, r)
	if !found {
		variant, found = sig.Variant(dialect.Bare(secrets), r)
		found = found && !sig.Same(&variant) // then the secret alone is another
	}
	if found {
		settingOf(d, &variant).advise(&v)
	}
	return v, nil
}

// settingOf is what takes a variant of a signature. It names what the dialect has
// otherwise.
func settingOf(d dialect.Dialect, variant *dialect.BodySignature) *setting {
	s := &setting{Encoding: Hex, Prefix: &variant.Scheme.Prefix}
	if variant.Scheme.Encoding == signature.Base64 {
		s.Encoding = Base64
	}
	if !strings.EqualFold(variant.Header, BodySignature(d).Header) {
		s.Header = lower(variant.Header)
	}
	if variant.Form != dialect.SecretText {
		s.Secret = variant.Form
	}
	return s
}

// verifyStandard checks the signature of a dialect that signs as Standard Webhooks says.
func verifyStandard(d dialect.Dialect, form dialect.SecretForm, secrets []string, r dialect.Request) (dialect.Verdict, error) {
	texts, err := standardSecrets(form, secrets)
	if err != nil {
		return dialect.Verdict{}, err
	}
	v, err := d.Verify(texts, r)
	if err != nil || v.Valid || r.Brief {
		return v, err
	}
	if other, found := otherForm(d, form, secrets, r); found {
		v.Hint = "the key is the secret's text read as " + string(other)
		(&setting{Secret: other}).advise(&v)
		return v, nil
	}
	bodyAlone := dialect.BodySignature{}
	if variant, found := bodyAlone.Variant(secrets, r); found {
		v.Hint = "there is a signature of the body alone, which " + dialect.InHeader + lower(variant.Header)
		settingOf(d, &variant).advise(&v)
		return v, nil
	}
	v.Hint = cmp.Or(v.Hint, bodyAlone.Unsupported(secrets, r))
	return v, nil
}

// otherForm finds the form of the secrets with which a request would be valid.
func otherForm(d dialect.Dialect, form dialect.SecretForm, secrets []string, r dialect.Request) (dialect.SecretForm, bool) {
	r.Brief = true
	for _, other := range []dialect.SecretForm{dialect.SecretBase64, dialect.SecretText, dialect.SecretHex} {
		if other == cmp.Or(form, dialect.SecretBase64) {
			continue
		}
		for _, secret := range secrets { // one by one: the other ones need not be of this form
			texts, err := standardSecrets(other, []string{secret})
			if err != nil {
				continue
			}
			if v, err := d.Verify(texts, r); err == nil && v.Valid {
				return other, true
			}
		}
	}
	return "", false
}

// standardSecrets writes secrets of another form as Standard Webhooks writes them.
func standardSecrets(form dialect.SecretForm, secrets []string) ([]string, error) {
	if form == "" || form == dialect.SecretBase64 {
		return secrets, nil
	}
	texts := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := form.Key(secret)
		if err != nil {
			return nil, err
		}
		texts[i] = "whsec_" + base64.StdEncoding.EncodeToString([]byte(key))
	}
	return texts, nil
}

// verifyToken checks a token.
func verifyToken(header string, tokens []string, r dialect.Request) (dialect.Verdict, error) {
	v, err := dialect.VerifyToken(header, tokens, r)
	around, name, found := strings.Cut(v.Hint, dialect.InHeader)
	if !found || name == header {
		return v, err
	}
	v.Hint += ": set the source's tokenHeader to " + name
	if around != "the token " { // something is around it there, which no setting takes
		v.Hint += ", and have the vendor send the token alone"
	}
	return v, err
}

func lower(name string) string { return strings.ToLower(name) }
