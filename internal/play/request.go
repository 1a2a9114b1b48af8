package play

import (
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/callboard/callboard/internal/dialect"
)

// maxHeaders is how many values of headers are kept. The server admits 64 KiB, which could be thousands.
const maxHeaders = 200

// Header is one value of a header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Request is one that came in, as viewers see it.
type Request struct {
	ID             string    `json:"id" doc:"Of this request, and of its event on the stream."`
	ReceivedAt     time.Time `json:"receivedAt"`
	Method         string    `json:"method" example:"POST"`
	Path           string    `json:"path" doc:"What follows the inbox's address, as it was written." example:"/orders"`
	Query          string    `json:"query" doc:"What follows the question mark."`
	Headers        []Header  `json:"headers" nullable:"false" doc:"By name; of those that came several times, in order."`
	HeadersOmitted int       `json:"headersOmitted,omitempty" doc:"How many more there were than are kept."`
	Body           string    `json:"body,omitempty" doc:"The body, if it is text."`
	BodyBase64     []byte    `json:"bodyBase64,omitempty" doc:"The body in base64, if it is not: no UTF-8, or with control characters."`
	Size           int64     `json:"size" doc:"Bytes of the whole body; of one that was not read to its end, as far as is known."`
	Truncated      bool      `json:"truncated" doc:"Whether body is the beginning alone."`
	Type           string    `json:"type" doc:"What the body calls its own type, in any dialect; empty if nothing."`
	Own            bool      `json:"own" doc:"Whether this server delivered it."`

	Answered     Answered     `json:"answered"`
	Verification Verification `json:"verification"`
}

// Answered is what the sender got.
type Answered struct {
	Status int `json:"status"`
}

// request is one that is kept. It does not change, but for id and seq, which it is given when it is.
type request struct {
	id      string
	seq     uint64
	at      time.Time
	method  string
	path    string
	query   string
	header  []Header
	omitted int
	body    []byte // its beginning
	size    int64
	typ     string
	own     bool
	status  int

	verification Verification
	cost         int // bytes, about
}

// overhead is about what a request takes besides its texts.
const overhead = 512

// newRequest takes over what came in; the body is copied as far as it is kept.
func newRequest(in *Delivery, at time.Time) *request {
	r := &request{
		at: at, method: in.Method, path: in.Path, query: text(in.Query), body: slices.Clone(in.Body[:min(len(in.Body), maxBody)]),
		size: max(in.Size, int64(len(in.Body))), typ: dialect.TypeIn(in.Body), own: in.own,
	}
	r.cost = overhead + len(r.method) + len(r.path) + len(r.query) + len(r.body) + len(r.typ)
	for _, name := range slices.Sorted(maps.Keys(in.Header)) {
		for _, value := range in.Header[name] {
			if len(r.header) == maxHeaders {
				r.omitted++
				continue
			}
			r.header = append(r.header, Header{name, text(value)})
			r.cost += len(name) + len(value) + 2*16
		}
	}
	return r
}

// text is a value that a header or a query had: bytes that are no UTF-8 are read as Latin-1, as RFC 9110 once had it.
func text(value string) string {
	if utf8.ValidString(value) {
		return value
	}
	runes := make([]rune, len(value))
	for i := range len(value) {
		runes[i] = rune(value[i])
	}
	return string(runes)
}

func (r *request) truncated() bool { return r.size > int64(len(r.body)) }

// show is the request as viewers see it.
func (r *request) show() Request {
	out := Request{
		ID: r.id, ReceivedAt: r.at.UTC(), Method: r.method, Path: r.path, Query: r.query, Headers: r.header, HeadersOmitted: r.omitted,
		Size: r.size, Truncated: r.truncated(), Type: r.typ, Own: r.own,
		Answered: Answered{r.status}, Verification: r.verification,
	}
	if out.Headers == nil {
		out.Headers = []Header{}
	}
	body := r.body
	if out.Truncated {
		body = wholeRunes(body)
	}
	if isText(body) {
		out.Body = string(body)
	} else {
		out.BodyBase64 = r.body
	}
	return out
}

// wholeRunes leaves out a character that is cut at the end.
func wholeRunes(body []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(body); i++ {
		if at := len(body) - i; utf8.RuneStart(body[at]) {
			if !utf8.FullRune(body[at:]) {
				return body[:at]
			}
			break
		}
	}
	return body
}

// isText reports whether a body is better shown as text than as bytes. JSON would write each control character in six.
func isText(body []byte) bool {
	if !utf8.Valid(body) {
		return false
	}
	return !slices.ContainsFunc(body, func(c byte) bool {
		return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f
	})
}

// again is the request as it is verified by something else now. Of one whose body is not whole the verdict stays, unless
// it was that it could not be verified, which it still cannot.
func (r *request) again(v *verifier, p proof) *request {
	verified := *r
	verified.verification = v.verify(p, r.parsed())
	if r.truncated() && verified.verification.Verdict != Unsigned {
		verified.verification = r.verification
		if r.verification.Verdict == UnknownSecret {
			verified.verification.Detail = "Its body is too large to be kept, so that it cannot be verified by now."
		}
	}
	return &verified
}

// parsed is the request as dialects read it.
func (r *request) parsed() dialect.Request {
	header := make(http.Header, len(r.header))
	for _, h := range r.header {
		header[h.Name] = append(header[h.Name], h.Value)
	}
	return dialect.Request{Header: header, Body: r.body, At: r.at}
}
