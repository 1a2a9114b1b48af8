package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/e2e/powercut"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/store"
	"github.com/callboard/callboard/internal/store/sqlite"
	"github.com/callboard/callboard/internal/testenv"
)

const (
	// recordedMessages is how many messages are posted while the recording runs; a message costs about 100 KB of it.
	recordedMessages = 150
	// cutsPerRound is at how many moments of each kind the power is cut for each round of -kill.rounds.
	cutsPerRound = 10
	maxCuts      = 500
)

// fates are the kinds of luck that what was not synced may have.
var fates = []struct {
	name string
	luck func(chance *rand.Rand) powercut.Luck
}{
	{"worst", func(*rand.Rand) powercut.Luck { return powercut.Worst }},
	{"best", func(*rand.Rand) powercut.Luck { return powercut.Best }},
	{"mixed", func(chance *rand.Rand) powercut.Luck { return func() bool { return chance.IntN(2) == 0 } }},
}

// recording is what a server did to its directory, and when it told whom that a message was accepted.
type recording struct {
	trace *powercut.Trace
	acks  []ack
	load  *load
}

// ack is an answer 202: from that moment on the client counts on the message.
type ack struct {
	at      int
	message string
}

// TestKillPowerCut records what the server writes and syncs while it accepts and delivers messages, works out what a
// power cut would have left at many moments, and looks for the messages that had been accepted by then.
func TestKillPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	strace := testenv.Need(t, "strace")
	if out, err := exec.Command(strace, "-f", "--seccomp-bpf", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		testenv.Skip(t, "strace", fmt.Sprintf("strace cannot trace here: %s", bytes.TrimSpace(out)))
	}
	t.Run("nothing is lost", func(t *testing.T) {
		t.Parallel()
		r := recordServer(t, strace, kit.Config{Command: []string{binary(t), "serve"}})
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		chance := rand.New(rand.NewPCG(seed, 0))
		images := 0
		for _, moment := range r.moments(chance) {
			for _, fate := range fates {
				images++
				if lost := r.lost(t, moment, fate.luck(chance)); len(lost) > 0 {
					t.Errorf("a power cut at line %d of %d, %s luck, loses %d accepted messages: %v",
						moment, r.trace.End, fate.name, len(lost), lost)
				}
			}
		}
		t.Logf("%d images of a trace of %d calls and %d accepted messages", images, r.trace.End, len(r.acks))
		r.resume(t)
	})
	// The same without waiting for the disk must lose something, or else the test above proves nothing.
	t.Run("synchronous=NORMAL loses", func(t *testing.T) {
		t.Parallel()
		r := recordServer(t, strace, kit.Config{
			Command: []string{os.Args[0]}, Env: []string{roleVariable + "=" + roleUnsafe},
		})
		losses, moments := 0, r.moments(rand.New(rand.NewPCG(1, 0)))
		for _, moment := range moments {
			if len(r.lost(t, moment, powercut.Worst)) > 0 {
				losses++
			}
		}
		t.Logf("%d of %d moments lose accepted messages", losses, len(moments))
		if losses == 0 {
			t.Error("no power cut loses anything although commits do not wait for the disk")
		}
	})
}

// recordServer runs a server under strace in an empty directory, posts messages until enough are accepted and have
// arrived, and ends it with SIGTERM.
func recordServer(t *testing.T, strace string, cfg kit.Config) *recording {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir()) // strace shows real paths
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trace")
	cfg.DB, cfg.Secret = sqliteScheme+filepath.Join(dir, dbName), loadSecret
	cfg.Command = slices.Concat([]string{strace}, powercut.Options, []string{"-o", file, "-e", "trace=" + powercut.Calls, "--"}, cfg.Command)
	s := kit.Start(t, cfg)
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.crowd(ctx, s, 4)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= recordedMessages })
	cancel()
	wait()
	l.awaitDelivered(t)
	s.Terminate(t)
	if code := s.ExitCode(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	r := &recording{trace: parseTrace(t, file, dir, s.PID()), load: l}
	r.findAcks(t)
	return r
}

// parseTrace waits until the tracer, which is no child of ours, has written everything.
func parseTrace(t *testing.T, file, dir string, pid int) *powercut.Trace {
	t.Helper()
	last := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+ exited with`, pid)) // short numbers are filled up with spaces
	var text []byte
	kit.Eventually(t, "the end of the trace", func() bool {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		return last.Match(text[max(0, len(text)-4096):])
	})
	trace, err := powercut.Parse(bytes.NewReader(text), dir)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

var messageID = regexp.MustCompile(`"id":"(msg_[0-9A-Za-z]{27})"`)

// findAcks finds the answers to accepted messages, and checks that they are the ones that the clients got.
func (r *recording) findAcks(t *testing.T) {
	t.Helper()
	known := r.load.messages()
	for _, sent := range r.trace.Sent {
		if !bytes.HasPrefix(sent.Data, []byte("HTTP/1.1 202 ")) {
			continue
		}
		match := messageID.FindSubmatch(sent.Data)
		if match == nil || known[string(match[1])] == "" {
			t.Fatalf("an answer 202 that no client got: %.500s", sent.Data)
		}
		r.acks = append(r.acks, ack{sent.At, string(match[1])})
	}
	if len(r.acks) != len(known) || len(known) < recordedMessages {
		t.Fatalf("the trace holds %d answers, the clients got %d", len(r.acks), len(known))
	}
}

// moments are those at which the power is cut: when an answer had just been sent, and any others, the end included.
func (r *recording) moments(chance *rand.Rand) []int {
	moments := []int{r.trace.End}
	for range min(maxCuts, cutsPerRound**killRounds) {
		moments = append(moments, r.acks[chance.IntN(len(r.acks))].at+1, 1+chance.IntN(r.trace.End))
	}
	return moments
}

// acknowledged gives the messages that were accepted before a moment.
func (r *recording) acknowledged(moment int) []string {
	var messages []string
	for _, a := range r.acks {
		if a.at < moment {
			messages = append(messages, a.message)
		}
	}
	return messages
}

// image writes what a power cut leaves into a new directory and gives the path of the database in it.
func (r *recording) image(t *testing.T, moment int, luck powercut.Luck) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range r.trace.Cut(moment, luck) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, dbName)
}

// lost gives the messages that had been accepted and that the database no longer has after a power cut. A database that
// cannot be opened, or that is corrupt, is a failure of its own.
func (r *recording) lost(t *testing.T, moment int, luck powercut.Luck) []string {
	t.Helper()
	path := r.image(t, moment, luck)
	defer os.RemoveAll(filepath.Dir(path)) // hundreds of them are more than a test should leave to its end
	rows, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatalf("the database after a power cut at line %d: %v", moment, err)
	}
	codec := codecOf(t, rows)
	app, _ := codec.Decode(id.App, r.load.app)
	var lost []string
	for _, text := range r.acknowledged(moment) {
		message, ok := codec.Decode(id.Message, text) // not ok: even the key that makes ids is lost
		if !ok {
			lost = append(lost, text)
		} else if m, err := rows.Message(t.Context(), app, store.Ref{ID: message}); err != nil || string(m.Payload) != payloadOf(r.load.messages()[text]) {
			lost = append(lost, text)
		}
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	checkIntegrity(t, path)
	return lost
}

func codecOf(t testing.TB, rows *sqlite.Store) *id.Codec {
	t.Helper()
	key, err := rows.IDKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path) // the driver comes with package store/sqlite
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("the database is corrupt: %s, %v", verdict, err)
	}
}

// resume starts the server on what a power cut in the middle leaves. It goes on: what was accepted arrives, and so does
// what is posted now.
func (r *recording) resume(t *testing.T) {
	t.Helper()
	moment := r.acks[len(r.acks)/2].at + 1
	s := start(t, kit.Config{DB: sqliteScheme + r.image(t, moment, powercut.Worst), Secret: loadSecret})
	known := r.load.messages()
	after := &load{
		token: r.load.token, app: r.load.app, endpoint: r.load.endpoint, hook: r.load.hook, client: r.load.client,
		keys: r.load.keys, accepted: map[string]string{}, unanswered: map[string]struct{}{}, refusals: map[int]int{},
	}
	for _, message := range r.acknowledged(moment) {
		after.accepted[known[message]] = message
	}
	if status, _ := after.post(t.Context(), s, after.newKey()); status != http.StatusAccepted {
		t.Errorf("a message after the power cut got status %d", status)
	}
	after.awaitDelivered(t)
	if log := s.Log(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the server complains about what the power cut left:\n%s", log)
	}
}
