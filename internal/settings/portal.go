package settings

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/errs"
)

// Portal is how the dashboard looks to the tenants of an org, and where it may be embedded.
type Portal struct {
	Name   string `json:"name,omitempty"`   // "" = Callboard's
	Logo   string `json:"logo,omitempty"`   // a data: URI of an image; "" = none
	Accent string `json:"accent,omitempty"` // #rrggbb; "" = Callboard's
	// AllowedOrigins are the sites that may show an app's pages in a frame: scheme, host and
	// port. They are put into a header as they are.
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
}

// Branding is the portal as it was set; zero = nothing was.
func (d *Document) Branding() Portal {
	if d.Portal == nil {
		return Portal{}
	}
	return *d.Portal
}

// Limits of a portal's settings.
const (
	maxPortalName = 100 // characters
	maxLogo       = 48 << 10
	maxOrigins    = 20
)

// check names the first setting that no portal may have.
func (p *Portal) check() error {
	at := func(msg, field string) error { return errs.InvalidField(msg, "body", "portal", field) }
	switch {
	case utf8.RuneCountInString(p.Name) > maxPortalName || strings.IndexFunc(p.Name, unicode.IsControl) >= 0:
		return at("must be at most 100 characters, none of them control characters", "name")
	case p.Name != "" && strings.TrimSpace(p.Name) == "":
		return at("must not be blank; null stands for Callboard's", "name")
	case p.Accent != "" && !isColour(p.Accent):
		return at("must be a colour as #rrggbb", "accent")
	case len(p.AllowedOrigins) > maxOrigins:
		return at("must be at most 20 origins", "allowedOrigins")
	}
	if problem := checkLogo(p.Logo); problem != "" {
		return at(problem, "logo")
	}
	for i, origin := range p.AllowedOrigins {
		if !isOrigin(origin) {
			return errs.InvalidField("must be an origin such as https://app.example.com or https://app.example.com:8443, "+
				"in lower case, without path and wildcards; http is for localhost alone", "body", "portal", "allowedOrigins", strconv.Itoa(i))
		}
	}
	return nil
}

func isColour(text string) bool {
	return len(text) == 7 && text[0] == '#' && strings.Trim(text[1:], "0123456789abcdefABCDEF") == ""
}

// isOrigin reports whether a page of this origin may embed the portal. What passes can end no
// directive of a policy and match no other site. Plain http is for trying things out: a page
// that came over the network in the clear could be anybody's.
func isOrigin(text string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	host, port, hasPort := strings.Cut(rest, ":")
	if n, err := strconv.Atoi(port); hasPort && (err != nil || n < 1 || n > 65535 || port != strconv.Itoa(n)) {
		return false
	}
	if !isHost(host) {
		return false
	}
	return scheme == "https" || scheme == "http" && (host == "localhost" || host == "127.0.0.1")
}

// isHost reports whether text is a host's name or an IPv4 address, which is all that a policy
// can name. Names with other letters are written as DNS does, xn--….
func isHost(text string) bool {
	if len(text) > 253 {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		wrong := len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
		if label == "" || wrong || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// imageURI is the form of a logo: its type, and the image itself.
var imageURI = regexp.MustCompile(`^data:(image/(?:png|jpeg|webp|svg\+xml));base64,([A-Za-z0-9+/]+={0,2})$`)

// checkLogo says what is wrong with a logo; "" = nothing. That it is what it says is looked at
// so that a mistake shows at once, not for safety: the page shows it as an image, in which no
// script runs.
func checkLogo(logo string) string {
	if logo == "" {
		return ""
	}
	if len(logo) > base64.StdEncoding.EncodedLen(maxLogo)+len("data:image/svg+xml;base64,") {
		return "must be an image of at most 48 KiB"
	}
	parts := imageURI.FindStringSubmatch(logo)
	if parts == nil {
		return "must be an image as data:image/png;base64,… (or jpeg, webp, svg+xml)"
	}
	image, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	switch {
	case err != nil:
		return "is not valid base64"
	case len(image) > maxLogo:
		return "must be an image of at most 48 KiB"
	case parts[1] == "image/svg+xml" && (!utf8.Valid(image) || !bytes.Contains(image, []byte("<svg"))):
		return "is no SVG image"
	case parts[1] != "image/svg+xml" && http.DetectContentType(image) != parts[1]:
		return "is not the kind of image that it says, " + parts[1]
	}
	return ""
}
