package source

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/callboard/callboard/internal/store"
)

// Masked stands for a header's value that is not shown.
const Masked = "[masked]"

// Bounds of what is kept of a request's headers, in bytes: how much there is is for the
// sender to choose.
const (
	maxValue = 512      // of a value, or a name
	maxKept  = 16 << 10 // of all names and values
)

// private are parts of the names of headers that carry credentials.
var private = []string{"authorization", "cookie", "secret", "token", "key", "password", "credential", "authenticate", "session"}

// Mask gives a request's headers as they may be kept and shown, by their names in lower
// case: none that carries a credential by its name, or one of the source's by its value.
// Signatures are shown: they prove one request, and what is wrong with them is to be seen.
func Mask(h http.Header, s *store.Source) map[string][]string {
	shown := make(map[string][]string, len(h))
	room := maxKept
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := short(lower(name))
		for _, value := range h[name] {
			text := mask(lower(name), value, s)
			if room -= len(key) + len(text); room < 0 {
				return shown
			}
			shown[key] = append(shown[key], text)
		}
	}
	return shown
}

// mask gives a value as it may be shown.
func mask(name, value string, s *store.Source) string {
	a := &s.Auth
	hidden := slices.ContainsFunc(private, func(part string) bool { return strings.Contains(name, part) })
	if name == lower(s.TypeHeader) { // who reads the request again needs it
		hidden = false
	}
	hidden = hidden || name == a.TokenHeader
	for _, own := range append([]string{a.Token, a.NextToken, a.Handshake}, a.Secrets...) {
		hidden = hidden || own != "" && strings.Contains(value, own)
	}
	if hidden {
		return Masked
	}
	return short(value)
}

// short cuts a text that is too long, at the begin of a character.
func short(text string) string {
	if len(text) <= maxValue {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.ToValidUTF8(text[:maxValue], "") + "…"
}
