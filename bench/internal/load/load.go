// Package load is the load generator: it posts messages over the API as Svix's clients do, one POST a message with an
// Idempotency-Key, either as fast as a fixed number of connections allow (closed loop) or at a fixed rate (open loop). It
// also runs the bare loop that the service is measured against.
//
// In an open loop every message has a time at which it is due, and its latencies count from then, whether or not the
// generator or the service was late: a stall is seen by all messages that were due during it (no coordinated omission).
package load

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/probe"
)

// Config is one run of the generator.
type Config struct {
	Addr           string   // host:port of the service
	Token          string   // JWT
	Apps           []string // ids; messages go to them in turn
	PayloadBytes   int      // of the bench's own payload
	EventType      string   // default probe.EventType
	Payload        []byte   // one with a probe.Mark in place of the bench's own
	Concurrency    int
	IdempotencyKey bool
	First          uint64        // sequence number of the first message, a multiple of the number of apps
	Duration       time.Duration // stop after this long; 0 = no limit
	Count          uint64        // stop after so many messages; 0 = no limit
	Rate           float64       // messages a second in an open loop; 0 = closed loop
	DeliverAt      time.Time     // the messages' deliverAt; zero = at once
	Accepted       string        // where the table of accepted messages is written
	Inbound        *Inbound      // post the Payload as a vendor's webhook to a source, in place of POST msg
}

// Result is what the generator saw.
type Result struct {
	Started, Ended int64          // Unix ns: first POST, last answer
	From, To       uint64         // sequence numbers used: From ≤ n < To
	Accepted       uint64         // messages answered with 2xx
	Refused        uint64         // messages without a 2xx in the end
	Retried        uint64         // requests repeated after a transport error, 429 or 5xx
	Accept         hist.Histogram // from due (closed loop: from the start of the POST) to the answer
	Late           hist.Histogram // open loop: how late the generator itself began a POST
	FirstError     string
	Flooded        uint64 // webhooks with a wrong signature that were answered with 401
	FloodError     string // what the first of them was answered that was not
}

// Validate names the first field that cannot work.
func (cfg Config) Validate() error {
	switch {
	case len(cfg.Apps) == 0:
		return errors.New("load: no apps")
	case cfg.Concurrency < 1:
		return errors.New("load: no concurrency")
	case cfg.Duration <= 0 && cfg.Count == 0:
		return errors.New("load: neither duration nor count")
	case cfg.First%uint64(len(cfg.Apps)) != 0:
		return errors.New("load: first sequence number is no multiple of the number of apps")
	case cfg.Inbound != nil:
		return cfg.Inbound.validate(&cfg)
	}
	return nil
}

// Run posts messages until Duration or Count is reached or ctx ends, then writes the table of accepted messages.
func Run(ctx context.Context, cfg Config) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	g := &generator{cfg: cfg, due: make(chan due, 1<<16)}
	if cfg.Inbound != nil {
		g.webhook = newWebhook(&cfg)
		g.next.Store(cfg.First)
		return g.run(ctx)
	}
	var err error
	if g.template, err = cfg.template(); err != nil {
		return Result{}, err
	}
	g.prefix = fmt.Appendf(nil, `{"eventType":%q,"payload":`, cmp.Or(cfg.EventType, probe.EventType))
	g.heads = heads(cfg)
	g.next.Store(cfg.First)
	return g.run(ctx)
}

func (cfg Config) template() (probe.Template, error) {
	if len(cfg.Payload) > 0 {
		return probe.Marked(cfg.Payload)
	}
	return probe.NewTemplate(cfg.PayloadBytes)
}

// generator is the state that a run's workers share.
type generator struct {
	cfg      Config
	template probe.Template
	heads    [][]byte // per app: the request up to what differs per message
	prefix   []byte   // the body up to the payload
	webhook  *webhook // of Config.Inbound
	next     atomic.Uint64
	due      chan due // open loop
	ends     time.Time

	mu     sync.Mutex
	result Result
	table  accepted.Table
}

// due is a message of an open loop.
type due struct {
	seq uint64
	at  time.Time
}

// heads prepares the part of a request that all messages of an app share. The header fields are those of Svix's clients.
func heads(cfg Config) [][]byte {
	all := make([][]byte, 0, len(cfg.Apps))
	for _, app := range cfg.Apps {
		all = append(all, fmt.Appendf(nil, "POST /api/v1/app/%s/msg HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: callboard-bench\r\n", app, cfg.Addr, cfg.Token))
	}
	return all
}

func (g *generator) run(ctx context.Context) (Result, error) {
	started := time.Now()
	if g.cfg.Duration > 0 {
		g.ends = started.Add(g.cfg.Duration)
	}
	group, ctx := errgroup.WithContext(ctx)
	if g.cfg.Rate > 0 {
		group.Go(func() error { return g.pace(ctx, started) })
	}
	for range g.cfg.Concurrency {
		group.Go(func() error { return newWorker(g).run(ctx) })
	}
	if g.cfg.Inbound != nil && g.cfg.Inbound.Flood > 0 {
		for n := range floodConnections {
			group.Go(func() error { return newFlooder(g, n, started).run(ctx) })
		}
	}
	if err := group.Wait(); err != nil {
		return Result{}, err
	}
	r := &g.result
	r.Started, r.Ended = started.UnixNano(), time.Now().UnixNano()
	r.From, r.To = g.cfg.First, g.cfg.First+uint64(len(g.table.IDs))
	g.table.First = g.cfg.First
	return *r, g.table.Write(g.cfg.Accepted)
}

// pace puts each message of an open loop into the queue when it is due. A full queue, tens of thousands of messages that
// the service has not answered, makes it late, which the latencies show because they count from the due time.
func (g *generator) pace(ctx context.Context, started time.Time) error {
	defer close(g.due)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := uint64(0); g.cfg.Count == 0 || i < g.cfg.Count; i++ {
		at := started.Add(time.Duration(float64(i) / g.cfg.Rate * float64(time.Second)))
		if !g.ends.IsZero() && at.After(g.ends) {
			return nil
		}
		timer.Reset(time.Until(at))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case g.due <- due{g.cfg.First + i, at}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// take returns the next message to post, or ok = false when there is none left.
func (g *generator) take(ctx context.Context) (d due, ok bool) {
	if ctx.Err() != nil {
		return due{}, false
	}
	if g.cfg.Rate > 0 {
		select {
		case d, ok = <-g.due:
			return d, ok
		case <-ctx.Done():
			return due{}, false
		}
	}
	now := time.Now()
	if !g.ends.IsZero() && now.After(g.ends) {
		return due{}, false
	}
	seq := g.next.Add(1) - 1
	return due{seq, now}, g.cfg.Count == 0 || seq < g.cfg.First+g.cfg.Count
}

// worker posts one message after the other over one connection.
type worker struct {
	*generator
	conn    conn
	rng     *rand.ChaCha8
	request []byte
	payload []byte
	suffix  []byte // the rest of the body after the payload
	proof   *bodyProof
	seen    []outcome
	result  Result
}

// outcome is what the service answered for one message: the hash of its id, 0 without a 2xx.
type outcome struct{ seq, id uint64 }

func newWorker(g *generator) *worker {
	var seed [32]byte
	for i := 0; i < len(seed); i += 8 {
		v := rand.Uint64()
		for j := range 8 {
			seed[i+j] = byte(v >> (8 * j))
		}
	}
	w := &worker{generator: g, conn: conn{addr: g.cfg.Addr}, rng: rand.NewChaCha8(seed), suffix: []byte("}")}
	if g.webhook != nil {
		w.proof = newBodyProof(g.cfg.Inbound.Secret)
	}
	if !g.cfg.DeliverAt.IsZero() {
		w.suffix = fmt.Appendf(nil, `,"deliverAt":%q}`, g.cfg.DeliverAt.UTC().Format(time.RFC3339Nano))
	}
	return w
}

// run always ends with nil: what goes wrong with a message is counted, not fatal.
func (w *worker) run(ctx context.Context) error {
	defer w.conn.close()
	for {
		d, ok := w.take(ctx)
		if !ok {
			break
		}
		w.post(ctx, d)
	}
	w.merge()
	return nil
}

// post sends one message, up to three times as Svix's clients do after transport errors, 429 and 5xx, but only under an
// Idempotency-Key, without which a repetition could be a second message.
func (w *worker) post(ctx context.Context, d due) {
	if w.cfg.Rate > 0 {
		w.result.Late.Add(time.Since(d.at))
	}
	w.build(d)
	tries := 1
	if w.cfg.IdempotencyKey {
		tries = 3
	}
	for try := 1; ; try++ {
		status, body, err := w.conn.roundTrip(w.request)
		if err == nil && status/100 == 2 {
			w.accept(d, body)
			return
		}
		if again := err != nil || status == 429 || status >= 500; !again || try == tries || !w.wait(ctx, try) {
			w.refuse(d, status, body, err)
			return
		}
		w.result.Retried++
	}
}

// wait is the pause before a repetition: 50 ms, doubled each time, plus up to as much again.
func (w *worker) wait(ctx context.Context, try int) bool {
	base := 50 * time.Millisecond << (try - 1)
	timer := time.NewTimer(base + time.Duration(w.rng.Uint64()%uint64(base)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// build lays the request into w.request.
func (w *worker) build(d due) {
	if w.webhook != nil {
		w.payload = w.webhook.append(w.payload[:0], d)
		w.request = w.webhook.request(w.request[:0], w.payload, w.proof.of(w.payload))
		return
	}
	w.payload = w.template.Append(w.payload[:0], d.seq, d.at.UnixNano())
	b := append(w.request[:0], w.heads[d.seq%uint64(len(w.heads))]...)
	if w.cfg.IdempotencyKey {
		b = append(b, "Idempotency-Key: auto_"...)
		b = w.appendUUID(b)
		b = append(b, "\r\n"...)
	}
	b = append(b, "svix-req-id: "...)
	b = strconv.AppendUint(b, w.rng.Uint64(), 10)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(w.prefix)+len(w.payload)+len(w.suffix)), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(b, w.prefix...)
	b = append(b, w.payload...)
	w.request = append(b, w.suffix...)
}

// appendUUID appends a random UUID (version 4), the form of the keys that Svix's clients make.
func (w *worker) appendUUID(b []byte) []byte {
	high, low := w.rng.Uint64(), w.rng.Uint64()
	return fmt.Appendf(b, "%08x-%04x-4%03x-%04x-%012x", high>>32, high>>16&0xffff, high&0xfff, low>>48&0x3fff|0x8000, low&(1<<48-1))
}

// idField comes before the id in an answer, wherever in it that is; the payload, which the answer repeats, holds none.
var idField = []byte(`"id":"msg_`)

// accept notes a 2xx. An answer without an id counts as refused: what cannot be named cannot be checked.
func (w *worker) accept(d due, body []byte) {
	if w.webhook != nil { // A source tells no id.
		w.took(d, probe.HashID(""))
		return
	}
	_, rest, found := bytes.Cut(body, idField)
	if !found {
		w.refuse(d, 0, nil, errors.New("2xx without an id that begins with msg_"))
		return
	}
	id, _, whole := bytes.Cut(rest, []byte{'"'})
	if !whole {
		w.refuse(d, 0, nil, errors.New("2xx with half an id"))
		return
	}
	w.took(d, probe.HashID(append([]byte("msg_"), id...)))
}

// took notes a message that the service has, under an id.
func (w *worker) took(d due, id uint64) {
	w.result.Accept.Add(time.Since(d.at))
	w.result.Accepted++
	w.seen = append(w.seen, outcome{d.seq, id})
}

func (w *worker) refuse(d due, status int, body []byte, err error) {
	w.result.Refused++
	w.seen = append(w.seen, outcome{d.seq, 0})
	if w.result.FirstError != "" {
		return
	}
	if err != nil {
		w.result.FirstError = err.Error()
		return
	}
	w.result.FirstError = fmt.Sprintf("status %d: %.300s", status, body)
}

// merge adds a finished worker's results to the run's.
func (w *worker) merge() {
	g := w.generator
	g.mu.Lock()
	defer g.mu.Unlock()
	g.result.Accepted += w.result.Accepted
	g.result.Refused += w.result.Refused
	g.result.Retried += w.result.Retried
	g.result.Accept.Merge(w.result.Accept)
	g.result.Late.Merge(w.result.Late)
	if g.result.FirstError == "" {
		g.result.FirstError = w.result.FirstError
	}
	for _, o := range w.seen {
		index := o.seq - g.cfg.First
		for index >= uint64(len(g.table.IDs)) {
			g.table.IDs = append(g.table.IDs, 0)
		}
		g.table.IDs[index] = o.id
	}
}
