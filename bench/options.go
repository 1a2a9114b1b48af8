package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// options are the command line.
type options struct {
	scenario        string
	endpoints       int // per app
	apps            int
	duration        time.Duration
	db              string // empty: a temporary SQLite database
	idempotencyKey  bool
	concurrency     int
	bareConcurrency int
	payloadBytes    int
	rate            float64 // messages a second in the paced scenarios
	rounds          int
	backlog         int    // deliveries
	dialect         string // the only one to compare; empty: all
	attendees       int
	sessions        int     // of an event
	joins           int     // of each part of join-storm
	flood           float64 // wrong signatures a second in inbound
	profileDir      string
	service         string // a built callboard; empty: build it
	serveArgs       []string
	json            bool
	timing          timing
}

const usage = `Usage: go run ./bench [flags] [-- flags for "callboard serve"]

Starts callboard serve, a sink, a load generator and a bare loop of signed POSTs on loopback, and measures.

Scenarios
  throughput  one POST per message over the API, as fast as --concurrency connections allow, in rounds: bare loop,
              service, bare loop, ... delivered_per_s counts distinct (message, endpoint) at the sink, over the time until
              the last of what was accepted has arrived. ratio = delivered_per_s / bare_post_per_s (median of its rounds).
  latency     --rate messages a second, open loop; latencies count from the moment a message was due.
  hanging     one app with 20 endpoints, paced, first all healthy, then one of them never answers; the figures are those
              of the other 19, with the hang; "hanging" holds both p99 and their ratio.
  backlog     --backlog pending deliveries (deliverAt), then memory, restarts, lists and the drain; service CPU is that of
              the process which drains, first_byte_* is null.
  dialects    for each vendor's dialect the service's CPU per delivered webhook beside native's: the catalogue's sample goes
              to a native endpoint and to one of the dialect in alternating rounds, over the API as fast as --concurrency
              connections allow. "dialects" holds the medians, their ratio, which should be at most 1.3, and every round;
              the other figures count both sides of all. A whole session in Sessionboard's dialect is shown besides and not
              held to the budget. A ratio over the budget does not make the run fail. --apps and --endpoints do not count.
  event-end   an event with --attendees registrations, each of whom has joined one of --sessions sessions, told in requests
              of 1,000 activities that carry the registrations. Then the event's end is moved to a moment from now. From the
              time at which time spent is due: when the first and the last session.time_spent exist, and when the last
              has arrived at the one endpoint, which hears that type alone. Every attendee must be told of once: none is
              lost, under two ids is a fault. delivered_per_s counts from the due time.
  join-storm  --joins joins, each of which carries a registration that is new, in requests of 1 over --concurrency
              connections and of 100 over an eighth of them, as fast as these allow; first without an endpoint, then with one
              that hears them. Each part has an event of its own.
  inbound     webhooks that Zuddl signs come in at a source and go out to an endpoint in Zuddl's dialect, byte for byte, and
              to a native one, each of a registration that is new; beside them the same happening over the API, POST msg, to a
              native endpoint, all in alternating rounds as fast as --concurrency connections allow. Then --rate webhooks a
              second come in, open loop, in turn without and with --flood webhooks a second of a wrong signature at their
              source: their p99 should be at most 1.5 times as long. One that is not answered with 401 ends the run; a
              ratio over the budget does not make it fail. --apps and --endpoints do not count.

Flags
`

const examples = `
Examples
  go run ./bench
  go run ./bench --scenario throughput --apps 50 --endpoints 5 --seconds 20 --json >result.json
  go run ./bench --scenario latency --rate 200
  go run ./bench --scenario backlog --backlog 1000000
  go run ./bench --scenario dialects
  go run ./bench --scenario event-end --attendees 20000 --sessions 8
  go run ./bench --scenario inbound --rate 100 --flood 2000
  go run ./bench --scenario dialects --dialect zuddl --seconds 30 --pprof ./profile
  go run ./bench --pprof ./profile && go tool pprof -top ./profile/cpu.pprof
  go run ./bench --db sqlite:/mnt/disk/bench.db -- --retry-schedule 5s,5m

The temporary database lies in $TMPDIR: a RAM disk there makes every fsync free and the figures worthless.
Exit status: 0, or 1 if anything accepted was lost or altered or the run failed, or 2 for wrong usage.
`

// What each scenario does without the flag.
var (
	scenarios      = []string{"throughput", "latency", "hanging", "backlog", "dialects", "event-end", "join-storm", "inbound"}
	defaultSeconds = map[string]float64{"throughput": 10, "latency": 10, "hanging": 20, "backlog": 10, "dialects": 15, "event-end": 10, "join-storm": 10, "inbound": 15}
	defaultRounds  = map[string]int{"throughput": 2, "dialects": 5, "inbound": 5}
	defaultRate    = map[string]float64{"latency": 200, "hanging": 50, "inbound": 200}
)

// parseOptions reads the command line. It has printed the help when it returns flag.ErrHelp.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var seconds float64
	var noKey bool
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Errors are returned, and printed once.
	flags.StringVar(&o.scenario, "scenario", "throughput", strings.Join(scenarios, ", "))
	flags.IntVar(&o.endpoints, "endpoints", 1, "endpoints per app, each of which hears every message of its app")
	flags.IntVar(&o.apps, "apps", 1, "apps, to which messages go in turn")
	flags.Float64Var(&seconds, "seconds", 0, "measured time under load, over all rounds; hanging: of each half, dialects and inbound: of each side (default 10, hanging 20, dialects and inbound 15)")
	flags.StringVar(&o.db, "db", "", "database of the service, sqlite:PATH or postgres://... (default a temporary SQLite file)")
	flags.BoolVar(&noKey, "no-idempotency-key", false, "post without Idempotency-Key, which Svix's clients always send")
	flags.IntVar(&o.concurrency, "concurrency", 128, "connections of the load generator")
	flags.IntVar(&o.bareConcurrency, "bare-concurrency", 64, "connections of the bare loop")
	flags.IntVar(&o.payloadBytes, "payload-bytes", 600, "length of a payload")
	flags.Float64Var(&o.rate, "rate", 0, "messages a second in latency (default 200), hanging (default 50), dialects (default as fast as possible) and the flood of inbound (default 200)")
	flags.IntVar(&o.rounds, "rounds", 0, "throughput: measurements of the service, each between two of the bare loop; dialects and inbound: measurements of each side (default 2, dialects and inbound 5)")
	flags.IntVar(&o.backlog, "backlog", 1_000_000, "deliveries that the backlog scenario makes pending")
	flags.StringVar(&o.dialect, "dialect", "", "dialects: compare only one of "+strings.Join(dialectNames(), ", "))
	flags.IntVar(&o.attendees, "attendees", 100_000, "attendees of the event in event-end")
	flags.IntVar(&o.sessions, "sessions", 1, "sessions of an event in event-end and join-storm, which attendees join in turn")
	flags.IntVar(&o.joins, "joins", 100_000, "joins of each part of join-storm")
	flags.Float64Var(&o.flood, "flood", 1000, "webhooks a second with a wrong signature in inbound")
	flags.StringVar(&o.profileDir, "pprof", "", "directory for cpu.pprof and heap.pprof of the service; dialects and inbound: of the first round of each side")
	flags.StringVar(&o.service, "service", "", "a built callboard to run (default: go build ./cmd/callboard)")
	flags.BoolVar(&o.json, "json", false, "print one JSON object instead of a table; progress goes to stderr either way")
	flags.Usage = func() {
		flags.SetOutput(stderr)
		_, _ = fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
		_, _ = fmt.Fprint(stderr, examples)
	}
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o.serveArgs = flags.Args()
	if len(o.serveArgs) > 0 && !slices.Contains(args, "--") {
		return options{}, fmt.Errorf("unexpected argument %q", o.serveArgs[0])
	}
	o.idempotencyKey, o.timing = !noKey, realTiming
	o.complete(seconds)
	return o, o.validate()
}

// complete fills in what depends on the scenario.
func (o *options) complete(seconds float64) {
	if seconds == 0 {
		seconds = defaultSeconds[o.scenario]
	}
	o.duration = time.Duration(seconds * float64(time.Second))
	if o.rate == 0 {
		o.rate = defaultRate[o.scenario]
	}
	if o.rounds == 0 {
		o.rounds = max(defaultRounds[o.scenario], 1)
	}
	switch o.scenario {
	case "hanging":
		o.apps, o.endpoints = 1, 20
	case "dialects", "event-end", "inbound":
		o.apps, o.endpoints = 1, 1
	case "join-storm":
		o.apps, o.endpoints = 2, 1
	}
}

func (o *options) validate() error {
	switch {
	case !slices.Contains(scenarios, o.scenario):
		return fmt.Errorf("--scenario %q: choose %s", o.scenario, strings.Join(scenarios, ", "))
	case o.endpoints < 1 || o.apps < 1 || o.concurrency < 1 || o.bareConcurrency < 1 || o.rounds < 1 || o.backlog < 1 ||
		o.attendees < 1 || o.sessions < 1 || o.joins < 1:
		return fmt.Errorf("--endpoints, --apps, --concurrency, --bare-concurrency, --rounds, --backlog, --attendees, --sessions and --joins are at least 1")
	case o.duration <= 0:
		return fmt.Errorf("--seconds must be positive")
	case o.dialect != "" && (o.scenario != "dialects" || !slices.Contains(dialectNames(), o.dialect)):
		return fmt.Errorf("--dialect %q: only with --scenario dialects; choose %s", o.dialect, strings.Join(dialectNames(), ", "))
	case o.flood <= 0:
		return fmt.Errorf("--flood must be positive")
	case o.rate < 0:
		return fmt.Errorf("--rate must be positive")
	case o.payloadBytes < probe.MinPayloadBytes:
		return fmt.Errorf("--payload-bytes %d: at least %d", o.payloadBytes, probe.MinPayloadBytes)
	}
	return nil
}
