package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/callboard/callboard/internal/e2e/kit"
	"github.com/callboard/callboard/internal/testenv"
)

// npmDir holds the walk for Node, its packages and their checksums.
const npmDir = "npm"

// TestNPM runs the walk of npm/walk.mjs with both generations of Svix's JavaScript client.
func TestNPM(t *testing.T) {
	t.Parallel()
	node := testenv.Need(t, "node")
	dir := installNPM(t)
	for _, name := range []string{"svix1", "svix2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachStore(t, func(t *testing.T, store storeUnderTest) {
				s := start(t, kit.Config{DB: store.fresh(t), Args: []string{"--retry-schedule", "50ms,50ms"}})
				walk := exec.CommandContext(t.Context(), node, "--test", "walk.mjs")
				walk.Dir = dir
				walk.Env = append(os.Environ(),
					"CALLBOARD_URL="+s.URL, "CALLBOARD_TOKEN="+mint(t, s), "CALLBOARD_CLIENT="+name, "NO_COLOR=1")
				if out, err := walk.CombinedOutput(); err != nil {
					t.Errorf("the walk with %s: %v\n%s", name, err, out)
				}
			})
		})
	}
}

// installNPM installs the walk's packages in a directory of the test's own, today's client as svix too.
func installNPM(t testing.TB) (dir string) {
	t.Helper()
	npm := testenv.Need(t, "npm")
	dir = t.TempDir()
	copyNPM(t, dir)
	install := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--omit=dev")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		testenv.Skip(t, "npm", fmt.Sprintf("the packages cannot be installed: %v\n%s", err, out))
	}
	if err := os.Symlink("svix2", filepath.Join(dir, "node_modules", "svix")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyNPM copies what git knows of the directory, so that nothing is installed in the checkout.
func copyNPM(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{".npmrc", "package.json", "package-lock.json", "receiver.mjs", "walk.mjs"} {
		copyFile(t, filepath.Join(npmDir, name), filepath.Join(dir, name))
	}
}

// TestNPMLock keeps addresses of registries out of the lock file, so that it means the same everywhere.
func TestNPMLock(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(npmDir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(`"resolved"`)) || bytes.Contains(text, []byte("://")) {
		t.Error("package-lock.json names a registry: run npm install --package-lock-only in its directory, where .npmrc forbids that")
	}
	if n := bytes.Count(text, []byte(`"integrity": "sha512-`)); n < 6 {
		t.Errorf("package-lock.json has the checksums of %d packages", n)
	}
}
