package e2e_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// chromium is the browser of all tests of this package that need one.
var chromium browser.Shared

// everyPage is what the gate's stage browser sets: together these tests take longer than all others.
var everyPage = flag.Bool("browser.all", false, "run every browser test, not only TestBrowserFirst…")

// needBrowser begins a test of pages. Without -browser.all only the first steps of a new user are gone in a browser, and
// with -short not even these: the race detector sees nothing of a browser, and what it makes of the server has tests of
// its own.
func needBrowser(t *testing.T) {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("-short starts no browser")
	case !*everyPage && !strings.HasPrefix(t.Name(), "TestBrowserFirst"):
		t.Skip("runs with -browser.all, as in scripts/check browser")
	}
}

// openBrowser gives a page of its own to a test. It is closed before what the test has started earlier.
func openBrowser(t testing.TB) *browser.Page {
	t.Helper()
	configureBrowser()
	return chromium.Page(t)
}

// configureBrowser waits for the flags, which are not read yet when variables get their values.
var configureBrowser = sync.OnceFunc(func() {
	chromium.Config = browser.Config{Shots: *shots, Axe: axeCore}
})

// axeCore installs axe-core as package-lock.json pins it, once, and gives its source.
var axeCore = sync.OnceValues(func() (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("npm is not installed")
	}
	dir := filepath.Join(dirOfProgram, "axe")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{".npmrc", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(npmDir, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	install := exec.Command(npm, "ci", "--ignore-scripts", "--include=dev")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("axe-core cannot be installed: %w\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	return string(text), err
})

// inBothThemes runs a subtest in the light and in the dark theme, on the same page. axe checks the page with axe-core: with
// all rules at first, then with those that may differ.
func inBothThemes(t *testing.T, p *browser.Page, test func(p *browser.Page, axe func())) {
	t.Helper()
	t.Run("light", func(t *testing.T) {
		p := p.As(t)
		p.Theme("light")
		test(p, p.Axe)
	})
	t.Run("dark", func(t *testing.T) {
		p := p.As(t)
		p.Theme("dark")
		test(p, p.AxeColours)
	})
}

// TestBrowserAxe holds that axe-core runs under a strict policy, and finds what is wrong with a page.
func TestBrowserAxe(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	p := openBrowser(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Test</title><main><h1>Test</h1><button></button><img src="a.png"><p><font color="#eeeeee">Faint</font></p></main></html>`))
	}))
	t.Cleanup(server.Close)
	p.Open(server.URL)
	for _, row := range []struct{ only, want []string }{
		{nil, []string{"button-name", "color-contrast", "image-alt"}},
		{[]string{"color-contrast"}, []string{"color-contrast"}},
	} {
		var rules []string
		for _, violation := range p.Violations(row.only...) {
			rules = append(rules, violation.Rule)
		}
		slices.Sort(rules)
		if diff := cmp.Diff(row.want, rules); diff != "" {
			t.Errorf("broken rules of %v (-want +got):\n%s", row.only, diff)
		}
	}
}

// TestBrowserDocs looks at the page on the API, all of whose operations are opened.
func TestBrowserDocs(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	p := openBrowser(t)
	s := start(t, kit.Config{})
	p.Open(s.URL + "/docs")
	p.See("Callboard API")
	inBothThemes(t, p, func(p *browser.Page, axe func()) {
		axe()
		p.Shot("docs")
	})
	p.Click("link", "Endpoint")
	p.AwaitURL("#endpoint$")
	p.Viewport(400, 800)
	p.Fits()
	p.Shot("docs")
}
