package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/callboard/callboard/client"
)

// replayCommand is `callboard replay-source`.
type replayCommand struct {
	Source string `arg:"" help:"The source's id or URL."`
	Since  ago    `placeholder:"TIME" help:"Only what came in at this time or later: 2027-03-04T09:00:00Z, Unix seconds, or a duration such as 2h, counted back from now."`
	Until  ago    `placeholder:"TIME" help:"Only what came in before this time. Default: now."`
	Status string `default:"unreadable" placeholder:"STATUS" help:"Which: unreadable, refused, accepted, or several with commas between them. Default ${default}."`
	DryRun bool   `help:"Count them, and take in nothing."`
	JSON   bool   `name:"json" help:"As JSON."`

	apiFlags `set:"tokenof=the org's"`
}

// Help is the end of `callboard replay-source --help`.
func (replayCommand) Help() string {
	return `Reads the kept requests again, oldest first, as if each had come now. It asks nothing.

  unreadable  were proven to be the vendor's, and could not be read: for a version of Callboard that can.
  refused     were not proven. They are not verified now either: whoever runs this vouches for all of them, so look at
              them first (callboard sources show SOURCE --status refused). Of their repetitions one becomes a message.
  accepted    became a message. Each becomes one more, under another id.

Exits 1 if one could not be taken in; those are named with the reason, and keep out none of the others.

Examples:

    callboard replay-source src_… --since 2h --dry-run
    callboard replay-source src_… --status refused --since 2027-03-04T09:00:00Z --until 2027-03-04T09:30:00Z`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *replayCommand) Validate() error {
	if err := checkStatuses(c.Status); err != nil {
		return err
	}
	if since, until := time.Time(c.Since), time.Time(c.Until); !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return errors.New("--since: must be before --until")
	}
	return c.check()
}

// ago is a point in time on the command line that may be told by how long ago it is; the zero one is not given.
type ago time.Time

// UnmarshalText reads an instant, or a span.
func (a *ago) UnmarshalText(text []byte) error {
	var i instant
	if i.UnmarshalText(text) == nil {
		*a = ago(i)
		return nil
	}
	var s span
	if s.UnmarshalText(text) != nil {
		return errors.New("must be a time such as 2027-03-04T09:00:00Z, Unix seconds, or a duration such as 2h, counted back from now")
	}
	*a = ago(time.Now().Add(-time.Duration(s)))
	return nil
}

// Run replays.
func (c *replayCommand) Run(ctx context.Context, p *process) error {
	s, err := c.openSources(ctx)
	if err != nil {
		return err
	}
	defer s.api.Close()
	src, err := s.find(ctx, c.Source)
	if err != nil {
		return err
	}
	r := &replaying{sources: s, source: src.ID, bar: newProgress(p.stderr, isTerminal(p.stderr))}
	r.bar.unit = "requests"
	kept, err := c.kept(ctx, r)
	if err != nil {
		return err
	}
	r.count.Found = len(kept)
	if !c.DryRun {
		err = r.run(ctx, kept)
		r.bar.end()
	}
	return errors.Join(r.print(p.stdout, c.JSON, c.DryRun), err)
}

// keptRequest is a request that is to be replayed.
type keptRequest struct {
	id string
	at time.Time
}

// kept lists what is to be replayed, oldest first. All of it is listed beforehand: what is taken in leaves records of its
// own, which a list that is read meanwhile would have in it, again and again.
func (c *replayCommand) kept(ctx context.Context, r *replaying) (all []keptRequest, err error) {
	query := url.Values{"limit": {fmt.Sprint(maxPage)}, "status": {c.Status}}
	if since := time.Time(c.Since); !since.IsZero() { // the API's after leaves the millisecond out that it names
		query.Set("after", since.Add(-time.Millisecond).UTC().Format(time.RFC3339Nano))
	}
	if until := time.Time(c.Until); !until.IsZero() {
		query.Set("before", until.UTC().Format(time.RFC3339Nano))
	}
	path := r.sources.path(r.source, "received") + "?" + query.Encode()
	for next := path; ; {
		var page sourcePage[apiReceived]
		if err := r.sources.api.Do(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}
		for _, row := range page.Data {
			all = append(all, keptRequest{row.ID, row.Timestamp})
		}
		if page.Done || page.Iterator == nil {
			slices.Reverse(all)
			return all, nil
		}
		next = path + "&iterator=" + url.QueryEscape(*page.Iterator)
	}
}

// replaying is a `callboard replay-source` at work.
type replaying struct {
	sources *appSources
	source  string
	bar     *progress
	count   replayed
}

// replayed says what became of the requests.
type replayed struct {
	Found     int `json:"found"`
	Messages  int `json:"messages"`
	Duplicate int `json:"duplicate"` // the webhook had become a message before
	Failed    int `json:"failed"`
}

// run takes all in, one after the other: in the order in which they came.
func (r *replaying) run(ctx context.Context, kept []keptRequest) error {
	for i, k := range kept {
		r.bar.show(time.Now(), int64(i), int64(len(kept)))
		if err := r.take(ctx, k); err != nil {
			return r.stopped(ctx, err, i, k)
		}
	}
	r.bar.show(time.Now(), int64(len(kept)), int64(len(kept)))
	if r.count.Failed > 0 {
		return errors.New(requests(r.count.Failed) + " could not be taken in")
	}
	return nil
}

// requests is a number of them.
func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

// take takes one in. Its error ends the replay.
func (r *replaying) take(ctx context.Context, k keptRequest) error {
	var out struct {
		Duplicate bool `json:"duplicate"`
	}
	err := r.sources.api.Do(ctx, http.MethodPost, r.sources.path(r.source, "received", k.id, "replay"), nil, &out)
	e, answered := errors.AsType[*client.Error](err)
	switch {
	case err == nil && out.Duplicate:
		r.count.Duplicate++
	case err == nil:
		r.count.Messages++
	case answered && ofOne(e.Status):
		r.count.Failed++
		r.bar.note(fmt.Sprintf("%s: %s", k.id, printable(because(e))))
	default:
		return err
	}
	return nil
}

// because is what the server says of a request, without the place in the API's path, which is the request itself.
func because(e *client.Error) string {
	if len(e.Fields) == 1 {
		return e.Fields[0].Msg
	}
	return e.Reason()
}

// ofOne reports whether an answer is about the one request: its body is not kept any more (409), it is too old to be there
// (404), or it cannot be read (422).
func ofOne(status int) bool {
	return status == http.StatusConflict || status == http.StatusNotFound || status == http.StatusUnprocessableEntity
}

// stopped is the error of a replay that is not at its end: where it stopped, and how to go on.
func (r *replaying) stopped(ctx context.Context, err error, done int, next keptRequest) error {
	where := fmt.Sprintf("after %d of %d requests; --since %s goes on from there", done, r.count.Found, next.at.UTC().Format("2006-01-02T15:04:05.000Z"))
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted %s", where)
	}
	return fmt.Errorf("stopped %s: %w", where, err)
}

// print prints what became of the requests.
func (r *replaying) print(w io.Writer, asJSON, dry bool) error {
	if asJSON {
		return writeJSON(w, r.count)
	}
	if dry {
		_, err := fmt.Fprintln(w, requests(r.count.Found)+" would be taken in again")
		return err
	}
	_, err := fmt.Fprintf(w, "messages %d, duplicate %d, failed %d\n", r.count.Messages, r.count.Duplicate, r.count.Failed)
	return err
}
