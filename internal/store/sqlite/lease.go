package sqlite

import (
	"sync"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// leases is the set of deliveries that this process holds. It lives in memory
// only: one process has the file open, so a restart ends every lease, and the
// rows, which are stored as pending throughout, are simply due again.
//
// A lease has a generation, one above the row's stored one. Claims read rows on
// a connection of their own while transactions change them, so a claim may look
// at rows as they were a moment ago. Three rules keep a delivery from being held
// twice, or held under a generation that was used before:
//
//  1. What is inserted as leased is in the set before its transaction commits;
//     whoever can see the row finds it leased.
//  2. A transaction takes each key that it changes until its end (take, end): no
//     claim can lease such a key between the commit and the moment when this set
//     follows. If the key was leased that lease ends with the transaction.
//  3. A claim announces itself before its snapshot begins (begin). Keys whose
//     transaction ends while it runs are noted for it, and it leaves them to the
//     next claim, because its snapshot may show them as they were (settle).
//
// So a claim either saw the state after the last change of a row, or the change
// has not ended and the row is taken, or the row is noted. A claim that leases a
// row just before a transaction takes it counts as the earlier of the two: the
// transaction ends the lease, and the result is recorded as an attempt only.
//
// A lease is fresh while its row is stored as leased (handoff.go). Claims do not
// come across such rows.
type leases struct {
	mu       sync.Mutex
	held     map[delivery.Key]lease
	counts   map[id.ID]int // of held that are not fresh, by endpoint
	claims   map[*claim]struct{}
	returned []delivery.Key // fresh ones that were given back, to be written
}

// lease is one entry of the set. Generation 0 means that nobody holds the
// delivery, but a transaction has taken it.
type lease struct {
	generation int
	app        id.ID
	taken      bool // by a transaction; claims and GiveBack leave it alone
	fresh      bool // the row is stored as leased
}

// claim is a claim under way.
type claim struct {
	touched map[delivery.Key]struct{} // changed since it began
}

func newLeases() *leases {
	return &leases{held: map[delivery.Key]lease{}, counts: map[id.ID]int{}, claims: map[*claim]struct{}{}}
}

// put leases a delivery that is being inserted; see rule 1.
func (l *leases) put(d *delivery.Delivery, fresh bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(d.Key, lease{generation: d.Generation, app: d.App, fresh: fresh})
}

// take marks a key as being changed by a transaction; see rule 2.
func (l *leases) take(k delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := l.held[k]
	entry.taken = true
	l.set(k, entry)
}

// takeHeld takes a key that is leased under a generation; it reports false, and
// changes nothing, if the key is not.
func (l *leases) takeHeld(k delivery.Key, generation int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, held := l.held[k]
	if !held || entry.generation == 0 || entry.generation != generation {
		return false
	}
	entry.taken = true
	l.held[k] = entry
	return true
}

// generation tells under which generation a key is leased, 0 if it is not.
func (l *leases) generation(k delivery.Key) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held[k].generation
}

// takeRange marks the leased keys of a range of messages and returns them.
func (l *leases) takeRange(r store.Range) []delivery.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []delivery.Key
	for k, entry := range l.held {
		if k.Message >= r.From && k.Message < r.Until && (r.App == 0 || r.App == entry.app) {
			entry.taken = true
			l.held[k] = entry
			keys = append(keys, k)
		}
	}
	return keys
}

// end follows a commit: the keys that the transaction took are free, and claims
// under way must not trust what they read of them.
func (l *leases) end(keys []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		l.remove(k)
		for c := range l.claims {
			c.touched[k] = struct{}{}
		}
	}
}

// undo follows a rollback: what was put is gone, what was taken is as before.
func (l *leases) undo(put, taken []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range put {
		l.remove(k)
	}
	for _, k := range taken {
		entry, ok := l.held[k]
		switch {
		case !ok:
		case entry.generation == 0:
			l.remove(k)
		default:
			entry.taken = false
			l.held[k] = entry
		}
	}
}

// giveBack ends leases that were not used. One that was ended or replaced
// meanwhile is left alone. It reports whether rows must be written.
func (l *leases) giveBack(rows []delivery.Delivery) (write bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range rows {
		k := rows[i].Key
		entry, ok := l.held[k]
		if !ok || entry.generation != rows[i].Generation {
			continue
		}
		if entry.fresh {
			l.returned = append(l.returned, k)
		}
		if entry.taken { // stays taken until the transaction's end
			entry.generation = 0
			l.set(k, entry)
		} else {
			l.remove(k)
		}
	}
	return len(l.returned) > 0
}

// takeReturned gives the keys that must be written as pending; returnAgain takes
// them again if that failed.
func (l *leases) takeReturned() []delivery.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := l.returned
	l.returned = nil
	return keys
}

func (l *leases) returnAgain(keys []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.returned = append(l.returned, keys...)
}

// freshBefore gives the fresh leases of messages before a message.
func (l *leases) freshBefore(message id.ID) (keys []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, entry := range l.held {
		if entry.fresh && k.Message < message {
			keys = append(keys, k)
		}
	}
	return keys
}

// ripen notes that the rows of fresh leases were written as pending.
func (l *leases) ripen(keys []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		if entry, ok := l.held[k]; ok {
			entry.fresh = false
			l.set(k, entry)
		}
	}
}

// begin announces a claim; see rule 3. Its snapshot must begin later.
func (l *leases) begin() *claim {
	c := &claim{touched: map[delivery.Key]struct{}{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims[c] = struct{}{}
	return c
}

// finish forgets a claim.
func (l *leases) finish(c *claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claims, c)
}

// settle leases up to room of the due rows that a claim read, in their order, and
// makes them Leased in place. more reports that rows may be left that are due.
func (l *leases) settle(c *claim, due []delivery.Delivery, room int) (rows []delivery.Delivery, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows = due[:0]
	for _, d := range due {
		entry, held := l.held[d.Key]
		if held && entry.generation > 0 {
			continue
		}
		// A row that a transaction has taken is due again if that rolls back, and
		// nobody would tell; so it counts as left.
		if _, touched := c.touched[d.Key]; held || touched || len(rows) == room {
			more = true
			continue
		}
		d.State = delivery.Leased
		d.Generation++
		l.set(d.Key, lease{generation: d.Generation, app: d.App})
		rows = append(rows, d)
	}
	return rows, more
}

// count gives how many keys of an endpoint a claim may come across that are leased
// or taken.
func (l *leases) count(endpoint id.ID) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[endpoint]
}

// overlay shows a stored row as it is: leased ones are stored as pending.
func (l *leases) overlay(d *delivery.Delivery) {
	if d.State != delivery.Pending {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if entry := l.held[d.Key]; entry.generation > 0 {
		d.State, d.Generation = delivery.Leased, entry.generation
	}
}

// overlayCounts makes of an endpoint's stored states, of messages in [since,
// until), what they are.
func (l *leases) overlayCounts(stored store.Counts, endpoint, since, until id.ID) store.Counts {
	counts := store.Counts{}
	for state, n := range stored {
		if state == delivery.Leased {
			state = delivery.Pending
		}
		counts[state] += n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, entry := range l.held {
		if k.Endpoint == endpoint && entry.generation > 0 && k.Message >= since && (until == 0 || k.Message < until) && counts[delivery.Pending] > 0 {
			counts[delivery.Pending]--
			counts[delivery.Leased]++
		}
	}
	if counts[delivery.Pending] == 0 {
		delete(counts, delivery.Pending)
	}
	return counts
}

// set and remove keep the counts; the caller holds mu.
func (l *leases) set(k delivery.Key, entry lease) {
	l.uncount(k)
	if !entry.fresh {
		l.counts[k.Endpoint]++
	}
	l.held[k] = entry
}

func (l *leases) remove(k delivery.Key) {
	l.uncount(k)
	delete(l.held, k)
}

func (l *leases) uncount(k delivery.Key) {
	if entry, known := l.held[k]; !known || entry.fresh {
		return
	}
	if l.counts[k.Endpoint]--; l.counts[k.Endpoint] == 0 {
		delete(l.counts, k.Endpoint)
	}
}
