package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/delivery"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
)

// How the nodes of a database know of each other.
//
// A node has a number. As long as its session lives it has the advisory lock
// (lockClass, number): when the process dies the kernel closes the connection and
// the server frees the lock, within milliseconds. As long as the process works it
// also raises node.beat.
//
// The others look every second, and count the time by their own clocks. A node is
// dead when its lock has been free and its beat has stood still for times.grace,
// which is longer than it takes to come back after the server was restarted; or
// when its beat alone has stood still for times.silence, which finds a process
// that hangs. Whoever finds it dead raises node.incarnation, and then makes what it
// held pending, piece by piece and under a new generation (release). Every
// transaction of a node writes its row under its incarnation (tx.fence), so one
// that was dead to the others writes nothing any more, and ends.
//
// A server that cannot be reached tells nobody anything: the watches begin anew
// when it is back, and nobody is robbed for it.
const (
	lockClass   = 0x43616c6c // "Call", the first key of the advisory locks
	lockConfig  = 0          // second key of the lock under which apps and endpoints are changed
	maxNumber   = id.MaxNode
	serverKeeps = "10" // seconds after which the server asks whether a silent session lives
	channel     = "callboard"
	lanesEvery  = 5 * time.Second
	lookTimeout = 5 * time.Second // after which the session counts as broken
	buryTimeout = time.Minute
	blindFor    = 5 // looks that may fail before what was seen does not count
)

// times are how long things take. Zero means the default.
type times struct {
	beat    time.Duration // between looks; default 1 s
	grace   time.Duration // default 10 s
	starter time.Duration // grace of a node that was gone when this one came; default 2 s
	silence time.Duration // default 30 s
	ripe    time.Duration // after which a handed row becomes a claimed one; default 10 s
	retry   time.Duration // first pause between tries to connect; default 250 ms
}

func (t *times) setDefaults() {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&t.beat, time.Second)
	def(&t.grace, 10*time.Second)
	def(&t.starter, 2*time.Second)
	def(&t.silence, 30*time.Second)
	def(&t.ripe, 10*time.Second)
	def(&t.retry, 250*time.Millisecond)
}

// node is what this process is among the others.
type node struct {
	number      int
	incarnation int64
	fenced      atomic.Bool
	shown       atomic.Int64 // when it was last shown that this process lives: nanoseconds since began
	session     *pgx.Conn    // used by keep alone, once it runs
	peers       map[int]sighting
	began       time.Time
	burials     sync.Map    // numbers of the nodes that are being taken over
	woken       atomic.Bool // what a dead one held is pending
	looked      time.Time   // when peers were last seen
	listed      time.Time   // when lanes were last listed
}

// sighting is what is known of another node.
type sighting struct {
	incarnation, beat int64
	beatAt            time.Time // when beat was last seen to have risen
	lockedAt          time.Time // when the lock was last seen taken
	met               bool      // the lock was taken at some time
}

// dial opens this process's session.
func (s *Store) dial(ctx context.Context) (*pgx.Conn, error) {
	cfg := s.pool.Config().ConnConfig
	for _, name := range []string{"tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"} {
		cfg.RuntimeParams[name] = map[string]string{"tcp_keepalives_count": "2"}[name]
		if cfg.RuntimeParams[name] == "" {
			cfg.RuntimeParams[name] = serverKeeps
		}
	}
	cfg.RuntimeParams["application_name"] = "callboard node"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, classify(err)
	}
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return nil, errors.Join(classify(err), conn.Close(ctx))
	}
	return conn, nil
}

// join takes a number: one that was never taken, or else the one that was left
// the longest ago, so that a number says for a long time which process it was.
func (s *Store) join(ctx context.Context) (err error) {
	if s.node.session, err = s.dial(ctx); err != nil {
		return err
	}
	rows, err := s.node.session.Query(ctx, `SELECT n FROM generate_series(1, $1::int) AS n LEFT JOIN node ON number = n
		WHERE open IS NOT TRUE ORDER BY taken_at NULLS FIRST, n`, maxNumber)
	if err != nil {
		return classify(err)
	}
	free, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return classify(err)
	}
	for _, number := range free {
		taken, err := s.take(ctx, number)
		if err != nil {
			return fmt.Errorf("take a node number: %w", classify(err))
		}
		if taken {
			return nil
		}
	}
	return fmt.Errorf("all %d node numbers are taken by other processes", maxNumber)
}

// take tries to become a node.
func (s *Store) take(ctx context.Context, number int) (taken bool, err error) {
	var locked bool
	if err := s.node.session.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, $2)`, lockClass, number).Scan(&locked); err != nil || !locked {
		return false, err
	}
	now := time.Now()
	s.leases.from = id.AtTime(now.Add(-s.cfg.times.ripe))
	err = s.node.session.QueryRow(ctx, `INSERT INTO node AS n (number, incarnation, open, taken_at, handed_from) VALUES ($1, 1, true, $2, $3)
		ON CONFLICT (number) DO UPDATE SET incarnation = n.incarnation + 1, open = true, taken_at = $2, handed_from = $3, beat = n.beat + 1
		WHERE NOT n.open RETURNING incarnation`,
		number, now.UnixMicro(), int64(s.leases.from)).Scan(&s.node.incarnation)
	if errors.Is(err, pgx.ErrNoRows) { // it was taken, and its process has died, since they were listed
		_, err := s.node.session.Exec(ctx, `SELECT pg_advisory_unlock($1, $2)`, lockClass, number)
		return false, err
	}
	s.node.number, s.node.peers, s.node.began = number, map[int]sighting{}, now
	return err == nil, err
}

// keep holds the session, shows that this process lives, and looks after the
// others, until ctx ends.
func (s *Store) keep(ctx context.Context) {
	failing := false
	next := time.Now()
	for ctx.Err() == nil {
		err := s.listen(ctx, next)
		if err == nil && !time.Now().Before(next) {
			next = time.Now().Add(s.cfg.times.beat)
			err = s.look(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if failing {
				s.logger.InfoContext(ctx, "the database is back")
			}
			failing = false
			continue
		case errors.Is(err, errFenced):
			s.node.fenced.Store(true)
			s.logger.ErrorContext(ctx, "this node was taken for dead", "node", s.node.number, "error", err)
			s.watcher.fail(err)
			return
		}
		if !failing {
			s.logger.WarnContext(ctx, "the database does not answer", "error", explain(err))
			failing = true
		}
		s.reconnect(ctx)
	}
}

// reconnect makes a new session if the old one is broken. Its lock may still be
// taken by the old one, as long as the server has not noticed; the beat counts.
func (s *Store) reconnect(ctx context.Context) {
	if !s.node.session.IsClosed() {
		_ = s.node.session.Close(ctx) // whatever is wrong with it
	}
	if rest(ctx, s.cfg.times.retry) != nil {
		return
	}
	if conn, err := s.dial(ctx); err == nil {
		s.node.session = conn
	}
}

// errNoSession says that the session broke and could not be made anew.
var errNoSession = fmt.Errorf("%w: no session", store.ErrUnavailable)

// listen waits for word of others until a time.
func (s *Store) listen(ctx context.Context, until time.Time) error {
	if s.node.session.IsClosed() {
		return errNoSession
	}
	for {
		wait, cancel := context.WithDeadline(ctx, until)
		n, err := s.node.session.WaitForNotification(wait)
		late := wait.Err() != nil
		cancel()
		switch {
		case err == nil:
			s.heard(ctx, n.Payload)
		case late && !s.node.session.IsClosed():
			return nil
		default:
			return err
		}
	}
}

// look is what a node does every second.
func (s *Store) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	// Harmless when this session has the lock already, but for one more unlock.
	if _, err := s.node.session.Exec(ctx, `SELECT pg_try_advisory_lock($1, $2) WHERE NOT EXISTS
			(SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND classid = $1 AND objid = $2)`,
		lockClass, s.node.number); err != nil {
		return classify(err)
	}
	if err := s.beat(ctx); err != nil {
		return err
	}
	woken, err := s.resolve(ctx)
	if err != nil {
		return err
	}
	released, err := s.bury(ctx)
	if err != nil {
		return err
	}
	if time.Since(s.node.listed) < lanesEvery && !woken && !released {
		return nil
	}
	s.node.listed = time.Now()
	s.marks.clear()
	return s.tellLanes(ctx)
}

// Sure reports whether this process can rely on what it holds; see dispatch.Watcher.
// It stops well before the others may take it for dead.
func (s *Store) Sure() bool {
	quiet := time.Since(s.node.began) - time.Duration(s.node.shown.Load())
	return quiet < s.cfg.times.grace-2*s.cfg.times.beat
}

// beat shows that this process lives, and from where on its handed rows are. After
// that it turns those that wait for long into claimed ones, which may have to wait for
// somebody's lock.
func (s *Store) beat(ctx context.Context) error {
	sure, now := s.Sure(), time.Since(s.node.began)
	from, ripe := s.leases.advance(id.AtTime(time.Now().Add(-s.cfg.times.ripe)))
	tag, err := s.node.session.Exec(ctx, `UPDATE node SET beat = beat + 1, handed_from = greatest(handed_from, $3) WHERE number = $1 AND incarnation = $2`,
		s.node.number, s.node.incarnation, int64(from))
	if err != nil {
		return classify(err)
	}
	if tag.RowsAffected() == 0 {
		return errFenced
	}
	if s.node.shown.Store(int64(now)); !sure {
		s.watcher.tell(&store.News{}) // it is again
	}
	if len(ripe) == 0 {
		return nil
	}
	return s.ripen(ctx, ripe)
}

// ripen stores handed rows as claimed. One that is not there is being inserted just
// now, or is over: it is left for the next time, or for its end.
func (s *Store) ripen(ctx context.Context, ripe []delivery.Key) error {
	msgs, eps := keyColumns(ripe)
	rows, err := s.node.session.Query(ctx, `UPDATE delivery d SET claimed_by = $3 FROM unnest($1::bigint[], $2::bigint[]) AS i(msg, ep)
		WHERE d.msg = i.msg AND d.ep = i.ep AND d.state = 3 AND d.claimed_by IS NULL AND d.handed_to = $3 RETURNING d.msg, d.ep`, msgs, eps, s.node.number)
	if err != nil {
		return classify(err)
	}
	claimed, err := gather(rows, func(c pgx.CollectableRow) (k delivery.Key, err error) {
		err = c.Scan((*int64)(&k.Message), (*int64)(&k.Endpoint))
		return k, err
	})
	if err != nil {
		return classify(err)
	}
	s.leases.end(claimed)
	return nil
}

// held is the condition that a delivery d is leased by node $1.
const held = `d.state = 3 AND (d.claimed_by = $1 OR d.claimed_by IS NULL AND d.handed_to = $1)`

// unlease is what makes a leased row pending whose holder is not asked: a result
// that still comes is an attempt only.
const unlease = `UPDATE delivery d SET state = 1, due = d.next_at, generation = d.generation + 1, claimed_by = NULL `

// resolve gives doubtful leases back; it reports whether there were any.
func (s *Store) resolve(ctx context.Context) (some bool, err error) {
	s.claiming.Lock() // a claim may get one of them under the same generation
	defer s.claiming.Unlock()
	keys, generations := s.leases.doubts()
	if len(keys) == 0 {
		return false, nil
	}
	msgs, eps := keyColumns(keys)
	tag, err := s.node.session.Exec(ctx, unlease+`FROM unnest($2::bigint[], $3::bigint[], $4::int[]) AS i(msg, ep, generation)
		WHERE d.msg = i.msg AND d.ep = i.ep AND d.generation = i.generation - 1 AND `+held, s.node.number, msgs, eps, generations)
	if err != nil {
		return false, classify(err)
	}
	s.leases.cleared(keys, time.Now())
	return tag.RowsAffected() > 0, nil
}

// bury looks at the other nodes and makes pending what dead ones held.
func (s *Store) bury(ctx context.Context) (some bool, err error) {
	rows, err := s.node.session.Query(ctx, `SELECT n.number, n.incarnation, n.beat,
			EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = n.number
				AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
		FROM node n WHERE n.open AND n.number <> $2`, lockClass, s.node.number)
	if err != nil {
		return false, classify(err)
	}
	now := time.Now()
	if now.Sub(s.node.looked) > blindFor*s.cfg.times.beat {
		clear(s.node.peers)
	}
	s.node.looked = now
	seen := map[int]sighting{}
	var dead []int
	var number int
	var incarnation, beat int64
	var locked bool
	_, err = pgx.ForEachRow(rows, []any{&number, &incarnation, &beat, &locked}, func() error {
		was, known := s.node.peers[number]
		is := was.next(known, incarnation, beat, locked, now)
		seen[number] = is
		if is.dead(now, &s.cfg.times) {
			dead = append(dead, number)
		}
		return nil
	})
	if err != nil {
		return false, classify(err)
	}
	s.node.peers = seen
	for _, number := range dead {
		s.takeOver(number, seen[number].incarnation)
	}
	return s.node.woken.Swap(false), nil
}

// takeOver makes pending what a dead node held, beside the looks: it may be much, and
// this process must go on to show that it lives.
func (s *Store) takeOver(number int, incarnation int64) {
	if _, underWay := s.node.burials.LoadOrStore(number, nil); underWay {
		return
	}
	s.running.Go(func() {
		defer s.node.burials.Delete(number)
		ctx, cancel := context.WithTimeout(s.life, buryTimeout)
		defer cancel()
		n, err := s.release(ctx, number, incarnation)
		if err != nil {
			s.logger.WarnContext(ctx, "taking over from a dead node failed, it will be tried again", "node", number, "error", explain(err))
			return
		}
		s.logger.WarnContext(ctx, "a node has died", "node", number, "deliveries_taken_over", n)
		s.node.woken.Store(true)
	})
}

// next is what is known of a node after one more look.
func (o sighting) next(known bool, incarnation, beat int64, locked bool, now time.Time) sighting {
	if !known || o.incarnation != incarnation {
		o = sighting{incarnation: incarnation, beat: beat, beatAt: now, lockedAt: now}
	}
	if o.beat != beat {
		o.beat, o.beatAt = beat, now
	}
	if locked {
		o.lockedAt, o.met = now, true
	}
	return o
}

// dead decides that a node holds nothing any more.
func (o sighting) dead(now time.Time, t *times) bool {
	grace := t.grace
	if !o.met {
		grace = t.starter
	}
	still := now.Sub(o.beatAt)
	return still >= t.silence || still >= grace && now.Sub(o.lockedAt) >= grace
}

// pieceRows is how many rows of a dead node one transaction makes pending.
const pieceRows = 5000

// release makes what a node holds pending and closes its row, if it is still that
// incarnation and no transaction of its is under way. First it raises the
// incarnation, which keeps the node from writing; if it is cut off after that, somebody
// finds the row open and goes on.
func (s *Store) release(ctx context.Context, number int, incarnation int64) (rows int64, err error) {
	err = s.writers.AcquireFunc(ctx, func(c *pgxConn) error {
		var from int64
		err := c.QueryRow(ctx, `UPDATE node SET incarnation = incarnation + 1 WHERE number =
			(SELECT number FROM node WHERE number = $1 AND incarnation = $2 AND open FOR UPDATE SKIP LOCKED) RETURNING handed_from`,
			number, incarnation).Scan(&from)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, piece := range []struct {
			which string
			args  []any
		}{
			{`c.claimed_by = $1 AND c.state = 3`, []any{number}},
			{`c.msg >= $2 AND c.claimed_by IS NULL AND c.handed_to = $1 AND c.state = 3`, []any{number, from}},
		} {
			n, err := unleaseAll(ctx, c, piece.which, piece.args)
			if rows += n; err != nil {
				return err
			}
		}
		_, err = c.Exec(ctx, `UPDATE node SET open = false WHERE number = $1 AND incarnation = $2`, number, incarnation+1)
		return err
	})
	return rows, classify(err)
}

// unleaseAll makes rows c of a node pending, piece by piece, until none is left.
func unleaseAll(ctx context.Context, conn *pgxConn, which string, args []any) (rows int64, err error) {
	query := fmt.Sprintf(unlease+`WHERE d.ctid = ANY (ARRAY(SELECT c.ctid FROM delivery c WHERE %s LIMIT %d)) AND `+held, which, pieceRows)
	for {
		tag, err := conn.Exec(ctx, query, args...)
		if rows += tag.RowsAffected(); err != nil || tag.RowsAffected() == 0 {
			return rows, err
		}
	}
}

// leave gives everything back that this process may still hold and frees its
// number. Where it cannot, the others find it dead.
func (s *Store) leave(ctx context.Context) {
	if s.node.number != 0 && !s.node.fenced.Load() {
		if _, err := s.release(ctx, s.node.number, s.node.incarnation); err != nil {
			s.logger.WarnContext(ctx, "leaving the database failed, the other nodes will notice", "error", explain(err))
		}
	}
	if s.node.session != nil {
		// The server would notice the end a moment later, and who comes next may be faster.
		_, _ = s.node.session.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
		_ = s.node.session.Close(ctx) // nothing is left that it could lose
	}
}

// keyColumns are the two columns of deliveries' keys.
func keyColumns(keys []delivery.Key) (msgs, eps []int64) {
	msgs, eps = make([]int64, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		msgs[i], eps[i] = int64(k.Message), int64(k.Endpoint)
	}
	return msgs, eps
}
