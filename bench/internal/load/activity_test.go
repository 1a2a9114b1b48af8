package load_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
)

// activity is what the fake of POST activity looks at.
type activity struct {
	Type  string
	At    *time.Time
	Actor struct{ ID string }
	Data  struct {
		EventID, SessionID string
		Registration       struct {
			ID      string
			Profile map[string]string
		}
	}
}

// door is a fake of POST activity. It answers with an id made of the attendee's number, or refuses those that answer says.
type door struct {
	refuse func(seq uint64) bool
	status int // of every answer; default 202

	mu       sync.Mutex
	came     map[uint64]activity
	requests []int // how many activities each had; 0 = bare
	order    []uint64
}

func newDoor(t *testing.T) (d *door, addr string) {
	t.Helper()
	d = &door{came: map[uint64]activity{}, refuse: func(uint64) bool { return false }, status: http.StatusAccepted}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, strings.TrimPrefix(server.URL, "http://")
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		activity
		Activities []activity
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/api/v1/app/app_a/activity" || r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "no activity", http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, len(in.Activities))
	if in.Activities == nil {
		in.Activities = []activity{in.activity}
	}
	var results []string
	for _, a := range in.Activities {
		seq, _, _ := probe.ReadMark([]byte(a.Data.Registration.ID)) // Registrations are looked at below.
		d.came[seq] = a
		d.order = append(d.order, seq)
		if d.refuse(seq) {
			results = append(results, `{"id":null,"status":"refused","messages":[],"error":{"code":"conflict"}}`)
			continue
		}
		results = append(results, fmt.Sprintf(`{"id":null,"status":"applied","messages":["msg_%d"]}`, seq))
	}
	w.WriteHeader(d.status)
	_, _ = fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(results, ","))
}

func joinConfig(t *testing.T, addr string) load.JoinConfig {
	t.Helper()
	return load.JoinConfig{
		Addr: addr, Token: "secret", App: "app_a", Event: "e", Sessions: 3, Batch: 7, Concurrency: 2,
		First: 9, Count: 50, Accepted: filepath.Join(t.TempDir(), "accepted"),
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 7} {
		d, addr := newDoor(t)
		d.refuse = func(seq uint64) bool { return seq == 20 }
		cfg := joinConfig(t, addr)
		cfg.Batch = batch
		result, err := load.Join(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		requests := (50 + batch - 1) / batch
		if result.Accepted != 49 || result.Refused != 1 || result.From != 9 || result.To != 59 || result.Accept.Count() != uint64(requests) || len(d.requests) != requests {
			t.Errorf("batch %d: %d requests, result %+v", batch, len(d.requests), result)
		}
		if !strings.Contains(result.FirstError, "conflict") {
			t.Errorf("first error %q", result.FirstError)
		}
		if bare := d.requests[0] == 0; bare != (batch == 1) {
			t.Errorf("batch %d: bare %v", batch, bare)
		}
		table, err := accepted.Read(cfg.Accepted)
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(9); seq < 59; seq++ {
			want := probe.HashID(fmt.Sprintf("msg_%d", seq))
			if seq == 20 {
				want = 0
			}
			if got := table.ID(seq); got != want {
				t.Errorf("attendee %d: %x, want %x", seq, got, want)
			}
			a := d.came[seq]
			if a.Type != "session.joined" || a.At != nil || a.Data.EventID != "e" || a.Data.SessionID != load.SessionID(int(seq%3)) ||
				a.Actor.ID != a.Data.Registration.ID || a.Data.Registration.Profile["firstName"] == "" {
				t.Errorf("attendee %d: %+v", seq, a)
			}
		}
		if len(d.came) != 50 || d.order[0]+1 == d.order[1] {
			t.Errorf("%d attendees came, in the order %d …", len(d.came), d.order[:2])
		}
	}
}

// TestJoinAt tells when they joined.
func TestJoinAt(t *testing.T) {
	t.Parallel()
	d, addr := newDoor(t)
	cfg := joinConfig(t, addr)
	cfg.At = time.Date(2027, 6, 9, 15, 3, 18, 0, time.UTC)
	if _, err := load.Join(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if at := d.came[9].At; at == nil || !at.Equal(cfg.At) {
		t.Errorf("at %v", at)
	}
}

// TestJoinFails counts what is not answered as it should be.
func TestJoinFails(t *testing.T) {
	t.Parallel()
	d, addr := newDoor(t)
	d.status = http.StatusServiceUnavailable
	result, err := load.Join(t.Context(), joinConfig(t, addr))
	if err != nil || result.Accepted != 0 || result.Refused != 50 || !strings.HasPrefix(result.FirstError, "status 503") {
		t.Errorf("%+v, %v", result, err)
	}
	d.status = http.StatusAccepted
	for name, alter := range map[string]func(*load.JoinConfig){
		"sessions":    func(c *load.JoinConfig) { c.Sessions = 0 },
		"batch":       func(c *load.JoinConfig) { c.Batch = 0 },
		"concurrency": func(c *load.JoinConfig) { c.Concurrency = 0 },
		"count":       func(c *load.JoinConfig) { c.Count = 0 },
	} {
		cfg := joinConfig(t, addr)
		alter(&cfg)
		if _, err := load.Join(t.Context(), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
