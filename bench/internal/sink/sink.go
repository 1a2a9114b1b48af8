// Package sink is the receiver of the bench: a plain net/http handler that answers 204 at once, compares every body with
// what was posted, verifies a sample of the signatures and remembers the first arrival of each (message, endpoint). What
// comes in a vendor's dialect has another body than was posted: see vendor.go for what is checked of it.
//
// It shares the machine with the service under test, so it is built to be cheap: no JSON, no allocation per request of
// its own, one short lock per endpoint.
package sink

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// PathPrefix comes before a slot's number in the URL of its endpoint: /s/0, /s/1, ...
const PathPrefix = "/s/"

// Config says what the sink is to expect.
type Config struct {
	PayloadBytes int    // length of the bench's own payload
	VerifyEvery  int    // one in so many requests of a slot has its signature verified; default 64
	Slots        []Slot // one per endpoint
}

// Slot is one endpoint. A message with sequence number n belongs here if n % Stride == Residue: the generator numbers
// messages over all apps in turn, so Stride is the number of apps and Residue the endpoint's app.
type Slot struct {
	Secret  string
	Stride  uint64
	Residue uint64
	Payload []byte // with a probe.Mark, in place of the bench's own; of a Dialect the frame, else that of the first webhook
	Dialect string // of the endpoint; empty: native
	Word    string // what the Dialect calls the event type
	Frames  int    // of a Dialect: message n looks like all with the same n % Frames; default 1
}

// Sink is the handler. It is safe for concurrent use.
type Sink struct {
	verifyEvery uint64
	slots       []*slot
	faults      faults
	bodies      sync.Pool
}

// slot holds the arrivals of one endpoint, in chunks so that growing never copies them.
type slot struct {
	stride, residue uint64
	reader          reader
	signers         sync.Pool // of verifiers
	requests        atomic.Uint64
	hang            atomic.Pointer[chan struct{}]

	mu       sync.Mutex
	chunks   [][]cell
	distinct uint64
}

// cell is the first arrival of one message.
type cell struct {
	id      uint64 // probe.HashID of what names the message; 0 = not arrived
	arrived int64  // Unix ns
	latency uint32 // µs from the stamp in the payload
	repeats uint32 // arrivals after the first
}

const (
	chunkCells = 1 << 14
	// maxCells bounds a slot's memory should a stamp carry nonsense that passed for a number.
	maxCells = 1 << 26
)

// reader reads what is sent to an endpoint. It is safe for concurrent use.
type reader interface {
	// read checks all of a request but its signature.
	read(h http.Header, body []byte) (arrival, error)
	// newVerifier makes what verifies signatures; it is used by one request at a time.
	newVerifier(secret string) (verifier, error)
	// unnamed says that what names the message here is not the id that the API answered with.
	unnamed() bool
}

// verifier checks what a request proves of its sender.
type verifier interface {
	verify(h http.Header, body []byte, now time.Time) error
}

// arrival is what a request says of its message.
type arrival struct {
	seq, id uint64 // id is the probe.HashID of what names the message
	sent    int64
}

// New validates a Config.
func New(cfg Config) (*Sink, error) {
	own, err := probe.NewTemplate(cfg.PayloadBytes)
	if err != nil {
		return nil, err
	}
	s := &Sink{verifyEvery: uint64(cmp.Or(cfg.VerifyEvery, 64))}
	room := cfg.PayloadBytes
	for i, c := range cfg.Slots {
		sl, err := newSlot(c, own)
		if err != nil {
			return nil, fmt.Errorf("slot %d: %w", i, err)
		}
		s.slots = append(s.slots, sl)
		room = max(room, len(c.Payload))
		if c.Dialect != "" {
			room = max(room, maxVendorBody)
		}
	}
	s.bodies.New = func() any { return &buffer{bytes: make([]byte, room+1)} }
	return s, nil
}

func newSlot(c Slot, own probe.Template) (*slot, error) {
	if c.Residue >= c.Stride {
		return nil, fmt.Errorf("residue %d of stride %d", c.Residue, c.Stride)
	}
	sl := &slot{stride: c.Stride, residue: c.Residue}
	var err error
	if sl.reader, err = newReader(c, own); err != nil {
		return nil, err
	}
	if _, err := sl.reader.newVerifier(c.Secret); err != nil {
		return nil, err
	}
	sl.signers.New = func() any {
		v, _ := sl.reader.newVerifier(c.Secret) // The secret was tried above.
		return v
	}
	return sl, nil
}

func newReader(c Slot, own probe.Template) (reader, error) {
	switch {
	case c.Dialect != "":
		return newVendorReader(c)
	case len(c.Payload) > 0:
		template, err := probe.Marked(c.Payload)
		return nativeReader{template}, err
	}
	return nativeReader{own}, nil
}

type buffer struct{ bytes []byte }

// ServeHTTP records a delivery and answers 204. What is wrong with one is answered too, with 400, so that the service
// logs it; Report counts it.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	sl, err := s.slot(r.URL.Path)
	if err == nil {
		err = s.receive(sl, r, now)
	}
	if err != nil {
		s.faults.note(err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if hang := sl.hang.Load(); hang != nil {
		select {
		case <-*hang:
		case <-r.Context().Done():
			return
		}
	}
	w.Header()["Date"] = nil // Saves formatting and sending it.
	w.WriteHeader(http.StatusNoContent)
}

var errNoSlot = errors.New("request to a path of no endpoint")

func (s *Sink) slot(path string) (*slot, error) {
	number, ok := strings.CutPrefix(path, PathPrefix)
	n, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil || n >= uint64(len(s.slots)) {
		return nil, errNoSlot
	}
	return s.slots[n], nil
}

// receive checks a delivery and records its arrival at the time now.
func (s *Sink) receive(sl *slot, r *http.Request, now time.Time) error {
	buf := s.bodies.Get().(*buffer)
	defer s.bodies.Put(buf)
	n, err := io.ReadFull(r.Body, buf.bytes)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read body: %w", err)
	}
	body := buf.bytes[:n]
	a, err := sl.reader.read(r.Header, body)
	if err != nil {
		return err
	}
	if (sl.requests.Add(1)-1)%s.verifyEvery == 0 {
		if err := s.verify(sl, r.Header, body, now); err != nil {
			return err
		}
	}
	return sl.record(a, now.UnixNano())
}

func (s *Sink) verify(sl *slot, h http.Header, body []byte, now time.Time) error {
	v := sl.signers.Get().(verifier)
	defer sl.signers.Put(v)
	err := v.verify(h, body, now)
	if err == nil {
		s.faults.verified.Add(1)
	}
	return err
}

// nativeReader expects the very bytes that were posted.
type nativeReader struct{ template probe.Template }

func (n nativeReader) read(h http.Header, body []byte) (arrival, error) {
	seq, sent, err := n.template.Read(body)
	if err != nil {
		return arrival{}, err
	}
	id := first(h[probe.HeaderID])
	if id == "" {
		return arrival{}, errors.New("no " + probe.HeaderID)
	}
	return arrival{seq: seq, id: probe.HashID(id), sent: sent}, nil
}

func (nativeReader) newVerifier(secret string) (verifier, error) {
	return newStandard("Webhook", secret)
}

func (nativeReader) unnamed() bool { return false }

// standard verifies the headers of Standard Webhooks under one of the families of names that they have.
type standard struct {
	signer                   *probe.Signer
	id, timestamp, signature string // names of headers
}

func newStandard(family, secret string) (verifier, error) {
	signer, err := probe.NewSigner(secret)
	return standard{signer, family + "-Id", family + "-Timestamp", family + "-Signature"}, err
}

func (s standard) verify(h http.Header, body []byte, now time.Time) error {
	return s.signer.Verify(first(h[s.id]), first(h[s.timestamp]), first(h[s.signature]), body, now)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// record keeps an arrival. A message that comes to an endpoint of another app, or a second time under another id, is an
// error; a second time under the same id is a repeat.
func (sl *slot) record(a arrival, now int64) error {
	index := a.seq / sl.stride
	if a.seq%sl.stride != sl.residue || index >= maxCells {
		return errors.New("message of another app")
	}
	sl.mu.Lock()
	defer sl.mu.Unlock()
	c := sl.cell(index)
	switch c.id {
	case 0:
		*c = cell{id: a.id, arrived: now, latency: uint32(min(max(now-a.sent, 0)/1000, 1<<32-1))}
		sl.distinct++
	case a.id:
		c.repeats++
	default:
		return errors.New("one message under two ids")
	}
	return nil
}

// cell is called with the lock held.
func (sl *slot) cell(index uint64) *cell {
	chunk := int(index / chunkCells)
	for chunk >= len(sl.chunks) {
		sl.chunks = append(sl.chunks, make([]cell, chunkCells))
	}
	return &sl.chunks[chunk][index%chunkCells]
}

// Hang makes a slot's endpoint take deliveries and never answer, or, with on false, answer again: those that hang and all
// that follow.
func (s *Sink) Hang(number int, on bool) error {
	if number < 0 || number >= len(s.slots) {
		return errNoSlot
	}
	var next *chan struct{}
	if on {
		next = new(make(chan struct{}))
	}
	if previous := s.slots[number].hang.Swap(next); previous != nil {
		close(*previous)
	}
	return nil
}

// faults counts what was wrong with requests and what was verified.
type faults struct {
	verified atomic.Uint64
	count    atomic.Uint64
	mu       sync.Mutex
	examples []string
}

// note keeps the first few faults in words.
func (f *faults) note(err error) {
	f.count.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.examples) < 3 {
		f.examples = append(f.examples, err.Error())
	}
}
