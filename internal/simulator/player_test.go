package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/simulator"
)

// stub answers as a server might that refuses every join, and takes everything else.
func stub(t *testing.T, resources http.HandlerFunc) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/app/acme/activity", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Activities []struct{ ID, Type string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		var answers []string
		for _, a := range in.Activities {
			answer := fmt.Sprintf(`{"id":%q,"status":"applied","messages":["m"]}`, a.ID)
			if a.Type == "session.joined" {
				answer = fmt.Sprintf(`{"id":%q,"status":"refused","messages":[],"error":{"code":"conflict","detail":[]}}`, a.ID)
			}
			answers = append(answers, answer)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(answers, ","))
	})
	mux.HandleFunc("/", resources)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "token", client.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func taken(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }

func script(length time.Duration) *simulator.Day {
	return simulator.Script(simulator.Plan{Seed: 1, Attendees: 20, Name: "summit", Ends: time.Now().Add(length)})
}

// TestRefused: what a server refuses is counted and named, and stops nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	day := script(time.Second)
	outcome, err := simulator.Play(t.Context(), simulator.Config{Client: stub(t, taken), App: "acme", Length: time.Second}, day)
	if err != nil {
		t.Fatal(err)
	}
	joins := 0
	for _, h := range day.Happenings {
		if h.Activity.Type == "session.joined" {
			joins++
		}
	}
	if outcome.Refused != joins || joins == 0 || len(outcome.Refusals) != 5 || outcome.Messages != outcome.Told-joins {
		t.Errorf("of %d joins: %+v", joins, outcome)
	}
	if text := outcome.String(); !strings.Contains(text, "refused: session.joined at ") {
		t.Errorf("it is told as %q", text)
	}
}

// TestBroken: a change to a resource that fails ends the play, and says which.
func TestBroken(t *testing.T) {
	t.Parallel()
	c := stub(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/speaker-3") || strings.Contains(r.URL.Path, "/speaker/") {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		taken(w, r)
	})
	_, err := simulator.Play(t.Context(), simulator.Config{Client: c, App: "acme", Length: time.Second}, script(time.Second))
	if err == nil || !strings.Contains(err.Error(), "attach a speaker: ") {
		t.Errorf("got %v", err)
	}
}

// TestCanceled: a play ends when it is told to.
func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := simulator.Play(ctx, simulator.Config{Client: stub(t, taken), App: "acme"}, script(simulator.DefaultLength))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
