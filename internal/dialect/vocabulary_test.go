package dialect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect"
)

// terms are a small vocabulary, with translations before what fits exactly.
func terms() []dialect.Term {
	return []dialect.Term{
		{Type: "meeting.joined", Word: "JOINED", Fit: dialect.Translated},
		{Type: "session.joined", Word: "JOINED", Fit: dialect.Exact},
		{Type: "call.joined", Word: "JOINED", Fit: dialect.Translated},
		{Type: "call.hint", Word: "HINT", Fit: dialect.Translated}, // of no type exactly
		{Type: "acme.POLL", Word: "POLL", Fit: dialect.Exact},
	}
}

func TestVocabularyWord(t *testing.T) {
	t.Parallel()
	v := dialect.NewVocabulary("acme", terms()...)
	type said struct {
		Word string
		Fit  dialect.Fit
	}
	for eventType, want := range map[string]said{
		"session.joined": {"JOINED", dialect.Exact},
		"meeting.joined": {"JOINED", dialect.Translated},
		"call.hint":      {"HINT", dialect.Translated},
		"acme.POLL":      {"POLL", dialect.Exact},
		"acme.NEW":       {"NEW", dialect.Exact},
		"acme.a.b":       {"a.b", dialect.Exact},
		"acme.HINT":      {"HINT", dialect.Exact}, // what the vendor itself says with it is no type of the catalogue
		"acme.JOINED":    {},                      // the vendor says session.joined with it
		"acme.":          {}, "acme": {}, "acmex.NEW": {}, "ACME.NEW": {}, "other.NEW": {}, "session.left": {}, "": {}, "POLL": {},
	} {
		var got said
		got.Word, got.Fit = v.Word(eventType)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", eventType, diff)
		}
	}
}

func TestVocabularyTypes(t *testing.T) {
	t.Parallel()
	given := terms()
	v := dialect.NewVocabulary("acme", given...)
	for word, want := range map[string][]string{
		"JOINED": {"session.joined", "meeting.joined", "call.joined"}, // else in the terms' order
		"HINT":   {"call.hint"},
		"POLL":   {"acme.POLL"},
		"NEW":    nil, "joined": nil, "": nil,
	} {
		if diff := cmp.Diff(want, v.Types(word)); diff != "" {
			t.Errorf("%s: -want +got\n%s", word, diff)
		}
	}
	if diff := cmp.Diff(terms(), given); diff != "" {
		t.Errorf("the terms were changed: %s", diff)
	}
}

// What comes in under a word goes out under the same.
func TestVocabularyType(t *testing.T) {
	t.Parallel()
	v := dialect.NewVocabulary("acme", terms()...)
	for word, want := range map[string]string{
		"JOINED": "session.joined", "HINT": "acme.HINT", "POLL": "acme.POLL", "NEW": "acme.NEW",
	} {
		got := v.Type(word)
		if got != want {
			t.Errorf("%s is read as %s, not %s", word, got, want)
		}
		if again, fit := v.Word(got); again != word || fit != dialect.Exact {
			t.Errorf("%s goes out as %q with fit %d", got, again, fit)
		}
	}
	if got := dialect.Foreign("acme", "NEW"); got != "acme.NEW" {
		t.Errorf("Foreign gives %s", got)
	}
}
