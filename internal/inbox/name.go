package inbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"net"
	"net/url"
	"strings"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/play"
)

// Path is where inboxes are, below the public URL; a name follows.
const Path = play.Path

// A name is 15 bytes that nobody can guess and a check of 5, in base32. The check
// tells a name that was made here from one that somebody made up, without a table of
// all inboxes.
const (
	secretBytes = 15
	checkBytes  = 5
)

var nameText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// name is that of an app's inbox.
func (h *Hub) name(app id.ID, label string) string {
	part := binary.BigEndian.AppendUint64(nil, uint64(app))
	secret := h.mac("name", append(part, label...))[:secretBytes]
	return nameText.EncodeToString(append(secret, h.mac("check", secret)[:checkBytes]...))
}

// known reports whether a name was made here.
func (h *Hub) known(name string) bool {
	raw, err := nameText.DecodeString(name)
	if err != nil || len(raw) != secretBytes+checkBytes || nameText.EncodeToString(raw) != name {
		return false // decoding alone would admit more than one spelling
	}
	return hmac.Equal(raw[secretBytes:], h.mac("check", raw[:secretBytes])[:checkBytes])
}

// mac is the code of bytes that serve a purpose.
func (h *Hub) mac(purpose string, part []byte) []byte {
	m := hmac.New(sha256.New, h.key)
	m.Write([]byte(purpose))
	m.Write(part)
	return m.Sum(nil)
}

// maxLabel is the longest label, in bytes.
const maxLabel = 128

// checkLabel says what is wrong with the label of a path.
func checkLabel(label string) error {
	good := label != "" && len(label) <= maxLabel && strings.IndexFunc(label, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-'
	}) < 0
	if !good {
		return errs.InvalidField("must be 1 to 128 characters of A-Z a-z 0-9 - _ .", "path", "inbox")
	}
	return nil
}

// place is where inboxes are, as URLs say it.
type place struct {
	url          string // of the server, without a slash at the end
	scheme, host string // lower case, the host with its port
	path         string // with Path at its end
}

func newPlace(server *url.URL) *place {
	return &place{
		url: server.String(), scheme: strings.ToLower(server.Scheme), host: hostOf(server), path: server.Path + Path,
	}
}

// hostOf is a URL's host in one spelling, with its port.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if strings.EqualFold(u.Scheme, "https") {
			port = "443"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// name is what a URL in this place names, whether there is such an inbox or not. It
// is asked for every delivery: most end at the first comparison.
func (p *place) name(u *url.URL) (string, bool) {
	if p == nil {
		return "", false
	}
	name, under := strings.CutPrefix(u.Path, p.path)
	if !under || !strings.EqualFold(u.Scheme, p.scheme) || hostOf(u) != p.host {
		return "", false
	}
	return name, true
}

// URL is the address of an app's inbox. The Hub must be open.
func (h *Hub) URL(app id.ID, label string) string {
	return h.place.Load().url + Path + h.name(app, label)
}

// Local reports whether a URL is the address of an inbox of this installation and
// nothing more, so that requests to it are handed over by Around and never dialled. An
// inbox of Play may have a path and a query after it.
func (h *Hub) Local(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Fragment != "" {
		return false
	}
	name, here := h.place.Load().name(u)
	if !here {
		return false
	}
	if first, _, _ := strings.Cut(name, "/"); h.play != nil && h.play.Lives(first) {
		return true
	}
	return u.RawQuery == "" && h.known(name)
}
