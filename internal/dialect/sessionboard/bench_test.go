package sessionboard_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
)

// compact is a message without space in its payload, as programs write it.
func compact(b *testing.B, m dialect.Message) dialect.Message {
	b.Helper()
	var v any
	if err := json.Unmarshal(m.Payload, &v); err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	m.Payload = text
	return m
}

// BenchmarkRender renders a contact, whose payload has about 1.3 KB and is flat, and a
// session, which holds objects of all sorts.
func BenchmarkRender(b *testing.B) {
	for _, name := range []string{"contact.updated", "sponsor.updated", "session.updated"} {
		b.Run(name, func(b *testing.B) {
			m := compact(b, message(name, full(b, name)))
			b.SetBytes(int64(len(m.Payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sut.Render(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("a short session", func(b *testing.B) {
		m := message("session.updated", `{"session":{"id":"fd4e0275-f018-40bc-909a-f8cdfa0df354","title":"Maps"},"event":{"number":4001},"actor":{"id":7}}`)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sut.Render(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkParse reads a session, which holds objects of all sorts.
func BenchmarkParse(b *testing.B) {
	r := dialect.Request{Header: http.Header{}, Body: []byte(render(b, message("session.updated", full(b, "session.updated"))))}
	b.SetBytes(int64(len(r.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sut.Parse(r); err != nil {
			b.Fatal(err)
		}
	}
}
