package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/callboard/callboard/internal/commit"
	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/live"
	"github.com/callboard/callboard/internal/store"
)

// Update runs fn in one transaction and commits it; see commit.Store. Once begun a
// transaction runs to its end, whatever becomes of ctx. What fn applies is sent
// together with the COMMIT, so a violated constraint shows only there.
func (s *Store) Update(ctx context.Context, fn func(commit.Tx) error) (err error) {
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
	defer cancel()
	conn, err := s.writers.Acquire(ctx)
	if err != nil {
		return s.told(fmt.Errorf("begin: %w", err))
	}
	defer conn.Release() // closes a connection that is broken or inside of a transaction
	t := &tx{store: s, ctx: ctx, conn: conn.Conn()}
	ended := false
	defer func() {
		if !ended { // fn has failed or panicked
			t.rollBack()
		}
	}()
	t.queue("begin", `BEGIN`)
	if err := fn(t); err != nil {
		return err
	}
	ended = true
	if err := t.commit(); err != nil {
		return err
	}
	t.follow()
	return nil
}

// tx is one transaction; it satisfies commit.Tx. Statements that give nothing back
// are queued and sent with the next one that does, or with the COMMIT. What it
// remembers is what the memory of the Store must follow when it ends.
type tx struct {
	store *Store
	ctx   context.Context // bounds the transaction; that of the caller, which the methods get, need not
	conn  *pgx.Conn
	batch pgx.Batch
	names []string // of the statements in batch
	begun bool     // something was sent

	put     []delivery.Delivery // inserted as leased
	ended   []delivery.Key      // completed, requeued, finished: nobody holds them any more
	pending []delivery.Delivery // rows that are pending now: endpoint and due time
	dropped []store.Range
	news    store.News // for the other nodes
	work    bool       // likewise: rows wait to be claimed

	// objects are the rows of live state that were read, and thereby locked, with their
	// Seq. They are written over; what was not read is inserted.
	objects map[live.Key]id.ID
}

// queue adds a statement that gives nothing back.
func (t *tx) queue(name, sql string, args ...any) {
	t.batch.Queue(sql, args...)
	t.names = append(t.names, name)
}

// ask sends what is queued and a query, and calls read with its rows.
func (t *tx) ask(sql string, read func(pgx.Rows) error, args ...any) error {
	t.batch.Queue(sql, args...)
	t.names = append(t.names, "")
	return t.store.told(t.send(read))
}

// send sends what is queued in one round trip.
func (t *tx) send(read func(pgx.Rows) error) (err error) {
	batch, names := t.batch, t.names
	t.batch, t.names, t.begun = pgx.Batch{}, nil, true
	results := t.conn.SendBatch(t.ctx, &batch)
	defer func() {
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
	}()
	for i, name := range names {
		if i == len(names)-1 && read != nil {
			rows, err := results.Query()
			if err != nil {
				return err
			}
			return read(rows)
		}
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// rollBack undoes the transaction; a connection that does not take it is closed by
// the pool, which does the same.
func (t *tx) rollBack() {
	t.undo()
	if t.begun && !t.conn.IsClosed() {
		_, _ = t.conn.Exec(t.ctx, `ROLLBACK`)
	}
}

// commit ends the transaction. If the server says nothing any more its outcome is
// unknown: leases that it made may be there, without anybody who knows of them.
func (t *tx) commit() error {
	t.queue("commit", `COMMIT`)
	err := t.send(nil)
	if err == nil {
		return nil
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.SeverityUnlocalized == "ERROR" {
		t.rollBack()
		return t.store.told(err)
	}
	t.store.leases.doubt(t.put)
	return t.store.told(err)
}

// undo follows a rollback.
func (t *tx) undo() {
	keys := make([]delivery.Key, len(t.put))
	for i := range t.put {
		keys[i] = t.put[i].Key
	}
	t.store.leases.end(keys)
}

// follow brings the Store's memory up to a commit.
func (t *tx) follow() {
	s := t.store
	s.leases.sure(t.put)
	s.leases.end(t.ended)
	for _, r := range t.dropped {
		s.leases.endRange(r)
	}
	for i := range t.pending {
		s.marks.lower(t.pending[i].Endpoint, t.pending[i].NextAt.UnixMicro())
	}
	s.hints.add(t.work, &t.news)
}

// LastID is the largest id of a node that was ever written, 0 for none.
func (s *Store) LastID(ctx context.Context, node int) (id.ID, error) {
	last, err := one(ctx, s, pgx.RowTo[int64], `SELECT high_water FROM node WHERE number = $1`, node)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return id.ID(last), err
}
