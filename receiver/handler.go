package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// A Handler is the [http.Handler] that [New] gives. It is safe for concurrent
// use, starts no goroutine, and needs no closing.
type Handler struct {
	config

	open  func(header http.Header, body []byte) (opened, *refusal)
	turns turns
}

// opened is a request that was verified and decoded. Its payload's type is
// known inside handle only, which keeps Handler free of type parameters.
type opened struct {
	id     string
	handle func(ctx context.Context) error
}

// New returns a Handler for webhooks in this dialect that are signed with any
// of these secrets, each written as the sender shows it. Several secrets serve
// rotation: give the old and the new one until the sender has switched. There
// may be none if [WithToken] is given.
//
// The handler calls handle with each message until it has returned nil once.
// The context is the request's: it ends when the sender hangs up. A handle
// that panics has failed; [http.ErrAbortHandler] is passed on besides.
//
// A secret, dialect or option that cannot be used is an error, which says
// which it is and never quotes a secret.
func New[T any](
	dialect Dialect[T],
	secrets []string,
	handle func(ctx context.Context, m Message[T]) error,
	opts ...Option,
) (*Handler, error) {
	if dialect.verifier == nil {
		return nil, errors.New("receiver: dialect is empty")
	}
	if handle == nil {
		return nil, errors.New("receiver: function is nil")
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	verify, err := authenticator(dialect.verifier, secrets, c)
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	return &Handler{config: c, open: opener(dialect, verify, handle)}, nil
}

// opener joins what depends on the type of the payload.
func opener[T any](
	dialect Dialect[T],
	verify verifyFunc,
	handle func(context.Context, Message[T]) error,
) func(http.Header, []byte) (opened, *refusal) {
	return func(header http.Header, body []byte) (opened, *refusal) {
		verified, err := verify(header, body)
		if err != nil {
			return opened{}, &refusal{status: http.StatusUnauthorized, reason: err.Error()}
		}
		m, err := dialect.decode(verified, body)
		if err != nil {
			return opened{}, &refusal{status: http.StatusBadRequest, reason: shorten(err.Error())}
		}
		return opened{id: m.ID, handle: func(ctx context.Context) error { return handle(ctx, m) }}, nil
	}
}

// ServeHTTP implements [http.Handler]; the package comment lists its answers.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused := h.serve(w, r)
	if refused == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	h.report(r.Context(), refused)
	if refused.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, refused.reason, refused.status)
}

// serve takes a request through every step up to the answer, nil for 200.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) *refusal {
	if r.Method != http.MethodPost {
		return &refusal{status: http.StatusMethodNotAllowed, reason: "webhooks are sent by POST"}
	}
	body, refused := h.read(w, r)
	if refused != nil {
		return refused
	}
	m, refused := h.open(r.Header, body)
	if refused != nil {
		return refused
	}
	return h.deliver(r.Context(), m)
}

// read returns the whole body, never more than the limit of it.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, *refusal) {
	tooLarge := &refusal{
		status: http.StatusRequestEntityTooLarge,
		reason: fmt.Sprintf("the body is larger than %d bytes", h.maxBodyBytes),
	}
	if r.ContentLength > h.maxBodyBytes {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBodyBytes))
	if _, exceeded := errors.AsType[*http.MaxBytesError](err); exceeded {
		return nil, tooLarge
	}
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, reason: "the body could not be read", cause: err}
	}
	return body, nil
}

// deliver handles a message unless that was done before. Only one copy of a
// message is in here past the first step, so none can slip in between the
// question whether it was handled and the note that it was.
func (h *Handler) deliver(ctx context.Context, m opened) *refusal {
	endTurn, err := h.turns.take(ctx, m.id)
	if err != nil {
		return unavailable(m.id, slog.LevelInfo, fmt.Errorf("wait for another copy: %w", err))
	}
	defer endTurn() // Also when handle panics or ends its goroutine.

	seen, err := h.deduper.Seen(ctx, m.id)
	if err != nil {
		return unavailable(m.id, slog.LevelError, fmt.Errorf("look up: %w", err))
	}
	if seen {
		return nil
	}
	if err := call(ctx, m.handle); err != nil {
		return failure(m.id, err)
	}
	// The sender may have hung up meanwhile. What was done stays done.
	if err := h.deduper.Mark(context.WithoutCancel(ctx), m.id); err != nil {
		h.logger.ErrorContext(ctx, "webhook handled but not remembered", "id", m.id, "error", err)
	}
	return nil
}

// panicError is a panic of the function, with the stack where it happened.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// Unwrap lets errors.Is see the panic's value if that was an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// call turns a panic into an error. net/http would otherwise cut the
// connection, which tells the sender less than a 500 does.
func call(ctx context.Context, handle func(context.Context) error) (err error) {
	defer func() {
		value := recover()
		if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares likewise
			panic(value)
		}
		if value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return handle(ctx)
}
