package receiver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
)

// refusal is any answer but 200.
type refusal struct {
	status int
	reason string // told to the sender
	id     string // the message's, once it is verified
	cause  error  // told to the log only; nil where the reason says it all

	// level is info where the sender, or a stranger, got what the rules say,
	// and error where something on this side has failed.
	level slog.Level
}

func unavailable(id string, level slog.Level, cause error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable,
		reason: "the message could not be taken now",
		id:     id,
		cause:  cause,
		level:  level,
	}
}

// failure judges what the function returned. A panic with ErrGone is a panic.
func failure(id string, cause error) *refusal {
	if _, panicked := errors.AsType[*panicError](cause); !panicked && errors.Is(cause, ErrGone) {
		return &refusal{status: http.StatusGone, reason: "this endpoint is gone", id: id, cause: cause}
	}
	return &refusal{
		status: http.StatusInternalServerError,
		reason: "the message was not handled",
		id:     id,
		cause:  cause,
		level:  slog.LevelError,
	}
}

// maxReason is the length in bytes of what is said about a body. An error of
// package encoding/json may quote a number, which is as long as its sender likes.
const maxReason = 200

func shorten(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:maxReason], "") + "…"
}

// report logs a refusal in one line.
func (h *Handler) report(ctx context.Context, refused *refusal) {
	attrs := []slog.Attr{slog.Int("status", refused.status), slog.String("reason", refused.reason)}
	if refused.id != "" {
		attrs = append(attrs, slog.String("id", refused.id))
	}
	if refused.cause != nil {
		attrs = append(attrs, slog.Any("error", refused.cause))
	}
	h.logger.LogAttrs(ctx, refused.level, "webhook refused", attrs...)
}
