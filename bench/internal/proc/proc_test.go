package proc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func TestServe(t *testing.T) {
	t.Parallel()
	handlers := map[string]Handler{
		"double": Typed(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
		"refuse": Typed(func(_ context.Context, _ struct{}) (int, error) { return 0, errors.New("not today") }),
	}
	in := strings.NewReader(`{"op":"double","args":21}
{"op":"refuse","args":{}}
{"op":"double","args":"x"}
{"op":"nothing"}
`)
	var out bytes.Buffer
	if err := Serve(t.Context(), in, &out, handlers); err != nil {
		t.Fatal(err)
	}
	want := []string{`"result":42`, `"error":"not today"`, `"error":"json:`, `"error":"unknown operation nothing"`}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers, want %d:\n%s", len(lines), len(want), out.String())
	}
	for i, line := range lines {
		if !json.Valid([]byte(line)) || !strings.Contains(line, want[i]) {
			t.Errorf("answer %d = %s, want it to contain %s", i, line, want[i])
		}
	}
}

func TestParseCPU(t *testing.T) {
	t.Parallel()
	stat := "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 1000 100"
	got, err := parseCPU([]byte(stat))
	if err != nil || got != 3*time.Second {
		t.Errorf("parseCPU = %v, %v; want 3s", got, err)
	}
	for _, bad := range []string{"", "42 (a) S 1", strings.Replace(stat, "250", "x", 1)} {
		if _, err := parseCPU([]byte(bad)); err == nil {
			t.Errorf("parseCPU(%q) succeeded", bad)
		}
	}
}

func TestParseMemory(t *testing.T) {
	t.Parallel()
	got, err := parseMemory([]byte("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t9\n"))
	if want := (Memory{Now: 1 << 20, Peak: 2 << 20}); err != nil || got != want {
		t.Errorf("parseMemory = %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseMemory([]byte("Name:\tx\n")); err == nil {
		t.Error("a status without memory was accepted")
	}
}

// TestOwnProcess reads the real files, whose layout the two parsers must know.
func TestOwnProcess(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc on this system")
	}
	if _, err := CPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	if err := ResetPeak(os.Getpid()); err != nil {
		t.Error(err)
	}
	memory, err := RSS(os.Getpid())
	if err != nil || memory.Now > memory.Peak {
		t.Errorf("RSS = %+v, %v", memory, err)
	}
}
