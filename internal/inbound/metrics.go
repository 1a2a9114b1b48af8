package inbound

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callboard/callboard/internal/web"
)

// outcome is what became of a request, as a metric's label.
type outcome string

// The outcomes.
const (
	accepted    outcome = "accepted"
	duplicate   outcome = "duplicate"   // its id came before
	refused     outcome = "refused"     // not proven
	unreadable  outcome = "unreadable"  // proven, and no webhook of the vendor's
	unknown     outcome = "unknown"     // there is no such source
	tooLarge    outcome = "too_large"   // over the limit
	brokenOff   outcome = "broken_off"  // the body did not come to its end
	unavailable outcome = "unavailable" // the store cannot take it now
	failed      outcome = "failed"      // our fault
	probed      outcome = "probed"      // a GET
	shaken      outcome = "handshake"   // the vendor's test of the address
)

// outcomeOf is the outcome of a request that ended with an error.
func outcomeOf(err error) outcome {
	switch web.Explain(err).Status {
	case http.StatusNotFound:
		return unknown
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusBadRequest:
		return brokenOff
	case http.StatusServiceUnavailable:
		return unavailable
	}
	return failed
}

type metrics struct{ requests *prometheus.CounterVec }

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "callboard_inbound_requests_total",
		Help: "Requests to sources by the source's dialect and what became of them; none is the dialect of a source that there is not.",
	}, []string{"dialect", "outcome"})}
	if reg != nil {
		reg.MustRegister(m.requests)
	}
	return m
}

// count counts a request. The dialect is that of a stored source, so one of a few.
func (m metrics) count(dialect string, o outcome) {
	if dialect == "" {
		dialect = "none"
	}
	m.requests.WithLabelValues(dialect, string(o)).Inc()
}
