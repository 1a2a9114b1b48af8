package main

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program itself a command of the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"callboard": main})
}

// TestScripts runs every script below testdata/script, each directory in a test of its own. Beside testscript's own
// commands they know those of this file.
func TestScripts(t *testing.T) {
	t.Parallel()
	dirs := map[string]bool{}
	err := filepath.WalkDir("testdata/script", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".txtar" {
			dirs[filepath.Dir(path)] = true
		}
		return err
	})
	if err != nil || len(dirs) == 0 {
		t.Fatalf("found %d directories of scripts (%v)", len(dirs), err)
	}
	for dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && filepath.Base(dir) != "server" {
				t.Skip("commands that run alone and end at once: the race detector, which -short goes with, learns nothing from them")
			}
			testscript.Run(t, testscript.Params{
				Dir:                 dir,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Setup: func(env *testscript.Env) error {
					env.Setenv("COLUMNS", "100") // the width of help texts
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"await":     await,
					"env-from":  envFrom,
					"hang":      hang,
					"http":      request,
					"listening": listening,
					"terminate": terminate,
				},
			})
		})
	}
}

// patience is how long a script waits for what must come.
const patience = 30 * time.Second

// await FILE REGEXP waits until a file that some program writes has a line that matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await file regexp")
	}
	find(ts, args[0], regexp.MustCompile(args[1]))
}

// listening LOG waits until the server that writes this log listens, and sets URL.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening log")
	}
	match := find(ts, args[0], regexp.MustCompile(`"msg":"listening","url":"([^"]+)"`))
	ts.Setenv("URL", match[1])
}

func find(ts *testscript.TestScript, file string, pattern *regexp.Regexp) []string {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		text, _ := os.ReadFile(ts.MkAbs(file)) // it may not be there yet
		if match := pattern.FindStringSubmatch(string(text)); match != nil {
			return match
		}
		select {
		case <-look.C:
		case <-deadline.C:
			ts.Fatalf("%s does not match %s:\n%s", file, pattern, text)
		}
	}
}

// http METHOD URL [BODY] makes a request with the token in the variable TOKEN and prints the status and the body.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http method url [body]")
	}
	body := strings.Join(args[2:], "")
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	if token := strings.TrimSpace(ts.Getenv("TOKEN")); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%d\n%s\n", response.StatusCode, text)
	ts.Check(err)
}

// hang FILE starts a receiver that never answers, sets HANGING to its URL, and writes the file when it has a request.
func hang(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hang file")
	}
	file := ts.MkAbs(args[0])
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = os.WriteFile(file, []byte("a request has come\n"), 0o600) // await complains if not
		<-r.Context().Done()
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv("HANGING", server.URL)
}

// terminate sends SIGTERM to all programs in the background.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: terminate")
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

// envFrom FILE NAME sets a variable to what a file, or stdout, holds.
func envFrom(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: env-from file name")
	}
	ts.Setenv(args[1], strings.TrimSpace(ts.ReadFile(args[0])))
}
