// Package demo shows Callboard at work: a server on a temporary database, receivers of different manners and dialects on
// loopback, and a stream of messages of all event types of the catalogue.
//
// It is a client like any other: it speaks the public REST API, and its receivers verify with the public package
// receiver. What it prints at the end comes from the two ends of the wire, never from inside of the server: what the
// receivers took, and what the API's log of attempts says. Which endpoint hears what it asks the API, too.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/token"
)

// How the demo runs.
const (
	messages  = 120                    // with Config.Once
	postEvery = 15 * time.Millisecond  // with Config.Once
	showEvery = 100 * time.Millisecond // the progress, on a terminal
	pace      = 250 * time.Millisecond // between messages without Config.Once

	attemptTimeout = time.Second
	hangFor        = 3 * time.Second // the third receiver, counted from its first request
	endWithin      = time.Minute     // of the last message, with Config.Once
	stopWithin     = 30 * time.Second
)

// schedule retries quickly and often enough that every receiver recovers within it.
func schedule() []time.Duration {
	return []time.Duration{
		250 * time.Millisecond, 500 * time.Millisecond, time.Second, time.Second, time.Second,
		2 * time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second, 8 * time.Second,
	}
}

// Config says what to show.
type Config struct {
	// Once sends 120 messages, waits until every delivery has ended and prints figures. Otherwise messages are sent
	// until the context ends.
	Once     bool
	Org      string       // required, a well-formed org id
	Version  string       // of the server; "" = "dev"
	Out      io.Writer    // required; takes what is shown
	Terminal bool         // Out can rewrite its last line
	Logger   *slog.Logger // of the server; default slog.Default()
}

// Run shows the demo. With Config.Once it returns nil only if every delivery has arrived: taken by its receiver, once and
// in its dialect's word, and a success in the API's log; and if nothing else has. Without, it returns nil when ctx ends.
func Run(ctx context.Context, cfg Config) (err error) {
	s, err := setUp(ctx, cfg)
	if err != nil {
		return fmt.Errorf("set the demo up: %w", err)
	}
	defer func() { err = errors.Join(err, s.tearDown()) }()
	if err := s.register(ctx); err != nil {
		return fmt.Errorf("set the demo up: %w", err)
	}
	s.introduce()
	if cfg.Once {
		return s.once(ctx)
	}
	return s.forever(ctx)
}

// stage is all that the demo runs on.
type stage struct {
	cfg     Config
	dir     string // of the database
	server  *app.App
	token   string
	api     *client
	words   words
	app     string // id of the demo's app
	targets []*target
	serving errgroup.Group // the targets
	ledger  *ledger
}

// setUp starts the server. What it started before an error is ended again.
func setUp(ctx context.Context, cfg Config) (*stage, error) {
	s := &stage{cfg: cfg, targets: newTargets()}
	s.ledger = newLedger(len(s.targets), !cfg.Once)
	if err := s.startServer(ctx); err != nil {
		return nil, errors.Join(err, s.tearDown())
	}
	return s, nil
}

func (s *stage) startServer(ctx context.Context) error {
	secret := token.NewSecret(rand.Text())
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		return err
	}
	if s.token, err = authority.Mint(token.Claims{Org: s.cfg.Org, Expires: time.Now().Add(24 * time.Hour)}); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "callboard-demo-"); err != nil {
		return err
	}
	s.server, err = app.New(ctx, app.Config{
		Listen:        "127.0.0.1:0",
		DB:            "sqlite:" + filepath.Join(s.dir, "demo.db"),
		JWTSecret:     secret,
		AllowPrivate:  true,
		RetrySchedule: schedule(),
		Timeout:       attemptTimeout,
		Version:       s.cfg.Version,
		Logger:        s.cfg.Logger,
	})
	if err != nil {
		return err
	}
	if err := s.server.Start(ctx); err != nil {
		return err
	}
	s.api = newClient(s.server.URL()+"/api/v1", s.token)
	return nil
}

// tearDown ends what runs and removes the database. The server goes first, so that what it sends still arrives.
func (s *stage) tearDown() error {
	var problems []error
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		problems = append(problems, s.server.Stop(ctx))
	}
	for _, t := range s.targets {
		problems = append(problems, t.close())
	}
	problems = append(problems, s.serving.Wait())
	if s.dir != "" {
		problems = append(problems, os.RemoveAll(s.dir))
	}
	return errors.Join(problems...)
}

// register makes an app, and for each receiver an endpoint. The event types are the server's own.
func (s *stage) register(ctx context.Context) (err error) {
	if s.words, err = s.api.words(ctx); err != nil {
		return err
	}
	var made created
	if err := s.api.post(ctx, "/app", appIn{Name: "Demo", UID: appUID}, &made); err != nil {
		return err
	}
	s.app = made.ID
	for i := range s.targets {
		if err := s.open(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// open starts a receiver and makes its endpoint.
func (s *stage) open(ctx context.Context, receiver int) error {
	t := s.targets[receiver]
	in := endpointIn{Description: t.does, Dialect: t.speech.dialect}
	secret, err := s.secret(ctx, t, &in)
	if err != nil {
		return err
	}
	if err := t.listen(ctx, secret, func(a arrival) { s.ledger.took(receiver, a, time.Now()) }); err != nil {
		return err
	}
	s.serving.Go(t.serve)
	in.URL = t.url()
	var made created
	if err := s.api.post(ctx, "/app/"+s.app+"/endpoint", in, &made); err != nil {
		return err
	}
	t.endpoint = made.ID
	return nil
}

// secret is what a receiver verifies with. It is chosen here and goes in with the endpoint, or it is the app's already.
func (s *stage) secret(ctx context.Context, t *target, in *endpointIn) (string, error) {
	if t.speech.newSecret != nil {
		in.Secret = t.speech.newSecret()
		return in.Secret, nil
	}
	var token secretOut
	err := s.api.get(ctx, "/app/"+s.app+"/signing-token", &token)
	return token.Key, err
}

// once sends a fixed number of messages and judges what became of them.
func (s *stage) once(ctx context.Context) error {
	show := newProgress(s.cfg.Out, s.cfg.Terminal)
	err := s.showing(ctx, show, func(ctx context.Context) error {
		if err := s.send(ctx, postEvery, messages); err != nil {
			return err
		}
		return s.awaitEnd(ctx)
	})
	show.end(s.line())
	if err != nil {
		return err
	}
	r, err := s.report(ctx)
	if err != nil {
		return err
	}
	r.print(s.cfg.Out)
	return r.verdict()
}

// forever sends messages until ctx ends.
func (s *stage) forever(ctx context.Context) error {
	show := newProgress(s.cfg.Out, s.cfg.Terminal)
	err := s.showing(ctx, show, func(ctx context.Context) error { return s.send(ctx, pace, 0) })
	show.end(s.line())
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

// showing does the work while the progress is shown.
func (s *stage) showing(ctx context.Context, show *progress, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer cancel()
		return work(ctx)
	})
	group.Go(func() error {
		tick := time.NewTicker(showEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-s.server.Done():
				return fmt.Errorf("the server has ended: %w", s.server.Err())
			case now := <-tick.C:
				show.update(now, s.line())
			}
		}
	})
	return group.Wait()
}

// send posts n messages, or without end if n is 0, one at each tick. The story goes round the catalogue, so that every
// event type is heard. If there is an end, the messages tell of the last n seconds, each of its own; see happening.
func (s *stage) send(ctx context.Context, every time.Duration, n int) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	start := time.Now().Add(-time.Duration(n) * time.Second)
	for i := 0; n == 0 || i < n; i++ {
		began := time.Now()
		at := began
		if n > 0 {
			at = start.Add(time.Duration(i) * time.Second)
		}
		eventType, payload, err := compose(i, at)
		if err != nil {
			return err
		}
		var made created
		if err := s.api.post(ctx, "/app/"+s.app+"/msg", messageIn{EventType: eventType, Payload: payload}, &made); err != nil {
			return err
		}
		s.ledger.post(posted{made.ID, eventType, at.Unix(), began})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// awaitEnd returns when the API says that no delivery is under way any more.
func (s *stage) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, endWithin, errors.New("some deliveries have not ended"))
	defer cancel()
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		ended, err := s.ended(ctx)
		if ended || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// ended reports whether every message has an ended delivery for every endpoint that should hear it.
func (s *stage) ended(ctx context.Context) (bool, error) {
	for _, t := range s.targets {
		var have stats
		if err := s.api.get(ctx, "/app/"+s.app+"/endpoint/"+t.endpoint+"/stats", &have); err != nil {
			return false, err
		}
		if have.Success+have.Fail+have.Canceled < len(s.ledger.hearings(t.speech.dialect, s.words)) || have.Pending+have.Sending > 0 {
			return false, nil
		}
	}
	return true, nil
}
