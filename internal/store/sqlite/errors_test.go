package sqlite

import (
	"errors"
	"fmt"
	"io"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/callboard/callboard/internal/store"
)

func TestMeaning(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		sqlite3.SQLITE_IOERR_FSYNC:           store.ErrLost,
		sqlite3.SQLITE_IOERR_DIR_FSYNC:       store.ErrLost,
		sqlite3.SQLITE_IOERR_CORRUPTFS:       store.ErrLost,
		sqlite3.SQLITE_CORRUPT:               store.ErrLost,
		sqlite3.SQLITE_CORRUPT_INDEX:         store.ErrLost,
		sqlite3.SQLITE_NOTADB:                store.ErrLost,
		sqlite3.SQLITE_FULL:                  store.ErrUnavailable,
		sqlite3.SQLITE_IOERR:                 store.ErrUnavailable,
		sqlite3.SQLITE_IOERR_WRITE:           store.ErrUnavailable,
		sqlite3.SQLITE_BUSY:                  store.ErrUnavailable,
		sqlite3.SQLITE_READONLY:              store.ErrUnavailable,
		sqlite3.SQLITE_CONSTRAINT_UNIQUE:     nil,
		sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: nil,
		sqlite3.SQLITE_ERROR:                 nil,
	} {
		if got := meaning(code); !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("result code %d means %v, want %v", code, got, want)
		}
	}
	if err := fmt.Errorf("of another kind: %w", io.EOF); classify(err) != err { //nolint:errorlint // the very same
		t.Error("an error that is not SQLite's came back changed")
	}
}
