package testenv_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callboard/callboard/internal/testenv"
)

// recorder is a testing.TB that records how a test would have ended. Every other method is nil and panics.
type recorder struct {
	testing.TB
	outcome, message string
}

func (*recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) { r.end("skip", fmt.Sprintf(format, args...)) }

func (r *recorder) Fatalf(format string, args ...any) { r.end("fail", fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) { r.end("fail", fmt.Sprint(args...)) }

func (r *recorder) end(outcome, message string) {
	r.outcome, r.message = outcome, message
	runtime.Goexit()
}

// outcome runs Need as a test of its own would.
func outcome(name string) *recorder {
	r := &recorder{outcome: "run"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		testenv.Need(r, name)
	}()
	<-done
	return r
}

func TestNeed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir) // holds npm and a browser, and nothing else
	// Chromium has other names elsewhere than in Debian.
	if err := os.WriteFile(filepath.Join(dir, "google-chrome"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ require, name, outcome, message string }{
		{"chromium", "chromium", "run", ""},
		{"", "npm", "run", ""},
		{"npm", "npm", "run", ""},
		{"", "strace", "skip", "strace is not installed (set CALLBOARD_REQUIRE=strace to fail instead)"},
		{"npm", "strace", "skip", "strace is not installed"},
		{"npm,strace", "strace", "fail", "strace is not installed, and CALLBOARD_REQUIRE requires strace"},
		{" npm , strace ,", "strace", "fail", "strace is not installed"},
		{"sttrace", "strace", "fail", `CALLBOARD_REQUIRE names "sttrace"; known are bash, chromium, curl, node, npm`},
		{"", "sttrace", "fail", `testenv knows no "sttrace"`},
	} {
		t.Setenv(testenv.Variable, tt.require)
		got := outcome(tt.name)
		if got.outcome != tt.outcome || !strings.HasPrefix(got.message, tt.message) {
			t.Errorf("require %q, need %q: got %s %q, want %s %q",
				tt.require, tt.name, got.outcome, got.message, tt.outcome, tt.message)
		}
	}
	if got := testenv.Need(t, "npm"); got != filepath.Join(dir, "npm") {
		t.Errorf("the path of npm is %q", got)
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fired atomic.Bool
		time.AfterFunc(time.Hour, func() { fired.Store(true) })
		testenv.Advance(59 * time.Minute)
		if fired.Load() {
			t.Error("a timer of an hour fired after 59 minutes")
		}
		testenv.Advance(time.Minute)
		if !fired.Load() {
			t.Error("a timer of an hour has not fired when the hour is over")
		}
	})
}

func TestAdvancePanicsInRealTime(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("Advance slept in real time")
		}
	}()
	testenv.Advance(time.Nanosecond)
}
