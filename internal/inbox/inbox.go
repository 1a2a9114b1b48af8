// Package inbox gives tenants private inboxes: addresses of this server at which
// whoever listens over the API hears what is posted there. `callboard listen`
// receives webhooks by it on a machine that no server could call.
//
// An inbox is nothing that is stored. Its address is derived from the app, a label
// that the listener chooses and a key of the installation: the same app and label
// have the same address before and after a restart and on every process, nobody can
// guess it, and nobody listens to another app's. Requests come in by three doors:
//
//   - Around: deliveries of this process to an address under the public URL are
//     handed over in process. They are never dialled, so that it works for a server
//     on loopback without admitting loopback to endpoints.
//   - ServeHTTP: anybody may POST to the address.
//   - Stream is the way out: server-sent events for one listener.
//
// A request is answered 200 when it has been written to the connection of a listener,
// and 503 when nobody listens, when all who do are behind, or when they left before it
// was written. So a delivery is retried until somebody has it; one that was on its way
// when a connection broke may be lost to the listener, and one whose sender gave up
// waiting may come twice. All is in memory and of this process: with several processes
// on one database a listener hears what the process sends that it is connected to,
// and the others' attempts are answered 503.
//
// The anonymous inboxes of package play have their addresses at the same place and use
// the same doors.
package inbox

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/play"
)

// Bounds of what is kept for listeners. A parcel of several listeners is kept once.
const (
	defaultListeners = 256
	perApp           = 32       // listeners
	perListener      = 64       // parcels that wait for one connection
	maxHeld          = 64 << 20 // bytes of all bodies that wait
)

// Config is what a Hub is made of.
type Config struct {
	Key          []byte // required: secret, and the same on all processes of an installation
	MaxListeners int    // on this process; default 256
	// Play has inboxes of another kind at the same place: what is posted to one of those is
	// its. nil = there are none.
	Play *play.Hub
}

// Hub holds the listeners of a process. It is safe for concurrent use.
type Hub struct {
	key          []byte // names are derived from it
	play         *play.Hub
	maxListeners int
	place        atomic.Pointer[place] // where inboxes are; nil before Open

	closing chan struct{} // closed by Close

	mu     sync.Mutex
	closed bool
	boxes  map[string]map[*listener]struct{} // by name
	count  int
	counts map[id.ID]int // listeners by app
	held   int           // bytes
}

// listener is one stream.
type listener struct {
	app   id.ID
	name  string
	queue chan *parcel
}

// New makes a Hub. It knows no address before Open.
func New(cfg Config) (*Hub, error) {
	if len(cfg.Key) == 0 {
		return nil, errors.New("inbox: Config.Key is required")
	}
	if cfg.MaxListeners == 0 {
		cfg.MaxListeners = defaultListeners
	}
	// A key of its own, because the installation's has other uses.
	key, err := hkdf.Key(sha256.New, cfg.Key, nil, "callboard inbox", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("inbox: derive key: %w", err)
	}
	return &Hub{
		key: key, play: cfg.Play, maxListeners: cfg.MaxListeners, closing: make(chan struct{}),
		boxes: map[string]map[*listener]struct{}{}, counts: map[id.ID]int{},
	}, nil
}

// Open says under which URL clients reach the server. Before, no URL is an inbox's.
func (h *Hub) Open(publicURL string) error {
	u, err := url.Parse(strings.TrimRight(publicURL, "/"))
	if err != nil || u.Host == "" {
		return errors.New("inbox: the public URL must have a scheme and a host")
	}
	h.place.Store(newPlace(u))
	if h.play != nil {
		h.play.Open(publicURL)
	}
	return nil
}

// Close ends all streams and admits no more; requests are answered 503 from now on.
// It does not wait for the streams, which end in their own requests.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.closing)
		if h.play != nil {
			h.play.Close()
		}
	}
}

// Errors that callers are told.
var (
	errNoListener = &errs.Error{
		Kind: errs.Unavailable, Code: "no_listener", Detail: "Nobody takes requests of this inbox at the moment", RetryAfter: time.Second,
	}
	errNoInbox = errs.New(errs.NotFound, "There is no such inbox")
	errClosing = errs.New(errs.Unavailable, "The server is stopping")
	errTooMany = &errs.Error{Kind: errs.TooMany, Detail: "Too many listeners are connected", RetryAfter: 10 * time.Second}
)

// join adds a listener; the number is how many the inbox then has.
func (h *Hub) join(app id.ID, name string) (*listener, int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, 0, errClosing
	case h.count >= h.maxListeners || h.counts[app] >= perApp:
		return nil, 0, errTooMany
	}
	l := &listener{app: app, name: name, queue: make(chan *parcel, perListener)}
	if h.boxes[name] == nil {
		h.boxes[name] = map[*listener]struct{}{}
	}
	h.boxes[name][l] = struct{}{}
	h.count++
	h.counts[app]++
	return l, len(h.boxes[name]), nil
}

// leave takes a listener away. What it was offered and has not written is not taken.
func (h *Hub) leave(l *listener) {
	h.mu.Lock()
	delete(h.boxes[l.name], l)
	if len(h.boxes[l.name]) == 0 {
		delete(h.boxes, l.name)
	}
	h.count--
	if h.counts[l.app]--; h.counts[l.app] == 0 {
		delete(h.counts, l.app)
	}
	h.mu.Unlock()
	for { // nothing is added any more
		select {
		case p := <-l.queue:
			h.settle(p, false)
		default:
			return
		}
	}
}
