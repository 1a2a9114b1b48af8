package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/transfer"
)

// copiedFrom is the name in meta of how far a copy into this database is.
const copiedFrom = "copied_from"

// lockCopy is the second key of the lock under which a database is copied into.
const lockCopy = maxNumber + 1

// loadTimeout bounds the writing of a chunk.
const loadTimeout = time.Minute

// Target is a database that another driver's is copied to; it satisfies
// transfer.Target. It is no node. All that it does goes through one connection, which
// has a lock: while that lives no other copy can write, and once it is gone this one
// cannot.
type Target struct {
	store *Store
	conn  *pgxpool.Conn
}

// OpenTarget opens a database to copy to and migrates it. It does not wait for a server
// that cannot be reached, and fails with transfer.ErrInUse while another copy runs.
func OpenTarget(ctx context.Context, cfg Config) (*Target, error) {
	s, err := newStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t := &Target{store: s}
	if err := t.open(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Target) open(ctx context.Context) (err error) {
	if err := t.store.reach(ctx); err != nil {
		return err
	}
	if t.conn, err = t.store.pool.Acquire(ctx); err != nil {
		return classify(err)
	}
	if err := t.lock(ctx); err != nil {
		return err
	}
	_, err = migrate(ctx, t.store.pool.Config().ConnConfig)
	return err
}

// lockPatience is how long the lock of a copy that has just ended may stay taken: the
// server notices the end of a connection a moment later.
const lockPatience = 5 * time.Second

// lock takes the lock of a copy.
func (t *Target) lock(ctx context.Context) error {
	for deadline := time.Now().Add(lockPatience); ; {
		var locked bool
		if err := t.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, $2)`, lockClass, lockCopy).Scan(&locked); err != nil {
			return classify(err)
		}
		if locked {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: a copy into it is under way", transfer.ErrInUse)
		}
		if err := rest(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Close closes the connection, and frees the lock with it.
func (t *Target) Close() error {
	if t.conn != nil {
		_ = t.conn.Conn().Close(context.Background()) // whatever it still does is undone
		t.conn.Release()
	}
	return t.store.Close()
}

// Begin says from where the copy goes on; see transfer.Target. A node that is taken
// while this runs waits for the lock on the table node, and finds the copy then.
func (t *Target) Begin(ctx context.Context, origin *transfer.Origin) (p transfer.Progress, err error) {
	err = pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE node IN EXCLUSIVE MODE`); err != nil {
			return err
		}
		found, err := inspectTarget(ctx, tx)
		if err != nil {
			return err
		}
		fresh := false
		if p, fresh, err = found.Resume(origin); err != nil || p.Finished() {
			return err
		}
		if err := refuseNodes(ctx, tx); err != nil || !fresh {
			return err
		}
		return adopt(ctx, tx, origin, &p)
	})
	return p, classify(err)
}

// refuseNodes fails while a process has the database open.
func refuseNodes(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND objid BETWEEN 1 AND $2
		AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`, lockClass, maxNumber)
	if err != nil {
		return err
	}
	nodes, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err == nil && len(nodes) > 0 {
		err = fmt.Errorf("%w: stop the servers that run on it (nodes %v)", transfer.ErrInUse, nodes)
	}
	return err
}

// inspectTarget looks at what is there.
func inspectTarget(ctx context.Context, tx pgx.Tx) (*transfer.Found, error) {
	found := &transfer.Found{}
	err := tx.QueryRow(ctx, `SELECT value FROM meta WHERE name = 'id_key'`).Scan(&found.IDKey)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	if found.Progress, err = copyProgress(ctx, tx); err != nil {
		return nil, err
	}
	for _, table := range transfer.Tables() {
		var filled bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+string(table)+`)`).Scan(&filled); err != nil {
			return nil, err
		}
		if filled {
			found.Filled = table
			break
		}
	}
	return found, nil
}

// adopt makes an empty database one of the source's installation. Nodes that have died
// on it, and nobody has noticed, are fenced: one that only lost its session must not
// come back to a database that is being filled.
func adopt(ctx context.Context, tx pgx.Tx, origin *transfer.Origin, p *transfer.Progress) error {
	doc, err := p.Encode()
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(`UPDATE node SET open = false, incarnation = incarnation + 1 WHERE open`)
	for name, value := range map[string][]byte{"id_key": origin.IDKey, copiedFrom: doc} {
		b.Queue(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	}
	for number, last := range origin.HighWater {
		b.Queue(raiseHighWater, number, int64(last))
	}
	return tx.SendBatch(ctx, &b).Close()
}

// Load writes a chunk and how far the copy is with it, in one round trip; see
// transfer.Target.
func (t *Target) Load(ctx context.Context, rows *transfer.Rows, p *transfer.Progress) error {
	doc, err := p.Encode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
	defer cancel()
	w := &tx{store: t.store, ctx: ctx, conn: t.conn.Conn()}
	w.queue("begin", `BEGIN`)
	if err := w.load(rows); err != nil {
		return err
	}
	for number, last := range largest(rows) {
		w.queue("high water", raiseHighWater, number, int64(last))
	}
	w.queue("progress", `UPDATE meta SET value = $2 WHERE name = $1`, copiedFrom, doc)
	w.queue("commit", `COMMIT`)
	if err := w.send(nil); err != nil {
		w.rollBack()
		return classify(err)
	}
	return nil
}

// load writes rows of all kinds, as Apply does.
func (t *tx) load(r *transfer.Rows) error {
	c := &store.Changes{
		Orgs: r.Orgs, EventTypes: r.EventTypes, Apps: r.Apps, Endpoints: r.Endpoints, URLs: r.URLs, Healths: r.Healths,
		Tasks: r.Tasks, Objects: r.Objects, Sources: r.Sources, Seen: r.Seen, Messages: r.Messages, Deliveries: r.Deliveries,
		Received: r.Received, Traffic: r.Traffic,
	}
	for _, step := range []struct {
		rows int
		run  func(*store.Changes) error
	}{
		{len(c.Orgs), t.writeOrgs},
		{len(c.EventTypes), t.writeEventTypes},
		{len(c.Apps), t.writeApps},
		{len(c.Endpoints), t.writeEndpoints},
		{len(c.URLs), t.writeURLs},
		{len(c.Healths), t.writeHealths},
		{len(c.Tasks), t.writeTasks},
		{len(c.Objects), t.writeObjects},
		{len(c.Sources), t.writeSources},
		{len(c.Seen), t.insertSeen},
		{len(c.Messages), t.insertMessages},
		{len(c.Deliveries), t.insertDeliveries},
		{len(c.Received), t.insertReceived},
		{len(c.Traffic), t.writeTraffic},
	} {
		if step.rows == 0 {
			continue
		}
		if err := step.run(c); err != nil {
			return err
		}
	}
	if len(r.Attempts) > 0 {
		done := make([]store.Completion, len(r.Attempts))
		for i := range r.Attempts {
			done[i].Attempt = r.Attempts[i]
		}
		t.insertAttempts(done)
	}
	return nil
}

// largest gives the largest ids among rows, by node.
func largest(r *transfer.Rows) map[int]id.ID {
	found := map[int]id.ID{}
	note := func(k id.ID) { found[k.Node()] = max(found[k.Node()], k) }
	for i := range r.Apps {
		note(r.Apps[i].ID)
	}
	for i := range r.Endpoints {
		note(r.Endpoints[i].ID)
	}
	for i := range r.Tasks {
		note(r.Tasks[i].ID)
	}
	for i := range r.Objects {
		note(r.Objects[i].Seq)
	}
	for i := range r.Sources {
		note(r.Sources[i].ID)
	}
	for i := range r.Received {
		note(r.Received[i].ID)
	}
	for i := range r.Messages {
		note(r.Messages[i].ID)
	}
	for i := range r.Attempts {
		note(r.Attempts[i].ID)
	}
	return found
}

// Count counts the rows of a table, however long that takes; see transfer.Target.
func (t *Target) Count(ctx context.Context, table transfer.Table) (rows int64, err error) {
	err = pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM `+string(table)).Scan(&rows)
	})
	return rows, classify(err)
}

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// copyProgress gives how far a copy into this database is, nil if there is none.
func copyProgress(ctx context.Context, db querier) (*transfer.Progress, error) {
	var doc []byte
	err := db.QueryRow(ctx, `SELECT value FROM meta WHERE name = $1`, copiedFrom).Scan(&doc)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return transfer.DecodeProgress(doc)
}

// refuseUnfinished keeps servers away from a database that is half there.
func (s *Store) refuseUnfinished(ctx context.Context) error {
	p, err := copyProgress(ctx, s.pool)
	if err == nil && p != nil && !p.Finished() {
		return transfer.ErrUnfinished
	}
	return classify(err)
}
