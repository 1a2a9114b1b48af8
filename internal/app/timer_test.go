package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTimerHearsOfCommits lets events begin a moment after they are made. By its looks alone, which lie half a second apart
// at least, the timer would be late for all but the first.
func TestTimerHearsOfCommits(t *testing.T) {
	const soon, late = 50 * time.Millisecond, 300 * time.Millisecond
	a := running(t)
	want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app", `{"name":"a","uid":"a"}`)
	best := time.Hour
	for i := range 5 {
		begin := time.Now().Add(soon)
		path := fmt.Sprintf("/api/v1/app/a/event/e%d", i)
		want(t, a, http.StatusCreated, http.MethodPost, "/api/v1/app/a/event",
			fmt.Sprintf(`{"id":"e%d","startDate":%q}`, i, begin.UTC().Format(time.RFC3339Nano)))
		eventually(t, "the event begins", func() bool {
			_, text := call(t, a, http.MethodGet, path, "")
			return strings.Contains(text, "ONGOING")
		})
		if i > 0 {
			best = min(best, time.Since(begin))
		}
	}
	if best > late {
		t.Errorf("no event began less than %v late", best)
	}
}
