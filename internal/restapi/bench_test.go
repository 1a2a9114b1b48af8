package restapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/restapi"
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
