package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/store"
)

// errClosed is returned by a Store that was closed.
var errClosed = errors.New("database is closed")

// errFenced ends a process that was silent for so long that another one has taken
// its deliveries: it may have been stopped, or cut off from the database. Whatever
// it still holds belongs to others now.
var errFenced = fmt.Errorf("%w: this process was silent for too long, and others have taken over what it held", store.ErrLost)

// classify marks errors of the database with what they mean for the caller.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if meant := meaning(err); meant != nil {
		return fmt.Errorf("%w: %w", meant, err)
	}
	return err
}

// meaning gives the sentinel for an error; nil for those of statements themselves.
func meaning(err error) error {
	if cause, ok := errors.AsType[*pgconn.PgError](err); ok {
		return meaningOf(cause)
	}
	if unreachable(err) {
		return store.ErrUnavailable
	}
	return nil
}

// unreachable reports whether an error is one of the connection: the server said
// nothing, so it may or may not have done what it was told.
func unreachable(err error) bool {
	if _, said := errors.AsType[*pgconn.PgError](err); said {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || pgconn.SafeToRetry(err)
}

// meaningOf gives the sentinel for an SQLSTATE,
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func meaningOf(e *pgconn.PgError) error {
	switch e.Code {
	case "23502":
		if e.TableName == "node" { // see tx.fence
			return errFenced
		}
		return nil
	case "40001", "40P01", "55P03", // serialization failure, deadlock, lock not available
		"23505", // another node was faster with a key, a uid or an eventId
		"0A000": // a prepared statement outlived a migration
		return commit.ErrConflict
	case "57014", // canceled: a time-out of ours
		"25006", "25P03", // read-only (a standby, or failing over), idle in transaction for too long
		"55000": // not in the state that the command needs: starting, being promoted
		return store.ErrUnavailable
	}
	switch class, _ := cutClass(e.Code); class {
	case "08", "53", "57", "58": // connection, resources (disk full among them), operator, system
		return store.ErrUnavailable
	}
	return nil
}

// isReadOnly reports whether the server is a standby by now: the connections lead to
// the wrong one.
func isReadOnly(err error) bool {
	cause, ok := errors.AsType[*pgconn.PgError](err)
	return ok && cause.Code == "25006"
}

func cutClass(code string) (class, rest string) {
	if len(code) < 2 {
		return code, ""
	}
	return code[:2], code[2:]
}

// hopeless reports whether waiting for the server cannot help, because it answers
// and says that the URL is wrong.
func hopeless(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		_, parse := errors.AsType[*pgconn.ParseConfigError](err)
		return parse
	}
	class, _ := cutClass(e.Code)
	return class == "28" || e.Code == "3D000" || e.Code == "42501" // authorization, unknown database, privilege
}

// explain is an error's text without the URL, which may hold a password.
func explain(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return e.Error()
	}
	text := err.Error()
	if at := strings.LastIndex(text, ": "); at >= 0 {
		text = text[at+2:]
	}
	return text
}
