// Package demo shows Callboard at work: a server on a temporary database, receivers of different manners and dialects on
// loopback, and a day at an event, made up by package simulator, that is told to the server within a minute.
//
// It is a client like any other: it speaks the public REST API, and its receivers verify with the public package
// receiver. What it prints at the end comes from the two ends of the wire, never from inside of the server: what the
// receivers took, and what the API's lists of messages and attempts say. Which endpoint hears what it asks the API, too.
// The time spent that a receiver was told is held against the simulator's own account of who sat where. For each dialect
// there is a page of Play besides, for people to look at, which counts apart.
package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/simulator"
	"github.com/callboard/callboard/internal/token"
)

// How the demo runs.
const (
	// DefaultAttendees is how many people register for the event.
	DefaultAttendees = 300
	// DefaultLength is how long its day takes.
	DefaultLength = 48 * time.Second

	showEvery      = 100 * time.Millisecond // the progress, on a terminal
	timeSpentDelay = 2 * time.Second        // an hour is too long for a demo
	attemptTimeout = time.Second
	hangFor        = 3 * time.Second // the third receiver, counted from its first request

	toldWithin = 20 * time.Second // of a day's end, the time spent
	endWithin  = 30 * time.Second // of that, with Config.Once, the deliveries
	askEvery   = 200 * time.Millisecond
	stopWithin = 30 * time.Second

	// A demo that goes on for days must not fill the disk: messages are kept for so long, and of events so many.
	keepFor    = 20 * time.Minute
	keepEvents = 20
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
	// Once plays one day, waits until every delivery has ended and prints figures. Otherwise there is day after day until
	// the context ends.
	Once      bool
	Seed      uint64        // of the first day; each next one has the next
	Attendees int           // default DefaultAttendees
	Length    time.Duration // of a day's play; default DefaultLength
	Org       string        // required, a well-formed org id
	Version   string        // of the server; "" = "dev"
	Out       io.Writer     // required; takes what is shown
	Terminal  bool          // Out can rewrite its last line
	Logger    *slog.Logger  // of the server; default slog.Default()
}

func (cfg *Config) setDefaults() {
	cfg.Attendees = cmp.Or(cfg.Attendees, DefaultAttendees)
	cfg.Length = cmp.Or(cfg.Length, DefaultLength)
}

// Run shows the demo. With Config.Once it returns nil only if every delivery has arrived: taken by its receiver, once and
// in its dialect's word, and a success in the API's log; if nothing else has; and if the server's figures are those of the
// simulator. Without, it returns nil when ctx ends.
func Run(ctx context.Context, cfg Config) (err error) {
	cfg.setDefaults()
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
	link    string // signs a browser in
	api     api
	words   words
	app     string // id of the demo's app
	targets []*target

	showcases []*showcase // pages of Play, whose endpoints get what the targets' do

	serving errgroup.Group // the targets
	ledger  *ledger
	state   atomic.Pointer[simulator.State] // of the day's play
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

		TimeSpentDelay: timeSpentDelay,
		Retention:      keepFor,
	})
	if err != nil {
		return err
	}
	if err := s.server.Start(ctx); err != nil {
		return err
	}
	if s.link, err = authority.Link(s.server.URL(), token.Claims{Org: s.cfg.Org}); err != nil {
		return err
	}
	c, err := client.New(s.server.URL(), s.token)
	s.api = api{c}
	return err
}

// tearDown ends what runs and removes the database. The server goes first, so that what it sends still arrives.
func (s *stage) tearDown() error {
	var problems []error
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		problems = append(problems, s.server.Stop(ctx))
	}
	if s.api.Client != nil {
		s.api.Close()
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

// register makes an app, an endpoint for each receiver, and one for each dialect's page of Play. The event types are the
// server's own.
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
	return s.exhibit(ctx)
}

// open starts a receiver and makes its endpoint.
func (s *stage) open(ctx context.Context, receiver int) error {
	t := s.targets[receiver]
	in := endpointIn{Description: t.title(), Dialect: t.speech.dialect}
	secret, err := s.secret(ctx, t, &in)
	if err != nil {
		return err
	}
	said, _ := s.words.of(t.speech.dialect, shownType)
	took := func(a arrival) { s.ledger.took(receiver, a, time.Now(), a.word == said.text) }
	if err := t.listen(ctx, secret, took); err != nil {
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

// once plays a day and judges what became of it.
func (s *stage) once(ctx context.Context) error {
	show := newProgress(s.cfg.Out, s.cfg.Terminal)
	var r *report
	err := s.showing(ctx, show, func(ctx context.Context) error {
		day, outcome, err := s.play(ctx, 0)
		if err != nil {
			return err
		}
		all, err := s.api.messages(ctx, s.app)
		if err != nil {
			return err
		}
		if err := s.awaitEnd(ctx, all); err != nil {
			return err
		}
		r, err = s.report(ctx, day, outcome, all)
		return err
	})
	show.end(s.line())
	if err != nil {
		return err
	}
	r.print(s.cfg.Out)
	return r.verdict()
}

// forever plays day after day until ctx ends.
func (s *stage) forever(ctx context.Context) error {
	show := newProgress(s.cfg.Out, s.cfg.Terminal)
	err := s.showing(ctx, show, func(ctx context.Context) error {
		for n := 0; ; n++ {
			day, _, err := s.play(ctx, n)
			if err != nil {
				return err
			}
			show.note(fmt.Sprintf("%s is over: time spent: %s", day.Plan.Name, day.Account.TimeSpent(s.ledger.figures())))
			if n < keepEvents {
				continue
			}
			if err := s.api.App(s.app).Events().Delete(ctx, eventName(n-keepEvents), client.Quiet()); err != nil {
				return err
			}
		}
	})
	show.end(s.line())
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

// eventName is the id of the n-th day's event.
func eventName(n int) string { return fmt.Sprint("summit-", n+1) }

// play plays the n-th day, and waits until its figures were told.
func (s *stage) play(ctx context.Context, n int) (*simulator.Day, simulator.Outcome, error) {
	day := simulator.Script(simulator.Plan{
		Seed: s.cfg.Seed + uint64(n), Attendees: s.cfg.Attendees, Name: eventName(n), Ends: time.Now().Add(s.cfg.Length),
	})
	s.ledger.begin(day)
	outcome, err := simulator.Play(ctx, simulator.Config{
		Client: s.api.Client, App: s.app, Length: s.cfg.Length, Show: func(state simulator.State) { s.state.Store(&state) },
	}, day)
	if err != nil {
		return nil, outcome, err
	}
	_, err = s.await(ctx, toldWithin, func(context.Context) (bool, error) {
		heard := s.ledger.figures()
		return day.Complete(heard) && day.Account.TimeSpent(heard).Whole(), nil
	})
	return day, outcome, err
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

// await asks until the answer is yes, or the time is over; then it reports false.
func (s *stage) await(ctx context.Context, most time.Duration, done func(context.Context) (bool, error)) (bool, error) {
	deadline := time.Now().Add(most)
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		yes, err := done(ctx)
		if yes || err != nil || time.Now().After(deadline) {
			return yes, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// awaitEnd waits until every message has an ended delivery for every endpoint that should hear it. If that takes too
// long the report says what is missing.
func (s *stage) awaitEnd(ctx context.Context, all []messageOut) error {
	expected := make([]int, len(s.targets))
	for i, t := range s.targets {
		expected[i] = len(s.words.hearings(t.speech.dialect, all))
	}
	_, err := s.await(ctx, endWithin, func(ctx context.Context) (bool, error) {
		for i, t := range s.targets {
			var have stats
			if err := s.api.get(ctx, "/app/"+s.app+"/endpoint/"+t.endpoint+"/stats", &have); err != nil {
				return false, err
			}
			if have.Success+have.Fail+have.Canceled < expected[i] || have.Pending+have.Sending > 0 {
				return false, nil
			}
		}
		return true, nil
	})
	return err
}
