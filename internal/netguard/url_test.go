package netguard_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/idna"

	"github.com/callboard/callboard/internal/netguard"
)

// The answers that CheckURL gives, as customers read them.
const (
	admitted    = ""
	notURL      = "the URL is not a valid absolute URL"
	notHTTPS    = "the URL must use https"
	notHTTP     = "the URL must use https or http"
	httpFlag    = "the URL must use https; --allow-private admits it"
	userInfo    = "the URL must not contain a user name or password"
	emptyHost   = "the URL names no host"
	badHost     = "the URL names a host that is not a valid host name or IP address"
	localhost   = "the URL names localhost; --allow-private admits it"
	private     = "the URL names a private address; --allow-private admits it"
	special     = "the URL names a special address, which nothing admits"
	denied      = "the URL names an address on the deny list"
	badPort     = "the URL names a port outside of 1 to 65535"
	deniedPort  = "the URL names a port on the deny list"
	ipv4Form    = "the URL names an IPv4 address in a form other than four decimal numbers without a trailing dot"
	ipv6Zone    = "the URL names an IPv6 address with a zone"
	badEncoding = "the URL contains percent-encoding that is malformed or hides plain characters of the host"
)

// corpus holds URLs with the answers of the strict policy and of AllowPrivate.
var corpus = []struct {
	url             string
	strict, relaxed string
}{
	// Ordinary endpoints.
	{"https://example.com", admitted, admitted},
	{"https://example.com/hooks?token=s3cr3t#part", admitted, admitted},
	{"https://example.com:8443/hooks", admitted, admitted},
	{"https://example.com:/hooks", admitted, admitted},
	{"https://EXAMPLE.com./hooks", admitted, admitted},
	{"HTTPS://example.com/", admitted, admitted},
	{"https://under_score.example.com/", admitted, admitted},
	{"https://r3---sn-x.example.com/", admitted, admitted},
	{"https://-leading.example.com/", admitted, admitted},
	{"https://bücher.example/", admitted, admitted},
	{"https://b%C3%BCcher.example/", admitted, admitted},
	{"https://xn--bcher-kva.example/", admitted, admitted},
	{"https://中国.example/", admitted, admitted},
	{"https://intranet/", admitted, admitted},
	{"https://does-not-resolve.invalid/", admitted, admitted},
	{"https://127.0.0.1.nip.io/", admitted, admitted}, // a name: refused when it is dialled
	{"https://metadata.google.internal/", admitted, admitted},
	{"https://notlocalhost/", admitted, admitted},
	{"https://localhost.example.com/", admitted, admitted},
	{"https://1.2.3.4.example/", admitted, admitted},
	{"https://0x7f.example/", admitted, admitted},
	{"https://example.0x7g/", admitted, admitted},
	{"https://8.8.8.8/", admitted, admitted},
	{"https://8.8.8.8:8443/", admitted, admitted},
	{"https://[2606:4700:4700::1111]/", admitted, admitted},
	{"https://[::ffff:8.8.8.8]/", admitted, admitted},
	{"https://example.com/http://127.0.0.1/", admitted, admitted},
	{"https://example.com?@127.0.0.1/", admitted, admitted},
	{"https://example.com/%zz", badEncoding, badEncoding},

	// Schemes.
	{"http://example.com/", httpFlag, admitted},
	{"http://example.com:8080/", httpFlag, admitted},
	{"http://127.0.0.1:8080/", httpFlag, admitted},
	{"http://169.254.169.254/latest/meta-data/", notHTTPS, special},
	{"http://user@example.com/", notHTTPS, userInfo},
	{"ftp://example.com/", notHTTPS, notHTTP},
	{"file:///etc/passwd", notHTTPS, notHTTP},
	{"gopher://127.0.0.1:70/_x", notHTTPS, notHTTP},
	{"javascript:alert(1)", notHTTPS, notHTTP},
	{"data:text/plain,x", notHTTPS, notHTTP},
	{"unix:///var/run/docker.sock", notHTTPS, notHTTP},
	{"wss://example.com/", notHTTPS, notHTTP},
	{"//example.com/", notHTTPS, notHTTP},
	{"example.com/hooks", notHTTPS, notHTTP},
	{"/hooks", notHTTPS, notHTTP},
	{"", notHTTPS, notHTTP},
	{"example.com:443", notHTTPS, notHTTP},
	{"https", notHTTPS, notHTTP},

	// What Go and a browser would read differently.
	{"https:example.com", emptyHost, emptyHost},
	{"https:127.0.0.1", emptyHost, emptyHost},
	{"https:/127.0.0.1/", emptyHost, emptyHost},
	{"https:///127.0.0.1/", emptyHost, emptyHost},
	{`https:\\127.0.0.1\`, emptyHost, emptyHost},
	{`https://example.com\@127.0.0.1/`, notURL, notURL},
	{`https://127.0.0.1\.example.com/`, notURL, notURL},
	{"https://exa\tmple.com/", notURL, notURL},
	{"https://127.0.0\n.1/", notURL, notURL},
	{"https://example.com/\r\nHost: x", notURL, notURL},
	{"https://example.com\x00.evil/", notURL, notURL},
	{" https://example.com/", notURL, notURL},
	{"https://exam ple.com/", notURL, notURL},
	{"https://%31%32%37.0.0.1/", badEncoding, badEncoding},
	{"https://127%2e0.0.1/", badEncoding, badEncoding},
	{"https://loc%61lhost/", badEncoding, badEncoding},
	{"https://example%00.com/", badEncoding, badEncoding},
	{"https://%25%33%31.com/", badEncoding, badEncoding},
	{"https://%2531.0.0.1/", badHost, badHost},
	{"https://127.0.0.1:80:443/", notURL, notURL},
	{"https://::1/", notURL, notURL},
	{"https://[::1/", notURL, notURL},

	// User info.
	{"https://user:pass@example.com/", userInfo, userInfo},
	{"https://user@example.com/", userInfo, userInfo},
	{"https://@example.com/", userInfo, userInfo},
	{"https://:@example.com/", userInfo, userInfo},
	{"https://example.com@127.0.0.1/", userInfo, userInfo},
	{"https://127.0.0.1@example.com/", userInfo, userInfo},
	{"https://a@b@127.0.0.1/", userInfo, userInfo},

	// Empty and broken hosts.
	{"https://", emptyHost, emptyHost},
	{"https://./", emptyHost, emptyHost},
	{"https://:443/", emptyHost, emptyHost},
	{"https://?x", emptyHost, emptyHost},
	{"https://\u00ad/", emptyHost, emptyHost}, // a soft hyphen maps to nothing
	{"https://a..b/", badHost, badHost},
	{"https://.example.com/", badHost, badHost},
	{"https://example.com../", badHost, badHost},
	{"https://exa<mple.com/", badHost, badHost},
	{"https://exa\"mple.com/", admitted, admitted}, // odd, yet no forbidden code point: DNS decides
	{"https://xn--/", emptyHost, emptyHost},
	{"https://xn--a/", badHost, badHost},
	{"https://℀.example/", badHost, badHost}, // maps to a/c
	{"https://example.com\u2215evil/", admitted, admitted},
	{"https://\uff05.example/", badHost, badHost}, // a full-width percent sign
	{"https://\xff.example/", badHost, badHost},
	{"https://" + strings.Repeat("a", 63) + ".example/", admitted, admitted},
	{"https://" + strings.Repeat("a", 64) + ".example/", badHost, badHost},
	{"https://" + strings.Repeat("a.", 126) + "a/", admitted, admitted},
	{"https://" + strings.Repeat("a.", 126) + "aa/", badHost, badHost},

	// Localhost.
	{"https://localhost/", localhost, admitted},
	{"https://LOCALHOST/", localhost, admitted},
	{"https://localhost./", localhost, admitted},
	{"https://localhost:8443/", localhost, admitted},
	{"https://api.localhost/", localhost, admitted},
	{"https://a.b.LocalHost./", localhost, admitted},
	{"https://ｌｏｃａｌｈｏｓｔ/", localhost, admitted},
	{"https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", localhost, admitted},
	{"https://loc\u00adalhost/", localhost, admitted},
	{"https://loc\u200balhost/", localhost, admitted},
	{"https://localho\u017ft/", localhost, admitted}, // the long s
	{"https://app。localhost/", localhost, admitted},
	{"https://%EF%BD%8Cocalhost/", localhost, admitted},
	{"http://localhost:8080/", httpFlag, admitted},

	// IPv4 in plain form.
	{"https://127.0.0.1/", private, admitted},
	{"https://127.0.0.1:8443/", private, admitted},
	{"https://127.255.255.254/", private, admitted},
	{"https://10.0.0.1/", private, admitted},
	{"https://172.16.0.1/", private, admitted},
	{"https://172.31.255.255/", private, admitted},
	{"https://172.32.0.1/", admitted, admitted},
	{"https://192.168.1.1/", private, admitted},
	{"https://100.64.0.1/", private, admitted},
	{"https://0.0.0.0/", special, special},
	{"https://0.1.2.3/", special, special},
	{"https://169.254.169.254/", special, special},
	{"https://192.0.0.192/", special, special},
	{"https://192.0.2.1/", special, special},
	{"https://198.18.0.1/", special, special},
	{"https://198.51.100.1/", special, special},
	{"https://203.0.113.1/", special, special},
	{"https://192.88.99.1/", special, special},
	{"https://224.0.0.1/", special, special},
	{"https://240.0.0.1/", special, special},
	{"https://255.255.255.255/", special, special},
	{"https://168.63.129.16/", denied, denied},
	{"https://100.100.100.200/", denied, denied},

	// IPv4 in disguise. Private addresses are named as such; the plain spelling is asked for next.
	{"https://127.0.0.1./", private, ipv4Form},
	{"https://127.1/", private, ipv4Form},
	{"https://127.0.1/", private, ipv4Form},
	{"https://127.65530/", private, ipv4Form},
	{"https://2130706433/", private, ipv4Form},
	{"https://2130706433./", private, ipv4Form},
	{"https://0x7f000001/", private, ipv4Form},
	{"https://0X7F000001/", private, ipv4Form},
	{"https://0x7f.0.0.1/", private, ipv4Form},
	{"https://0x7f.1/", private, ipv4Form},
	{"https://0177.0.0.1/", private, ipv4Form},
	{"https://0000177.0.0.1/", private, ipv4Form},
	{"https://017700000001/", private, ipv4Form},
	{"https://127.0.0.01/", private, ipv4Form},
	{"https://127.0.0.0x1/", private, ipv4Form},
	{"https://0x0a.0.0.1/", private, ipv4Form},
	{"https://012.0.0.1/", private, ipv4Form},
	{"https://3232235777/", private, ipv4Form}, // 192.168.1.1
	{"https://0xa9fea9fe/", special, special},
	{"https://2852039166/", special, special}, // 169.254.169.254
	{"https://0251.0376.0251.0376/", special, special},
	{"https://169.254.43518/", special, special},
	{"https://0/", special, special},
	{"https://0x/", special, special},
	{"https://0x0/", special, special},
	{"https://4294967295/", special, special},
	{"https://134744072/", ipv4Form, ipv4Form}, // 8.8.8.8
	{"https://8.8.8.8./", ipv4Form, ipv4Form},
	{"https://0xa83f8110/", denied, denied}, // 168.63.129.16
	{"https://１２７.０.０.１/", private, admitted},
	{"https://127。0。0。1/", private, admitted},
	{"https://①②⑦.0.0.1/", private, admitted},
	{"https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1/", private, admitted},
	{"https://%E2%91%A0%E2%91%A1%E2%91%A6.1/", private, ipv4Form},
	{"https://0\uff587f.1/", private, ipv4Form}, // a full-width x
	{"https://127\u00ad.0.0.1/", private, admitted},
	{"https://127.0.0.1\u3002/", private, ipv4Form},

	// A last label that is a number, yet no address.
	{"https://256.0.0.1/", badHost, badHost},
	{"https://1.2.3.4.5/", badHost, badHost},
	{"https://4294967296/", badHost, badHost},
	{"https://99999999999999999999999/", badHost, badHost},
	{"https://0x1000000000000000000007f000001/", badHost, badHost},
	{"https://example.1/", badHost, badHost},
	{"https://example.0x1/", badHost, badHost},
	{"https://example.08/", badHost, badHost},
	{"https://127.0.0.08/", badHost, badHost},
	{"https://127..1/", badHost, badHost},
	{"https://1.2.3.256/", badHost, badHost},

	// IPv6.
	{"https://[::1]/", private, admitted},
	{"https://[::1]:8443/", private, admitted},
	{"https://[0:0:0:0:0:0:0:1]/", private, admitted},
	{"https://[0000::0001]/", private, admitted},
	{"https://[fc00::1]/", private, admitted},
	{"https://[fd12:3456:789a::1]/", private, admitted},
	{"https://[FD12::1]/", private, admitted},
	{"https://[::]/", special, special},
	{"https://[fe80::1]/", special, special},
	{"https://[fec0::1]/", special, special},
	{"https://[ff02::1]/", special, special},
	{"https://[2001:db8::1]/", special, special},
	{"https://[3fff::1]/", special, special},
	{"https://[2001::1]/", special, special},            // Teredo
	{"https://[2002:7f00:1::]/", special, special},      // 6to4 of 127.0.0.1
	{"https://[64:ff9b::7f00:1]/", special, special},    // NAT64 of 127.0.0.1
	{"https://[64:ff9b:1::1]/", special, special},       // local NAT64
	{"https://[::127.0.0.1]/", special, special},        // IPv4-compatible
	{"https://[::ffff:0:127.0.0.1]/", special, special}, // IPv4-translated
	{"https://[fd00:ec2::254]/", denied, denied},
	{"https://[fd20:ce::254]/", denied, denied},
	{"https://[::ffff:127.0.0.1]/", private, admitted},
	{"https://[::ffff:7f00:1]/", private, admitted},
	{"https://[0:0:0:0:0:ffff:10.0.0.1]/", private, admitted},
	{"https://[::ffff:169.254.169.254]/", special, special},
	{"https://[::ffff:a9fe:a9fe]/", special, special},
	{"https://[::ffff:168.63.129.16]/", denied, denied},
	{"https://[fe80::1%25eth0]/", ipv6Zone, ipv6Zone},
	{"https://[::1%25lo]/", ipv6Zone, ipv6Zone},
	{"https://[2606:4700:4700::1111%251]/", ipv6Zone, ipv6Zone},
	{"https://[::ffff:127.0.0.1%25lo]/", ipv6Zone, ipv6Zone},
	{"https://[127.0.0.1]/", notURL, notURL},
	{"https://[localhost]/", notURL, notURL},
	{"https://[]/", notURL, notURL},
	{"https://[::1]127.0.0.1/", notURL, notURL},

	// Ports.
	{"https://example.com:443/", admitted, admitted},
	{"https://example.com:1/", deniedPort, deniedPort},
	{"https://example.com:22/", deniedPort, deniedPort},
	{"https://example.com:25/", deniedPort, deniedPort},
	{"https://example.com:6667/", deniedPort, deniedPort},
	{"https://example.com:065535/", admitted, admitted},
	{"https://example.com:00025/", deniedPort, deniedPort},
	{"https://example.com:0/", badPort, badPort},
	{"https://example.com:65536/", badPort, badPort},
	{"https://example.com:65561/", badPort, badPort}, // 25 after overflow
	{"https://example.com:-1/", notURL, notURL},
	{"https://example.com:https/", notURL, notURL},
	{"http://127.0.0.1:25/", notHTTPS, deniedPort},
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	strict := netguard.New(netguard.Policy{})
	relaxed := netguard.New(netguard.Policy{AllowPrivate: true})
	for _, tt := range corpus {
		if diff := cmp.Diff(tt.strict, text(strict.CheckURL(tt.url))); diff != "" {
			t.Errorf("strict, %q (-want +got):\n%s", tt.url, diff)
		}
		if diff := cmp.Diff(tt.relaxed, text(relaxed.CheckURL(tt.url))); diff != "" {
			t.Errorf("with AllowPrivate, %q (-want +got):\n%s", tt.url, diff)
		}
	}
}

func TestCheckURLHonoursTheOperatorsLists(t *testing.T) {
	t.Parallel()
	policy := netguard.Policy{
		DenyCIDRs: []netip.Prefix{
			netip.MustParsePrefix("8.8.8.0/24"), netip.MustParsePrefix("10.1.0.0/16"),
			netip.MustParsePrefix("::ffff:9.9.9.0/120"), netip.MustParsePrefix("2606:4700::/32"),
			{},
		},
		DenyPorts: []uint16{8443},
	}
	allowing := policy
	allowing.AllowPrivate = true
	strict, relaxed := netguard.New(policy), netguard.New(allowing)
	for _, tt := range []struct {
		url             string
		strict, relaxed string
	}{
		{"https://8.8.8.8/", denied, denied},
		{"https://8.8.4.4/", admitted, admitted},
		{"https://9.9.9.9/", denied, denied},
		{"https://[::ffff:8.8.8.8]/", denied, denied},
		{"https://[2606:4700::1]/", denied, denied},
		{"https://10.1.2.3/", denied, denied},
		{"http://10.1.2.3/", notHTTPS, denied},
		{"https://10.2.0.1/", private, admitted},
		{"https://example.com:8443/", deniedPort, deniedPort},
		{"http://example.com:8443/", notHTTPS, deniedPort},
		{"https://example.com:25/", admitted, admitted}, // the operator's list replaces the default
		{"https://168.63.129.16/", denied, denied},      // ours holds beside it
	} {
		if diff := cmp.Diff(tt.strict, text(strict.CheckURL(tt.url))); diff != "" {
			t.Errorf("strict, %q (-want +got):\n%s", tt.url, diff)
		}
		if diff := cmp.Diff(tt.relaxed, text(relaxed.CheckURL(tt.url))); diff != "" {
			t.Errorf("with AllowPrivate, %q (-want +got):\n%s", tt.url, diff)
		}
	}
}

// TestCheckURLErrorsAreTyped also stands for what callers rely on: the type, and that no part of the URL is repeated.
func TestCheckURLErrorsAreTyped(t *testing.T) {
	t.Parallel()
	guard := netguard.New(netguard.Policy{})
	for _, tt := range corpus {
		err := guard.CheckURL(tt.url)
		if err == nil {
			continue
		}
		if _, ok := errors.AsType[*netguard.URLError](err); !ok {
			t.Errorf("%q: got %T, want *URLError", tt.url, err)
		}
	}
	for _, raw := range []string{
		"https://s3cr3t:s3cr3t@example.com/s3cr3t?s3cr3t", "http://s3cr3t.example/", "s3cr3t", "https://s3cr3t s3cr3t/",
		"https://%73s3cr3t/", "https://s3cr3t.localhost/", "https://s3cr3t.1/", "https://s3cr3t:99999/s3cr3t",
		"https://example.com:s3cr3t/", "https://[s3cr3t]/", "s3cr3t://example.com/", "https://127.0.0.1/s3cr3t",
	} {
		if got := text(guard.CheckURL(raw)); got == "" || strings.Contains(got, "s3cr3t") {
			t.Errorf("%q: got %q, want a reason that does not repeat the URL", raw, got)
		}
	}
}

// FuzzCheckURL: a URL that the strict policy accepts names no private or special address in any spelling that net/http,
// a browser or the C library's inet_aton would understand, judged by readers independent of the package's own.
func FuzzCheckURL(f *testing.F) {
	for _, tt := range corpus {
		f.Add(tt.url)
	}
	guard := netguard.New(netguard.Policy{})
	f.Fuzz(func(t *testing.T, raw string) {
		if guard.CheckURL(raw) != nil {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Fatalf("%q was accepted and is no plain https URL (%v)", raw, err)
		}
		for _, name := range readings(u.Hostname()) {
			if addr, ok := literal(name); ok && !public(addr) {
				t.Fatalf("%q was accepted and names %s", raw, addr)
			}
			if name == "localhost" || strings.HasSuffix(name, ".localhost") {
				t.Fatalf("%q was accepted and names localhost", raw)
			}
		}
	})
}

// readings are the names that software may make of a host: as written, unescaped, and mapped by several IDNA profiles.
func readings(host string) []string {
	names := []string{host}
	if unescaped, err := url.PathUnescape(host); err == nil {
		names = append(names, unescaped)
	}
	for _, name := range names {
		for _, profile := range []*idna.Profile{idna.Lookup, idna.Display, idna.Registration} {
			if mapped, err := profile.ToASCII(name); err == nil {
				names = append(names, mapped)
			}
		}
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimRight(name, "."))
	}
	return names
}

// literal reads an IP address in the spellings of netip and of inet_aton.
func literal(name string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, part := range parts {
		if strings.ContainsAny(part, "_bo+-") { // ParseUint's own notations, not inet_aton's
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			n <<= 24 - 8*i
		}
		sum += n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() &&
		a != netip.MustParseAddr("168.63.129.16")
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
