package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCatalogue counts what the vendors document: see docs/guide/sending.md.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`)
	names, groups := map[string]bool{}, map[string]int{}
	for _, k := range catalogue {
		if !name.MatchString(k.name) || names[k.name] || k.says == "" {
			t.Errorf("%q is no name, there twice, or says nothing", k.name)
		}
		names[k.name] = true
		groups[k.group]++
	}
	want := map[string]int{"Zuddl": 2, "Sessionboard": 20, "Oration": 1, "iotum": 22}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("event types by vendor (-want +got):\n%s", diff)
	}
}

// TestCompose holds each message to the form that Callboard's own have, and to the fields that its vendor documents.
func TestCompose(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 10, 0, 0, 123_456_789, time.UTC)
	want := map[string][]string{
		"session.joined":                      {"event", "session", "registration"},
		"session.time_spent":                  {"event", "session", "registration", "timeSpentInMinutes"},
		"contact.created":                     {"contact", "actor", "sourceOfChange"},
		"session.speaker.attached":            {"session", "speaker"},
		"sponsor.event.associated":            {"sponsor", "event"},
		"conversation.user_joined":            {"conversation"},
		"conference.recording.ready":          {"hostId", "companyId", "conferenceId", "recordingId", "downloadLink"},
		"conference.participant.entered":      {"hostId", "companyId", "conferenceId", "participantId", "participantRole", "meetingUrl"},
		"conference.participant.role_changed": {"hostId", "conferenceId", "participantId", "participantRole"},
		"conference.dialout.status_changed":   {"participantId", "status", "phoneNumber"},
		"drive.file.added":                    {"hostId", "companyId", "id", "filename", "size"},
	}
	for n := range 2 * len(catalogue) {
		eventType, payload, err := compose(n, now)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Type, Timestamp string
			Data            map[string]any
		}
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("%s: %v", eventType, err)
		}
		if got.Type != eventType || got.Timestamp != "2026-05-04T10:00:00.123Z" || len(got.Data) == 0 {
			t.Errorf("%s has type %q, timestamp %q and %d fields of data", eventType, got.Type, got.Timestamp, len(got.Data))
		}
		for _, field := range want[eventType] {
			if _, ok := got.Data[field]; !ok {
				t.Errorf("%s has no %s", eventType, field)
			}
		}
		if _, ok := got.Data["companyId"]; ok && eventType == "conference.participant.role_changed" {
			t.Errorf("%s has a company", eventType)
		}
		_, again, err := compose(n, now)
		if diff := cmp.Diff(string(payload), string(again)); err != nil || diff != "" {
			t.Errorf("%s differs the second time (%v):\n%s", eventType, err, diff)
		}
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.Unix(1, 0).Add(time.Duration(ms) * time.Millisecond) }
	for _, forget := range []bool{false, true} {
		l := newLedger(2, forget)
		l.took(0, "a", at(7)) // before the API has answered
		l.posted("a", at(5))
		l.took(0, "a", at(99)) // a second copy
		l.posted("b", at(10))
		l.took(1, "a", at(15))
		if diff := cmp.Diff(counts{posted: 2, taken: []int{1, 1}}, l.count(), cmp.AllowUnexported(counts{})); diff != "" {
			t.Errorf("forget %v: counts (-want +got):\n%s", forget, diff)
		}
		wantFirst := map[string]time.Duration{"a": 2 * time.Millisecond}
		wantEntries := 2
		if forget {
			wantFirst, wantEntries = map[string]time.Duration{}, 1
		}
		if diff := cmp.Diff(wantFirst, l.delays(0)); diff != "" {
			t.Errorf("forget %v: delays (-want +got):\n%s", forget, diff)
		}
		if len(l.entries) != wantEntries {
			t.Errorf("forget %v: %d entries, want %d", forget, len(l.entries), wantEntries)
		}
	}
}

// TestJudge shows that a delivery counts only if both ends of the wire say so.
func TestJudge(t *testing.T) {
	t.Parallel()
	const success, fail = 0, 2
	log := []attempt{
		{"both", success},
		{"retried", fail},
		{"retried", fail},
		{"retried", success},
		{"failed", fail},
		{"failed", fail},
		{"only the log says so", success},
		{"only the receiver says so", fail},
	}
	delays := map[string]time.Duration{"both": 1, "retried": 2, "only the receiver says so": 3, "not in the log": 4}
	got := judge(log, delays)
	want := row{messages: 5, deliveries: 2, attempts: 8, retried: 2, p50: 2, p99: 4}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("judge (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(row{}, judge(nil, nil), cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("judge of nothing (-want +got):\n%s", diff)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	values := map[int]time.Duration{}
	for i := range 200 {
		values[i] = time.Duration(i + 1)
	}
	for _, tt := range []struct {
		values   []time.Duration
		p50, p99 time.Duration
	}{
		{nil, 0, 0},
		{[]time.Duration{7}, 7, 7},
		{[]time.Duration{9, 1}, 1, 9},
		{collect(values), 100, 198},
	} {
		p50, p99 := percentiles(tt.values)
		if p50 != tt.p50 || p99 != tt.p99 {
			t.Errorf("%d values: got %d, %d, want %d, %d", len(tt.values), p50, p99, tt.p50, tt.p99)
		}
	}
}

func collect(values map[int]time.Duration) (out []time.Duration) {
	for v := range maps.Values(values) {
		out = append(out, v)
	}
	return out
}

func TestTempers(t *testing.T) {
	t.Parallel()
	t.Run("fails twice", func(t *testing.T) {
		t.Parallel()
		temper := failing(2)
		var got []string
		for _, message := range []string{"a", "b", "a", "a", "b", "b"} {
			got = append(got, fmt.Sprint(message, temper(t.Context(), message) == nil))
		}
		want := []string{"afalse", "bfalse", "afalse", "atrue", "bfalse", "btrue"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
	})
	t.Run("hangs at first", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			temper := hanging(3 * time.Second)
			began := time.Now()
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if err := temper(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v while it hangs", err)
				}
				cancel()
			}
			for range 2 {
				if err := temper(t.Context(), "a"); err != nil {
					t.Errorf("got %v after it has recovered", err)
				}
			}
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("recovered after %v, want 3s", took)
			}
		})
	})
}

func TestProgress(t *testing.T) {
	t.Parallel()
	const line = "1 messages posted, arrived:  healthy 1"
	for _, tt := range []struct {
		terminal bool
		want     string
	}{
		{true, "\r\x1b[K" + line + "\r\x1b[K" + line + "\r\x1b[K" + line + "\r\x1b[K" + line + "\n"},
		{false, line + "\n"},
	} {
		var out writer
		p := newProgress(&out, tt.terminal)
		for _, after := range []time.Duration{100, 200, 1100} {
			p.update(p.last.Add(after*time.Millisecond), line)
		}
		p.end(line)
		if diff := cmp.Diff(tt.want, string(out)); diff != "" {
			t.Errorf("terminal %v (-want +got):\n%s", tt.terminal, diff)
		}
	}
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
