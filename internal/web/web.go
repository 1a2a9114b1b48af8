// Package web is what every HTTP door of Callboard shares: it turns errors into
// answers, gives each request an id and one log line, keeps panics and large
// bodies out, and says who may call what.
//
// It is the only place that knows which HTTP status a kind of error has (Explain),
// and the only one that logs the cause of a failed request. A client sees the
// public text of an errs.Error and nothing else: no cause, no value that it sent,
// no name of a Go type.
package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/store"
)

// Problem is the answer to a failed request, in the form that Svix's clients
// know: {"code", "detail"}, or for 422 {"detail": [{"loc", "msg", "type"}]}.
type Problem struct {
	Status     int
	Code       string
	Detail     string
	Fields     []errs.Field // for 422 only
	RetryAfter time.Duration
	// Cause is the whole error if it is worth a line in the log: a failure of
	// ours, not of the client.
	Cause error
}

// answer is how a kind of error is put to clients.
type answer struct {
	status int
	code   string
	detail string // where the error itself has none
}

// answers is the one table from kinds to HTTP.
var answers = [...]answer{
	errs.Internal:        {http.StatusInternalServerError, "internal_error", "Internal server error"},
	errs.Malformed:       {http.StatusBadRequest, "bad_request", "The request cannot be read"},
	errs.Unauthenticated: {http.StatusUnauthorized, "authentication_failed", "Invalid token"},
	errs.Forbidden:       {http.StatusForbidden, "permission_denied", "The token does not permit this"},
	errs.NotFound:        {http.StatusNotFound, "not_found", "Entity not found"},
	errs.Conflict:        {http.StatusConflict, "conflict", "The request conflicts with what exists"},
	errs.TooLarge:        {http.StatusRequestEntityTooLarge, "payload_too_large", "The body is larger than 1 MiB"},
	errs.Invalid:         {http.StatusUnprocessableEntity, "validation_error", "is not valid"},
	errs.TooMany:         {http.StatusTooManyRequests, "too_many_requests", "Too many requests"},
	errs.NotImplemented:  {http.StatusNotImplemented, "not_implemented", "This version of Callboard does not have this route yet"},
	errs.Unavailable:     {http.StatusServiceUnavailable, "unavailable", "The service cannot answer at the moment; try again"},
}

// defaultRetryAfter goes with every 503 and 429 that does not know better.
const defaultRetryAfter = time.Second

// Explain turns any error into what a client is told about it.
func Explain(err error) Problem {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		e = classify(err)
	}
	a := answers[e.Kind]
	p := Problem{Status: a.status, Code: a.code, Detail: a.detail, RetryAfter: e.RetryAfter}
	if e.Code != "" {
		p.Code = e.Code
	}
	if e.Detail != "" && e.Kind != errs.Internal {
		p.Detail = e.Detail
	}
	switch e.Kind {
	case errs.Invalid:
		p.Fields = e.Fields
		if len(p.Fields) == 0 {
			p.Fields = []errs.Field{{Loc: []string{"body"}, Msg: p.Detail}}
		}
	case errs.Unavailable, errs.TooMany:
		if p.RetryAfter == 0 {
			p.RetryAfter = defaultRetryAfter
		}
	}
	if e.Kind == errs.Internal || e.Kind == errs.Unavailable {
		p.Cause = err
	}
	return p
}

// classify gives a kind to an error that carries none.
func classify(err error) *errs.Error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errs.Missing()
	case errors.Is(err, store.ErrUnavailable),
		errors.Is(err, store.ErrLost),
		errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded):
		return &errs.Error{Kind: errs.Unavailable}
	}
	return &errs.Error{}
}

// wireField is one entry of a 422.
type wireField struct {
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
	Type string   `json:"type"`
}

// MarshalJSON writes the body of the answer.
func (p Problem) MarshalJSON() ([]byte, error) {
	if p.Status != http.StatusUnprocessableEntity {
		return plainJSON(struct {
			Code   string `json:"code"`
			Detail string `json:"detail"`
		}{p.Code, p.Detail})
	}
	fields := make([]wireField, len(p.Fields))
	for i, f := range p.Fields {
		fields[i] = wireField{Loc: f.Loc, Msg: f.Msg, Type: "value_error"}
	}
	return plainJSON(struct {
		Detail []wireField `json:"detail"`
	}{fields})
}

// plainJSON encodes without escapes for HTML: people read "<= 250" here.
func plainJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// Error and GetStatus let a Problem pass as an error of huma, which then writes
// it as it is.

// Error is the public text.
func (p Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p Problem) GetStatus() int { return p.Status }

// Note prepares an answer for err: it sets the headers that go with it and hands
// the cause to the request's log line. The caller writes status and body.
func Note(w http.ResponseWriter, err error) Problem {
	p := Explain(err)
	if p.RetryAfter > 0 {
		seconds := int64((p.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if x, ok := w.(*exchange); ok && p.Cause != nil {
		x.cause = p.Cause
	}
	return p
}

// Fail answers a request with an error.
func Fail(w http.ResponseWriter, err error) { write(w, Note(w, err)) }

func write(w http.ResponseWriter, p Problem) {
	body, err := p.MarshalJSON()
	if err != nil { // strings and slices of strings always encode
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	// A client that has gone away is no failure of the request.
	_, _ = w.Write(body)
}

// MethodNotAllowed answers a request whose path exists under other methods.
func MethodNotAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	write(w, Problem{
		Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "This path has other methods, see the header Allow",
	})
}
