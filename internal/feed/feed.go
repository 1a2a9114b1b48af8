// Package feed tells listeners what happens in an app while it happens: each attempt, and
// what else has changed.
//
// Attempts are read from the store, by one loop for all listeners of a process: what is
// told is on disk, whoever has written it. The loop is woken by the commits of this
// process and, where others write to the database too, by a clock. It reads from one
// Position to the next, so nothing is skipped and nothing comes twice, and a listener
// that comes again goes on where it was, also after a restart and on another process.
//
// Everything is bounded. A listener that is behind, or that was away for long, is told
// that it has missed something instead of all that it has missed: what it shows is in the
// lists of the API. What else has changed is told by topic only, for the same reason.
// Without listeners nothing is read.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// Bounds of what is done for listeners.
const (
	defaultListeners = 512
	perApp           = 64
	// portalShare is how much of either number tenants may take together, in quarters: what
	// is left is for those who run the server, however many streams a tenant holds open.
	portalShare = 3
	// maxQueued is how many attempts wait for one listener.
	maxQueued = 1000
	// maxLook is how many attempts one look takes in, of all apps that are listened to.
	maxLook = 2000
	// maxReplayed is how many attempts a listener that comes again is told of.
	maxReplayed = 1000
	// maxReads is how many reads of the store one look or replay takes.
	maxReads = 5
)

const (
	// pause is between two looks, so that a busy process does not look all the time.
	pause = 200 * time.Millisecond
	// idle is how many times as long as a look the pause behind it is at least.
	idle = 10
	// othersEvery is how often a listener is told that another process was at work.
	othersEvery = 3 * time.Second
)

// Store is what is read of attempts. Marks of the store and what AttemptsBetween finds go
// together: all attempts of a node up to its mark are found.
type Store interface {
	// AttemptMarks gives the ids up to which attempts of each node are committed, in no order.
	AttemptMarks(ctx context.Context) ([]id.ID, error)
	// AttemptsBetween gives attempts of apps with ids in (after, until], in ascending order,
	// without responses, at most limit. scannedTo is how far it came, 0 = to the end.
	AttemptsBetween(ctx context.Context, apps []id.ID, after, until id.ID, limit int) (rows []delivery.Attempt, scannedTo id.ID, err error)
	// DeliveriesByKey gives deliveries with their messages, without payloads; absent ones are
	// left out.
	DeliveriesByKey(ctx context.Context, keys []delivery.Key) (map[delivery.Key]store.DeliveryRow, error)
	// CountAttempts counts all attempts of each delivery that has one.
	CountAttempts(ctx context.Context, keys []delivery.Key) (map[delivery.Key]int, error)
}

// Config is what a Hub is made of.
type Config struct {
	Store        Store         // required
	Node         int           // of this process, in ids
	Poll         time.Duration // between looks for what other processes did; 0 = there are none
	MaxListeners int           // on this process; default 512
	Logger       *slog.Logger  // default slog.Default()
}

// Hub tells the listeners of a process. It is safe for concurrent use.
type Hub struct {
	cfg       Config
	wake      chan struct{} // capacity 1: attempts were committed
	closing   chan struct{} // closed by Close
	listening atomic.Int64  // listeners; what is committed without any is not looked at

	mu     sync.Mutex
	closed bool
	byApp  map[id.ID]map[*Listener]struct{}
	portal int       // listeners of portals
	at     Position  // up to where attempts were told; nil without listeners
	others time.Time // when listeners were last told of other processes
}

// New makes a Hub. It tells nothing of attempts before Run.
func New(cfg Config) (*Hub, error) {
	if cfg.Store == nil {
		return nil, errors.New("feed: Config.Store is required")
	}
	if cfg.MaxListeners == 0 {
		cfg.MaxListeners = defaultListeners
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Hub{cfg: cfg, wake: make(chan struct{}, 1), closing: make(chan struct{}), byApp: map[id.ID]map[*Listener]struct{}{}}, nil
}

// Close ends all listeners and admits no more. It does not wait for them.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.closing)
	}
}

// Run looks for attempts until ctx ends. A look that fails is made again.
func (h *Hub) Run(ctx context.Context) error {
	var tick <-chan time.Time
	if h.cfg.Poll > 0 {
		ticker := time.NewTicker(h.cfg.Poll)
		defer ticker.Stop()
		tick = ticker.C
	}
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.wake:
		case <-tick:
		}
		begin := time.Now()
		err := h.look(ctx)
		if err != nil {
			if ctx.Err() == nil && !failing {
				h.cfg.Logger.WarnContext(ctx, "looking for attempts failed, it will be tried again", "error", err)
			}
			h.rouse()
		}
		failing = err != nil
		// A look of much takes long, and then the next one is later.
		if !rest(ctx, max(pause, idle*time.Since(begin))) {
			return nil
		}
	}
}

// rest waits between two looks; it reports whether ctx still holds.
func rest(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// rouse asks for a look.
func (h *Hub) rouse() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// look tells the listeners of the attempts that came since the last look.
func (h *Hub) look(ctx context.Context) error {
	if h.listening.Load() == 0 {
		return nil
	}
	marks, err := h.cfg.Store.AttemptMarks(ctx)
	if err != nil {
		return err
	}
	// The apps come after the marks: who listens from now on reads marks of its own, which
	// are not before these.
	end := At(marks)
	apps, begin := h.watched()
	if len(apps) == 0 {
		return nil
	}
	attempts, whole, err := h.read(ctx, apps, begin, end, maxLook)
	if err != nil {
		return err
	}
	if !whole {
		attempts = nil
	}
	told, err := h.told(ctx, attempts)
	if err != nil {
		return err
	}
	h.tell(told, begin, end, !whole)
	return nil
}

// watched gives the apps that are listened to, and up to where their attempts were told.
func (h *Hub) watched() (apps []id.ID, at Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		return nil, nil
	}
	for app := range h.byApp {
		apps = append(apps, app)
	}
	return apps, h.at
}

// read gives the attempts between two positions; whole is false if there are more than
// limit, or more than can be read at once.
func (h *Hub) read(ctx context.Context, apps []id.ID, begin, end Position, limit int) (all []delivery.Attempt, whole bool, err error) {
	after, until, some := begin.span(end)
	if !some {
		return nil, true, nil
	}
	for range maxReads {
		rows, scannedTo, err := h.cfg.Store.AttemptsBetween(ctx, apps, after, until, limit+1)
		if err != nil {
			return nil, false, err
		}
		all = append(all, between(rows, begin, end)...)
		if len(all) > limit {
			return nil, false, nil
		}
		if scannedTo == 0 {
			return all, true, nil
		}
		after = scannedTo
	}
	return nil, false, nil
}

// told gives attempts as listeners are told of them, without those of deliveries that
// retention has taken.
func (h *Hub) told(ctx context.Context, attempts []delivery.Attempt) ([]Attempt, error) {
	if len(attempts) == 0 {
		return nil, nil
	}
	seen := make(map[delivery.Key]struct{}, len(attempts))
	keys := make([]delivery.Key, 0, len(attempts))
	for i := range attempts {
		if _, twice := seen[attempts[i].Key]; !twice {
			seen[attempts[i].Key] = struct{}{}
			keys = append(keys, attempts[i].Key)
		}
	}
	rows, err := h.cfg.Store.DeliveriesByKey(ctx, keys)
	if err != nil {
		return nil, err
	}
	counts, err := h.cfg.Store.CountAttempts(ctx, keys)
	if err != nil {
		return nil, err
	}
	told := make([]Attempt, 0, len(attempts))
	for i := range attempts {
		if row, ok := rows[attempts[i].Key]; ok {
			told = append(told, Attempt{Attempt: attempts[i], Row: row, Count: counts[attempts[i].Key]})
		}
	}
	return told, nil
}

// tell queues attempts for those who listen, and moves on.
func (h *Hub) tell(attempts []Attempt, begin, end Position, missed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range attempts {
		for l := range h.byApp[attempts[i].App] {
			l.queue(attempts[i])
		}
	}
	busy := h.othersWrote(begin, end)
	for _, listeners := range h.byApp {
		for l := range listeners {
			if missed {
				l.lose()
			}
			if busy {
				l.note(everything)
			}
		}
	}
	if h.at != nil {
		h.at = end
	}
}

// othersWrote reports whether listeners are to be told that another process wrote
// something: which rows, nobody says.
func (h *Hub) othersWrote(begin, end Position) bool {
	if h.cfg.Poll == 0 || time.Since(h.others) < othersEvery {
		return false
	}
	for node, last := range end {
		if node != h.cfg.Node && last > begin[node] {
			h.others = time.Now()
			return true
		}
	}
	return false
}

// Errors that callers are told.
var (
	errClosing = errs.New(errs.Unavailable, "The server is stopping")
	errTooMany = &errs.Error{Kind: errs.TooMany, Detail: "Too many listeners are connected", RetryAfter: 10 * time.Second}
)
