package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	barEvery   = 100 * time.Millisecond // on a terminal
	plainEvery = 5 * time.Second        // elsewhere
	barWidth   = 30
)

// progress shows how far long work is: one line that changes, on a terminal, or else a line every few seconds.
type progress struct {
	out      io.Writer
	terminal bool
	unit     string // what is counted

	began time.Time // when show was first called
	from  int64     // what was done then
	last  time.Time // when a line was written
	line  string    // how things stand, if it was not written yet
	drawn bool      // the terminal's last line is ours
	waits bool      // it was said that nothing goes on
}

func newProgress(out io.Writer, terminal bool) *progress {
	return &progress{out: out, terminal: terminal, unit: "rows"}
}

// show tells how many of how many are done; total is -1 while nobody knows.
func (p *progress) show(now time.Time, done, total int64) {
	if p.began.IsZero() {
		p.began, p.from, p.last = now, done, now
		if done > 0 {
			_, _ = fmt.Fprintf(p.out, "going on after %s\n", counted(done, p.unit))
		}
	}
	p.waits = false
	p.line = describe(now.Sub(p.began), p.from, done, total, p.unit)
	every := plainEvery
	if p.terminal {
		every = barEvery
	}
	if now.Sub(p.last) >= every || p.terminal && done == total {
		p.last = now
		p.write()
	}
}

func (p *progress) write() {
	if p.terminal {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K"+p.line)
		p.drawn = true
	} else {
		_, _ = fmt.Fprintln(p.out, p.line)
	}
	p.line = ""
}

// wait says why nothing goes on: on the line that changes, or else once, until something does.
func (p *progress) wait(why string) {
	held := p.line
	if p.terminal || !p.waits {
		p.line = why
		p.write()
	}
	p.waits, p.line, p.last = true, held, time.Time{}
}

// end leaves the last state on the screen.
func (p *progress) end() {
	if p.line != "" {
		p.write()
	}
	if p.drawn {
		_, _ = fmt.Fprintln(p.out)
	}
}

// note writes a line of its own, above the one that changes.
func (p *progress) note(text string) {
	if p.drawn {
		text = "\r\x1b[K" + text
		p.drawn, p.last = false, time.Time{} // to be drawn again at once
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// counted is a number with its unit, a plural.
func counted(n int64, unit string) string {
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// firstRate is how long work must have gone on for its speed to mean something.
const firstRate = time.Second

// describe writes the line; from is how much was done before the time that elapsed.
func describe(elapsed time.Duration, from, done, total int64, unit string) string {
	if total < 0 {
		return counted(done, unit)
	}
	share := 1.0
	if total > 0 {
		share = float64(done) / float64(total)
	}
	filled := min(barWidth, int(share*barWidth))
	line := fmt.Sprintf("[%s%s] %3.0f %%  %d of %s", strings.Repeat("#", filled), strings.Repeat("-", barWidth-filled), 100*share, done, counted(total, unit))
	if done == from || elapsed < firstRate {
		return line
	}
	rate := float64(done-from) / elapsed.Seconds()
	left := time.Duration(float64(total-done) / rate * float64(time.Second))
	return fmt.Sprintf("%s  %.0f %s/s  %s left", line, rate, unit, left.Round(time.Second))
}
