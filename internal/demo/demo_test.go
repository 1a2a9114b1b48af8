package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/simulator"
)

// TestRun plays a small day to the end: all arrives, and all figures agree.
func TestRun(t *testing.T) {
	t.Parallel()
	var out writer
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	err := Run(ctx, Config{
		Once: true, Attendees: 20, Length: 3 * time.Second, Org: "org_000000000000000000callboard", Out: &out,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`play: of zuddl the last (\d+) are kept, (\d+) are verified`, `play: of native the last (100) are kept, (100) are verified`,
		`time spent: (\d{3}) of (\d{3}) agree`, `who came: (20) of (20) agree`, `attendance: (\d\d) of (\d\d) agree`,
		`delivered (\d{4}) of (\d{4})`,
	} {
		found := regexp.MustCompile(`(?m)^` + want + `$`).FindSubmatch(out)
		if found == nil || string(found[1]) != string(found[2]) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if last := bytes.TrimSpace(out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:]); !bytes.HasPrefix(last, []byte("delivered ")) {
		t.Errorf("the last line is %q", last)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	w := words{nativeName: {}}
	w.add(eventType{Name: "a.b", Words: map[string]string{"zuddl": "A", "iotum": "b"}, Translations: []string{"iotum"}})
	w.add(eventType{Name: "greeting.sent"})
	want := words{
		"native": {"a.b": {text: "a.b"}, "greeting.sent": {text: "greeting.sent"}},
		"zuddl":  {"a.b": {text: "A"}},
		"iotum":  {"a.b": {text: "b", translated: true}},
	}
	if diff := cmp.Diff(want, w, cmp.AllowUnexported(word{})); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if _, said := w.of("sessionboard", "a.b"); said || w.eventTypes() != 2 {
		t.Errorf("a dialect without words has one, or %d event types are not 2", w.eventTypes())
	}
}

func TestHearings(t *testing.T) {
	t.Parallel()
	w := words{"native": {"a": {text: "a"}, "b": {text: "b"}}, "zuddl": {"b": {text: "B"}}}
	all := []messageOut{{ID: "m1", EventType: "a"}, {ID: "m2", EventType: "b", Timestamp: time.Unix(9, 0)}}
	all[1].Payload.Timestamp = time.UnixMilli(2500)
	want := []hearing{{"m2", time.Unix(9, 0), happening{"B", 2}}}
	if diff := cmp.Diff(want, w.hearings("zuddl", all), cmp.AllowUnexported(hearing{}, happening{})); diff != "" {
		t.Errorf("hearings (-want +got):\n%s", diff)
	}
	if heard := w.hearings("native", all); len(heard) != 2 {
		t.Errorf("native hears %d, want 2", len(heard))
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.Unix(1, 0).Add(time.Duration(ms) * time.Millisecond) }
	for _, forget := range []bool{false, true} {
		l := newLedger(2, forget)
		l.took(0, arrival{id: "1", word: "a", happened: at(10), body: []byte("one")}, at(7), true)
		l.took(0, arrival{id: "2", word: "a", happened: at(20)}, at(99), false) // tells of the same second
		l.took(1, arrival{id: "3", word: "B", happened: at(1500)}, at(15), false)
		if diff := cmp.Diff([]int{2, 1}, l.count()); diff != "" {
			t.Errorf("forget %v: counts (-want +got):\n%s", forget, diff)
		}
		if forget {
			if len(l.taken[0])+len(l.taken[1])+len(l.bodies[0]) != 0 {
				t.Error("what should be forgotten is not")
			}
			continue
		}
		want := map[happening][]time.Time{{"a", 1}: {at(7), at(99)}}
		if diff := cmp.Diff(want, l.takings(0)); diff != "" {
			t.Errorf("takings (-want +got):\n%s", diff)
		}
		if got := l.body(0, happening{"a", 1}) + l.body(1, happening{"B", 2}); got != "one" {
			t.Errorf("bodies: %q, want those alone that may be shown", got)
		}
	}
}

// TestFigures: of the day that goes on, and by the first receiver, the ledger hears who spent how much time.
func TestFigures(t *testing.T) {
	t.Parallel()
	const body = `{"type":"event.time_spent","timestamp":"2026-05-04T10:00:00.000Z","data":{"event":{"id":"summit-1"},` +
		`"registration":{"id":"r-1"},"timeSpentInMinutes":42}}`
	l := newLedger(2, true)
	l.took(0, arrival{body: []byte(body)}, time.Now(), false) // no day goes on
	l.begin(simulator.Script(simulator.Plan{Name: "summit-1", Ends: time.Now()}))
	l.took(1, arrival{body: []byte(body)}, time.Now(), false) // the wrong receiver
	if heard := l.figures(); len(heard.Event) != 0 {
		t.Errorf("heard %v before it was told", heard.Event)
	}
	l.took(0, arrival{body: []byte(body)}, time.Now(), false)
	l.took(0, arrival{body: []byte(`[]`)}, time.Now(), false)
	if diff := cmp.Diff(map[string]int{"r-1": 42}, l.figures().Event); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

// TestJudge shows that a delivery counts only if both ends of the wire say so, and that what nobody expected shows.
func TestJudge(t *testing.T) {
	t.Parallel()
	const success, fail = 0, 2
	begun := time.Unix(1000, 0)
	var expected []hearing
	for i, message := range []string{"both", "retried", "failed", "only the log says so", "only the receiver says so", "neither"} {
		expected = append(expected, hearing{message, begun, happening{"a", int64(i)}})
	}
	for i, message := range []string{"twin", "its twin, which has not arrived", "their brother"} { // of one second
		expected = append(expected, hearing{message, begun.Add(time.Duration(10 * i)), happening{"a", 20}})
	}
	log := []attempt{
		{"both", success},
		{"retried", fail},
		{"retried", fail},
		{"retried", success},
		{"failed", fail},
		{"failed", fail},
		{"only the log says so", success},
		{"only the receiver says so", fail},
		{"not expected", success},
		{"twin", success},
		{"their brother", success},
	}
	taken := map[happening][]time.Time{
		{"a", 0}:  {begun.Add(1)},
		{"a", 1}:  {begun.Add(2)},
		{"a", 4}:  {begun.Add(3)},
		{"b", 0}:  {begun.Add(4)}, // the right second, the wrong word
		{"a", 9}:  {begun.Add(5), begun.Add(6)},
		{"a", 20}: {begun.Add(14), begun.Add(4)},
	}
	options := cmp.AllowUnexported(row{})
	want := row{expected: 9, delivered: 4, attempts: 11, strays: 4, delays: []time.Duration{1, 2, 3, 4, 4}}
	got := judge(expected, taken, log)
	slices.Sort(got.delays)
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("judge (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(row{}, judge(nil, nil, nil), options); diff != "" {
		t.Errorf("judge of nothing (-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		r    report
		want string
	}{
		{report{total: row{expected: 2, delivered: 2}}, ""},
		{report{total: row{expected: 2, delivered: 1, strays: 1}}, "1 of 2 deliveries did not arrive"},
		{report{total: row{expected: 2, delivered: 2, strays: 1}}, "1 arrivals or deliveries were not expected"},
		{report{showcases: []*showcase{{dialect: "zuddl", shown: 2, valid: 1}}}, "play: of zuddl 1 of 2 are verified"},
		{report{showcases: []*showcase{{dialect: "iotum"}}}, "play: of iotum 0 of 0 are verified"},
		{report{outcome: simulator.Outcome{Refused: 3}}, "3 activities were refused"},
		{report{timeSpent: simulator.Agreement{Agree: 1, Of: 2}}, "time spent: 1 of 2 agree"},
		{report{shownUp: simulator.Agreement{Agree: 1, Of: 2}}, "who came: 1 of 2 agree"},
		{report{attended: simulator.Agreement{Agree: 2, Of: 2, Differ: []string{"told twice"}}}, "attendance: 2 of 2 agree"},
	} {
		got := ""
		if err := tt.r.verdict(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.r, got, tt.want)
		}
	}
}

// TestReportFits: no line is wider than 100 columns.
func TestReportFits(t *testing.T) {
	t.Parallel()
	r := report{
		rows:  []row{{"healthy", "sessionboard", 99999, 99999, 99999, 99999, 99999, 0, []time.Duration{time.Minute}}},
		total: row{receiver: "total", expected: 99999, delivered: 99999},
		samples: []sample{
			{dialect: "sessionboard"},
			{dialect: "oration", body: strings.Repeat("é", 200), translated: true},
		},
	}
	var out writer
	r.print(&out)
	for line := range strings.Lines(string(out)) {
		if width := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); width > 100 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	for _, want := range []string{
		"  healthy   sessionboard     99999      99999     99999     99999       99999  60000 ms  60000 ms\n",
		"  sessionboard  (nothing: it has no word for session.joined)\n",
		"≈ oration       " + strings.Repeat("é", sampleWidth) + "…\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
}

// TestLineFits: the progress of a long run stays on one line of 100 columns.
func TestLineFits(t *testing.T) {
	t.Parallel()
	s := stage{targets: newTargets()}
	s.ledger = newLedger(len(s.targets), true)
	if got, want := s.line(), "doors closed: healthy 0 fails 0 hangs 0 zuddl 0 board 0 oration 0 iotum 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, n := range []int{9_999, 10_000, 999_999} {
		s.state.Store(&simulator.State{At: time.Date(2026, 5, 4, 16, 2, 9, 0, time.UTC), Present: n, Told: n, Of: n})
		for i := range s.ledger.counts {
			s.ledger.counts[i] = n
		}
		if line := s.line(); len(line) > 100 || !strings.HasPrefix(line, "16:02 100% "+short(n)+" in: ") {
			t.Errorf("%d columns: %s", len(line), line)
		}
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
		{slices.Collect(maps.Values(values)), 100, 198},
	} {
		p50, p99 := percentiles(tt.values)
		if p50 != tt.p50 || p99 != tt.p99 {
			t.Errorf("%d values: got %d, %d, want %d, %d", len(tt.values), p50, p99, tt.p50, tt.p99)
		}
	}
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
	const line = "sent 1: healthy 1"
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
