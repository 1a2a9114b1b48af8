package postgres

import (
	"context"
	"time"
)

// Eager makes a store send what a transaction applies at once, so that a rollback
// has something to undo.
func Eager(cfg Config) Config {
	cfg.eager = true
	return cfg
}

// Ripe makes a store turn every handed-off delivery into a claimed one, again and
// again and at once.
func Ripe(cfg Config) Config {
	cfg.times = times{beat: 2 * time.Millisecond, ripe: -20 * 365 * 24 * time.Hour, grace: time.Hour, silence: time.Hour}
	return cfg
}

// Hasty makes nodes find each other dead within a second or two, which is still long for one that works on a busy
// machine.
func Hasty(cfg Config) Config {
	cfg.times = times{beat: 20 * time.Millisecond, grace: time.Second, starter: 300 * time.Millisecond, silence: 2 * time.Second, retry: 5 * time.Millisecond}
	return cfg
}

// Crash ends a store as the end of its process does: without a good-bye.
func Crash(s *Store) {
	s.closing.Do(func() {
		s.stop(errClosed)
		s.running.Wait()
		_ = s.node.session.Close(context.Background())
		close(s.closed)
		s.writers.Close()
		s.pool.Close()
	})
}

// Hang stops what a store does by itself and leaves its connections open, as a
// process does that was stopped.
func Hang(s *Store) {
	s.stop(errClosed)
	s.running.Wait()
}

// Doubtful is how many leases a store does not know the fate of.
func Doubtful(s *Store) int {
	keys, _ := s.leases.doubts()
	return len(keys)
}
