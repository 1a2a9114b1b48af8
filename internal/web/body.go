package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/callboard/callboard/internal/errs"
)

// MaxBody is the largest request body, in bytes.
const MaxBody = 1 << 20

// ReadBody reads a request's body into memory of its own, which the caller may
// keep. A body over MaxBody is TooLarge, one that breaks off is Malformed.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	switch n := r.ContentLength; {
	case n == 0:
		return nil, nil
	case n > MaxBody:
		return nil, &errs.Error{Kind: errs.TooLarge}
	case n > 0:
		// net/http hands out exactly this many bytes or an error.
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, errs.Wrap(errs.Malformed, err, "The body breaks off")
		}
		return body, nil
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody)); err != nil {
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return nil, &errs.Error{Kind: errs.TooLarge}
		}
		return nil, errs.Wrap(errs.Malformed, err, "The body breaks off")
	}
	return body.Bytes(), nil
}
