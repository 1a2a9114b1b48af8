//go:build unix

package restapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/restapi"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/token"
)

// instantIngest accepts every message at once; its other methods are not called.
type instantIngest struct {
	restapi.Ingest
	next id.ID
}

func (i *instantIngest) PostMessage(context.Context, ingest.AppRef, ingest.Key, ingest.Message) (ingest.Result, error) {
	i.next++
	return ingest.Result{ID: i.next}, nil
}

// noStore is never asked.
type noStore struct{ restapi.Store }

// sink is a ResponseWriter that keeps its header map, as a connection does.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// BenchmarkPostMessage measures everything between net/http and ingest for one
// message of a real size, as Svix's clients send it.
func BenchmarkPostMessage(b *testing.B) {
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		b.Fatal(err)
	}
	tokens, err := token.New(token.Config{Secret: token.NewSecret(secret)})
	if err != nil {
		b.Fatal(err)
	}
	handler, err := restapi.New(restapi.Config{
		Store: noStore{}, Ingest: &instantIngest{next: id.ID(1) << 60}, Codec: codec, Tokens: tokens,
		Dialects: dialect.NewSet(native.Dialect{}), PublicURL: publicURL, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	auth, err := tokens.Mint(token.Claims{Org: testOrg(1)})
	if err != nil {
		b.Fatal(err)
	}
	path := "/api/v1/app/" + codec.Encode(id.App, id.ID(1)<<59) + "/msg"
	body := []byte(`{"eventType":"session.joined","eventId":"join-4711","payload":{"type":"session.joined","timestamp":"2026-05-04T09:00:00Z",` +
		`"data":{"sessionId":"0ujsswThIGTUYm2K8FjOOfXtY1K","registrationId":"r-88213","email":"jane@example.com","name":"Jane Doe",` +
		`"event":{"id":"e-17","number":4711,"title":"Spring summit","status":"live"},"device":"desktop","notes":"` + strings.Repeat("text ", 40) + `"}}}`)

	for name, query := range map[string]string{"svix client": "?with_content=false", "with content": ""} {
		b.Run(name, func(b *testing.B) {
			template, err := http.NewRequestWithContext(b.Context(), http.MethodPost, path+query, nil)
			if err != nil {
				b.Fatal(err)
			}
			template.Header = http.Header{
				"Authorization": {"Bearer " + auth}, "Content-Type": {"application/json"}, "Idempotency-Key": {"auto_8c0f7a0e"},
			}
			template.ContentLength = int64(len(body))
			w := &sink{header: http.Header{}}
			reader := bytes.NewReader(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := *template
				reader.Reset(body)
				r.Body = io.NopCloser(reader)
				clear(w.header)
				handler.ServeHTTP(w, &r)
				if w.status != http.StatusAccepted {
					b.Fatal("status", w.status)
				}
			}
		})
	}
}

// BenchmarkDeliveries asks for the log and for what is undelivered where an app has a
// million deliveries, to four endpoints: one in two hundred has failed, those of one
// endpoint's last 100,000 messages are pending.
func BenchmarkDeliveries(b *testing.B) {
	w := newWorld(b)
	w.app("a")
	var endpoints []id.ID
	for n := range 4 {
		ep, _ := w.codec.Decode(id.Endpoint, w.endpoint("a", fmt.Sprintf(`,"uid":"e%d"`, n)))
		endpoints = append(endpoints, ep)
	}
	app, err := w.store.App(b.Context(), testOrg(1), store.Ref{UID: "a"})
	if err != nil {
		b.Fatal(err)
	}
	const messages = 250_000
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < messages; {
		var c store.Changes
		for range 500 {
			m := store.Message{ID: gen.Next(time.Now()), App: app.ID, Type: []string{"x.y", "x.z"}[n%2], Payload: []byte(`{"n":1}`)}
			c.Messages = append(c.Messages, m)
			for i, ep := range endpoints {
				d := delivery.Delivery{Key: delivery.Key{Message: m.ID, Endpoint: ep}, App: app.ID, State: delivery.Leased, Generation: 1, NextAt: time.Now()}
				next := d
				next.State, next.Step = delivery.Succeeded, 1
				switch {
				case i == 3 && n >= messages-100_000:
					d.State, d.Generation = delivery.Pending, 0
					c.Deliveries = append(c.Deliveries, d)
					continue
				case (n+i)%200 == 0:
					next.State, next.Reason = delivery.Failed, delivery.Exhausted
				}
				c.Deliveries = append(c.Deliveries, d)
				c.Completed = append(c.Completed, store.Completion{Next: next, Attempt: delivery.Attempt{
					Key: d.Key, N: 1, ID: gen.Next(time.Now()), App: app.ID, At: time.Now(), Success: next.State == delivery.Succeeded, StatusCode: 200,
				}})
			}
			n++
		}
		if err := w.store.Update(b.Context(), func(tx commit.Tx) error { return tx.Apply(b.Context(), &c) }); err != nil {
			b.Fatal(err)
		}
	}
	middle := w.codec.Encode(id.Message, id.AtTime(time.Now().Add(-time.Second)))
	for name, path := range map[string]string{
		"newest":                      "/delivery",
		"from the middle":             "/delivery?iterator=" + middle,
		"one endpoint":                "/delivery?endpoint_id=e1",
		"failed":                      "/delivery?status=2",
		"failed of one endpoint":      "/delivery?status=2&endpoint_id=e2",
		"pending":                     "/delivery?status=1",
		"pending of an idle endpoint": "/delivery?status=1&endpoint_id=e0",
		"sending, of which is none":   "/delivery?status=3",
		"canceled, of which is none":  "/delivery?status=4",
		"no such event type":          "/delivery?event_types=none",
		"failed, no such event type":  "/delivery?status=2&event_types=none",
		"no such tag":                 "/delivery?tag=none",
		"undelivered":                 "/undelivered",
		"preview of a recovery":       "/endpoint/e2/recover?since=2026-01-01T00:00:00Z",
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			before := cpu(b)
			for b.Loop() {
				begin := time.Now()
				w.do("GET", "/app/a"+path, "").want(200)
				took = append(took, time.Since(begin))
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(len(took)), "cpu-ms/op")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// cpu is the processor time of this process so far: on a machine that has other work the
// time that a page takes says little.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
