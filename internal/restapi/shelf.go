package restapi

import (
	"context"
	"sync"
	"time"
)

const (
	// shelfLife is how long a text is shown before it is written again.
	shelfLife = time.Minute
	// maxShelved is how many texts are kept.
	maxShelved = 32
)

// shelf keeps texts that are dear to write and that anybody may ask for, by name. One is
// written at a time, so that whoever asks for many takes no more than one core.
type shelf struct {
	writing chan struct{} // capacity 1

	mu    sync.Mutex
	texts map[string]shelved
}

type shelved struct {
	text  string
	until time.Time
}

func newShelf() *shelf { return &shelf{writing: make(chan struct{}, 1), texts: map[string]shelved{}} }

// get gives a text, or has it written. What could not be written is not kept.
func (s *shelf) get(ctx context.Context, name string, write func(context.Context) (string, error)) (string, error) {
	if text, ok := s.find(name); ok {
		return text, nil
	}
	select {
	case s.writing <- struct{}{}:
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if text, ok := s.find(name); ok { // somebody else wrote it meanwhile
		return text, nil
	}
	text, err := write(ctx)
	if err == nil {
		s.put(name, text)
	}
	return text, err
}

func (s *shelf) find(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.texts[name]
	return one.text, ok && time.Now().Before(one.until)
}

// put keeps a text. Where there is no room the oldest goes.
func (s *shelf) put(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.texts[name]; !known && len(s.texts) >= maxShelved {
		oldest := ""
		for other, one := range s.texts {
			if oldest == "" || one.until.Before(s.texts[oldest].until) {
				oldest = other
			}
		}
		delete(s.texts, oldest)
	}
	s.texts[name] = shelved{text, time.Now().Add(shelfLife)}
}
