package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
)

// checkWebhooks says which flag is wrong of those that are about webhooks.
func (c *importCommand) checkWebhooks() error {
	switch {
	case c.Dialect == "" && c.Source != "":
		return errors.New("--dialect: is required with --source")
	case c.Dialect == "":
		return nil
	case !c.Notify:
		return errors.New("--notify: is for activities; a webhook always becomes a message")
	}
	return nil
}

// webhooks makes what tells webhooks, and has the file read as such.
func (c *importCommand) webhooks(ctx context.Context, im *importing, s *appSources, file *importSource) (func(context.Context, []importLine) error, error) {
	src, err := c.source(ctx, s)
	if err != nil {
		return nil, err
	}
	secret, token, err := c.read()
	if err != nil {
		return nil, err
	}
	signer, err := newVendorSigner(&src, secret, token)
	if err != nil {
		return nil, err
	}
	file.webhooks, file.most, im.count.Webhooks = true, 1, &webhooksTaken{}
	post := &webhookImport{importing: im, signer: signer, poster: newPoster(), server: s.api.server, url: s.api.server + "/in/" + src.ID}
	return post.tell, nil
}

// source is the one that takes the webhooks in: that of the flag, else the app's only one of the dialect.
func (c *importCommand) source(ctx context.Context, s *appSources) (apiSource, error) {
	if c.Source == "" {
		return s.only(ctx, c.Dialect)
	}
	src, err := s.find(ctx, c.Source)
	if err == nil && src.Dialect != c.Dialect {
		err = usageError{fmt.Errorf("--dialect: the source's is %s", src.Dialect)}
	}
	return src, err
}

// only is the app's one source of a dialect. Of several the caller has to name one: nobody else knows which of
// them has had the webhooks before.
func (s *appSources) only(ctx context.Context, vendor string) (apiSource, error) {
	all, err := s.all(ctx)
	if err != nil {
		return apiSource{}, err
	}
	all = slices.DeleteFunc(all, func(src apiSource) bool { return src.Dialect != vendor })
	switch len(all) {
	case 0:
		return apiSource{}, s.noneOf(vendor)
	case 1:
		return all[0], nil
	}
	return apiSource{}, usageError{fmt.Errorf("--source: name one of the sources of dialect %s: %s", vendor, candidates(all))}
}

// noneOf says that the app has no source of a dialect, and what makes one.
func (s *appSources) noneOf(vendor string) error {
	set := builtin.Dialects(builtin.Config{})
	d, known := source.Dialect(set, &store.Source{Dialect: vendor})
	if !known {
		return usageError{errors.New("--dialect: must be one of " + strings.Join(source.Names(set), ", "))}
	}
	proof := "--secret-file FILE"
	if source.TokenHeader(d) != "" {
		proof = "--vendor-token-file FILE"
	}
	return fmt.Errorf("app %s has no source of dialect %s; make one: callboard sources create --app %[1]s --dialect %[2]s %[3]s", s.app.called(), vendor, proof)
}

// candidates names sources as a person tells them apart.
func candidates(all []apiSource) string {
	const most = 10
	var names []string
	for _, src := range all[:min(len(all), most)] {
		name := src.ID
		if src.Description != "" {
			name += " (" + printable(src.Description) + ")"
		}
		names = append(names, name)
	}
	if len(all) > most {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// webhook makes a webhook of a line: the body alone, or {"headers": {…}, "body": …}.
func (s *importSource) webhook(l *importLine, text []byte, members map[string]json.RawMessage) {
	l.text, l.headers, l.name = text, http.Header{}, "import-"+strings.ReplaceAll(s.mark(), ":", "-")
	headers, headed := members["headers"]
	body, bodied := members["body"]
	if !headed || !bodied || len(members) != 2 {
		return
	}
	var recorded map[string]any
	if err := json.Unmarshal(headers, &recorded); err != nil {
		l.wrong = "headers must be an object of texts, or of lists of texts"
		return
	}
	l.text = body
	if body[0] == '"' {
		var inner string
		_ = json.Unmarshal(body, &inner) // it is a valid text
		l.text = []byte(inner)
	}
	for name, value := range recorded {
		if !l.record(name, value) {
			l.wrong = "headers must be an object of texts, or of lists of texts"
			return
		}
	}
}

// connectionHeaders are about the connection on which a recorded request came, not about the webhook.
var connectionHeaders = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Accept-Encoding": true, "Content-Encoding": true,
	"Te": true, "Trailer": true, "Upgrade": true, "Keep-Alive": true, "Expect": true,
}

// record adds a header that was recorded. It reports false for a value that is none; what was masked when it was recorded
// is left out.
func (l *importLine) record(name string, value any) bool {
	var values []any
	switch v := value.(type) {
	case string:
		values = []any{v}
	case []any:
		values = v
	default:
		return false
	}
	for _, one := range values {
		text, isText := one.(string)
		if !isText {
			return false
		}
		if !connectionHeaders[http.CanonicalHeaderKey(name)] && !isMasked(text) {
			l.headers.Add(name, text)
		}
	}
	return true
}

// webhooksTaken says what became of webhooks.
type webhooksTaken struct{ taken int }

// print prints it.
func (t *webhooksTaken) print(w io.Writer, asJSON bool, refused, through int) error {
	if asJSON {
		return writeJSON(w, struct {
			Taken   int `json:"taken"`
			Refused int `json:"refused"`
			Through int `json:"through"`
		}{t.taken, refused, through})
	}
	_, err := fmt.Fprintf(w, "taken in %d, refused %d\n", t.taken, refused)
	return err
}

// webhookImport posts webhooks to a source's URL, as the vendor does.
type webhookImport struct {
	*importing

	signer      *vendorSigner
	poster      *http.Client
	server, url string
}

// tell is importing.tell. Webhooks go one after the other, so that they come in in the order of the file.
func (im *webhookImport) tell(ctx context.Context, lines []importLine) error {
	for _, l := range lines {
		if l.wrong == "" {
			refusal, err := im.post(ctx, &l)
			if err != nil {
				return err
			}
			l.wrong = refusal
		}
		if l.wrong != "" {
			im.refuse(l.number, l.wrong)
		} else {
			im.count.Webhooks.taken++
		}
		im.count.Through = l.number
	}
	return nil
}

// Pauses between tries, as the client makes them.
const (
	firstTry = 200 * time.Millisecond
	longTry  = 10 * time.Second
)

// post sends a webhook until it is answered for good. A refusal is about this one; an error ends the import.
func (im *webhookImport) post(ctx context.Context, l *importLine) (refusal string, err error) {
	pause := firstTry
	for left := importRetries; ; left-- {
		refusal, err = im.try(ctx, l)
		_, unreachable := errors.AsType[*client.UnreachableError](err)
		e, answered := errors.AsType[*client.Error](err)
		passes := unreachable || answered && (e.Status == http.StatusTooManyRequests || e.Status >= http.StatusBadGateway)
		if !passes || left <= 0 {
			return refusal, err
		}
		wait := pause/2 + rand.N(pause)
		if answered {
			wait = max(wait, min(e.RetryAfter, longTry))
		}
		im.bar.wait(noAnswer)
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, longTry)
	}
}

// postTimeout bounds one try.
const postTimeout = 30 * time.Second

// newPoster makes a client that follows no redirects: a token is for the one server.
func newPoster() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// try sends a webhook once.
func (im *webhookImport) try(ctx context.Context, l *importLine) (refusal string, err error) {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	send, err := http.NewRequestWithContext(ctx, http.MethodPost, im.url, bytes.NewReader(l.text))
	if err != nil {
		return "", errors.New("the source's URL is not valid")
	}
	send.Header = l.headers.Clone()
	im.signer.prove(send.Header, l.name, l.text)
	send.Header.Set("Content-Type", cmp.Or(send.Header.Get("Content-Type"), "application/json"))
	response, err := im.poster.Do(send)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok { // it repeats the URL
			err = e.Err
		}
		return "", &client.UnreachableError{Server: im.server, Cause: err}
	}
	defer func() { _ = response.Body.Close() }()
	return im.read(response)
}

// maxReply bounds what is read of an answer.
const maxReply = 64 << 10

// read says what an answer means.
func (im *webhookImport) read(response *http.Response) (refusal string, err error) {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return "", &client.UnreachableError{Server: im.server, Cause: err}
	}
	var said struct{ Code, Detail string }
	_ = json.Unmarshal(text, &said) // what does not come from Callboard has no detail
	problem := &client.Error{
		Op: "POST " + strings.TrimPrefix(im.url, im.server), Status: response.StatusCode, Code: said.Code, Detail: printable(said.Detail),
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		problem.RetryAfter = time.Duration(seconds) * time.Second
	}
	switch response.StatusCode {
	case http.StatusOK:
		return "", nil
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return cmp.Or(problem.Reason(), http.StatusText(response.StatusCode)), nil
	case http.StatusUnauthorized:
		return "", errors.New("the source does not accept the proof: --secret or --vendor-token is not the source's; callboard sources show says why")
	}
	return "", problem
}
