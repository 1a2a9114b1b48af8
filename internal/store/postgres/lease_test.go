package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

func key(message id.ID) delivery.Key { return delivery.Key{Message: message, Endpoint: 1} }

// TestHandedHoldsThePlaceBack expects the place from which handed rows are looked for
// to stay before all of them, whatever becomes of others.
func TestHandedHoldsThePlaceBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		act  func(*leases)
		want id.ID
	}{
		"under way":                      {func(*leases) {}, 10},
		"over":                           {func(l *leases) { l.end([]delivery.Key{key(10)}) }, 20},
		"all over":                       {func(l *leases) { l.end([]delivery.Key{key(10), key(20)}) }, 100},
		"dropped with its message":       {func(l *leases) { l.endRange(store.Range{From: 5, Until: 15}) }, 20},
		"another app's messages dropped": {func(l *leases) { l.endRange(store.Range{From: 5, Until: 15, App: 7}) }, 10},
		"in doubt":                       {func(l *leases) { l.doubt([]delivery.Delivery{{Key: key(10), Generation: 1}}) }, 10},
		"in doubt, then given by a claim": {func(l *leases) {
			l.doubt([]delivery.Delivery{{Key: key(10)}})
			l.sure([]delivery.Delivery{{Key: key(10)}})
		}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLeases()
			for _, k := range []delivery.Key{key(10), key(20)} {
				if !l.put(k) {
					t.Fatalf("%v is not handed", k)
				}
			}
			tt.act(&l)
			from, _ := l.advance(100)
			if from != tt.want {
				t.Errorf("looked for from %d on, want %d", from, tt.want)
			}
			if l.put(key(from - 1)) {
				t.Errorf("a delivery before %d is handed: nobody would find it", from)
			}
		})
	}
}

// TestDoubtSparesWhatIsThere expects a lease that was made again, by a repeated
// request, not to be given back for the doubt about the first.
func TestDoubtSparesWhatIsThere(t *testing.T) {
	t.Parallel()
	l := newLeases()
	lost := delivery.Delivery{Key: key(10), Generation: 1}
	l.put(lost.Key)
	l.doubt([]delivery.Delivery{lost})
	l.put(lost.Key)
	if keys, _ := l.doubts(); len(keys) != 0 {
		t.Errorf("doubts about %v, which is being inserted", keys)
	}
	l.end([]delivery.Key{lost.Key}) // that was rolled back
	keys, generations := l.doubts()
	if diff := cmp.Diff([]delivery.Key{lost.Key}, keys); diff != "" {
		t.Errorf("doubts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int32{1}, generations); diff != "" {
		t.Errorf("generations (-want +got):\n%s", diff)
	}
}

// TestRipeAreSorted expects rows to be locked in everybody's order.
func TestRipeAreSorted(t *testing.T) {
	t.Parallel()
	l := newLeases()
	want := []delivery.Key{key(10), key(20), key(30), key(40)}
	for _, at := range []int{2, 0, 3, 1} {
		l.put(want[at])
	}
	if _, ripe := l.advance(100); !cmp.Equal(want, ripe) {
		t.Errorf("ripe %v, want %v", ripe, want)
	}
}
