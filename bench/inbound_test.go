package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

func TestInbound(t *testing.T) {
	t.Parallel()
	f := mustRun(t, shortOptions(t, "--scenario", "inbound", "--rounds", "2", "--rate", "100", "--flood", "200"))
	if err := f.verdict(); err != nil {
		t.Error(err)
	}
	if f.Inbound == nil || len(f.Inbound.Sides) != 3 || f.Apps != 3 || f.Duplicates != 0 || f.Verified < f.Deliveries {
		t.Fatalf("%d duplicates, %d of %d verified, %+v", f.Duplicates, f.Verified, f.Deliveries, f.Inbound)
	}
	var sum uint64
	for i, s := range f.Inbound.Sides {
		sum += s.Deliveries
		if s.Name != inboundSides()[i].name || s.DeliveredS <= 0 || s.CPU <= 0 || len(s.CPURounds) != 2 || s.AcceptP50 > s.AcceptP99 || s.Bytes < 100 {
			t.Errorf("%+v", s)
		}
	}
	if sum != f.Deliveries || f.Inbound.Sides[0].Ratio != 1 {
		t.Errorf("%d deliveries of %d, ratio %v", sum, f.Deliveries, f.Inbound.Sides[0].Ratio)
	}
	flood := f.Inbound.Flood
	if flood.Healthy != 100 || flood.Refused < 5 || flood.Refused > 250 || flood.Ratio <= 0 || flood.Without <= 0 || len(flood.WithRounds) != 2 || flood.WithinBudget != (flood.Ratio <= floodBudget) {
		t.Errorf("%+v", flood)
	}
	printed(t, f, "flooded p99 ms", `"flood_refused_per_s"`)
}

// TestInboundFaultsAreNoticed has the fake do one wrong thing each.
func TestInboundFaultsAreNoticed(t *testing.T) {
	t.Parallel()
	for flag, check := range map[string]func(f *figures) bool{
		"--lose":  func(f *figures) bool { return f.Lost > 0 && f.Faults == 0 },
		"--alter": func(f *figures) bool { return f.Lost > 0 && f.Faults > 0 },
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			o := shortOptions(t, "--scenario", "inbound", "--rounds", "1", "--rate", "100", "--flood", "50")
			o.serveArgs, o.timing.drain = []string{flag, "50"}, 200*time.Millisecond
			f := mustRun(t, o)
			if !check(f) || f.verdict() == nil {
				t.Errorf("not noticed: lost %d, faults %d", f.Lost, f.Faults)
			}
		})
	}
}

// TestInboundFloodIsRefused: a service that accepts a wrong signature has no figures.
func TestInboundFloodIsRefused(t *testing.T) {
	t.Parallel()
	o := shortOptions(t, "--scenario", "inbound", "--rounds", "1", "--rate", "100", "--flood", "200")
	o.serveArgs = []string{"--believe", "10"}
	if _, err := runScenario(t.Context(), o, io.Discard); err == nil || !strings.Contains(err.Error(), "was not answered with 401: status 200") {
		t.Errorf("err = %v", err)
	}
}

func TestInboundOptions(t *testing.T) {
	t.Parallel()
	if _, err := parseOptions([]string{"--scenario", "inbound", "--flood", "0"}, io.Discard); err == nil {
		t.Error("a flood of nothing is accepted")
	}
	o, err := parseOptions([]string{"--scenario", "inbound"}, io.Discard)
	if err != nil || o.rate != 200 || o.flood != 1000 || o.rounds != 5 || o.apps != 1 {
		t.Errorf("options %+v, %v", o, err)
	}
}

// TestZuddlWebhook: what comes in is JSON, and new each time.
func TestZuddlWebhook(t *testing.T) {
	t.Parallel()
	if !json.Valid([]byte(zuddlWebhook)) || marks(zuddlWebhook) != 3 {
		t.Errorf("%d marks in %s", marks(zuddlWebhook), zuddlWebhook)
	}
}
