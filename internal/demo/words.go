package demo

import (
	"context"
	"slices"
)

// word is what a dialect calls an event type.
type word struct {
	text       string
	translated bool // its own is another one that is close
}

// words are what each dialect calls which event type; those that it does not say are missing.
type words map[string]map[string]word

// of is a dialect's word for an event type.
func (w words) of(dialect, eventType string) (word, bool) {
	said, ok := w[dialect][eventType]
	return said, ok
}

// eventTypes is how many there are: the native dialect says them all.
func (w words) eventTypes() int { return len(w[nativeName]) }

// eventType is what the API says of one, as far as the demo has a use for it.
type eventType struct {
	Name         string            `json:"name"`
	Words        map[string]string `json:"words"`
	Translations []string          `json:"translations"`
}

// words asks the API which dialect calls an event type what.
func (a api) words(ctx context.Context) (words, error) {
	all := words{nativeName: {}}
	for t, err := range list[eventType](ctx, a, "/event-type") {
		if err != nil {
			return nil, err
		}
		all.add(t)
	}
	return all, nil
}

func (w words) add(t eventType) {
	w[nativeName][t.Name] = word{text: t.Name}
	for dialect, text := range t.Words {
		if w[dialect] == nil {
			w[dialect] = map[string]word{}
		}
		w[dialect][t.Name] = word{text, slices.Contains(t.Translations, dialect)}
	}
}
