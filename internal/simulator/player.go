package simulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
)

// Config says where and how fast a day is played.
type Config struct {
	Client *client.Client // required
	App    string         // required, id or uid
	Length time.Duration  // of the play; default DefaultLength
	// Show is called now and then with how things stand; nil = not at all.
	Show func(State)
}

// DefaultLength is how long a day takes.
const DefaultLength = time.Minute

// State is how far a play is.
type State struct {
	At       time.Time // on the day
	Present  int       // people in sessions
	Told     int       // activities
	Of       int       // activities of the day, told twice or not
	Messages int       // that followed from them
}

// Outcome is what a server said to all that it was told.
type Outcome struct {
	Told       int // activities
	Duplicates int // of those, which it knew
	Late       int // came when figures were closed
	Messages   int // that followed from them
	Refused    int
	Refusals   []string // the first few of those
}

// String tells it to people: a line, and one for each of the first refusals.
func (o Outcome) String() string {
	text := fmt.Sprintf("%d activities told, %d of them known before, %d late, %d refused; %d messages followed at once",
		o.Told, o.Duplicates, o.Late, o.Refused, o.Messages)
	return strings.Join(append([]string{text}, o.Refusals...), "\n  refused: ")
}

// The pace of a play.
const (
	tick      = 200 * time.Millisecond
	batchSize = 500
	maxShown  = 5 // refusals
)

// player plays one day.
type player struct {
	Config
	day  *Day
	app  client.App
	r    *rand.Rand // for the order within a batch
	out  Outcome
	left []Happening
	of   int // activities
}

// Play tells a day to a server. The day is compressed: it ends now plus the length of the play, so that it began hours
// ago, and everything lies in the past when it is told. What is due is told; a server that is slow is told more at once,
// and the play lasts longer. Last the end of the event is written. An error is that a server cannot be reached, or does
// not take a change to a resource; what it refuses of activities is in the outcome.
func Play(ctx context.Context, cfg Config, d *Day) (Outcome, error) {
	if cfg.Length <= 0 {
		cfg.Length = DefaultLength
	}
	p := &player{Config: cfg, day: d, app: cfg.Client.App(cfg.App), r: d.random("player", 0), left: d.Happenings, of: d.activities()}
	err := p.play(ctx)
	return p.out, err
}

// activities counts those of a day.
func (d *Day) activities() (n int) {
	for i := range d.Happenings {
		if d.Happenings[i].Write == nil {
			n++
		}
	}
	return n
}

func (p *player) play(ctx context.Context) error {
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for {
		now := p.virtual(time.Now())
		if err := p.tellDue(ctx, now); err != nil {
			return err
		}
		p.show(now)
		if len(p.left) == 0 && !now.Before(p.day.Plan.Ends) {
			return p.day.end(ctx, p.app)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
		}
	}
}

// virtual is what time it is on the day.
func (p *player) virtual(now time.Time) time.Time {
	ends := p.day.Plan.Ends
	left := float64(ends.Sub(now)) / float64(p.Length)
	return ends.Add(-time.Duration(max(left, 0) * float64(dayLength)))
}

func (p *player) show(now time.Time) {
	if p.Show != nil {
		p.Show(State{At: now, Present: p.day.Present(now), Told: p.out.Told, Of: p.of, Messages: p.out.Messages})
	}
}

// tellDue tells what is due by a time. Changes to resources come alone, since activities count on them.
func (p *player) tellDue(ctx context.Context, now time.Time) error {
	for len(p.left) > 0 && !p.left[0].Due.After(now) {
		n := 0
		for n < len(p.left) && n < batchSize && p.left[n].Write == nil && !p.left[n].Due.After(now) {
			n++
		}
		if err := p.tell(ctx, p.left[:n]); err != nil {
			return err
		}
		p.left = p.left[n:]
		if n == 0 {
			if err := p.write(ctx, p.left[0]); err != nil {
				return err
			}
			p.left = p.left[1:]
		}
		p.show(now)
	}
	return nil
}

func (p *player) write(ctx context.Context, h Happening) error {
	if err := h.Write(ctx, p.Client, p.App); err != nil {
		return fmt.Errorf("%s: %w", h.What, err)
	}
	return nil
}

// tell tells activities in one request, in no order: the server sorts them by their times.
func (p *player) tell(ctx context.Context, all []Happening) error {
	if len(all) == 0 {
		return nil
	}
	activities := make([]client.Activity, len(all))
	for i, place := range p.r.Perm(len(all)) {
		activities[place] = all[i].Activity
	}
	answers, err := p.app.Tell(ctx, activities...)
	for i := range answers {
		p.note(&activities[i], &answers[i])
	}
	if err != nil {
		return fmt.Errorf("tell %d activities: %w", len(all), err)
	}
	return nil
}

func (p *player) note(a *client.Activity, t *client.Told) {
	p.out.Told++
	p.out.Messages += len(t.Messages)
	if t.Late {
		p.out.Late++
	}
	switch t.Status {
	case client.Duplicate:
		p.out.Duplicates++
	case client.Refused:
		if p.out.Refused++; len(p.out.Refusals) < maxShown {
			p.out.Refusals = append(p.out.Refusals, fmt.Sprintf("%s at %s: %v", a.Type, a.At.Format(time.TimeOnly), t.Err))
		}
	}
}
