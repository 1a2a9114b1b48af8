package app_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/token"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// These tests run one after the other, because each ends by looking for goroutines that were left behind.

var secret = token.NewSecret("the secret of the tests, long enough")

// patience is how long a test waits for what must happen; it ends none that is fine.
const patience = 20 * time.Second

// config is that of a server on any port with a database of its own. It also makes the test look for what it left behind.
func config(t *testing.T) app.Config {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	return app.Config{
		Listen: "127.0.0.1:0", DB: "sqlite:" + filepath.Join(t.TempDir(), "test.db"), JWTSecret: secret,
		AllowPrivate: true, DrainTimeout: patience, Logger: slog.New(slog.DiscardHandler),
	}
}

// running is a server that has started and ends with the test.
func running(t *testing.T, changes ...func(*app.Config)) *app.App {
	t.Helper()
	cfg := config(t)
	for _, change := range changes {
		change(&cfg)
	}
	return started(t, cfg)
}

func started(t *testing.T, cfg app.Config) *app.App {
	t.Helper()
	a := made(t, cfg)
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// made is a server that has not started.
func made(t *testing.T, cfg app.Config) *app.App {
	t.Helper()
	a, err := app.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	return a
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error("stop:", err)
	}
}

// client makes each request on a connection of its own, so that none is left behind.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{
	DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a certificate of this test
}}

// call makes a request of the API and returns its status and body; status 0 means that there is no answer.
func call(t *testing.T, a *app.App, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer(t))
	req.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano()))
	res, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// want makes a request that must get a status.
func want(t *testing.T, a *app.App, status int, method, path, body string) {
	t.Helper()
	if got, text := call(t, a, method, path, body); got != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
}

func bearer(t *testing.T) string {
	t.Helper()
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	text, err := authority.Mint(token.Claims{Org: id.OrgFromBytes([20]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: this has not happened in %v", what, patience)
		}
	}
}

func TestStartOnAnyPort(t *testing.T) {
	a := running(t)
	if _, port, err := net.SplitHostPort(a.Addr()); err != nil || port == "0" {
		t.Errorf("the address is %q", a.Addr())
	}
	for _, path := range []string{"/health", "/ready"} {
		want(t, a, http.StatusNoContent, http.MethodGet, path, "")
	}
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a"}`)
	if status, text := call(t, a, http.MethodGet, "/metrics", ""); status != http.StatusOK || !strings.Contains(text, "go_goroutines") {
		t.Errorf("metrics: status %d, %.100q", status, text)
	}
}

// TestStop ends a server in every state that it can be in, from several callers at once.
func TestStop(t *testing.T) {
	for name, begin := range map[string]func(*testing.T, *app.App){
		"never started": func(*testing.T, *app.App) {},
		"started": func(t *testing.T, a *app.App) {
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"used": func(t *testing.T, a *app.App) {
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			a := made(t, cfg)
			begin(t, a)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() { stop(t, a) })
			}
			all.Wait()
			select {
			case <-a.Done():
			default:
				t.Error("Done is open")
			}
			if err := a.Err(); err != nil {
				t.Errorf("a plain stop is an error: %v", err)
			}
			stop(t, a)
			stop(t, started(t, cfg)) // the database is free
		})
	}
}

// TestStopAtOnce ends servers that have only just started: no part may take the end for a failure.
func TestStopAtOnce(t *testing.T) {
	cfg := config(t)
	for range 20 {
		a := started(t, cfg)
		stop(t, a)
		if err := a.Err(); err != nil {
			t.Fatalf("a plain stop is an error: %v", err)
		}
	}
}

// TestStartAfterStop refuses to run on a store that is closed.
func TestStartAfterStop(t *testing.T) {
	a := made(t, config(t))
	stop(t, a)
	if err := a.Start(t.Context()); err == nil {
		t.Error("a server that was stopped has started")
	}
}

// TestStartTwice refuses the second start and leaves the first alone.
func TestStartTwice(t *testing.T) {
	a := running(t)
	if err := a.Start(t.Context()); err == nil {
		t.Error("a server has started twice")
	}
	want(t, a, http.StatusNoContent, http.MethodGet, "/ready", "")
}

// TestFailedStart names the setting that could not be served; what is opened then is closed by Stop.
func TestFailedStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cert, key := certificate(t)
	other, _ := certificate(t)
	garbage, missing := filepath.Join(t.TempDir(), "garbage"), filepath.Join(t.TempDir(), "missing")
	if err := os.WriteFile(garbage, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	pair := func(cert, key string) func(*app.Config) {
		return func(c *app.Config) { c.TLSCert, c.TLSKey = cert, key }
	}
	for name, tt := range map[string]struct {
		change func(*app.Config)
		want   string // the setting
	}{
		"port in use":              {func(c *app.Config) { c.Listen = taken.Addr().String() }, "listen:"},
		"no such port":             {func(c *app.Config) { c.Listen = "127.0.0.1:123456" }, "listen:"},
		"port of profiles in use":  {func(c *app.Config) { c.DebugListen = taken.Addr().String() }, "debug-listen:"},
		"no certificate":           {pair(missing, key), "tls-cert:"},
		"a certificate of no PEM":  {pair(garbage, key), "tls-cert:"},
		"no key":                   {pair(cert, missing), "tls-key:"},
		"a key of no PEM":          {pair(cert, garbage), "tls-key:"},
		"a key of another":         {pair(other, key), "tls-key:"},
		"certificate in key place": {pair(cert, cert), "tls-key:"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			change := cfg
			tt.change(&change)
			a := made(t, change)
			err := a.Start(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want one that begins with %q", err, tt.want)
			}
			stop(t, a)
			stop(t, started(t, cfg)) // the database is free
		})
	}
}

// certificate makes files of a certificate and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), "file.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("CERTIFICATE", der), write("EC PRIVATE KEY", keyDER)
}

func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	a := running(t, func(cfg *app.Config) { cfg.TLSCert, cfg.TLSKey = cert, key })
	if got := a.URL(); got != "https://"+a.Addr() {
		t.Errorf("the URL is %q", got)
	}
	want(t, a, http.StatusNoContent, http.MethodGet, "/ready", "")
	old := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // it must be refused
	if c, err := tls.Dial("tcp", a.Addr(), old); err == nil {
		t.Error("the server speaks TLS 1.1")
		_ = c.Close()
	}
}

// TestProfiles are served on an address of their own, and not by the API.
func TestProfiles(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	a := running(t, func(cfg *app.Config) { cfg.DebugListen = addr })
	get := func(url string) (int, string) {
		res, err := client.Get(url + "/debug/pprof/goroutine?debug=1")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	if status, text := get("http://" + addr); status != http.StatusOK || !strings.HasPrefix(text, "goroutine profile:") {
		t.Errorf("the profile is %d, %.50q", status, text)
	}
	if status, _ := get(a.URL()); status != http.StatusNotFound {
		t.Errorf("the API serves profiles: %d", status)
	}
	stop(t, a)
	if c, err := net.Dial("tcp", addr); err == nil {
		t.Error("profiles are served after Stop")
		_ = c.Close()
	}
}

// slowReceiver gives a server an app a whose endpoint e tells of each request that arrived, and answers when it is told to.
func slowReceiver(t *testing.T, a *app.App) (arrived <-chan struct{}, answer chan<- struct{}) {
	t.Helper()
	came, goOn := make(chan struct{}, 1), make(chan struct{}, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- struct{}{}
		<-goOn
	}))
	t.Cleanup(receiver.Close)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app/a/endpoint", fmt.Sprintf(`{"uid":"e","url":%q}`, receiver.URL))
	return came, goOn
}

// TestOrderOfTheEnd stops a server while a client is sending a message and a receiver is taking another. The door closes
// first; both are finished, and what came of them is on disk when Stop returns.
func TestOrderOfTheEnd(t *testing.T) {
	cfg := config(t)
	a := started(t, cfg)
	arrived, answer := slowReceiver(t, a)
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"first","payload":{}}`)
	<-arrived

	late := slowPost(t, a, `{"eventType":"second","eventId":"second","payload":{}}`)
	var stopped sync.WaitGroup
	stopped.Go(func() { stop(t, a) })
	eventually(t, "the door to close", func() bool {
		c, err := net.Dial("tcp", a.Addr())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if status := late(); status != http.StatusAccepted {
		t.Errorf("the request under way got status %d, want 202", status)
	}
	select {
	case <-a.Done():
		t.Error("the server has ended while a delivery was under way")
	default:
	}
	close(answer)
	stopped.Wait()

	states := map[string]delivery.State{}
	for _, row := range deliveries(t, cfg) {
		states[row.Message.Type] = row.State
	}
	if states["first"] != delivery.Succeeded {
		t.Errorf("the delivery under way is in state %d, want that of success", states["first"])
	}
	// The second was accepted; whether it still left is the dispatcher's affair.
	if s := states["second"]; s != delivery.Pending && s != delivery.Succeeded {
		t.Errorf("the message that was under way is in state %d", s)
	}
}

// slowPost begins to post a message and returns when the server waits for its body; finish sends that and gives the
// status.
func slowPost(t *testing.T, a *app.App, body string) (finish func() int) {
	t.Helper()
	conn, err := net.Dial("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /api/v1/app/a/msg HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", bearer(t), len(body))
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("the server said %q, %v", line, err)
	}
	return func() int {
		if _, err := in.ReadString('\n'); err != nil { // the empty line after the 100
			t.Error(err)
		}
		if _, err := io.WriteString(conn, body); err != nil {
			t.Error(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer res.Body.Close()
		return res.StatusCode
	}
}

// deliveries reads those of the endpoint "e" of the app "a" from the database of a server that has ended.
func deliveries(t *testing.T, cfg app.Config) []store.DeliveryRow {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, sqlite.Config{Path: strings.TrimPrefix(cfg.DB, "sqlite:")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tenant, err := s.App(ctx, id.OrgFromBytes([20]byte{1}), store.Ref{UID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ep, err := s.AppEndpoint(ctx, tenant.ID, store.Ref{UID: "e"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.ListDeliveries(ctx, store.DeliveryQuery{App: tenant.ID, Endpoint: ep.ID, Page: store.Page{Limit: 100}})
	if err != nil {
		t.Fatal(err)
	}
	return all.Rows
}

// TestStopIsBounded gives up on a client that never finishes its request.
func TestStopIsBounded(t *testing.T) {
	a := running(t)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	slowPost(t, a, `{"eventType":"never","payload":{}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := a.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that the time was over", err)
	}
	<-a.Done()
}

// TestReady turns red while the store takes no writes, and green again by itself.
func TestReady(t *testing.T) {
	cfg := config(t)
	a := started(t, cfg)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	db, err := sql.Open("sqlite", strings.TrimPrefix(cfg.DB, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sabotage := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	sabotage(`ALTER TABLE seen RENAME TO hidden`)
	if status, text := call(t, a, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"a","payload":{}}`); status != http.StatusServiceUnavailable {
		t.Errorf("a message without a store got status %d: %s", status, text)
	}
	want(t, a, http.StatusServiceUnavailable, http.MethodGet, "/ready", "")
	want(t, a, http.StatusNoContent, http.MethodGet, "/health", "")
	sabotage(`ALTER TABLE hidden RENAME TO seen`)
	eventually(t, "the server to be ready again", func() bool {
		status, _ := call(t, a, http.MethodGet, "/ready", "")
		return status == http.StatusNoContent
	})
	want(t, a, http.StatusAccepted, http.MethodPost, "/api/v1/app/a/msg", `{"eventType":"a","payload":{}}`)
}

// TestFailure ends a server of which a part has failed. It waits for clients only as long as it would for deliveries.
func TestFailure(t *testing.T) {
	var log lockedBuffer
	cfg := config(t)
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.DrainTimeout = 20 * time.Millisecond
	a := started(t, cfg)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	slowPost(t, a, `{"eventType":"never","payload":{}}`)
	cause := errors.New("a part is broken")
	a.Fail(cause)
	a.Fail(errors.New("what follows from it"))
	select {
	case <-a.Done():
	case <-time.After(patience):
		t.Fatal("the server waits for a client that never ends its request")
	}
	if err := a.Err(); !errors.Is(err, cause) {
		t.Errorf("the server ended with %v, want the first cause", err)
	}
	if got := strings.Count(log.String(), "the server cannot go on"); got != 1 {
		t.Errorf("the log says %d times that the server cannot go on:\n%s", got, log.String())
	}
}

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestPostgres starts and stops servers on PostgreSQL. They leave nothing behind.
func TestPostgres(t *testing.T) {
	url := postgrestest.Shared(t).NewDatabase(t)
	onPostgres := func(cfg *app.Config) { cfg.DB = url }
	t.Run("started", func(t *testing.T) {
		a := running(t, onPostgres)
		if status, body := call(t, a, http.MethodGet, "/ready", ""); status/100 != 2 {
			t.Errorf("/ready: status %d, %s", status, body)
		}
	})
	t.Run("never started", func(t *testing.T) {
		cfg := config(t)
		onPostgres(&cfg)
		made(t, cfg)
	})
}
