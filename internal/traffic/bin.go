package traffic

import (
	"cmp"
	"math"
	"time"

	"github.com/callboard/callboard/internal/delivery"
)

// A bin is a class of status, success or not, and a bucket of latency. The numbers are
// stored:
//
//	bin = (class*2 + success) << bucketBits | bucket
//
// where class is the first digit of the status and 0 without an answer. Buckets are
// quarters of octaves: bucket 0 is below a millisecond, bucket i ends at 2^(i/4) ms, so that
// a percentile is never off by more than a fifth.
const (
	classes    = 6
	bucketBits = 7
	perOctave  = 4
	octaves    = 17 // up to 131 s, which is longer than any time-out
	buckets    = 1 + perOctave*octaves
)

// binOf is the bin of an attempt.
func binOf(a *delivery.Attempt) int {
	class := a.StatusCode / 100
	if class < 0 || class >= classes {
		class = 0 // no status that HTTP knows
	}
	bin := class * 2
	if a.Success {
		bin++
	}
	return bin<<bucketBits | bucketOf(a.Latency)
}

// bucketOf is the bucket of a latency.
func bucketOf(latency time.Duration) int {
	ms := float64(latency) / float64(time.Millisecond)
	if ms < 1 {
		return 0
	}
	return min(buckets-1, 1+int(perOctave*math.Log2(ms)))
}

// bucketEnd is where a bucket ends and the next one begins, in milliseconds.
func bucketEnd(bucket int) float64 { return math.Exp2(float64(bucket) / perOctave) }

// Class names of Tally.ByClass, in its order.
var classNames = [classes]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// Classes are the names of the classes of status, "none" for attempts that got no answer.
func Classes() []string { return append([]string(nil), classNames[:]...) }

// Tally sums up attempts.
type Tally struct {
	Success, Fail int64
	// ByClass are all attempts by class of status; see Classes.
	ByClass [classes]int64

	answered [buckets]int64 // attempts that got an answer, by latency
}

// add adds attempts of one bin.
func (t *Tally) add(bin int, n int64) {
	kind, bucket := bin>>bucketBits, bin&(1<<bucketBits-1)
	class := kind / 2
	if class >= classes || bucket >= buckets {
		return // of a later version
	}
	if kind%2 == 1 {
		t.Success += n
	} else {
		t.Fail += n
	}
	t.ByClass[class] += n
	if class > 0 {
		t.answered[bucket] += n
	}
}

// Latency are percentiles of how long receivers took to answer. They are estimates: exact
// to about a tenth, and never off by more than a fifth.
type Latency struct{ P50, P95, P99 time.Duration }

// Latency gives the percentiles over the attempts that got an answer; ok is false if there
// are none. How long it took to find out that nobody answers says nothing of a receiver
// that works, and would hide it.
func (t *Tally) Latency() (l Latency, ok bool) {
	total := int64(0)
	for _, n := range t.answered {
		total += n
	}
	if total == 0 {
		return Latency{}, false
	}
	return Latency{P50: t.percentile(0.50, total), P95: t.percentile(0.95, total), P99: t.percentile(0.99, total)}, true
}

// percentile finds the bucket in which the attempt of a rank is, and supposes that those in
// it lie evenly.
func (t *Tally) percentile(p float64, total int64) time.Duration {
	rank := p * float64(total)
	below := 0.0
	for bucket, n := range t.answered {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		begin := 0.0
		if bucket > 0 {
			begin = bucketEnd(bucket - 1)
		}
		ms := begin + (bucketEnd(bucket)-begin)*(rank-below)/float64(n)
		return time.Duration(ms * float64(time.Millisecond))
	}
	return time.Duration(bucketEnd(buckets-1) * float64(time.Millisecond))
}

func (at cell) compare(other cell) int {
	return cmp.Or(cmp.Compare(at.app, other.app), cmp.Compare(at.endpoint, other.endpoint), cmp.Compare(at.minute, other.minute))
}
