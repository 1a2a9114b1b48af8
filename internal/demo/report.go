package demo

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// report says what became of the messages.
type report struct {
	rows    []row
	total   row
	forged  int // requests whose signature was wrong
	samples []sample
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

// report reads the API's log and lays it beside what the receivers have seen.
func (s *stage) report(ctx context.Context) (*report, error) {
	r := &report{total: row{receiver: "total"}, samples: s.samples()}
	for i, t := range s.targets {
		attempts, err := s.api.attempts(ctx, s.app, t.endpoint)
		if err != nil {
			return nil, err
		}
		taken, repeated := s.ledger.takings(i)
		one := judge(s.ledger.hearings(t.speech.dialect, s.words), taken, attempts)
		one.receiver, one.dialect, one.verified = t.name, t.speech.dialect, int(t.verified.Load())
		one.duplicates = int(t.accepted.Load()) - len(taken) - repeated
		one.strays += repeated
		r.rows = append(r.rows, one)
		r.total.add(one)
		r.forged += int(t.forged.Load())
	}
	return r, nil
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

// judge makes a row of what one receiver should have, what it took, and the log of its endpoint.
func judge(expected []hearing, taken map[happening]taking, log []attempt) row {
	succeeded := map[string]bool{}
	for _, a := range log {
		succeeded[a.Message] = succeeded[a.Message] || a.Status == statusSuccess
	}
	r := row{expected: len(expected), attempts: len(log), strays: len(taken) + len(succeeded)}
	for _, h := range expected {
		success, logged := succeeded[h.message]
		if logged {
			r.strays--
		}
		took, arrived := taken[h.happening]
		if !arrived {
			continue
		}
		r.strays--
		r.delays = append(r.delays, took.at.Sub(h.begun))
		if success {
			r.delivered++
		}
	}
	return r
}

// verdict is nil if all arrived that should, and nothing else.
func (r *report) verdict() error {
	switch t := r.total; {
	case t.delivered != t.expected:
		return fmt.Errorf("%d of %d deliveries did not arrive", t.expected-t.delivered, t.expected)
	case t.strays > 0:
		return fmt.Errorf("%d arrivals or deliveries were not expected", t.strays)
	}
	return nil
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
	_, _ = fmt.Fprintln(out, "p50 and p99: from the POST to the API until the receiver has taken the message")
	if r.forged > 0 {
		_, _ = fmt.Fprintf(out, "%d requests had a wrong signature\n", r.forged)
	}
	printSamples(out, r.samples)
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
