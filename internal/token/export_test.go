package token

// Cached counts the tokens that are remembered.
func (a *Authority) Cached() int {
	a.cache.mu.RLock()
	defer a.cache.mu.RUnlock()
	return len(a.cache.byText)
}
