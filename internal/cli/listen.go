package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"sync"
	"time"

	"github.com/callboard/callboard/client"
)

// listenCommand is `callboard listen`.
type listenCommand struct {
	ForwardTo string   `placeholder:"URL" help:"POST each webhook on to this URL, such as http://localhost:3000/webhook, or localhost:3000."`
	Events    []string `placeholder:"TYPE" help:"The event types to hear, such as session.joined,session.left. Default: all."`
	Dialect   string   `default:"native" placeholder:"DIALECT" help:"How webhooks look: native, zuddl, sessionboard, oration or iotum. Default ${default}."`
	Name      string   `placeholder:"NAME" help:"Tells apart who listens at the same time: the endpoint's uid is this and, unless native, the dialect. Default listen-USER-HOST."`
	JSON      bool     `name:"json" help:"Print one JSON object per line for each webhook."`

	apiFlags
}

// Help is the end of `callboard listen --help`.
func (listenCommand) Help() string {
	return `Receives an app's webhooks on this machine, which no server needs to reach: they come over the API. The endpoint that
it makes is kept and has the same secret every time; while nobody listens it is disabled. Each webhook is verified,
printed, and sent on as it came: same headers, same bytes. It connects again by itself. Ctrl-C ends it.

Example:

    callboard listen --app acme --events session.joined,session.left --forward-to http://localhost:3000/webhook`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *listenCommand) Validate() error {
	if c.ForwardTo != "" {
		if !strings.Contains(c.ForwardTo, "://") {
			c.ForwardTo = "http://" + c.ForwardTo
		}
		if u, err := url.Parse(c.ForwardTo); err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("--forward-to: must be an http or https URL, or HOST:PORT")
		}
	}
	if c.Name != "" && (len(c.Name) > maxName || c.Name != asWord(c.Name)) {
		return fmt.Errorf("--name: must be at most %d characters of A-Z a-z 0-9 . - _", maxName)
	}
	if err := checkDialect(c.Dialect); err != nil {
		return err
	}
	return c.check()
}

// maxName is the longest name of a listener, in bytes.
const maxName = 100

// uid is that of the endpoint, and the label of the inbox. The dialect is part of it
// because each has secrets of another form.
func (c *listenCommand) uid() string {
	name := c.Name
	if name == "" {
		name = "listen-" + whoami()
	}
	if c.Dialect != "native" {
		name += "-" + c.Dialect
	}
	return name
}

// whoami is the user and the machine, in the characters of a uid.
func whoami() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname() // "" does as well
	text := strings.Trim(asWord(name)+"-"+asWord(host), "-.")
	return text[:min(len(text), maxName-len("listen-"))]
}

// asWord puts a dash for each character that a uid may not have.
func asWord(text string) string {
	return strings.Map(func(r rune) rune {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if letter || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, text)
}

// Run listens until ctx ends.
func (c *listenCommand) Run(ctx context.Context, p *process) error {
	api, err := c.client(client.WithRetries(0)) // keepListening does that
	if err != nil {
		return err
	}
	defer api.Close()
	found, err := api.findApp(ctx, c.App)
	if err != nil {
		return err
	}
	forwarder := newForwarder(c.ForwardTo)
	defer forwarder.close()
	l := &listening{
		api: api, app: found, uid: c.uid(), dialect: c.Dialect, events: c.Events, forward: forwarder,
		screen: newScreen(p.stdout, p.stderr, c.JSON), queue: make(chan arrival, queued),
	}
	return l.run(ctx)
}

// queued is how many webhooks wait for the forwarding of the one before. When it is
// full the stream is not read, and the server tells senders to try again.
const queued = 256

// listening is a `callboard listen` at work. One goroutine reads the stream and
// verifies, another prints and forwards.
type listening struct {
	api     *apiClient
	app     apiApp
	uid     string
	dialect string
	events  []string
	forward *forwarder
	screen  *screen
	queue   chan arrival

	secrets secrets // of the reading goroutine

	mu       sync.Mutex // held while the endpoint is changed
	endpoint string     // id; "" before there is one
	leaving  bool       // the endpoint is not to be enabled any more
}

// run listens until ctx ends. Then the endpoint is disabled first, so that what was on
// its way still arrives, and then the stream is closed.
func (l *listening) run(ctx context.Context) error {
	streaming, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	var showing sync.WaitGroup
	showing.Go(func() { l.showAll(streaming) })
	defer showing.Wait()
	ended := make(chan error, 1)
	go func() {
		defer close(l.queue)
		ended <- l.keepListening(streaming)
	}()
	select {
	case err := <-ended:
		hangUp()
		return errors.Join(err, l.disable(ctx))
	case <-ctx.Done():
	}
	err := l.disable(ctx)
	hangUp()
	if why := <-ended; !errors.Is(why, context.Canceled) { // as it was told
		err = errors.Join(err, why)
	}
	return err
}

// showAll prints and forwards one webhook after the other.
func (l *listening) showAll(ctx context.Context) {
	for a := range l.queue {
		l.screen.arrived(&a)
		if l.forward == nil {
			l.screen.handled(&a, nil)
			continue
		}
		result := l.forward.post(ctx, &a)
		l.screen.handled(&a, &result)
	}
}

// Bounds of waiting before another attempt to connect.
const (
	firstPause = 500 * time.Millisecond
	maxPause   = 15 * time.Second
	// steady is how long a connection must have held to count as a good one.
	steady = 10 * time.Second
)

// keepListening connects again and again until ctx ends or trying again is useless.
// A server that is not there at the first attempt is an error.
func (l *listening) keepListening(ctx context.Context) error {
	pause := firstPause
	for {
		began := time.Now()
		err := l.stream(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case l.endpointID() == "" || hopeless(err):
			return err
		case time.Since(began) > steady:
			pause = firstPause
		}
		wait := pause/2 + rand.N(pause)
		l.screen.note("connection lost (%v); trying again in %s", err, wait.Round(100*time.Millisecond))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		pause = min(2*pause, maxPause)
	}
}

// hopeless reports whether the server has answered and will answer so again. A 404 that
// is not the API's is a proxy's, whose server is away.
func hopeless(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity:
		return true
	case http.StatusNotFound:
		return e.Code != ""
	}
	return false
}

// retrySchedule is that of the endpoint. A listener that is away for a moment misses
// nothing, and one that has gone without a word is given up on after some 20 minutes.
var retrySchedule = []string{"1s", "1s", "2s", "5s", "10s", "30s", "1m", "2m", "5m", "10m"} //nolint:gochecknoglobals // constant

// listenEndpoint is what the endpoint is made of.
type listenEndpoint struct {
	URL           string   `json:"url"`
	Description   string   `json:"description"`
	Disabled      bool     `json:"disabled"`
	FilterTypes   []string `json:"filterTypes"` // null = all
	Dialect       string   `json:"dialect"`
	RetrySchedule []string `json:"retrySchedule"`
}

// path is that of the endpoint.
func (l *listening) path() string {
	return "/app/" + url.PathEscape(l.app.ID) + "/endpoint/" + url.PathEscape(l.uid)
}

// opened makes, or makes anew, the endpoint of an inbox that now hears, and reads its
// secret. It does so at every connection: the endpoint may have been changed or deleted
// meanwhile, or the server's URL may be another.
func (l *listening) opened(ctx context.Context, in *inboxOpened) error {
	again, err := l.enable(ctx, in.URL)
	if err != nil {
		return err
	}
	changed, err := l.secrets.read(ctx, l)
	if err != nil {
		return err
	}
	switch {
	case !again:
		l.screen.begin(l, in)
	case changed:
		l.screen.note("connected again; the secret is another one now: %s", l.secrets.text)
	default:
		l.screen.note("connected again")
	}
	return nil
}

// enable makes the endpoint, or makes it anew, and reports whether it did so before.
func (l *listening) enable(ctx context.Context, inbox string) (again bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return false, context.Canceled
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := l.api.Do(ctx, http.MethodPut, l.path(), listenEndpoint{
		URL: inbox, Description: "callboard listen", FilterTypes: l.events, Dialect: l.dialect, RetrySchedule: retrySchedule,
	}, &made); err != nil {
		return false, err
	}
	again = l.endpoint != ""
	l.endpoint = made.ID
	return again, nil
}

func (l *listening) endpointID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.endpoint
}

// goodbye bounds the last request.
const goodbye = 5 * time.Second

// disable takes the endpoint out of service, so that no deliveries fail while nobody
// listens. It stays, with its secret.
func (l *listening) disable(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving = true
	if l.endpoint == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if err := l.api.Do(ctx, http.MethodPatch, l.path(), map[string]bool{"disabled": true}, nil); err != nil {
		return fmt.Errorf("the endpoint %s could not be disabled, and its deliveries will fail until it is: %w", l.endpoint, err)
	}
	l.screen.note("the endpoint %s is disabled until you listen again; its secret stays", l.endpoint)
	return nil
}
