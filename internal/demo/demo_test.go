package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
)

// TestKinds: the demo tells of every event type of the catalogue, once in a round.
func TestKinds(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, eventType := range builtin.Catalog(builtin.Dialects(builtin.Config{})).Types() {
		want = append(want, eventType.Name)
	}
	for _, k := range kinds {
		got = append(got, k.name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event types (-want +got):\n%s", diff)
	}
}

// TestCompose holds each message to the catalogue's schema, to the fields that it is about, and to what makes it readable
// in every dialect that says it.
func TestCompose(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 10, 0, 0, 123_456_789, time.UTC)
	want := map[string][]string{
		"session.joined":                      {"event", "session", "registration"},
		"session.time_spent":                  {"event", "session", "registration", "timeSpentInMinutes"},
		"session.deleted":                     {"event", "session", "actor"},
		"contact.created":                     {"contact", "actor", "sourceOfChange"},
		"session.speaker.attached":            {"event", "session", "speaker"},
		"sponsor.event.associated":            {"sponsor", "event"},
		"conversation.user_joined":            {"conversation"},
		"conference.recording.ready":          {"hostId", "companyId", "conferenceId", "recordingId", "downloadLink"},
		"conference.participant.entered":      {"hostId", "companyId", "conferenceId", "participantId", "participantRole", "meetingUrl"},
		"conference.participant.role_changed": {"hostId", "conferenceId", "participantId", "participantRole"},
		"conference.dialout.status_changed":   {"participantId", "status", "phoneNumber"},
		"drive.file.added":                    {"hostId", "companyId", "id", "filename", "size"},
		"iotum.vcon_import_failure":           {"uuid", "company_id", "host_id", "error"},
	}
	catalog := builtin.Catalog(builtin.Dialects(builtin.Config{}))
	for n := range 2 * len(kinds) {
		eventType, payload, err := compose(n, at)
		if err != nil {
			t.Fatal(err)
		}
		problems, err := catalog.Check(eventType, payload)
		if err != nil || len(problems) > 0 {
			t.Errorf("%s does not fit its schema (%v): %v", eventType, err, problems)
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
		_, again, err := compose(n, at)
		if diff := cmp.Diff(string(payload), string(again)); err != nil || diff != "" {
			t.Errorf("%s differs the second time (%v):\n%s", eventType, err, diff)
		}
	}
}

// TestUnderstood renders each message in each dialect and lets the receivers of that dialect read it: they find the word
// and the second by which the report tells messages apart.
func TestUnderstood(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 10, 0, 7, 123_456_789, time.UTC)
	dialects := builtin.Dialects(builtin.Config{})
	heard := map[string]int{}
	for n, k := range kinds {
		eventType, payload, err := compose(n, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range newTargets() {
			d, known := dialects.Get(target.speech.dialect)
			if !known {
				t.Fatalf("there is no dialect %s", target.speech.dialect)
			}
			word, fit := d.Word(eventType)
			if fit == dialect.Unsaid {
				continue
			}
			body, err := d.Render(dialect.Message{ID: messageID, Type: eventType, Tenant: appUID, Time: time.Now(), Payload: payload})
			if err != nil {
				t.Errorf("%s in %s: %v", k.name, d.Name(), err)
				continue
			}
			got := receive(t, target.speech, d, body)
			if want := (happening{word, at.Unix()}); got.happening() != want {
				t.Errorf("%s in %s is received as %v, want %v", k.name, d.Name(), got.happening(), want)
			}
			heard[target.name]++
		}
	}
	want := map[string]int{"healthy": 58, "fails": 58, "hangs": 58, "zuddl": 11, "board": 20, "oration": 8, "iotum": 28}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Errorf("event types by receiver (-want +got):\n%s", diff)
	}
}

const messageID = "msg_0tyj9Ub7s0zg9WEbvAy1XFFn4NR"

// receive sends a signed body to a handler as a receiver has it.
func receive(t *testing.T, s speech, d dialect.Dialect, body []byte) (got arrival) {
	t.Helper()
	secret := d.NewSecret()
	if s.newSecret != nil {
		secret = s.newSecret()
	}
	if err := d.CheckSecret(secret); err != nil {
		t.Fatalf("the secret of %s: %v", s.dialect, err)
	}
	signer, err := d.NewSigner([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	handler, err := s.handler(secret, func(_ context.Context, a arrival) error {
		taken++
		got = a
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks", bytes.NewReader(body))
	signer.Sign(request.Header, messageID, time.Now(), body)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusOK || taken != 1 {
		t.Fatalf("%s answers %d %s to %s", s.dialect, answer.Code, answer.Body, body)
	}
	return got
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

func TestLedger(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.Unix(1, 0).Add(time.Duration(ms) * time.Millisecond) }
	w := words{"native": {"a": {text: "a"}, "b": {text: "b"}}, "zuddl": {"b": {text: "B"}}}
	for _, forget := range []bool{false, true} {
		l := newLedger(2, forget)
		l.took(0, arrival{id: "1", word: "a", happened: at(10)}, at(7)) // before the API has answered
		l.post(posted{"m1", "a", 1, at(5)})
		l.took(0, arrival{id: "2", word: "a", happened: at(20)}, at(99)) // tells of the same
		l.post(posted{"m2", "b", 2, at(10)})
		l.took(1, arrival{id: "3", word: "B", happened: at(1500)}, at(15))
		if diff := cmp.Diff(counts{posted: 2, taken: []int{2, 1}}, l.count(), cmp.AllowUnexported(counts{})); diff != "" {
			t.Errorf("forget %v: counts (-want +got):\n%s", forget, diff)
		}
		if forget {
			if len(l.posted)+len(l.taken[0])+len(l.taken[1]) != 0 {
				t.Error("what should be forgotten is not")
			}
			continue
		}
		taken, repeated := l.takings(0)
		wantTaken := map[happening]taking{{"a", 1}: {at: at(7)}}
		if diff := cmp.Diff(wantTaken, taken, cmp.AllowUnexported(happening{}, taking{})); diff != "" || repeated != 1 {
			t.Errorf("%d repeated, want 1; takings (-want +got):\n%s", repeated, diff)
		}
		wantHeard := []hearing{{"m2", at(10), happening{"B", 2}}}
		if diff := cmp.Diff(wantHeard, l.hearings("zuddl", w), cmp.AllowUnexported(hearing{}, happening{})); diff != "" {
			t.Errorf("hearings (-want +got):\n%s", diff)
		}
		if all := l.hearings("native", w); len(all) != 2 {
			t.Errorf("native hears %d, want 2", len(all))
		}
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
	}
	taken := map[happening]taking{
		{"a", 0}: {at: begun.Add(1)},
		{"a", 1}: {at: begun.Add(2)},
		{"a", 4}: {at: begun.Add(3)},
		{"b", 0}: {at: begun.Add(4)}, // the right second, the wrong word
		{"a", 9}: {at: begun.Add(5)},
	}
	options := cmp.AllowUnexported(row{})
	want := row{expected: 6, delivered: 2, attempts: 9, strays: 3, delays: []time.Duration{1, 2, 3}}
	if diff := cmp.Diff(want, judge(expected, taken, log), options); diff != "" {
		t.Errorf("judge (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(row{}, judge(nil, nil, nil), options); diff != "" {
		t.Errorf("judge of nothing (-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		total row
		want  string
	}{
		{row{expected: 2, delivered: 2}, ""},
		{row{expected: 2, delivered: 1, strays: 1}, "1 of 2 deliveries did not arrive"},
		{row{expected: 2, delivered: 2, strays: 1}, "1 arrivals or deliveries were not expected"},
	} {
		got := ""
		if err := (&report{total: tt.total}).verdict(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.total, got, tt.want)
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
			{dialect: "sessionboard", eventType: "session.joined"},
			{dialect: "oration", eventType: "session.joined", body: strings.Repeat("é", 200), translated: true},
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
	if got, want := s.line(), "sent 0: healthy 0  fails 0  hangs 0  zuddl 0  board 0  oration 0  iotum 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, n := range []int{9_999, 10_000, 999_999} {
		s.ledger.counts.posted = n
		for i := range s.ledger.counts.taken {
			s.ledger.counts.taken[i] = n
		}
		if line := s.line(); len(line) > 100 {
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
