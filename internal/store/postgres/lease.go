package postgres

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// leases is what this process remembers of the deliveries that it holds. That it
// holds them is written in their rows; this is what the rows do not tell at a
// price that every delivery can pay.
//
// A delivery that goes straight from its commit to a sender is held by handed_to,
// which no index knows (see the schema). Should this process die, the others find
// such rows by walking the messages from node.handed_from on. So that place must
// not be behind by much: rows that wait for their sender for long are turned into
// claimed ones, which an index finds.
//
// A commit whose outcome is unknown, because the connection broke, may have leased
// rows that nobody knows of. They are doubtful, and are given back when the
// database is reached again.
type leases struct {
	mu       sync.Mutex
	from     id.ID // deliveries of messages before it are stored as claimed
	handed   map[delivery.Key]struct{}
	doubtful map[delivery.Key]doubt
}

// doubt is a lease that may be in the database.
type doubt struct {
	generation int
	until      time.Time // by then a commit under way has ended, one way or the other
}

// doubtFor is how long a commit that nobody waits for any more can take: longer
// than any of the time-outs that the server keeps.
const doubtFor = 2 * time.Minute

func newLeases() leases {
	return leases{handed: map[delivery.Key]struct{}{}, doubtful: map[delivery.Key]doubt{}}
}

// put notes a delivery that is being inserted as leased, before its transaction
// commits. It reports whether handed_to is enough to find it.
func (l *leases) put(k delivery.Key) (fresh bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.Message < l.from {
		return false
	}
	l.handed[k] = struct{}{}
	return true
}

// end notes leases that have ended.
func (l *leases) end(keys []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		delete(l.handed, k)
	}
}

// endRange notes that messages went with their deliveries. Of a range of one app
// nothing is known: the keys do not say whose they are. Those end with their results.
func (l *leases) endRange(r store.Range) {
	if r.App != 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.handed {
		if k.Message >= r.From && k.Message < r.Until {
			delete(l.handed, k)
		}
	}
}

// doubt notes leases that may be in the database and that nobody uses.
func (l *leases) doubt(rows []delivery.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := time.Now().Add(doubtFor)
	for i := range rows {
		delete(l.handed, rows[i].Key)
		l.doubtful[rows[i].Key] = doubt{rows[i].Generation, until}
	}
}

// sure notes leases that a transaction has given for certain: no earlier doubt is
// about them.
func (l *leases) sure(rows []delivery.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range rows {
		delete(l.doubtful, rows[i].Key)
	}
}

// doubts lists the doubtful leases, in the order of keys. One whose delivery has been
// inserted since, or is about to be, is left out: it was never there.
func (l *leases) doubts() (keys []delivery.Key, generations []int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.doubtful {
		if _, live := l.handed[k]; !live {
			keys = append(keys, k)
		}
	}
	sortKeys(keys)
	for _, k := range keys {
		generations = append(generations, int32(l.doubtful[k].generation))
	}
	return keys, generations
}

// cleared forgets the doubts that were looked into, once they are old enough.
func (l *leases) cleared(keys []delivery.Key, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		if d, ok := l.doubtful[k]; ok && now.After(d.until) {
			delete(l.doubtful, k)
		}
	}
}

// advance moves the place on from which handed rows are looked for, as far as
// what is under way allows, and lists those that hold it back for too long.
func (l *leases) advance(before id.ID) (from id.ID, ripe []delivery.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := before
	for k := range l.handed {
		least = min(least, k.Message)
		if k.Message < before {
			ripe = append(ripe, k)
		}
	}
	for k := range l.doubtful {
		least = min(least, k.Message)
	}
	l.from = max(l.from, least)
	sortKeys(ripe)
	return l.from, ripe
}

// sortKeys brings keys into the order in which everybody locks their rows.
func sortKeys(keys []delivery.Key) {
	slices.SortFunc(keys, func(a, b delivery.Key) int {
		return cmp.Or(cmp.Compare(a.Message, b.Message), cmp.Compare(a.Endpoint, b.Endpoint))
	})
}

// marks remember where the pending rows of an endpoint begin in the hot index. An
// index keeps entries of rows that are no longer pending until vacuum has passed;
// an endpoint with a backlog leaves hundreds of thousands of them behind, before
// the first one that counts.
type marks struct {
	mu  sync.Mutex
	low map[id.ID]int64 // by endpoint; no pending row is due before it
}

func newMarks() marks { return marks{low: map[id.ID]int64{}} }

func (m *marks) of(endpoint id.ID) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.low[endpoint]
}

// set notes where a claim found the first pending row.
func (m *marks) set(endpoint id.ID, due int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.low[endpoint] = due
}

// lower notes that a row was made pending.
func (m *marks) lower(endpoint id.ID, due int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if low, ok := m.low[endpoint]; ok && due < low {
		m.low[endpoint] = due
	}
}

// clear forgets all: other nodes may have made rows pending.
func (m *marks) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.low)
}
