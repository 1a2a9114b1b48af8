package receiver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/receiver"
	"github.com/callboard/callboard/receiver/receivertest"
)

// script plays one outcome per call of the function and counts the calls. One
// call too many fails the request.
type script struct {
	outcomes []handlerFunc
	calls    int
}

func (s *script) handle(ctx context.Context, m message) error {
	s.calls++
	if s.calls > len(s.outcomes) {
		return fmt.Errorf("call %d, want at most %d", s.calls, len(s.outcomes))
	}
	return s.outcomes[s.calls-1](ctx, m)
}

func fail(context.Context, message) error    { return errors.New("not now") }
func gone(context.Context, message) error    { return receiver.ErrGone }
func explode(context.Context, message) error { panic("boom") }

// TestCopies sends one message several times, one after the other.
func TestCopies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		outcomes []handlerFunc
		want     []int
	}{
		"handled once":         {[]handlerFunc{accept}, []int{200, 200, 200}},
		"again after an error": {[]handlerFunc{fail, fail, accept}, []int{500, 500, 200, 200}},
		"again after a panic":  {[]handlerFunc{explode, accept}, []int{500, 200, 200}},
		"again after ErrGone":  {[]handlerFunc{gone, gone}, []int{410, 410}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := &script{outcomes: test.outcomes}
			handler := newHandler(t, script.handle)
			var got []int
			for range test.want {
				got = append(got, serve(handler, signed(t, joined, receivertest.WithID("msg_1"))).Code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			if script.calls != len(test.outcomes) {
				t.Errorf("%d calls, want %d", script.calls, len(test.outcomes))
			}
		})
	}
}

// TestUnsignedCopyIsRefused: an id that was handled is no way around the
// signature.
func TestUnsignedCopyIsRefused(t *testing.T) {
	t.Parallel()
	handler := newHandler(t, accept)
	wantStatus(t, "first", serve(handler, signed(t, joined, receivertest.WithID("msg_1"))), http.StatusOK)
	r := signed(t, joined, receivertest.WithID("msg_1"))
	r.Header.Set("Webhook-Signature", "v1,")
	wantStatus(t, "copy", serve(handler, r), http.StatusUnauthorized)
}

// TestTwins sends copies while the first is being handled. In a bubble,
// synctest.Wait returns once everybody is held.
func TestTwins(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first     error
		wantFirst int
		wantCalls int32
	}{
		"first succeeds: the others are told so":     {nil, http.StatusOK, 1},
		"first fails: one of the others has its try": {errors.New("not now"), http.StatusInternalServerError, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				release := make(chan struct{})
				handler := newHandler(t, func(context.Context, message) error {
					if calls.Add(1) > 1 {
						return nil
					}
					<-release
					return test.first
				})
				first := serveAsync(handler, signed(t, joined, receivertest.WithID("msg_1")))
				synctest.Wait()
				var twins []<-chan *httptest.ResponseRecorder
				for range 5 {
					twins = append(twins, serveAsync(handler, signed(t, joined, receivertest.WithID("msg_1"))))
				}
				synctest.Wait()
				if got := calls.Load(); got != 1 {
					t.Errorf("%d calls while the first is being handled, want 1", got)
				}
				wantStatus(t, "another message meanwhile", serve(handler, signed(t, joined)), http.StatusOK)
				calls.Add(-1)

				close(release)
				wantStatus(t, "first", <-first, test.wantFirst)
				for _, twin := range twins {
					wantStatus(t, "twin", <-twin, http.StatusOK)
				}
				if got := calls.Load(); got != test.wantCalls {
					t.Errorf("%d calls, want %d", got, test.wantCalls)
				}
			})
		})
	}
}

func serveAsync(handler http.Handler, r *http.Request) <-chan *httptest.ResponseRecorder {
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- serve(handler, r) }()
	return answer
}

// TestTwinLeaves: a sender that hangs up while its copy waits frees the
// goroutine, and neither the first copy nor later ones notice.
func TestTwinLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		calls := 0
		handler := newHandler(t, func(context.Context, message) error {
			calls++
			<-release
			return nil
		})
		first := serveAsync(handler, signed(t, joined, receivertest.WithID("msg_1")))
		synctest.Wait()
		ctx, hangUp := context.WithTimeout(t.Context(), 15*time.Second)
		defer hangUp()
		start := time.Now()
		twin := serve(handler, signed(t, joined, receivertest.WithID("msg_1")).WithContext(ctx))
		wantStatus(t, "twin", twin, http.StatusServiceUnavailable)
		if waited := time.Since(start); waited != 15*time.Second {
			t.Errorf("twin was held %s, want until its sender left after 15 s", waited)
		}
		close(release)
		wantStatus(t, "first", <-first, http.StatusOK)
		wantStatus(t, "later", serve(handler, signed(t, joined, receivertest.WithID("msg_1"))), http.StatusOK)
		if calls != 1 {
			t.Errorf("%d calls, want 1", calls)
		}
	})
}

// TestTurnEndsHowever: ways out of the function that skip its return must not
// leave the id taken, or its retries would wait for ever.
func TestTurnEndsHowever(t *testing.T) {
	t.Parallel()
	exits := map[string]func(){
		"http.ErrAbortHandler": func() { panic(http.ErrAbortHandler) },
		"runtime.Goexit":       runtime.Goexit,
	}
	for name, exit := range exits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := &script{outcomes: []handlerFunc{
				func(context.Context, message) error { exit(); return nil },
				accept,
			}}
			handler := newHandler(t, script.handle)
			passedOn := make(chan any, 1)
			go func() {
				defer func() { passedOn <- recover() }()
				serve(handler, signed(t, joined, receivertest.WithID("msg_1")))
			}()
			wantPassedOn := name == "http.ErrAbortHandler"
			if err, _ := (<-passedOn).(error); errors.Is(err, http.ErrAbortHandler) != wantPassedOn {
				t.Errorf("recovered %v, want http.ErrAbortHandler: %t", err, wantPassedOn)
			}
			wantStatus(t, "retry", serve(handler, signed(t, joined, receivertest.WithID("msg_1"))), http.StatusOK)
			if script.calls != 2 {
				t.Errorf("%d calls, want 2", script.calls)
			}
		})
	}
}

// brokenDeduper fails as told, and keeps the context that Mark was given.
type brokenDeduper struct {
	seenErr, markErr error
	markCtxErr       error
	marked           []string
}

func (d *brokenDeduper) Seen(context.Context, string) (bool, error) { return false, d.seenErr }

func (d *brokenDeduper) Mark(ctx context.Context, id string) error {
	d.marked, d.markCtxErr = append(d.marked, id), ctx.Err()
	return d.markErr
}

func TestDeduperFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		deduper    brokenDeduper
		outcome    handlerFunc
		want       int
		wantCalls  int
		wantMarked []string
		wantLog    string
	}{
		"works":            {outcome: accept, want: http.StatusOK, wantCalls: 1, wantMarked: []string{"msg_1"}},
		"no mark on error": {outcome: fail, want: http.StatusInternalServerError, wantCalls: 1, wantLog: "not now"},
		"Seen fails": {
			deduper: brokenDeduper{seenErr: errors.New("no route to redis")}, outcome: accept,
			want: http.StatusServiceUnavailable, wantLog: "no route to redis",
		},
		"Mark fails": {
			deduper: brokenDeduper{markErr: errors.New("redis is full")}, outcome: accept,
			want: http.StatusOK, wantCalls: 1, wantMarked: []string{"msg_1"}, wantLog: "redis is full",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			script := &script{outcomes: []handlerFunc{test.outcome}}
			handler := newHandler(t, script.handle, receiver.WithDeduper(&test.deduper),
				receiver.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			w := serve(handler, signed(t, joined, receivertest.WithID("msg_1")))
			wantStatus(t, name, w, test.want)
			if script.calls != test.wantCalls {
				t.Errorf("%d calls, want %d", script.calls, test.wantCalls)
			}
			if diff := cmp.Diff(test.wantMarked, test.deduper.marked); diff != "" {
				t.Errorf("marked (-want +got):\n%s", diff)
			}
			if (log.Len() > 0) != (test.wantLog != "") || !strings.Contains(log.String(), test.wantLog) ||
				(test.wantLog != "" && !strings.Contains(log.String(), "level=ERROR")) {
				t.Errorf("log %q, want an error that says %q", &log, test.wantLog)
			}
			if strings.Contains(w.Body.String(), "redis") {
				t.Errorf("the sender is told %q", w.Body)
			}
		})
	}
}

// TestMarkOutlivesSender: the sender hangs up during a function that does not
// mind. The work is done, so the retry must not repeat it.
func TestMarkOutlivesSender(t *testing.T) {
	t.Parallel()
	deduper := &brokenDeduper{}
	ctx, hangUp := context.WithCancel(t.Context())
	handler := newHandler(t, func(context.Context, message) error { hangUp(); return nil }, receiver.WithDeduper(deduper))
	serve(handler, signed(t, joined, receivertest.WithID("msg_1")).WithContext(ctx))
	if diff := cmp.Diff([]string{"msg_1"}, deduper.marked); diff != "" || deduper.markCtxErr != nil {
		t.Errorf("context %v, marked (-want +got):\n%s", deduper.markCtxErr, diff)
	}
}

func TestMemoryDeduperForgetsOldest(t *testing.T) {
	t.Parallel()
	deduper := receiver.NewMemoryDeduper(3)
	steps := []struct{ mark, want string }{
		{"", ""},
		{"a", "a"},
		{"b", "ab"},
		{"b", "ab"}, // Marked again, it takes no second place,
		{"c", "abc"},
		{"a", "abc"}, // nor does it become young.
		{"d", "bcd"},
		{"e", "cde"},
		{"f", "def"},
		{"g", "efg"},
		{"d", "fgd"},
	}
	for i, step := range steps {
		if step.mark != "" {
			if err := deduper.Mark(t.Context(), step.mark); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range "abcdefg" {
			seen, err := deduper.Seen(t.Context(), string(id))
			if want := strings.ContainsRune(step.want, id); err != nil || seen != want {
				t.Errorf("step %d: Seen(%q) = %t, %v, want %t", i, id, seen, err, want)
			}
		}
	}
}

func TestMemoryDeduperDefaults(t *testing.T) {
	t.Parallel()
	deduper := receiver.NewMemoryDeduper(0)
	for i := range receiver.DefaultRemembered + 1 {
		if err := deduper.Mark(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]bool{"0": false, "1": true, fmt.Sprint(receiver.DefaultRemembered): true} {
		if seen, _ := deduper.Seen(t.Context(), id); seen != want {
			t.Errorf("Seen(%s) = %t, want %t", id, seen, want)
		}
	}
}

// TestManyAtOnce has many senders send few messages, all at once, many times;
// every other try fails. Each message must succeed exactly once.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const messages, senders = 8, 24
	var tries, successes [messages]atomic.Int32
	handler := newHandler(t, func(_ context.Context, m message) error {
		i := m.ID[len(m.ID)-1] - '0'
		if tries[i].Add(1)%2 == 1 {
			return errors.New("odd")
		}
		successes[i].Add(1)
		return nil
	})
	var answers []<-chan *httptest.ResponseRecorder
	for i := range messages * senders {
		id := fmt.Sprintf("msg_%d", i%messages)
		answers = append(answers, serveAsync(handler, signed(t, joined, receivertest.WithID(id))))
	}
	failed := 0
	for _, answer := range answers {
		if w := <-answer; w.Code != http.StatusOK {
			failed++
		}
	}
	if failed != messages {
		t.Errorf("%d copies failed, want the first of each of %d messages", failed, messages)
	}
	for i := range successes {
		if got := successes[i].Load(); got != 1 {
			t.Errorf("message %d succeeded %d times, want once", i, got)
		}
	}
}
