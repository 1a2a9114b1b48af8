// Package testenv lets a test say what it needs from the machine besides Go. Where the machine lacks it the test is
// skipped, so that `go test ./...` passes on a bare checkout; where the environment variable CALLBOARD_REQUIRE names it
// (a comma list such as "npm,strace") the test fails instead, so that continuous integration skips nothing silently.
//
// It also holds the one place where tests let time pass, see [Advance].
//
// It is test support: only tests and test kits import it.
package testenv

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Variable is the environment variable that lists what must not be missing.
const Variable = "CALLBOARD_REQUIRE"

// requirements find what tests may need. Each gives a path, or "" where there is none to give, or says what is missing.
var requirements = map[string]func() (string, error){
	"bash":     program("bash"),
	"chromium": program("chromium", "chromium-browser", "google-chrome"),
	"curl":     program("curl"),
	"node":     program("node"),
	"npm":      program("npm"),
	"openssl":  program("openssl"),
	"pip":      pip,
	"postgres": postgres,
	"python3":  program("python3"),
	"root":     root,
	"strace":   program("strace"),
}

// Need returns the path of a program that the test is about to use: "bash", "chromium", "curl", "node", "npm", "openssl",
// "python3", "strace", "postgres" (the server, not on PATH in Debian), or of the Python that has "pip". For "root" it asks
// whether the test runs as user 0 and returns "".
// What is missing skips the test, or fails it when CALLBOARD_REQUIRE names it. A name that Need does not know fails the
// test, and so does one in CALLBOARD_REQUIRE, because a slip of the pen there would require nothing.
func Need(t testing.TB, name string) string {
	t.Helper()
	find, ok := requirements[name]
	if !ok {
		t.Fatalf("testenv knows no %q, only %s", name, known())
	}
	path, err := find()
	if err != nil {
		Skip(t, name, err.Error())
	}
	return path
}

// Skip skips the test because something about a requirement that [Need] cannot see is missing, such as a kernel that
// forbids strace to trace. It fails the test when CALLBOARD_REQUIRE names the requirement.
func Skip(t testing.TB, name, reason string) {
	t.Helper()
	required, err := parseRequired(os.Getenv(Variable))
	switch {
	case err != nil:
		t.Fatal(err)
	case slices.Contains(required, name):
		t.Fatalf("%s, and %s requires %s", reason, Variable, name)
	default:
		t.Skipf("%s (set %s=%s to fail instead)", reason, Variable, name)
	}
}

// Advance lets d of virtual time pass in a testing/synctest bubble and returns when all its goroutines wait for
// something again, so that what the passing of time set off has happened. Outside of a bubble it panics at once: a test
// must not sleep through real time.
func Advance(d time.Duration) {
	synctest.Wait() // the panic comes from here, before any real sleep
	time.Sleep(d)   //nolint:forbidigo // virtual time
	synctest.Wait()
}

// parseRequired splits the variable's value; blanks and empty elements are ignored.
func parseRequired(value string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if requirements[name] == nil {
			return nil, fmt.Errorf("%s names %q; known are %s", Variable, name, known())
		}
		names = append(names, name)
	}
	return names, nil
}

func known() string { return strings.Join(slices.Sorted(maps.Keys(requirements)), ", ") }

// program finds a program by the first of its names that is on PATH.
func program(names ...string) func() (string, error) {
	return func() (string, error) {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
		return "", fmt.Errorf("%s is not installed", names[0])
	}
}

// postgres finds the server's newest version where Debian puts it, or on PATH.
func postgres() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		return path, nil
	}
	paths, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(paths) == 0 {
		return "", fmt.Errorf("no PostgreSQL server is installed")
	}
	return slices.Max(paths), nil // two-digit versions since 2017 sort as text
}

// pip finds the Python that has it: a module, which Debian keeps in a package of its own.
func pip() (string, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", fmt.Errorf("python3 is not installed")
	}
	if err := exec.Command(python, "-m", "pip", "--version").Run(); err != nil {
		return "", fmt.Errorf("python3 has no pip")
	}
	return python, nil
}

func root() (string, error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("the test does not run as root")
	}
	return "", nil
}
