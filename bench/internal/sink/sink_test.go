package sink_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/probe"
	"github.com/callboard/callboard/bench/internal/sink"
)

const size = 300

// fixture is a sink of two apps with one endpoint each, every signature verified.
type fixture struct {
	*sink.Sink
	template probe.Template
	secrets  []string
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{secrets: []string{probe.NewSecret(), probe.NewSecret()}}
	var err error
	if f.template, err = probe.NewTemplate(size); err != nil {
		t.Fatal(err)
	}
	f.Sink, err = sink.New(sink.Config{PayloadBytes: size, VerifyEvery: 1, Slots: []sink.Slot{
		{Secret: f.secrets[0], Stride: 2, Residue: 0},
		{Secret: f.secrets[1], Stride: 2, Residue: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// request is a delivery of message seq under an id to a slot, signed as it should be.
func (f fixture) request(t *testing.T, slot int, seq uint64, id string) *http.Request {
	t.Helper()
	body := f.template.Append(nil, seq, time.Now().UnixNano())
	signer, err := probe.NewSigner(f.secrets[slot])
	if err != nil {
		t.Fatal(err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sink.PathPrefix+strconv.Itoa(slot), bytes.NewReader(body))
	r.Header.Set(probe.HeaderID, id)
	r.Header.Set(probe.HeaderTimestamp, at)
	r.Header.Set(probe.HeaderSignature, signer.Sign(id, at, body))
	return r
}

// do returns the status that the sink answers with.
func (f fixture) do(r *http.Request) int {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code
}

// TestReconcile: of five accepted messages one is repeated, one missing, one under another id; a sixth arrives without
// having been accepted.
func TestReconcile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, d := range []struct {
		slot int
		seq  uint64
		id   string
	}{{0, 10, "a"}, {1, 11, "b"}, {1, 11, "b"}, {0, 12, "c"}, {0, 14, "other"}, {1, 15, "f"}} {
		if got := f.do(f.request(t, d.slot, d.seq, d.id)); got != http.StatusNoContent {
			t.Fatalf("message %d: status %d", d.seq, got)
		}
	}
	path := filepath.Join(t.TempDir(), "accepted")
	table := accepted.Table{First: 10}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		table.IDs = append(table.IDs, probe.HashID(id))
	}
	if err := table.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := f.Report(sink.Query{Slots: []int{0, 1}, From: 10, To: 16, Accepted: path})
	if err != nil {
		t.Fatal(err)
	}
	if got.FirstArrival == 0 || got.FirstArrival > got.LastArrival || got.Latency.Count() != 5 {
		t.Errorf("arrivals from %d to %d with %d latencies", got.FirstArrival, got.LastArrival, got.Latency.Count())
	}
	got.FirstArrival, got.LastArrival, got.Latency = 0, 0, hist.Histogram{}
	want := sink.Report{Delivered: 5, Lost: 2, Repeated: 1, Unacknowledged: 1, Verified: 6}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(hist.Histogram{})); diff != "" {
		t.Error(diff)
	}
	if got := f.Distinct([]int{1}); got != 2 {
		t.Errorf("Distinct of slot 1 = %d, want 2", got)
	}
	part, err := f.Report(sink.Query{Slots: []int{0, 1}, From: 11, To: 12})
	if err != nil || part.Delivered != 1 || part.Lost != 0 {
		t.Errorf("Report of one message = %+v, %v", part, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		alter func(f fixture, r *http.Request) *http.Request
	}{
		{"signature of another endpoint", func(_ fixture, r *http.Request) *http.Request { r.URL.Path = "/s/1"; return r }},
		{"app of another endpoint", func(f fixture, _ *http.Request) *http.Request { return f.request(t, 1, 10, "a") }},
		{"no id", func(_ fixture, r *http.Request) *http.Request { r.Header.Del(probe.HeaderID); return r }},
		{"no signature", func(_ fixture, r *http.Request) *http.Request { r.Header.Del(probe.HeaderSignature); return r }},
		{"unknown path", func(_ fixture, r *http.Request) *http.Request { r.URL.Path = "/s/2"; return r }},
		{"no path", func(_ fixture, r *http.Request) *http.Request { r.URL.Path = "/"; return r }},
		{"empty body", func(_ fixture, r *http.Request) *http.Request { r.Body = http.NoBody; return r }},
		{"second id for a message", func(f fixture, r *http.Request) *http.Request { f.do(r); return f.request(t, 0, 10, "b") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			r := tt.alter(f, f.request(t, 0, 10, "a"))
			if got := f.do(r); got != http.StatusBadRequest {
				t.Errorf("status %d, want 400", got)
			}
			report, err := f.Report(sink.Query{})
			if err != nil || report.Faults != 1 || len(report.Examples) != 1 {
				t.Errorf("faults %d, examples %q, %v", report.Faults, report.Examples, err)
			}
		})
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.Hang(0, true); err != nil {
		t.Fatal(err)
	}
	status := make(chan int)
	go func() { status <- f.do(f.request(t, 0, 0, "a")) }()
	for f.Distinct([]int{0}) == 0 { // The arrival counts while its answer hangs.
		select {
		case got := <-status:
			t.Fatalf("a hanging endpoint answered %d", got)
		default:
		}
	}
	if got := f.do(f.request(t, 1, 1, "b")); got != http.StatusNoContent {
		t.Errorf("the other endpoint answered %d", got)
	}
	if err := f.Hang(0, false); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != http.StatusNoContent {
		t.Errorf("released: %d, want 204", got)
	}
	if err := f.Hang(2, true); err == nil {
		t.Error("a slot that does not exist hangs")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := sink.Slot{Secret: probe.NewSecret(), Stride: 1}
	for name, cfg := range map[string]sink.Config{
		"payload": {PayloadBytes: 1, Slots: []sink.Slot{good}},
		"secret":  {PayloadBytes: size, Slots: []sink.Slot{{Secret: "whsec_", Stride: 1}}},
		"residue": {PayloadBytes: size, Slots: []sink.Slot{{Secret: good.Secret, Stride: 1, Residue: 1}}},
	} {
		if _, err := sink.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
