package token

import (
	"sync"
	"time"
)

// cache remembers verified tokens. A full cache makes room by forgetting expired
// tokens and then arbitrary ones: being forgotten costs one verification.
type cache struct {
	limit int

	mu     sync.RWMutex
	byText map[string]*Claims
}

func newCache(limit int) *cache {
	return &cache{limit: limit, byText: make(map[string]*Claims)}
}

// get finds a token that has not expired at now.
func (c *cache) get(text string, now time.Time) (*Claims, bool) {
	c.mu.RLock()
	claims, ok := c.byText[text]
	c.mu.RUnlock()
	return claims, ok && alive(claims, now)
}

func (c *cache) put(text string, claims *Claims, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byText) >= c.limit {
		c.shrink(now)
	}
	c.byText[text] = claims
}

// shrink leaves room for at least an eighth of the limit, so that it runs seldom.
func (c *cache) shrink(now time.Time) {
	for text, claims := range c.byText {
		if !alive(claims, now) {
			delete(c.byText, text)
		}
	}
	keep := c.limit - c.limit/8 - 1
	for text := range c.byText {
		if len(c.byText) <= keep {
			return
		}
		delete(c.byText, text)
	}
}

func alive(c *Claims, now time.Time) bool { return c.Expires.IsZero() || now.Before(c.Expires) }
