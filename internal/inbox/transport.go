package inbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/web"
)

// maxDelivery bounds the body of a delivery. A dialect's body may be larger than the
// payload, which is held to web.MaxBody.
const maxDelivery = 4 * web.MaxBody

// taken is the answer to a request that a listener has.
const taken = `{"status":"taken"}`

// Around wraps a transport: requests to inboxes are handed over in process, all others
// go on to next.
func (h *Hub) Around(next http.RoundTripper) http.RoundTripper { return &transport{hub: h, next: next} }

type transport struct {
	hub  *Hub
	next http.RoundTripper
}

// RoundTrip hands a request over, if its URL is below the place of inboxes. One that
// names no inbox is answered 404 and not dialled either.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	name, here := t.hub.place.Load().name(r.URL)
	if !here {
		return t.next.RoundTrip(r)
	}
	body, err := readDelivery(r)
	if guest, _, _ := strings.Cut(name, "/"); err == nil && t.hub.play != nil && t.hub.play.Knows(guest) {
		return t.hub.toPlay(r, guest, body)
	}
	if err == nil {
		err = t.hub.hand(r.Context(), name, r.Method, r.Header.Clone(), body)
	}
	if cause := r.Context().Err(); err != nil && cause != nil {
		return nil, cause
	}
	return respond(r, err)
}

// toPlay hands a request over to an inbox of Play.
func (h *Hub) toPlay(r *http.Request, name string, body []byte) (*http.Response, error) {
	_, below, _ := strings.Cut(r.URL.EscapedPath(), name)
	header := r.Header.Clone()
	header.Set("Host", cmp.Or(r.Host, r.URL.Host))
	answer, err := h.play.Take(r.Context(), name, play.Delivery{
		Method: r.Method, Path: below, Query: r.URL.RawQuery, Header: header, Body: body,
	})
	switch cause := r.Context().Err(); {
	case err != nil && cause != nil:
		return nil, cause
	case err != nil:
		return respond(r, err)
	}
	var text []byte
	if answer.HasBody() {
		text = []byte(answer.Body)
	}
	response := made(r, answer.Status, text)
	play.Harmless(response.Header)
	return response, nil
}

// readDelivery reads and closes a request's body.
func readDelivery(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxDelivery+1))
	if err == nil && len(body) > maxDelivery {
		return nil, &errs.Error{Kind: errs.TooLarge}
	}
	return body, err
}

// respond makes the response that ServeHTTP would give.
func respond(r *http.Request, failure error) (*http.Response, error) {
	status, body, header := http.StatusOK, []byte(taken), http.Header{"Content-Type": {"application/json"}}
	if failure != nil {
		problem := web.Explain(failure)
		var err error
		if body, err = json.Marshal(problem); err != nil {
			return nil, errors.Join(failure, err)
		}
		status = problem.Status
		if problem.RetryAfter > 0 {
			header.Set("Retry-After", strconv.Itoa(int(problem.RetryAfter.Seconds())))
		}
	}
	response := made(r, status, body)
	response.Header = header
	return response, nil
}

// made makes a response without a header.
func made(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

// ServeHTTP takes a request from outside for the inbox that {inbox} of the route names.
// Whoever knows the name may send.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("inbox")
	below, _ := play.Below(r)
	switch {
	case h.play != nil && h.play.Knows(name):
		h.play.ServeHTTP(w, r)
		return
	case strings.Trim(below, "/") != "":
		web.Fail(w, errNoInbox)
		return
	case r.Method != http.MethodPost:
		web.MethodNotAllowed(w, http.MethodPost)
		return
	}
	if !h.known(name) { // before its body costs anything
		web.Fail(w, errNoInbox)
		return
	}
	body, err := web.ReadBody(w, r)
	if err == nil {
		err = h.hand(r.Context(), name, r.Method, withHost(r), body)
	}
	if err != nil {
		web.Fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, taken) // a sender that has gone away is no failure
}

// withHost is a request's header with the host, which net/http keeps elsewhere.
func withHost(r *http.Request) http.Header {
	header := r.Header.Clone()
	header.Set("Host", r.Host)
	return header
}
