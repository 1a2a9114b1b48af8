package zuddl_test

import (
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/zuddl"
)

// The vendor's example, 1.3 KB as a payload: what each delivery costs before it is sent.
func BenchmarkRender(b *testing.B) {
	a, err := zuddl.New().Parse(dialect.Request{Body: read(b, "joined_session.json")})
	if err != nil {
		b.Fatal(err)
	}
	compact, err := zuddl.New().Parse(dialect.Request{Body: []byte(render(b, "session.joined", samples["session.joined"]))})
	if err != nil {
		b.Fatal(err)
	}
	for name, payload := range map[string][]byte{"indented": a.Payload, "compact": compact.Payload} {
		b.Run(name, func(b *testing.B) {
			d := zuddl.New()
			m := dialect.Message{ID: messageID(b, 1), Type: "session.joined", Tenant: "app_1", Payload: payload}
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Render(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	body := read(b, "joined_session.json")
	d := zuddl.New()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Parse(dialect.Request{Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}
