package dispatch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/netguard"
)

// describe says in plain words why no usable answer came. The words are shown to
// the endpoint's owner: they hold no address, no header and no internals.
func describe(err error, timeout time.Duration) string {
	if text := describeConnecting(err); text != "" {
		return text
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return delivery.TextTimeout + timeout.String()
	}
	if guard, ok := errors.AsType[*netguard.AddressError](err); ok {
		return delivery.TextPolicy + guard.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return delivery.TextNoHost
		}
		return delivery.TextLookup
	}
	if text := describeTLS(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return delivery.TextRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return delivery.TextReset
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return delivery.TextUnreachable
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return delivery.TextClosed
	case strings.Contains(err.Error(), "server closed idle connection"):
		return delivery.TextClosed
	case strings.Contains(err.Error(), "malformed HTTP"):
		return delivery.TextNotHTTP
	case strings.Contains(err.Error(), "headers exceeded"):
		return delivery.TextLongHeaders
	}
	return delivery.TextFailed
}

// describeConnecting says that making the connection took longer than it may, which is
// less than a whole exchange may; it gives "" for other errors.
func describeConnecting(err error) string {
	operation, ok := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	switch {
	case ok && !dns && operation.Op == "dial" && operation.Timeout():
		return delivery.TextNoConnection + connectTimeout.String()
	case strings.Contains(err.Error(), "TLS handshake timeout"):
		return delivery.TextNoHandshake + connectTimeout.String()
	}
	return ""
}

// describeRedirect says where an answer redirects to, in full but for what may be secret:
// user, query and fragment. It gives "" if the answer does not say it.
func describeRedirect(from *url.URL, answer delivery.Answer) string {
	if answer.StatusCode < 300 || answer.StatusCode > 399 || answer.Header.Get("Location") == "" {
		return ""
	}
	to, err := from.Parse(answer.Header.Get("Location"))
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return ""
	}
	shown := (&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path, RawPath: to.RawPath}).String()
	if to.RawQuery != "" {
		shown += "?…"
	}
	if len(shown) > maxDescription {
		return ""
	}
	return delivery.TextRedirect + shown
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
		return delivery.TextInvalidCert
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return otherHost(other.Certificate)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return delivery.TextUnknownIssuer
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return delivery.TextNoTLS
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return delivery.TextHandshakeAlert
	}
	return ""
}

// maxNames is how many of a certificate's names are told.
const maxNames = 3

// otherHost says which host names a certificate is for. They are public, but written by a
// stranger: what does not look like a host name is left out.
func otherHost(cert *x509.Certificate) string {
	if cert == nil {
		return delivery.TextOtherHost
	}
	strange := func(name string) bool {
		return len(name) > 100 || name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_.*") != ""
	}
	names := slices.DeleteFunc(slices.Clone(cert.DNSNames), strange)
	switch {
	case len(names) == 0:
		return delivery.TextOtherHost
	case len(names) > maxNames:
		return fmt.Sprintf("%s: it names %s and %d more", delivery.TextOtherHost, strings.Join(names[:maxNames], ", "), len(names)-maxNames)
	}
	return delivery.TextOtherHost + ": it names " + strings.Join(names, ", ")
}

// expired says how far outside of its life a certificate is.
func expired(cert *x509.Certificate, now time.Time) string {
	if cert == nil {
		return delivery.TextUndatedCert
	}
	if now.Before(cert.NotBefore) {
		return delivery.TextEarlyCert + cert.NotBefore.UTC().Format(time.RFC3339)
	}
	switch days := int(now.Sub(cert.NotAfter).Hours() / 24); days {
	case 0:
		return delivery.TextExpiredCert + "less than a day ago"
	case 1:
		return delivery.TextExpiredCert + "1 day ago"
	default:
		return delivery.TextExpiredCert + strconv.Itoa(days) + " days ago"
	}
}
