package netguard

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// AllowPrivateFlag is the command line flag behind Policy.AllowPrivate, as the reasons name it.
const AllowPrivateFlag = "--allow-private"

// URLError refuses an endpoint's URL. Its text never repeats any of the URL, which may hold a token.
type URLError struct {
	// Reason is a clause, lower case, that follows "the URL", such as "must use https".
	Reason string
	// AllowPrivateHelps claims that Policy.AllowPrivate would admit the URL.
	AllowPrivateHelps bool
}

// Error gives the reason and, where it helps, names the flag.
func (e *URLError) Error() string {
	if e.AllowPrivateHelps {
		return "the URL " + e.Reason + "; " + AllowPrivateFlag + " admits it"
	}
	return "the URL " + e.Reason
}

// Reasons that more than one rule or a test needs by name.
const (
	reasonNotURL     = "is not a valid absolute URL"
	reasonNotHTTPS   = "must use https"
	reasonNotHTTP    = "must use https or http"
	reasonUserInfo   = "must not contain a user name or password"
	reasonEmptyHost  = "names no host"
	reasonBadHost    = "names a host that is not a valid host name or IP address"
	reasonLocalhost  = "names localhost"
	reasonPrivate    = "names a private address"
	reasonSpecial    = "names a special address, which nothing admits"
	reasonDenied     = "names an address on the deny list"
	reasonBadPort    = "names a port outside of 1 to 65535"
	reasonDeniedPort = "names a port on the deny list"
	reasonIPv4Form   = "names an IPv4 address in a form other than four decimal numbers without a trailing dot"
	reasonIPv6Zone   = "names an IPv6 address with a zone"
	reasonEscape     = "contains percent-encoding that is malformed or hides plain characters of the host"
)

// CheckURL reports, as a [*URLError], why an endpoint may not have this URL. It reads the host both as a browser does
// (https://url.spec.whatwg.org/#host-parsing), because people and other checkers read URLs so, and as net/http does,
// because net/http will connect to it; a URL that the two read differently is refused. It resolves no name: one that
// does not resolve now is accepted, and one that resolves to a private address fails when it is dialled.
func (g *Guard) CheckURL(raw string) error {
	reason := g.refuse(raw)
	if reason == "" {
		return nil
	}
	err := &URLError{Reason: reason}
	if !g.allowPrivate {
		relaxed := *g
		relaxed.allowPrivate = true
		relaxed.guardian = New(Policy{AllowPrivate: true}).guardian
		remaining := relaxed.refuse(raw)
		// A disguised private address is still named as what it is: the flag admits the address, and the next 422
		// asks for its plain spelling.
		err.AllowPrivateHelps = remaining == "" || remaining == reasonIPv4Form && reason != remaining
	}
	return err
}

// refuse gives the reason against a URL, or "".
func (g *Guard) refuse(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		if _, ok := errors.AsType[url.EscapeError](err); ok {
			return reasonEscape // a browser reads %31 in a host as 1, net/http cannot send to it, and nobody needs it
		}
		return reasonNotURL
	}
	switch {
	case u.Scheme == "http" && !g.allowPrivate:
		return reasonNotHTTPS
	case u.Scheme != "https" && u.Scheme != "http":
		return g.wantScheme()
	case u.User != nil:
		return reasonUserInfo
	}
	if reason := g.refuseHost(u.Host, u.Hostname()); reason != "" {
		return reason
	}
	return g.refusePort(u.Port())
}

func (g *Guard) wantScheme() string {
	if g.allowPrivate {
		return reasonNotHTTP
	}
	return reasonNotHTTPS
}

// refuseHost judges the host of a parsed URL: authority as url.URL.Host holds it, with brackets around IPv6 and a port
// perhaps, and name without them.
func (g *Guard) refuseHost(authority, name string) string {
	if strings.HasPrefix(authority, "[") {
		return g.refuseIPv6(name)
	}
	host, err := parseHost(name)
	switch {
	case errors.Is(err, errEmptyHost):
		return reasonEmptyHost
	case err != nil:
		return reasonBadHost
	case host.addr.IsValid():
		return g.refuseIPv4(host)
	case !g.allowPrivate && isLocalhost(host.name):
		return reasonLocalhost
	default:
		return ""
	}
}

func (g *Guard) refuseIPv6(literal string) string {
	addr, err := netip.ParseAddr(literal)
	switch {
	case err != nil || !addr.Is6():
		return reasonBadHost
	case addr.Zone() != "":
		return reasonIPv6Zone // a zone is an interface of this machine: never a customer's business
	default:
		return g.refuseAddr(addr)
	}
}

// refuseIPv4 also refuses spellings such as 0x8.8.8.8 or 134744072: a browser reads them as addresses, Go's dialer as
// names that never resolve, so that every delivery would fail for a reason nobody could see.
func (g *Guard) refuseIPv4(h host) string {
	if reason := g.refuseAddr(h.addr); reason != "" {
		return reason
	}
	if h.name != h.addr.String() {
		return reasonIPv4Form
	}
	return ""
}

func (g *Guard) refuseAddr(addr netip.Addr) string {
	switch g.classify(addr) {
	case addressAdmitted:
		return ""
	case addressDenied:
		return reasonDenied
	case addressPrivate:
		return reasonPrivate
	default:
		return reasonSpecial
	}
}

// refusePort judges the digits behind the colon; none mean the scheme's own port, which only an operator denies.
func (g *Guard) refusePort(digits string) string {
	if digits == "" {
		return ""
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	switch {
	case err != nil || port == 0:
		return reasonBadPort
	case g.portDenied(uint16(port)):
		return reasonDeniedPort
	default:
		return ""
	}
}
