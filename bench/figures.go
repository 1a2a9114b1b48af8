package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is a measured number; NaN, which is null in JSON, means that the scenario does not measure it.
type figure float64

// MarshalJSON rounds to what the measurement can tell: four decimals.
func (f figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(f)*1e4) / 1e4)
}

func millis(d time.Duration) figure { return figure(float64(d) / float64(time.Millisecond)) }

// figures is the result of a run: the one object of --json. MB are 2^20 bytes.
type figures struct {
	Scenario      string  `json:"scenario"`
	DeliveredPerS figure  `json:"delivered_per_s"`
	BarePerS      figure  `json:"bare_post_per_s"`
	Ratio         figure  `json:"ratio"`
	ServiceCPU    figure  `json:"service_cpu_us_per_delivery"`
	AcceptP50     figure  `json:"accept_p50_ms"`
	AcceptP99     figure  `json:"accept_p99_ms"`
	FirstByteP50  figure  `json:"first_byte_p50_ms"`
	FirstByteP99  figure  `json:"first_byte_p99_ms"`
	RSS           figure  `json:"rss_mb"` // the service's highest (VmHWM)
	DB            string  `json:"db"`
	Endpoints     int     `json:"endpoints"`
	Seconds       float64 `json:"seconds"`

	Apps           int       `json:"apps"`
	Concurrency    int       `json:"concurrency"`
	PayloadBytes   int       `json:"payload_bytes"`
	IdempotencyKey bool      `json:"idempotency_key"`
	WindowSeconds  figure    `json:"window_seconds"` // measured time, drain included
	Messages       uint64    `json:"messages"`       // accepted
	Deliveries     uint64    `json:"deliveries"`     // distinct (message, endpoint) at the sink
	Lost           uint64    `json:"lost"`
	Duplicates     uint64    `json:"duplicates"`
	Unacknowledged uint64    `json:"unacknowledged"` // delivered though the generator got no 2xx
	Refused        uint64    `json:"refused"`        // messages without a 2xx
	Retried        uint64    `json:"retried"`        // requests repeated under their Idempotency-Key
	Verified       uint64    `json:"signatures_verified"`
	Faults         uint64    `json:"faults"` // requests to the sink with a wrong body, header or signature
	GeneratorCPU   figure    `json:"generator_cpu_us_per_delivery"`
	SinkCPU        figure    `json:"sink_cpu_us_per_delivery"`
	BareCPU        figure    `json:"bare_cpu_us_per_post"` // of the loop, without the sink
	BareRounds     []float64 `json:"bare_rounds_per_s"`
	RSSNow         figure    `json:"rss_now_mb"`
	GeneratorLate  figure    `json:"generator_late_p99_ms"` // open loop: how late the generator was itself
	FsyncP50       figure    `json:"fsync_p50_ms"`          // appending 8 KiB in the directory of a temporary database
	Machine        string    `json:"machine"`
	CPUs           int       `json:"cpus"`
	Go             string    `json:"go"`
	Commit         string    `json:"commit"`

	Hanging *hangingFigures `json:"hanging,omitempty"`
	Backlog *backlogFigures `json:"backlog,omitempty"`

	Dialects []dialectFigures `json:"dialects,omitempty"`

	EventEnd *eventEndFigures `json:"event_end,omitempty"`
	Joins    []joinFigures    `json:"joins,omitempty"`
	Inbound  *inboundFigures  `json:"inbound,omitempty"`

	examples []string
}

// figures sums up what has been measured.
func (b *bench) figures() (*figures, error) {
	now, peak, err := b.memory()
	if err != nil {
		return nil, err
	}
	w := b.window
	delivered := w.report.Delivered
	perS := float64(delivered) / w.elapsed.Seconds()
	bare := median(b.bare)
	return &figures{
		Scenario: b.scenario, DeliveredPerS: figure(perS), BarePerS: figure(bare), Ratio: figure(perS / bare),
		ServiceCPU: perUnit(w.service, delivered),
		AcceptP50:  figure(w.accept.Millis(0.5)), AcceptP99: figure(w.accept.Millis(0.99)),
		FirstByteP50: figure(w.arrival.Millis(0.5)), FirstByteP99: figure(w.arrival.Millis(0.99)),
		RSS: peak, DB: kind(b.config.db), Endpoints: b.options.endpoints, Seconds: b.duration.Seconds(),
		Apps: b.options.apps, Concurrency: b.concurrency, PayloadBytes: b.payloadBytes, IdempotencyKey: b.idempotencyKey,
		WindowSeconds: figure(w.elapsed.Seconds()), Messages: w.accepted, Deliveries: delivered, Lost: w.report.Lost,
		Duplicates: w.report.Repeated, Unacknowledged: w.report.Unacknowledged, Refused: w.refused, Retried: w.retried,
		Verified: w.report.Verified, Faults: w.report.Faults, GeneratorCPU: perUnit(w.load, delivered),
		SinkCPU: perUnit(w.sink, delivered), BareCPU: perUnit(b.bareCPU, b.barePost), BareRounds: b.bare,
		RSSNow: now, GeneratorLate: figure(w.late.Millis(0.99)), FsyncP50: b.fsync(),
		Machine: machine(), CPUs: runtime.NumCPU(), Go: runtime.Version(), Commit: commit(),
		examples: w.report.Examples,
	}, nil
}

// verdict is an error if what was delivered is not what was accepted.
func (f *figures) verdict() error {
	if f.Lost == 0 && f.Faults == 0 {
		return nil
	}
	return fmt.Errorf("%d deliveries lost, %d requests at fault %q", f.Lost, f.Faults, f.examples)
}

// perUnit is a processor time in µs for each of n.
func perUnit(d time.Duration, n uint64) figure {
	return figure(float64(d) / float64(time.Microsecond) / float64(n))
}

// median of numbers that are not empty.
func median(numbers []float64) float64 {
	sorted := slices.Sorted(slices.Values(numbers))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// fsync measures what a commit costs at least here: the median of 100 times appending 8 KiB and fsync. It is NaN for a
// database that was given, whose disk may be another.
func (b *bench) fsync() figure {
	if b.db != "" {
		return figure(math.NaN())
	}
	file, err := os.Create(filepath.Join(b.dir, "fsync"))
	if err != nil {
		return figure(math.NaN())
	}
	defer func() { _ = file.Close() }() // The directory goes with the run.
	block := make([]byte, 8<<10)
	var took []float64
	for range 100 {
		started := time.Now()
		_, writeErr := file.Write(block)
		if syncErr := file.Sync(); writeErr != nil || syncErr != nil {
			return figure(math.NaN())
		}
		took = append(took, float64(millis(time.Since(started))))
	}
	return figure(median(took))
}

// machine is the processor's name as Linux gives it.
func machine() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// commit is the checked-out revision, with a mark if files differ from it; empty outside a checkout.
func commit() string {
	output, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}

// print writes the figures as one JSON object or as a table.
func (f *figures) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(f)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range f.rows() {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", row.name, row.value, row.note) // tabwriter keeps errors for Flush.
	}
	return table.Flush()
}

// row is one line of the table.
type row struct{ name, value, note string }

func (f *figures) rows() []row {
	number := func(v figure, decimals int) string {
		if math.IsNaN(float64(v)) {
			return "-"
		}
		return fmt.Sprintf("%.*f", decimals, v)
	}
	payload := fmt.Sprintf("%d B", f.PayloadBytes)
	if f.Dialects != nil {
		payload = "samples of the catalogue"
	}
	if f.Inbound != nil {
		payload = "a join"
	}
	if f.EventEnd != nil || f.Joins != nil {
		payload = "what live state says"
	}
	rows := []row{
		{"scenario", f.Scenario, fmt.Sprintf("%s, %d app(s), %d endpoint(s) each, %s, %d connections", f.DB, f.Apps, f.Endpoints, payload, f.Concurrency)},
		{"delivered/s", number(f.DeliveredPerS, 0), fmt.Sprintf("%d deliveries in %s s, drain included", f.Deliveries, number(f.WindowSeconds, 1))},
		{"bare POST/s", number(f.BarePerS, 0), fmt.Sprintf("median of %.0f", f.BareRounds)},
		{"ratio", number(f.Ratio, 3), ""},
		{"service CPU µs/delivery", number(f.ServiceCPU, 1), fmt.Sprintf("generator %s, sink %s, bare loop %s", number(f.GeneratorCPU, 1), number(f.SinkCPU, 1), number(f.BareCPU, 1))},
		{"accept p50 / p99 ms", number(f.AcceptP50, 2) + " / " + number(f.AcceptP99, 2), ""},
		{"first byte p50 / p99 ms", number(f.FirstByteP50, 2) + " / " + number(f.FirstByteP99, 2), "generator late p99 " + number(f.GeneratorLate, 2)},
		{"RSS MB", number(f.RSS, 0), "at its highest; at the end " + number(f.RSSNow, 0)},
		{"lost / duplicates", fmt.Sprintf("%d / %d", f.Lost, f.Duplicates), fmt.Sprintf("%d signatures verified, %d faults, %d refused, %d retried", f.Verified, f.Faults, f.Refused, f.Retried)},
		{"machine", fmt.Sprintf("%d CPUs", f.CPUs), fmt.Sprintf("%s, fsync %s ms, %s, commit %s", f.Machine, number(f.FsyncP50, 2), f.Go, f.Commit)},
	}
	if h := f.Hanging; h != nil {
		rows = append(rows, row{"others' p99 ms", number(h.Without, 2) + " / " + number(h.With, 2), "without / with one that hangs, ratio " + number(h.Ratio, 2)})
	}
	for _, d := range f.Dialects {
		rows = append(rows, d.row())
	}
	if e := f.EventEnd; e != nil {
		rows = append(rows, e.rows()...)
	}
	for _, j := range f.Joins {
		rows = append(rows, j.row())
	}
	if f.Inbound != nil {
		rows = append(rows, f.Inbound.rows()...)
	}
	if b := f.Backlog; b != nil {
		rows = append(rows,
			row{"backlog", fmt.Sprint(b.Deliveries), "filled at " + number(b.FillPerS, 0) + "/s, drained at " + number(b.DrainPerS, 0) + "/s"},
			row{"backlog RSS MB", number(b.RSSFilled, 0) + " / " + number(b.RSSRestarted, 0), "filled / after a restart; peaks " + number(b.PeakFilled, 0) + " / " + number(b.PeakDrained, 0)},
			row{"ready ms", number(b.ReadyWaiting, 0) + " / " + number(b.ReadyDue, 0), "backlog waiting / due"},
			row{"lists p95 ms", number(b.ListP95, 1), "the slowest; statistics of an endpoint, which count, " + number(b.StatsP95, 0)})
	}
	return rows
}
