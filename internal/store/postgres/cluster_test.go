package postgres_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// eventually waits until done reports true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

// process is one of several on a database.
type process struct {
	*postgres.Store
	t    *testing.T
	gen  *id.Generator
	news chan *store.News
}

func open(t *testing.T, url string) *process {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Hasty(postgres.Config{URL: url, Logger: slog.New(slog.DiscardHandler)}))
	if err != nil {
		t.Fatal(err)
	}
	gen, err := id.NewGenerator(s.Node(), 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Store: s, t: t, gen: gen, news: make(chan *store.News, 100)}
	t.Cleanup(func() { _ = s.Close() })
	return p
}

// watch passes on what others do.
func (p *process) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		_ = p.Watch(ctx, func(news *store.News) {
			select {
			case p.news <- news:
			default: // nobody looks any more
			}
		})
	})
	p.t.Cleanup(func() {
		cancel()
		done.Wait()
	})
}

func (p *process) next() id.ID { return p.gen.Next(time.Now()) }

func (p *process) write(c store.Changes) error {
	return p.Update(p.t.Context(), func(tx commit.Tx) error { return tx.Apply(p.t.Context(), &c) })
}

// endpoint writes an app with an endpoint.
func (p *process) endpoint() (app store.App, ep delivery.Endpoint) {
	p.t.Helper()
	app = store.App{ID: p.next(), Org: "org_1", Name: "App", ConfigVersion: 1}
	ep = delivery.Endpoint{ID: p.next(), App: app.ID, URL: "https://receiver.example/hook", Version: 1}
	if err := p.write(store.Changes{Apps: []store.App{app}, Endpoints: []delivery.Endpoint{ep}}); err != nil {
		p.t.Fatal(err)
	}
	return app, ep
}

// message makes a message with a delivery that is due.
func (p *process) message(ep delivery.Endpoint, state delivery.State) (store.Changes, delivery.Delivery) {
	m := store.Message{ID: p.next(), App: ep.App, Type: "a", Payload: []byte(`{}`)}
	d := delivery.Delivery{
		Key: delivery.Key{Message: m.ID, Endpoint: ep.ID}, App: ep.App, State: state, NextAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	if state == delivery.Leased {
		d.Generation = 1
	}
	return store.Changes{Messages: []store.Message{m}, Deliveries: []delivery.Delivery{d}}, d
}

func (p *process) claim(ep id.ID) []delivery.Delivery {
	p.t.Helper()
	got, err := p.Claim(p.t.Context(), time.Now().Add(time.Second), []store.LaneRoom{{Endpoint: ep, Room: 100}})
	if err != nil {
		p.t.Fatal(err)
	}
	return got[0].Rows
}

// claimSoon claims from a lane until there is something, whatever is wrong meanwhile.
func (p *process) claimSoon(ep id.ID) (got []delivery.Delivery) {
	p.t.Helper()
	eventually(p.t, "a row to be claimed", func() bool {
		lanes, err := p.Claim(p.t.Context(), time.Now().Add(time.Second), []store.LaneRoom{{Endpoint: ep, Room: 5}})
		if err == nil {
			got = lanes[0].Rows
		}
		return len(got) > 0
	})
	return got
}

// holdTwo makes a process hold two deliveries of an endpoint, a claimed one and one
// that was handed to it.
func (p *process) holdTwo(ep delivery.Endpoint) {
	p.t.Helper()
	for _, state := range []delivery.State{delivery.Pending, delivery.Leased} {
		c, _ := p.message(ep, state)
		if err := p.write(c); err != nil {
			p.t.Fatal(err)
		}
	}
	if got := len(p.claim(ep.ID)); got != 1 {
		p.t.Fatalf("claimed %d deliveries, want 1", got)
	}
}

// TestProcessDies lets a process end without a good-bye. The other one takes over
// what it held, once, under a later generation, and says so to its dispatcher.
func TestProcessDies(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a, b := open(t, url), open(t, url)
	if a.Node() == b.Node() {
		t.Fatalf("two processes have node number %d", a.Node())
	}
	b.watch()
	_, ep := a.endpoint()
	a.holdTwo(ep)
	eventually(t, "the other to have seen it alive", func() bool { return len(b.claim(ep.ID)) == 0 })
	postgres.Crash(a.Store)
	var got []delivery.Delivery
	for len(got) < 2 {
		select {
		case news := <-b.news:
			for _, due := range news.Due {
				if due.Endpoint != ep.ID || due.App != ep.App {
					t.Errorf("there is work for %+v, want endpoint %d of app %d", due, ep.ID, ep.App)
				}
				got = append(got, b.claim(ep.ID)...)
			}
		case <-time.After(patience):
			t.Fatalf("claimed %d deliveries of the dead process, want 2, and nobody says that there are more", len(got))
		}
	}
	for _, d := range got {
		if d.Generation != 2 {
			t.Errorf("generation %d, want 2", d.Generation)
		}
	}
}

// TestProcessDiesAlone starts a process after the only other one has died.
func TestProcessDiesAlone(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a := open(t, url)
	_, ep := a.endpoint()
	a.holdTwo(ep)
	postgres.Crash(a.Store)
	b := open(t, url)
	var got []delivery.Delivery
	eventually(t, "what it held to be pending", func() bool {
		got = append(got, b.claim(ep.ID)...)
		return len(got) == 2
	})
	if b.Node() == a.Node() {
		t.Errorf("the number of a dead process, %d, was given out again at once", b.Node())
	}
}

// TestProcessHangs stops a process that keeps its connections. The other one takes
// over; when the first one goes on it can write nothing, and learns that it is over.
func TestProcessHangs(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a, b := open(t, url), open(t, url)
	_, ep := a.endpoint()
	a.holdTwo(ep)
	postgres.Hang(a.Store)
	var got []delivery.Delivery
	eventually(t, "what it held to be pending", func() bool {
		got = append(got, b.claim(ep.ID)...)
		return len(got) == 2
	})
	if a.Sure() {
		t.Error("a process that was silent for long relies on what it holds")
	}
	if !b.Sure() {
		t.Error("a process that works does not rely on what it holds")
	}
	c, _ := a.message(ep, delivery.Pending)
	if err := a.write(c); !errors.Is(err, store.ErrLost) {
		t.Errorf("a process that was taken for dead writes: %v, want %v", err, store.ErrLost)
	}
	if _, err := a.Claim(t.Context(), time.Now(), []store.LaneRoom{{Endpoint: ep.ID, Room: 1}}); !errors.Is(err, store.ErrLost) {
		t.Errorf("a process that was taken for dead claims: %v, want %v", err, store.ErrLost)
	}
	if n := len(b.claim(ep.ID)); n != 0 {
		t.Errorf("it has written %d deliveries", n)
	}
}

// TestFencedWatch expects the dispatcher of a process that was taken for dead to
// be told.
func TestFencedWatch(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a := open(t, url)
	ended := make(chan error, 1)
	go func() { ended <- a.Watch(context.Background(), func(*store.News) {}) }()
	if err := exec(t, url, `UPDATE node SET incarnation = incarnation + 1, open = false`); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, store.ErrLost) {
			t.Errorf("the watch ended with %v, want %v", err, store.ErrLost)
		}
	case <-time.After(patience):
		t.Error("the watch goes on")
	}
}

// exec runs a statement on a connection of its own.
func exec(t *testing.T, url, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), sql)
	return errors.Join(err, conn.Close(t.Context()))
}

// TestServerRestarts kills the server. Every process comes back by itself, and
// keeps what it held: the others do not take it for dead.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	url := server.NewDatabase(t)
	a, b := open(t, url), open(t, url)
	_, ep := a.endpoint()
	a.holdTwo(ep)
	server.Kill()
	for _, err := range []error{
		a.Ping(t.Context()),
		a.Update(t.Context(), func(tx commit.Tx) error { return tx.Apply(t.Context(), &store.Changes{}) }),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("while the server is down: %v, want %v", err, store.ErrUnavailable)
		}
	}
	server.Restart(t)
	for _, p := range []*process{a, b} {
		eventually(t, "the store to come back", func() bool { return p.Ping(t.Context()) == nil })
	}
	var late int
	for range 50 { // half a second of looks
		late += len(b.claim(ep.ID))
	}
	if late != 0 {
		t.Errorf("the other has taken over %d deliveries of a process that lives", late)
	}
	c, _ := a.message(ep, delivery.Pending)
	if err := a.write(c); err != nil {
		t.Errorf("it cannot write any more: %v", err)
	}
}

// TestHints expects word of a changed endpoint, and of rows that wait.
func TestHints(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	a, b := open(t, url), open(t, url)
	b.watch()
	app, ep := a.endpoint()
	want := map[string]bool{"endpoint": false, "app": false}
	eventually(t, "word of the new endpoint", func() bool {
		select {
		case news := <-b.news:
			for _, k := range news.Endpoints {
				want["endpoint"] = want["endpoint"] || k == ep.ID
			}
			for _, k := range news.Apps {
				want["app"] = want["app"] || k == app.ID
			}
		default:
		}
		return want["endpoint"] && want["app"]
	})
}

// relay stands between a store and its server. Once it is told to, it passes on
// what the client says and not what the server answers: the connection breaks after
// the server has done what it was told.
type relay struct {
	listener net.Listener
	server   string
	deaf     atomic.Bool
	conns    sync.WaitGroup
}

func newRelay(t *testing.T, target string) (*relay, string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{server: u.Host}
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	u.Host = r.listener.Addr().String()
	go func() {
		for {
			conn, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.conns.Go(func() { r.serve(conn) })
		}
	}()
	t.Cleanup(func() {
		_ = r.listener.Close()
		r.conns.Wait()
	})
	return r, u.String()
}

func (r *relay) serve(client net.Conn) {
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	both.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || r.deaf.Load() {
				break
			}
			if _, err := client.Write(buf[:n]); err != nil {
				break
			}
		}
		_ = client.Close()
	})
	both.Wait()
}

// TestUnknownCommit breaks the connection after the server got a COMMIT and before
// it could say so. The caller is told that the store is unavailable; the leases that
// the transaction made are not lost with it.
func TestUnknownCommit(t *testing.T) {
	t.Parallel()
	target := postgrestest.Shared(t).NewDatabase(t)
	relay, through := newRelay(t, target)
	a := open(t, through)
	_, ep := a.endpoint()
	first, _ := a.message(ep, delivery.Leased) // the statements are prepared with the first
	if err := a.write(first); err != nil {
		t.Fatal(err)
	}
	c, d := a.message(ep, delivery.Leased)
	relay.deaf.Store(true)
	err := a.write(c)
	relay.deaf.Store(false)
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a commit without an answer: %v, want %v", err, store.ErrUnavailable)
	}
	got := a.claimSoon(ep.ID)
	want := d
	want.Generation = 2
	if diff := cmp.Diff([]delivery.Delivery{want}, got); diff != "" {
		t.Errorf("claimed (-want +got):\n%s", diff)
	}
}

// TestUnknownClaim does the same to a claim.
func TestUnknownClaim(t *testing.T) {
	t.Parallel()
	target := postgrestest.Shared(t).NewDatabase(t)
	relay, through := newRelay(t, target)
	a := open(t, through)
	_, ep := a.endpoint()
	a.claim(ep.ID) // the statements are prepared with the first
	c, d := a.message(ep, delivery.Pending)
	if err := a.write(c); err != nil {
		t.Fatal(err)
	}
	relay.deaf.Store(true)
	_, err := a.Claim(t.Context(), time.Now().Add(time.Second), []store.LaneRoom{{Endpoint: ep.ID, Room: 5}})
	relay.deaf.Store(false)
	if !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a claim without an answer: %v, want %v", err, store.ErrUnavailable)
	}
	got := a.claimSoon(ep.ID)
	if len(got) != 1 || got[0].Key != d.Key {
		t.Errorf("claimed %v, want one lease of %v", got, d.Key)
	}
}

// TestGiveBackLater gives a lease back while the server is away.
func TestGiveBackLater(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	a := open(t, server.NewDatabase(t))
	_, ep := a.endpoint()
	c, _ := a.message(ep, delivery.Pending)
	if err := a.write(c); err != nil {
		t.Fatal(err)
	}
	rows := a.claim(ep.ID)
	server.Kill()
	if err := a.GiveBack(t.Context(), rows); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("give back: %v, want %v", err, store.ErrUnavailable)
	}
	server.Restart(t)
	got := a.claimSoon(ep.ID)
	if len(got) != 1 || got[0].Key != rows[0].Key {
		t.Errorf("claimed %v, want one lease of %v", got, rows[0].Key)
	}
}

// TestLateServer opens a store before its server is there.
func TestLateServer(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	url := server.NewDatabase(t)
	server.Stop()
	opened := make(chan error, 1)
	var s *postgres.Store
	go func() {
		var err error
		s, err = postgres.Open(t.Context(), postgres.Hasty(postgres.Config{URL: url, Logger: slog.New(slog.DiscardHandler)}))
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("opened without a server: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	server.Restart(t)
	select {
	case err := <-opened:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the store does not open")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestWrongURL expects a wrong URL to be said at once, without its password.
func TestWrongURL(t *testing.T) {
	t.Parallel()
	good := postgrestest.Shared(t).URL("nowhere")
	for name, url := range map[string]string{
		"no such database": good,
		"no URL":           "postgres://user:sesame@[::1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
			if err == nil {
				t.Fatal("opened; closing:", s.Close())
			}
			t.Log(err)
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}
