package settings_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/settings"
)

// complaintAbout is where a portal is wrong, below body.portal; "" = nowhere.
func complaintAbout(t *testing.T, p settings.Portal) string {
	t.Helper()
	doc, err := json.Marshal(settings.Document{Portal: &p})
	if err != nil {
		t.Fatal(err)
	}
	d, err := settings.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(complaint(t, d.Check(known)), "body.portal.")
}

func TestPortal(t *testing.T) {
	t.Parallel()
	for want, portals := range map[string][]settings.Portal{
		"": {
			{}, {Name: "Acme & Söhne"}, {Name: strings.Repeat("ü", 100)}, {Accent: "#0f766e"}, {Accent: "#ABCDEF"},
		},
		"name":           {{Name: strings.Repeat("ü", 101)}, {Name: " "}, {Name: "a\nb"}, {Name: "a\x00"}},
		"accent":         {{Accent: "red"}, {Accent: "#fff"}, {Accent: "#12345g"}, {Accent: "#1234567"}, {Accent: "#000000;"}},
		"allowedOrigins": {{AllowedOrigins: slices.Repeat([]string{"https://a.example"}, 21)}},
	} {
		for _, p := range portals {
			if got := complaintAbout(t, p); got != want {
				t.Errorf("%+v: complaint %q, want %q", p, got, want)
			}
		}
	}
}

// TestAllowedOrigins: what passes is one source of a policy and names one site.
func TestAllowedOrigins(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://a.example", "https://app.a-b.example:8443", "https://xn--bcher-kva.example", "https://192.0.2.1", "https://localhost",
		"http://localhost:3000", "http://127.0.0.1", "https://" + strings.Repeat("a", 63) + ".example",
	} {
		if got := complaintAbout(t, settings.Portal{AllowedOrigins: []string{good}}); got != "" {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{
		"", "*", "https:", "https://", "https://*", "https://*.a.example", "http://a.example", "http://localhost.a.example", "https://a.example/", "https://a.example/p",
		"https://a.example?x", "https://a.example#x", "https://u@a.example", "https://a.example:", "https://a.example:0", "https://a.example:65536",
		"https://a.example:+80", "https://a.example:080", "https://a.example:80:80", "https://a.example; script-src *", "https://a.example https://b.example",
		"https://a.example,https://b.example", "https://a.example\r\nX: y", "https://bücher.example", "https://A.example", "https://-a.example", "https://a..example",
		"https://a_b.example", "https://[::1]", "data:", "null", "'self'", "javascript://a.example", "ws://localhost", "https://" + strings.Repeat("a", 64) + ".example",
		"https://" + strings.Repeat("a.", 127) + "example",
	} {
		if got := complaintAbout(t, settings.Portal{AllowedOrigins: []string{"https://fine.example", bad}}); got != "allowedOrigins.1" {
			t.Errorf("%q: complaint %q", bad, got)
		}
	}
}

func TestLogo(t *testing.T) {
	t.Parallel()
	uri := func(kind, image string) string {
		return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString([]byte(image))
	}
	const png, jpeg, webp = "\x89PNG\x0D\x0A\x1A\x0A", "\xFF\xD8\xFF", "RIFF\x00\x00\x00\x00WEBPVP"
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"/>`
	fill := func(image string, size int) string { return image + strings.Repeat("\x00", size-len(image)) }
	for _, good := range []string{
		uri("png", png), uri("jpeg", jpeg), uri("webp", webp), uri("svg+xml", svg), uri("svg+xml", "<?xml version='1.0'?>\n"+svg), uri("png", fill(png, 48<<10)),
	} {
		if got := complaintAbout(t, settings.Portal{Logo: good}); got != "" {
			t.Errorf("%.60s is refused", good)
		}
	}
	for _, bad := range []string{
		"https://a.example/logo.png", "data:text/html;base64,PGI+", "data:image/png,x", uri("gif", "GIF89a"), uri("png", svg), uri("svg+xml", png), uri("jpeg", png),
		uri("png", fill(png, 48<<10+1)), uri("png", fill(png, 1<<20)), uri("png", png) + `"><script>`, uri("png", png) + "\n", "data:image/png;base64,", "data:image/png;base64,iVB!",
		"data:image/png;base64,iVBORw0KGgp=", "data:image/png;charset=x;base64,iVBORw0KGgo=", " " + uri("png", png),
	} {
		if got := complaintAbout(t, settings.Portal{Logo: bad}); got != "logo" {
			t.Errorf("%.60s: complaint %q", bad, got)
		}
	}
}
