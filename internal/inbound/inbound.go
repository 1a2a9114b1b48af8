// Package inbound is the door at which vendors' webhooks come in: POST /in/{source}.
//
// It is a door of its own because nobody who knocks has a token of ours. What a request
// is worth is said by the source that its path names: how it must be proven, in which
// dialect it reads. The order is always the same: the id in the path, which is forged or
// not without a read; the source; the size; the proof, over the bytes as they came; the
// reading; the commit. Only after that the vendor hears 200, so what it was told that we
// have is on disk, and what it was not told it sends again: a repetition leaves nothing.
//
// Requests are kept for inspection, those that were turned away too, within bounds: of
// requests that are not proven a bucket for each source lets a few through to the store,
// where the newest 200 stay. So a stranger can neither fill the disk nor take the writer's
// time, however many requests he sends. What is proven and cannot be read is always kept:
// a later version may read it.
//
// The handler is safe for concurrent use and keeps nothing that a crash could lose.
package inbound

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/web"
)

// Prefix is where the addresses of sources begin; a source's id follows.
const Prefix = "/in/"

// Store is what is read.
type Store interface {
	// Source gives a source; one that is deleted, or its app is, is store.ErrNotFound.
	Source(ctx context.Context, source id.ID) (store.Source, error)
}

// Ingest is the way in; *ingest.Service is the one outside of tests.
type Ingest interface {
	// Receive commits a webhook. Its error wraps dialect.ErrUnreadable if no message can
	// be made of it, and ingest.ErrSourceChanged if it was proven by a source that is not
	// as it was.
	Receive(ctx context.Context, in ingest.Inbound) (ingest.Received, error)
	// Refuse keeps a request that became no message.
	Refuse(ctx context.Context, r store.Received) (id.ID, error)
}

// Config is what the door is made of.
type Config struct {
	Sources  *Cache                // required
	Ingest   Ingest                // required
	Codec    *id.Codec             // required
	Dialects dialect.Set           // required: those that sources may have besides their own
	Logger   *slog.Logger          // default slog.Default()
	Metrics  prometheus.Registerer // nil = not registered
	// TrustedProxies are those whose X-Forwarded-For is believed, for the log.
	TrustedProxies []netip.Prefix
}

// door holds what requests need. Only its sampler changes after New.
type door struct {
	Config
	samples *sampler
	metrics metrics
}

// New makes the handler of everything under Prefix.
func New(cfg Config) (http.Handler, error) {
	if cfg.Sources == nil || cfg.Ingest == nil || cfg.Codec == nil {
		return nil, errors.New("inbound: Config.Sources, Ingest and Codec are required")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	d := &door{Config: cfg, samples: newSampler(), metrics: newMetrics(cfg.Metrics)}
	mux := http.NewServeMux()
	mux.HandleFunc(Prefix+"{source_id}", d.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { web.Fail(w, web.ErrNoRoute()) })
	return web.Wrap(mux, cfg.Logger, cfg.TrustedProxies...), nil
}

// serve answers a request. A GET finds that the address is there: some vendors try it
// before they take it.
func (d *door) serve(w http.ResponseWriter, r *http.Request) {
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !reading && r.Method != http.MethodPost {
		web.MethodNotAllowed(w, "GET, HEAD, POST")
		return
	}
	c := call{door: d, w: w, r: r}
	outcome, err := c.run(reading, c.Sources.Source)
	if errors.Is(err, ingest.ErrSourceChanged) {
		outcome, err = c.run(reading, c.Sources.Fresh)
	}
	d.metrics.count(c.source.Dialect, outcome)
	if err != nil {
		web.Fail(w, err)
		return
	}
	c.answer()
}

// call is one request on its way.
type call struct {
	*door
	w      http.ResponseWriter
	r      *http.Request
	source store.Source
	body   []byte // of the request
	reply  []byte // nil = {}
}

// run is what happens to a request, with a way to look up its source.
func (c *call) run(reading bool, lookup func(context.Context, id.ID) (store.Source, error)) (outcome, error) {
	outcome, err := c.find(lookup)
	switch {
	case err != nil:
		return outcome, err
	case reading:
		return probed, nil
	}
	return c.take()
}

// find looks up the source that the path names. An id that this installation did not make
// is missing without a read.
func (c *call) find(lookup func(context.Context, id.ID) (store.Source, error)) (outcome, error) {
	row, ok := c.Codec.Decode(id.Source, c.r.PathValue("source_id"))
	if !ok {
		return unknown, errs.Missing()
	}
	source, err := lookup(c.r.Context(), row)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return unknown, errs.Missing()
	case err != nil:
		return outcomeOf(err), err
	}
	c.source = source
	return "", nil
}

// take takes a webhook in.
func (c *call) take() (outcome, error) {
	if err := c.read(); err != nil {
		return outcomeOf(err), err
	}
	if c.reply = shake(&c.source, c.body); c.reply != nil {
		return shaken, nil
	}
	d, err := c.dialect()
	if err != nil {
		return failed, err
	}
	if !c.prove(d, true).Valid {
		return c.refuse(d)
	}
	return c.receive(d)
}

// read reads the body, once.
func (c *call) read() (err error) {
	if c.body == nil {
		c.body, err = web.ReadBody(c.w, c.r)
	}
	return err
}

// receive commits a webhook that is proven.
func (c *call) receive(d dialect.Dialect) (outcome, error) {
	activity, err := c.parse(d)
	if err != nil {
		return c.giveUp(err)
	}
	in := ingest.Inbound{Source: c.source, Activity: activity, Observed: d.Observes(), Raw: c.body, Doc: c.doc()}
	in.Doc.Verified = !c.source.Auth.Unverified
	received, err := c.Ingest.Receive(c.r.Context(), in)
	switch {
	case errors.Is(err, dialect.ErrUnreadable):
		return c.giveUp(err)
	case err != nil:
		return outcomeOf(err), err
	case received.Duplicate:
		return duplicate, nil
	}
	return accepted, nil
}

// answer says that all is well.
func (c *call) answer() {
	body := c.reply
	if body == nil {
		body = []byte(`{}`)
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(body) // a vendor that has gone away is no failure of the request
}
