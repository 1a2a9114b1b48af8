package demo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/receiver"
)

// temper is how a receiver behaves towards a message whose signature is good: nil takes it.
type temper func(ctx context.Context, message string) error

// target is a receiver: an HTTP server on loopback that verifies and decodes what it gets.
type target struct {
	name     string // short: there are seven on one line
	does     string // for people
	temper   temper
	speech   speech
	endpoint string // the endpoint's id, once it is registered

	listener net.Listener
	server   *http.Server
	verified atomic.Int64 // requests with a good signature
	forged   atomic.Int64 // and without
	accepted atomic.Int64 // requests that were answered 2xx
}

// newTargets are the receivers of the demo: three tempers, and one for each vendor's dialect.
func newTargets() []*target {
	return []*target{
		{name: "healthy", does: "takes every message at once", temper: healthy, speech: own()},
		{name: "fails", does: "takes each message at the third attempt", temper: failing(2), speech: own()},
		{name: "hangs", does: "answers nothing for its first 3 seconds", temper: hanging(hangFor), speech: own()},
		{name: "zuddl", does: "reads Zuddl's webhooks", temper: healthy, speech: newSpeech("zuddl", hexSecret, receiver.Zuddl())},
		{name: "board", does: "reads Sessionboard's webhooks", temper: healthy, speech: newSpeech("sessionboard", standardSecret, receiver.Sessionboard())},
		{name: "oration", does: "reads Oration's webhooks", temper: healthy, speech: newSpeech("oration", standardSecret, receiver.Oration())},
		{name: "iotum", does: "reads iotum's webhooks", temper: healthy, speech: newSpeech("iotum", nil, receiver.Iotum())},
	}
}

func healthy(context.Context, string) error { return nil }

// failing refuses each message so many times before it takes it.
func failing(times int) temper {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(_ context.Context, message string) error {
		mu.Lock()
		defer mu.Unlock()
		if seen[message] < times {
			seen[message]++
			return errors.New("not yet")
		}
		delete(seen, message)
		return nil
	}
}

// hanging answers nothing for a while after its first request, and is healthy from then on.
func hanging(d time.Duration) temper {
	var once sync.Once
	var until time.Time
	return func(ctx context.Context, _ string) error {
		once.Do(func() { until = time.Now().Add(d) })
		select {
		case <-ctx.Done(): // the sender has given up
			return context.Cause(ctx)
		case <-time.After(time.Until(until)):
			return nil
		}
	}
}

// listen takes a free port. took is called with each message that the target takes, once.
func (t *target) listen(ctx context.Context, secret string, took func(arrival)) error {
	handler, err := t.speech.handler(secret, func(ctx context.Context, a arrival) error {
		if err := t.temper(ctx, a.id); err != nil {
			return err
		}
		took(a)
		return nil
	})
	if err != nil {
		return err
	}
	if t.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	t.server = &http.Server{Handler: t.counting(handler), ReadTimeout: 10 * time.Second}
	return nil
}

// counting counts the requests by what the handler answers.
func (t *target) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if seen.status == http.StatusUnauthorized {
			t.forged.Add(1)
			return
		}
		t.verified.Add(1)
		if seen.status/100 == 2 {
			t.accepted.Add(1)
		}
	})
}

// statusWriter remembers the status that was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// title is what the target does, as the dashboard's lists show it.
func (t *target) title() string { return strings.ToUpper(t.does[:1]) + t.does[1:] }

func (t *target) url() string { return "http://" + t.listener.Addr().String() + "/webhooks" }

// serve blocks until close.
func (t *target) serve() error {
	if err := t.server.Serve(t.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// close cuts what is under way. It may be called on a target that never listened.
func (t *target) close() error {
	if t.server == nil {
		return nil
	}
	return t.server.Close()
}
