package dispatch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/netguard"
)

// describe says in plain words why no usable answer came. The words are shown to
// the endpoint's owner: they hold no address, no header and no internals.
func describe(err error, timeout time.Duration) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("No complete answer within %s", timeout)
	}
	if guard, ok := errors.AsType[*netguard.AddressError](err); ok {
		return "Connection refused by this server's network policy: " + guard.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "The host name does not resolve"
		}
		return "The host name could not be looked up"
	}
	if text := describeTLS(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Connection refused: nothing listens on that port"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "The receiver reset the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "The host cannot be reached"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "The receiver closed the connection without an answer"
	case strings.Contains(err.Error(), "server closed idle connection"):
		return "The receiver closed the connection without an answer"
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "The receiver's answer is not HTTP"
	case strings.Contains(err.Error(), "headers exceeded"):
		return "The answer's headers are larger than 32 KiB"
	}
	return "The request failed"
}

// maxDescription bounds what is kept of a dialect's words.
const maxDescription = 500

// describeUnrenderable says why a dialect could not write a payload. Its errors name the
// member that is wrong and quote no value.
func describeUnrenderable(err error) string {
	if !errors.Is(err, dialect.ErrUnrenderable) {
		return "The " + dialect.ErrUnrenderable.Error()
	}
	text := "The " + err.Error()
	if len(text) > maxDescription {
		text = strings.ToValidUTF8(text[:maxDescription], "") + "…"
	}
	return text
}

// describeTLS explains a failed handshake; it gives "" for other errors.
func describeTLS(err error) string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return expired(invalid.Cert, time.Now())
		}
		return "The TLS certificate is not valid"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "The TLS certificate is for another host name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "The TLS certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "The port does not speak TLS"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "The receiver refused the TLS handshake"
	}
	return ""
}

// expired says how far outside of its life a certificate is.
func expired(cert *x509.Certificate, now time.Time) string {
	if cert == nil {
		return "The TLS certificate has expired or is not yet valid"
	}
	if now.Before(cert.NotBefore) {
		return "The TLS certificate is not valid before " + cert.NotBefore.UTC().Format(time.RFC3339)
	}
	switch days := int(now.Sub(cert.NotAfter).Hours() / 24); days {
	case 0:
		return "The TLS certificate expired less than a day ago"
	case 1:
		return "The TLS certificate expired 1 day ago"
	default:
		return fmt.Sprintf("The TLS certificate expired %d days ago", days)
	}
}
