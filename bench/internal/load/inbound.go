package load

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"time"

	"github.com/callboard/callboard/bench/internal/probe"
)

// Inbound is a source to which webhooks are posted as Zuddl signs them: the HMAC-SHA256 of the body in hexadecimal, after
// "sha256=", in x-webhook-signature; the key is the secret's text.
type Inbound struct {
	Path   string // of the source's URL
	Secret string
	// Flood is how many webhooks a second with a wrong signature come in at the source besides, for all of the Duration.
	Flood float64
}

// validate names the first field that cannot work.
func (in *Inbound) validate(cfg *Config) error {
	switch {
	case in.Path == "" || in.Secret == "":
		return errors.New("load: a source without path or secret")
	case !bytes.Contains(cfg.Payload, []byte(probe.Mark)):
		return errors.New("load: the webhook has no mark")
	case len(cfg.Apps) != 1:
		return errors.New("load: a source is of one app")
	case in.Flood > 0 && cfg.Duration <= 0:
		return errors.New("load: a flood without duration")
	}
	return nil
}

// webhook builds a vendor's requests. It is not changed once it is made.
type webhook struct {
	head  []byte   // of a request, up to the signature
	parts [][]byte // of the body, between the marks
}

func newWebhook(cfg *Config) *webhook {
	return &webhook{
		head: fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: */*\r\n"+
			"User-Agent: callboard-bench\r\nX-Webhook-Signature: sha256=", cfg.Inbound.Path, cfg.Addr),
		parts: bytes.Split(cfg.Payload, []byte(probe.Mark)),
	}
}

// append appends the body of a message to b: all its marks are one.
func (h *webhook) append(b []byte, d due) []byte {
	for i, part := range h.parts {
		if i > 0 {
			b = probe.AppendMark(b, d.seq, d.at.UnixNano())
		}
		b = append(b, part...)
	}
	return b
}

// request appends a request with a body under a signature in hexadecimal.
func (h *webhook) request(b, body, signature []byte) []byte {
	b = append(b, h.head...)
	b = append(b, signature...)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

// bodyProof signs bodies, one at a time.
type bodyProof struct {
	mac hash.Hash
	sum []byte
	hex []byte
}

func newBodyProof(secret string) *bodyProof {
	return &bodyProof{mac: hmac.New(sha256.New, []byte(secret))}
}

// of is the signature of a body, valid until the next call.
func (p *bodyProof) of(body []byte) []byte {
	p.mac.Reset()
	p.mac.Write(body)
	p.sum = p.mac.Sum(p.sum[:0])
	p.hex = hex.AppendEncode(p.hex[:0], p.sum)
	return p.hex
}

// floodConnections are those of a flood. Few do, since a refusal is quick.
const floodConnections = 8

// flooder sends its share of a flood over one connection.
type flooder struct {
	*generator
	conn    conn
	proof   *bodyProof
	first   time.Time // when its first request is due
	every   time.Duration
	refused uint64
	wrong   string // what a request was answered that was not refused
}

func newFlooder(g *generator, n int, started time.Time) *flooder {
	every := time.Duration(floodConnections / g.cfg.Inbound.Flood * float64(time.Second))
	return &flooder{
		generator: g, conn: conn{addr: g.cfg.Addr}, proof: newBodyProof("not " + g.cfg.Inbound.Secret),
		first: started.Add(every / floodConnections * time.Duration(n)), every: every,
	}
}

// run sends until the run's time is over. Where the service is slower than the flood, what is late is sent at once.
func (f *flooder) run(ctx context.Context) error {
	defer f.conn.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for at := f.first; at.Before(f.ends) && time.Now().Before(f.ends); at = at.Add(f.every) {
		timer.Reset(time.Until(at))
		select {
		case <-timer.C:
			f.send(at)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.result.Flooded += f.refused
	if f.result.FloodError == "" {
		f.result.FloodError = f.wrong
	}
	return nil
}

func (f *flooder) send(at time.Time) {
	body := f.webhook.append(nil, due{^uint64(0), at})
	status, answer, err := f.conn.roundTrip(f.webhook.request(nil, body, f.proof.of(body)))
	switch {
	case err != nil:
		f.wrong = err.Error()
	case status != 401:
		f.wrong = fmt.Sprintf("status %d: %.300s", status, answer)
	default:
		f.refused++
	}
}
