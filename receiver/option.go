package receiver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/callboard/callboard/signature"
)

// DefaultMaxBody is the largest body that is accepted by default, in bytes:
// 1 MiB, which is also the most that Callboard sends.
const DefaultMaxBody = 1 << 20

// An Option changes how a [Handler] works.
type Option func(*config)

type config struct {
	maxBodyBytes int64
	tolerance    time.Duration
	deduper      Deduper
	logger       *slog.Logger
	tokens       tokenHeaders
	tokenErr     error // of the tokens that cannot be used
}

// WithMaxBody sets the largest body that is accepted, in bytes. It must be
// positive; the default is [DefaultMaxBody].
func WithMaxBody(sizeBytes int64) Option {
	return func(c *config) { c.maxBodyBytes = sizeBytes }
}

// WithTolerance sets how far the signed timestamp may lie from the present,
// either way. It must be positive; the default is [signature.DefaultTolerance].
// Dialects that sign no timestamp ignore it.
func WithTolerance(tolerance time.Duration) Option {
	return func(c *config) { c.tolerance = tolerance }
}

// WithDeduper sets what remembers the messages that were handled. The default
// is a [MemoryDeduper] of the handler's own.
func WithDeduper(deduper Deduper) Option {
	return func(c *config) { c.deduper = deduper }
}

// WithLogger sets where the handler reports: refusals at level info, errors
// and panics of the function, and of the [Deduper], at level error. The
// default is [slog.Default].
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) { c.logger = logger }
}

func newConfig(opts []Option) (config, error) {
	c := config{
		maxBodyBytes: DefaultMaxBody,
		tolerance:    signature.DefaultTolerance,
		deduper:      NewMemoryDeduper(DefaultRemembered),
		logger:       slog.Default(),
	}
	for _, opt := range opts {
		opt(&c)
	}
	switch {
	case c.maxBodyBytes <= 0:
		return config{}, fmt.Errorf("largest body of %d bytes is not positive", c.maxBodyBytes)
	case c.deduper == nil:
		return config{}, errors.New("deduper is nil")
	case c.logger == nil:
		return config{}, errors.New("logger is nil")
	case c.tokenErr != nil:
		return config{}, c.tokenErr
	}
	return c, nil
}
