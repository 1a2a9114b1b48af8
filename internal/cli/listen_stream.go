package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// inboxOpened is the first event of an inbox: it hears from now on.
type inboxOpened struct {
	URL       string `json:"url"`
	Listeners int    `json:"listeners"`
}

// inboxRequest is a request that came to an inbox.
type inboxRequest struct {
	ID         string      `json:"id"`
	ReceivedAt time.Time   `json:"receivedAt"`
	Method     string      `json:"method"`
	Headers    http.Header `json:"headers"`
	Body       string      `json:"body"`
	BodyBase64 []byte      `json:"bodyBase64"`
}

// arrival is a webhook that came, and what the check of its signature says.
type arrival struct {
	inboxRequest
	body []byte
	verdict
}

const (
	// silence is how long a stream may say nothing. The server speaks every 15 s.
	silence = 45 * time.Second
	// maxLine bounds an event, which holds one body of up to 4 MiB, escaped.
	maxLine = 32 << 20
)

// errSilent and errEnded say how streams end that nobody here has ended.
var (
	errSilent = errors.New("the server has gone silent")
	errEnded  = errors.New("the server has closed the stream")
)

// stream connects to the inbox and queues what comes until the connection ends.
func (l *listening) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	path := "/app/" + url.PathEscape(l.app.ID) + "/inbox/" + url.PathEscape(l.uid)
	events, err := l.api.Open(ctx, path, "text/event-stream")
	if err != nil {
		return err
	}
	defer func() { _ = events.Close() }()
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	err = readEvents(events, func() { watchdog.Reset(silence) }, func(name string, data []byte) error {
		watchdog.Stop() // waiting for our own queue is not the server's silence
		defer watchdog.Reset(silence)
		return l.event(ctx, name, data)
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// event takes one event of the stream.
func (l *listening) event(ctx context.Context, name string, data []byte) error {
	switch name {
	case "inbox":
		var in inboxOpened
		if err := json.Unmarshal(data, &in); err != nil || in.URL == "" {
			return errors.New("the first event is not as expected: is this a Callboard server?")
		}
		return l.opened(ctx, &in)
	case "request":
		a := arrival{}
		if err := json.Unmarshal(data, &a.inboxRequest); err != nil {
			return fmt.Errorf("an event of the server is not as expected: %w", err)
		}
		a.body = a.BodyBase64
		if a.body == nil {
			a.body = []byte(a.Body)
		}
		a.verdict = l.secrets.check(ctx, l, &a) // now: a signature is good for minutes
		if a.Type == "" && a.Verified {
			a.Type = l.typeOf(ctx, a.Message)
		}
		select {
		case l.queue <- a:
		case <-ctx.Done():
		}
	}
	return nil // events of later versions
}

// typeOf asks the server what type a message has whose body does not say so: payloads
// are sent as they were given. "" = it cannot be told.
func (l *listening) typeOf(ctx context.Context, message string) string {
	if !strings.HasPrefix(message, id.Message.Prefix()) {
		return ""
	}
	var out struct {
		EventType string `json:"eventType"`
	}
	path := "/app/" + url.PathEscape(l.app.ID) + "/msg/" + url.PathEscape(message) + "?with_content=false"
	_ = l.api.Do(ctx, http.MethodGet, path, nil, &out) // the webhook is worth printing without
	return out.EventType
}

// readEvents reads server-sent events until the stream or take ends it. heard is
// called for every line, comments included. Data of several lines and retry are not
// read: the inbox sends neither.
func readEvents(stream io.Reader, heard func(), take func(name string, data []byte) error) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	name, data := "", []byte(nil)
	for lines.Scan() {
		heard()
		line := lines.Bytes()
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			if name != "" {
				if err := take(name, data); err != nil {
					return err
				}
			}
			name, data = "", nil
		case string(field) == "event":
			name = string(value)
		case string(field) == "data":
			data = bytes.Clone(value)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errEnded
}
