package dispatch_test

import (
	"testing"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// TestHearsThatALaneIsShut disables an endpoint elsewhere while its receiver hangs and rows wait in memory. They go back
// at once, in time for the task that ends what the endpoint was still to get.
func TestHearsThatALaneIsShut(t *testing.T) {
	g := &gossip{}
	inWorld(t, dispatch.Config{Watcher: g}, func(w *world) {
		app := w.app()
		ep := w.endpoint(app, host, hang)
		var sent []id.ID
		for range 30 {
			sent = append(sent, w.send(app))
		}
		w.settle()
		underWay := len(w.received(host))
		w.beside(func() { w.change(app, ep, func(e *delivery.Endpoint) { e.Disabled = true }) })
		g.hear(&store.News{Endpoints: []id.ID{ep}})
		w.settle()
		for _, m := range sent[underWay:] {
			w.wantState(m, ep, delivery.Failed, delivery.EndpointDisabled)
		}
		if n := len(w.received(host)); n != underWay || n == len(sent) {
			t.Errorf("%d of %d messages were sent, %d of them before the endpoint was disabled", n, len(sent), underWay)
		}
	})
}
