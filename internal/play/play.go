// Package play gives anybody inboxes to try webhooks with: an address at once, and a page on which every request to it
// shows with the verdict on its signature.
//
// An inbox has two texts. Its key is its viewer's secret: whoever has it sees what came, and sets how the inbox answers.
// Its name is the public address, and follows from the key one way, by the installation's own key. Both hold the time at
// which they were made and a check, so that any process tells, without a table and after a restart, whether an inbox was
// made here and whether its 24 hours are over. What comes in and what is set is in the memory of the process alone: after a
// restart an inbox goes on, empty and with the defaults, and with several processes each has its own part of it.
//
// Requests come in by two doors. ServeHTTP takes them from strangers, who are held to rates. Take is for deliveries of this
// server, which package inbox hands over in process: no rate makes one fail. What is kept is bounded for both, in
// inboxes, requests, and bytes.
//
// What comes in is hostile text. It is told as JSON and never rendered; what an inbox answers is text/plain in a sandbox
// and holds no header that its viewer chose.
package play

import (
	"cmp"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
)

// Lifetime is how long an inbox lives.
const Lifetime = 24 * time.Hour

// Path is where the addresses of inboxes are, below the public URL; a name follows.
const Path = "/play/in/"

// Bounds of one inbox.
const (
	maxRequests = 100
	maxBody     = 256 << 10 // bytes of a body that are kept
	maxOfOne    = 2 << 20   // bytes that are kept: an inbox is read as a whole, and JSON may double it
	maxViewers  = 16
	maxReaders  = 4
	maxUnderWay = 32 // strangers' requests that are read or wait for their delay

	requestRate, requestBurst = 20, 100 // strangers' requests in a second, and at once
	changeRate, changeBurst   = 2, 20   // of settings, which verify all requests anew
)

// Bounds of the process.
const (
	defaultInboxes = 1000
	defaultBytes   = 64 << 20
	allViewers     = 256 // each holds a batch while it is written
	allReaders     = 32  // each holds an inbox while it is written
	allUnderWay    = 256 // strangers' requests: each may hold a body while it is read

	creationRate, creationBurst = 0.5, 30 // inboxes in a second, and at once, of one client
)

// Bounds of one client, by address: parts of those of the process, so that nobody who is slow keeps all others out.
const (
	clientViewers  = 32
	clientReaders  = 8
	clientUnderWay = 32 // as of one inbox
)

const (
	// bodyTimeout is how long a stranger may take to send a body.
	bodyTimeout = 10 * time.Second

	// idle is how long nobody has used an inbox before it makes room for another, unless it holds nothing.
	idle = time.Hour
)

// Config is what a Hub is made of.
type Config struct {
	Key      []byte      // required: secret, and the same on all processes of an installation
	Dialects dialect.Set // required: whose signatures are verified
	// MaxInboxes are in memory at a time; default 1,000. Those that hold nothing make room first.
	MaxInboxes int
	// MaxBytes bounds all that came in and is kept; default 64 MiB. The oldest of the largest inbox goes first.
	MaxBytes int
	// TrustedProxies are those whose X-Forwarded-For is believed; default none.
	TrustedProxies []netip.Prefix
}

// Hub holds the inboxes of a process. It is safe for concurrent use.
type Hub struct {
	names    names
	verifier *verifier
	maxBoxes int
	maxBytes int
	proxies  []netip.Prefix
	base     atomic.Pointer[string] // the public URL; nil before Open
	closing  chan struct{}          // closed by Close

	mu        sync.Mutex
	closed    bool
	boxes     map[string]*box // by name
	bytes     int             // that all boxes hold
	viewers   tally
	readers   tally
	underWay  tally
	creations limiter
}

// New makes a Hub. It gives no addresses before Open.
func New(cfg Config) (*Hub, error) {
	if len(cfg.Key) == 0 {
		return nil, errors.New("play: Config.Key is required")
	}
	// A key of its own, because the installation's has other uses.
	key, err := hkdf.Key(sha256.New, cfg.Key, nil, "callboard play", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("play: derive key: %w", err)
	}
	v, err := newVerifier(cfg.Dialects)
	if err != nil {
		return nil, fmt.Errorf("play: %w", err)
	}
	return &Hub{
		names: names{key}, verifier: v, closing: make(chan struct{}), boxes: map[string]*box{},
		proxies:  cfg.TrustedProxies,
		viewers:  tally{most: allViewers, ofOne: clientViewers},
		readers:  tally{most: allReaders, ofOne: clientReaders},
		underWay: tally{most: allUnderWay, ofOne: clientUnderWay},
		maxBoxes: cmp.Or(cfg.MaxInboxes, defaultInboxes), maxBytes: cmp.Or(cfg.MaxBytes, defaultBytes),
		creations: limiter{rate: creationRate, burst: creationBurst},
	}, nil
}

// Open says under which URL clients reach the server.
func (h *Hub) Open(publicURL string) {
	base := strings.TrimRight(publicURL, "/")
	h.base.Store(&base)
}

// Close ends all streams and delays and admits no more streams. It does not wait for them: they end in their own
// requests.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.closing)
	for _, b := range h.boxes {
		b.expiry.Stop()
	}
}

// Errors that callers are told.
var (
	errNoInbox = errs.New(errs.NotFound, "There is no such inbox")
	errExpired = &errs.Error{
		Kind: errs.NotFound, Code: "expired", Detail: "This inbox has expired, as all do after 24 hours: make a new one",
	}
	errClosing  = errs.New(errs.Unavailable, "The server is stopping")
	errFull     = &errs.Error{Kind: errs.TooMany, Detail: "Too many inboxes are in use", RetryAfter: time.Minute}
	errViewers  = &errs.Error{Kind: errs.TooMany, Detail: "Too many pages are open", RetryAfter: 10 * time.Second}
	errReaders  = &errs.Error{Kind: errs.TooMany, Detail: "Too many are reading inboxes", RetryAfter: time.Second}
	errBusy     = &errs.Error{Kind: errs.TooMany, Detail: "Too many requests are under way", RetryAfter: time.Second}
	errRate     = &errs.Error{Kind: errs.TooMany, Detail: "Too many requests to this inbox", RetryAfter: time.Second}
	errCreation = &errs.Error{Kind: errs.TooMany, Detail: "Too many inboxes were made from this address", RetryAfter: time.Minute}
)

// Inbox is one as its viewer sees it.
type Inbox struct {
	Key       string    `json:"key" doc:"Whoever has it sees and sets the inbox: keep it."`
	URL       string    `json:"url" doc:"Where requests go: any method, and any path below it." example:"https://hooks.example.com/play/in/06h5mnq3z7tx2r9d0vk8a4cwpb1s6yef"`
	ExpiresAt time.Time `json:"expiresAt"`
	Settings  Settings  `json:"settings"`
	// LastEventID is where a stream goes on from what Requests shows.
	LastEventID string    `json:"lastEventId" doc:"What to give the stream as after, so that nothing is missed in between."`
	Requests    []Request `json:"requests" nullable:"false" doc:"The newest first, at most 100."`
}

// Create makes an inbox for a client, who is known by its address.
func (h *Hub) Create(client netip.Addr) (Inbox, error) {
	h.mu.Lock()
	allowed := h.creations.take(networkOf(client), time.Now())
	h.mu.Unlock()
	if !allowed {
		return Inbox{}, errCreation
	}
	return h.View(h.names.newKey(time.Now()))
}

// Read lets a client read an inbox by View, until it has ended with what View gave: clients that are slow would hold more
// than the Hub is bounded to.
func (h *Hub) Read(key string, client netip.Addr) (end func(), err error) {
	network := networkOf(client)
	var read *box
	if err := h.with(key, func(b *box) error {
		if b.readers >= maxReaders || !h.readers.enter(network) {
			return errReaders
		}
		b.readers++
		read = b
		return nil
	}); err != nil {
		return nil, err
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		read.readers--
		h.readers.leave(network)
	}, nil
}

// View shows an inbox with what it holds.
func (h *Hub) View(key string) (Inbox, error) {
	var shown Inbox
	var held []*request
	err := h.with(key, func(b *box) error {
		shown = Inbox{
			Key: key, URL: *h.base.Load() + Path + b.name, ExpiresAt: b.expires.UTC(), Settings: b.settings.show(), LastEventID: b.eventID(b.seq),
		}
		held = append(held, b.requests...)
		return nil
	})
	if err != nil {
		return Inbox{}, err
	}
	shown.Requests = make([]Request, 0, len(held))
	for _, r := range slices.Backward(held) {
		shown.Requests = append(shown.Requests, r.show())
	}
	return shown, nil
}

// Clear forgets what an inbox holds.
func (h *Hub) Clear(key string) error {
	return h.with(key, func(b *box) error {
		for len(b.requests) > 0 {
			h.bytes -= b.dropOldest()
		}
		b.changed()
		return nil
	})
}

// with does something with the inbox of a key while no other does.
func (h *Hub) with(key string, do func(*box) error) error {
	name, made, err := h.names.ofKey(key)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	b, err := h.box(name, made)
	if err != nil {
		return err
	}
	return do(b)
}
