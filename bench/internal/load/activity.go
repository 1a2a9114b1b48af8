package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/callboard/callboard/bench/internal/accepted"
	"github.com/callboard/callboard/bench/internal/hist"
	"github.com/callboard/callboard/bench/internal/probe"
)

// JoinConfig is one run of joins: each tells that one more attendee joins a session of an event, and carries the
// registration, which is new.
type JoinConfig struct {
	Addr, Token string
	App, Event  string    // ids
	Sessions    int       // attendee n joins SessionID(n % Sessions)
	Batch       int       // activities in a request; 1 = bare
	At          time.Time // when they join; zero = now, which the service settles
	Concurrency int
	First       uint64 // sequence number of the first attendee
	Count       uint64
	Accepted    string // where the table of what was applied is written
}

// Validate names the first field that cannot work.
func (cfg JoinConfig) Validate() error {
	switch {
	case cfg.Sessions < 1:
		return errors.New("load: no sessions")
	case cfg.Batch < 1:
		return errors.New("load: no batch")
	case cfg.Concurrency < 1:
		return errors.New("load: no concurrency")
	case cfg.Count == 0 || cfg.Count%stride == 0:
		return errors.New("load: no count that works")
	}
	return nil
}

// SessionID is the id of the n-th session of an event. All have one length.
func SessionID(n int) string { return fmt.Sprintf("session-%06d", n) }

// Join tells joins until Count is reached or ctx ends, then writes the table of those that were applied, with the hashes
// of the messages that they caused. What is not answered is not repeated: it counts as refused. In the Result messages are
// joins, and Accept counts requests, each from its start to its answer.
func Join(ctx context.Context, cfg JoinConfig) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	j := &joins{cfg: cfg, table: accepted.Table{First: cfg.First, IDs: make([]uint64, cfg.Count)}}
	j.next.Store(cfg.First)
	j.head = fmt.Appendf(nil, "POST /api/v1/app/%s/activity HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nAccept: application/json\r\nUser-Agent: callboard-bench\r\nContent-Length: ", cfg.App, cfg.Addr, cfg.Token)
	if !cfg.At.IsZero() {
		j.at = fmt.Appendf(nil, `"at":%q,`, cfg.At.UTC().Format(time.RFC3339Nano))
	}
	return j.run(ctx)
}

// joins is the state that a run's workers share.
type joins struct {
	cfg  JoinConfig
	head []byte // the request up to the body's length
	at   []byte // the member at, if any
	next atomic.Uint64

	mu     sync.Mutex
	result Result
	table  accepted.Table // workers write to places of their own
}

func (j *joins) run(ctx context.Context) (Result, error) {
	started := time.Now()
	var group errgroup.Group
	for range j.cfg.Concurrency {
		group.Go(func() error {
			w := &joiner{joins: j, conn: conn{addr: j.cfg.Addr}}
			defer w.conn.close()
			w.run(ctx)
			return nil
		})
	}
	_ = group.Wait() // workers give no errors
	r := &j.result
	r.Started, r.Ended = started.UnixNano(), time.Now().UnixNano()
	r.From, r.To = j.cfg.First, j.cfg.First+j.cfg.Count
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	return *r, j.table.Write(j.cfg.Accepted)
}

// joiner tells one batch after the other over one connection.
type joiner struct {
	*joins
	conn            conn
	body, request   []byte
	accept          hist.Histogram
	applied, missed uint64
	firstError      string
}

// joined is what matters of an answer.
type joined struct {
	Data []joinAnswer
}

type joinAnswer struct {
	Status   string
	Messages []string
	Error    json.RawMessage
}

func (w *joiner) run(ctx context.Context) {
	batch, end := uint64(w.cfg.Batch), w.cfg.First+w.cfg.Count
	for ctx.Err() == nil {
		from := w.next.Add(batch) - batch
		if from >= end {
			break
		}
		w.tell(from, min(from+batch, end))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &w.result
	r.Accepted += w.applied
	r.Refused += w.missed
	r.Accept.Merge(w.accept)
	if r.FirstError == "" {
		r.FirstError = w.firstError
	}
}

// tell sends one request, with the joins from ≤ n < to.
func (w *joiner) tell(from, to uint64) {
	began := time.Now()
	w.build(from, to, began.UnixNano())
	status, body, err := w.conn.roundTrip(w.request)
	switch {
	case err != nil:
		w.miss(to-from, err.Error())
		return
	case status != 202:
		w.miss(to-from, fmt.Sprintf("status %d: %.300s", status, body))
		return
	}
	w.accept.Add(time.Since(began))
	var answer joined
	if err := json.Unmarshal(body, &answer); err != nil || uint64(len(answer.Data)) != to-from {
		w.miss(to-from, fmt.Sprintf("an answer of another form: %.300s", body))
		return
	}
	for i := range answer.Data {
		w.note(w.attendee(from+uint64(i)), &answer.Data[i])
	}
}

// attendee is who joins as the n-th. Attendees come in no order, as in life: rows that are made in the order of their keys
// are cheaper.
func (j *joins) attendee(n uint64) uint64 {
	return j.cfg.First + (n-j.cfg.First)*stride%j.cfg.Count
}

// stride is a prime, so that each attendee comes once whatever their number, unless that is a multiple.
const stride = 1_000_003

// note takes in what became of one attendee. A join that caused no message has the hash of none, so that it counts as
// applied all the same.
func (w *joiner) note(seq uint64, a *joinAnswer) {
	if a.Status != "applied" {
		w.miss(1, fmt.Sprintf("%s: %.300s", a.Status, a.Error))
		return
	}
	w.applied++
	message := ""
	if len(a.Messages) > 0 {
		message = a.Messages[0]
	}
	w.table.IDs[seq-w.cfg.First] = probe.HashID(message)
}

func (w *joiner) miss(n uint64, why string) {
	w.missed += n
	if w.firstError == "" {
		w.firstError = why
	}
}

// build lays the request into w.request.
func (w *joiner) build(from, to uint64, now int64) {
	w.body = w.body[:0]
	bare := w.cfg.Batch == 1
	if !bare {
		w.body = append(w.body, `{"activities":[`...)
	}
	for n := from; n < to; n++ {
		w.body = w.appendJoin(w.body, w.attendee(n), now)
		if n+1 < to {
			w.body = append(w.body, ',')
		}
	}
	if !bare {
		w.body = append(w.body, `]}`...)
	}
	w.request = append(w.request[:0], w.head...)
	w.request = strconv.AppendInt(w.request, int64(len(w.body)), 10)
	w.request = append(w.request, "\r\n\r\n"...)
	w.request = append(w.request, w.body...)
}

// profile is what a platform knows of somebody who registered.
const profile = `"firstName":"Jane","lastName":"Smith","email":"jane.smith@example.com","company":"Example Ltd",` +
	`"designation":"Software Engineer","country":"United Kingdom"`

// appendJoin appends one activity. The registration's id is a mark, which says when it was told.
func (w *joiner) appendJoin(b []byte, seq uint64, now int64) []byte {
	b = append(b, `{"type":"session.joined",`...)
	b = append(b, w.at...)
	b = append(b, `"actor":{"id":"`...)
	b = probe.AppendMark(b, seq, now)
	b = append(b, `","type":"USER"},"data":{"eventId":"`...)
	b = append(b, w.cfg.Event...)
	b = append(b, `","sessionId":"`...)
	b = append(b, SessionID(int(seq%uint64(w.cfg.Sessions)))...)
	b = append(b, `","registration":{"id":"`...)
	b = probe.AppendMark(b, seq, now)
	b = append(b, `","profile":{`...)
	b = append(b, profile...)
	return append(b, `}}}}`...)
}
