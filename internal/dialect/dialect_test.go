package dialect_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
)

// A hash tells parts from other parts, and where one ends and the next begins.
func TestHashID(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("\x00\x00\x00\x01a\x00\x00\x00\x02bc")) // each after its length
	if got, want := dialect.HashID([]byte("a"), []byte("bc")), "sha256:"+hex.EncodeToString(sum[:]); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	met := map[string]bool{}
	for _, parts := range [][]string{
		{},
		{""},
		{"", ""},
		{"abc"},
		{"ab", "c"},
		{"a", "bc"},
		{"abc", ""},
		{"", "abc"},
		{"bc", "a"},
		{"a", "b", "c"},
		{"\x00\x00\x00\x01a"},
		{"ABC"},
	} {
		var all [][]byte
		for _, p := range parts {
			all = append(all, []byte(p))
		}
		got := dialect.HashID(all...)
		if met[got] {
			t.Errorf("%q has the hash of others", parts)
		}
		if got != dialect.HashID(all...) {
			t.Errorf("%q has two hashes", parts)
		}
		met[got] = true
	}
}

// acme is a dialect with a name and words, and nothing else.
type acme struct {
	dialect.Dialect
	name  string
	words dialect.Vocabulary
}

func (a *acme) Name() string                                { return a.name }
func (a *acme) Word(eventType string) (string, dialect.Fit) { return a.words.Word(eventType) }

func TestSet(t *testing.T) {
	t.Parallel()
	words := dialect.NewVocabulary("acme", terms()...)
	native, first, second := &acme{name: dialect.Native}, &acme{name: "acme"}, &acme{name: "acme", words: words}
	s := dialect.NewSet(first, native, second)
	for name, want := range map[string]dialect.Dialect{"": native, "native": native, "acme": second, "Acme": nil, "other": nil} {
		got, known := s.Get(name)
		if got != want || known != (want != nil) {
			t.Errorf("Get(%q) is %v, %v", name, got, known)
		}
	}
	if diff := cmp.Diff([]string{"acme", "native"}, s.Names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	tests := []struct {
		dialect, eventType string
		translate, want    bool
	}{
		{"acme", "session.joined", false, true},
		{"acme", "session.joined", true, true},
		{"acme", "meeting.joined", false, false},
		{"acme", "meeting.joined", true, true},
		{"acme", "acme.NEW", false, true},
		{"acme", "session.left", true, false},
		{"other", "session.joined", true, false},
	}
	for _, tt := range tests {
		if got := s.Says(tt.dialect, tt.eventType, tt.translate); got != tt.want {
			t.Errorf("%s says %s, translating %v: %v", tt.dialect, tt.eventType, tt.translate, got)
		}
	}
	if _, known := (dialect.Set{}).Get(""); known {
		t.Error("an empty set knows native")
	}
}
