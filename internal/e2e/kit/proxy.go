package kit

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between a server and what that connects to, and can fall silent: connections are taken and stay open, and
// nothing comes through, as when a machine hangs or a network drops everything. What was sent meanwhile comes through
// late. It is safe for concurrent use.
type Proxy struct {
	Addr string // host:port

	target string
	ended  sync.WaitGroup
	ending chan struct{}

	mu    sync.Mutex
	flows chan struct{} // closed while bytes come through
	conns []net.Conn
}

// NewProxy starts a proxy to a TCP address; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: listener.Addr().String(), target: target, ending: make(chan struct{}), flows: make(chan struct{})}
	close(p.flows)
	p.ended.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil { // it was closed
				return
			}
			p.ended.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		close(p.ending)
		_ = listener.Close()
		p.mu.Lock()
		for _, conn := range p.conns {
			_ = conn.Close()
		}
		p.mu.Unlock()
		p.ended.Wait()
	})
	return p
}

// Silence holds all bytes back, those of new connections included.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flows = make(chan struct{})
}

// Speak ends a Silence.
func (p *Proxy) Speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.flows)
}

// serve carries the bytes of one connection.
func (p *Proxy) serve(conn net.Conn) {
	defer conn.Close()
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer up.Close()
	p.mu.Lock()
	p.conns = append(p.conns, conn, up)
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.carry(up, conn) })
	both.Go(func() { p.carry(conn, up) })
	both.Wait()
}

// carry copies one direction; the end of it is carried on too.
func (p *Proxy) carry(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !p.await() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			return
		}
	}
}

// await waits until bytes come through; false = the test is over.
func (p *Proxy) await() bool {
	p.mu.Lock()
	flows := p.flows
	p.mu.Unlock()
	select {
	case <-flows:
		return true
	case <-p.ending:
		return false
	}
}
