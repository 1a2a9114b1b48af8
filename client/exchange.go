package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/wire"
)

// Bounds of answers and pauses.
const (
	maxAnswer  = 16 << 20               // bytes
	maxProblem = 1 << 20                // bytes of an answer other than 2xx: 1,000 refusals with their places
	firstPause = 200 * time.Millisecond // give or take a half
	maxPause   = 10 * time.Second       // give or take a half
	maxAsked   = time.Minute            // of a Retry-After
)

// request is one that may be sent several times. Either read takes the answer's body, or keep
// keeps it open.
type request struct {
	method, path, accept string
	body                 []byte // nil = none
	read                 func(io.Reader) error
	keep                 func(io.ReadCloser)

	key  string // Idempotency-Key; "" = none
	lost bool   // an earlier try may have been done without our hearing of it
}

// operation names a request in errors, without its query, which may hold what is private.
func operation(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	return method + " " + apiPrefix + path
}

// exchange sends a request until it is answered for good.
func (c *Client) exchange(ctx context.Context, r *request) error {
	if r.method == http.MethodPost {
		r.key = rand.Text()
	}
	pause := firstPause
	for left := c.retries; ; left-- {
		err := c.try(ctx, r)
		wait, again := retryable(err)
		switch {
		case err == nil || r.done(err):
			return nil
		case ctx.Err() != nil:
			return stopped(ctx, err)
		case !again || left <= 0 || wait > maxAsked:
			return err
		}
		wait = max(wait, pause/2+mathrand.N(pause))
		select {
		case <-ctx.Done():
			return stopped(ctx, err)
		case <-time.After(wait):
		}
		pause = min(2*pause, maxPause)
	}
}

// stopped is the error of a request that the context ended; err is how it stood.
func stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// retryable says whether sending again may help, and how long the server asks to be left
// alone.
func retryable(err error) (wait time.Duration, again bool) {
	if _, ok := errors.AsType[*UnreachableError](err); ok {
		return 0, true
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return 0, false
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return e.RetryAfter, true
	}
	return 0, false
}

// done reports whether an error says that an earlier try was done whose answer was lost: what
// it deleted is not there any more.
func (r *request) done(err error) bool {
	if r.method == http.MethodDelete && r.lost && errors.Is(err, ErrNotFound) {
		return true
	}
	e, answered := errors.AsType[*Error](err)
	r.lost = r.lost || !answered || e.Status >= http.StatusInternalServerError
	return false
}

// try sends a request once.
func (c *Client) try(ctx context.Context, r *request) error {
	cancel := context.CancelFunc(func() {})
	if r.keep == nil {
		ctx, cancel = context.WithTimeoutCause(ctx, tryTimeout, errSlow)
	}
	defer cancel()
	send, err := c.build(ctx, r)
	if err != nil {
		return err
	}
	response, err := c.http.Do(send)
	if err != nil {
		return c.unreachable(err)
	}
	if response.StatusCode/100 == 2 && r.keep != nil {
		r.keep(&stream{response.Body, c})
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return readError(r, response)
	}
	err = r.read(&stream{response.Body, c})
	if _, broken := errors.AsType[*UnreachableError](err); err == nil || broken {
		return err
	}
	return fmt.Errorf("%s: the answer is not as expected: %w", operation(r.method, r.path), err)
}

func (c *Client) build(ctx context.Context, r *request) (*http.Request, error) {
	send, err := http.NewRequestWithContext(ctx, r.method, c.server+apiPrefix+r.path, bytes.NewReader(r.body))
	if err != nil {
		// Its own text quotes the URL, query and all.
		return nil, fmt.Errorf("%s: the method or the path is not valid", operation(r.method, r.path))
	}
	send.Header.Set("Authorization", c.auth())
	send.Header.Set("User-Agent", c.agent)
	for name, value := range map[string]string{"Accept": r.accept, "Idempotency-Key": r.key} {
		if value != "" {
			send.Header.Set(name, value)
		}
	}
	if r.body != nil {
		send.Header.Set("Content-Type", "application/json")
	}
	return send, nil
}

var errSlow = fmt.Errorf("no answer within %s", tryTimeout)

// unreachable is the error for an answer that did not come, or broke off.
func (c *Client) unreachable(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL
	}
	return &UnreachableError{c.server, err}
}

// stream is an answer's body. Reading it fails with an UnreachableError.
type stream struct {
	body   io.ReadCloser
	client *Client
}

// Read reads from the body.
func (s *stream) Read(into []byte) (int, error) {
	n, err := s.body.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.client.unreachable(err)
	}
	return n, err
}

// Close closes the body.
func (s *stream) Close() error { return s.body.Close() }

// encode is encoding/json without its escapes for HTML; nil stays nil, and JSON in a
// json.RawMessage stays as it is, byte for byte.
func encode(v any) ([]byte, error) {
	switch raw := v.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return raw, nil
	}
	return wire.MarshalValue(v)
}

var errTooLong = errors.New("is longer than 16 MiB")

// decode reads an answer, of which there may be none.
func decode(answer io.Reader, out any) error {
	text, err := io.ReadAll(io.LimitReader(answer, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxAnswer:
		return errTooLong
	case out == nil || len(text) == 0:
		return nil
	}
	return json.Unmarshal(text, out)
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(text string) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
