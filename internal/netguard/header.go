package netguard

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/http/httpguts"
)

// HeaderError refuses a header that a customer wants on every request to an endpoint. Its text repeats neither the name
// nor the value.
type HeaderError struct {
	Reason string // a clause, lower case, that follows "the header"
}

// Error gives the reason.
func (e *HeaderError) Error() string { return "the header " + e.Reason }

// Names that frame the request, belong to one connection (RFC 9110 section 7.6.1), or are Callboard's to set: net/http
// would send several of them without complaint and so let a customer smuggle a second request. Lower case.
var deniedHeaders = []string{
	"connection", "content-length", "content-type", "expect", "host", "idempotency-key", "keep-alive", "te", "trailer",
	"transfer-encoding", "upgrade",
}

var deniedHeaderPrefixes = []string{"proxy-", "svix-", "webhook-"}

// CheckHeader reports, as a [*HeaderError], why an endpoint may not have this header. The dialectHeaders are the names
// that the endpoint's dialect sets itself, in any case. Values may hold any text but control characters, of which tab
// is one.
func CheckHeader(name, value string, dialectHeaders ...string) error {
	lower := strings.ToLower(name)
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(lower, prefix) }
	sameName := func(own string) bool { return strings.EqualFold(own, name) }
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return &HeaderError{Reason: "has a name that is not an HTTP token"}
	case slices.Contains(deniedHeaders, lower), slices.ContainsFunc(deniedHeaderPrefixes, hasPrefix):
		return &HeaderError{Reason: "has a name that is reserved (" + reservedHeaders() + ")"}
	case slices.ContainsFunc(dialectHeaders, sameName):
		return &HeaderError{Reason: "has a name that the endpoint's dialect sets itself"}
	case strings.ContainsFunc(value, unicode.IsControl):
		return &HeaderError{Reason: "has a value with control characters"}
	default:
		return nil
	}
}

// reservedHeaders lists the deny list for people.
func reservedHeaders() string {
	names := slices.Clone(deniedHeaders)
	for _, prefix := range deniedHeaderPrefixes {
		names = append(names, prefix+"*")
	}
	return strings.Join(names, ", ")
}
