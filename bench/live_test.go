package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestEventEnd(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "event-end", "--attendees", "2500", "--sessions", "3"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	if f.Deliveries != 2500 || f.Messages != 2500 || f.Duplicates != 0 || f.Verified == 0 {
		t.Errorf("messages %d, deliveries %d, duplicates %d, verified %d", f.Messages, f.Deliveries, f.Duplicates, f.Verified)
	}
	e := f.EventEnd
	if e == nil || e.Attendees != 2500 || e.Sessions != 3 || e.SetUpPerS <= 0 || e.Budget != 30 || !e.WithinBudget {
		t.Fatalf("%+v", e)
	}
	if e.FirstMessage < 0 || e.FirstMessage > e.LastMessage || e.FirstMessage > e.FirstArrival || e.FirstArrival > e.LastArrival || e.AllTold < e.LastMessage {
		t.Errorf("%+v", e)
	}
	if f.Ratio != f.DeliveredPerS/f.BarePerS || math.Abs(float64(f.WindowSeconds-e.LastArrival)) > 0.001 {
		t.Errorf("ratio %v, window %v, last arrival %v", f.Ratio, f.WindowSeconds, e.LastArrival)
	}
	printed(t, f, "within the budget of 30", `"first_message_s"`)
}

// TestLiveFaultsAreNoticed has the fake do one wrong thing each.
func TestLiveFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		scenario, flag string
		check          func(f *figures) bool
		fails          bool
	}{
		{"event-end", "--lose", func(f *figures) bool { return f.Lost > 0 && f.Faults == 0 }, true},
		{"event-end", "--twice", func(f *figures) bool { return f.Lost == 0 && f.Faults > 0 }, true},
		{"event-end", "--repeat", func(f *figures) bool { return f.Duplicates > 0 && f.Lost == 0 && f.Faults == 0 }, false},
		{"join-storm", "--lose", func(f *figures) bool { return f.Lost > 0 && f.Faults == 0 }, true},
		{"join-storm", "--rename", func(f *figures) bool { return f.Lost > 0 && f.Deliveries == f.Messages }, true},
	}
	for _, tt := range tests {
		t.Run(tt.scenario+tt.flag, func(t *testing.T) {
			t.Parallel()
			o := shortOptions(t, "--scenario", tt.scenario, "--attendees", "300", "--joins", "300")
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

// TestRefusedJoinEndsTheRun: what follows would be measured with fewer attendees than it says.
func TestRefusedJoinEndsTheRun(t *testing.T) {
	t.Parallel()
	o := shortOptions(t, "--scenario", "event-end", "--attendees", "100")
	o.serveArgs = []string{"--refuse", "50"}
	if _, err := runScenario(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "2 of 100 joins") {
		t.Errorf("err = %v", err)
	}
}

func TestJoinStorm(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "join-storm", "--joins", "1050", "--sessions", "4"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	if len(f.Joins) != 4 || f.Deliveries != 2100 || f.Messages != 2100 || f.Duplicates != 0 {
		t.Fatalf("%d parts, %d deliveries of %d messages, %d duplicates", len(f.Joins), f.Deliveries, f.Messages, f.Duplicates)
	}
	for i, j := range f.Joins {
		if j.Joins != 1050 || j.Batch != []int{1, 100}[i%2] || j.Endpoints != i/2 || j.JoinsPerS <= 0 || j.CPU <= 0 || j.Peak <= 0 || j.Ratio <= 0 {
			t.Errorf("part %d: %+v", i, j)
		}
		if math.IsNaN(float64(j.Delivered)) != (j.Endpoints == 0) || j.RequestP50 > j.RequestP99 {
			t.Errorf("part %d: %+v", i, j)
		}
	}
	printed(t, f, "joins/s by 100", `"joins_per_s"`)
}

// printed looks for a text in the table and in the JSON.
func printed(t *testing.T, f *figures, inTable, inJSON string) {
	t.Helper()
	var out, table bytes.Buffer
	if err := errors.Join(f.print(&out, true), f.print(&table, false)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), inTable) {
		t.Errorf("table:\n%s", table.String())
	}
	if !json.Valid(out.Bytes()) || !strings.Contains(out.String(), inJSON) {
		t.Errorf("JSON:\n%s", out.String())
	}
}

func TestLiveOptions(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--attendees", "0"}, {"--sessions", "0"}, {"--joins", "-1"}} {
		if _, err := parseOptions(append(args, "--scenario", "event-end"), io.Discard); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
	o, err := parseOptions([]string{"--scenario", "event-end"}, io.Discard)
	if err != nil || o.attendees != 100_000 || o.sessions != 1 || o.apps != 1 {
		t.Errorf("options %+v, %v", o, err)
	}
}
