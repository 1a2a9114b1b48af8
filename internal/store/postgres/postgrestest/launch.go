package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/callboard/callboard/internal/testenv"
)

const (
	superuser = "postgres"
	loopback  = "127.0.0.1"

	// startTimeout bounds a start, recovery from a crash included.
	startTimeout = time.Minute
	// pollInterval is how often a start asks whether the server accepts connections.
	pollInterval = 10 * time.Millisecond
	// portAttempts bounds how many ports a first start tries.
	portAttempts = 10
)

// errPortTaken says that somebody took the port between the choice and the start.
var errPortTaken = errors.New("the port is taken")

// installation is what a server is made of, besides data.
type installation struct {
	postgres, initdb string // paths of the programs
	owner            *owner // the user who runs them, nil for the test's own
}

// owner is a user and group of the system, other than the process's.
type owner struct{ uid, gid int }

// find looks for PostgreSQL and for a user who may run it. It skips the test, or fails it, where one is missing.
func find(t testing.TB) installation {
	t.Helper()
	postgres, err := filepath.EvalSymlinks(testenv.Need(t, "postgres"))
	if err != nil {
		t.Fatalf("find PostgreSQL: %v", err)
	}
	install := installation{
		postgres: postgres,
		initdb:   filepath.Join(filepath.Dir(postgres), "initdb"+filepath.Ext(filepath.Base(postgres))),
	}
	if os.Geteuid() != 0 {
		return install
	}
	if install.owner, err = findOwner(superuser); err != nil {
		testenv.Skip(t, "postgres", fmt.Sprintf("PostgreSQL does not run as root, and %v", err))
	}
	return install
}

func findOwner(name string) (*owner, error) {
	account, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, err
	}
	return &owner{uid: uid, gid: gid}, nil
}

// launch makes a data directory and starts a server on it.
func launch(ctx context.Context, install installation, settings []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "callboard-postgres-") // t.TempDir may lie where only root can enter
	if err != nil {
		return nil, err
	}
	s := &Server{install: install, settings: slices.Clone(settings), dir: dir}
	if err := s.setUp(ctx); err != nil {
		freeSharedMemory(s.data())
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// setUp fills the data directory and starts the server on the first port that stays free until then.
func (s *Server) setUp(ctx context.Context) error {
	if err := s.initialise(ctx); err != nil {
		return err
	}
	for range portAttempts {
		port, err := freePort()
		if err != nil {
			return err
		}
		s.port = port
		if err = s.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return fmt.Errorf("%d ports in a row: %w", portAttempts, errPortTaken)
}

// initialise makes the data directory.
func (s *Server) initialise(ctx context.Context) error {
	if o := s.install.owner; o != nil {
		if err := os.Chown(s.dir, o.uid, o.gid); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.install.initdb, "--pgdata="+s.data(), "--username="+superuser,
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	s.asChild(cmd)
	runtime.LockOSThread() // see asChild
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// start starts the server on its port and waits until it accepts connections. A server that does not is ended, and the
// error tells its log.
func (s *Server) start(ctx context.Context) error {
	p, err := s.run()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = p
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.awaitReady(ctx, p); err != nil {
		p.kill()
		return s.explain(err)
	}
	return nil
}

// run starts the server's first process. The log begins anew.
func (s *Server) run() (*process, error) {
	log, err := os.Create(s.logFile())
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has its own descriptor
	cmd := exec.Command(s.install.postgres, s.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	s.asChild(cmd)
	return startProcess(cmd)
}

func (s *Server) arguments() []string {
	settings := []string{
		"listen_addresses=" + loopback,
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=",
		"max_connections=100",
		"shared_buffers=64MB",
		// In the data directory, so that a killed server leaves nothing in /dev/shm.
		"dynamic_shared_memory_type=mmap",
	}
	args := []string{"-D", s.data()}
	for _, setting := range append(settings, s.settings...) {
		args = append(args, "-c", setting)
	}
	return args
}

// asChild sets a command up to run as the server's owner and end when this process ends. Linux ties the latter to the
// thread that started the command, not to the process: lock the goroutine to its thread until the command has ended.
func (s *Server) asChild(cmd *exec.Cmd) {
	cmd.Dir = s.dir // the process's own directory may be closed to the owner
	// Messages in English, and no search through all time zones for the one that behaves like the machine's.
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = childAttributes(s.install.owner)
}

// awaitReady returns when the server accepts connections.
func (s *Server) awaitReady(ctx context.Context, p *process) error {
	// Whoever has the port instead of the server need not say a word: when the server gives up, so does the question.
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		err := s.ping(asking)
		switch {
		case err == nil:
			return nil
		case !p.runs():
			return fmt.Errorf("the server ended: %v", p.cmd.ProcessState)
		case ctx.Err() != nil:
			return fmt.Errorf("the server accepts no connections: %w: %w", context.Cause(ctx), err)
		}
		select {
		case <-asking.Done():
		case <-poll.C:
		}
	}
}

// ping makes sure that this server answers, not another test's that was faster to take the port.
func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var data string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&data); err != nil {
		return err
	}
	if data != s.data() {
		return fmt.Errorf("%w, by the server of %s", errPortTaken, data)
	}
	return nil
}

// explain adds the log to the error of a failed start, and errPortTaken where that is what the log says.
func (s *Server) explain(err error) error {
	log := s.log()
	if strings.Contains(log, "could not bind IPv4") {
		err = fmt.Errorf("%w: %w", errPortTaken, err)
	}
	return fmt.Errorf("%w\n%s", err, log)
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// log returns what the server has logged since its last start.
func (s *Server) log() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// freePort chooses a port that is free now. It lies below those that systems give to outgoing connections (from 32768
// on Linux, from 49152 elsewhere), which would otherwise now and then take the port of a server that is down for a
// moment.
func freePort() (int, error) {
	const first, last = 20000, 32767
	var err error
	for range 100 {
		port := first + rand.IntN(last-first+1)
		var listener net.Listener
		if listener, err = net.Listen("tcp4", net.JoinHostPort(loopback, strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
