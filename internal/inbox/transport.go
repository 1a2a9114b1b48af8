package inbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/callboard/callboard/internal/errs"
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
	if err == nil {
		err = t.hub.hand(r.Context(), name, r.Method, r.Header.Clone(), body)
	}
	if cause := r.Context().Err(); err != nil && cause != nil {
		return nil, cause
	}
	return respond(r, err)
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
	return &http.Response{
		Status:     strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}, nil
}

// ServeHTTP takes a request from outside for the inbox that {inbox} of the route names.
// Whoever knows the name may send.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("inbox")
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
