package load_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/sink"
)

const size = 300

// api is a fake of POST msg. It keeps what it was sent and answers with answer, or 202 and an id derived from the number.
type api struct {
	template probe.Template
	answer   func(w http.ResponseWriter, seq uint64, try int) bool

	mu    sync.Mutex
	posts map[uint64][]post
}

type post struct{ path, key, deliverAt string }

func newAPI(t *testing.T, answer func(w http.ResponseWriter, seq uint64, try int) bool) (a *api, addr string) {
	t.Helper()
	template, err := probe.NewTemplate(size)
	if err != nil {
		t.Fatal(err)
	}
	a = &api{template: template, answer: answer, posts: map[uint64][]post{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, strings.TrimPrefix(server.URL, "http://")
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		EventType string
		Payload   json.RawMessage
		DeliverAt string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.EventType != probe.EventType {
		http.Error(w, "not a message", http.StatusBadRequest)
		return
	}
	seq, _, err := a.template.Read(in.Payload)
	if err != nil || r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "not our message", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.posts[seq] = append(a.posts[seq], post{r.URL.Path, r.Header.Get("Idempotency-Key"), in.DeliverAt})
	try := len(a.posts[seq])
	a.mu.Unlock()
	if a.answer != nil && a.answer(w, seq, try) {
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"eventType":"x","id":"msg_%d","payload":{}}`, seq)
}

func config(t *testing.T, addr string) load.Config {
	t.Helper()
	return load.Config{
		Addr: addr, Token: "secret", Apps: []string{"app_a", "app_b"}, PayloadBytes: size, Concurrency: 3,
		IdempotencyKey: true, First: 10, Count: 50, Accepted: filepath.Join(t.TempDir(), "accepted"),
	}
}

var keyForm = regexp.MustCompile(`^auto_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestRunPostsEachMessageOnce(t *testing.T) {
	t.Parallel()
	a, addr := newAPI(t, nil)
	cfg := config(t, addr)
	cfg.DeliverAt = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	result, err := load.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if result.Accepted != 50 || result.Refused != 0 || result.From != 10 || result.To != 60 || result.Accept.Count() != 50 {
		t.Errorf("result %+v", result)
	}
	table, err := accepted.Read(cfg.Accepted)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for seq := uint64(10); seq < 60; seq++ {
		if want := probe.HashID("msg_" + strconv.FormatUint(seq, 10)); table.ID(seq) != want {
			t.Errorf("message %d: accepted as %x, want %x", seq, table.ID(seq), want)
		}
		posts := a.posts[seq]
		if len(posts) != 1 {
			t.Fatalf("message %d: posted %d times", seq, len(posts))
		}
		if !keyForm.MatchString(posts[0].key) || keys[posts[0].key] {
			t.Errorf("message %d: Idempotency-Key %q", seq, posts[0].key)
		}
		keys[posts[0].key] = true
		want := post{"/api/v1/app/" + cfg.Apps[seq%2] + "/msg", posts[0].key, "2030-01-02T03:04:05Z"}
		if diff := cmp.Diff(want, posts[0], cmp.AllowUnexported(post{})); diff != "" {
			t.Error(diff)
		}
	}
}

// TestRunPostsSample posts a sample with a mark, under its own event type.
func TestRunPostsSample(t *testing.T) {
	t.Parallel()
	sample := []byte(`{"data":{"id":"` + probe.Mark + `"}}`)
	template, err := probe.Marked(sample)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			EventType string
			Payload   json.RawMessage
		}
		err := json.NewDecoder(r.Body).Decode(&in)
		seq, sent, readErr := template.Read(in.Payload)
		if err != nil || readErr != nil || in.EventType != "session.joined" || time.Since(time.Unix(0, sent)).Abs() > time.Minute {
			http.Error(w, "not our message", http.StatusUnprocessableEntity)
			return
		}
		fmt.Fprintf(w, `{"id":"msg_%d"}`, seq)
	}))
	t.Cleanup(server.Close)
	cfg := config(t, strings.TrimPrefix(server.URL, "http://"))
	cfg.EventType, cfg.Payload = "session.joined", sample
	if r, err := load.Run(t.Context(), cfg); err != nil || r.Accepted != 50 || r.Refused != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	cfg.Payload = []byte(`{}`)
	if _, err := load.Run(t.Context(), cfg); err == nil {
		t.Error("a payload without a mark was posted")
	}
}

// TestRunAnswers has the service answer in every way that the connection must understand, and fail now and then.
func TestRunAnswers(t *testing.T) {
	t.Parallel()
	_, addr := newAPI(t, func(w http.ResponseWriter, seq uint64, try int) bool {
		switch {
		case seq == 10: // Chunked, because it is flushed before it is complete.
			_, _ = io.WriteString(w, `{"id":`)
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, `"msg_10"}`)
		case seq == 11:
			w.Header().Set("Connection", "close")
			return false
		case seq == 12 && try == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case seq == 13 && try == 1:
			panic(http.ErrAbortHandler) // The connection breaks; the outcome is unknown.
		case seq == 14:
			http.Error(w, `{"code":"validation"}`, http.StatusUnprocessableEntity)
		case seq == 15:
			w.WriteHeader(http.StatusNoContent)
		case seq == 16:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			return false
		}
		return true
	})
	cfg := config(t, addr)
	cfg.Concurrency = 1
	result, err := load.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if result.Accepted != 47 || result.Refused != 3 || result.Retried != 4 {
		t.Errorf("accepted %d, refused %d, retried %d; want 47, 3, 4", result.Accepted, result.Refused, result.Retried)
	}
	if want := `status 422: {"code":"validation"}`; !strings.Contains(result.FirstError, want) {
		t.Errorf("first error %q, want %q", result.FirstError, want)
	}
	table, err := accepted.Read(cfg.Accepted)
	if err != nil {
		t.Fatal(err)
	}
	for seq, ok := range map[uint64]bool{10: true, 11: true, 12: true, 13: true, 14: false, 15: false, 16: false, 17: true} {
		if (table.ID(seq) != 0) != ok {
			t.Errorf("message %d: accepted %v, want %v", seq, !ok, ok)
		}
	}
}

// TestRunWithoutKeyNeverRepeats: without an Idempotency-Key a repetition could be a second message.
func TestRunWithoutKeyNeverRepeats(t *testing.T) {
	t.Parallel()
	a, addr := newAPI(t, func(w http.ResponseWriter, _ uint64, _ int) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	cfg := config(t, addr)
	cfg.IdempotencyKey = false
	result, err := load.Run(t.Context(), cfg)
	if err != nil || result.Refused != 50 || result.Retried != 0 {
		t.Errorf("refused %d, retried %d, %v", result.Refused, result.Retried, err)
	}
	for seq, posts := range a.posts {
		if len(posts) != 1 || posts[0].key != "" {
			t.Errorf("message %d: posts %+v", seq, posts)
		}
	}
}

// TestOpenLoopSeesAStall: one connection, 200 messages a second, and an answer that takes 150 ms. The messages that were
// due meanwhile waited, and a loop that forgot this (coordinated omission) would report one slow message in 60.
func TestOpenLoopSeesAStall(t *testing.T) {
	t.Parallel()
	const stall = 150 * time.Millisecond
	_, addr := newAPI(t, func(_ http.ResponseWriter, seq uint64, _ int) bool {
		if seq == 20 {
			<-time.After(stall)
		}
		return false
	})
	cfg := config(t, addr)
	cfg.Concurrency, cfg.Rate, cfg.Count = 1, 200, 60
	result, err := load.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Duration(result.Ended - result.Started); took < 59*5*time.Millisecond {
		t.Errorf("60 messages at 200/s took %v", took)
	}
	// 30 messages were due within the stall, so a quarter of all 60 waited at least half of it.
	if got := result.Accept.Millis(0.75); got < 60 {
		t.Errorf("p75 = %.1f ms, want at least 60: the stall is hidden", got)
	}
}

func TestRunStopsAfterDuration(t *testing.T) {
	t.Parallel()
	_, addr := newAPI(t, nil)
	cfg := config(t, addr)
	cfg.Count, cfg.Duration = 0, 50*time.Millisecond
	result, err := load.Run(t.Context(), cfg)
	if err != nil || result.Accepted == 0 || result.To-result.From != result.Accepted {
		t.Errorf("result %+v, %v", result, err)
	}
}

func TestRunStopsWithContext(t *testing.T) {
	t.Parallel()
	_, addr := newAPI(t, nil)
	for _, rate := range []float64{0, 100} {
		cfg := config(t, addr)
		cfg.Rate, cfg.Count, cfg.Duration = rate, 0, time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := load.Run(ctx, cfg)
		cancel()
		if rate > 0 && err == nil {
			t.Error("an interrupted open loop reports success")
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, alter := range map[string]func(*load.Config){
		"apps":        func(c *load.Config) { c.Apps = nil },
		"concurrency": func(c *load.Config) { c.Concurrency = 0 },
		"end":         func(c *load.Config) { c.Count = 0 },
		"first":       func(c *load.Config) { c.First = 11 },
		"payload":     func(c *load.Config) { c.PayloadBytes = 1 },
	} {
		cfg := config(t, "127.0.0.1:0")
		alter(&cfg)
		if _, err := load.Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestBareAgainstSink runs the yardstick against the real sink with every signature verified.
func TestBareAgainstSink(t *testing.T) {
	t.Parallel()
	secret := probe.NewSecret()
	s, err := sink.New(sink.Config{PayloadBytes: size, VerifyEvery: 1, Slots: []sink.Slot{{Secret: secret, Stride: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := load.BareConfig{
		URL: server.URL + sink.PathPrefix + "0", Secret: secret, PayloadBytes: size, Concurrency: 4, Duration: 50 * time.Millisecond,
	}
	result, err := load.Bare(t.Context(), cfg)
	if err != nil || result.Posted == 0 || result.Failed != 0 {
		t.Fatalf("result %+v, %v", result, err)
	}
	report, err := s.Report(sink.Query{Slots: []int{0}, To: result.To})
	if err != nil {
		t.Fatal(err)
	}
	if report.Delivered != result.Posted || report.Verified != result.Posted || report.Faults != 0 {
		t.Errorf("posted %d, delivered %d, verified %d, faults %q", result.Posted, report.Delivered, report.Verified, report.Examples)
	}
	cfg.Secret = probe.NewSecret()
	if result, err := load.Bare(t.Context(), cfg); err != nil || result.Posted != 0 || result.FirstError != "status 400" {
		t.Errorf("with a wrong secret: %+v, %v", result, err)
	}
	cfg.Concurrency = 0
	if _, err := load.Bare(t.Context(), cfg); err == nil {
		t.Error("no concurrency was accepted")
	}
}
