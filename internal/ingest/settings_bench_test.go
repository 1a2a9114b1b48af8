package ingest_test

import (
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/ingest/ingesttest"
)

// BenchmarkSettings posts messages of the catalogue, for which the org's settings are read,
// with and without the largest logo that a portal may have: what is only for pages should
// cost a message nothing.
func BenchmarkSettings(b *testing.B) {
	logo := `{"portal":{"logo":"data:image/png;base64,` + strings.Repeat("A", 64<<10) + `"}}`
	for name, doc := range map[string]string{"plain": `{}`, "logo": logo} {
		b.Run(name, func(b *testing.B) {
			e := ingesttest.New(b)
			err := e.Service.UpdateSettings(b.Context(), ingesttest.Org, func([]byte) ([]byte, error) { return []byte(doc), nil })
			if err != nil {
				b.Fatal(err)
			}
			app := e.App()
			m := ingest.Message{EventType: ingesttest.TerseWord, Payload: nativeBody(ingesttest.TerseWord, `{"id":"1"}`)}
			b.SetParallelism(64)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := e.Service.PostMessage(b.Context(), app, ingest.Key{}, m); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
