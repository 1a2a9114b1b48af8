package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddr is who made a request: the peer of the connection, or, as long as
// that is a trusted proxy, whom it names last in X-Forwarded-For. What an
// untrusted peer claims is never believed. The zero Addr means unknown.
func ClientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !contains(trusted, client) {
			return client
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return client
		}
		client = next.Unmap()
	}
	return client
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}
