package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/callboard/callboard/internal/store"
)

// ErrInUse is returned by Open while another process has the database open.
var ErrInUse = errors.New("database is in use by another process")

// classify marks errors of SQLite with what they mean for the caller. Result
// codes: https://sqlite.org/rescode.html. Errors of statements themselves, such
// as a violated constraint, stay as they are.
func classify(err error) error {
	cause, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch cause.Code() {
	// The kernel may have thrown the dirty pages away: a later fsync succeeds and
	// proves nothing. See "fsyncgate", https://lwn.net/Articles/752063/.
	case sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return fmt.Errorf("%w: fsync failed, what was written last may not be on disk: %w", store.ErrLost, err)
	}
	switch cause.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", store.ErrLost, err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}
