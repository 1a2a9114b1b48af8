package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
)

// writer is the connection that writes, with the statements of the hot path.
type writer struct {
	conn     *conn
	messages *inserter // short rows
	tenants  *inserter // messages with a tenant and nothing else
	fullMsgs *inserter
	rawMsgs  *inserter // messages that came in as a request
	rows     *inserter // deliveries, short rows
	handed   *inserter // the same, stored as leased
	fullRows *inserter
	attempts *inserter
	seen     *inserter
	spill    *inserter
	objects  *inserter
	received *inserter
}

// write runs fn in a transaction of the writing connection and commits it. If fn
// fails or panics the transaction is rolled back. end is told the outcome, still
// alone, before the next transaction begins.
func (s *Store) write(ctx context.Context, fn func(*writer) error, end func(committed bool)) (err error) {
	select {
	case <-s.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.closed:
		return errClosed
	}
	defer func() { s.writing <- struct{}{} }()
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	c := s.writer.conn
	if err := c.begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	returned := s.leases.takeReturned()
	defer func() {
		if !committed {
			s.leases.returnAgain(returned)
			if undoErr := c.rollback(); undoErr != nil {
				err = errors.Join(err, fmt.Errorf("roll back: %w", undoErr))
			}
		}
		end(committed)
	}()
	if err := makePending(c, returned); err != nil {
		return fmt.Errorf("return leases: %w", err)
	}
	if err := fn(s.writer); err != nil {
		return err
	}
	if _, err := c.run(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// begin begins a transaction that may write at once. If an earlier rollback
// failed, for want of memory or a readable disk, it is made up for first.
func (c *conn) begin() error {
	_, err := c.run(`BEGIN IMMEDIATE`)
	if !isMisplaced(err) {
		return err
	}
	if _, err := c.run(`ROLLBACK`); err != nil {
		return err
	}
	_, err = c.run(`BEGIN IMMEDIATE`)
	return err
}

// rollback ends a failed transaction. After some errors, a full disk among them,
// SQLite has done so itself.
func (c *conn) rollback() error {
	_, err := c.run(`ROLLBACK`)
	if isMisplaced(err) {
		return nil
	}
	return err
}

// isMisplaced recognizes a BEGIN inside of a transaction and a ROLLBACK outside:
// the only plain SQLITE_ERROR that those two give.
func isMisplaced(err error) bool {
	cause, ok := errors.AsType[*sqlite.Error](err)
	return ok && cause.Code() == sqlite3.SQLITE_ERROR
}

// Update runs fn in one write transaction and commits it; see commit.Store. Once
// begun a transaction runs to its end, whatever becomes of ctx.
func (s *Store) Update(ctx context.Context, fn func(commit.Tx) error) error {
	t := &tx{store: s}
	return s.write(ctx, func(w *writer) error {
		t.writer, t.messages, t.attempts = w, s.messages, s.attempts
		return fn(t)
	}, t.end)
}

// tx is one write transaction; it satisfies commit.Tx. What it remembers is what
// the memory of the Store must follow when it ends.
type tx struct {
	store  *Store
	writer *writer

	put     []delivery.Key // inserted as leased
	taken   []delivery.Key // changed: their leases end with the transaction
	seen    []numbered     // keys written to table seen
	spilled bool           // keys were written to seen_spill
	healthy []id.ID        // endpoints whose health row went
	apps    []id.ID        // apps whose version may have changed
	ripe    []delivery.Key // handed off ones that are stored as pending now
	stepTo  id.ID          // of handoffs; 0 = no step

	objects map[live.Key]struct{} // rows of live state that were read
	seqs    map[int]id.ID         // the largest Seq by node, where it rises

	messages, attempts bucketing // the Store's, as this transaction goes on from them
}

// end brings the Store's memory up to what became of the transaction.
func (t *tx) end(committed bool) {
	s := t.store
	s.apps.forget(t.apps)
	if !committed {
		s.leases.undo(t.put, t.taken)
		return
	}
	s.messages, s.attempts = t.messages, t.attempts
	if t.stepTo != 0 {
		s.leases.ripen(t.ripe)
		s.handoffs.stepped(t.stepTo)
	}
	s.leases.end(t.taken)
	s.seen.add(t.seen)
	s.seen.spilled = s.seen.spilled || t.spilled
	maps.Copy(s.seqs, t.seqs)
	for _, ep := range t.healthy {
		delete(s.failing, ep)
	}
}

// inserter writes rows with statements that take several at a time. A batch is
// cut into powers of two, so that a handful of prepared statements serve all
// sizes.
type inserter struct {
	conn    *conn
	head    string // INSERT INTO … VALUES
	row     string // (?, ?, …)
	stmts   [maxRowsLog + 1]*stmt
	scratch []driver.Value
}

// maxRowsLog is the logarithm of how many rows one statement takes at most.
const maxRowsLog = 6

// insert writes n rows; fill appends the values of row i.
func (in *inserter) insert(n int, fill func(values []driver.Value, i int) []driver.Value) error {
	for begin := 0; begin < n; {
		size := maxRowsLog
		for 1<<size > n-begin {
			size--
		}
		s, err := in.prepare(size)
		if err != nil {
			return err
		}
		values := in.scratch[:0]
		for i := range 1 << size {
			values = fill(values, begin+i)
		}
		in.scratch = values
		_, err = s.run(values)
		clear(values) // payloads must not stay alive
		if err != nil {
			return err
		}
		begin += 1 << size
	}
	return nil
}

func (in *inserter) prepare(size int) (*stmt, error) {
	if in.stmts[size] != nil {
		return in.stmts[size], nil
	}
	rows := slices.Repeat([]string{in.row}, 1<<size)
	s, err := in.conn.prepare(in.head + strings.Join(rows, ","))
	if err != nil {
		return nil, err
	}
	in.stmts[size] = s
	return s, nil
}
