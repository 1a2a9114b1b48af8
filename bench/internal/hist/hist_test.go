package hist_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/hist"
)

// TestMillisAgainstSorting compares with the exact nearest-rank percentile over durations from 1 µs to minutes.
func TestMillisAgainstSorting(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var h, first hist.Histogram
	var exact []float64
	for i := range 20_000 {
		d := time.Duration(math.Exp(rng.Float64()*18)) * time.Microsecond
		exact = append(exact, float64(d.Microseconds())/1000)
		if i%2 == 0 {
			h.Add(d)
		} else {
			first.Add(d)
		}
	}
	h.Merge(first)
	slices.Sort(exact)
	for _, p := range []float64{0.0001, 0.5, 0.95, 0.99, 0.999, 1} {
		want := exact[int(math.Ceil(p*float64(len(exact))))-1]
		if got := h.Millis(p); math.Abs(got-want) > 0.01*want {
			t.Errorf("p%v = %v ms, want %v", p*100, got, want)
		}
	}
}

func TestEmptyAndNegative(t *testing.T) {
	t.Parallel()
	var h hist.Histogram
	if got := h.Millis(0.5); !math.IsNaN(got) {
		t.Errorf("empty: p50 = %v, want NaN", got)
	}
	h.Add(-time.Second)
	if got := h.Millis(1); got != 0 {
		t.Errorf("negative: p100 = %v, want 0", got)
	}
	h.Add(math.MaxInt64)
	if got := h.Count(); got != 2 {
		t.Errorf("Count = %d, want 2", got)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	var h, back hist.Histogram
	for i := range 1000 {
		h.Add(time.Duration(i*i) * time.Microsecond)
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back.Count() != 1000 || back.Millis(0.9) != h.Millis(0.9) {
		t.Errorf("after JSON: %d samples, p90 %v; want 1000, %v", back.Count(), back.Millis(0.9), h.Millis(0.9))
	}
	if err := json.Unmarshal([]byte(`{"-1":1,"99999999":1}`), &back); err != nil || back.Count() != 0 {
		t.Errorf("buckets out of range: %d samples, %v", back.Count(), err)
	}
}
