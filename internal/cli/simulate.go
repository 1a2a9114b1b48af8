package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/simulator"
)

// simulateCommand is `callboard simulate`.
type simulateCommand struct {
	URL       string  `name:"url" placeholder:"URL" group:"Server:" help:"The same as --server."`
	Attendees int     `default:"300" placeholder:"N" help:"How many people register. Default ${default}."`
	Minutes   float64 `default:"1" placeholder:"M" help:"How long the day takes. Default ${default}."`
	Seed      uint64  `placeholder:"N" help:"The same seed gives the same day. Default: any."`
	Wait      bool    `help:"Wait until the server has told the time spent, and compare that, too."`

	apiFlags `set:"tokenof=the org's"`
}

// Help is the end of `callboard simulate --help`.
func (simulateCommand) Help() string {
	return `Tells a server of a made-up day at an event, through its public API: hundreds of attendees who come late, switch, lose their
connection and come back, two conferences, calls, and what organizers change. Then it compares what the server says of the
attendance with what happened. Exits 1 if anything was refused or does not agree.

The day ends now, so that it began eight hours ago. The app is created if it is named and there is none. Every
run makes an event of its own. A server tells the time spent an hour after the event's end, unless it
was started with another --time-spent-delay.

Examples:

    callboard simulate --url http://127.0.0.1:8071 --app acme
    callboard simulate --app acme --attendees 10000 --minutes 5 --wait`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *simulateCommand) Validate() error {
	if !isDayLength(c.length()) {
		return errors.New("--minutes: must be a second to four hours")
	}
	if err := checkAttendees(c.Attendees); err != nil {
		return err
	}
	c.Server = cmp.Or(c.URL, c.Server)
	err := c.check()
	if err == nil {
		return c.checkOrg()
	}
	if c.URL == "" {
		return err
	}
	if wrong, is := strings.CutPrefix(err.Error(), "--server:"); is {
		return usageError{errors.New("--url:" + wrong)}
	}
	return err
}

func (c *simulateCommand) length() time.Duration {
	return time.Duration(c.Minutes * float64(time.Minute)).Round(time.Millisecond)
}

// longestWait is how long the time spent is waited for.
const longestWait = 2 * time.Hour

// Run plays the day and compares.
func (c *simulateCommand) Run(ctx context.Context, p *process) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	defer api.Close()
	app, err := api.findOrMakeApp(ctx, c.App)
	if err != nil {
		return err
	}
	now := time.Now()
	plan := simulator.Plan{
		Seed: cmp.Or(c.Seed, uint64(now.UnixMilli())), Attendees: c.Attendees, Name: "summit-" + strconv.FormatInt(now.UnixMilli(), 36),
		Ends: now.Add(c.length()),
	}
	fmt.Fprintf(p.stdout, "event %s in app %s: %d attendees in %s, seed %d\n", plan.Name, app.called(), plan.Attendees, c.length(), plan.Seed)
	s := &simulation{api: api, app: app.ID, out: p.stdout, bar: newProgress(p.stderr, isTerminal(p.stderr))}
	if err := s.play(ctx, plan, c.length()); err != nil {
		return err
	}
	if !c.Wait {
		return s.compareAttendance(ctx)
	}
	return s.compareAll(ctx)
}

// findOrMakeApp is findApp, but makes an app that is named and not there.
func (c *apiClient) findOrMakeApp(ctx context.Context, named string) (apiApp, error) {
	if named == "" {
		return c.findApp(ctx, named)
	}
	var found apiApp
	err := c.Do(ctx, http.MethodGet, "/app/"+url.PathEscape(named), nil, &found)
	if errors.Is(err, client.ErrNotFound) {
		err = c.Do(ctx, http.MethodPost, "/app?get_if_exists=true", map[string]string{"name": named, "uid": named}, &found)
	}
	return found, err
}

// simulation is a day that is played to a server.
type simulation struct {
	api     *apiClient
	app     string
	out     io.Writer
	bar     *progress
	shown   time.Time
	day     *simulator.Day
	outcome simulator.Outcome
}

func (s *simulation) play(ctx context.Context, plan simulator.Plan, length time.Duration) (err error) {
	s.day = simulator.Script(plan)
	s.outcome, err = simulator.Play(ctx, simulator.Config{Client: s.api.Client, App: s.app, Length: length, Show: s.show}, s.day)
	s.bar.end()
	fmt.Fprintln(s.out, s.outcome)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n\n", s.day.Account.Figures())
	return nil
}

// show shows how far the day is.
func (s *simulation) show(state simulator.State) {
	every := plainEvery
	if s.bar.terminal {
		every = barEvery
	}
	s.bar.line = fmt.Sprintf("%s  %d present  %d of %d activities told  %d messages",
		state.At.Format("15:04"), state.Present, state.Told, state.Of, state.Messages)
	if now := time.Now(); now.Sub(s.shown) >= every {
		s.shown = now
		s.bar.write()
	}
}

// compareAttendance compares what the server reports already, and says when there will be more.
func (s *simulation) compareAttendance(ctx context.Context) error {
	report, err := s.day.Attendance(ctx, s.api.App(s.app))
	if err != nil {
		return err
	}
	s.day.SessionTable(s.out, report)
	fmt.Fprintf(s.out, "\nTime spent will be told by itself, at %s if the server was left at an hour after the end; --wait waits for it.\n",
		s.day.Plan.Ends.Add(time.Hour).Local().Format(time.TimeOnly))
	return s.verdict(agreement{"attendance", s.day.Account.Attendance(report)})
}

// compareAll waits for the time spent, and compares all figures.
func (s *simulation) compareAll(ctx context.Context) error {
	report, err := s.day.Attendance(ctx, s.api.App(s.app))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, longestWait, fmt.Errorf("time spent was not told within %s", longestWait))
	defer cancel()
	fmt.Fprintln(s.out, "waiting until the server tells the time spent, by default an hour after the end")
	heard, err := s.day.Await(ctx, s.api.Client, s.app)
	if err != nil {
		return err
	}
	s.day.Table(s.out, heard)
	fmt.Fprintln(s.out)
	account := s.day.Account
	return s.verdict(agreement{"attendance", account.Attendance(report)}, agreement{"who came", account.ShownUp(heard)},
		agreement{"time spent", account.TimeSpent(heard)})
}

// agreement is how far two accounts agree, and on what.
type agreement struct {
	what string
	simulator.Agreement
}

// verdict prints how figures compare. It is an error if some do not agree, or something was refused.
func (s *simulation) verdict(all ...agreement) error {
	var problems []error
	if s.outcome.Refused > 0 {
		problems = append(problems, fmt.Errorf("%d activities were refused", s.outcome.Refused))
	}
	for _, a := range all {
		fmt.Fprintf(s.out, "%s: %s\n", a.what, a)
		for _, difference := range a.Differ {
			fmt.Fprintln(s.out, "  "+difference)
		}
		if !a.Whole() {
			problems = append(problems, fmt.Errorf("%s: %s", a.what, a))
		}
	}
	return errors.Join(problems...)
}
