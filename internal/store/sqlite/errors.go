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

// errFsync is what a failed fsync means. The kernel may have thrown the dirty
// pages away: a later fsync succeeds and proves nothing. See "fsyncgate",
// https://lwn.net/Articles/752063/.
var errFsync = fmt.Errorf("%w: fsync failed, what was written last may not be on disk", store.ErrLost)

// classify marks errors of SQLite with what they mean for the caller.
func classify(err error) error {
	cause, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	if meant := meaning(cause.Code()); meant != nil {
		return fmt.Errorf("%w: %w", meant, err)
	}
	return err
}

// meaning gives the sentinel for a result code, https://sqlite.org/rescode.html;
// nil for errors of statements themselves, such as a violated constraint.
func meaning(code int) error {
	switch code {
	case sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC:
		return errFsync
	case sqlite3.SQLITE_IOERR_CORRUPTFS:
		return store.ErrLost
	}
	switch code & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return store.ErrLost
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL:
		return store.ErrUnavailable
	}
	return nil
}
