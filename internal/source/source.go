// Package source says what a source is that vendors' webhooks come in at: in which
// dialect they are read, what proves that a request comes from the vendor, and which
// settings of a source make sense together. It does no I/O.
//
// A request is proven over the bytes of its body as they came, in constant time. One
// that is refused is told why, and, where a known habit of senders would have made it
// valid, which setting of the source takes it.
package source

import (
	"slices"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/store"
)

// Dialect gives the dialect in which a source's webhooks are read: one of the set's, or
// one that only sources have, which knows where the source has its event types. It
// reports false for a name that is neither.
func Dialect(set dialect.Set, s *store.Source) (dialect.Dialect, bool) {
	switch s.Dialect {
	case "":
		return nil, false
	case native.StandardName:
		return native.Standard{}, true
	case native.RawName:
		return native.Raw{TypeHeader: s.TypeHeader, TypeField: s.TypeField}, true
	}
	return set.Get(s.Dialect)
}

// Names lists the dialects that a source may have, sorted.
func Names(set dialect.Set) []string {
	names := append(set.Names(), native.StandardName, native.RawName)
	slices.Sort(names)
	return names
}

// BodySignature is how a dialect's requests are signed where the signature of the body
// has a header to itself, before a source says otherwise. It has no header for dialects
// that have another proof.
func BodySignature(d dialect.Dialect) dialect.BodySignature {
	if signed, ok := d.(dialect.BodySigned); ok {
		return signed.BodySignature()
	}
	return dialect.BodySignature{}
}

// TokenHeader is the header that holds the token of a dialect, in lower case; "" if a
// source has to name one.
func TokenHeader(d dialect.Dialect) string {
	if sent, ok := d.(dialect.TokenSent); ok {
		return lower(sent.TokenHeader())
	}
	return ""
}
