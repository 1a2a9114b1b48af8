package netguard

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

var (
	errEmptyHost = errors.New("empty host")
	errBadHost   = errors.New("bad host")
)

// host is a URL's host as a browser reads it.
type host struct {
	name string     // mapped to lower-case ASCII, without brackets, a trailing dot kept
	addr netip.Addr // valid when the name spells an IPv4 address in any of its forms
}

// asciiNames maps names that are ASCII already, as a browser does: lower case, "xn--" labels valid, underscores and
// hyphens anywhere (they occur in real names, and net/http sends ASCII names unchanged).
var asciiNames = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(false))

// parseHost follows the host parser of https://url.spec.whatwg.org/#host-parsing for hosts without brackets. It
// expects percent-encoding to be resolved, as url.Parse does. Names outside ASCII are mapped with idna.Lookup, the
// mapping that net/http dials with: it knows the same digits and dots in disguise as a browser's, and is stricter
// about the rest.
func parseHost(raw string) (host, error) {
	profile := asciiNames
	if !isASCII(raw) {
		profile = idna.Lookup
	}
	name, err := profile.ToASCII(raw)
	if err != nil || !utf8.ValidString(raw) { // idna passes broken UTF-8 through
		return host{}, errBadHost
	}
	name = strings.ToLower(name)
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(labels) == 1 && labels[0] == "" {
		return host{}, errEmptyHost
	}
	if endsInNumber(labels) {
		addr, err := parseIPv4(labels)
		return host{name: name, addr: addr}, err
	}
	return host{name: name}, checkName(labels)
}

// checkName applies the lengths of RFC 1035 section 2.3.4 and the forbidden domain code points of the URL standard.
func checkName(labels []string) error {
	length := len(labels) - 1 // the dots
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, isForbidden) {
			return errBadHost
		}
		length += len(label)
	}
	if length > 253 {
		return errBadHost
	}
	return nil
}

// isForbidden knows the forbidden domain code points, https://url.spec.whatwg.org/#forbidden-domain-code-point, and,
// beyond them, everything that is not ASCII, which mapping cannot have left.
func isForbidden(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`#/:<>?@[\]^|%`, r)
}

// isLocalhost knows the names of RFC 6761 section 6.3.
func isLocalhost(name string) bool {
	name = strings.TrimSuffix(name, ".")
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// endsInNumber is the "ends in a number checker" of the URL standard: such a host is an IPv4 address or nothing. It asks
// for the digits' look, not their value, so 08 and what exceeds any address count too.
func endsInNumber(labels []string) bool {
	last := labels[len(labels)-1]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// parseIPv4 reads one to four numbers, the last of which fills all bytes that remain, as inet_aton does and the URL
// standard's IPv4 parser: 127.1, 0x7f000001, 017700000001 and 2130706433 are all 127.0.0.1.
func parseIPv4(labels []string) (netip.Addr, error) {
	if len(labels) > 4 {
		return netip.Addr{}, errBadHost
	}
	var address uint64
	for i, label := range labels {
		n, err := parseIPv4Number(label)
		if err != nil {
			return netip.Addr{}, err
		}
		bits := 8
		if i == len(labels)-1 {
			bits = 8 * (4 - i)
		}
		if n >= 1<<bits {
			return netip.Addr{}, errBadHost
		}
		address = address<<bits | n
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(address)))), nil
}

// parseIPv4Number reads decimal, octal (leading 0) and hexadecimal (leading 0x; alone it is 0) numbers. What exceeds 64
// bits is an error here and out of range for the standard: refused either way.
func parseIPv4Number(s string) (uint64, error) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
		if s == "" {
			return 0, nil
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		return 0, errBadHost
	}
	return n, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
