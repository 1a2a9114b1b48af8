package probe

import (
	"bytes"
	"errors"
)

// Frame is what all webhooks of one message in one dialect have in common: every byte but the marks and, where the dialect
// has one, an id of the webhook's own. It is taken from the first webhook, which its receiver has read as JSON, so that all
// later ones are compared byte by byte. Its methods are safe for concurrent use.
type Frame struct {
	body  []byte
	holes []hole // in their order
}

// hole is a part of a body that differs from webhook to webhook.
type hole struct {
	at, length int
	mark       bool // else it is the webhook's own id
}

// NewFrame takes the frame from a body. own is the name of the member with the webhook's own id, a string; "" = none.
func NewFrame(body []byte, own string) (*Frame, error) {
	f := &Frame{body: bytes.Clone(body)}
	ownAt, ownLength := -1, 0
	if own != "" {
		name := []byte(`"` + own + `":"`)
		at := bytes.Index(body, name)
		if at < 0 {
			return nil, errors.New("the body has no member " + own)
		}
		ownAt = at + len(name)
		if ownLength = bytes.IndexByte(body[ownAt:], '"'); ownLength < 0 {
			return nil, errors.New("the body ends in the member " + own)
		}
	}
	marks := 0
	for at := 0; at+len(Mark) <= len(body); at++ {
		switch {
		case at == ownAt:
			f.holes = append(f.holes, hole{at: at, length: ownLength})
		case bytes.HasPrefix(body[at:], []byte(markHead)):
			f.holes = append(f.holes, hole{at: at, length: len(Mark), mark: true})
			marks++
			at += len(Mark) - 1
		}
	}
	if marks == 0 {
		return nil, errors.New("the body has no mark")
	}
	return f, nil
}

// Read returns the stamps of a webhook and its own id, or ErrAltered if anything beside these differs from the frame, or if
// two marks differ. The id is a part of body.
func (f *Frame) Read(body []byte) (seq uint64, sent int64, own []byte, err error) {
	if len(body) != len(f.body) {
		return 0, 0, nil, ErrAltered
	}
	var mark []byte
	done := 0
	for _, h := range f.holes {
		text := body[h.at : h.at+h.length]
		switch {
		case !bytes.Equal(body[done:h.at], f.body[done:h.at]):
			return 0, 0, nil, ErrAltered
		case !h.mark:
			own = text
		case mark == nil:
			mark = text
		case !bytes.Equal(text, mark):
			return 0, 0, nil, ErrAltered
		}
		done = h.at + h.length
	}
	if !bytes.Equal(body[done:], f.body[done:]) {
		return 0, 0, nil, ErrAltered
	}
	seq, sent, err = ReadMark(mark)
	return seq, sent, own, err
}

// ReadMark returns the stamps of a mark, or ErrAltered if the text is none.
func ReadMark(text []byte) (seq uint64, sent int64, err error) {
	if len(text) != len(Mark) || !bytes.HasPrefix(text, []byte(markHead)) || text[markSentAt-1] != '-' {
		return 0, 0, ErrAltered
	}
	return readStamps(text[markSeqAt:markSeqAt+stampLen], text[markSentAt:])
}
