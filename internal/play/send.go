package play

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/http/httpguts"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// maxSentHeaders bounds the headers of a request that a viewer sends, in bytes.
const maxSentHeaders = 32 << 10

// Sending is a request that a viewer makes up, or edits, and sends to the inbox itself.
type Sending struct {
	Headers []Header
	Body    []byte
	Sign    bool // afresh, with the inbox's secret, as its dialect does
}

// Send puts a request into an inbox as if it had come in by POST. It gives the request's id. What is wrong with it is
// said by field.
func (h *Hub) Send(key string, client netip.Addr, s Sending) (string, error) {
	header, err := s.header()
	if err != nil {
		return "", err
	}
	name, made, err := h.names.ofKey(key)
	if err != nil {
		return "", err
	}
	network := networkOf(client)
	b, err := h.enter(name, made, network)
	if err != nil {
		return "", err
	}
	defer h.leave(b, network)
	in := &Delivery{Method: http.MethodPost, Header: header, Body: s.Body}
	if s.Sign {
		h.mu.Lock()
		p := b.settings.proof()
		h.mu.Unlock()
		if p.secret == "" {
			return "", errs.InvalidField("the inbox has no secret", "body", "sign")
		}
		if err := h.verifier.sign(p, dialect.Request{Header: header, Body: s.Body}); err != nil {
			return "", errs.InvalidField(err.Error(), "body", "sign")
		}
	}
	kept, _, err := h.keep(name, made, in)
	if err != nil {
		return "", err
	}
	return kept.id, nil
}

// header makes a header of what is sent, if it can be one.
func (s *Sending) header() (http.Header, error) {
	header, size := http.Header{}, 0
	for i, one := range s.Headers {
		at := []string{"body", "headers", strconv.Itoa(i)}
		size += len(one.Name) + len(one.Value)
		switch {
		case i == maxHeaders || size > maxSentHeaders:
			return nil, errs.InvalidField("must be at most 200, and 32 KiB in all", "body", "headers")
		case !httpguts.ValidHeaderFieldName(one.Name):
			return nil, errs.InvalidField("must be a name that headers can have", append(at, "name")...)
		case strings.ContainsFunc(one.Value, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
			return nil, errs.InvalidField("must not have control characters", append(at, "value")...)
		}
		header.Add(one.Name, one.Value)
	}
	return header, nil
}

// newMessageID makes an id for a webhook that has none.
func newMessageID() string { return "msg_" + strings.ToLower(rand.Text()) }
