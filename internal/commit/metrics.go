package commit

import "github.com/prometheus/client_golang/prometheus"

// metrics are the committer's figures; labels would only be enums, so there are none.
type metrics struct {
	units   prometheus.Histogram
	seconds prometheus.Histogram
	failed  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		units: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "callboard_commit_units",
			Help:    "Units of work that shared a transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "callboard_commit_seconds",
			Help:    "Time of a transaction from its begin to its commit on disk.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "callboard_commit_failures_total",
			Help: "Transactions that were rolled back by an error of the store.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.units, m.seconds, m.failed)
	}
	return m
}
