package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/token"
)

func TestDefaultOrg(t *testing.T) {
	t.Parallel()
	if !id.WellFormedOrg(DefaultOrg) {
		t.Error("the default org is not well-formed")
	}
}

// TestKeepSecret starts many servers at once: one makes the file, all have the same secret, nothing else is left.
func TestKeepSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "callboard.db.jwt-secret")

	var wg sync.WaitGroup
	var mu sync.Mutex
	makers := 0
	tokens := map[string]bool{}
	for range 16 {
		wg.Go(func() {
			secret, made, err := keepSecret(path)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if made {
				makers++
			}
			tokens[mint(t, secret)] = true
		})
	}
	wg.Wait()
	if makers != 1 || len(tokens) != 1 {
		t.Errorf("%d made a secret, %d secrets are in use, want 1 and 1", makers, len(tokens))
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != 0o600 {
		t.Errorf("the file's mode is %v, want -rw-------", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, want 1 (%v)", len(entries), err)
	}
}

// mint makes a token that is the same for the same secret.
func mint(t *testing.T, secret token.Secret) string {
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := authority.Mint(token.Claims{Org: DefaultOrg, IssuedAt: id.ID(1 << 40).Time()})
	if err != nil {
		t.Error(err)
	}
	return text
}

func TestKeepSecretNeverWritesToAFileThatExists(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"with a secret": "chosen\n", "empty": "", "blank": " \n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			secret, made, err := keepSecret(path)
			if made {
				t.Error("made a secret")
			}
			if content == "chosen\n" {
				if diff := cmp.Diff(mint(t, token.NewSecret("chosen")), mint(t, secret)); err != nil || diff != "" {
					t.Errorf("another secret (%v):\n%s", err, diff)
				}
			} else if err == nil {
				t.Error("a file without a secret passed")
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(content, string(after)); diff != "" {
				t.Errorf("the file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeepSecretWithoutADirectory(t *testing.T) {
	t.Parallel()
	_, _, err := keepSecret(filepath.Join(t.TempDir(), "missing", "secret"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error that names the directory", err)
	}
}
