package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// forwardTimeout bounds one exchange with the target; it is the time that Callboard
// itself gives an endpoint by default.
const forwardTimeout = 15 * time.Second

// maxForwarded is how much of the target's answer is read, in bytes, so that the connection can be used again.
const maxForwarded = 16 << 20

// forwarder sends webhooks on to the developer's own server.
type forwarder struct {
	target string
	http   *http.Client
}

// forwarded is what became of one.
type forwarded struct {
	Status int           // 0 = no answer
	Took   time.Duration // until the answer's body had ended
	Err    error
}

// newForwarder makes the forwarder to a URL; nil if there is none.
func newForwarder(target string) *forwarder {
	if target == "" {
		return nil
	}
	return &forwarder{target: target, http: &http.Client{
		Transport: &http.Transport{
			Proxy:              http.ProxyFromEnvironment,
			DialContext:        (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			DisableCompression: true, // no header that did not come
			IdleConnTimeout:    30 * time.Second,
		},
		// Callboard follows no redirect either: the developer should see it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// close lets go of connections.
func (f *forwarder) close() {
	if f != nil {
		f.http.CloseIdleConnections()
	}
}

// ownHeaders are those of a connection, which the one to the target has anew.
var ownHeaders = []string{ //nolint:gochecknoglobals // constant
	"Connection", "Content-Length", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// post sends a webhook on with its headers and its bytes. The answer's body is read,
// for the time that it takes, and thrown away.
func (f *forwarder) post(ctx context.Context, a *arrival) forwarded {
	ctx, cancel := context.WithTimeout(ctx, forwardTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.target, bytes.NewReader(a.body))
	if err != nil {
		return forwarded{Err: err}
	}
	request.Header = a.Headers.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	for _, name := range ownHeaders {
		request.Header.Del(name)
	}
	begin := time.Now()
	response, err := f.http.Do(request)
	if err != nil {
		return forwarded{Took: time.Since(begin), Err: plainly(err)}
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxForwarded))
	return forwarded{Status: response.StatusCode, Took: time.Since(begin), Err: plainly(err)}
}

// plainly is why there is no answer, without the method and the URL.
func plainly(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer within " + forwardTimeout.String())
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	}
	return err
}
