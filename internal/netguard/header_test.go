package netguard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/netguard"
)

func TestCheckHeader(t *testing.T) {
	t.Parallel()
	const (
		notToken = "the header has a name that is not an HTTP token"
		reserved = "the header has a name that is reserved (connection, content-length, content-type, expect, host, " +
			"idempotency-key, keep-alive, te, trailer, transfer-encoding, upgrade, proxy-*, svix-*, webhook-*)"
		dialect  = "the header has a name that the endpoint's dialect sets itself"
		controls = "the header has a value with control characters"
	)
	for _, tt := range []struct{ name, value, want string }{
		{"X-Token", "s3cr3t", ""},
		{"Authorization", "Bearer s3cr3t", ""},
		{"User-Agent", "mine", ""},
		{"Accept", "*/*", ""},
		{"x_underscore", "", ""},
		{"X-Text", "Grüße, 世界", ""},
		{"Hostname", "x", ""},
		{"X-Host", "x", ""},
		{"Tea", "x", ""},
		{"Proxy", "x", ""},
		{"Webhook", "x", ""},

		{"Host", "x", reserved},
		{"hOsT", "x", reserved},
		{"Content-Length", "0", reserved},
		{"Transfer-Encoding", "chunked", reserved},
		{"Connection", "close", reserved},
		{"Keep-Alive", "x", reserved},
		{"TE", "trailers", reserved},
		{"Trailer", "x", reserved},
		{"Upgrade", "h2c", reserved},
		{"Expect", "100-continue", reserved},
		{"Proxy-Authorization", "x", reserved},
		{"proxy-connection", "x", reserved},
		{"Proxy-", "x", reserved},
		{"Content-Type", "text/plain", reserved},
		{"content-type", "text/plain", reserved},
		{"Webhook-Id", "x", reserved},
		{"webhook-signature", "x", reserved},
		{"Svix-Timestamp", "x", reserved},
		{"SVIX-anything", "x", reserved},
		{"Idempotency-Key", "x", reserved},

		{"X-Vendor-Signature", "x", dialect},
		{"x-vendor-signature", "x", dialect},
		{"X-Vendor-Token", "x", dialect},

		{"", "x", notToken},
		{" ", "x", notToken},
		{"X Token", "x", notToken},
		{"X-Token ", "x", notToken},
		{" Host", "x", notToken},
		{"Host:", "x", notToken},
		{"X-Token\r\nHost", "x", notToken},
		{"X-Ümlaut", "x", notToken},
		{"X\x00", "x", notToken},
		{"(x)", "x", notToken},

		{"X-Token", "a\r\nHost: evil", controls},
		{"X-Token", "a\nb", controls},
		{"X-Token", "a\rb", controls},
		{"X-Token", "a\x00b", controls},
		{"X-Token", "a\tb", controls},
		{"X-Token", "a\x7fb", controls},
		{"X-Token", "a\u0085b", controls},
	} {
		err := netguard.CheckHeader(tt.name, tt.value, "X-Vendor-Signature", "x-vendor-token")
		if got := text(err); got != tt.want {
			t.Errorf("%q: %q: got %q, want %q", tt.name, tt.value, got, tt.want)
		}
		if _, ok := errors.AsType[*netguard.HeaderError](err); err != nil && !ok {
			t.Errorf("%q: got %T, want *HeaderError", tt.name, err)
		}
	}
}

// FuzzCheckHeader: what passes cannot end a header line, which is how requests are split.
func FuzzCheckHeader(f *testing.F) {
	f.Add("X-Token", "value")
	f.Add("X\r\nHost", "value")
	f.Add("X-Token", "a\r\n\r\nGET /")
	f.Fuzz(func(t *testing.T, name, value string) {
		if netguard.CheckHeader(name, value) != nil {
			return
		}
		if name == "" || strings.ContainsAny(name, "\r\n\x00: ") || strings.ContainsAny(value, "\r\n\x00") {
			t.Fatalf("%q: %q was accepted", name, value)
		}
		if netguard.CheckHeader(strings.ToUpper(name), value) != nil {
			t.Fatalf("%q was accepted, and refused in upper case", name)
		}
	})
}
