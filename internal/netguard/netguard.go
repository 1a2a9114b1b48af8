// Package netguard keeps customers from turning Callboard against the network it stands in (server-side request
// forgery). An endpoint's URL and headers are a customer's words; the POST that follows leaves from our machine, behind
// our firewall.
//
// It guards twice. [Guard.CheckURL] and [CheckHeader] look at what a customer typed, when it is set: they give a reason
// at once, but a name can resolve to anything later. [Guard.Control] therefore looks at the address of every
// connection just before it is made, after DNS, which also defeats names that resolve differently each time. The second
// check is the one that protects; the first is the one that explains. A proxy would hide the destination from Control,
// so the transport that uses it must have none.
//
// Errors carry a reason that may be shown to the customer: they never repeat the URL, the header's value or the
// address a name resolved to. A [Guard] is immutable after [New] and safe for concurrent use.
package netguard

import (
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// Policy says which destinations the operator admits. The zero value is the strict one: https to public addresses, on
// any port outside of [DefaultDenyPorts].
type Policy struct {
	// AllowPrivate also admits http, localhost and the private and loopback addresses (RFC 1918, RFC 4193, RFC 6598,
	// 127.0.0.0/8 and ::1). Link-local, multicast, reserved and cloud metadata addresses stay refused.
	AllowPrivate bool
	// DenyCIDRs are refused whatever else holds, AllowPrivate included. IPv4-mapped IPv6 prefixes count as the IPv4
	// prefix they stand for. The zero Prefix denies nothing. Default: none.
	DenyCIDRs []netip.Prefix
	// DenyPorts are refused on every host. Nil means DefaultDenyPorts; an empty, non-nil slice denies none but port 0.
	DenyPorts []uint16
}

// Addresses that AllowPrivate admits on top of the public internet.
var privatePrefixes = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),     // RFC 1918
	netip.MustParsePrefix("172.16.0.0/12"),  // RFC 1918
	netip.MustParsePrefix("192.168.0.0/16"), // RFC 1918
	netip.MustParsePrefix("100.64.0.0/10"),  // RFC 6598, in use between containers and in overlay networks
	netip.MustParsePrefix("127.0.0.0/8"),    // RFC 1122 loopback
	netip.MustParsePrefix("::1/128"),        // RFC 4291 loopback
	netip.MustParsePrefix("fc00::/7"),       // RFC 4193 unique local
}

// Services of cloud providers that answer any process on a machine, often with its credentials. They lie in public
// or private space, so neither the built-in list of special addresses nor the lack of AllowPrivate would stop them.
// 169.254.169.254 is absent because all of link-local is refused anyway.
var platformPrefixes = []netip.Prefix{
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure WireServer
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud metadata
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS metadata, DNS and time over IPv6
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud metadata over IPv6
}

// Guard applies one [Policy].
type Guard struct {
	allowPrivate bool
	deny         []netip.Prefix // ours and the operator's; asked before guardian, whose allowed prefixes win over denied ones
	denyPorts    []uint16
	guardian     *ssrf.Guardian
}

// New makes the guard for a policy. It keeps no reference to the policy's slices.
func New(p Policy) *Guard {
	g := &Guard{
		allowPrivate: p.AllowPrivate,
		deny:         slices.Clone(platformPrefixes),
		denyPorts:    slices.Clone(p.DenyPorts),
	}
	if p.DenyPorts == nil {
		g.denyPorts = DefaultDenyPorts()
	}
	for _, prefix := range p.DenyCIDRs {
		g.deny = append(g.deny, unmapPrefix(prefix))
	}
	options := []ssrf.Option{ssrf.WithPorts()} // no arguments: any port, since denyPorts decides
	if p.AllowPrivate {
		v4, v6 := splitFamilies(privatePrefixes)
		options = append(options, ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	}
	g.guardian = ssrf.New(options...)
	return g
}

// Control is the function for net.Dialer.Control: it refuses the connection about to be made to address, an IP and port
// after name resolution, with an [*AddressError]. The dialer then tries the name's next address, if there is one.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return &AddressError{Reason: "the connection is not TCP"}
	}
	dst, err := netip.ParseAddrPort(address)
	if err != nil {
		return &AddressError{Reason: "the destination is not an IP address and port"}
	}
	return g.CheckAddr(dst)
}

// CheckAddr reports, as an [*AddressError], that the policy refuses connections to dst. An IPv4-mapped IPv6 address
// counts as the IPv4 address that the kernel would connect to, and a zone is ignored, since netip's prefixes contain
// no address with a zone and would let it pass a deny list.
func (g *Guard) CheckAddr(dst netip.AddrPort) error {
	if g.portDenied(dst.Port()) {
		return &AddressError{Reason: "the port is on the deny list"}
	}
	switch g.classify(dst.Addr()) {
	case addressAdmitted:
		return nil
	case addressDenied:
		return &AddressError{Reason: "the destination is on the deny list of addresses"}
	default:
		return &AddressError{Reason: "the destination is a private or special address"}
	}
}

// addressClass is what a policy thinks of an address.
type addressClass int

const (
	addressAdmitted addressClass = iota
	addressDenied                // by the operator or by platformPrefixes: nothing admits it
	addressPrivate               // refused now, admitted by AllowPrivate
	addressSpecial               // refused under every policy
)

func (g *Guard) classify(addr netip.Addr) addressClass {
	addr = addr.Unmap().WithZone("")
	within := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }
	switch {
	case !addr.IsValid():
		return addressSpecial
	case slices.ContainsFunc(g.deny, within):
		return addressDenied
	case g.guardian.SafeAddr(addr) == nil:
		return addressAdmitted
	case slices.ContainsFunc(privatePrefixes, within):
		return addressPrivate
	default:
		return addressSpecial
	}
}

// portDenied reports whether the policy refuses a port. Port 0 names no port at all.
func (g *Guard) portDenied(port uint16) bool {
	return port == 0 || slices.Contains(g.denyPorts, port)
}

// AddressError refuses a connection. Its text holds no address: which address a customer's name resolves to inside our
// network is not the customer's to learn. The *net.OpError that wraps it does hold the address, so show customers this
// error alone (errors.AsType) and log the other.
type AddressError struct {
	Reason string // a clause, lower case, fit for customers
}

// Error gives the reason.
func (e *AddressError) Error() string { return "connection refused by policy: " + e.Reason }

// unmapPrefix turns ::ffff:10.0.0.0/104 into 10.0.0.0/8, because addresses are unmapped before they are compared.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

func splitFamilies(prefixes []netip.Prefix) (v4, v6 []netip.Prefix) {
	for _, p := range prefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return v4, v6
}
