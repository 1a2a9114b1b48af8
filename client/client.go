package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// apiPrefix is where the API lies on a server.
const apiPrefix = "/api/v1"

// Bounds of exchanges.
const (
	tryTimeout     = 30 * time.Second // of one try, but for streams, whose end nobody knows
	connectTimeout = 10 * time.Second
	idleTimeout    = 30 * time.Second
	defaultRetries = 3
	maxRetries     = 100
)

// Client speaks to one server under one token.
type Client struct {
	server string
	// auth gives the Authorization header. It is a function so that no way of printing a
	// client, however deep, shows the token.
	auth    func() string
	agent   string
	retries int
	http    *http.Client
}

// An Option changes how a client speaks to its server.
type Option func(*Client) error

// WithHTTPClient lets requests go through a client of yours, for a proxy or certificates of
// your own. It is copied, and the copy follows no redirects: the API has none, and the token is
// not for those who redirect.
func WithHTTPClient(given *http.Client) Option {
	return func(c *Client) error {
		if given == nil {
			return errors.New("HTTP client: is required")
		}
		c.http = new(*given)
		return nil
	}
}

// WithUserAgent names the program in the header User-Agent; default callboard-client.
func WithUserAgent(name string) Option {
	return func(c *Client) error {
		c.agent = name
		return nil
	}
}

// WithRetries sets how often a request is sent again that failed for a reason that passes: 0
// to 100 times, by default 3.
func WithRetries(n int) Option {
	return func(c *Client) error {
		if n < 0 || n > maxRetries {
			return fmt.Errorf("retries: must be 0 to %d", maxRetries)
		}
		c.retries = n
		return nil
	}
}

// New makes a client of a server, given by its URL without /api/v1, such as
// http://127.0.0.1:8071. It sends nothing. The token is one of the org, which may do
// everything, or one of an app, which may read what is the app's.
func New(server, token string, opts ...Option) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("client: server: must be an http or https URL, without user, query or fragment")
	}
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("client: token: must be printable ASCII without spaces")
	}
	c := &Client{
		server: strings.TrimRight(server, "/"), auth: func() string { return "Bearer " + token },
		agent: "callboard-client", retries: defaultRetries, http: &http.Client{Transport: transport()},
	}
	for _, opt := range opts {
		if err := opt(c); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

func transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: tryTimeout,
		IdleConnTimeout:       idleTimeout,
		// As many as work at once are kept, so that they need not connect again and again.
		MaxIdleConnsPerHost: 64,
	}
}

// Close lets go of connections that are idle. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do makes a request of any route of the API: path is what follows /api/v1, with its query, such
// as /app/acme/endpoint?limit=10. in becomes the body, as JSON, unless it is nil;
// [encoding/json.RawMessage] goes out byte for byte. The answer's body is read as JSON into out,
// unless that is nil or there is none; at most 16 MiB of it.
//
// Its errors are [*Error], [*UnreachableError], ctx's, and what is wrong with in or the answer.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return fmt.Errorf("%s: %w", operation(method, path), err)
	}
	read := func(answer io.Reader) error { return decode(answer, out) }
	return c.exchange(ctx, &request{method: method, path: path, body: body, read: read})
}

// Open makes a GET request of a route whose answer is long or never ends, such as
// /app/acme/event/summit/attendance or an inbox, and gives the answer's body, which the caller
// reads and closes. accept is the header of that name; "" = none. Reading ends with ctx.
func (c *Client) Open(ctx context.Context, path, accept string) (io.ReadCloser, error) {
	var body io.ReadCloser
	err := c.exchange(ctx, &request{method: http.MethodGet, path: path, accept: accept, keep: func(b io.ReadCloser) { body = b }})
	return body, err
}

// App is an app of the server, by its id or uid. It sends nothing: an app that is not there is
// [ErrNotFound] where it is used.
func (c *Client) App(app string) App { return App{c, app} }
