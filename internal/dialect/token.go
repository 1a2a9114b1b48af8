package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/callboard/callboard/signature"
)

// TokenSent is a dialect whose requests are proven by a token that is always the same.
type TokenSent interface {
	// TokenHeader is the header that holds the token.
	TokenHeader() string
}

// maxToken is the greatest length of a token that is assigned, in characters.
const maxToken = 256

// errToken is the rule for tokens.
var errToken = errors.New("must be 1 to 256 printable ASCII characters without space around them")

// CheckToken accepts what can be a header's value.
func CheckToken(token string) error {
	if _, err := signature.NewToken(token); err != nil || len(token) > maxToken {
		return errToken
	}
	return nil
}

// errNoToken is what is wrong with a list of tokens.
var errNoToken = fmt.Errorf("%w: there is no token", signature.ErrInvalidKey)

// authorization is the header whose value names a scheme before the token (RFC 9110,
// section 11.4).
const authorization = "authorization"

// bearer gives what follows the scheme Bearer (RFC 6750, section 2.1), whose case does
// not matter (RFC 9110, section 11.1); it reports false for every other value.
func bearer(value string) (string, bool) {
	scheme, rest, found := strings.Cut(value, " ")
	return strings.TrimLeft(rest, " "), found && strings.EqualFold(scheme, "Bearer")
}

// VerifyToken checks that a header holds one of the tokens; in authorization it may stand
// after the scheme Bearer. One that is not there is looked for where senders put it by
// mistake.
func VerifyToken(header string, tokens []string, r Request) (Verdict, error) {
	known := make(tokenList, 0, len(tokens))
	for _, text := range tokens {
		token, err := signature.NewToken(text)
		if err != nil {
			return Verdict{}, err
		}
		known = append(known, token)
	}
	if len(known) == 0 {
		return Verdict{}, errNoToken
	}
	name, value := strings.ToLower(header), r.Header.Get(header)
	switch {
	case known.in(name, value):
		return Verdict{Valid: true}, nil
	case value == "" && r.Brief:
		return Verdict{Why: "there is no header " + name}, nil
	case value == "":
		return Verdict{Why: "there is no header " + name, Hint: known.misplaced(r.Header)}, nil
	case r.Brief:
		return Verdict{Why: "the token in " + name + " is wrong"}, nil
	}
	return Verdict{Why: "the token in " + name + " is wrong", Hint: cmp.Or(known.wrapped(value), known.misplaced(r.Header))}, nil
}

// tokenList are tokens of which each is right.
type tokenList []signature.Token

// has reports whether a text is one of the tokens.
func (l tokenList) has(text string) bool {
	return slices.ContainsFunc(l, func(t signature.Token) bool { return t.Verify(text) == nil })
}

// in reports whether a header of this name, in lower case, proves the request with a value.
func (l tokenList) in(name, value string) bool {
	if token, ok := bearer(value); ok && name == authorization && l.has(token) {
		return true
	}
	return l.has(value)
}

// wrapped finds the token among what is around it.
func (l tokenList) wrapped(value string) string {
	bare := strings.TrimSpace(value)
	if l.has(bare) {
		return "the token is right without the space around it"
	}
	if token, ok := bearer(bare); ok && l.has(token) {
		return "the token is right without the word Bearer"
	}
	if l.has(strings.Trim(bare, `"`)) {
		return "the token is right without the quotes around it"
	}
	return ""
}

// InHeader begins the hint about a token, or a signature, that is in another header.
const InHeader = "is in the header "

// misplaced finds the token in another header, or in one that is there twice. It says
// what is around it there, unless the header may hold that.
func (l tokenList) misplaced(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := strings.ToLower(name)
		for _, value := range h[name] {
			if l.in(key, value) {
				return "the token " + InHeader + key
			}
			if around := l.wrapped(value); around != "" {
				return around + ", and " + InHeader + key
			}
		}
	}
	return ""
}
