package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/dashboard"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/feed"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/inbound"
	"github.com/callboard/callboard/internal/inbox"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/janitor"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/callboard/callboard/internal/play"
	"github.com/callboard/callboard/internal/readapi"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/tasks"
	"github.com/callboard/callboard/internal/timer"
	"github.com/callboard/callboard/internal/token"
	"github.com/callboard/callboard/internal/traffic"
)

// Bounds of the API's connections. A request body is at most 1 MiB, so a minute
// is enough for any link that is worth waiting for.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// App is a server: made by New, running from Start to Stop.
type App struct {
	cfg        Config
	store      database
	node       int              // number in ids
	watcher    dispatch.Watcher // nil = the database is ours alone
	transport  *http.Transport  // of deliveries
	inboxes    *inbox.Hub
	feed       *feed.Hub
	play       *play.Hub // nil = there is none
	sources    *inbound.Cache
	committer  *commit.Committer
	dispatcher *dispatch.Dispatcher
	tasks      *tasks.Runner
	janitor    *janitor.Janitor
	timer      *timer.Runner
	traffic    *traffic.Recorder
	ingest     *ingest.Service
	codec      *id.Codec
	dialects   dialect.Set
	catalog    *catalog.Catalog
	authority  *token.Authority
	metrics    *prometheus.Registry
	hasApps    bool // at the start

	addr   string
	http   *http.Server
	debug  *http.Server
	served sync.WaitGroup // what the two servers run

	// The stages of the end, each cancelled after the one before has ended.
	stopWork    context.CancelFunc // tasks, janitor, timer, dispatch
	stopCounts  context.CancelFunc // traffic
	stopCommits context.CancelFunc
	work        *errgroup.Group
	counts      *errgroup.Group
	commits     *errgroup.Group

	life  sync.Mutex // held by Start and by the shutdown
	begun bool       // Start or the shutdown was called

	stop sync.Once
	done chan struct{} // closed when the app has ended, by itself or by Stop
	err  error         // why it ended by itself
	mu   sync.Mutex
}

// New opens the store and builds the parts. Nothing runs and nothing listens
// before Start; an App that is never started is released by Stop.
func New(ctx context.Context, cfg Config) (*App, error) {
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, done: make(chan struct{}), metrics: prometheus.NewRegistry()}
	var err error
	if a.authority, err = token.New(token.Config{Secret: cfg.JWTSecret}); err != nil {
		return nil, fmt.Errorf("jwt-secret: %w", err)
	}
	if err = a.openStore(ctx); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	return a, nil
}

// database is all that the parts ask of a store.
type database interface {
	commit.Store
	dispatch.Store
	restapi.Store
	feed.Store
	readapi.Store
	inbound.Store
	tasks.Store
	janitor.Store
	timer.Store
	traffic.Store
	ingest.Store
	dashboard.Orgs
	HasApps(ctx context.Context) (bool, error)
	IDKey(ctx context.Context) ([]byte, error)
	Close() error
}

// openStore opens the database. One that is not there yet, because its server is
// still starting, is waited for as long as ctx allows.
func (a *App) openStore(ctx context.Context) error {
	if IsPostgres(a.cfg.DB) {
		shared, err := postgres.Open(ctx, postgres.Config{URL: a.cfg.DB, Logger: a.cfg.Logger})
		if err != nil {
			return err
		}
		a.store, a.node, a.watcher = shared, shared.Node(), shared
		return nil
	}
	level := sqlite.Full
	if a.cfg.Unsafe {
		level = sqlite.Normal
	}
	file, err := sqlite.Open(ctx, sqlite.Config{Path: strings.TrimPrefix(a.cfg.DB, sqliteScheme), Synchronous: level})
	if err != nil {
		return err
	}
	a.store = file
	return nil
}

// build makes the parts from the store upwards.
func (a *App) build(ctx context.Context) error {
	a.metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	key, err := a.store.IDKey(ctx)
	if err != nil {
		return fmt.Errorf("read id key: %w", err)
	}
	if a.hasApps, err = a.store.HasApps(ctx); err != nil {
		return fmt.Errorf("look for apps: %w", err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		return err
	}
	guard := netguard.New(netguard.Policy{
		AllowPrivate: a.cfg.AllowPrivate,
		DenyCIDRs:    a.cfg.DenyCIDRs,
		DenyPorts:    a.cfg.DenyPorts,
	})
	dialects := builtin.Dialects(builtin.Config{PublicURL: a.cfg.linkURL()})
	a.catalog = builtin.Catalog(dialects)
	a.transport = dispatch.NewTransport(guard)
	if err := a.buildInboxes(key, dialects); err != nil {
		return err
	}
	if a.dispatcher, err = dispatch.New(dispatch.Config{
		Store:        a.store,
		Watcher:      a.watcher,
		Transport:    a.inboxes.Around(a.transport),
		Dialects:     dialects,
		Codec:        codec,
		Schedule:     a.cfg.RetrySchedule,
		Timeout:      a.cfg.Timeout,
		DrainTimeout: a.cfg.DrainTimeout,
		UserAgent:    a.cfg.userAgent(),
		Logger:       a.cfg.Logger,
		Metrics:      a.metrics,
	}); err != nil {
		return err
	}
	if a.feed, err = feed.New(feed.Config{Store: a.store, Node: a.node, Poll: a.feedPoll(), Logger: a.cfg.Logger}); err != nil {
		return err
	}
	alarm := &timer.Alarm{}
	a.sources = inbound.NewCache(a.store)
	if a.traffic, err = traffic.New(traffic.Config{Store: a.store, Node: a.node, Logger: a.cfg.Logger}); err != nil {
		return err
	}
	if a.committer, err = commit.New(ctx, commit.Config{
		Store:   a.store,
		Handoff: handoff{a.dispatcher, alarm, a.sources, a.traffic, a.feed},
		Node:    a.node,
		Logger:  a.cfg.Logger,
		Metrics: a.metrics,
	}); err != nil {
		return err
	}
	service, err := ingest.New(ingest.Config{
		Submitter: a.committer,
		Store:     a.store,
		Dialects:  dialects,
		Guard:     guard,
		Catalog:   a.catalog,
		Codec:     codec,
		Local:     a.inboxes.Local,
		Retention: a.cfg.Retention,
	})
	if err != nil {
		return err
	}
	a.tasks = tasks.New(tasks.Config{Store: a.store, Submitter: a.committer, Logger: a.cfg.Logger})
	a.janitor = janitor.New(janitor.Config{Store: a.store, Submitter: a.committer, Retention: a.cfg.Retention, Logger: a.cfg.Logger})
	a.timer = timer.New(timer.Config{Store: a.store, Firer: service, Alarm: alarm, Delay: a.cfg.TimeSpentDelay, Logger: a.cfg.Logger})
	a.ingest, a.codec, a.dialects = service, codec, dialects
	return nil
}

// buildInboxes makes the places of this server's own to which webhooks can be sent.
func (a *App) buildInboxes(key []byte, dialects dialect.Set) (err error) {
	if !a.cfg.NoPlay {
		if a.play, err = play.New(play.Config{Key: key, Dialects: dialects, TrustedProxies: a.cfg.TrustedProxies}); err != nil {
			return err
		}
	}
	a.inboxes, err = inbox.New(inbox.Config{Key: key, Play: a.play})
	return err
}

// feedEvery is how often a process looks for what the others did, while somebody listens.
const feedEvery = time.Second

func (a *App) feedPoll() time.Duration {
	if a.watcher == nil {
		return 0
	}
	return feedEvery
}

// handoff tells of what is on disk: the dispatcher of deliveries, the timer of rows that
// become due, the door of sources that are not as they were, the charts of attempts,
// listeners of all.
type handoff struct {
	*dispatch.Dispatcher
	alarm   *timer.Alarm
	sources *inbound.Cache
	traffic *traffic.Recorder
	feed    *feed.Hub
}

// Committed implements commit.Handoff.
func (h handoff) Committed(c *store.Changes) {
	h.Dispatcher.Committed(c)
	h.alarm.Committed(c.Objects)
	h.sources.Committed(c.Sources)
	h.traffic.Committed(c.Completed)
	h.feed.Committed(c)
}

// Start listens and runs. When it returns without an error, requests are
// answered; a server that cannot go on ends by itself and closes Done. An App
// starts once: after a failed Start only Stop is left.
func (a *App) Start(ctx context.Context) error {
	a.life.Lock()
	defer a.life.Unlock()
	if a.begun {
		return errors.New("the server was started or stopped before")
	}
	a.begun = true
	listener, err := a.listen(ctx)
	if err != nil {
		return err
	}
	handler, err := a.buildAPI()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := a.startDebug(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	a.startWork()
	a.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          quiet(a.cfg.Logger),
	}
	a.served.Go(func() {
		if err := a.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("serve: %w", err))
		}
	})
	return nil
}

// listen opens the API's address, with TLS if certificates are configured.
func (a *App) listen(ctx context.Context) (net.Listener, error) {
	secure, err := a.tlsConfig()
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	a.addr = listener.Addr().String()
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	return listener, nil
}

// tlsConfig reads the certificates; nil if none are configured. Its errors name
// the file that is wrong.
func (a *App) tlsConfig() (*tls.Config, error) {
	if a.cfg.TLSCert == "" {
		return nil, nil
	}
	chain, err := os.ReadFile(a.cfg.TLSCert)
	if err != nil {
		return nil, fmt.Errorf("tls-cert: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(chain) {
		return nil, errors.New("tls-cert: holds no certificate in PEM")
	}
	key, err := os.ReadFile(a.cfg.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls-key: %w", err)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("tls-key: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}, nil
}

// startWork starts what runs behind the API, the committer first.
func (a *App) startWork() {
	commitCtx, stopCommits := context.WithCancel(context.Background())
	countCtx, stopCounts := context.WithCancel(context.Background())
	workCtx, stopWork := context.WithCancel(context.Background())
	a.stopCommits, a.stopCounts, a.stopWork = stopCommits, stopCounts, stopWork
	a.commits, a.counts, a.work = &errgroup.Group{}, &errgroup.Group{}, &errgroup.Group{}
	a.commits.Go(func() error { return a.failing(commitCtx, a.committer.Run(commitCtx)) })
	a.counts.Go(func() error { return a.failing(countCtx, a.traffic.Run(countCtx, a.committer)) })
	a.work.Go(func() error { return a.failing(workCtx, a.dispatcher.Run(workCtx, a.committer)) })
	a.work.Go(func() error { return a.failing(workCtx, a.tasks.Run(workCtx)) })
	a.work.Go(func() error { return a.failing(workCtx, a.janitor.Run(workCtx)) })
	a.work.Go(func() error { return a.failing(workCtx, a.timer.Run(workCtx)) })
	a.work.Go(func() error { return a.failing(workCtx, a.feed.Run(workCtx)) })
}

// failing ends the app when one of its parts, which ran under ctx, fails. A part
// that was told to end while it was still starting has not failed.
func (a *App) failing(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	a.fail(err)
	return err
}

// fail remembers the first failure and ends the app. Nobody is there to say how
// long clients may take; they get as long as deliveries do.
func (a *App) fail(err error) {
	a.mu.Lock()
	first := a.err == nil
	if first {
		a.err = err
	}
	a.mu.Unlock()
	if !first {
		return // what follows from the first failure
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.cfg.DrainTimeout)
	a.cfg.Logger.ErrorContext(ctx, "the server cannot go on", "error", err)
	go func() {
		defer cancel()
		_ = a.Stop(ctx) // the first failure says more
	}()
}

// Addr is the address listened on, host:port; empty before Start.
func (a *App) Addr() string { return a.addr }

// URL is how clients reach the server.
func (a *App) URL() string { return a.cfg.publicURL(a.addr) }

// LocalURL is URL for a browser on this machine: where the server listens on all addresses, and
// nobody has said how it is reached, it is reached by loopback's.
func (a *App) LocalURL() string {
	host, port, err := net.SplitHostPort(a.addr)
	if ip := net.ParseIP(host); a.cfg.PublicURL == "" && err == nil && ip.IsUnspecified() {
		return a.cfg.publicURL(net.JoinHostPort("127.0.0.1", port))
	}
	return a.URL()
}

// HasApps reports whether there was any app when the server started: else nobody has used its
// database yet.
func (a *App) HasApps() bool { return a.hasApps }

// Done is closed when the app has ended.
func (a *App) Done() <-chan struct{} { return a.done }

// Err is why the app ended by itself; nil after a plain Stop.
func (a *App) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Stop drains and ends the app: no more requests are taken, those under way are
// answered, deliveries under way end and are recorded, leases go back, and the
// store is closed last. It may be called at any time and any number of times;
// every call returns when the app has ended. ctx bounds how long requests of
// clients are waited for.
func (a *App) Stop(ctx context.Context) error {
	var stopErr error
	a.stop.Do(func() {
		defer close(a.done)
		stopErr = a.shutDown(ctx)
	})
	<-a.done
	return stopErr
}

func (a *App) shutDown(ctx context.Context) error {
	a.life.Lock()
	defer a.life.Unlock()
	a.begun = true
	var problems []error
	a.inboxes.Close() // its streams would never end by themselves
	a.feed.Close()    // nor would these
	if a.http != nil {
		if err := a.http.Shutdown(ctx); err != nil {
			problems = append(problems, fmt.Errorf("close the API: %w", err), a.http.Close())
		}
	}
	if a.work != nil {
		a.stopWork()
		problems = append(problems, a.work.Wait())
		a.stopCounts() // after the last attempt is recorded
		problems = append(problems, a.counts.Wait())
		a.stopCommits()
		problems = append(problems, a.commits.Wait())
	}
	if a.debug != nil {
		problems = append(problems, a.debug.Close())
	}
	a.served.Wait()
	a.transport.CloseIdleConnections()
	return errors.Join(append(problems, a.store.Close())...)
}

// ready says why the server should get no requests at the moment; nil = it should.
func (a *App) ready(ctx context.Context) error {
	if a.committer.Failing() || a.dispatcher.Stalled() {
		return errors.New("the store takes no writes")
	}
	return a.store.Ping(ctx)
}

// startDebug serves profiles on an address of its own.
func (a *App) startDebug(ctx context.Context) error {
	if a.cfg.DebugListen == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.DebugListen)
	if err != nil {
		return fmt.Errorf("debug-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	a.debug = &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout}
	a.served.Go(func() { _ = a.debug.Serve(listener) }) // it ends with Close
	return nil
}

// metricsHandler serves the registry in Prometheus' text format.
func (a *App) metricsHandler() http.Handler {
	return promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{})
}
