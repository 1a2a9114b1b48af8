package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/bench/internal/probe"
)

// BareConfig is one run of the bare loop.
type BareConfig struct {
	URL          string // a slot of the sink
	Secret       string
	PayloadBytes int
	Concurrency  int
	First        uint64 // sequence number of the first POST
	Duration     time.Duration
}

// BareResult is what the bare loop achieved.
type BareResult struct {
	Posted         uint64 // answered with 2xx
	Failed         uint64
	Started, Ended int64  // Unix ns
	To             uint64 // sequence number after the last
	FirstError     string
}

// Bare is the yardstick: what a program gets that does nothing but sign a payload and POST it with net/http to the same
// sink. It is as good as we could make net/http: RoundTrip on a Transport without the client's layers, keep-alive with as
// many idle connections as workers, no compression, no proxy look-up, one request, header map, body reader, HMAC state and
// buffer a worker, reused, so that a POST allocates only its three header values and what net/http itself needs.
func Bare(ctx context.Context, cfg BareConfig) (BareResult, error) {
	if err := cfg.Validate(); err != nil {
		return BareResult{}, err
	}
	template, err := probe.NewTemplate(cfg.PayloadBytes)
	if err != nil {
		return BareResult{}, err
	}
	target, err := url.Parse(cfg.URL)
	if err != nil {
		return BareResult{}, err
	}
	transport := &http.Transport{
		MaxIdleConns:        cfg.Concurrency,
		MaxIdleConnsPerHost: cfg.Concurrency,
		DisableCompression:  true,
	}
	defer transport.CloseIdleConnections()
	b := &bareLoop{cfg: cfg, template: template, target: target, transport: transport}
	b.next.Store(cfg.First)
	return b.run(ctx)
}

// bareLoop is what the workers share.
type bareLoop struct {
	cfg       BareConfig
	template  probe.Template
	target    *url.URL
	transport *http.Transport
	ends      time.Time
	next      atomic.Uint64
	posted    atomic.Uint64
	failed    atomic.Uint64
	firstErr  atomic.Pointer[string]
}

func (b *bareLoop) run(ctx context.Context) (BareResult, error) {
	started := time.Now()
	b.ends = started.Add(b.cfg.Duration)
	group, ctx := errgroup.WithContext(ctx)
	for range b.cfg.Concurrency {
		group.Go(func() error { return b.work(ctx) })
	}
	if err := group.Wait(); err != nil {
		return BareResult{}, err
	}
	r := BareResult{
		Posted: b.posted.Load(), Failed: b.failed.Load(),
		Started: started.UnixNano(), Ended: time.Now().UnixNano(), To: b.next.Load(),
	}
	if message := b.firstErr.Load(); message != nil {
		r.FirstError = *message
	}
	return r, nil
}

// rewinder is a request body that is sent again and again. Close does nothing.
type rewinder struct{ bytes.Reader }

func (*rewinder) Close() error { return nil }

func (b *bareLoop) work(ctx context.Context) error {
	signer, err := probe.NewSigner(b.cfg.Secret)
	if err != nil {
		return err
	}
	var id, timestamp, signature [1]string
	header := http.Header{
		"Content-Type":        {"application/json"},
		"User-Agent":          {"callboard-bench"},
		probe.HeaderID:        id[:],
		probe.HeaderTimestamp: timestamp[:],
		probe.HeaderSignature: signature[:],
	}
	body := new(rewinder)
	request := (&http.Request{
		Method: http.MethodPost, URL: b.target, Host: b.target.Host, Header: header, Body: body,
		ContentLength: int64(b.cfg.PayloadBytes), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	var payload []byte
	idBytes := []byte("msg_bare00000000000000000") // With 6 more an id as long as the service's: 27 after msg_.
	var posted, failed uint64
	for ctx.Err() == nil {
		now := time.Now()
		if now.After(b.ends) {
			break
		}
		seq := b.next.Add(1) - 1
		payload = b.template.Append(payload[:0], seq, now.UnixNano())
		body.Reset(payload)
		id[0] = string(strconv.AppendUint(slices.Clip(idBytes), 1e9+seq, 36))
		timestamp[0] = strconv.FormatInt(now.Unix(), 10)
		signature[0] = signer.Sign(id[0], timestamp[0], payload)
		if err := b.post(request); err != nil {
			failed++
			b.firstErr.CompareAndSwap(nil, new(err.Error()))
			continue
		}
		posted++
	}
	b.posted.Add(posted)
	b.failed.Add(failed)
	return nil
}

// post is one exchange. Once the answer's body is closed, net/http allows the request to be used again.
func (b *bareLoop) post(request *http.Request) error {
	response, err := b.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// Validate names the first field that cannot work.
func (cfg BareConfig) Validate() error {
	switch {
	case cfg.Concurrency < 1:
		return errors.New("bare loop: no concurrency")
	case cfg.Duration <= 0:
		return errors.New("bare loop: no duration")
	}
	return nil
}
