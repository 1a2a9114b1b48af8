package source

import (
	"fmt"
	"runtime/debug"

	"github.com/callboard/callboard/internal/dialect"
)

// DefectError says that a dialect's parser panicked. Callers take the request for one that
// cannot be read, and keep it for a version without the defect. What the panic said may
// hold the body, so nothing of it is kept but where it happened.
type DefectError struct {
	Dialect string
	Type    string // of the value that the parser panicked with
	Stack   string // of the parser
}

// Error is for the owner of the source, and for the vendor: it names no line of ours.
func (e *DefectError) Error() string {
	return fmt.Sprintf("%v: the parser of %s has a defect", dialect.ErrUnreadable, e.Dialect)
}

// Unwrap gives dialect.ErrUnreadable.
func (e *DefectError) Unwrap() error { return dialect.ErrUnreadable }

// Parse reads a webhook that came in at a source, or is taken in again. Whatever reads
// strangers' bytes may have a defect, which is to cost the one request and not the process:
// the error of a parser that panics is a DefectError.
func Parse(d dialect.Dialect, r dialect.Request) (a dialect.Activity, err error) {
	defer func() {
		if defect := recover(); defect != nil {
			a, err = dialect.Activity{}, &DefectError{Dialect: d.Name(), Type: fmt.Sprintf("%T", defect), Stack: string(debug.Stack())}
		}
	}()
	return d.Parse(r)
}
