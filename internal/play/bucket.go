package play

import (
	"net/netip"
	"time"
)

// bucket holds tokens of which so many come in a second. Its zero value is full.
type bucket struct {
	spent float64   // tokens that are missing
	at    time.Time // when spent was right
}

// take uses a token; false = there is none.
func (b *bucket) take(now time.Time, rate, burst float64) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 { // a clock that was set back adds nothing
		b.spent = max(b.spent-passed*rate, 0)
	}
	b.at = now
	if b.spent+1 > burst {
		return false
	}
	b.spent++
	return true
}

// full reports whether a bucket has all its tokens.
func (b *bucket) full(now time.Time, rate float64) bool {
	return b.spent <= now.Sub(b.at).Seconds()*rate
}

// maxClients bounds how many clients' rates are known apart. Those that come when as many have just been here share one.
const maxClients = 4096

// networkOf is what clients are told apart by: a network of IPv6 that one household has counts as one. Addresses that are not
// known share the zero value.
func networkOf(client netip.Addr) netip.Prefix {
	bits := 64
	if client.Is4() {
		bits = 32
	}
	network, _ := client.Prefix(bits)
	return network
}

// limiter holds clients to a rate.
type limiter struct {
	rate, burst float64
	clients     map[netip.Prefix]*bucket
	others      bucket
}

// take uses a client's token; false = there is none.
func (l *limiter) take(client netip.Prefix, now time.Time) bool {
	if l.clients == nil {
		l.clients = map[netip.Prefix]*bucket{}
	}
	b, known := l.clients[client]
	if !known {
		if len(l.clients) >= maxClients {
			l.sweep(now)
		}
		if len(l.clients) >= maxClients {
			return l.others.take(now, l.rate, l.burst)
		}
		b = &bucket{}
		l.clients[client] = b
	}
	return b.take(now, l.rate, l.burst)
}

// sweep forgets those whose bucket is full again.
func (l *limiter) sweep(now time.Time) {
	for network, b := range l.clients {
		if b.full(now, l.rate) {
			delete(l.clients, network)
		}
	}
}

// tally counts what is under way, in all and of each client.
type tally struct {
	most, ofOne int
	all         int
	clients     map[netip.Prefix]int // none of 0, so that it is no larger than most
}

// enter counts one more; false = there is no room for it.
func (t *tally) enter(client netip.Prefix) bool {
	if t.all >= t.most || t.clients[client] >= t.ofOne {
		return false
	}
	if t.clients == nil {
		t.clients = map[netip.Prefix]int{}
	}
	t.all++
	t.clients[client]++
	return true
}

// leave takes back one that entered.
func (t *tally) leave(client netip.Prefix) {
	t.all--
	if t.clients[client]--; t.clients[client] == 0 {
		delete(t.clients, client)
	}
}
