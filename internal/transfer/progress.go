package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/callboard/callboard/internal/id"
)

// Why a target takes no rows of a source.
var (
	// ErrNotEmpty says that the target has rows which no copy has brought.
	ErrNotEmpty = errors.New("the target is not empty")
	// ErrOtherSource says that the target holds an unfinished copy of another database.
	ErrOtherSource = errors.New("the target holds an unfinished copy of another database")
	// ErrChanged says that the source is not what it was when the copy began.
	ErrChanged = errors.New("a server has run on the source since the copy began, so what was copied before is out of date")
	// ErrInUse says that another process has the target open.
	ErrInUse = errors.New("another process has the target open")
	// ErrUnfinished is what a server gets that is started on a target.
	ErrUnfinished = errors.New("the database holds an unfinished copy of another one: finish it by `callboard copy` with the same --from and --to, or empty the database")
)

// Origin says which database is copied, and in which state.
type Origin struct {
	// IDKey is the installation's id key, by which a target knows its source again.
	IDKey []byte
	// State is the same only as long as nothing has written to the source.
	State string
	// HighWater are the largest ids by node among rows that were removed.
	HighWater map[int]id.ID
}

// Progress says how far a copy is. The target keeps it, as a JSON document, and changes
// it in the transactions that write the rows.
type Progress struct {
	State      string    `json:"state"` // Origin.State when the copy began
	Table      Table     `json:"table"` // that is being copied
	After      []string  `json:"after"` // the last place that is done; nil = none
	Rows       int64     `json:"rows"`  // of all tables
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

// Finished reports whether nothing is left to be done.
func (p *Progress) Finished() bool { return !p.FinishedAt.IsZero() }

// Encode writes the document.
func (p *Progress) Encode() ([]byte, error) { return json.Marshal(p) }

// DecodeProgress reads what Encode has written.
func DecodeProgress(doc []byte) (*Progress, error) {
	var p Progress
	if err := json.Unmarshal(doc, &p); err != nil {
		return nil, fmt.Errorf("decode the progress of a copy: %w", err)
	}
	return &p, nil
}

// Found is what a target holds when a copy is about to begin or to go on.
type Found struct {
	IDKey    []byte    // nil = none
	Progress *Progress // nil = nothing was ever copied into it
	Filled   Table     // one that has rows; "" = all are empty
}

// Resume says from where a copy goes on: from the beginning, which fresh says, from
// where an interrupted one was, or from the end if the copy is finished. Errors are
// ErrNotEmpty, ErrOtherSource and ErrChanged.
func (f *Found) Resume(origin *Origin) (p Progress, fresh bool, err error) {
	same := bytes.Equal(f.IDKey, origin.IDKey)
	switch {
	case f.Progress == nil && f.Filled == "":
		return Progress{State: origin.State, Table: Tables()[0]}, true, nil
	case f.Progress == nil:
		return Progress{}, false, fmt.Errorf("%w: table %s has rows", ErrNotEmpty, f.Filled)
	case !same && f.Progress.Finished():
		return Progress{}, false, fmt.Errorf("%w: it holds a copy of another database", ErrNotEmpty)
	case !same:
		return Progress{}, false, ErrOtherSource
	case !f.Progress.Finished() && f.Progress.State != origin.State:
		return Progress{}, false, ErrChanged
	}
	return *f.Progress, false, nil
}
