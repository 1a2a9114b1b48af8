package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/callboard/callboard/wire"
)

// Bounds of what is in memory: a line that is longer is not held, and no more lines are
// gathered than fit into a request.
const (
	maxImportLine  = 1 << 20 // bytes, as the API takes them
	maxImportBatch = 1 << 20 // bytes
)

// importLine is a line of the file that is not empty.
type importLine struct {
	number int // from 1
	text   json.RawMessage
	dated  bool   // it says when it happened
	wrong  string // why it cannot be told; "" = it can

	headers http.Header // of a webhook
	name    string      // of a webhook: what it is known by where it has no id
}

// importBatch are lines that follow each other.
type importBatch struct {
	lines []importLine
	end   int64 // how many bytes were read up to their end
	err   error // why there are no more, io.EOF at the end; nil = there may be
}

// importSource reads activities, one from each line, or webhooks.
type importSource struct {
	webhooks bool

	in    *bufio.Reader
	close func() error
	quiet bool // nothing is to be sent
	most  int  // lines of a batch

	sum    hash.Hash // of everything that was read, but for the last line's end
	number int       // of the last line
	read   int64     // bytes
	err    error     // why there are no more
	held   *importLine
}

func newImportSource(in io.ReadCloser, quiet bool, most int) *importSource {
	return &importSource{in: bufio.NewReaderSize(in, 64<<10), close: in.Close, quiet: quiet, most: most, sum: sha256.New()}
}

// feed gives batches until one has an error, or ctx ends.
func (s *importSource) feed(ctx context.Context, batches chan<- importBatch) {
	defer func() { _ = s.close() }() // it was only read
	for {
		b := s.batch()
		select {
		case batches <- b:
		case <-ctx.Done():
			return
		}
		if b.err != nil {
			return
		}
	}
}

// batch reads lines until they are enough for a request. The server applies what comes
// together in the order of its times, and what has none last. So a line with a time does not go
// with one before it that has none: that may create what this one is about.
func (s *importSource) batch() (b importBatch) {
	size, undated := 0, false
	for len(b.lines) < s.most && size < maxImportBatch {
		l, ok := s.next()
		if !ok {
			b.err = s.err
			break
		}
		if l.dated && undated {
			s.held = &l
			break
		}
		b.lines = append(b.lines, l)
		size += len(l.text)
		undated = undated || !l.dated && l.wrong == ""
	}
	b.end = s.read
	return b
}

// next is the next line that is not empty; false = there are no more.
func (s *importSource) next() (l importLine, ok bool) {
	if s.held != nil {
		l, s.held = *s.held, nil
		return l, true
	}
	for s.err == nil {
		var text []byte
		text, s.err = s.line()
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return s.activity(text), true
		}
	}
	return l, false
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\xef\xbb\xbf"

// line reads the next line. What is longer than a line may be is read and dropped; so much
// of it is given that it is seen to be.
func (s *importSource) line() (text []byte, err error) {
	if s.number++; s.number > 1 {
		s.sum.Write([]byte("\n"))
	}
	for {
		part, err := s.in.ReadSlice('\n')
		s.sum.Write(bytes.TrimSuffix(part, []byte("\n"))) // a last line may have none yet
		s.read += int64(len(part))
		if s.number == 1 && len(text) == 0 {
			part = bytes.TrimPrefix(part, []byte(byteOrderMark))
		}
		if len(text) <= maxImportLine {
			text = append(text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
	}
}

// mark tells a line from all others: by what the file holds up to it.
func (s *importSource) mark() string { return fmt.Sprintf("%x:%d", s.sum.Sum(nil)[:16], s.number) }

// importedID is what ids begin with that were made up for lines.
const importedID = "import:"

// activity makes an activity of a line, or a webhook. An activity gets an id if it has none, so that it can be told
// again. The id says what the file held up to here. So it does not depend on what comes after,
// and standard input has one, too.
func (s *importSource) activity(text []byte) importLine {
	l := importLine{number: s.number}
	if len(text) > maxImportLine {
		l.wrong = "is longer than 1 MiB"
		return l
	}
	var members map[string]json.RawMessage
	switch {
	case !json.Valid(text):
		l.wrong = "is not valid JSON"
		return l
	case json.Unmarshal(text, &members) != nil, members == nil:
		l.wrong = "is not a JSON object"
		return l
	}
	if s.webhooks {
		s.webhook(&l, text, members)
		return l
	}
	at := members["at"]
	l.dated = at != nil && string(at) != "null"
	changed := s.quiet
	if s.quiet {
		members["notify"] = json.RawMessage("false")
	}
	if given := members["id"]; given == nil || string(given) == "null" {
		members["id"] = fmt.Appendf(nil, `"%s%s"`, importedID, s.mark())
		changed = true
	}
	if !changed {
		l.text = text
		return l
	}
	edited, err := wire.MarshalValue(members)
	if err != nil { // JSON that was read can be written
		l.wrong = "is not valid JSON"
		return l
	}
	l.text = edited
	return l
}
