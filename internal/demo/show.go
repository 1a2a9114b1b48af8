package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// plainEvery is how often progress is a new line where lines cannot be rewritten.
const plainEvery = time.Second

// progress shows one line that changes, on a terminal, or else a line now and then. It is safe for concurrent use.
type progress struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex
	last time.Time // when a plain line was written
	line string    // what it said
}

func newProgress(out io.Writer, terminal bool) *progress {
	return &progress{out: out, terminal: terminal, last: time.Now()}
}

func (p *progress) update(now time.Time, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal:
		_, _ = fmt.Fprint(p.out, "\r\x1b[K"+line)
	case now.Sub(p.last) >= plainEvery:
		p.last, p.line = now, line
		_, _ = fmt.Fprintln(p.out, line)
	}
}

// note writes a line that stays.
func (p *progress) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		line = "\r\x1b[K" + line
	}
	_, _ = fmt.Fprintln(p.out, line)
}

// end leaves the last state on the screen.
func (p *progress) end(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.terminal:
		_, _ = fmt.Fprintln(p.out, "\r\x1b[K"+line)
	case p.line != line:
		_, _ = fmt.Fprintln(p.out, line)
	}
}

// line says how far things are: what time it is on the day and how much of it was told, how many people are in sessions,
// and what each receiver has taken. It fits into 100 columns.
func (s *stage) line() string {
	var line strings.Builder
	if state := s.state.Load(); state != nil && state.Of > 0 {
		fmt.Fprintf(&line, "%s %d%% %s in:", state.At.Format("15:04"), 100*state.Told/state.Of, short(state.Present))
	} else {
		line.WriteString("doors closed:")
	}
	taken := s.ledger.count()
	for i, t := range s.targets {
		fmt.Fprintf(&line, " %s %s", t.name, short(taken[i]))
	}
	return line.String()
}

// short writes a count in four characters, up to ten million.
func short(n int) string {
	switch {
	case n < 10_000:
		return strconv.Itoa(n)
	case n < 1_000_000:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.Itoa(n/1_000_000) + "M"
}

// introduce says what runs and, if it stays, what to try.
func (s *stage) introduce() {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(s.cfg.Out, format+"\n", args...) }
	say("Callboard runs on %s with a temporary database and %d event types.", s.server.URL(), s.words.eventTypes())
	say("Each message goes to the receivers whose dialect has a word for it:")
	say("")
	say("  receiver  dialect       event types")
	for _, t := range s.targets {
		say("  %-8s  %-12s  %11d  %s  %s", t.name, t.speech.dialect, len(s.words[t.speech.dialect]), t.url(), t.does)
	}
	say("")
	say("Look at them as they come, each with its signature verified:")
	say("")
	for _, c := range s.showcases {
		say("  %-12s  %s", c.dialect, s.page(c))
	}
	say("")
	if !s.cfg.Once {
		s.suggest(say)
	}
	say("A day of %d attendees in %s: its clock, how much was told, who is in a session, and what each receiver took:",
		s.cfg.Attendees, s.cfg.Length)
}

// suggest says what to try.
func (s *stage) suggest(say func(format string, args ...any)) {
	say("Open   %s", s.link)
	say(`       (signs you in once, within 15 minutes)
Then   %[1]s/app/%[7]s/live/event/%[6]s?asOf=latest
       (the day as far as it was told: who is in which session)
Read   %[1]s/docs
Watch  %[1]s/metrics

Try, in another terminal:

callboard events --matrix
export CALLBOARD_TOKEN="%[2]s"
callboard trigger session.joined --server %[1]s
callboard listen --server %[1]s

export AUTH="Authorization: Bearer $CALLBOARD_TOKEN"
curl -H "$AUTH" "%[3]s/app/%[4]s/endpoint"
curl -H "$AUTH" "%[3]s/app/%[4]s/event/%[6]s/attendance" -H "Accept: text/csv"
curl -H "$AUTH" "%[3]s/app/%[4]s/conference"
curl -H "$AUTH" "%[3]s/app/%[4]s/msg?limit=3"
curl -H "$AUTH" "%[3]s/app/%[4]s/attempt/endpoint/%[5]s?limit=3"
curl -H "$AUTH" "%[3]s/app/%[4]s/msg" --json '{"eventType":"greeting.sent","payload":{"text":"hello"}}'

Ctrl-C ends the demo.
`, s.server.URL(), s.token, s.server.URL()+"/api/v1", appUID, s.targets[1].endpoint, eventName(0), s.app)
}
