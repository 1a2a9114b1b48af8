package web

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddr(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	rows := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.9:1234", nil, "203.0.113.9"},
		{"a stranger's claim", "203.0.113.9:1234", []string{"198.51.100.1"}, "203.0.113.9"},
		{"a trusted proxy", "10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"two trusted proxies", "10.0.0.1:1234", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"what the client put in front", "10.0.0.1:1234", []string{"127.0.0.1, 198.51.100.1"}, "198.51.100.1"},
		{"several headers are one list", "10.0.0.1:1234", []string{"127.0.0.1", "198.51.100.1"}, "198.51.100.1"},
		{"a trusted proxy that names nobody", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"nonsense", "10.0.0.1:1234", []string{"unknown"}, "10.0.0.1"},
		{"an IPv4 address in IPv6 form", "[::ffff:10.0.0.1]:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"IPv6", "[::1]:1234", []string{"2001:db8::7"}, "2001:db8::7"},
		{"no address at all", "@", nil, "invalid IP"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: row.peer, Header: http.Header{}}
			for _, f := range row.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := ClientAddr(r, trusted).String(); got != row.want {
				t.Errorf("ClientAddr = %s, want %s", got, row.want)
			}
		})
	}
}
