package dispatch

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/callboard/callboard/internal/delivery"
)

// The outcomes of an attempt, as a metric's label and in the log.
const (
	outcomeDelivered = "delivered"
	outcomeRefused   = "refused" // an answer other than 2xx
	outcomeTimeout   = "timeout"
	outcomeFailed    = "failed" // no answer, or nothing to send
)

func outcomeOf(v delivery.Verdict, a delivery.Answer) string {
	switch {
	case v.Success:
		return outcomeDelivered
	case a.Timeout:
		return outcomeTimeout
	case a.Err != nil:
		return outcomeFailed
	}
	return outcomeRefused
}

type metrics struct {
	attempts *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, d *Dispatcher) metrics {
	m := metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "callboard_attempts_total",
			Help: "Attempts by outcome: delivered, refused, timeout, failed.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "callboard_attempt_seconds",
			Help:    "Time of an attempt from signing to the end of the answer.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}),
	}
	if reg == nil {
		return m
	}
	gauge := func(name, help string, read func() int) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			d.mu.Lock()
			defer d.mu.Unlock()
			return float64(read())
		}))
	}
	reg.MustRegister(m.attempts, m.seconds)
	gauge("callboard_dispatch_in_flight", "Requests under way.", func() int { return d.inFlight })
	gauge("callboard_dispatch_unrecorded", "Requests under way and results not yet on disk.", func() int { return d.pending })
	gauge("callboard_dispatch_lanes", "Endpoints with work in memory.", func() int { return len(d.lanes) })
	gauge("callboard_dispatch_lane_bytes", "Bytes of payloads in memory.", func() int { return d.bytes })
	gauge("callboard_dispatch_stalled", "1 while results cannot be recorded and sending is on hold.", func() int {
		if d.stalled {
			return 1
		}
		return 0
	})
	return m
}
