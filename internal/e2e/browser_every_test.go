package e2e_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/e2e/browser"
)

// routesFile names every page; reading it here means that no page is forgotten.
const routesFile = "../../dashboard-ui/src/routes.ts"

// TestBrowserEveryPage opens all pages with the demo's data in both themes, on a wide and a narrow window, and has axe-core
// look at each.
func TestBrowserEveryPage(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	d := startDemo(t)
	p := openBrowser(t)
	p.Open(d.link)
	p.Await("button", "Sign out")
	d.awaitMidday(t)
	values := d.pathValues(t)
	for _, pattern := range pagePatterns(t) {
		t.Run(strings.ReplaceAll(strings.Trim(pattern, "/"), "/", "."), func(t *testing.T) {
			address := regexp.MustCompile(`\{\w+\}`).ReplaceAllStringFunc(pattern, func(name string) string {
				if values[name] == "" {
					t.Fatalf("the test has no value for %s", name)
				}
				return values[name]
			})
			p := p.As(t)
			p.Viewport(1280, 900)
			p.Theme("light")
			p.Open(d.url + address)
			awaitLoaded(t, p)
			if missing := browser.Eval[bool](p, `document.querySelector("h1").textContent.startsWith("There is no such page")`); missing {
				t.Fatalf("%s is no page", address)
			}
			inBothThemes(t, p, func(_ *browser.Page, axe func()) { axe() })
			p.Viewport(400, 900)
			p.Fits()
		})
	}
}

// pagePatterns are the addresses of all pages, with names in braces.
func pagePatterns(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile(routesFile)
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, found := range regexp.MustCompile(`(?:\bat\(|pattern: )'([^']+)'`).FindAllStringSubmatch(string(source), -1) {
		patterns = append(patterns, found[1])
	}
	if len(patterns) < 20 {
		t.Fatalf("%s has %d routes", routesFile, len(patterns))
	}
	return patterns
}

// pathValues are what stands for the names in the patterns. What the demo does not have is made: a source, and a public
// catalogue.
func (d *demo) pathValues(t *testing.T) map[string]string {
	t.Helper()
	first := func(path string) string {
		var page struct{ Data []struct{ ID string } }
		d.call(t, http.StatusOK, http.MethodGet, "/app/demo/"+path, nil, &page)
		if len(page.Data) == 0 {
			t.Fatalf("the demo has no %s", path)
		}
		return page.Data[0].ID
	}
	var session struct{ Org string }
	d.call(t, http.StatusOK, http.MethodGet, "/auth/session", nil, &session)
	d.call(t, http.StatusOK, http.MethodPatch, "/settings", fields{"publicCatalog": true}, nil)
	d.call(t, http.StatusCreated, http.MethodPost, "/app/demo/source", fields{"dialect": "zuddl", "description": "Zuddl", "unverified": true}, nil)
	message, endpoint, _ := strings.Cut(d.retried(t), "/")
	return map[string]string{
		"{app}": "demo", "{org}": session.Org, "{type}": "session.joined", "{event}": "summit-1", "{msg}": message, "{endpoint}": endpoint,
		"{conference}": first("conference"), "{conversation}": first("conversation"), "{source}": first("source"),
	}
}
