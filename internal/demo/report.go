package demo

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/callboard/callboard/internal/simulator"
)

// report says what became of the messages.
type report struct {
	rows    []row
	total   row
	forged  int // requests whose signature was wrong
	samples []sample

	showcases []*showcase // what Play shows, which counts apart

	day       *simulator.Day
	heard     *simulator.Account // what a receiver was told
	outcome   simulator.Outcome
	timeSpent simulator.Agreement // what a receiver was told, and the simulator's account
	shownUp   simulator.Agreement
	attended  simulator.Agreement // what the API's report of attendance says, and the account
}

// row is what one receiver had, or the total.
type row struct {
	receiver   string
	dialect    string
	expected   int // messages that its dialect has a word for
	delivered  int // of those, the ones that its receiver took and the API's log calls a success
	attempts   int // in the API's log
	verified   int // requests with a good signature, as the receiver counts
	duplicates int // requests with a message that the receiver had taken before
	strays     int // takings and logged messages that were not expected, or told of the same again
	delays     []time.Duration
}

// report reads the API's log and lays it beside what the receivers have seen, and the figures beside the simulator's.
func (s *stage) report(ctx context.Context, day *simulator.Day, outcome simulator.Outcome, all []messageOut) (*report, error) {
	r := &report{total: row{receiver: "total"}, samples: s.samples(all), day: day, outcome: outcome, heard: s.ledger.figures()}
	for i, t := range s.targets {
		attempts, err := s.api.attempts(ctx, s.app, t.endpoint)
		if err != nil {
			return nil, err
		}
		taken := s.ledger.takings(i)
		one := judge(s.words.hearings(t.speech.dialect, all), taken, attempts)
		one.receiver, one.dialect, one.verified = t.name, t.speech.dialect, int(t.verified.Load())
		one.duplicates = int(t.accepted.Load()) - amount(taken)
		r.rows = append(r.rows, one)
		r.total.add(one)
		r.forged += int(t.forged.Load())
	}
	attendance, err := day.Attendance(ctx, s.api.App(s.app))
	if err != nil {
		return nil, err
	}
	if err := s.inspect(ctx); err != nil {
		return nil, err
	}
	r.showcases = s.showcases
	r.timeSpent, r.shownUp, r.attended = day.Account.TimeSpent(r.heard), day.Account.ShownUp(r.heard), day.Account.Attendance(attendance)
	return r, nil
}

// amount is how many takings there are.
func amount(taken map[happening][]time.Time) (n int) {
	for _, times := range taken {
		n += len(times)
	}
	return n
}

func (r *row) add(one row) {
	r.expected += one.expected
	r.delivered += one.delivered
	r.attempts += one.attempts
	r.verified += one.verified
	r.duplicates += one.duplicates
	r.strays += one.strays
	r.delays = append(r.delays, one.delays...)
}

// told is what the messages that tell of one happening have in common: all of them, those that the log calls a success,
// and when they were committed.
type told struct {
	succeeded int
	begun     []time.Time
}

// judge makes a row of what one receiver should have, what it took, and the log of its endpoint. A delivery counts if
// both ends say so; of messages that tell of the same happening as many count as there are takings of it.
func judge(expected []hearing, taken map[happening][]time.Time, log []attempt) row {
	succeeded := map[string]bool{}
	for _, a := range log {
		succeeded[a.Message] = succeeded[a.Message] || a.Status == statusSuccess
	}
	r := row{expected: len(expected), attempts: len(log), strays: amount(taken) + len(succeeded)}
	happened := map[happening]*told{}
	for _, h := range expected {
		if happened[h.happening] == nil {
			happened[h.happening] = &told{}
		}
		group := happened[h.happening]
		group.begun = append(group.begun, h.begun)
		success, logged := succeeded[h.message]
		if logged {
			r.strays--
		}
		if success {
			group.succeeded++
		}
	}
	for what, group := range happened {
		took := slices.SortedFunc(slices.Values(taken[what]), time.Time.Compare)
		slices.SortFunc(group.begun, time.Time.Compare)
		arrived := min(len(took), len(group.begun))
		for i := range arrived {
			r.delays = append(r.delays, took[i].Sub(group.begun[i]))
		}
		r.strays -= arrived
		r.delivered += min(arrived, group.succeeded)
	}
	return r
}

// verdict is nil if all arrived that should, and nothing else, and if all figures agree.
func (r *report) verdict() error {
	switch t := r.total; {
	case t.delivered != t.expected:
		return fmt.Errorf("%d of %d deliveries did not arrive", t.expected-t.delivered, t.expected)
	case t.strays > 0:
		return fmt.Errorf("%d arrivals or deliveries were not expected", t.strays)
	case r.outcome.Refused > 0:
		return fmt.Errorf("%d activities were refused", r.outcome.Refused)
	}
	for _, c := range r.showcases {
		if c.shown == 0 || c.valid != c.shown {
			return fmt.Errorf("play: of %s %d of %d are verified", c.dialect, c.valid, c.shown)
		}
	}
	for _, a := range r.agreements() {
		if !a.Whole() {
			return fmt.Errorf("%s: %s", a.what, a)
		}
	}
	return nil
}

// agreement is one with its name.
type agreement struct {
	what string
	simulator.Agreement
}

func (r *report) agreements() []agreement {
	return []agreement{{"time spent", r.timeSpent}, {"who came", r.shownUp}, {"attendance", r.attended}}
}

// printFigures writes how the figures compare, and some of those that do not agree.
func (r *report) printFigures(out io.Writer) {
	_, _ = fmt.Fprintln(out)
	r.day.Table(out, r.heard)
	_, _ = fmt.Fprintf(out, "\n%s\n%s\n", r.day.Account.Figures(), r.outcome)
	for _, a := range r.agreements() {
		_, _ = fmt.Fprintf(out, "%s: %s\n", a.what, a)
		for _, difference := range a.Differ {
			_, _ = fmt.Fprintln(out, "  "+difference)
		}
	}
}

// percentiles are those at 50 and 99, by nearest rank; zero without values. The values are sorted in place.
func percentiles(values []time.Duration) (p50, p99 time.Duration) {
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	rank := func(p float64) time.Duration { return values[int(math.Ceil(p*float64(len(values))))-1] }
	return rank(0.50), rank(0.99)
}

// print writes the table, one message in each dialect, and the verdict.
func (r *report) print(out io.Writer) {
	_, _ = fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "%-8s\t%-12s\texpected\tdelivered\tattempts\tverified\tduplicates\tp50\tp99\t\n", "receiver", "dialect")
	for _, one := range append(slices.Clone(r.rows), r.total) {
		p50, p99 := percentiles(one.delays)
		_, _ = fmt.Fprintf(table, "%-8s\t%-12s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", one.receiver, one.dialect, one.expected,
			one.delivered, one.attempts, one.verified, one.duplicates, milliseconds(p50), milliseconds(p99))
	}
	_ = table.Flush()
	_, _ = fmt.Fprintln(out, "p50 and p99: from the commit of the message until the receiver has taken it")
	for _, c := range r.showcases {
		_, _ = fmt.Fprintf(out, "play: of %s the last %d are kept, %d are verified\n", c.dialect, c.shown, c.valid)
	}
	if r.forged > 0 {
		_, _ = fmt.Fprintf(out, "%d requests had a wrong signature\n", r.forged)
	}
	printSamples(out, r.samples)
	if r.day != nil {
		r.printFigures(out)
	}
	_, _ = fmt.Fprintf(out, "\nNext: without --once the demo stays, to look at. Your own server: callboard serve --allow-private\n\n")
	_, _ = fmt.Fprintf(out, "delivered %d of %d\n", r.total.delivered, r.total.expected)
}

// milliseconds writes a duration as the table has it, such as "4.2 ms" or "1250 ms".
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
