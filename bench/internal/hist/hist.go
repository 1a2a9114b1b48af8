// Package hist is a small histogram of durations: fixed memory whatever the number of samples, less than 1 % error, and
// mergeable, so that the percentiles of several processes and rounds can be computed from all of their samples.
package hist

import (
	"encoding/json"
	"math"
	"math/bits"
	"time"
)

// A bucket's lower bound has 1+subBits significant bits: values below 2^subBits µs have a bucket each, above that every
// power of two is cut into 2^subBits buckets.
const (
	subBits = 7
	sub     = 1 << subBits
	buckets = (64 - subBits) * sub
)

// Histogram counts durations in µs. The zero value is empty and ready. It is not safe for concurrent use.
type Histogram struct {
	counts []uint64
	total  uint64
}

// Add counts one duration; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]uint64, buckets)
	}
	h.counts[bucket(uint64(max(d.Microseconds(), 0)))]++
	h.total++
}

// Merge adds all samples of other.
func (h *Histogram) Merge(other Histogram) {
	if other.total == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint64, buckets)
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Count is the number of samples.
func (h *Histogram) Count() uint64 { return h.total }

// Millis returns the p-quantile (0 < p ≤ 1) in milliseconds by the nearest-rank method, NaN without samples.
func (h *Histogram) Millis(p float64) float64 {
	if h.total == 0 {
		return math.NaN()
	}
	rank := max(uint64(math.Ceil(p*float64(h.total))), 1)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return float64(middle(i)) / 1000
		}
	}
	return math.NaN()
}

// bucket is the index of the bucket that holds a value.
func bucket(us uint64) int {
	if us < sub {
		return int(us)
	}
	exponent := bits.Len64(us) - 1 - subBits
	return (exponent+1)*sub + int(us>>exponent) - sub
}

// middle is the value that stands for a bucket: the middle of its range.
func middle(index int) uint64 {
	if index < sub {
		return uint64(index)
	}
	exponent := index/sub - 1
	low := uint64(index%sub+sub) << exponent
	return low + (uint64(1)<<exponent)/2
}

// MarshalJSON writes the buckets that are not empty, as {"bucket": count}.
func (h Histogram) MarshalJSON() ([]byte, error) {
	sparse := map[int]uint64{}
	for i, n := range h.counts {
		if n > 0 {
			sparse[i] = n
		}
	}
	return json.Marshal(sparse)
}

// UnmarshalJSON reads what MarshalJSON wrote; buckets out of range are dropped.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var sparse map[int]uint64
	if err := json.Unmarshal(data, &sparse); err != nil {
		return err
	}
	*h = Histogram{counts: make([]uint64, buckets)}
	for i, n := range sparse {
		if i >= 0 && i < buckets {
			h.counts[i] = n
			h.total += n
		}
	}
	return nil
}
