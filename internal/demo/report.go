package demo

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// report says what became of the messages.
type report struct {
	rows      []row
	expected  int // deliveries: each message for each endpoint
	delivered int // taken by the receiver, and a success in the API's log
	forged    int // requests whose signature was wrong
}

// row is what one receiver had, or the total.
type row struct {
	receiver   string
	messages   int // that the API's log names
	deliveries int // that its receiver took and the log calls a success
	attempts   int // in the API's log
	verified   int // requests with a good signature, as the receiver counts
	retried    int // deliveries with more than one attempt
	p50, p99   time.Duration
}

// report reads the API's log and lays it beside what the receivers have seen.
func (s *stage) report(ctx context.Context) (*report, error) {
	r := &report{expected: s.ledger.count().posted * len(s.targets)}
	all := make([]time.Duration, 0, r.expected)
	seen := map[string]bool{}
	total := row{receiver: "total"}
	for i, t := range s.targets {
		attempts, err := s.api.attempts(ctx, s.app, t.endpoint)
		if err != nil {
			return nil, err
		}
		delays := s.ledger.delays(i)
		one := judge(attempts, delays)
		one.receiver, one.verified = t.name, int(t.verified.Load())
		r.rows = append(r.rows, one)
		r.forged += int(t.forged.Load())

		total.deliveries += one.deliveries
		total.attempts += one.attempts
		total.verified += one.verified
		total.retried += one.retried
		for _, a := range attempts {
			seen[a.Message] = true
		}
		all = slices.AppendSeq(all, maps.Values(delays))
	}
	total.messages = len(seen)
	total.p50, total.p99 = percentiles(all)
	r.rows = append(r.rows, total)
	r.delivered = total.deliveries
	return r, nil
}

// judge makes a row of the log of one endpoint and of when its receiver took which message.
func judge(attempts []attempt, delays map[string]time.Duration) row {
	tries, succeeded := map[string]int{}, map[string]bool{}
	for _, a := range attempts {
		tries[a.Message]++
		succeeded[a.Message] = succeeded[a.Message] || a.Status == statusSuccess
	}
	r := row{messages: len(tries), attempts: len(attempts)}
	for message, n := range tries {
		if _, taken := delays[message]; taken && succeeded[message] {
			r.deliveries++
		}
		if n > 1 {
			r.retried++
		}
	}
	r.p50, r.p99 = percentiles(slices.Collect(maps.Values(delays)))
	return r
}

// percentiles are those at 50 and 99, by nearest rank; zero without values.
func percentiles(values []time.Duration) (p50, p99 time.Duration) {
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	rank := func(p float64) time.Duration { return values[int(math.Ceil(p*float64(len(values))))-1] }
	return rank(0.50), rank(0.99)
}

// print writes the table and the verdict.
func (r *report) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "receiver      \tmessages\tdeliveries\tattempts\tverified\tretried\tp50\tp99\t")
	for _, row := range r.rows {
		_, _ = fmt.Fprintf(table, "%-14s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", row.receiver, row.messages, row.deliveries,
			row.attempts, row.verified, row.retried, milliseconds(row.p50), milliseconds(row.p99))
	}
	_ = table.Flush()
	_, _ = fmt.Fprintln(out, "p50 and p99: from the POST to the API until the receiver has taken the message")
	if r.forged > 0 {
		_, _ = fmt.Fprintf(out, "%d requests had a wrong signature\n", r.forged)
	}
	_, _ = fmt.Fprintf(out, "\nNext: without --once the demo stays, to look at; `callboard serve --allow-private` is a server of your own.\n\n")
	_, _ = fmt.Fprintf(out, "delivered %d of %d\n", r.delivered, r.expected)
}

// milliseconds writes a duration as the table has it, such as "4.2 ms" or "1250 ms".
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
