package cli

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0s":                 0,
		"5s":                 5 * time.Second,
		"1h30m":              90 * time.Minute,
		"250ms":              250 * time.Millisecond,
		"30d":                30 * day,
		"10y":                3650 * day,
		"1y2d3h":             367*day + 3*time.Hour,
		"1d12h":              36 * time.Hour,
		"0d":                 0,
		"106751d":            106751 * day, // the most whole days that fit
		"2562047h47m16s":     1<<63 - 1 - 854775807,
		"106751d23h47m16.8s": 106751*day + 23*time.Hour + 47*time.Minute + 16*time.Second + 800*time.Millisecond,
	} {
		var got span
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%q: got %v, %v, want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{
		"", " ", "5", "-5s", "-1d", "+1d", "y", "d", "1.5d", "1d1y", "1d2d", "1d5", "1d-1h", "300y", "106752d",
		"106751d24h", "99999999999999999999y", "9999999999999h", "forever", "1h1d",
	} {
		var got span
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, time.Duration(got))
		}
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.0/8":    "10.0.0.0/8",
		"10.1.2.3":      "10.1.2.3/32",
		"2001:db8::/32": "2001:db8::/32",
		"2001:db8::1":   "2001:db8::1/128",
	} {
		var got network
		if err := got.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, netip.Prefix(got).String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", "10", "10.0.0.0/33", "example.com", "fe80::1%eth0", "10.0.0.0/"} {
		var got network
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, netip.Prefix(got))
		}
	}
}

func TestEncryptionKey(t *testing.T) {
	t.Parallel()
	const good = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for text, want := range map[string]bool{"": true, good: true, "MDEyMw==": false, good[1:]: false, "no base64": false} {
		if err := (encryptionKey{text}).check(); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := fmt.Sprint(encryptionKey{good}); got != "[redacted]" {
		t.Errorf("prints as %s", got)
	}
}
