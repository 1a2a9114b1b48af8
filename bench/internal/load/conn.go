package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// requestTimeout bounds one request over the API, as long as Svix's clients wait at most.
const requestTimeout = 30 * time.Second

// conn is a keep-alive HTTP/1.1 connection for requests that are already bytes. It stands in for net/http's client because
// the generator shares its processors with the service under test: one write and one read a request, no goroutine hops, no
// header map. It understands what an HTTP/1.1 server may answer with here: Content-Length, chunked, Connection: close.
type conn struct {
	addr string
	c    net.Conn
	r    *bufio.Reader
	body []byte
}

// roundTrip writes a request and reads its answer; the body is valid until the next call. After an error the connection is
// closed, the outcome of the request unknown, and the next call dials again.
func (c *conn) roundTrip(request []byte) (status int, body []byte, err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.c == nil {
		if err := c.dial(); err != nil {
			return 0, nil, err
		}
	}
	if err := c.c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, nil, err
	}
	if _, err := c.c.Write(request); err != nil {
		return 0, nil, err
	}
	return c.readAnswer()
}

func (c *conn) dial() error {
	socket, err := net.DialTimeout("tcp", c.addr, requestTimeout)
	if err != nil {
		return err
	}
	c.c = socket
	if c.r == nil {
		c.r = bufio.NewReaderSize(socket, 8<<10)
	}
	c.r.Reset(socket)
	return nil
}

func (c *conn) close() {
	if c.c != nil {
		_ = c.c.Close() // Nothing is lost: the answer has been read, or the request counts as failed.
		c.c = nil
	}
}

// framing is what the head of an answer says about its body.
type framing struct {
	status  int
	length  int // -1 without Content-Length
	chunked bool
	last    bool // the server closes the connection
}

func (c *conn) readAnswer() (int, []byte, error) {
	head, err := c.readHead()
	if err != nil {
		return 0, nil, err
	}
	if err := c.readBody(head); err != nil {
		return 0, nil, err
	}
	if head.last {
		c.close()
	}
	return head.status, c.body, nil
}

func (c *conn) readHead() (framing, error) {
	head := framing{length: -1}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return head, err
	}
	// "HTTP/1.1 202 Accepted"
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return head, fmt.Errorf("status line %q", line)
	}
	if head.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return head, fmt.Errorf("status line %q", line)
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return head, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			return head, nil
		}
		if err := head.field(line); err != nil {
			return head, err
		}
	}
}

// field takes in one header line; the three that frame the body matter.
func (f *framing) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return fmt.Errorf("content length %q", value)
		}
		f.length = n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		f.last = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

func (c *conn) readBody(head framing) (err error) {
	c.body = c.body[:0]
	switch {
	case head.chunked:
		if c.body, err = io.ReadAll(httputil.NewChunkedReader(c.r)); err == nil {
			_, err = c.r.Discard(len("\r\n")) // The end of an empty trailer.
		}
	case head.status == 204 || head.status == 304:
	case head.length >= 0:
		if cap(c.body) < head.length {
			c.body = make([]byte, head.length)
		}
		c.body = c.body[:head.length]
		_, err = io.ReadFull(c.r, c.body)
	default: // Neither: the body ends with the connection.
		c.body, err = io.ReadAll(c.r)
		c.close()
	}
	return err
}
