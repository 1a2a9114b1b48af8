package dispatch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/outgoing"
	"github.com/callboard/callboard/internal/store"
)

// deliver brings one leased row to its result.
func (d *Dispatcher) deliver(ctx context.Context, l *lane, it item) {
	r, v := d.attempt(ctx, l, &it)
	d.settle(l, it, v, d.cfg.Now())
	d.finish(r)
}

// attempt makes the one attempt that a lease allows, unless there is nothing to
// send any more.
func (d *Dispatcher) attempt(ctx context.Context, l *lane, it *item) (result, delivery.Verdict) {
	if !it.Deadline.IsZero() && d.cfg.Now().After(it.Deadline) {
		return finished(it, delivery.Expired), delivery.Verdict{}
	}
	t, err := d.target(ctx, l)
	if err == nil && it.message == nil {
		err = d.loadMessage(ctx, it)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return finished(it, delivery.PayloadGone), delivery.Verdict{}
	case errors.Is(err, errShut):
		return unused(it), delivery.Verdict{}
	case err != nil:
		// The store does not answer: the row goes back and the lane rests.
		d.cfg.Logger.ErrorContext(ctx, "delivery could not be prepared", "error", err)
		return unused(it), delivery.Verdict{RetryAfter: jittered(claimRetry)}
	}
	return d.post(ctx, t, it)
}

// loadMessage reads a claimed row's message.
func (d *Dispatcher) loadMessage(ctx context.Context, it *item) error {
	found, err := d.cfg.Store.Messages(ctx, []id.ID{it.Message})
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].Payload == nil {
		return store.ErrNotFound
	}
	it.message = &message{Message: found[0], external: d.cfg.Codec.Encode(id.Message, it.Message)}
	it.size = sizeOf(&found[0])
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes += it.size
	return nil
}

// post renders, signs and sends a row, and reads the answer.
func (d *Dispatcher) post(ctx context.Context, t *target, it *item) (result, delivery.Verdict) {
	m := it.message
	begin := d.cfg.Now()
	body, err := d.render(ctx, t.Dialect, m)
	if err != nil {
		a := attemptOf(it, begin)
		a.Error = describeUnrenderable(err)
		return d.completed(ctx, it, a, it.Fail(delivery.Unrenderable), outcomeFailed), delivery.Verdict{}
	}
	header := t.Header(m.external, begin, body)
	answer, response := d.exchange(ctx, t, header, body)
	end := d.cfg.Now()
	if errors.Is(answer.Err, errDraining) {
		return unused(it), delivery.Verdict{}
	}
	v := delivery.Classify(answer, end)
	a := attemptOf(it, begin)
	a.Success = v.Success
	a.StatusCode = answer.StatusCode
	a.Latency = max(end.Sub(begin), 0)
	a.Response = response
	if answer.Err != nil {
		a.Error = describe(answer.Err, t.timeout)
	} else if !v.Success {
		a.Error = describeRedirect(t.URL, answer)
	}
	next := delivery.Next(it.Delivery, v, t.schedule, end, rand.Float64())
	r := d.completed(ctx, it, a, next, outcomeOf(v, answer))
	r.disable = v.Disable
	return r, v
}

// render writes a message's body. A dialect that panics has a defect; the delivery ends,
// as with a payload that cannot be rendered, and the process goes on with the others.
func (d *Dispatcher) render(ctx context.Context, in dialect.Dialect, m *message) ([]byte, error) {
	body, err := outgoing.Body(in, &m.Message, m.external)
	if defect, ok := errors.AsType[*outgoing.DefectError](err); ok {
		// What it says may hold the payload: where it happened is enough.
		d.cfg.Logger.ErrorContext(ctx, "a dialect panicked", "dialect", in.Name(), "event_type", m.Type,
			"msg_id", m.external, "defect", defect.Kind, "stack", string(defect.Stack))
	}
	return body, err
}

// attemptOf begins the record of an attempt.
func attemptOf(it *item, begin time.Time) delivery.Attempt {
	return delivery.Attempt{Key: it.Key, N: it.Generation, App: it.App, Trigger: it.Trigger, At: begin}
}

// exchange makes one HTTP exchange: one request, at most ResponseBytes of the
// answer, all within the target's timeout. An answer whose body does not end in
// time is a time-out.
func (d *Dispatcher) exchange(ctx context.Context, t *target, header http.Header, body []byte) (delivery.Answer, []byte) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	req := &http.Request{
		Method:        http.MethodPost,
		URL:           t.URL,
		Host:          t.URL.Host,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		// A request of which nothing was written may go over another connection.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	resp, err := d.cfg.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return d.failed(ctx, err), nil
	}
	defer resp.Body.Close()
	response, err := readSome(resp.Body, resp.ContentLength)
	if err != nil && ctx.Err() != nil {
		return d.failed(ctx, err), response
	}
	return delivery.Answer{StatusCode: resp.StatusCode, Header: resp.Header}, response
}

// failed is the answer that did not come.
func (d *Dispatcher) failed(ctx context.Context, err error) delivery.Answer {
	if cause := context.Cause(d.sending); cause != nil {
		return delivery.Answer{Err: cause}
	}
	timeout := errors.Is(ctx.Err(), context.DeadlineExceeded)
	if timeout {
		err = context.DeadlineExceeded
	}
	return delivery.Answer{Err: err, Timeout: timeout}
}

// readSome reads a response up to ResponseBytes; the rest is neither read nor
// awaited. What was read before an error is kept.
func readSome(body io.Reader, length int64) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	var buf bytes.Buffer
	if length > 0 {
		buf.Grow(int(min(length, delivery.ResponseBytes)) + bytes.MinRead)
	}
	_, err := io.Copy(&buf, io.LimitReader(body, delivery.ResponseBytes))
	return buf.Bytes(), err
}

// completed logs an attempt in one wide line and makes its result.
func (d *Dispatcher) completed(ctx context.Context, it *item, a delivery.Attempt, next delivery.Delivery, outcome string) result {
	d.metrics.attempts.WithLabelValues(outcome).Inc()
	d.metrics.seconds.Observe(a.Latency.Seconds())
	level := slog.LevelInfo
	if a.Success {
		level = slog.LevelDebug
	}
	failure := a.Error
	if a.StatusCode != 0 {
		failure = "" // where a redirect leads is for the endpoint's owner alone
	}
	if d.cfg.Logger.Enabled(ctx, level) {
		d.cfg.Logger.LogAttrs(ctx, level, "attempt",
			slog.String("msg_id", it.message.external),
			slog.String("endpoint_id", d.cfg.Codec.Encode(id.Endpoint, it.Endpoint)),
			slog.String("app_id", d.cfg.Codec.Encode(id.App, it.App)),
			slog.String("event_type", it.message.Type),
			slog.Int("generation", it.Generation),
			slog.String("outcome", outcome),
			slog.Int("status_code", a.StatusCode),
			slog.Duration("latency", a.Latency),
			slog.String("receiver_error", failure),
			slog.Int("schedule_step", next.Step),
			slog.String("reason", next.Reason.String()),
			slog.Time("next_at", next.NextAt),
			slog.Bool("retried", next.State == delivery.Pending),
		)
	}
	return result{kind: resultCompleted, completion: store.Completion{Attempt: a, Next: next}}
}
