package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

func TestDialects(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "dialects", "--rounds", "2"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	// Every signature is verified, those of the bare loop and of the warm-up too.
	if f.Messages == 0 || f.Deliveries != f.Messages || f.Duplicates != 0 || f.Verified < f.Deliveries {
		t.Errorf("messages %d, deliveries %d, duplicates %d, verified %d", f.Messages, f.Deliveries, f.Duplicates, f.Verified)
	}
	if len(f.Dialects) != len(comparisons()) || f.Apps != 2*len(comparisons()) {
		t.Fatalf("%d comparisons, %d apps", len(f.Dialects), f.Apps)
	}
	var deliveries uint64
	for _, d := range f.Dialects {
		deliveries += d.Deliveries
		if d.Native <= 0 || d.Vendor <= 0 || d.Ratio != d.Vendor/d.Native || d.RatioMin <= 0 || d.RatioMin > d.RatioMax || len(d.RatioRounds) != 2 {
			t.Errorf("%+v", d)
		}
		if held := !math.IsNaN(float64(d.Budget)); held == (d.EventType == "session.updated") {
			t.Errorf("%s is held to the budget: %v", d.EventType, held)
		}
	}
	if deliveries != f.Deliveries {
		t.Errorf("%d deliveries of %d are of the comparisons", deliveries, f.Deliveries)
	}
	var out, table bytes.Buffer
	if err := errors.Join(f.print(&out, true), f.print(&table, false)); err != nil {
		t.Fatal(err)
	}
	var object struct{ Dialects []map[string]any }
	if err := json.Unmarshal(out.Bytes(), &object); err != nil || len(object.Dialects) != len(comparisons()) {
		t.Errorf("%v\n%s", err, out.String())
	}
	if !strings.Contains(table.String(), "iotum ratio") || !strings.Contains(table.String(), "not held") {
		t.Errorf("table:\n%s", table.String())
	}
}

// TestDialectFaultsAreNoticed has the fake do one wrong thing each, late enough that the warm-up passes.
func TestDialectFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	refused := func(f *figures) bool { return f.Lost > 0 && f.Faults > 0 }
	tests := []struct {
		dialect, flag string
		check         func(f *figures) bool
		fails         bool
	}{
		{"zuddl", "--forge", refused, true},
		{"sessionboard", "--forge", refused, true},
		{"oration", "--forge", refused, true},
		{"iotum", "--forge", refused, true},
		{"zuddl", "--alter", refused, true},
		{"iotum", "--alter", refused, true},
		{"zuddl", "--lose", func(f *figures) bool { return f.Lost > 0 && f.Faults == 0 }, true},
		// Sessionboard's webhooks have another id than the API answered with; Oration's also one that is not the body's.
		{"sessionboard", "--rename", func(f *figures) bool { return f.Lost > 0 && f.Deliveries == f.Messages }, true},
		{"oration", "--rename", refused, true},
		{"iotum", "--repeat", func(f *figures) bool { return f.Duplicates > 0 && f.Lost == 0 && f.Deliveries == f.Messages }, false},
	}
	for _, tt := range tests {
		t.Run(tt.dialect+tt.flag, func(t *testing.T) {
			t.Parallel()
			o := shortOptions(t, "--scenario", "dialects", "--dialect", tt.dialect, "--rounds", "1", "--rate", "100", "--seconds", "0.3")
			o.timing.drain = 500 * time.Millisecond
			// The warm-up posts 6 messages to either side, and a round 31: the 50th is the dialect's.
			o.serveArgs = []string{tt.flag, "50"}
			f := mustRun(t, o)
			if !tt.check(f) {
				t.Errorf("not noticed: lost %d, faults %d, duplicates %d, deliveries %d of %d", f.Lost, f.Faults, f.Duplicates, f.Deliveries, f.Messages)
			}
			if err := f.verdict(); (err != nil) != tt.fails {
				t.Errorf("verdict %v, want failure %v", err, tt.fails)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		vendor []float64
		extra  bool
		within bool
		note   string
	}{
		{[]float64{13, 12, 90}, false, true, "within the budget of 1.3"}, // One odd round is no verdict.
		{[]float64{14, 12, 90}, false, false, "over the budget of 1.3"},
		{[]float64{14, 14, 14}, true, false, "to which it is not held"},
	}
	for _, tt := range tests {
		c := comparison{native: half{cpu: []float64{10, 10, 10}}, vendor: half{cpu: tt.vendor}, extra: tt.extra}
		f := c.figures()
		if f.WithinBudget != tt.within || !strings.Contains(f.row().note, tt.note) {
			t.Errorf("%v: within %v, %q", tt.vendor, f.WithinBudget, f.row().note)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	got, err := mark([]byte(`{"a": {"id": "x", "b": {"id": "x", "c": "x"}}, "id": "x"}`), "a.b.id")
	want := `{"a":{"id":"x","b":{"id":"` + probe.Mark + `","c":"x"}},"id":"x"}`
	if err != nil || string(got) != want {
		t.Errorf("mark = %s, %v\nwant %s", got, err, want)
	}
	for _, tt := range []struct{ payload, path string }{
		{`{"a":1}`, "a"}, {`{"a":{}}`, "a.id"}, {`{"a":"x"}`, "a.id"}, {`{`, "a"}, {`[]`, "a"},
	} {
		if got, err := mark([]byte(tt.payload), tt.path); err == nil {
			t.Errorf("%s in %s: %s", tt.path, tt.payload, got)
		}
	}
}

func TestDialectOption(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--dialect", "zuddl"}, {"--scenario", "dialects", "--dialect", "native"}, {"--scenario", "dialects", "--rounds", "-1"},
	} {
		if _, err := parseOptions(args, new(bytes.Buffer)); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
	o, err := parseOptions([]string{"--scenario", "dialects", "--apps", "3"}, new(bytes.Buffer))
	if err != nil || o.rounds != 5 || o.apps != 1 || o.duration.Seconds() != 15 {
		t.Errorf("options %+v, %v", o, err)
	}
}
