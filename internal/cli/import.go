package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
)

// importCommand is `callboard import`.
type importCommand struct {
	File   string `arg:"" help:"A file with an activity in each line, as JSON, or a webhook; - is standard input."`
	Notify bool   `default:"true" help:"--notify=false changes the state and sends nothing, whatever the lines say."`
	Batch  int    `default:"1000" placeholder:"N" help:"How many lines go into one request, 1 to 1000. Default ${default}."`
	Strict bool   `help:"Stop after the request in which a line was refused."`
	JSON   bool   `name:"json" help:"As JSON."`

	Dialect string `placeholder:"NAME" group:"Webhooks:" help:"The file holds webhooks of this dialect: zuddl, sessionboard, oration, iotum, native, standard or raw."`
	Source  string `placeholder:"SOURCE" group:"Webhooks:" help:"The id or URL of the source that takes them in; default: the app's only one of that dialect."`

	sourceProofs `group:"Webhooks:"`
	apiFlags     `set:"tokenof=the org's (of one app will do with --dialect)"`
}

// Help is the end of `callboard import --help`.
func (importCommand) Help() string {
	return `Tells live state what happened, line by line. A line is what POST /api/v1/app/APP/activity takes, up to 1 MiB; empty
lines are skipped. Lines that are refused are named with the reason, and keep out none of the others. Exits 1 if there were
any.

Lines without an id get one of their number and of all that the file holds up to them. So the same command can be run again
after it was interrupted, within 7 days: what was told is a duplicate then. With another --notify it is refused, so that
nothing is sent twice.

With --dialect the lines are webhooks that were recorded: each the body alone, or {"headers": {…}, "body": …}, where body is
an object or its text. They are proven anew with the source's secret or token, and go to the source's URL one after the
other, as if the vendor sent them. What the source has had within 7 days leaves nothing new there. --source says which
source it is where the app has several of the dialect.

Examples:

    callboard import june.jsonl --app acme --notify=false
    grep -v '"test"' june.jsonl | callboard import - --app acme
    callboard import zuddl.jsonl --dialect zuddl --secret-file zuddl.secret
    callboard import zuddl.jsonl --dialect zuddl --source src_… --secret-file zuddl.secret`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *importCommand) Validate() error {
	if c.Batch < 1 || c.Batch > 1000 {
		return errors.New("--batch: must be 1 to 1000")
	}
	if err := errors.Join(c.checkWebhooks(), c.checkProofs(), c.check()); err != nil || c.Dialect != "" {
		return err
	}
	return c.checkOrg()
}

// importRetries let a server be started again meanwhile: they take some 50 seconds.
const importRetries = 10

// Run imports.
func (c *importCommand) Run(ctx context.Context, p *process) error {
	file, size, err := openInput(c.File)
	if err != nil {
		return err
	}
	sources, err := c.openSources(ctx)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	defer sources.api.Close()
	im := &importing{strict: c.Strict, bar: newProgress(p.stderr, isTerminal(p.stderr)), size: size}
	im.bar.unit = "KiB"
	if size < 0 {
		im.bar.unit = "lines"
	}
	source := newImportSource(file, !c.Notify, c.Batch)
	im.tell = (&activityImport{im, sources.api.App(sources.app.ID)}).tell
	if c.Dialect != "" {
		if im.tell, err = c.webhooks(ctx, im, sources, source); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	err = im.run(ctx, source)
	im.bar.end()
	return errors.Join(im.print(p.stdout, c.JSON), err)
}

// openInput opens a file or, by the name -, standard input. The size is -1 if nobody knows it.
func openInput(name string) (file *os.File, size int64, err error) {
	if name == "-" {
		return os.Stdin, -1, nil
	}
	if file, err = os.Open(name); err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, -1, nil
	}
	return file, info.Size(), nil
}

// importing is a `callboard import` at work.
type importing struct {
	// tell tells the lines that can be told, and notes what became of all.
	tell   func(context.Context, []importLine) error
	strict bool
	bar    *progress
	size   int64 // of the file; -1 = nobody knows
	count  imported
}

// imported says what became of the lines.
type imported struct {
	Applied   int `json:"applied"`
	Duplicate int `json:"duplicate"`
	Refused   int `json:"refused"`
	Messages  int `json:"messages"`
	Through   int `json:"through"` // the last line that was looked at

	Webhooks *webhooksTaken `json:"-"` // where the lines are webhooks: instead of Applied, Duplicate and Messages
}

// run tells all lines.
func (im *importing) run(ctx context.Context, source *importSource) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	batches := make(chan importBatch)
	// It is not waited for: a read of standard input can be ended by nothing but the end of
	// the process, which comes next.
	go source.feed(reading, batches)
	im.show(0)
	for {
		var b importBatch
		select {
		case <-ctx.Done():
			return im.stopped(ctx, nil)
		case b = <-batches:
		}
		if err := im.tell(ctx, b.lines); err != nil {
			return im.stopped(ctx, err)
		}
		im.show(b.end)
		switch {
		case im.strict && im.count.Refused > 0:
			return fmt.Errorf("stopped after line %d: %s", im.count.Through, im.refusals())
		case errors.Is(b.err, io.EOF) && im.count.Refused > 0:
			return errors.New(im.refusals())
		case errors.Is(b.err, io.EOF):
			return nil
		case b.err != nil:
			return im.stopped(ctx, b.err)
		}
	}
}

// activityImport tells activities.
type activityImport struct {
	*importing

	app client.App
}

// tell is importing.tell.
func (im *activityImport) tell(ctx context.Context, lines []importLine) error {
	var texts []json.RawMessage
	for _, l := range lines {
		if l.wrong == "" {
			texts = append(texts, l.text)
		}
	}
	told, err := tellPatiently(ctx, im.app, im.bar, texts)
	for _, l := range lines {
		switch {
		case l.wrong != "":
			im.refuse(l.number, l.wrong)
		case len(told) == 0:
			return err // after those before it
		default:
			im.settle(l.number, &told[0])
			told = told[1:]
		}
		im.count.Through = l.number
	}
	return err
}

// settle notes what became of a line.
func (im *importing) settle(line int, told *client.Told) {
	switch told.Status {
	case client.Refused:
		reason := "is refused"
		if told.Err != nil {
			reason = told.Err.Reason()
		}
		if toldOtherwise(told) {
			reason = "was told before, with another --notify; it is not told again"
		}
		im.refuse(line, reason)
	case client.Duplicate:
		im.count.Duplicate++
	default:
		im.count.Applied++
		im.count.Messages += len(told.Messages)
	}
}

// toldOtherwise reports whether a line was refused since it was told with another --notify. A
// made-up id is that of the line's text, so nothing else can differ. The id does not depend on
// --notify: else a line that was told could be told once more, by a flag that was forgotten.
func toldOtherwise(told *client.Told) bool {
	return strings.HasPrefix(told.ID, importedID) && told.Err != nil && len(told.Err.Fields) == 1 && slices.Equal(told.Err.Fields[0].Loc, []string{"id"})
}

func (im *importing) refuse(line int, reason string) {
	im.count.Refused++
	im.bar.note(fmt.Sprintf("line %d: %s", line, printable(reason)))
}

func (im *importing) refusals() string {
	if im.count.Refused == 1 {
		return "1 line was refused"
	}
	return fmt.Sprintf("%d lines were refused", im.count.Refused)
}

// show tells how far it is: end is how many bytes were read for that.
func (im *importing) show(end int64) {
	if im.size < 0 {
		im.bar.show(time.Now(), int64(im.count.Through), -1)
		return
	}
	im.bar.show(time.Now(), kibibytes(min(end, im.size)), kibibytes(im.size))
}

// kibibytes rounds up, so that only nothing is none.
func kibibytes(n int64) int64 { return (n + 1<<10 - 1) >> 10 }

// stopped is the error of an import that is not at its end, and says how to go on where
// that makes sense.
func (im *importing) stopped(ctx context.Context, err error) error {
	const again = "run the same command again to go on"
	where := fmt.Sprintf("after line %d", im.count.Through)
	if im.count.Through == 0 {
		where = "before the first line was told"
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted %s; %s", where, again)
	}
	e, answered := errors.AsType[*client.Error](err)
	_, unreachable := errors.AsType[*client.UnreachableError](err)
	if unreachable || answered && e.Status >= http.StatusTooManyRequests {
		return fmt.Errorf("stopped %s: %w; %s", where, err, again)
	}
	return fmt.Errorf("stopped %s: %w", where, err)
}

// print prints what became of the lines.
func (im *importing) print(w io.Writer, asJSON bool) error {
	if im.count.Webhooks != nil {
		return im.count.Webhooks.print(w, asJSON, im.count.Refused, im.count.Through)
	}
	if asJSON {
		return writeJSON(w, im.count)
	}
	_, err := fmt.Fprintf(w, "applied %d, duplicate %d, refused %d, messages %d\n", im.count.Applied, im.count.Duplicate, im.count.Refused, im.count.Messages)
	return err
}
