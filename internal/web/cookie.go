package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/errs"
)

// Cookies keep the token of a browser's session. A browser sends them by itself, also when
// another site has it make the request, and so a request that could change something must come
// from the server's own pages. Tokens in the header Authorization are sent by nobody who does not
// know them; those requests may come from anywhere.
type Cookies struct {
	name   string
	secure bool
	origin *http.CrossOriginProtection
}

// The names of cookies over https and, without the port, over http.
const (
	secureCookie = "__Host-callboard"
	plainCookie  = "callboard"
)

// NewCookies makes the Cookies of the server at publicURL. Over https the name has the prefix
// that keeps neighbouring hosts from setting it. Over http, which is for one's own machine, it
// has the port: browsers keep the cookies of all ports of a host together.
func NewCookies(publicURL string) (*Cookies, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("cookies: %q has no host", publicURL)
	}
	c := &Cookies{name: secureCookie, secure: u.Scheme == "https", origin: http.NewCrossOriginProtection()}
	if !c.secure {
		c.name = plainCookie
		if port := u.Port(); port != "" {
			c.name += "-" + port
		}
	}
	// A proxy in front may change the header Host, which is what origins are held against.
	if err := c.origin.AddTrustedOrigin(originOf(u)); err != nil {
		return nil, fmt.Errorf("cookies: %w", err)
	}
	return c, nil
}

// originOf is a URL's origin as browsers write it.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// maxCookie is how much of name and value browsers keep.
const maxCookie = 4096

// Fits reports whether browsers keep a token in a cookie.
func (c *Cookies) Fits(token string) bool { return len(c.name)+len(token) <= maxCookie }

// Set gives a browser a token, to be kept until it expires.
func (c *Cookies) Set(w http.ResponseWriter, token string, expires time.Time) {
	c.put(w, token, max(1, int(time.Until(expires)/time.Second)))
}

// Clear has a browser forget its token.
func (c *Cookies) Clear(w http.ResponseWriter) { c.put(w, "", -1) }

func (c *Cookies) put(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: c.name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode,
	})
}

// token finds the token that a browser sent. Of two that it has, for two paths say, nobody knows
// which one is ours.
func (c *Cookies) token(r *http.Request) (string, bool) {
	found := r.CookiesNamed(c.name)
	if len(found) != 1 {
		return "", false
	}
	return found[0].Value, true
}

// Hidden is a request without the cookies of sessions: for whom others are shown what a browser
// sent. Who types an inbox's address into a browser that is signed in sends it the cookie, and must
// not sign in whoever looks at the inbox. Those of this host's other ports, which browsers send
// along, go too. The request itself stays as it is.
func (*Cookies) Hidden(r *http.Request) *http.Request {
	if len(r.Header["Cookie"]) == 0 {
		return r
	}
	hidden := *r
	hidden.Header = r.Header.Clone()
	delete(hidden.Header, "Cookie")
	for _, line := range r.Header["Cookie"] {
		parts := slices.DeleteFunc(strings.Split(line, ";"), isOurs)
		if rest := strings.TrimSpace(strings.Join(parts, ";")); rest != "" {
			hidden.Header["Cookie"] = append(hidden.Header["Cookie"], rest)
		}
	}
	return &hidden
}

// isOurs reports whether a part of the header Cookie is a session's of this server, or of one at
// another port.
func isOurs(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	name = strings.TrimSpace(name)
	return name == secureCookie || name == plainCookie || strings.HasPrefix(name, plainCookie+"-")
}

// CheckOrigin refuses a request that may change something and that a browser makes for another
// site's page.
func (c *Cookies) CheckOrigin(r *http.Request) error {
	if err := c.origin.Check(r); err != nil {
		return errs.Wrap(errs.Forbidden, err, "A browser's session is for the pages of this server alone; a page of another site must send a token in the header Authorization")
	}
	return nil
}
