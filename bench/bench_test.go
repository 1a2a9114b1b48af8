package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play every process of a run, the service included.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		main()
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serveFake(os.Args[2:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// shortOptions are a run against the fake within a second or two. Under the race detector, where everything takes several
// times as long, whole runs of a measuring tool are left out: make test makes them.
func shortOptions(t *testing.T, args ...string) options {
	t.Helper()
	if testing.Short() {
		t.Skip("a whole run: make test makes it, -short does not")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o, err := parseOptions(append([]string{"--service", self, "--concurrency", "8", "--bare-concurrency", "8", "--seconds", "0.4"}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.timing = timing{
		warmUp: 100 * time.Millisecond, drain: time.Second, settle: 100 * time.Millisecond,
		bare: 100 * time.Millisecond, bareWarmUp: 50 * time.Millisecond, backlogSlack: time.Second,
	}
	return o
}

func mustRun(t *testing.T, o options) *figures {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("the bench reads /proc")
	}
	var progress bytes.Buffer
	f, err := runScenario(t.Context(), o, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	return f
}

func TestThroughput(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--apps", "3", "--endpoints", "2", "--pprof", t.TempDir()))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	if f.Messages == 0 || f.Deliveries != 2*f.Messages || f.Duplicates != 0 || f.Verified == 0 {
		t.Errorf("messages %d, deliveries %d, duplicates %d, verified %d", f.Messages, f.Deliveries, f.Duplicates, f.Verified)
	}
	if len(f.BareRounds) != 3 || f.DeliveredPerS <= 0 || f.Ratio != f.DeliveredPerS/f.BarePerS || f.ServiceCPU <= 0 || f.RSS <= 0 {
		t.Errorf("figures %+v", f)
	}
	if f.AcceptP50 <= 0 || f.AcceptP50 > f.AcceptP99 || f.FirstByteP50 <= 0 || f.FirstByteP50 > f.FirstByteP99 {
		t.Errorf("percentiles %+v", f)
	}
}

// TestFaultsAreNoticed has the fake do one wrong thing each: a check that cannot fail would prove nothing.
func TestFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flag  string
		check func(f *figures) bool
		fails bool
	}{
		{"--lose", func(f *figures) bool { return f.Lost > 0 && f.Faults == 0 }, true},
		{"--alter", func(f *figures) bool { return f.Lost > 0 && f.Faults > 0 }, true},
		{"--rename", func(f *figures) bool { return f.Lost > 0 && f.Deliveries == f.Messages }, true},
		{"--repeat", func(f *figures) bool { return f.Duplicates > 0 && f.Lost == 0 && f.Deliveries == f.Messages }, false},
	}
	for _, tt := range tests {
		t.Run(tt.flag, func(t *testing.T) {
			t.Parallel()
			o := shortOptions(t, "--scenario", "latency", "--rate", "100")
			// The warm-up posts 11 messages and must pass, so the faults begin with the 20th.
			o.serveArgs = []string{tt.flag, "20"}
			f := mustRun(t, o)
			if !tt.check(f) {
				t.Errorf("not noticed: %+v", f)
			}
			if err := f.verdict(); (err != nil) != tt.fails {
				t.Errorf("verdict %v, want failure %v", err, tt.fails)
			}
		})
	}
}

func TestHanging(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "hanging"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	if f.Endpoints != 20 || f.Deliveries != 19*f.Messages || f.Messages < 15 {
		t.Errorf("%d endpoints, %d messages, %d deliveries", f.Endpoints, f.Messages, f.Deliveries)
	}
	if f.Hanging == nil || f.Hanging.Without <= 0 || f.Hanging.With <= 0 || f.Hanging.Ratio != f.Hanging.With/f.Hanging.Without {
		t.Errorf("hanging %+v", f.Hanging)
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "backlog", "--backlog", "2000", "--endpoints", "2", "--no-idempotency-key"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	b := f.Backlog
	if b == nil || b.Deliveries != 2000 || f.Deliveries != 2000 || b.DrainPerS <= 0 || b.ReadyDue <= 0 || b.ReadyWaiting <= 0 {
		t.Fatalf("deliveries %d, backlog %+v", f.Deliveries, b)
	}
	if len(b.ListsPending) == 0 || len(b.ListsPending) != len(b.ListsDelivered) || b.ListP95 <= 0 {
		t.Errorf("lists %v, %v", b.ListsPending, b.ListsDelivered)
	}
	data, err := json.Marshal(f)
	if err != nil || !bytes.Contains(data, []byte(`"first_byte_p50_ms":null`)) {
		t.Errorf("%s, %v", data, err)
	}
}

// TestJSON runs the command as a user does: one object on stdout, with the promised keys, and progress on stderr.
func TestJSON(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--rounds", "1"))
	var out, table bytes.Buffer
	if err := errors.Join(f.print(&out, true), f.print(&table, false)); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(&out)
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		t.Fatal(err)
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("after the object: %v, want EOF", err)
	}
	for _, key := range []string{
		"scenario", "delivered_per_s", "bare_post_per_s", "ratio", "service_cpu_us_per_delivery", "accept_p50_ms", "accept_p99_ms",
		"first_byte_p50_ms", "first_byte_p99_ms", "rss_mb", "db", "endpoints", "seconds",
	} {
		if object[key] == nil {
			t.Errorf("no %s", key)
		}
	}
	if object["db"] != "sqlite" || object["scenario"] != "throughput" {
		t.Errorf("db %v, scenario %v", object["db"], object["scenario"])
	}
	if !strings.Contains(table.String(), "delivered/s") {
		t.Errorf("table:\n%s", table.String())
	}
}

func TestServiceThatDoesNotStart(t *testing.T) {
	t.Parallel()
	o := shortOptions(t)
	o.serveArgs = []string{"--no-such-flag"}
	_, err := runScenario(t.Context(), o, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("err = %v, want the service's own words", err)
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		ok   bool
	}{
		{nil, true},
		{[]string{"--scenario", "latency", "--seconds", "3"}, true},
		{[]string{"--", "--retry-schedule", "5s"}, true},
		{[]string{"--scenario", "other"}, false},
		{[]string{"--apps", "0"}, false},
		{[]string{"--payload-bytes", "10"}, false},
		{[]string{"--seconds", "-1"}, false},
		{[]string{"--rate", "-1"}, false},
		{[]string{"stray"}, false},
		{[]string{"--no-such-flag"}, false},
	}
	for _, tt := range tests {
		if _, err := parseOptions(tt.args, io.Discard); (err == nil) != tt.ok {
			t.Errorf("%q: %v, want ok %v", tt.args, err, tt.ok)
		}
	}
	o, err := parseOptions([]string{"--no-idempotency-key", "--", "--retry-schedule", "5s"}, io.Discard)
	if err != nil || o.idempotencyKey || !slices.Equal(o.serveArgs, []string{"--retry-schedule", "5s"}) {
		t.Errorf("options %+v, %v", o, err)
	}
	var help bytes.Buffer
	if _, err := parseOptions([]string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "Examples") {
		t.Errorf("help: %v\n%s", err, help.String())
	}
}

func TestProfileIsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustRun(t, shortOptions(t, "--scenario", "latency", "--pprof", dir))
	for _, name := range []string{"cpu.pprof", "heap.pprof"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
