// Package kit is what black-box tests of the server are made of: the built program as a child process that can be
// stopped, killed and started again on the same database, and a receiver of webhooks that can be told how to answer.
//
// Nothing in here knows the inside of the server: it is used as its users use it, by flags, signals and HTTP. Nothing
// sleeps either: [Eventually] looks every few milliseconds whether what a test waits for has come, up to a deadline.
//
// It is test support: only tests import it.
package kit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

const (
	// patience is how long Eventually waits: far above what anything takes on two busy cores, so that running out of it
	// means "never".
	patience = 60 * time.Second
	// lookEvery is how often Eventually looks.
	lookEvery = 5 * time.Millisecond
)

// Eventually waits until done reports true and fails the test if that takes a minute. The text says what is waited for;
// done runs on the test's goroutine.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

// Build compiles a main package of this module into a file. With race the race detector is built in, which needs cgo;
// without it the program is built as it is shipped.
func Build(pkg, file string, race bool) error {
	args := []string{"build", "-o", file}
	cgo := "CGO_ENABLED=0"
	if race {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), cgo)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, output)
	}
	return nil
}

// FreeAddr gives a loopback address whose port was free a moment ago.
func FreeAddr(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
