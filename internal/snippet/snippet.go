// Package snippet says how a receiver verifies the webhooks of a dialect: in words, and in
// code that needs no library. What is said of a dialect is taken from the dialect itself,
// from what it declares and from a request that it signs; the tests run all code on real
// requests.
package snippet

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"text/template"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/signature"
)

// Guide is how the webhooks of a dialect are verified.
type Guide struct {
	Dialect string
	Scheme  string   // what proves a request, in words
	Headers []string // lower-case names of the headers that prove it
	Steps   []string // what a receiver does, in order
	Code    Code
}

// Code is the code of a guide. In each language there is a function "verify"; Curl is a
// script for bash that also sends a signed request.
type Code struct {
	Go, TypeScript, Python, Curl string
}

// facts are what the templates and the steps are filled with.
type facts struct {
	ID, Timestamp, Signature string // headers, lower case
	Prefix                   string // of a signature in Signature
}

//go:embed template
var files embed.FS

// templates are the code. "type" writes a type of TypeScript, which the tests leave out
// where Node does not know them.
func templates(typed bool) (*template.Template, error) {
	inside, err := fs.Sub(files, "template")
	if err != nil {
		return nil, err
	}
	write := func(name string) string {
		if !typed {
			return ""
		}
		return ": " + name
	}
	return template.New("").Delims("«", "»").Funcs(template.FuncMap{"type": write}).ParseFS(inside, "*.tmpl")
}

// For says how the webhooks of a dialect are verified; it reports false for one that proves
// them in a way of its own.
func For(d dialect.Dialect) (Guide, bool) {
	scheme, f, known := factsOf(d)
	if !known {
		return Guide{}, false
	}
	g := scheme.guide(f)
	g.Dialect = d.Name()
	var err error
	if g.Code, err = code(scheme.name, f, true); err != nil { // a mistake in a template, which the tests find
		return Guide{}, false
	}
	return g, true
}

// code fills the templates of a scheme.
func code(scheme string, f facts, typed bool) (Code, error) {
	all, err := templates(typed)
	if err != nil {
		return Code{}, err
	}
	var c Code
	for ending, text := range map[string]*string{"go": &c.Go, "ts": &c.TypeScript, "py": &c.Python, "sh": &c.Curl} {
		var b strings.Builder
		if err := all.ExecuteTemplate(&b, scheme+"."+ending+".tmpl", f); err != nil {
			return Code{}, fmt.Errorf("write the code of %s: %w", scheme, err)
		}
		*text = b.String()
	}
	return c, nil
}

// scheme is one way of proving requests.
type scheme struct {
	name  string // of its templates
	guide func(facts) Guide
}

// factsOf finds the scheme of a dialect and its facts.
func factsOf(d dialect.Dialect) (scheme, facts, bool) {
	if sent, ok := d.(dialect.TokenSent); ok {
		return scheme{"token", guideToken}, facts{Signature: strings.ToLower(sent.TokenHeader())}, true
	}
	if signed, ok := d.(dialect.BodySigned); ok {
		s := signed.BodySignature()
		fits := s.Scheme.Encoding == signature.Hex && (s.Form == "" || s.Form == dialect.SecretText)
		return scheme{"body", guideBody}, facts{Signature: strings.ToLower(s.Header), Prefix: s.Scheme.Prefix}, fits
	}
	prefix := standardPrefix(d)
	return scheme{"standard", guideStandard}, facts{
		ID: prefix + "id", Timestamp: prefix + "timestamp", Signature: prefix + "signature",
	}, prefix != ""
}

// standardPrefix is what the names of the headers of Standard Webhooks begin with in
// requests of a dialect; "" if it sends none.
func standardPrefix(d dialect.Dialect) string {
	signer, err := d.NewSigner([]string{d.NewSecret()})
	if err != nil {
		return ""
	}
	h := http.Header{}
	signer.Sign(h, "msg_1", time.Unix(0, 0), nil)
	for _, prefix := range []string{"webhook-", "svix-"} {
		if h.Get(prefix+"signature") != "" && h.Get(prefix+"id") != "" && h.Get(prefix+"timestamp") != "" {
			return prefix
		}
	}
	return ""
}

// What receivers of every dialect do.
const (
	stepRaw    = "Read the body as bytes and verify it before you parse it: a body that was parsed and written again is another one."
	stepAnswer = "Answer 2xx as soon as the webhook is stored, within the endpoint's timeout, and do the work afterwards."
)

func guideStandard(f facts) Guide {
	return Guide{
		Scheme:  "Standard Webhooks: HMAC-SHA256 of id, timestamp and body",
		Headers: []string{f.ID, f.Timestamp, f.Signature},
		Steps: []string{
			stepRaw,
			"Refuse a request whose " + f.Timestamp + ", in seconds since 1970, is more than five minutes away from now.",
			"Join " + f.ID + ", " + f.Timestamp + " and the body with dots: id.timestamp.body.",
			"Make the HMAC-SHA256 of that. The key is what the base64 after whsec_ stands for. Write it in base64, after \"v1,\".",
			f.Signature + " holds one or more signatures with spaces between them: one for each secret while one is being replaced. " +
				"Accept the request if one of them is yours; compare in constant time.",
			"A secret that begins with whpk_ is a public key: then \"v1a,\" stands before an Ed25519 signature of the same text.",
			"Remember " + f.ID + " for some days: it is the same when a message is sent again, and a message that you have handled you answer 2xx.",
			stepAnswer,
		},
	}
}

func guideBody(f facts) Guide {
	return Guide{
		Scheme:  "HMAC-SHA256 of the body",
		Headers: []string{f.Signature},
		Steps: []string{
			stepRaw,
			"Make the HMAC-SHA256 of the body. The key is the secret's text itself, in UTF-8.",
			"Write it in lower-case hexadecimal after \"" + f.Prefix + "\" and compare that with " + f.Signature + " in constant time.",
			"There is one signature: while a secret is being replaced, accept the old one and the new one.",
			"No time is signed, so a recorded request verifies for ever: remember the ids of the webhooks that you have handled.",
			stepAnswer,
		},
	}
}

func guideToken(f facts) Guide {
	return Guide{
		Scheme:  "A token that is always the same",
		Headers: []string{f.Signature},
		Steps: []string{
			"Compare " + f.Signature + " with the token in constant time. All endpoints of an app share it.",
			"While a token is being replaced, accept the old one and the new one.",
			"The token proves who sends, and nothing about the body or the time: take webhooks over https alone, and handle none twice.",
			stepAnswer,
		},
	}
}
