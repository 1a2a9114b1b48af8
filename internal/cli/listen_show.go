package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/callboard/callboard/wire"
)

// screen prints what `callboard listen` has to tell: webhooks to stdout, all else to
// stderr, so that a pipe gets nothing but webhooks. It is safe for concurrent use.
type screen struct {
	mu       sync.Mutex
	out, err io.Writer
	json     bool
	colours  bool
}

func newScreen(stdout, stderr io.Writer, asJSON bool) *screen {
	return &screen{out: stdout, err: stderr, json: asJSON, colours: isTerminal(stdout) && os.Getenv("NO_COLOR") == ""}
}

// note prints a line about listening itself.
func (s *screen) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.err, "%s  %s\n", clock(time.Now()), fmt.Sprintf(format, args...))
}

// begin tells what is listened to and the secret, which goes into the receiver's
// configuration.
func (s *screen) begin(l *listening, in *inboxOpened) {
	events := "all"
	if len(l.events) > 0 {
		events = strings.Join(l.events, ", ")
	}
	rows := [][2]string{
		{"app", l.app.called()},
		{"endpoint", l.endpointID() + " (" + l.uid + ")"},
		{"url", in.URL},
		{"dialect", l.dialect},
		{"events", events},
		{"secret", l.secrets.text},
	}
	if l.forward != nil {
		rows = append(rows, [2]string{"forward to", l.forward.target})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.err, "Listening at %s. Ctrl-C ends it.\n", l.api.server)
	for _, row := range rows {
		_, _ = fmt.Fprintf(s.err, "  %-10s  %s\n", row[0], row[1])
	}
	if in.Listeners > 1 {
		_, _ = fmt.Fprintf(s.err, "  Another one listens under this name: both hear everything, and the first to end disables the endpoint. --name tells them apart.\n")
	}
}

// arrived prints a webhook, before it is forwarded: that may take long.
func (s *screen) arrived(a *arrival) {
	if s.json {
		return // in handled, with the rest
	}
	mark := s.paint(green, "✓ verified")
	switch {
	case !a.Verified:
		mark = s.paint(red, "✗ "+printable(a.Problem))
	case a.Problem != "":
		mark += s.paint(red, ", but "+printable(a.Problem))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.out, "%s  %s  %s  %s\n%s\n", s.paint(dim, clock(a.ReceivedAt)),
		s.paint(bold, printable(cmp.Or(a.Type, "(no type)"))), printable(cmp.Or(a.Message, "(no id)")), mark, s.readable(a.body))
}

// handled prints what became of a webhook; result is nil if it was not forwarded.
func (s *screen) handled(a *arrival, result *forwarded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		_, _ = s.out.Write(line(a, result))
		return
	}
	if result == nil {
		return
	}
	took := result.Took.Round(time.Millisecond).Milliseconds()
	text := s.paint(red, fmt.Sprintf("→ failed after %d ms: %v", took, result.Err))
	if result.Err == nil {
		colour := red
		if result.Status/100 == 2 {
			colour = green
		}
		text = s.paint(colour, fmt.Sprintf("→ %d %s", result.Status, http.StatusText(result.Status))) + fmt.Sprintf(" in %d ms", took)
	}
	_, _ = fmt.Fprintf(s.out, "  %s\n", text)
}

// line is a webhook as one line of JSON.
func line(a *arrival, result *forwarded) []byte {
	type forward struct {
		Status     int    `json:"status,omitempty"`
		DurationMs int64  `json:"durationMs"`
		Error      string `json:"error,omitempty"`
	}
	out := struct {
		ReceivedAt time.Time       `json:"receivedAt"`
		EventType  string          `json:"eventType"`
		MessageID  string          `json:"messageId"`
		Verified   bool            `json:"verified"`
		Problem    string          `json:"problem,omitempty"`
		Headers    http.Header     `json:"headers"`
		Body       json.RawMessage `json:"body,omitempty"`
		BodyText   string          `json:"bodyText,omitempty"`
		BodyBase64 []byte          `json:"bodyBase64,omitempty"`
		Forwarded  *forward        `json:"forwarded,omitempty"`
	}{
		ReceivedAt: a.ReceivedAt, EventType: a.Type, MessageID: a.Message, Verified: a.Verified, Problem: a.Problem, Headers: a.Headers,
	}
	switch {
	case json.Valid(a.body):
		out.Body = a.body
	case a.BodyBase64 != nil:
		out.BodyBase64 = a.body
	default:
		out.BodyText = a.Body
	}
	if result != nil {
		out.Forwarded = &forward{Status: result.Status, DurationMs: result.Took.Milliseconds()}
		if result.Err != nil {
			out.Forwarded.Error = result.Err.Error()
		}
	}
	text, err := wire.MarshalValue(out)
	if err != nil { // texts, times and JSON that is valid always encode
		panic(err)
	}
	return append(text, '\n')
}

// clock is the time of day where the developer is.
func clock(at time.Time) string { return at.Local().Format(time.TimeOnly) }

// The colours, as terminals know them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s *screen) paint(colour, text string) string {
	if !s.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// maxShown is how much of a body is printed, in bytes. --json prints all.
const maxShown = 16 << 10

// readable is a body for people: JSON with a line for each member, two spaces in.
func (s *screen) readable(body []byte) string {
	if len(body) == 0 {
		return "  (no body)"
	}
	text := string(body)
	var indented bytes.Buffer
	isJSON := json.Indent(&indented, body, "  ", "  ") == nil
	if isJSON {
		text = indented.String()
	}
	rest := ""
	if len(text) > maxShown {
		rest = fmt.Sprintf("\n  … and %d bytes more; --json prints all", len(text)-maxShown)
		text = strings.ToValidUTF8(text[:maxShown], "")
	}
	text = printable(text)
	if isJSON && s.colours {
		text = s.highlight(text)
	}
	return "  " + text + rest
}

// jsonTokens finds what is coloured in indented JSON: strings, with the colon behind
// them if they are keys, and other values.
var jsonTokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*`) //nolint:gochecknoglobals // constant

func (s *screen) highlight(text string) string {
	return jsonTokens.ReplaceAllStringFunc(text, func(token string) string {
		key, isKey := strings.CutSuffix(token, ":")
		switch {
		case isKey:
			return s.paint(cyan, key) + ":"
		case token[0] == '"':
			return s.paint(green, token)
		}
		return s.paint(yellow, token)
	})
}

// printable replaces what could move a terminal's cursor or worse: webhooks are the
// words of strangers.
func printable(text string) string {
	if strings.IndexFunc(text, isUnprintable) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if isUnprintable(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isUnprintable(r rune) bool {
	turnsText := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 // the order of what is read
	return r != '\n' && r != '\t' && unicode.IsControl(r) || turnsText
}
