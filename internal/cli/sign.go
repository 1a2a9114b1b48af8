package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
)

// signCommand is `callboard sign`.
type signCommand struct {
	Dialect string  `default:"native" placeholder:"NAME" help:"How the webhook is authenticated. Default ${default}."`
	Secret  string  `required:"" env:"CALLBOARD_WEBHOOK_SECRET" placeholder:"SECRET" help:"The endpoint's secret, or the app's signing token."`
	ID      string  `name:"id" default:"${exampleid}" help:"The webhook's id, where the dialect has one in a header. Default ${default}."`
	At      instant `placeholder:"TIME" help:"When it is sent, such as 2027-03-04T09:00:00Z or Unix seconds. Default: now."`
	JSON    bool    `name:"json" help:"As JSON."`
	File    string  `arg:"" help:"The body, byte for byte; - is standard input."`
}

// Help is the end of `callboard sign --help`.
func (signCommand) Help() string {
	return `Prints the headers that authenticate a body, one on a line, as curl -H @- takes them.

Example:

    callboard sign --dialect zuddl --secret s3cret-of-mine body.json |
        curl -H @- --data-binary @body.json https://example.com/webhook`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *signCommand) Validate() error { return checkDialect(c.Dialect) }

// Run prints the headers.
func (c *signCommand) Run(p *process) error {
	body, err := readInput(c.File)
	if err != nil {
		return err
	}
	d, _ := builtin.Dialects(builtin.Config{}).Get(c.Dialect)
	if err := d.CheckSecret(c.Secret); err != nil {
		return usageError{fmt.Errorf("--secret: %w", err)}
	}
	signer, err := d.NewSigner([]string{c.Secret})
	if err != nil {
		return usageError{fmt.Errorf("--secret: %w", err)}
	}
	h := http.Header{}
	signer.Sign(h, c.ID, c.At.orNow(), body)
	if c.JSON {
		flat := map[string]string{}
		for name := range h {
			flat[strings.ToLower(name)] = h.Get(name)
		}
		return writeJSON(p.stdout, flat)
	}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err := fmt.Fprintf(p.stdout, "%s: %s\n", strings.ToLower(name), h.Get(name)); err != nil {
			return err
		}
	}
	return nil
}

// verifyCommand is `callboard verify`.
type verifyCommand struct {
	Dialect string   `default:"native" placeholder:"NAME" help:"Whose webhook it is. Default ${default}."`
	Secret  []string `required:"" sep:"none" env:"CALLBOARD_WEBHOOK_SECRET" placeholder:"SECRET" help:"The endpoint's secret, or the app's signing token; may be given several times."`
	Header  []string `short:"H" sep:"none" placeholder:"'NAME: VALUE'" help:"A header of the request; may be given several times."`
	JSON    bool     `name:"json" help:"As JSON."`
	File    string   `arg:"" help:"The body, byte for byte, or the whole request, which begins with POST; - is standard input."`
}

// Help is the end of `callboard verify --help`.
func (verifyCommand) Help() string {
	return `Says whether a webhook was made by who holds the secret, and if not, exactly why. Exits 0 if it is valid, 1 if it is
not.

Example:

    callboard verify --dialect zuddl --secret s3cret-of-mine -H 'x-webhook-signature: sha256=…' body.json`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *verifyCommand) Validate() error {
	for _, line := range c.Header {
		if name, _, ok := strings.Cut(line, ":"); !ok || strings.TrimSpace(name) == "" {
			return errors.New("--header: must have the form 'name: value'")
		}
	}
	return checkDialect(c.Dialect)
}

// judgement is what `verify --json` prints.
type judgement struct {
	Valid  bool       `json:"valid"`
	ID     string     `json:"id,omitempty"`
	SentAt *time.Time `json:"sentAt,omitempty"`
	Why    string     `json:"why,omitempty"`
	Hint   string     `json:"hint,omitempty"`
	Type   string     `json:"eventType,omitempty"` // in Callboard's words, of a valid one whose body can be read
}

// Run says whether the webhook is valid.
func (c *verifyCommand) Run(_ context.Context, p *process) error {
	text, err := readInput(c.File)
	if err != nil {
		return err
	}
	r, err := readWebhook(text, c.Header)
	if err != nil {
		return err
	}
	d, _ := builtin.Dialects(builtin.Config{}).Get(c.Dialect)
	v, err := d.Verify(c.Secret, r)
	if err != nil {
		return usageError{fmt.Errorf("--secret: %w", err)}
	}
	out := judgement{Valid: v.Valid, ID: v.ID, Why: v.Why, Hint: v.Hint}
	if !v.SentAt.IsZero() {
		out.SentAt = &v.SentAt
	}
	if a, err := d.Parse(r); err == nil && v.Valid {
		out.Type = a.Type
	}
	if err := c.print(p.stdout, out); err != nil {
		return err
	}
	if !v.Valid {
		return errReported
	}
	return nil
}

func (c *verifyCommand) print(w io.Writer, v judgement) error {
	if c.JSON {
		return writeJSON(w, v)
	}
	var b strings.Builder
	if v.Valid {
		b.WriteString("valid")
	} else {
		b.WriteString("not valid: " + v.Why)
	}
	for _, part := range []struct{ name, value string }{{"hint", v.Hint}, {"id", v.ID}, {"event type", v.Type}} {
		if part.value != "" {
			fmt.Fprintf(&b, "\n%s: %s", part.name, part.value)
		}
	}
	if v.SentAt != nil {
		fmt.Fprintf(&b, "\nsent: %s", v.SentAt.Format(time.RFC3339))
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// maxInput bounds what is read from a file.
const maxInput = 16 << 20

// readInput reads a file or, by the name -, standard input.
func readInput(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxInput {
		return nil, fmt.Errorf("%s: is larger than 16 MiB", name)
	}
	return text, nil
}

// readWebhook makes a request of a file and of headers: the file is the body, or a whole
// request as it travelled.
func readWebhook(text []byte, headers []string) (dialect.Request, error) {
	r := dialect.Request{Header: http.Header{}, Body: text}
	if bytes.HasPrefix(text, []byte("POST ")) {
		in := bufio.NewReader(bytes.NewReader(text))
		lines := textproto.NewReader(in)
		if _, err := lines.ReadLine(); err != nil {
			return r, fmt.Errorf("read the request: %w", err)
		}
		header, err := lines.ReadMIMEHeader()
		if err != nil {
			return r, fmt.Errorf("read the request's headers: %w", err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			return r, fmt.Errorf("read the request's body: %w", err)
		}
		r = dialect.Request{Header: http.Header(header), Body: body}
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return r, nil
}

// instant is a point in time on the command line; the zero one is now.
type instant time.Time

// UnmarshalText reads RFC 3339 or Unix seconds.
func (i *instant) UnmarshalText(text []byte) error {
	if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		*i = instant(time.Unix(seconds, 0))
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return errors.New("must be a time such as 2027-03-04T09:00:00Z, or Unix seconds")
	}
	*i = instant(t)
	return nil
}

func (i instant) orNow() time.Time {
	if t := time.Time(i); !t.IsZero() {
		return t
	}
	return time.Now()
}
