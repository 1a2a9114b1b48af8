// Package dispatch sends: it takes due deliveries, POSTs them, and submits what
// came of it to the committer.
//
// Every endpoint with work has a lane: its rows in memory, its concurrency, its
// next due time. Lanes are served in turn, so that no endpoint, however slow or
// however busy, decides how long another one waits. DESIGN.md beside this file
// says how a row travels and what was refused.
//
// What holds:
//   - A row is POSTed only while it is leased, and each lease is POSTed once.
//   - New never overtakes backlog: a row goes straight from the commit to its
//     lane only if the store holds no due row of that endpoint.
//   - What is in memory is bounded in rows, in bytes, in requests under way and
//     in results that are not yet on disk. When results cannot be recorded,
//     nothing more is sent.
//   - A crash loses results, never rows: what was under way is sent again under
//     the same message id.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
)

// errDraining is why requests under way are cut off when the drain runs out.
var errDraining = errors.New("the server is shutting down")

// Submitter commits results; *commit.Committer is the one outside of tests.
type Submitter interface {
	Submit(ctx context.Context, u *commit.Unit) (commit.Result, error)
}

// Config is what a Dispatcher is made of. Zero means the default.
type Config struct {
	Store     Store             // required
	Watcher   Watcher           // nil = nobody else writes to the store
	Transport http.RoundTripper // required; NewTransport makes the guarded one
	Dialects  dialect.Set       // required
	Codec     *id.Codec         // required

	Schedule []time.Duration      // of endpoints without their own; default delivery.DefaultSchedule
	Timeout  time.Duration        // of one exchange, body included; default 15 s
	Disable  delivery.DisableRule // default delivery.DefaultDisableRule

	MaxInFlight   int           // requests under way at once; default 1024
	LaneStart     int           // concurrency that a lane begins with; default 16
	LaneMax       int           // and can grow to; default 128
	LaneRows      int           // rows of a lane in memory; default 256
	MaxBytes      int           // of payloads in memory; default 64 MiB
	MaxUnrecorded int           // requests under way and results not yet on disk; default 4096
	DrainTimeout  time.Duration // for requests under way at the end; default 20 s

	UserAgent string                // default outgoing.DefaultUserAgent
	Now       func() time.Time      // the wall clock; set only by tests in which it jumps
	Logger    *slog.Logger          // default slog.Default()
	Metrics   prometheus.Registerer // nil = not registered
}

func (cfg *Config) setDefaults() {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&cfg.MaxInFlight, 1024)
	def(&cfg.LaneStart, 16)
	def(&cfg.LaneMax, 128)
	def(&cfg.LaneRows, 256)
	def(&cfg.MaxBytes, 64<<20)
	def(&cfg.MaxUnrecorded, 4096)
	if cfg.Schedule == nil {
		cfg.Schedule = delivery.DefaultSchedule()
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Disable == (delivery.DisableRule{}) {
		cfg.Disable = delivery.DefaultDisableRule()
	}
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = 20 * time.Second
	}
	if cfg.Now == nil {
		// Without its monotonic part: due times are kept in the store and must
		// compare by the wall clock, also when it is set.
		cfg.Now = func() time.Time { return time.Now().Round(0) }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
}

// Dispatcher sends deliveries; see the package comment. It is made before the
// committer, whose Handoff it is, and gets the committer at Run.
type Dispatcher struct {
	cfg     Config
	maker   outgoing.Maker
	metrics metrics

	mu       sync.Mutex
	lanes    map[id.ID]*lane
	apps     map[id.ID]*gate
	changes  uint64   // of endpoints and apps that Committed has told of
	waiting  laneHeap // lanes that need attention at a time to come
	ready    []*lane  // lanes with a row that can be sent now, served in turn
	idle     []*worker
	workers  int
	inFlight int
	bytes    int  // of payloads in lanes
	running  bool // rows may be taken
	stalled  bool // results cannot be recorded
	finished []result
	unused   []delivery.Delivery // leases to give back
	doubtful []id.ID             // endpoints of shut lanes that others may have opened
	pending  int                 // rows taken whose results are not on disk

	kick       chan struct{} // the scheduler has a new earliest time
	kickRecord chan struct{} // there are results
	closed     chan struct{} // no more rows are taken

	storeWrites chan struct{} // a transaction was committed while results could not be recorded
	drainEnds   time.Time     // when a drain gives up to record results; zero before it begins

	senders sync.WaitGroup
	abort   context.CancelCauseFunc // cuts requests under way
	sending context.Context
}

// New makes a dispatcher.
func New(cfg Config) (*Dispatcher, error) {
	if cfg.Store == nil || cfg.Transport == nil || cfg.Codec == nil {
		return nil, errors.New("dispatch: Config.Store, Transport and Codec are required")
	}
	cfg.setDefaults()
	d := &Dispatcher{
		cfg:        cfg,
		maker:      outgoing.Maker{Dialects: cfg.Dialects, UserAgent: cfg.UserAgent},
		lanes:      map[id.ID]*lane{},
		apps:       map[id.ID]*gate{},
		kick:       make(chan struct{}, 1),
		kickRecord: make(chan struct{}, 1),
		closed:     make(chan struct{}),

		storeWrites: make(chan struct{}, 1),
	}
	d.sending, d.abort = context.WithCancelCause(context.Background())
	d.metrics = newMetrics(cfg.Metrics, d)
	return d, nil
}

// Run sends until ctx ends, then drains: no more rows are taken, requests under
// way get DrainTimeout to end, results are recorded, for some seconds more if the
// store does not take them, and leases that were not used are given back. The
// committer must outlive Run. Run is called once.
func (d *Dispatcher) Run(ctx context.Context, results Submitter) error {
	due, err := d.cfg.Store.Lanes(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find work: %w", err)
	}
	d.open(due)
	group, work := errgroup.WithContext(context.WithoutCancel(ctx))
	scheduling, stopScheduling := context.WithCancel(work)
	group.Go(func() error { return d.schedule(scheduling) })
	group.Go(func() error { return d.record(work, results) })
	if d.cfg.Watcher != nil {
		group.Go(func() error { return d.cfg.Watcher.Watch(scheduling, d.hear) })
	}
	select {
	case <-ctx.Done():
	case <-work.Done(): // the recorder or the watcher ended: the store is lost
	}
	stopScheduling()
	d.drain()
	return group.Wait()
}

// drain lets requests under way end, cuts those that take too long, and tells
// the recorder that no results will follow.
func (d *Dispatcher) drain() {
	d.mu.Lock()
	d.running = false
	d.drainEnds = time.Now().Add(d.cfg.DrainTimeout + lastRecords)
	close(d.closed)
	d.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		d.senders.Wait()
		close(ended)
	}()
	late := time.NewTimer(d.cfg.DrainTimeout)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		d.abort(errDraining)
		<-ended
	}
	d.mu.Lock()
	close(d.kickRecord)
	d.mu.Unlock()
}

// jittered is d ± 50 %.
func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d) }
