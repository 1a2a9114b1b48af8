package demo

import (
	"context"
	"fmt"
	"net/url"
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

// The list of event types, as far as the demo has a use for it.
type (
	eventType struct {
		Name         string            `json:"name"`
		Words        map[string]string `json:"words"`
		Translations []string          `json:"translations"`
	}
	eventTypePage struct {
		Data     []eventType `json:"data"`
		Iterator *string     `json:"iterator"`
		Done     bool        `json:"done"`
	}
)

// words asks the API which dialect calls an event type what. It is an error if there is a story of a type that the API
// does not offer.
func (c *client) words(ctx context.Context) (words, error) {
	all := words{nativeName: {}}
	query := url.Values{"limit": {"250"}}
	for {
		var page eventTypePage
		if err := c.get(ctx, "/event-type?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, t := range page.Data {
			all.add(t)
		}
		if page.Done || page.Iterator == nil {
			break
		}
		query.Set("iterator", *page.Iterator)
	}
	for _, k := range kinds {
		if _, offered := all.of(nativeName, k.name); !offered {
			return nil, fmt.Errorf("the catalogue has no event type %s", k.name)
		}
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
