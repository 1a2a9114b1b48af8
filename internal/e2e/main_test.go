// Package e2e tests the server from outside: the program as it is shipped, started on loopback with a database of its
// own, used by Svix's client libraries, and killed, starved and cut off while it works.
package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/store/postgres/postgrestest"
	"github.com/callboard/callboard/internal/token"
)

// killRounds is how often the kill test kills. The gate runs 3, the soak 200.
var killRounds = flag.Int("kill.rounds", 1, "how often TestKill kills the server")

// postgresRounds is the same for the database's server. The gate runs 3, the soak 20.
var postgresRounds = flag.Int("kill.postgres", 1, "how often TestKillPostgres kills PostgreSQL")

// shots is where the browser tests put pictures of the pages, for whoever wants to look at them.
var shots = flag.String("browser.shots", "", "directory for pictures of the pages; none are taken without it")

const programPackage = "github.com/callboard/callboard/cmd/callboard"

// roleVariable makes this test binary a server of the role's kind instead of a test.
const roleVariable = "CALLBOARD_E2E_ROLE"

// roleUnsafe is a server like the shipped one, except that a commit does not wait for the disk.
const roleUnsafe = "unsafe-server"

var dirOfProgram string

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == roleUnsafe {
		if err := serveUnsafely(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	dir, err := os.MkdirTemp("", "callboard-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dirOfProgram = dir
	code := postgrestest.Main(m)
	chromium.Close()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// program builds the server, once for all tests that need it.
var program = sync.OnceValues(func() (string, error) {
	file := filepath.Join(dirOfProgram, "callboard")
	return file, kit.Build(programPackage, file, raceDetector)
})

// binary is the path of the built server.
func binary(t testing.TB) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// start starts the shipped server and waits until it is ready.
func start(t testing.TB, cfg kit.Config) *kit.Server {
	t.Helper()
	return kit.Start(t, shipped(t, cfg))
}

// launch starts the shipped server and does not wait.
func launch(t testing.TB, cfg kit.Config) *kit.Server {
	t.Helper()
	return kit.Launch(t, shipped(t, cfg))
}

// shipped completes a configuration with the command of the shipped server.
func shipped(t testing.TB, cfg kit.Config) kit.Config {
	t.Helper()
	cfg.Command = []string{binary(t), "serve"}
	if raceDetector {
		cfg.Env = append(cfg.Env, "GORACE=halt_on_error=1")
	}
	return cfg
}

// serveUnsafely runs a server that is told to do without fsync; the flags are those that package kit gives.
func serveUnsafely() error {
	flags := flag.NewFlagSet("unsafe", flag.ExitOnError)
	cfg := app.Config{Unsafe: true, JWTSecret: token.NewSecret(os.Getenv("CALLBOARD_JWT_SECRET"))}
	flags.StringVar(&cfg.Listen, "listen", "", "")
	flags.StringVar(&cfg.DB, "db", "", "")
	flags.BoolVar(&cfg.AllowPrivate, "allow-private", false, "")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server, err := app.New(ctx, cfg)
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return server.Stop(context.Background())
}

// mint makes a token with the server's own command. flags are those of `callboard token`.
func mint(t testing.TB, s *kit.Server, flags ...string) string {
	t.Helper()
	cmd := exec.Command(binary(t), append([]string{"token", "--db", s.DB}, flags...)...)
	cmd.Dir = s.Dir // where the secret is, unless it lies beside the database
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("callboard token: %v", err)
	}
	text := strings.TrimSuffix(string(out), "\n")
	if strings.ContainsAny(text, " \n") || strings.Count(text, ".") != 2 {
		t.Fatalf("callboard token printed %q, want one JWT and nothing else", out)
	}
	return text
}

// client is Svix's client for a server, with the given token.
func client(t testing.TB, s *kit.Server, token string) *svix.Svix {
	t.Helper()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := svix.New(token, &svix.SvixOptions{ServerUrl: base, RetrySchedule: &[]time.Duration{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// admin is Svix's client with the token of the default org.
func admin(t testing.TB, s *kit.Server) *svix.Svix {
	t.Helper()
	return client(t, s, mint(t, s))
}

// orgNamed gives the id of an org of its own; any id of that form is one.
func orgNamed(name string) string { return "org_" + strings.Repeat("0", 27-len(name)) + name }

// wantStatus fails the test unless err is an answer of the API with this status and code; "" = any code.
func wantStatus(t testing.TB, err error, status int, code string) {
	t.Helper()
	answer, ok := errors.AsType[*svix.Error](err)
	if !ok {
		t.Fatalf("got error %v, want an answer with status %d", err, status)
	}
	var body struct{ Code string }
	if code != "" {
		if err := json.Unmarshal(answer.Body(), &body); err != nil {
			t.Fatalf("an error's body is not JSON: %q", answer.Body())
		}
	}
	if answer.Status() != status || body.Code != code {
		t.Fatalf("got status %d code %q (%s), want %d %q", answer.Status(), body.Code, answer.Body(), status, code)
	}
}
