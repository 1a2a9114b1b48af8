package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/id"
	"pgregory.net/rapid"
)

// behaviour is how a random endpoint takes its webhooks.
type behaviour struct {
	kind string
	slow time.Duration // of "slow"
	rate int           // of "throttled", per second
}

var behaviours = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) behaviour {
	return behaviour{
		kind: rapid.SampledFrom([]string{"fast", "slow", "hanging", "failing", "throttled"}).Draw(t, "kind"),
		slow: time.Duration(rapid.IntRange(10, 3000).Draw(t, "slow")) * time.Millisecond,
		rate: rapid.IntRange(1, 50).Draw(t, "rate"),
	}
}), 1, 12)

// TestLanesAreFair sends messages to a random mix of endpoints. Whatever the
// others do, a fast endpoint gets each message at once, a throttled one gets its
// rate and no more, a slow one everything in the end.
func TestLanesAreFair(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mix := append(behaviours.Draw(rt, "mix"), behaviour{kind: "fast"})
		count := rapid.IntRange(1, 60).Draw(rt, "messages")
		gap := time.Duration(rapid.IntRange(0, 200).Draw(rt, "gap")) * time.Millisecond
		// Fewer places than the lanes could take together, so that they must share.
		config := dispatch.Config{MaxInFlight: 8 * len(mix), LaneStart: 16, LaneMax: 32, LaneRows: 64}
		inWorld(t, config, func(w *world) {
			app := w.app()
			for i, b := range mix {
				w.endpoint(app, hostOf(i), b.receiver(), func(e *delivery.Endpoint) {
					if b.kind == "throttled" {
						e.ThrottleRate = b.rate
					}
				})
			}
			w.send(app) // loads the endpoints, their throttles among them
			w.settle()
			sent := map[string]time.Time{}
			for range count {
				m := w.send(app)
				sent[w.codec.Encode(id.Message, m)] = time.Now()
				w.pass(gap)
			}
			w.pass(5 * time.Minute)
			for i, b := range mix {
				b.check(rt, hostOf(i), w.received(hostOf(i))[1:], sent)
			}
		})
	})
}

func hostOf(i int) string { return fmt.Sprintf("h%d.example.com", i) }

func (b behaviour) receiver() receiver {
	switch b.kind {
	case "slow":
		return after(b.slow)
	case "hanging":
		return hang
	case "failing":
		return always(503)
	}
	return always(200)
}

// check says what each kind of endpoint is promised. The first message, which
// loaded the endpoint, is left out.
func (b behaviour) check(t *rapid.T, host string, got []post, sent map[string]time.Time) {
	arrived := map[string]int{}
	for _, p := range got {
		if _, ok := sent[p.msg]; ok {
			arrived[p.msg]++
		}
	}
	switch b.kind {
	case "fast", "slow", "throttled":
		for m := range sent {
			if arrived[m] != 1 {
				t.Fatalf("%s endpoint %s got message %s %d times, want once", b.kind, host, m, arrived[m])
			}
		}
	}
	for i, p := range got {
		at, ok := sent[p.msg]
		if !ok {
			continue
		}
		switch b.kind {
		case "fast":
			if late := p.at.Sub(at); late > 5*time.Millisecond {
				t.Fatalf("fast endpoint %s got a message %v after it was sent", host, late)
			}
		case "throttled":
			// At most a full bucket and what came since, in any second.
			if j := i - 2*b.rate - 1; j >= 0 && p.at.Sub(got[j].at) < time.Second {
				t.Fatalf("throttled endpoint %s got more than %d requests within a second", host, 2*b.rate)
			}
		}
	}
}
