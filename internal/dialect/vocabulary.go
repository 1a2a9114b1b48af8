package dialect

import (
	"slices"
	"strings"
)

// Term is one pair of a dialect's vocabulary: an event type and the vendor's word.
type Term struct {
	Type string
	Word string
	Fit  Fit
}

// Vocabulary names things both ways. It does not change once it is made.
type Vocabulary struct {
	prefix string          // of types that are this vendor's alone
	byType map[string]Term // by Term.Type
	byWord map[string][]string
}

// NewVocabulary makes the vocabulary of a dialect. For a word of several types those
// come first that fit exactly; besides that the order is that of the terms.
func NewVocabulary(dialect string, terms ...Term) Vocabulary {
	v := Vocabulary{prefix: Foreign(dialect, ""), byType: map[string]Term{}, byWord: map[string][]string{}}
	exactFirst := slices.Clone(terms)
	slices.SortStableFunc(exactFirst, func(a, b Term) int { return int(b.Fit) - int(a.Fit) })
	for _, t := range exactFirst {
		v.byType[t.Type] = t
		v.byWord[t.Word] = append(v.byWord[t.Word], t.Type)
	}
	return v
}

// Word is the vendor's word for a type. A type of the form "<dialect>.<word>" has its
// own word, unless that is one by which the dialect says a type of the catalogue exactly.
func (v *Vocabulary) Word(eventType string) (string, Fit) {
	if t, known := v.byType[eventType]; known {
		return t.Word, t.Fit
	}
	word, own := strings.CutPrefix(eventType, v.prefix)
	if !own || word == "" || v.Type(word) != eventType {
		return "", Unsaid
	}
	return word, Exact
}

// Types are the types that go out under a word; nil if it has none. The caller must
// not change them.
func (v *Vocabulary) Types(word string) []string { return v.byWord[word] }

// Type is the type that a vendor's webhook with this word has: the one that fits
// exactly, else one of its own.
func (v *Vocabulary) Type(word string) string {
	types := v.byWord[word]
	if len(types) > 0 && v.byType[types[0]].Fit == Exact {
		return types[0]
	}
	return v.prefix + word
}
