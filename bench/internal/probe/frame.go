package probe

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// Frame is what all webhooks of one message in one dialect have in common: every byte but the marks, where the dialect has
// one an id of the webhook's own, and members that may say anything of the same length. It is taken from the first webhook, which its receiver has read as JSON, so that all
// later ones are compared byte by byte. Its methods are safe for concurrent use.
type Frame struct {
	body  []byte
	holes []hole // in their order
}

// hole is a part of a body that differs from webhook to webhook.
type hole struct {
	at, length int
	kind       holeKind
}

// holeKind says what stands in a hole.
type holeKind int

const (
	ownID   holeKind = iota // the webhook's own id
	aMark                   // the same in all such holes of a body
	anyText                 // what the frame does not look at
)

// NewFrame takes the frame from a body. own is the name of the member with the webhook's own id, a string; "" = none. Of
// members with a name in loose, which are strings of one length such as times, any value will do.
func NewFrame(body []byte, own string, loose ...string) (*Frame, error) {
	f := &Frame{body: bytes.Clone(body)}
	if err := f.findMarks(); err != nil {
		return nil, err
	}
	if own != "" {
		first := bytes.Index(body, memberHead(own))
		if first < 0 {
			return nil, errors.New("the body has no member " + own)
		}
		if _, err := f.addMember(first+len(memberHead(own)), own, ownID); err != nil {
			return nil, err
		}
	}
	for _, name := range loose {
		if err := f.findMembers(name); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(f.holes, func(a, b hole) int { return cmp.Compare(a.at, b.at) })
	for i, h := range f.holes[1:] {
		if h.at < f.holes[i].at+f.holes[i].length {
			return nil, errors.New("two of the body's members that differ are one")
		}
	}
	return f, nil
}

func (f *Frame) findMarks() error {
	for at := 0; at+len(Mark) <= len(f.body); {
		next := bytes.Index(f.body[at:], []byte(markHead))
		if next < 0 || at+next+len(Mark) > len(f.body) {
			break
		}
		f.holes = append(f.holes, hole{at: at + next, length: len(Mark), kind: aMark})
		at += next + len(Mark)
	}
	if len(f.holes) == 0 {
		return errors.New("the body has no mark")
	}
	return nil
}

// findMembers makes holes of all members of a name.
func (f *Frame) findMembers(name string) error {
	head := memberHead(name)
	for at := 0; ; {
		next := bytes.Index(f.body[at:], head)
		if next < 0 {
			return nil
		}
		var err error
		if at, err = f.addMember(at+next+len(head), name, anyText); err != nil {
			return err
		}
	}
}

// addMember makes a hole of a string that begins at a place, and gives the place behind it.
func (f *Frame) addMember(at int, name string, kind holeKind) (end int, err error) {
	length := bytes.IndexByte(f.body[at:], '"')
	if length < 0 {
		return 0, errors.New("the body ends in the member " + name)
	}
	f.holes = append(f.holes, hole{at: at, length: length, kind: kind})
	return at + length, nil
}

func memberHead(name string) []byte { return []byte(`"` + name + `":"`) }

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
		case h.kind == anyText:
		case h.kind == ownID:
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

// FirstMark returns the stamps of the first mark in a body, or ErrAltered if there is none.
func FirstMark(body []byte) (seq uint64, sent int64, err error) {
	at := bytes.Index(body, []byte(markHead))
	if at < 0 || at+len(Mark) > len(body) {
		return 0, 0, ErrAltered
	}
	return ReadMark(body[at : at+len(Mark)])
}

// AppendMark appends a mark with these stamps to dst.
func AppendMark(dst []byte, seq uint64, sent int64) []byte {
	start := len(dst)
	dst = append(dst, Mark...)
	putHex(dst[start+markSeqAt:], seq)
	putHex(dst[start+markSentAt:], uint64(sent))
	return dst
}

// ReadMark returns the stamps of a mark, or ErrAltered if the text is none.
func ReadMark(text []byte) (seq uint64, sent int64, err error) {
	if len(text) != len(Mark) || !bytes.HasPrefix(text, []byte(markHead)) || text[markSentAt-1] != '-' {
		return 0, 0, ErrAltered
	}
	return readStamps(text[markSeqAt:markSeqAt+stampLen], text[markSentAt:])
}
