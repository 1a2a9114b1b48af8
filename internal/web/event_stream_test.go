package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/web"
)

func TestEventStreamSend(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	s := web.OpenEventStream(rec)
	defer s.Close()
	if rec.Flushed || rec.Body.Len() > 0 {
		t.Fatal("something was written before the first event")
	}
	err := s.Send(
		web.StreamEvent{Name: "hello", Data: map[string]any{"a": "<b>&\nid: 7\n\n"}},
		web.StreamEvent{Name: "more", ID: "x1", Data: 1},
	)
	if err != nil {
		t.Fatal(err)
	}
	want := "event: hello\ndata: {\"a\":\"<b>&\\nid: 7\\n\\n\"}\n\nevent: more\nid: x1\ndata: 1\n\n"
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Error(diff)
	}
	if !rec.Flushed {
		t.Error("the events were not sent off")
	}
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store"} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestEventStreamSendsNothingOfWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	s := web.OpenEventStream(rec)
	defer s.Close()
	if s.Send(web.StreamEvent{Name: "good", Data: 1}, web.StreamEvent{Name: "bad", Data: func() {}}) == nil {
		t.Error("a function became JSON")
	}
	if s.Send() != nil || rec.Flushed {
		t.Errorf("written: %q", rec.Body)
	}
}

func TestEventStreamBeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := httptest.NewRecorder()
		s := web.OpenEventStream(rec)
		defer s.Close()
		begin := time.Now()
		<-s.Beats()
		if got := time.Since(begin); got != 15*time.Second {
			t.Errorf("the first beat is due after %v", got)
		}
	})
}

func TestEventStreamBeat(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		allowed func(context.Context) error
		want    error
	}{
		{"nobody to ask", nil, nil},
		{"allowed", func(context.Context) error { return nil }, nil},
		{"an expired token", func(context.Context) error { return &errs.Error{Kind: errs.Unauthenticated} }, web.ErrStreamRefused},
		{"a lost right", func(context.Context) error { return &errs.Error{Kind: errs.Forbidden} }, web.ErrStreamRefused},
		{"a deleted app", func(context.Context) error { return errs.Missing() }, web.ErrStreamRefused},
		{"a store that does not answer", func(context.Context) error { return errors.New("no answer") }, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			s := web.OpenEventStream(rec)
			defer s.Close()
			if err := s.Beat(t.Context(), row.allowed); !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			want := ": keep-alive\n\n"
			if row.want != nil {
				want = ""
			}
			if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEventStreamEnds ends a stream long after its last event: its end must be told, too.
func TestEventStreamEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, conn := net.Pipe()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			s := web.OpenEventStream(w)
			defer s.Close()
			if err := s.Send(web.StreamEvent{Name: "hello", Data: 1}); err != nil {
				t.Error(err)
			}
			<-s.Beats()
		})}
		defer server.Close()
		go func() { _ = server.Serve(&single{conn: conn}) }()
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.ReadAll(answer.Body); err != nil {
			t.Errorf("the stream ends with: %v", err)
		}
	})
}

// single is a listener that has one connection.
type single struct {
	net.Listener

	conn net.Conn
}

func (l *single) Accept() (net.Conn, error) {
	conn := l.conn
	if l.conn = nil; conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l *single) Close() error { return nil }

func TestLastEventID(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"": "", " a1 ": "a1", strings.Repeat("x", 8193): ""} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Last-Event-ID", header)
		if got := web.LastEventID(r); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
