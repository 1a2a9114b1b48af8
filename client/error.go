package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// What an [*Error] may be, by [errors.Is].
var (
	// ErrNotFound is that the server has no such thing that the token may see.
	ErrNotFound = errors.New("not found")
	// ErrConflict is that a name is taken, or that the state of a thing forbids what was told.
	ErrConflict = errors.New("conflict")
)

// Error is an answer other than 2xx, or why an activity was refused.
type Error struct {
	// Op is what was asked: the method and the path, without its query.
	Op string
	// Status is the HTTP status; of an activity 422.
	Status int
	// Code is the server's word for what is wrong, such as not_found; "" if it has none, as
	// with 422, or if it is not Callboard that answers.
	Code string
	// Detail is what the server says, without control characters; "" if it names fields.
	Detail string
	// Fields are the places that are wrong.
	Fields []Field
	// RequestID names the request in the server's log; "" if the server gave none.
	RequestID string
	// RetryAfter is how long the server asks to be left alone; 0 if it does not.
	RetryAfter time.Duration
}

// Field is a wrong place of a request and what is wrong with it.
type Field struct {
	// Loc leads to the place from outside in, such as body, data, sessionId.
	Loc []string `json:"loc"`
	// Msg says what is wrong, without the value.
	Msg string `json:"msg"`
}

// Error says what was asked and what the server says to it.
func (e *Error) Error() string {
	if e.Status == http.StatusUnauthorized {
		return "the server does not accept the token: " + e.Reason()
	}
	return strings.TrimSuffix(fmt.Sprintf("%s: %d %s: %s", e.Op, e.Status, http.StatusText(e.Status), e.Reason()), ": ")
}

// Reason is what the server says, without what was asked: Detail, or each field and what is
// wrong with it.
func (e *Error) Reason() string {
	parts := make([]string, 0, 1+len(e.Fields))
	if e.Detail != "" {
		parts = append(parts, e.Detail)
	}
	for _, f := range e.Fields {
		parts = append(parts, strings.TrimSpace(strings.Join(f.Loc, ".")+" "+f.Msg))
	}
	return strings.Join(parts, "; ")
}

// Is reports whether the error is [ErrNotFound] or [ErrConflict]. It goes by the code: a 404
// without one is not Callboard's, but that of something before it.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Code == "not_found" || target == ErrConflict && e.Code == "conflict"
}

// UnreachableError says that no answer came, or that it broke off. What was asked may have been
// done.
type UnreachableError struct {
	// Server is the server's URL.
	Server string
	// Cause is the reason.
	Cause error
}

// Error names the server and the reason, not the path.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the server at %s does not answer: %v", e.Server, e.Cause)
}

// Unwrap gives the reason.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// readError reads an answer other than 2xx. The status says enough where the body cannot be
// read.
func readError(r *request, response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	e := &Error{
		Op: operation(r.method, r.path), Status: response.StatusCode,
		RequestID: clean(response.Header.Get("X-Request-Id"), maxRequestID), RetryAfter: retryAfter(response.Header.Get("Retry-After")),
	}
	e.read(text)
	return e
}

// Bounds of what an error repeats of an answer, in bytes.
const (
	maxDetail    = 300
	maxRequestID = 100
)

// read reads the API's errors: {code, detail}, or {detail: [{loc, msg}]}. Another text is a
// detail itself.
func (e *Error) read(text []byte) {
	var plain struct{ Code, Detail string }
	if json.Unmarshal(text, &plain) == nil && plain.Detail != "" {
		e.Code, e.Detail = plain.Code, clean(plain.Detail, maxDetail)
		return
	}
	var fields struct{ Detail []Field }
	if json.Unmarshal(text, &fields) == nil && len(fields.Detail) > 0 {
		e.Fields = cleanFields(fields.Detail)
		return
	}
	e.Detail = clean(string(bytes.TrimSpace(text)), maxDetail)
}

func cleanFields(fields []Field) []Field {
	for i := range fields {
		fields[i].Msg = clean(fields[i].Msg, maxDetail)
		for n, part := range fields[i].Loc {
			fields[i].Loc[n] = clean(part, maxDetail)
		}
	}
	return fields
}

// clean takes out of a text what could move a terminal's cursor, and cuts it: who answers
// need not be Callboard.
func clean(text string, most int) string {
	if len(text) > most {
		text = text[:most]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
}
