package sink

import (
	"slices"
	"time"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/hist"
)

// Query names the slots that Report and Distinct look at, and the messages: sequence numbers From ≤ n < To.
type Query struct {
	Slots    []int
	From, To uint64
	Accepted string // file of the accepted messages (package accepted); without it nothing is reconciled
}

// Report is what arrived.
type Report struct {
	Delivered      uint64         // distinct (message, endpoint) seen
	Lost           uint64         // accepted by the service and not seen here, or seen under another id
	Repeated       uint64         // arrivals after the first under the same id
	Unacknowledged uint64         // seen here though the generator got no 2xx, such as after a time-out
	FirstArrival   int64          // Unix ns; 0 without arrivals
	LastArrival    int64          // Unix ns; 0 without arrivals
	Latency        hist.Histogram // from the stamp in the payload to the first arrival
	Verified       uint64         // signatures verified since the sink was started
	Faults         uint64         // requests with anything wrong since the sink was started
	Examples       []string       // the first few of these in words
}

// Distinct counts the distinct (message, endpoint) seen so far by the slots; it is cheap enough to poll.
func (s *Sink) Distinct(numbers []int) uint64 {
	var n uint64
	for _, number := range numbers {
		sl := s.slots[number]
		sl.mu.Lock()
		n += sl.distinct
		sl.mu.Unlock()
	}
	return n
}

// Report compares what arrived with what was accepted.
func (s *Sink) Report(q Query) (Report, error) {
	var known accepted.Table
	if q.Accepted != "" {
		var err error
		if known, err = accepted.Read(q.Accepted); err != nil {
			return Report{}, err
		}
	}
	r := Report{Verified: s.faults.verified.Load(), Faults: s.faults.count.Load()}
	s.faults.mu.Lock()
	r.Examples = slices.Clone(s.faults.examples)
	s.faults.mu.Unlock()
	for _, number := range q.Slots {
		s.slots[number].report(&r, q, known)
	}
	return r, nil
}

// report adds one slot's arrivals to r.
func (sl *slot) report(r *Report, q Query, known accepted.Table) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	// The first number from From on that belongs to this slot.
	start := q.From + (sl.residue+sl.stride-q.From%sl.stride)%sl.stride
	for seq := start; seq < q.To; seq += sl.stride {
		c := *sl.cell(seq / sl.stride)
		r.add(c)
		if q.Accepted == "" {
			continue
		}
		switch id := known.ID(seq); {
		case id != 0 && id != c.id && (c.id == 0 || !sl.reader.unnamed()):
			r.Lost++
		case id == 0 && c.id != 0:
			r.Unacknowledged++
		}
	}
}

func (r *Report) add(c cell) {
	if c.id == 0 {
		return
	}
	r.Delivered++
	r.Repeated += uint64(c.repeats)
	r.Latency.Add(time.Duration(c.latency) * time.Microsecond)
	r.LastArrival = max(r.LastArrival, c.arrived)
	if r.FirstArrival == 0 || c.arrived < r.FirstArrival {
		r.FirstArrival = c.arrived
	}
}
