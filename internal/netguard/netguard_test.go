package netguard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/netguard"
)

const (
	dialPrivate = "connection refused by policy: the destination is a private or special address"
	dialDenied  = "connection refused by policy: the destination is on the deny list of addresses"
	dialPort    = "connection refused by policy: the port is on the deny list"
)

func TestControl(t *testing.T) {
	t.Parallel()
	deny := []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16"), netip.MustParsePrefix("1.1.1.0/24")}
	strict := netguard.New(netguard.Policy{DenyCIDRs: deny})
	relaxed := netguard.New(netguard.Policy{DenyCIDRs: deny, AllowPrivate: true})
	for _, tt := range []struct {
		network, address string
		strict, relaxed  string
	}{
		{"tcp4", "8.8.8.8:443", admitted, admitted},
		{"tcp4", "8.8.8.8:8443", admitted, admitted},
		{"tcp4", "8.8.8.8:65535", admitted, admitted},
		{"tcp6", "[2606:4700:4700::1111]:443", admitted, admitted},
		{"tcp6", "[::ffff:8.8.8.8]:443", admitted, admitted},
		{"tcp4", "8.8.8.8:25", dialPort, dialPort},
		{"tcp4", "8.8.8.8:0", dialPort, dialPort},

		{"tcp4", "127.0.0.1:8080", dialPrivate, admitted},
		{"tcp4", "10.0.0.1:443", dialPrivate, admitted},
		{"tcp4", "172.16.0.1:443", dialPrivate, admitted},
		{"tcp4", "192.168.0.1:443", dialPrivate, admitted},
		{"tcp4", "100.64.0.1:443", dialPrivate, admitted},
		{"tcp6", "[::1]:443", dialPrivate, admitted},
		{"tcp6", "[fd00::1]:443", dialPrivate, admitted},
		{"tcp6", "[fd00::1%eth0]:443", dialPrivate, admitted},
		{"tcp6", "[::ffff:127.0.0.1]:443", dialPrivate, admitted},

		{"tcp4", "0.0.0.0:443", dialPrivate, dialPrivate},
		{"tcp4", "169.254.169.254:80", dialPrivate, dialPrivate},
		{"tcp4", "192.0.2.1:443", dialPrivate, dialPrivate},
		{"tcp4", "198.18.0.1:443", dialPrivate, dialPrivate},
		{"tcp4", "224.0.0.1:443", dialPrivate, dialPrivate},
		{"tcp4", "255.255.255.255:443", dialPrivate, dialPrivate},
		{"tcp6", "[::]:443", dialPrivate, dialPrivate},
		{"tcp6", "[fe80::1]:443", dialPrivate, dialPrivate},
		{"tcp6", "[fe80::1%eth0]:443", dialPrivate, dialPrivate},
		{"tcp6", "[::ffff:169.254.169.254]:80", dialPrivate, dialPrivate},
		{"tcp6", "[64:ff9b::7f00:1]:443", dialPrivate, dialPrivate},
		{"tcp6", "[2002:7f00:1::]:443", dialPrivate, dialPrivate},
		{"tcp6", "[2001:db8::1]:443", dialPrivate, dialPrivate},

		{"tcp4", "168.63.129.16:80", dialDenied, dialDenied},
		{"tcp6", "[::ffff:168.63.129.16]:80", dialDenied, dialDenied},
		{"tcp4", "100.100.100.200:80", dialDenied, dialDenied},
		{"tcp6", "[fd00:ec2::254]:80", dialDenied, dialDenied},
		{"tcp4", "10.9.8.7:443", dialDenied, dialDenied},
		{"tcp6", "[::ffff:10.9.8.7]:443", dialDenied, dialDenied},
		{"tcp4", "1.1.1.1:443", dialDenied, dialDenied},
		{"tcp4", "1.1.1.1:25", dialPort, dialPort},

		{"udp4", "8.8.8.8:443", "connection refused by policy: the connection is not TCP", "connection refused by policy: the connection is not TCP"},
		{"unix", "/run/docker.sock", "connection refused by policy: the connection is not TCP", "connection refused by policy: the connection is not TCP"},
		{"tcp4", "localhost:80", "connection refused by policy: the destination is not an IP address and port", "connection refused by policy: the destination is not an IP address and port"},
	} {
		if diff := cmp.Diff(tt.strict, text(strict.Control(tt.network, tt.address, nil))); diff != "" {
			t.Errorf("strict, %s (-want +got):\n%s", tt.address, diff)
		}
		if diff := cmp.Diff(tt.relaxed, text(relaxed.Control(tt.network, tt.address, nil))); diff != "" {
			t.Errorf("with AllowPrivate, %s (-want +got):\n%s", tt.address, diff)
		}
	}
}

// TestControlInADialer shows the guard where it works: behind name resolution, before the first packet.
func TestControlInADialer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())

	dial := func(p netguard.Policy, host string) error {
		dialer := net.Dialer{
			Control: netguard.New(p).Control,
			Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, errors.New("no DNS in tests")
			}},
		}
		conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
		}
		return err
	}
	for _, host := range []string{"127.0.0.1", "::ffff:127.0.0.1", "localhost"} {
		err := dial(netguard.Policy{}, host)
		refusal, ok := errors.AsType[*netguard.AddressError](err)
		if !ok {
			t.Fatalf("strict, %s: got %v, want an AddressError", host, err)
		}
		if strings.Contains(refusal.Error(), "127.") {
			t.Errorf("strict, %s: %q tells what the name resolves to", host, refusal)
		}
		if err := dial(netguard.Policy{AllowPrivate: true}, host); err != nil {
			t.Errorf("with AllowPrivate, %s: %v", host, err)
		}
	}
}

// TestNewKeepsItsOwnCopies: a caller that goes on using its slices does not change the policy in force.
func TestNewKeepsItsOwnCopies(t *testing.T) {
	t.Parallel()
	policy := netguard.Policy{
		DenyCIDRs: []netip.Prefix{netip.MustParsePrefix("8.8.8.8/32")},
		DenyPorts: []uint16{8443},
	}
	guard := netguard.New(policy)
	policy.DenyCIDRs[0], policy.DenyPorts[0] = netip.MustParsePrefix("9.9.9.9/32"), 1
	for _, dst := range []string{"8.8.8.8:443", "1.1.1.1:8443"} {
		if guard.CheckAddr(netip.MustParseAddrPort(dst)) == nil {
			t.Errorf("%s is admitted after the caller changed its slices", dst)
		}
	}
}

func TestEmptyDenyPortsDenyOnlyPortZero(t *testing.T) {
	t.Parallel()
	guard := netguard.New(netguard.Policy{DenyPorts: []uint16{}})
	if err := guard.CheckURL("https://example.com:25/"); err != nil {
		t.Errorf("port 25: %v", err)
	}
	if guard.CheckAddr(netip.MustParseAddrPort("8.8.8.8:0")) == nil {
		t.Error("port 0 is admitted")
	}
}
