package source

import (
	"cmp"
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
var private = []string{"auth", "passw", "pwd", "x-pass", "bearer", "access", "secret", "token", "key", "cookie", "credential", "session"}

// named reports whether a header carries a credential by its name, in lower case. A
// signature is none: it proves one request. Nor is the session in a vendor's name.
func named(name string, s *store.Source) bool {
	if strings.Contains(name, "signature") || name == lower(s.Auth.SignatureHeader) {
		return false
	}
	name = strings.ReplaceAll(name, "sessionboard", "")
	return slices.ContainsFunc(private, func(part string) bool { return strings.Contains(name, part) })
}

// Mask gives a request's headers as they may be kept and shown, by their names in lower
// case: none that carries a credential by its name, or one of the source's by its value.
// Signatures are shown: they prove one request, and what is wrong with them is to be seen.
// Where there is no room for all, those that are needed to read the request again are kept.
func Mask(h http.Header, s *store.Source) map[string][]string {
	shown := make(map[string][]string, len(h))
	room := maxKept
	for _, name := range byNeed(h, s) {
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

// byNeed sorts the names of headers: first those that hold the type, the signature and the
// vendor's id, then the others, each in the order of the alphabet.
func byNeed(h http.Header, s *store.Source) []string {
	names := slices.Sorted(maps.Keys(h))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(need(lower(a), s), need(lower(b), s)) })
	return names
}

// need ranks a header's name, in lower case: 0 comes first.
func need(name string, s *store.Source) int {
	switch {
	case name == "content-type", name == lower(s.TypeHeader), name == lower(s.Auth.SignatureHeader):
		return 0
	case strings.HasPrefix(name, "webhook-"), strings.HasPrefix(name, "svix-"):
		return 1
	case strings.Contains(name, "signature"): // of a dialect that has a header of its own
		return 2
	}
	return 3
}

// mask gives a value as it may be shown.
func mask(name, value string, s *store.Source) string {
	a := &s.Auth
	hidden := named(name, s)
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
