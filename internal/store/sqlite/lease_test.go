package sqlite

import (
	"testing"

	"github.com/callboard/callboard/internal/delivery"
)

// TestClaimMeetsTransaction puts the steps of a claim and of a transaction that
// requeues the same delivery into every order that matters. The claim's snapshot
// shows the row as it was before the commit or as it was after.
func TestClaimMeetsTransaction(t *testing.T) {
	t.Parallel()
	key := delivery.Key{Message: 1, Endpoint: 9}
	before := delivery.Delivery{Key: key, State: delivery.Pending, Generation: 4}
	after := delivery.Delivery{Key: key, State: delivery.Pending, Generation: 5} // the requeue raised it
	const (
		begin  = iota // the claim announces itself
		settle        // it leases what it read
		take          // the transaction writes the row
		end           // it has committed
		undo          // or was rolled back
	)
	for name, test := range map[string]struct {
		order []int
		read  delivery.Delivery // what the claim's snapshot shows
		leads bool              // the claim gets the row
		holds int               // generation of the lease in the end; 0 = none
		more  bool              // the claim says that rows may be left
	}{
		"the claim comes first":                       {[]int{begin, settle, take, end}, before, true, 0, false},
		"the claim settles while the row is taken":    {[]int{begin, take, settle, end}, before, false, 0, true},
		"it does, and sees the commit already":        {[]int{begin, take, settle, end}, after, false, 0, true},
		"it began in between, and sees the commit":    {[]int{take, begin, settle, end}, after, false, 0, true},
		"the commit ends while the claim reads":       {[]int{begin, take, end, settle}, before, false, 0, true},
		"the commit ends while the claim reads, seen": {[]int{begin, take, end, settle}, after, false, 0, true},
		"the transaction was under way, ends, settle": {[]int{take, begin, end, settle}, before, false, 0, true},
		"the claim begins after the end":              {[]int{take, end, begin, settle}, after, true, 6, false},
		"the transaction is rolled back meanwhile":    {[]int{begin, take, undo, settle}, before, true, 5, false},
		"it is rolled back after the claim":           {[]int{begin, settle, take, undo}, before, true, 5, false},
		"it is rolled back after the claim gave up":   {[]int{begin, take, settle, undo}, before, false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLeases()
			var c *claim
			var rows []delivery.Delivery
			var more bool
			for _, step := range test.order {
				switch step {
				case begin:
					c = l.begin()
				case settle:
					rows, more = l.settle(c, []delivery.Delivery{test.read}, 1)
					l.finish(c)
				case take:
					l.take(key)
				case end:
					l.end([]delivery.Key{key})
				case undo:
					l.undo(nil, []delivery.Key{key})
				}
			}
			if got := len(rows) == 1; got != test.leads {
				t.Errorf("the claim got the row: %v, want %v", got, test.leads)
			}
			if more != test.more {
				t.Errorf("more rows may be left: %v, want %v", more, test.more)
			}
			if got := l.generation(key); got != test.holds {
				t.Errorf("the row is leased under %d, want %d", got, test.holds)
			}
			if held := len(l.held); held != min(1, test.holds) || len(l.claims) != 0 {
				t.Errorf("%d leases and %d claims are left", held, len(l.claims))
			}
			if got := l.count(key.Endpoint); got != len(l.held) {
				t.Errorf("%d leases are counted, %d are there", got, len(l.held))
			}
		})
	}
}

// TestGiveBackMeetsTransaction: a lease that is given back while a transaction
// changes its row must not make the row free before that has ended.
func TestGiveBackMeetsTransaction(t *testing.T) {
	t.Parallel()
	d := delivery.Delivery{Key: delivery.Key{Message: 1, Endpoint: 9}, State: delivery.Leased, Generation: 5}
	seen := delivery.Delivery{Key: d.Key, State: delivery.Pending, Generation: 5} // the requeue is committed
	for name, finish := range map[string]func(*leases){
		"committed":   func(l *leases) { l.end([]delivery.Key{d.Key}) },
		"rolled back": func(l *leases) { l.undo(nil, []delivery.Key{d.Key}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLeases()
			l.put(&d, false)
			l.take(d.Key)
			l.giveBack([]delivery.Delivery{d})
			c := l.begin()
			if rows, more := l.settle(c, []delivery.Delivery{seen}, 1); len(rows) != 0 || !more {
				t.Errorf("a claim got %d rows (more: %v) of a transaction that has not ended", len(rows), more)
			}
			l.finish(c)
			finish(l)
			if len(l.held) != 0 || len(l.counts) != 0 {
				t.Errorf("left over: %v, %v", l.held, l.counts)
			}
		})
	}
}
