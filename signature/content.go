package signature

import "strconv"

// content is what every signature covers, in parts. Signing and verifying go
// through it alike.
//
// The dots make the encoding ambiguous for an id that holds one: the standard
// therefore asks senders for ids without. A verifier cannot insist, since
// peers may have other ids; a body that is a JSON object rules the confusion
// out, because no digits can stand before its brace.
type content struct {
	id          string
	unixSeconds int64
	body        []byte
}

// appendHead appends all of the content that precedes the body.
func (c content) appendHead(dst []byte) []byte {
	dst = append(dst, c.id...)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, c.unixSeconds, 10)
	return append(dst, '.')
}

// bytes returns the content in one piece, for the scheme that needs it so.
func (c content) bytes() []byte {
	const maxSeparatorsAndDigits = 22
	whole := make([]byte, 0, len(c.id)+maxSeparatorsAndDigits+len(c.body))
	return append(c.appendHead(whole), c.body...)
}
