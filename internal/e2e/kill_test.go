package e2e_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/e2e/kit"
)

const (
	// crowdSize is how many connections post at once.
	crowdSize = 16
	// killsPerDatabase bounds a database's size, and with it the time that looking into a copy takes.
	killsPerDatabase = 20
)

// TestKill kills the server under load with SIGKILL and starts it again on the same database, -kill.rounds times. After
// each kill every accepted message arrives; every request that got no answer is repeated under its key and makes one
// message; and what arrives twice is what was in flight: it had arrived before the kill and that was not on disk yet.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("kills are not for -short")
	}
	t.Parallel()
	onEachStore(t, func(t *testing.T, store storeUnderTest) {
		for done := 0; done < *killRounds; done += killsPerDatabase {
			killRoundsOnOneDatabase(t, store, min(killsPerDatabase, *killRounds-done))
		}
	})
}

func killRoundsOnOneDatabase(t *testing.T, store storeUnderTest, rounds int) {
	t.Helper()
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret})
	receiver := kit.NewReceiver(t)
	l := newLoad(t, s, receiver.Hook())
	for range rounds {
		killAtRandom(t, l, s)
		receiver.AwaitQuiet(t)
		arrived := l.hook.Counts()
		recorded := recordedDeliveries(t, l, s.DB)
		accepted := l.acceptedCount()

		s = s.Restart(t)
		retried := l.retryUnanswered(t, s)
		l.awaitDelivered(t)
		l.awaitRecorded(t, s)
		inFlight, again := checkDuplicates(t, l, arrived, recorded)
		t.Logf("killed after %d accepted messages: %d requests without an answer, %d deliveries in flight, %d repeated",
			accepted, retried, inFlight, again)
		if t.Failed() {
			return
		}
	}
	l.checkArrived(t)
	l.checkStored(t, s)
}

// killAtRandom kills the server in the middle of a load: after a random number of messages, at a random moment of what
// it does then.
func killAtRandom(t *testing.T, l *load, s *kit.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.crowd(ctx, s, crowdSize)
	enough := l.acceptedCount() + rand.IntN(1500)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= enough })
	select {
	case <-time.After(rand.N(5 * time.Millisecond)):
	case <-s.Exited():
		t.Fatal("the server ended before it was killed")
	}
	s.Kill()
	cancel()
	wait()
}

// copyFile copies a file; one that does not exist is not copied.
func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// checkDuplicates compares what had arrived before a kill with what has arrived since. Only what had arrived and was not
// recorded may come again, and once.
func checkDuplicates(t *testing.T, l *load, before map[string]int, recorded map[string]bool) (inFlight, again int) {
	t.Helper()
	now := l.hook.Counts()
	for message := range l.messages() {
		wasInFlight := before[message] > 0 && !recorded[message]
		if wasInFlight {
			inFlight++
		}
		switch extra := now[message] - max(before[message], 1); {
		case extra > 0 && !wasInFlight:
			t.Errorf("%s came again %d times though it was not in flight (%d before the kill, recorded %t)",
				message, extra, before[message], recorded[message])
		case extra > 1:
			t.Errorf("%s came again %d times after one kill", message, extra)
		case extra > 0:
			again++
		}
	}
	return inFlight, again
}

// TestTerminate ends the server under load with SIGTERM: it finishes what is under way and exits with 0. After the
// restart everything accepted arrives, and nothing has arrived twice.
func TestTerminate(t *testing.T) {
	t.Parallel()
	onEachStore(t, terminateUnderLoad)
}

func terminateUnderLoad(t *testing.T, store storeUnderTest) {
	s := start(t, kit.Config{DB: store.fresh(t), Secret: loadSecret})
	l := newLoad(t, s, kit.NewReceiver(t).Hook())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := l.crowd(ctx, s, crowdSize)
	kit.Eventually(t, "the load to be accepted", func() bool { return l.acceptedCount() >= 500 })
	s.Terminate(t)
	if code := s.ExitCode(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0:\n%s", code, s.Log())
	}
	cancel()
	wait()
	for status := range l.refusals {
		if status != http.StatusServiceUnavailable {
			t.Errorf("requests during the drain got %v", l.refusals)
		}
	}
	for message, done := range recordedDeliveries(t, l, s.DB) {
		if arrived := l.hook.Counts()[message] > 0; arrived != done {
			t.Errorf("%s has arrived: %t, is recorded as delivered: %t", message, arrived, done)
		}
	}
	accepted := l.acceptedCount()
	s = s.Restart(t)
	retried := l.retryUnanswered(t, s)
	l.awaitDelivered(t)
	t.Logf("terminated after %d accepted messages, %d requests without an answer", accepted, retried)
	l.checkArrivedOnce(t)
	l.checkArrived(t)
	l.checkStored(t, s)
}
