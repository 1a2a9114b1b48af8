package load_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/load"
	"github.com/callboard/callboard/bench/internal/probe"
)

// inboundConfig posts webhooks to a source that the handler answers for.
func inboundConfig(t *testing.T, handler http.HandlerFunc) load.Config {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return load.Config{
		Addr: strings.TrimPrefix(server.URL, "http://"), Apps: []string{"app"}, Concurrency: 2, First: 7,
		Payload: []byte(`{"id":"` + probe.Mark + `","again":"` + probe.Mark + `"}`), Accepted: filepath.Join(t.TempDir(), "accepted"),
		Inbound: &load.Inbound{Path: "/in/src", Secret: "hush"},
	}
}

// proven reports whether a request is signed as Zuddl does.
func proven(r *http.Request, body []byte) bool {
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write(body)
	return r.Header.Get("X-Webhook-Signature") == "sha256="+hex.EncodeToString(mac.Sum(nil))
}

func TestInbound(t *testing.T) {
	t.Parallel()
	var right atomic.Int64
	cfg := inboundConfig(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seq, _, err := probe.FirstMark(body)
		mark := string(body[len(`{"id":"`):][:len(probe.Mark)])
		switch {
		case seq == 9:
			http.Error(w, "no", http.StatusUnauthorized)
		case err == nil && r.URL.Path == "/in/src" && proven(r, body) && string(body) == `{"id":"`+mark+`","again":"`+mark+`"}`:
			right.Add(1)
			_, _ = io.WriteString(w, "{}")
		default:
			http.Error(w, "wrong", http.StatusBadRequest)
		}
	})
	cfg.Count = 5
	r, err := load.Run(t.Context(), cfg)
	if err != nil || r.Accepted != 4 || r.Refused != 1 || right.Load() != 4 || r.Flooded != 0 || r.From != 7 || r.To != 12 {
		t.Errorf("%+v, %v", r, err)
	}
	table, err := accepted.Read(cfg.Accepted)
	if err != nil || table.ID(8) == 0 || table.ID(9) != 0 {
		t.Errorf("%+v, %v", table, err)
	}
}

// TestFlood: its signatures are wrong, and each has to be refused.
func TestFlood(t *testing.T) {
	t.Parallel()
	for believed, want := range map[bool]string{false: "", true: "status 200: {}"} {
		cfg := inboundConfig(t, func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); !believed && !proven(r, body) {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, "{}")
		})
		cfg.Duration, cfg.Rate, cfg.Inbound.Flood = 300*time.Millisecond, 100, 400
		r, err := load.Run(t.Context(), cfg)
		if err != nil || r.FloodError != want || r.Refused != 0 || r.Accepted == 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if !believed && (r.Flooded < 8 || r.Flooded > 120) || believed && r.Flooded > 0 {
			t.Errorf("%d are refused", r.Flooded)
		}
	}
}

func TestInboundConfig(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*load.Config){
		"path or secret":   func(cfg *load.Config) { cfg.Inbound.Secret = "" },
		"no mark":          func(cfg *load.Config) { cfg.Payload = []byte("{}") },
		"of one app":       func(cfg *load.Config) { cfg.Apps, cfg.First = []string{"a", "b"}, 8 },
		"without duration": func(cfg *load.Config) { cfg.Inbound.Flood = 1 },
	} {
		cfg := inboundConfig(t, nil)
		cfg.Count = 1
		change(&cfg)
		if _, err := load.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
