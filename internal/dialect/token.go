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

// VerifyToken checks that a header holds one of the tokens. One that is not there is
// looked for where senders put it by mistake.
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
	case known.has(value):
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

// wrapped finds the token among what is around it.
func (l tokenList) wrapped(value string) string {
	bare := strings.TrimSpace(value)
	if l.has(bare) {
		return "the token is right without the space around it"
	}
	if scheme, rest, ok := strings.Cut(bare, " "); ok && strings.EqualFold(scheme, "Bearer") && l.has(rest) {
		return "the token is right without the word Bearer"
	}
	if l.has(strings.Trim(bare, `"`)) {
		return "the token is right without the quotes around it"
	}
	return ""
}

// InHeader begins the hint about a token, or a signature, that is in another header.
const InHeader = "is in the header "

// misplaced finds the token in another header, or in one that is there twice.
func (l tokenList) misplaced(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if l.has(value) || l.wrapped(value) != "" {
				return "the token " + InHeader + strings.ToLower(name)
			}
		}
	}
	return ""
}
