package catalog_test

import (
	"testing"

	"github.com/callboard/callboard/internal/catalog"
)

// BenchmarkCheck is what a message of a catalogue type pays at the door: session.joined
// is what most are, session.updated is the largest.
func BenchmarkCheck(b *testing.B) {
	c := catalog.New()
	for _, name := range []string{"session.joined", "session.updated", "conference.participant.entered", "conversation.completed"} {
		b.Run(name, func(b *testing.B) {
			t, ok := c.Get(name)
			if !ok {
				b.Fatal("unknown type")
			}
			b.SetBytes(int64(len(t.Sample)))
			b.ReportAllocs()
			for b.Loop() {
				if found, err := c.Check(name, t.Sample); err != nil || found != nil {
					b.Fatal(found, err)
				}
			}
		})
	}
}

// BenchmarkFirstCheck is what the first message of a type pays for compiling its schema.
func BenchmarkFirstCheck(b *testing.B) {
	t, _ := catalog.New().Get("session.joined")
	for b.Loop() {
		if _, err := catalog.New().Check(t.Name, t.Sample); err != nil {
			b.Fatal(err)
		}
	}
}
