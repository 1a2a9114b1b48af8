package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/source"
)

// sourcesCommand is `callboard sources`.
type sourcesCommand struct {
	List   sourcesListCommand   `cmd:"" default:"withargs" help:"List the sources, and what came in at them lately."`
	Create sourcesCreateCommand `cmd:"" help:"Make a source, and print the URL to paste into the vendor's settings."`
	Show   sourcesShowCommand   `cmd:"" help:"Show what came in at a source, and what became of it."`
	Delete sourcesDeleteCommand `cmd:"" help:"Delete a source."`
}

// Help is the end of `callboard sources --help`.
func (sourcesCommand) Help() string {
	return `A source is where a vendor's webhooks come in: each is verified, becomes one message, and goes to the app's endpoints in
their own dialects.

Examples:

    callboard sources create --dialect zuddl --secret-file zuddl.secret --app acme
    callboard sources --app acme
    callboard sources show src_…`
}

// apiSource is a source as the API shows it.
type apiSource struct {
	ID                 string           `json:"id"`
	URL                string           `json:"url"`
	Dialect            string           `json:"dialect"`
	Description        string           `json:"description"`
	Channels           []string         `json:"channels"`
	CreatedAt          time.Time        `json:"createdAt"`
	HasSecret          bool             `json:"hasSecret"`
	HasToken           bool             `json:"hasToken"`
	TokenHeader        *string          `json:"tokenHeader"`
	Key                *string          `json:"key"`
	Unverified         bool             `json:"unverified"`
	Signature          *sourceSignature `json:"signature"`
	HasHandshakeSecret bool             `json:"hasHandshakeSecret"`
	OldAcceptedUntil   *time.Time       `json:"oldAcceptedUntil"`
	TypeHeader         *string          `json:"typeHeader"`
	TypeField          *string          `json:"typeField"`
	Warnings           []string         `json:"warnings,omitempty"`
}

// sourceSignature is how a vendor signs where that is not as its dialect has it.
type sourceSignature struct {
	Header   *string `json:"header,omitempty"`
	Encoding *string `json:"encoding,omitempty"`
	Prefix   *string `json:"prefix,omitempty"`
	Secret   *string `json:"secret,omitempty"`
}

// proof says in a few words what a source demands of a request.
func (s *apiSource) proof() string {
	var parts []string
	if s.HasSecret {
		parts = append(parts, "signature")
	}
	if s.Key != nil {
		parts = append(parts, "v1a signature")
	}
	if s.HasToken && s.TokenHeader != nil {
		parts = append(parts, "token in "+*s.TokenHeader)
	}
	if s.Unverified {
		parts = append(parts, "nothing (unverified)")
	}
	return strings.Join(parts, " and ")
}

// apiReceived is a request that came in at a source, as the API shows it. Body and BodyBase64 are
// not in lists.
type apiReceived struct {
	ID         string              `json:"id"`
	Status     string              `json:"status"`
	MessageID  *string             `json:"messageId"`
	Timestamp  time.Time           `json:"timestamp"`
	VendorID   *string             `json:"vendorId"`
	EventType  *string             `json:"eventType"`
	Headers    map[string][]string `json:"headers"`
	SizeBytes  int                 `json:"sizeBytes"`
	Verified   bool                `json:"verified"`
	Why        *string             `json:"why"`
	Hint       *string             `json:"hint"`
	Note       *string             `json:"note"`
	Body       *string             `json:"body,omitempty"`
	BodyBase64 []byte              `json:"bodyBase64,omitempty"`
}

// The statuses of received requests.
const (
	receivedAccepted   = "accepted"
	receivedRefused    = "refused"
	receivedUnreadable = "unreadable"
)

// maxPage is the most that a list of the API gives at once.
const maxPage = 250

// sourcePage is a page of a list.
type sourcePage[T any] struct {
	Data     []T     `json:"data"`
	Iterator *string `json:"iterator"`
	Done     bool    `json:"done"`
}

// appSources speaks to the sources of one app.
type appSources struct {
	api *apiClient
	app apiApp
}

// openSources makes a client from the flags and finds the app. It is closed with api.Close.
func (f *apiFlags) openSources(ctx context.Context, opts ...client.Option) (*appSources, error) {
	api, err := f.client(opts...)
	if err != nil {
		return nil, err
	}
	app, err := api.findApp(ctx, f.App)
	if err != nil {
		api.Close()
		return nil, err
	}
	return &appSources{api, app}, nil
}

// path is that of the app's sources, and of what is below them.
func (s *appSources) path(below ...string) string {
	parts := []string{"/app", url.PathEscape(s.app.ID), "source"}
	for _, part := range below {
		parts = append(parts, url.PathEscape(part))
	}
	return strings.Join(parts, "/")
}

// all lists the app's sources, oldest first.
func (s *appSources) all(ctx context.Context) (all []apiSource, err error) {
	return pages[apiSource](ctx, s.api, s.path()+fmt.Sprintf("?order=ascending&limit=%d", maxPage), 0)
}

// pages reads a list to its end, or until it has as many as asked for; 0 = all.
func pages[T any](ctx context.Context, api *apiClient, path string, most int) (all []T, err error) {
	for next := path; ; {
		var page sourcePage[T]
		if err := api.Do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Done || page.Iterator == nil || most > 0 && len(all) >= most {
			return all, nil
		}
		next = path + "&iterator=" + url.QueryEscape(*page.Iterator)
	}
}

// find reads the source that an argument names: by its id, or by its URL.
func (s *appSources) find(ctx context.Context, named string) (found apiSource, err error) {
	src, err := sourceID(named)
	if err != nil {
		return found, err
	}
	err = s.api.Do(ctx, http.MethodGet, s.path(src), nil, &found)
	return found, s.missing(err, "source")
}

// missing names what a 404 is about.
func (s *appSources) missing(err error, what string) error {
	if errors.Is(err, client.ErrNotFound) {
		return fmt.Errorf("app %s has no such %s; callboard sources lists what there is", s.app.called(), what)
	}
	return err
}

// sourceID is the id in an argument: that of a source, or the end of its URL.
func sourceID(named string) (string, error) {
	if at := strings.LastIndexByte(named, '/'); at >= 0 {
		named = named[at+1:]
	}
	if !strings.HasPrefix(named, id.Source.Prefix()) {
		return "", usageError{fmt.Errorf("SOURCE: must be a source's id, %s…, or its URL", id.Source.Prefix())}
	}
	return named, nil
}

// sourcesListCommand is `callboard sources list`.
type sourcesListCommand struct {
	JSON bool `name:"json" help:"As JSON."`

	apiFlags
}

// Help is the end of `callboard sources list --help`.
func (sourcesListCommand) Help() string {
	return `Of each source: its id and URL, its dialect, what it demands as a proof, and what became of what came in within 24 hours.
Of refused requests a sample is kept, so there may have been more.

Example:

    callboard sources list --app acme`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *sourcesListCommand) Validate() error { return c.check() }

// lately is what came in at a source in the last while, by outcome.
type lately struct {
	Since      time.Time `json:"since"`
	Accepted   int       `json:"accepted"`
	Refused    int       `json:"refused"`
	Unreadable int       `json:"unreadable"`
	More       bool      `json:"more"` // only the newest were counted
}

// latelyIs is how long ago lately begins.
const latelyIs = 24 * time.Hour

// String is for people.
func (l *lately) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		name string
	}{{l.Accepted, receivedAccepted}, {l.Refused, receivedRefused}, {l.Unreadable, receivedUnreadable}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.name))
		}
	}
	switch {
	case len(parts) == 0:
		return "nothing"
	case l.More:
		return "of the newest " + fmt.Sprint(l.Accepted+l.Refused+l.Unreadable) + ": " + strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ")
}

// lately counts what came in at a source.
func (s *appSources) lately(ctx context.Context, src string) (lately, error) {
	l := lately{Since: time.Now().Add(-latelyIs).UTC().Truncate(time.Second)}
	var page sourcePage[apiReceived]
	path := fmt.Sprintf("%s?limit=%d&after=%s", s.path(src, "received"), maxPage, l.Since.Format(time.RFC3339))
	if err := s.api.Do(ctx, http.MethodGet, path, nil, &page); err != nil {
		return l, err
	}
	l.More = !page.Done
	for _, r := range page.Data {
		switch r.Status {
		case receivedAccepted:
			l.Accepted++
		case receivedRefused:
			l.Refused++
		case receivedUnreadable:
			l.Unreadable++
		}
	}
	return l, nil
}

// listedSource is a source as --json shows it.
type listedSource struct {
	apiSource
	Proof  string `json:"proof"`
	Lately lately `json:"lately"`
}

// Run lists.
func (c *sourcesListCommand) Run(ctx context.Context, p *process) error {
	s, err := c.openSources(ctx)
	if err != nil {
		return err
	}
	defer s.api.Close()
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	listed := make([]listedSource, 0, len(all))
	for _, src := range all {
		l, err := s.lately(ctx, src.ID)
		if err != nil {
			return err
		}
		listed = append(listed, listedSource{src, src.proof(), l})
	}
	if c.JSON {
		return writeJSON(p.stdout, listed)
	}
	if len(listed) == 0 {
		_, err := fmt.Fprintf(p.stdout, "App %s has no sources; callboard sources create makes one\n", s.app.called())
		return err
	}
	return printSources(p.stdout, listed)
}

// printSources prints a block for each source.
func printSources(w io.Writer, listed []listedSource) error {
	var b strings.Builder
	for i, src := range listed {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(src.ID + "\n" + src.lines())
		fmt.Fprintf(&b, "  in 24 hours  %s\n", &src.Lately)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lines are what a source is, one below the other.
func (s *apiSource) lines() string {
	var b strings.Builder
	for _, line := range []struct{ name, value string }{
		{"url", s.URL},
		{"dialect", s.Dialect},
		{"proof", s.proof()},
		{"description", printable(s.Description)},
		{"channels", strings.Join(s.Channels, ", ")},
		{"warning", strings.Join(s.Warnings, "; ")},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "  %-11s  %s\n", line.name, line.value)
		}
	}
	return b.String()
}

// sourcesCreateCommand is `callboard sources create`.
type sourcesCreateCommand struct {
	Dialect     string   `required:"" placeholder:"NAME" help:"Who sends: zuddl, sessionboard, oration, iotum, native, standard (any sender of Standard Webhooks) or raw (any JSON)."`
	Description string   `placeholder:"TEXT" help:"For people."`
	Channel     []string `placeholder:"NAME" help:"A channel of every message that comes in here; may be given several times."`

	sourceProofs
	TokenHeader     string      `placeholder:"NAME" help:"The header that holds the token. Default for iotum: x-signing-token."`
	Key             string      `placeholder:"KEY" help:"The public key, whpk_…, of a vendor who signs as Standard Webhooks says with v1a."`
	Unverified      bool        `help:"Demand no proof: whoever knows the URL can send."`
	Signature       string      `placeholder:"JSON" help:"How the vendor signs where that is not as the dialect has it, such as {\"encoding\": \"base64\", \"prefix\": \"\"}: what a refused request's hint says."`
	HandshakeSecret bearerToken `env:"CALLBOARD_HANDSHAKE_SECRET" placeholder:"SECRET" help:"Answers the vendor's test of the URL, endpoint.url_validation."`
	TypeHeader      string      `placeholder:"NAME" help:"Dialect raw: the header that holds the event type."`
	TypeField       string      `placeholder:"PATH" help:"Dialect raw: the path of the body's member that holds the event type, such as event.type."`
	JSON            bool        `name:"json" help:"As JSON."`

	apiFlags `set:"tokenof=the org's"`
}

// Help is the end of `callboard sources create --help`.
func (sourcesCreateCommand) Help() string {
	return `Say what proves that a request is the vendor's: a secret that it signs with, a token that it sends along, both, a key, or
that there is no proof. Neither is ever shown again.

Examples:

    callboard sources create --dialect zuddl --secret-file zuddl.secret --app acme
    callboard sources create --dialect sessionboard --vendor-token-file token --token-header x-callboard-token
    callboard sources create --dialect iotum --vendor-token-file iotum.token --channel calls
    callboard sources create --dialect raw --unverified --type-field event.type`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *sourcesCreateCommand) Validate() error {
	if c.Signature != "" {
		var object map[string]any
		if decodeJSON([]byte(c.Signature), &object) != nil || object == nil {
			return errors.New(`--signature: must be a JSON object such as {"encoding": "base64"}`)
		}
	}
	return errors.Join(c.checkProofs(), c.check())
}

// body is the source as the API takes it.
func (c *sourcesCreateCommand) body() (map[string]any, error) {
	secret, token, err := c.read()
	if err != nil {
		return nil, err
	}
	body := map[string]any{"dialect": c.Dialect}
	for name, text := range map[string]string{
		"description": c.Description, "secret": secret, "token": token, "tokenHeader": c.TokenHeader, "key": c.Key,
		"handshakeSecret": c.HandshakeSecret.text, "typeHeader": c.TypeHeader, "typeField": c.TypeField,
	} {
		if text != "" {
			body[name] = text
		}
	}
	if len(c.Channel) > 0 {
		body["channels"] = c.Channel
	}
	if c.Unverified {
		body["unverified"] = true
	}
	if c.Signature != "" {
		body["signature"] = json.RawMessage(c.Signature)
	}
	return body, nil
}

// Run creates.
func (c *sourcesCreateCommand) Run(ctx context.Context, p *process) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	s, err := c.openSources(ctx)
	if err != nil {
		return err
	}
	defer s.api.Close()
	var made apiSource
	if err := s.api.Do(ctx, http.MethodPost, s.path(), body, &made); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p.stdout, made)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n%s\nPaste the URL into the vendor's settings.\n", made.ID, made.lines())
	return err
}

// sourcesShowCommand is `callboard sources show`.
type sourcesShowCommand struct {
	Source   string `arg:"" help:"The source's id or URL."`
	Received string `arg:"" optional:"" help:"The id of one request that came in: show all of it."`
	Status   string `placeholder:"STATUS" help:"Only these, such as refused,unreadable."`
	Limit    int    `default:"20" placeholder:"N" help:"How many of the newest, 1 to 250. Default ${default}."`
	JSON     bool   `name:"json" help:"As JSON."`

	apiFlags
}

// Help is the end of `callboard sources show --help`.
func (sourcesShowCommand) Help() string {
	return `What came in, newest first: when, which event type, the message that it became, or why it was refused and what would
have made it valid. With the id of a request its headers and body, too. Credentials are masked.

Examples:

    callboard sources show src_… --status refused
    callboard sources show src_… rcv_…`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *sourcesShowCommand) Validate() error {
	if c.Limit < 1 || c.Limit > maxPage {
		return fmt.Errorf("--limit: must be 1 to %d", maxPage)
	}
	if c.Status != "" {
		if err := checkStatuses(c.Status); err != nil {
			return err
		}
	}
	return c.check()
}

// checkStatuses refuses a list with a word that is no status.
func checkStatuses(list string) error {
	for status := range strings.SplitSeq(list, ",") {
		switch status {
		case receivedAccepted, receivedRefused, receivedUnreadable:
		default:
			return errors.New("--status: must be one or more of accepted, refused, unreadable, with commas between them")
		}
	}
	return nil
}

// Run shows.
func (c *sourcesShowCommand) Run(ctx context.Context, p *process) error {
	s, err := c.openSources(ctx)
	if err != nil {
		return err
	}
	defer s.api.Close()
	src, err := s.find(ctx, c.Source)
	if err != nil {
		return err
	}
	if c.Received != "" {
		return c.one(ctx, p.stdout, s, src.ID)
	}
	query := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	if c.Status != "" {
		query.Set("status", c.Status)
	}
	rows, err := pages[apiReceived](ctx, s.api, s.path(src.ID, "received")+"?"+query.Encode(), c.Limit)
	if err != nil {
		return err
	}
	rows = rows[:min(len(rows), c.Limit)]
	if c.JSON {
		return writeJSON(p.stdout, struct {
			Source   apiSource     `json:"source"`
			Received []apiReceived `json:"received"`
		}{src, append([]apiReceived{}, rows...)})
	}
	if _, err := io.WriteString(p.stdout, src.ID+"\n"+src.lines()+"\n"); err != nil {
		return err
	}
	return printReceived(p.stdout, rows)
}

// printReceived prints a line for each request, and below it what is to say of it.
func printReceived(w io.Writer, rows []apiReceived) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "Nothing has come in")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Timestamp.UTC().Format("2006-01-02 15:04:05"), r.Status, or(r.EventType, "–"), r.became())
		for _, line := range r.remarks() {
			fmt.Fprintf(table, "  %s\n", line)
		}
	}
	return table.Flush()
}

// became names the message of a request, else the request.
func (r *apiReceived) became() string {
	if r.MessageID != nil {
		return r.ID + " → " + *r.MessageID
	}
	return r.ID
}

// remarks are what is to say of a request.
func (r *apiReceived) remarks() (lines []string) {
	for _, part := range []struct {
		name string
		text *string
	}{{"why", r.Why}, {"hint", r.Hint}, {"note", r.Note}} {
		if part.text != nil {
			lines = append(lines, part.name+": "+strings.ReplaceAll(printable(*part.text), "\n", " "))
		}
	}
	return lines
}

// or is a text, or what stands for none.
func or(text *string, none string) string {
	if text == nil {
		return none
	}
	return printable(*text)
}

// one shows one request with its headers and its body.
func (c *sourcesShowCommand) one(ctx context.Context, w io.Writer, s *appSources, src string) error {
	var r apiReceived
	if err := s.api.Do(ctx, http.MethodGet, s.path(src, "received", c.Received), nil, &r); err != nil {
		return s.missing(err, "received request")
	}
	if c.JSON {
		return writeJSON(w, r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", r.ID, r.Status, r.Timestamp.UTC().Format(time.RFC3339))
	for _, part := range []struct {
		name string
		text *string
	}{{"message", r.MessageID}, {"event type", r.EventType}, {"vendor's id", r.VendorID}} {
		if part.text != nil {
			fmt.Fprintf(&b, "%s: %s\n", part.name, printable(*part.text))
		}
	}
	for _, line := range r.remarks() {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n" + headerLines(r.Headers) + "\n")
	switch {
	case r.Body != nil:
		b.WriteString(printable(*r.Body) + "\n")
	case r.BodyBase64 != nil:
		fmt.Fprintf(&b, "(%d bytes that are no text; --json has them in base64)\n", r.SizeBytes)
	default:
		fmt.Fprintf(&b, "(the body of %d bytes is not kept)\n", r.SizeBytes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// headerLines are headers as they travel, sorted.
func headerLines(headers map[string][]string) string {
	var b strings.Builder
	for _, name := range sortedKeys(headers) {
		for _, value := range headers[name] {
			fmt.Fprintf(&b, "%s: %s\n", printable(name), printable(value))
		}
	}
	return b.String()
}

// sourcesDeleteCommand is `callboard sources delete`.
type sourcesDeleteCommand struct {
	Source string `arg:"" help:"The source's id or URL."`

	apiFlags `set:"tokenof=the org's"`
}

// Help is the end of `callboard sources delete --help`.
func (sourcesDeleteCommand) Help() string {
	return `Its URL answers 404 from then on. It asks nothing. The messages stay.

Example:

    callboard sources delete src_…`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *sourcesDeleteCommand) Validate() error { return c.check() }

// Run deletes.
func (c *sourcesDeleteCommand) Run(ctx context.Context, p *process) error {
	src, err := sourceID(c.Source)
	if err != nil {
		return err
	}
	s, err := c.openSources(ctx)
	if err != nil {
		return err
	}
	defer s.api.Close()
	if err := s.api.Do(ctx, http.MethodDelete, s.path(src), nil, nil); err != nil {
		return s.missing(err, "source")
	}
	_, err = fmt.Fprintf(p.stdout, "%s  deleted\n", src)
	return err
}

// isMasked reports whether a header's value was not kept.
func isMasked(value string) bool { return value == source.Masked }
