package kit

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Config says how to start a server. A zero field means its default, except for Command.
type Config struct {
	// Command is the program and what stands before its first flag, such as {"callboard", "serve"}. Required.
	Command []string
	// DB is the database, as --db takes it; default: a new SQLite file in a directory of the test.
	DB string
	// Secret signs API tokens; default: the server makes one and keeps it in a file.
	Secret string
	// Public leaves out --allow-private, so that only public receivers are admitted.
	Public bool
	// Args are more flags.
	Args []string
	// Env are more environment variables, "NAME=value".
	Env []string
}

// Server is a running server. Its methods are not safe for concurrent use, its fields do not change.
type Server struct {
	URL string // http://127.0.0.1:PORT
	DB  string // the database, as --db takes it
	Dir string // the working directory

	cfg    Config
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
}

// Start starts a server and waits until it is ready. The server is killed at the end of the test if it still runs then;
// a test that fails prints the end of its log.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := Launch(t, cfg)
	s.AwaitReady(t)
	return s
}

// AwaitReady waits until a server is ready. One that ends instead fails the test.
func (s *Server) AwaitReady(t testing.TB) {
	t.Helper()
	Eventually(t, "the server to become ready", func() bool {
		select {
		case <-s.exited:
			t.Fatalf("the server ended before it was ready:\n%s", s.Log())
		default:
		}
		return s.Ready()
	})
}

// Restart starts another server on the same database with the same configuration, at another address.
func (s *Server) Restart(t testing.TB) *Server {
	t.Helper()
	cfg := s.cfg
	cfg.DB = s.DB
	return Start(t, cfg)
}

// Launch is Start for a server that need not become ready: it does not wait.
func Launch(t testing.TB, cfg Config) *Server {
	t.Helper()
	dir := t.TempDir()
	addr := FreeAddr(t)
	s := &Server{
		URL: "http://" + addr, DB: cfg.DB, Dir: dir, cfg: cfg, log: filepath.Join(dir, "log"), exited: make(chan struct{}),
	}
	if s.DB == "" {
		s.DB = "sqlite:" + filepath.Join(dir, "callboard.db")
	}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the child has a descriptor of its own
	args := slices.Concat(cfg.Command[1:], []string{"--listen", addr, "--db", s.DB})
	if !cfg.Public {
		args = append(args, "--allow-private")
	}
	s.cmd = exec.Command(cfg.Command[0], append(args, cfg.Args...)...)
	// An empty directory, so that a stray .env or callboard.db of the developer plays no part.
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), cfg.Env...)
	if cfg.Secret != "" {
		s.cmd.Env = append(s.cmd.Env, "CALLBOARD_JWT_SECRET="+cfg.Secret)
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // the exit code is asked for by ExitCode
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("the log of the server at %s ends with:\n%s", s.URL, s.tail())
		}
	})
	return s
}

// Ready reports whether GET /ready is answered with a 2xx.
func (s *Server) Ready() bool {
	resp, err := http.Get(s.URL + "/ready")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode/100 == 2
}

// Kill ends the server at once, as kill -9 does, and waits until it has ended.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it fails only if the process has ended, which is what we want
	<-s.exited
}

// Terminate sends SIGTERM.
func (s *Server) Terminate(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
}

// Freeze stops the server where it is, with SIGSTOP; it keeps its connections.
func (s *Server) Freeze(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
}

// Thaw ends a Freeze.
func (s *Server) Thaw(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGCONT)
}

func (s *Server) signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// Exited is closed when the process has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// ExitCode waits until the process has ended; -1 means that a signal ended it.
func (s *Server) ExitCode(t testing.TB) int {
	t.Helper()
	Eventually(t, "the server to end", func() bool {
		select {
		case <-s.exited:
			return true
		default:
			return false
		}
	})
	return s.cmd.ProcessState.ExitCode()
}

// PID is the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log is all that the server has written to its standard output and error.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *Server) tail() string {
	text := s.Log()
	if i := max(0, len(text)-6000); i > 0 {
		text = "…" + text[i:]
	}
	return strings.TrimSpace(text)
}
