package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/testenv"
)

// tamper attaches strace to a running server and makes system calls of it fail. inject is what stands behind
// "-e inject=", more are further options. The function that it returns ends that.
func tamper(t *testing.T, s *kit.Server, inject string, more ...string) (stop func()) {
	t.Helper()
	strace := testenv.Need(t, "strace")
	calls, _, _ := strings.Cut(inject, ":")
	out := filepath.Join(t.TempDir(), "tamper")
	args := append([]string{"-f", "-o", os.DevNull, "-e", "trace=" + calls, "-e", "inject=" + inject, "-p", strconv.Itoa(s.PID())}, more...)
	cmd := exec.Command(strace, args...)
	said, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it says why on its standard error
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // which makes it let go of the server; it may have ended
		<-ended
	}
	t.Cleanup(stop)
	kit.Eventually(t, "strace to attach", func() bool {
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
			testenv.Skip(t, "strace", fmt.Sprintf("strace cannot attach to a process here: %s", bytes.TrimSpace(text)))
		default:
		}
		return bytes.Contains(text, []byte(" attached"))
	})
	return stop
}

// TestKillFailedSync lets every fsync fail under load. A disk that fails one may have thrown the data away, so the
// server may not go on: it ends with an error that says so, having accepted nothing that is not on disk. After the
// restart all is as after a kill.
func TestKillFailedSync(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	s := start(t, kit.Config{Secret: loadSecret})
	receiver := kit.NewReceiver(t)
	l := newLoad(t, s, receiver.Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.crowd(ctx, s, crowdSize)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= 200 })
	tamper(t, s, "fsync,fdatasync:error=EIO")
	code := s.ExitCode(t)
	cancel()
	wait()
	if code <= 0 {
		t.Errorf("exit code %d after a failed fsync, want one above 0", code)
	}
	checkLastWords(t, s, "fsync")
	for status := range l.refusals {
		if status != http.StatusServiceUnavailable {
			t.Errorf("requests while fsync failed were refused with %v, want 503 alone", l.refusals)
		}
	}
	receiver.AwaitQuiet(t)
	arrived := l.hook.Counts()
	recorded := recordedDeliveries(t, l, s.DB)
	accepted := l.acceptedCount()

	s = s.Restart(t)
	retried := l.retryUnanswered(t, s)
	l.awaitDelivered(t)
	l.awaitRecorded(t, s)
	inFlight, again := checkDuplicates(t, l, arrived, recorded)
	t.Logf("%d messages accepted before fsync failed, %d requests refused or without an answer, %d deliveries in flight, %d repeated",
		accepted, retried, inFlight, again)
	l.checkArrived(t)
	l.checkStored(t, s)
}

// checkLastWords fails the test unless the log holds an error with that word, and no panic.
func checkLastWords(t *testing.T, s *kit.Server, word string) {
	t.Helper()
	said := false
	for line := range strings.Lines(s.Log()) {
		var entry struct{ Level, Error string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			t.Errorf("a line of the log is not JSON: %q", line)
		}
		said = said || entry.Level == "ERROR" && strings.Contains(strings.ToLower(entry.Error), word)
	}
	if !said {
		t.Errorf("the log does not say that %s failed:\n%s", word, s.Log())
	}
}

// disk is where a database is that can be filled up.
type disk struct {
	dir  string
	fill func(s *kit.Server) (free func())
}

// TestDiskFull fills the disk while deliveries are under way.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) disk{"file system": smallFileSystem, "injected": injectedDisk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fillDisk(t, make(t))
		})
	}
}

// smallFileSystem is a real one, in memory.
func smallFileSystem(t *testing.T) disk {
	t.Helper()
	testenv.Need(t, "root")
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m,mode=700"); err != nil {
		testenv.Skip(t, "root", fmt.Sprintf("no file system can be mounted here: %v", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	return disk{dir, func(*kit.Server) func() {
		file, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for err == nil { // until nothing fits any more
			_, err = file.Write(make([]byte, 4096))
		}
		return func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}
	}}
}

// injectedDisk answers "no space" to every write to the database and its log.
func injectedDisk(t *testing.T) disk {
	t.Helper()
	testenv.Need(t, "strace")
	return disk{t.TempDir(), func(s *kit.Server) func() {
		path := strings.TrimPrefix(s.DB, sqliteScheme)
		return tamper(t, s, "pwrite64:error=ENOSPC", "-P", path, "-P", path+"-wal")
	}}
}

// fillDisk runs the story: while the disk is full nothing is accepted that is not on disk, the probe says so, and nothing
// is delivered twice for want of a place to record it. When there is space again the server goes on by itself.
func fillDisk(t *testing.T, d disk) {
	t.Helper()
	s := start(t, kit.Config{DB: sqliteScheme + filepath.Join(d.dir, dbName), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	for range 20 {
		l.post(t.Context(), s, l.newKey())
	}
	l.awaitDelivered(t)
	// These are with the receiver when the disk fills up.
	gate := make(chan struct{})
	l.hook.Answer(kit.OK.After(gate))
	for range 4 {
		l.post(t.Context(), s, l.newKey())
	}
	l.hook.Await(t, 24)

	free := d.fill(s)
	refused := func() int { return l.refusals[http.StatusServiceUnavailable] }
	kit.Eventually(t, "a refusal", func() bool {
		l.post(t.Context(), s, l.newKey())
		return refused() > 0
	})
	kit.Eventually(t, "the probe to turn red", func() bool { return !s.Ready() })
	close(gate) // the receiver has taken them, which cannot be recorded now
	checkRefusal(t, l, s)
	for refused() < 60 {
		if status, _ := l.post(t.Context(), s, l.newKey()); status != http.StatusServiceUnavailable {
			t.Fatalf("a message got status %d on a full disk", status)
		}
	}
	if s.Ready() {
		t.Error("the server says that it is ready while nothing can be written")
	}
	if _, err := client(t, s, l.token).Message.List(t.Context(), l.app, nil); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	recordedDeliveries(t, l, s.DB) // fails if an accepted message is not there

	free()
	kit.Eventually(t, "the server to recover", s.Ready)
	l.retryUnanswered(t, s)
	l.awaitDelivered(t)
	l.checkArrivedOnce(t)
	l.awaitRecorded(t, s)
	l.checkArrived(t)
	l.checkStored(t, s)
	if len(l.refusals) > 1 {
		t.Errorf("refusals by status: %v, want 503 alone", l.refusals)
	}
}

// checkRefusal looks at one refusal: the API's error, which promises that a retry makes sense.
func checkRefusal(t *testing.T, l *load, s *kit.Server) {
	t.Helper()
	got := ask(t, s, l.token, http.MethodPost, "/api/v1/app/"+l.app+"/msg", `{"eventType":"load","payload":{}}`, nil)
	var body struct{ Code, Detail string }
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatalf("a refusal's body is %q", got.body)
	}
	if diff := cmp.Diff([]any{http.StatusServiceUnavailable, "unavailable", true, true},
		[]any{got.status, body.Code, body.Detail != "", got.header.Get("Retry-After") != ""}); diff != "" {
		t.Errorf("status, code, has detail, has Retry-After (-want +got):\n%s", diff)
	}
}
