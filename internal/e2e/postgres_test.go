package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
)

// The tests of this file run the server on PostgreSQL servers of their own, which they kill, stop and start.

const (
	// redWithin is how soon /ready must tell that the database is gone.
	redWithin = 2 * time.Second
	// answeredWithin bounds how long a client may wait for an answer, whatever happens to the database meanwhile.
	answeredWithin = 10 * time.Second
	// idleEndedWithin bounds the end of a server that has nothing to wait for.
	idleEndedWithin = 10 * time.Second
	// endedWithin bounds the end of a server that was told to end: the drain of 20 s, and a margin for a busy machine.
	endedWithin = 40 * time.Second
)

// needPatience skips a test that does little but wait for half a minute, until time-outs of the server run out. The
// gate runs it.
func needPatience(t *testing.T) {
	t.Helper()
	if testing.Short() || *postgresRounds < 2 {
		t.Skip("waits for half a minute; -kill.postgres=2 runs it")
	}
}

// TestKillPostgres kills PostgreSQL with SIGKILL under load and starts it again, -kill.postgres times; the server stays.
// While the database is down every request is answered 503, the probe is red and nothing is sent twice. When it is back
// the server goes on by itself: everything accepted arrives, each request that was refused makes one message when it is
// repeated, and nothing arrives twice, because the server remembers what it has sent and could not record.
func TestKillPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	db := postgrestest.Start(t)
	s := start(t, kit.Config{DB: withPassword(t, db.NewDatabase(t)), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	for range *postgresRounds {
		killPostgresAtRandom(t, db, l, s)
		if t.Failed() {
			return
		}
	}
	l.checkArrived(t)
	l.checkStored(t, s)
	checkLog(t, s)
}

// killPostgresAtRandom is one round.
func killPostgresAtRandom(t *testing.T, db *postgrestest.Server, l *load, s *kit.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.insist(ctx, s, crowdSize)
	before := l.acceptedCount()
	enough := before + 100 + rand.IntN(1400)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= enough })
	pause(t, s, rand.N(5*time.Millisecond))
	db.Kill()
	killed, accepted := time.Now(), l.acceptedCount()
	red := untilReady(t, s, false)
	if red > redWithin {
		t.Errorf("the probe turned red %s after PostgreSQL was killed, want at most %s", red, redWithin)
	}
	checkRefusal(t, l, s)
	unrecorded := gauge(t, s, "callboard_dispatch_unrecorded")
	pause(t, s, rand.N(2*time.Second))
	if s.Ready() {
		t.Error("the server says that it is ready without a database")
	}
	l.checkArrivedOnce(t)
	db.Restart(t)
	dark := time.Since(killed)
	green := untilReady(t, s, true)
	kit.Eventually(t, "the load to go on", func() bool { return l.acceptedCount() >= accepted+200 })
	cancel()
	wait()
	l.retryUnanswered(t, s)
	l.awaitDelivered(t)
	l.awaitRecorded(t, s)
	l.checkArrivedOnce(t)
	refusals, slowest := l.round()
	t.Logf("killed after %d accepted messages, %d results on the way; red after %s, down for %s with %d refusals, green after %s; slowest answer %s",
		accepted-before, unrecorded, ms(red), ms(dark), refusals[http.StatusServiceUnavailable], ms(green), ms(slowest))
	if delete(refusals, http.StatusServiceUnavailable); len(refusals) > 0 {
		t.Errorf("refusals by status, beside 503: %v", refusals)
	}
	if slowest > answeredWithin {
		t.Errorf("an answer took %s", slowest)
	}
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// pause lets a server work for a while, during which it must not end.
func pause(t *testing.T, s *kit.Server, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-s.Exited():
		t.Fatalf("the server has ended:\n%s", s.Log())
	}
}

// untilReady waits until the probe is green, or red, and tells how long that took.
func untilReady(t *testing.T, s *kit.Server, want bool) time.Duration {
	t.Helper()
	begin := time.Now()
	kit.Eventually(t, fmt.Sprintf("the probe to say %t", want), func() bool { return s.Ready() == want })
	return time.Since(begin)
}

// gauge reads one of the server's metrics.
func gauge(t testing.TB, s *kit.Server, name string) int {
	t.Helper()
	resp, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// withPassword adds a password to a URL, which a test's server does not ask for, so that checkLog can look for it.
func withPassword(t testing.TB, db string) string {
	t.Helper()
	u, err := url.Parse(db)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), canary)
	return u.String()
}

// checkLog fails the test unless everything that the server has written is JSON lines without the password.
func checkLog(t *testing.T, s *kit.Server) {
	t.Helper()
	for line := range strings.Lines(s.Log()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is not JSON: %q", line)
		}
		if strings.Contains(line, canary) {
			t.Errorf("the log holds the database's password: %q", line)
		}
	}
}

// TestPostgresDiesUnderDeliveries kills PostgreSQL while receivers hold deliveries. Some answer while the database is
// down and some when it is back; all of that is recorded, and nothing is sent again.
func TestPostgresDiesUnderDeliveries(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	s := start(t, kit.Config{DB: db.NewDatabase(t), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	down, back := make(chan struct{}), make(chan struct{})
	l.hook.Answer(append(kit.OK.After(down).Times(4), kit.OK.After(back).Times(4)...)...)
	for range 8 {
		l.post(t.Context(), s, l.newKey())
	}
	l.hook.Await(t, 8)
	db.Kill()
	untilReady(t, s, false)
	close(down)
	kit.Eventually(t, "half of the deliveries to end", func() bool { return gauge(t, s, "callboard_dispatch_in_flight") == 4 })
	if n := gauge(t, s, "callboard_dispatch_unrecorded"); n != 8 {
		t.Errorf("%d results wait to be recorded, want 8", n)
	}
	db.Restart(t)
	untilReady(t, s, true)
	close(back)
	l.awaitRecorded(t, s)
	l.checkArrivedOnce(t)
	for message := range l.messages() {
		attempts, err := client(t, s, l.token).MessageAttempt.ListByMsg(t.Context(), l.app, message, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(attempts.Data) != 1 {
			t.Errorf("%d attempts of %s are recorded, want 1", len(attempts.Data), message)
		}
	}
}

// TestPostgresLate starts the server before PostgreSQL: it says what it waits for, and becomes ready when that comes.
func TestPostgresLate(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	address := withPassword(t, db.NewDatabase(t))
	db.Stop()
	s := launch(t, kit.Config{DB: address, Secret: loadSecret})
	awaitLog(t, s, "waiting for PostgreSQL")
	if s.Ready() {
		t.Error("the server is ready without a database")
	}
	db.Restart(t)
	s.AwaitReady(t)
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	l.post(t.Context(), s, l.newKey())
	l.awaitDelivered(t)
	checkLog(t, s)
}

// awaitLog waits until the server has written a text to its log.
func awaitLog(t *testing.T, s *kit.Server, text string) {
	t.Helper()
	kit.Eventually(t, "the log to say "+text, func() bool {
		select {
		case <-s.Exited():
			t.Fatalf("the server has ended:\n%s", s.Log())
		default:
		}
		return strings.Contains(s.Log(), text)
	})
}

// TestPostgresRefuses gives the server URLs that PostgreSQL refuses: it does not wait for them to become right.
func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t, "hba_file="+passwordsRequired(t))
	right := db.NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE app LOGIN PASSWORD 'right'; CREATE ROLE poor LOGIN PASSWORD 'right'; CREATE ROLE outsider PASSWORD 'right'"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	change := func(how func(u *url.URL)) string {
		u, err := url.Parse(withPassword(t, right))
		if err != nil {
			t.Fatal(err)
		}
		how(u)
		return u.String()
	}
	for name, tt := range map[string]struct{ db, says string }{
		"a database that does not exist": {change(func(u *url.URL) { u.Path = "/nowhere" }), `database "nowhere" does not exist`},
		"a wrong password":               {change(func(u *url.URL) { u.User = url.UserPassword("app", canary) }), `password authentication failed for user "app"`},
		"no password":                    {change(func(u *url.URL) { u.User = url.User("app") }), `password`},
		"a user who may not log in":      {change(func(u *url.URL) { u.User = url.UserPassword("outsider", "right") }), `not permitted to log in`},
		"a user who may make no tables":  {change(func(u *url.URL) { u.User = url.UserPassword("poor", "right") }), `permission denied for schema public`},
		"a parameter that does not exist": {
			change(func(u *url.URL) { u.RawQuery += "&fsink=off" }),
			`unrecognized configuration parameter "fsink"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := launch(t, kit.Config{DB: tt.db, Secret: loadSecret})
			if code := s.ExitCode(t); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			checkLog(t, s)
			last := lastLine(t, s)
			if last.Level != "ERROR" || !strings.Contains(last.Error, tt.says) {
				t.Errorf("the last words are %+v, want an error that says %q", last, tt.says)
			}
			if strings.Contains(s.Log(), "waiting for") {
				t.Errorf("the server waited:\n%s", s.Log())
			}
		})
	}
}

// passwordsRequired makes a file for PostgreSQL's hba_file: everybody but the superuser needs a password.
func passwordsRequired(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "callboard-hba-") // t.TempDir may lie where only root can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "pg_hba.conf")
	rules := "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	if err := os.WriteFile(path, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// logLine is what tests look at in a line of the log.
type logLine struct{ Level, Msg, Error string }

// lastLine is the last line of the log.
func lastLine(t *testing.T, s *kit.Server) (last logLine) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(s.Log()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Errorf("the last line of the log is not JSON: %q", lines[len(lines)-1])
	}
	return last
}

// TestTerminateWithoutPostgres ends servers with SIGTERM while PostgreSQL is down: one that runs and has nothing on the
// way, and one that is still waiting for the database.
func TestTerminateWithoutPostgres(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	s := start(t, kit.Config{DB: withPassword(t, db.NewDatabase(t)), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	l.post(t.Context(), s, l.newKey())
	l.awaitRecorded(t, s)
	db.Kill()
	untilReady(t, s, false)
	if took, code := terminate(t, s); took > idleEndedWithin || code != 0 {
		t.Errorf("a server with nothing to do ended after %s with exit code %d, want 0: nothing was lost", took, code)
	}
	s = launch(t, kit.Config{DB: s.DB, Secret: loadSecret})
	awaitLog(t, s, "waiting for PostgreSQL")
	if took, code := terminate(t, s); took > idleEndedWithin || code != 0 {
		t.Errorf("a server that waited for its database took %s to end, with exit code %d, want 0", took, code)
	}
}

// terminate sends SIGTERM and waits for the end.
func terminate(t *testing.T, s *kit.Server) (took time.Duration, code int) {
	t.Helper()
	begin := time.Now()
	s.Terminate(t)
	code = s.ExitCode(t)
	took = time.Since(begin)
	checkLog(t, s)
	if code != 0 && code != 1 {
		t.Errorf("exit code %d", code)
	}
	t.Logf("ended after %s with exit code %d, saying %+v", ms(took), code, lastLine(t, s))
	return took, code
}

// TestTerminateWithResults ends a server that has sent what it cannot record any more: it waits for the database as long
// as for receivers, then says that it has lost something. The next server sends that again.
func TestTerminateWithResults(t *testing.T) {
	needPatience(t)
	t.Parallel()
	db := postgrestest.Start(t)
	s := start(t, kit.Config{DB: withPassword(t, db.NewDatabase(t)), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	gate := make(chan struct{})
	l.hook.Answer(kit.OK.After(gate))
	for range 4 {
		l.post(t.Context(), s, l.newKey())
	}
	l.hook.Await(t, 4)
	db.Kill()
	untilReady(t, s, false)
	close(gate)
	kit.Eventually(t, "the deliveries to end", func() bool { return gauge(t, s, "callboard_dispatch_in_flight") == 0 })
	awaitLog(t, s, "results cannot be recorded")
	took, code := terminate(t, s)
	if took > endedWithin {
		t.Errorf("the server took %s to end, want at most %s", took, endedWithin)
	}
	if code != 1 {
		t.Errorf("exit code %d, want 1: results were lost", code)
	}
	db.Restart(t)
	s = s.Restart(t)
	l.awaitRecorded(t, s)
	if diff := cmp.Diff(slices.Repeat([]int{2}, 4), slices.Collect(maps.Values(l.hook.Counts()))); diff != "" {
		t.Errorf("arrivals of each message (-want +got):\n%s", diff)
	}
}
