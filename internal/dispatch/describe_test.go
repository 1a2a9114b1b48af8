package dispatch_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dispatch"
	"github.com/callboard/callboard/internal/netguard"
	"github.com/google/go-cmp/cmp"
)

// told is what an endpoint's owner reads about an attempt without an answer.
type told struct{ Kept, Title string }

// TestExplainedFailures breaks real connections and reads what becomes of it.
func TestExplainedFailures(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, tt := range []struct {
		name  string
		serve func(t *testing.T) (address string, trusted *x509.CertPool)
		want  told
	}{
		{"expired", certified(-30*day, -3*day-time.Hour, "127.0.0.1"), told{"The TLS certificate expired 3 days ago", "TLS certificate expired 3 days ago"}},
		{"expired just now", certified(-30*day, -time.Hour, "127.0.0.1"), told{"The TLS certificate expired less than a day ago", "TLS certificate expired less than a day ago"}},
		{"other host", certified(-day, day, "other.example"), told{
			"The TLS certificate is for another host name: it names other.example", "TLS certificate is for another host name",
		}},
		{"unknown authority", distrusted, told{
			"The TLS certificate is signed by an unknown authority", "TLS certificate is signed by an unknown authority",
		}},
		{"no TLS", plain, told{"The port does not speak TLS", "The port does not speak TLS"}},
		{"refused", nobody, told{"Connection refused: nothing listens on that port", "Connection refused"}},
		{"hung up", hungUp, told{"The receiver closed the connection without an answer", "The receiver closed the connection without an answer"}},
		{"silent", silent, told{"No complete answer within 250ms", "No complete answer within 250ms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, trusted := tt.serve(t)
			kept := dispatch.Describe(failure(t, address, trusted), patience)
			e := delivery.Explain(&delivery.Attempt{Error: kept})
			if diff := cmp.Diff(tt.want, told{kept, e.Title}); diff != "" {
				t.Error(diff)
			}
			if e.Hint == "" {
				t.Error("there is no hint")
			}
		})
	}
}

// patience is how long these tests wait for an answer.
const patience = 250 * time.Millisecond

// failure makes a request that must fail, as the dispatcher does.
func failure(t *testing.T, address string, trusted *x509.CertPool) error {
	t.Helper()
	transport := dispatch.NewTransport(netguard.New(netguard.Policy{AllowPrivate: true}))
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig.RootCAs = trusted
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(r)
	if err == nil {
		answer.Body.Close()
		t.Fatalf("answered %d", answer.StatusCode)
	}
	return err
}

// certified serves with a certificate of this life, from now on, for this host.
func certified(from, until time.Duration, host string) func(t *testing.T) (string, *x509.CertPool) {
	return func(t *testing.T) (string, *x509.CertPool) {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = []net.IP{ip}
		} else {
			template.DNSNames = []string{host}
		}
		raw, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		server := quietServer()
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
		server.StartTLS()
		t.Cleanup(server.Close)
		trusted := x509.NewCertPool()
		trusted.AddCert(leaf)
		return server.URL, trusted
	}
}

// quietServer is a server that does not log how handshakes with it failed.
func quietServer() *httptest.Server {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	return server
}

func distrusted(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	address, _ := certified(-time.Hour, time.Hour, "127.0.0.1")(t)
	return address, x509.NewCertPool()
}

func plain(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	server := quietServer()
	server.Start()
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http:", "https:", 1), nil
}

func nobody(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	l := listen(t)
	l.Close()
	return "http://" + l.Addr().String(), nil
}

// hungUp takes connections, reads a request's beginning and closes them.
func hungUp(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, c, 1)
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String(), nil
}

// silent takes connections and never answers.
func silent(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	return "http://" + listen(t).Addr().String(), nil
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestDescribeRedirect(t *testing.T) {
	t.Parallel()
	from, err := url.Parse("http://shop.example/hook?key=ours")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		status         int
		location, want string
	}{
		{301, "https://shop.example/hook", "The receiver redirects to https://shop.example/hook"},
		{308, "/hook/", "The receiver redirects to http://shop.example/hook/"},
		{302, "https://user:secret@id.example/login?back=secret#secret", "The receiver redirects to https://id.example/login?…"},
		{302, "javascript:alert(1)", ""},
		{302, "https:///nowhere", ""},
		{302, "https://a.example/\r\nSet-Cookie: x", ""},
		{302, "https://a.example/" + strings.Repeat("x", 600), ""},
		{302, "", ""},
		{404, "https://a.example/", ""},
	} {
		answer := delivery.Answer{StatusCode: tt.status, Header: http.Header{"Location": {tt.location}}}
		if got := dispatch.DescribeRedirect(from, answer); got != tt.want {
			t.Errorf("%d to %q: got %q, want %q", tt.status, tt.location, got, tt.want)
		}
	}
}

// TestRedirectIsKept: an endpoint's owner learns where the receiver redirects to.
func TestRedirectIsKept(t *testing.T) {
	inWorld(t, dispatch.Config{}, func(w *world) {
		app := w.app()
		w.endpoint(app, "moved.example", func(context.Context, post) (int, http.Header) {
			return http.StatusMovedPermanently, http.Header{"Location": {"https://new.example/hook"}}
		})
		m := w.send(app)
		w.settle()
		got := w.attempts(app, m)
		if len(got) != 1 || got[0].StatusCode != 301 || got[0].Error != "The receiver redirects to https://new.example/hook" {
			t.Errorf("attempts are %+v", got)
		}
	})
}
