package dispatch

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/callboard/callboard/internal/netguard"
)

// maxHeaderBytes bounds the headers of a receiver's answer.
const maxHeaderBytes = 32 << 10

// connectTimeout bounds the connection's two halves, each.
const connectTimeout = 10 * time.Second

// NewTransport makes the transport that deliveries go out by. Every connection
// passes the guard after name resolution; there is no proxy, which would hide
// the address from the guard, no HTTP/2, no decompression.
func NewTransport(guard *netguard.Guard) *http.Transport {
	dialer := &net.Dialer{
		Timeout:   connectTimeout,
		KeepAlive: 30 * time.Second,
		Control:   guard.Control,
	}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:     true,
		MaxIdleConns:           8192,
		MaxIdleConnsPerHost:    1024, // many endpoints may share a host; a dial costs more than a delivery
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		WriteBufferSize:        8 << 10,
	}
}
