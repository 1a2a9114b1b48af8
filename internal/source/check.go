package source

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/signature"
)

// Bounds of what a source may have, in characters.
const (
	maxSecret = 256
	maxPrefix = 64
	maxPath   = 256
)

// Check says what is wrong with a source's dialect, its proofs and where it has its event
// types, as an errs.Error that names every wrong member of a request's body and quotes
// no value; nil = nothing.
func Check(s *store.Source, set dialect.Set) error {
	c := checker{source: s, auth: &s.Auth}
	var known bool
	if c.dialect, known = Dialect(set, s); !known {
		c.add("must be one of "+strings.Join(Names(set), ", "), "dialect")
		return c.err()
	}
	_, c.byToken = c.dialect.(dialect.TokenSent)
	_, c.byBody = c.dialect.(dialect.BodySigned)
	c.proven()
	c.secrets()
	c.signature()
	c.token()
	c.key()
	c.handshake()
	c.eventType()
	return c.err()
}

// checker collects what is wrong with a source.
type checker struct {
	source  *store.Source
	auth    *store.SourceAuth
	dialect dialect.Dialect
	// byToken and byBody: what proves the dialect's requests is a token, or a signature of
	// the body in a header of its own. All others sign as Standard Webhooks says.
	byToken, byBody bool
	wrong           []errs.Field
}

// add names what is wrong with a member of the body.
func (c *checker) add(msg string, loc ...string) {
	c.wrong = append(c.wrong, errs.Field{Loc: append([]string{"body"}, loc...), Msg: msg})
}

func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Fields: c.wrong}
}

// proven wants something that proves a request, or the word that nothing does.
func (c *checker) proven() {
	a := c.auth
	given := map[string]bool{"secret": len(a.Secrets) > 0, "token": a.Token != "" || a.NextToken != "", "key": a.Key != ""}
	if !given["secret"] && !given["token"] && !given["key"] && !a.Unverified {
		switch {
		case c.byToken:
			c.add("say what proves that a request is the vendor's: a token, or unverified: true", "token")
		case c.byBody:
			c.add("say what proves that a request is the vendor's: a secret, a token with its tokenHeader, or unverified: true", "secret")
		default:
			c.add("say what proves that a request is the vendor's: a secret, a token with its tokenHeader, a key (whpk_…), or unverified: true", "secret")
		}
	}
	if !a.Unverified {
		return
	}
	for _, name := range []string{"secret", "token", "key"} {
		if given[name] {
			c.add("proves a request, and a source that is unverified wants no proof: give one of the two", name)
		}
	}
}

// secrets checks the signing secrets.
func (c *checker) secrets() {
	a := c.auth
	if len(a.Secrets) == 0 {
		return
	}
	if c.byToken {
		c.add("is not for "+c.source.Dialect+", whose requests are not signed: they carry a token", "secret")
		return
	}
	if a.Key != "" {
		c.add("and key are two ways to sign: give the one that the sender uses", "secret")
		return
	}
	for _, secret := range a.Secrets {
		if msg := c.wrongSecret(secret); msg != "" {
			c.add(msg, "secret")
			return
		}
	}
}

// wrongSecret says what is wrong with a secret; "" = nothing.
func (c *checker) wrongSecret(secret string) string {
	form := dialect.SecretForm(c.auth.SecretForm)
	switch {
	case strings.HasPrefix(secret, "whsk_"):
		return "is a private key (whsk_…): give its public half, whpk_…, as key"
	case strings.HasPrefix(secret, "whpk_"):
		return "is a public key (whpk_…): give it as key"
	}
	if signed(c.auth, c.dialect).Header != "" {
		if !printable(secret, maxSecret) {
			return "must be 1 to 256 printable characters"
		}
		if _, err := form.Key(secret); err != nil {
			return err.Error()
		}
		return ""
	}
	texts, err := standardSecrets(form, []string{secret})
	if err == nil {
		err = c.dialect.CheckSecret(texts[0])
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// signature checks how requests are signed where that differs from the dialect's way.
func (c *checker) signature() {
	a := c.auth
	if a.SignatureHeader == "" && a.Encoding == "" && a.Prefix == "" && a.SecretForm == "" {
		return
	}
	if c.byToken {
		c.add("is not for "+c.source.Dialect+", whose requests are not signed: they carry a token", "signature")
		return
	}
	if len(a.Secrets) == 0 {
		c.add("says how requests are signed with a secret, and there is none", "signature")
	}
	if a.SignatureHeader == "" && !c.byBody && (a.Encoding != "" || a.Prefix != "") {
		c.add("is for a signature that has a header to itself: name it as signature.header", "signature", "encoding")
	}
	if a.SignatureHeader != "" && !headerName(a.SignatureHeader) {
		c.add("must be the name of a header", "signature", "header")
	}
	if a.Encoding != "" && a.Encoding != Hex && a.Encoding != Base64 {
		c.add("must be hex or base64", "signature", "encoding")
	}
	if a.Prefix != "" && !printable(a.Prefix, maxPrefix) {
		c.add("must be printable, and of 64 characters at most", "signature", "prefix")
	}
	switch dialect.SecretForm(a.SecretForm) {
	case "", dialect.SecretText, dialect.SecretHex, dialect.SecretBase64:
	default:
		c.add("must be text, hex or base64", "signature", "secret")
	}
}

// token checks the tokens and their header.
func (c *checker) token() {
	a := c.auth
	given := false
	for _, token := range []string{a.Token, a.NextToken} {
		if token == "" {
			continue
		}
		given = true
		if err := dialect.CheckToken(token); err != nil {
			c.add(err.Error(), "token")
			break
		}
	}
	switch {
	case a.TokenHeader != "" && !headerName(a.TokenHeader):
		c.add("must be the name of a header", "tokenHeader")
	case given && a.TokenHeader == "" && !c.byToken:
		c.add("is required with a token: the header that holds it", "tokenHeader")
	case !given && a.TokenHeader != "":
		c.add("is of no use without a token", "tokenHeader")
	}
}

// key checks the public key.
func (c *checker) key() {
	a := c.auth
	if a.Key == "" {
		return
	}
	if c.byToken || c.byBody {
		c.add("is not for "+c.source.Dialect+", which does not sign as Standard Webhooks says (v1a)", "key")
		return
	}
	if _, err := signature.ParsePublicKey(a.Key); err != nil {
		c.add("must be the public key of a sender who signs v1a, whpk_…", "key")
	}
}

// handshake checks the secret that answers the vendor's test of the URL.
func (c *checker) handshake() {
	if c.auth.Handshake != "" && !printable(c.auth.Handshake, maxSecret) {
		c.add("must be 1 to 256 printable characters", "handshakeSecret")
	}
}

// eventType checks where a source of dialect raw has its event types.
func (c *checker) eventType() {
	s := c.source
	if s.Dialect != native.RawName {
		for name, text := range map[string]string{"typeHeader": s.TypeHeader, "typeField": s.TypeField} {
			if text != "" {
				c.add("is for dialect raw; the webhooks of "+s.Dialect+" say their type", name)
			}
		}
		return
	}
	if s.TypeHeader != "" && s.TypeField != "" {
		c.add("and typeHeader are two places for one type: give one of them", "typeField")
	}
	if s.TypeHeader != "" && !headerName(s.TypeHeader) {
		c.add("must be the name of a header", "typeHeader")
	}
	if s.TypeField != "" && (!printable(s.TypeField, maxPath) || slices.Contains(strings.Split(s.TypeField, "."), "")) {
		c.add("must be a member's name, or a path such as event.type", "typeField")
	}
}

// hopHeaders frame a request or belong to one connection: net/http or a proxy takes them
// away before anybody could read them.
var hopHeaders = []string{"host", "connection", "content-length", "te", "trailer", "transfer-encoding", "upgrade"}

// headerName reports whether a text is the name of a header that reaches the server.
func headerName(text string) bool {
	const maxName = 256
	return len(text) <= maxName && httpguts.ValidHeaderFieldName(text) && !slices.Contains(hopHeaders, lower(text))
}

// printable reports whether a text is 1 to limit printable characters.
func printable(text string, limit int) bool {
	n := utf8.RuneCountInString(text)
	strange := strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	return n >= 1 && n <= limit && !strange && utf8.ValidString(text)
}
