package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	servicePackage = "github.com/callboard/callboard/cmd/callboard"
	readyTimeout   = 2 * time.Minute
	stopTimeout    = time.Minute
)

// organisation is the operator whose admin token the bench uses. Any well-formed id is an organisation.
const organisation = "org_0000callboard0bench0000org0"

// serviceConfig says how to run callboard serve.
type serviceConfig struct {
	binary string
	db     string
	secret string // for JWTs
	debug  bool   // with a listener for net/http/pprof
	args   []string
	log    string // file that takes its output
}

// service is a running callboard serve.
type service struct {
	addr, debugAddr string
	readyAfter      time.Duration // from the start of the process to the first 200 of /ready

	started time.Time
	cmd     *exec.Cmd
	log     string
	exited  chan struct{}
	err     error // of the process; valid once exited is closed
}

// buildService compiles the service into dir.
func buildService(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "callboard")
	output, err := exec.CommandContext(ctx, "go", "build", "-o", binary, servicePackage).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the service: %w\n%s", err, output)
	}
	return binary, nil
}

// startService starts the service and waits until it is ready. The process gets SIGTERM when ctx ends.
func startService(ctx context.Context, cfg serviceConfig) (*service, error) {
	s := &service{log: cfg.log, exited: make(chan struct{})}
	var err error
	if s.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	args := []string{"serve", "--listen", s.addr, "--db", cfg.db, "--jwt-secret", cfg.secret, "--allow-private"}
	if cfg.debug {
		if s.debugAddr, err = freeAddr(); err != nil {
			return nil, err
		}
		args = append(args, "--debug-listen", s.debugAddr)
	}
	if err := s.start(ctx, cfg.binary, append(args, cfg.args...)); err != nil {
		return nil, err
	}
	if err := s.waitReady(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *service) start(ctx context.Context, binary string, args []string) error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	defer func() { _ = log.Close() }() // The child has its own descriptor; ours was never written to.
	s.cmd = exec.CommandContext(ctx, binary, args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopTimeout
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	return nil
}

// waitReady polls GET /ready every 5 ms until it answers 200.
func (s *service) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.ready(ctx) {
			s.readyAfter = time.Since(s.started)
			return nil
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return fmt.Errorf("the service ended before it was ready: %w\n%s", s.err, s.lastLog())
		case <-ctx.Done():
			return fmt.Errorf("the service was not ready in time: %w\n%s", ctx.Err(), s.lastLog())
		}
	}
}

func (s *service) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // Only the status matters.
	return response.StatusCode/100 == 2
}

// stop sends SIGTERM and waits until the process has ended; one that does not drain in time is killed, which is an error.
func (s *service) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // It fails only if the process has ended, which is what we want.
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-s.exited:
		return nil
	case <-timer.C:
		_ = s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("the service did not stop within %s of SIGTERM\n%s", stopTimeout, s.lastLog())
	}
}

// lastLog is the end of the service's output, for error messages.
func (s *service) lastLog() string {
	data, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-2000):])
}

// freeAddr is a loopback address with a port that nothing listens on now.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// mintToken makes an admin JWT (HS256) for the organisation, valid for a day.
func mintToken(secret string, now time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"HS256","typ":"JWT"}`))
	claims := encode(fmt.Appendf(nil, `{"sub":%q,"iss":"callboard-bench","iat":%d,"nbf":%d,"exp":%d}`,
		organisation, now.Unix(), now.Unix(), now.Add(24*time.Hour).Unix()))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(head + "." + claims))
	return head + "." + claims + "." + encode(mac.Sum(nil))
}

// api is a client for the few routes that set up and read; the load goes through package load.
type api struct {
	base, token string
	client      http.Client
}

func newAPI(addr, token string) *api {
	return &api{base: "http://" + addr + "/api/v1", token: token, client: http.Client{Timeout: time.Minute}}
}

// statusError is an answer other than 2xx.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// do sends one request, with in as JSON unless it is nil, and decodes the answer into out unless it is nil.
func (a *api) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return &statusError{response.StatusCode, fmt.Sprintf("%s %s: status %d: %.500s", method, path, response.StatusCode, data)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// create posts a resource and returns its id.
func (a *api) create(ctx context.Context, path string, in any) (string, error) {
	var out struct{ ID string }
	if err := a.do(ctx, http.MethodPost, path, in, &out); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", fmt.Errorf("POST %s: the answer has no id", path)
	}
	return out.ID, nil
}

// createEventType makes the type unless it is there, from an earlier run on the same database.
func (a *api) createEventType(ctx context.Context, name string) error {
	in := map[string]string{"name": name, "description": "Posted by the bench."}
	err := a.do(ctx, http.MethodPost, "/event-type", in, nil)
	if status, ok := errors.AsType[*statusError](err); ok && status.status == http.StatusConflict {
		return nil
	}
	return err
}

// kind names the database without its path, host or password.
func kind(db string) string {
	name, _, _ := strings.Cut(db, ":")
	if name == "postgresql" {
		return "postgres"
	}
	return name
}
