package play

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/web"
)

// Delivery is a request on its way into an inbox.
type Delivery struct {
	Method string
	Path   string // below the inbox's address, escaped, with a slash before it; "" = the address itself
	Query  string // as it was written
	Header http.Header
	Body   []byte
	Size   int64 // of the whole body, if Body is not all of it

	own bool // this server's
}

// parsed is the request as dialects read it.
func (in *Delivery) parsed(at time.Time) dialect.Request {
	return dialect.Request{Header: in.Header, Body: in.Body, At: at}
}

// partial reports whether Body is not all of the body.
func (in *Delivery) partial() bool { return in.Size > int64(len(in.Body)) }

// Answer is what an inbox answers.
type Answer struct {
	Status int
	Body   string
}

// gone answers requests to an inbox that has expired. Callboard, as other senders, does not try again then.
var gone = Answer{http.StatusGone, "This inbox has expired, as all do after 24 hours.\n"}

// Knows reports whether a name is one of an inbox that was made on this installation, be it expired.
func (h *Hub) Knows(name string) bool {
	_, ok := h.names.made(name)
	return ok
}

// Lives reports whether a name is that of an inbox that has not expired.
func (h *Hub) Lives(name string) bool {
	made, ok := h.names.made(name)
	return ok && !expired(made)
}

// Take takes a delivery of this server, whose header and body it does not keep or change. It answers after the inbox's
// delay. Its errors are ctx's, or fit for the sender.
func (h *Hub) Take(ctx context.Context, name string, in Delivery) (Answer, error) {
	in.own = true
	answer, delay, err := h.take(name, &in)
	if err != nil {
		return Answer{}, err
	}
	return answer, h.wait(ctx, delay)
}

// take keeps a request and says how, and when, it is answered.
func (h *Hub) take(name string, in *Delivery) (Answer, time.Duration, error) {
	made, ok := h.names.made(name)
	switch {
	case !ok:
		return Answer{}, 0, errNoInbox
	case expired(made):
		return gone, 0, nil
	}
	_, s, err := h.keep(name, made, in)
	return Answer{s.status, s.body}, s.delay, err
}

// keep verifies a request and puts it into its inbox. It gives the settings that hold for it.
func (h *Hub) keep(name string, made time.Time, in *Delivery) (*request, settings, error) {
	r := newRequest(in, time.Now())
	s, err := h.settingsOf(name, made)
	for err == nil { // again if the settings change meanwhile
		r.verification = h.verifier.verify(s.proof(), in.parsed(r.at))
		if r.verification.Verdict == Invalid && in.partial() {
			r.verification.Detail = "Its body is larger than what is read, so that it cannot be verified."
		}
		r.status = s.status
		if in.partial() {
			r.status = http.StatusRequestEntityTooLarge
		}
		var kept bool
		if s, kept, err = h.put(name, made, r, s); kept {
			return r, s, nil
		}
	}
	return nil, s, err
}

// settingsOf reads the settings of an inbox.
func (h *Hub) settingsOf(name string, made time.Time) (settings, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.box(name, made)
	if err != nil {
		return settings{}, err
	}
	return b.settings, nil
}

// put puts a request into its inbox, unless the settings have become others than those that it was judged by. It gives
// those that hold.
func (h *Hub) put(name string, made time.Time, r *request, judged settings) (now settings, kept bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.box(name, made)
	if err != nil {
		return judged, false, err
	}
	if b.settings != judged {
		return b.settings, false, nil
	}
	h.add(b, r)
	return judged, true, nil
}

// wait waits before an answer. The end of the server ends it.
func (h *Hub) wait(ctx context.Context, delay time.Duration) error {
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.closing:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// ServeHTTP takes a request from outside for the inbox that {inbox} of the route names. Whoever knows the name may send.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Harmless(w.Header())
	answer, err := h.admit(w, r)
	if err != nil {
		web.Fail(w, err)
		return
	}
	web.Chosen(w)
	hasBody := answer.HasBody()
	if hasBody {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.Body)))
	}
	w.WriteHeader(answer.Status)
	if hasBody && r.Method != http.MethodHead {
		_, _ = io.WriteString(w, answer.Body) // a sender that has gone away is no failure
	}
}

// HasBody reports whether the answer's status admits a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
func (a Answer) HasBody() bool {
	return a.Status != http.StatusNoContent && a.Status != http.StatusResetContent && a.Status != http.StatusNotModified
}

// Harmless sets the header of what an inbox answers: text that its viewer chose is nothing that a browser would run.
func Harmless(h http.Header) {
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// admit holds a stranger's request to the rates, reads it, and lets it wait for its answer.
func (h *Hub) admit(w http.ResponseWriter, r *http.Request) (Answer, error) {
	name := r.PathValue("inbox")
	made, ok := h.names.made(name)
	switch {
	case !ok: // before its body costs anything
		return Answer{}, errNoInbox
	case expired(made):
		return gone, nil
	}
	client := networkOf(web.ClientAddr(r, h.proxies))
	b, err := h.enter(name, made, client)
	if err != nil {
		return Answer{}, err
	}
	defer h.leave(b, client)
	in := &Delivery{Method: r.Method, Header: withHost(r)}
	in.Path, in.Query = Below(r)
	if err := in.readInTime(w, r); err != nil {
		return Answer{}, err
	}
	answer, delay, err := h.take(name, in)
	switch {
	case err != nil:
		return Answer{}, err
	case in.partial():
		return Answer{}, &errs.Error{Kind: errs.TooLarge}
	}
	return answer, h.wait(r.Context(), delay)
}

// enter counts a client's request in.
func (h *Hub) enter(name string, made time.Time, client netip.Prefix) (*box, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.box(name, made)
	switch {
	case err != nil:
		return nil, err
	case b.underWay >= maxUnderWay:
		return nil, errBusy
	case !b.arrivals.take(time.Now(), requestRate, requestBurst):
		return nil, errRate
	case !h.underWay.enter(client):
		return nil, errBusy
	}
	b.underWay++
	return b, nil
}

func (h *Hub) leave(b *box, client netip.Prefix) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b.underWay--
	h.underWay.leave(client)
}

// readInTime reads the body, of a sender who must not be slow. The deadline stays where the body is not read to its end,
// since the server then reads on.
func (in *Delivery) readInTime(w http.ResponseWriter, r *http.Request) error {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout)) // not every ResponseWriter has deadlines
	err := in.read(w, r)
	if err == nil && !in.partial() {
		// While a request waits for its delay the server watches the connection: a deadline would end the request.
		_ = rc.SetReadDeadline(time.Time{})
	}
	return err
}

// read reads the body. One that is too large is read as far as it is kept; Size then says how large it is, or that it is
// larger.
func (in *Delivery) read(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength > web.MaxBody {
		in.Size = r.ContentLength
		in.Body = make([]byte, maxBody)
		n, err := io.ReadFull(r.Body, in.Body)
		in.Body = in.Body[:n]
		return broken(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, web.MaxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		in.Body, in.Size = body, int64(len(body))+1
		return nil
	}
	in.Body = body
	return broken(err)
}

func broken(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errs.Wrap(errs.Malformed, err, "The body took longer than 10 seconds to arrive")
	}
	return errs.Wrap(errs.Malformed, err, "The body breaks off")
}

// Below is what a request's target names below the address of the inbox that the route's {inbox} names, as it was
// written, and its query.
func Below(r *http.Request) (path, query string) {
	target, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		target = r.URL
	}
	if _, rest, found := strings.Cut(target.EscapedPath(), r.PathValue("inbox")); found {
		path = rest
	}
	return path, target.RawQuery
}

// withHost is a request's header with the host, which net/http keeps elsewhere.
func withHost(r *http.Request) http.Header {
	header := r.Header.Clone()
	header.Set("Host", r.Host)
	return header
}
