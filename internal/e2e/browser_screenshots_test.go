package e2e_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/callboard/callboard/internal/e2e/browser"
	"github.com/callboard/callboard/internal/e2e/kit"
)

// screenshots is where the pictures of the README and the guide go.
var screenshots = flag.String("screenshots", "", "directory for the pictures of docs; TestBrowserScreenshots takes them, and none without it")

// largestPicture keeps the repository small; they are for looking at.
const largestPicture = 120_000

// TestBrowserScreenshots takes the pictures of the documents, in both themes, from `callboard demo` in the middle of its day:
//
//	go test ./internal/e2e -run TestBrowserScreenshots -browser.all -screenshots "$PWD/docs/images"
func TestBrowserScreenshots(t *testing.T) {
	needBrowser(t)
	if *screenshots == "" {
		t.Skip("without -screenshots no pictures are taken")
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	p := openBrowser(t)
	p.Viewport(1280, 800)
	d := startDemo(t)
	app := d.url + "/app/demo/"
	p.Open(d.link)
	p.Await("button", "Sign out")
	d.awaitMidday(t)
	for _, shot := range []struct {
		name, address string
		ready         func()
	}{
		{"live-event", app + "live/event/summit-1?asOf=latest", func() { p.Await("heading", "Attendance over time") }},
		{"overview", app + "overview?range=1h", func() { p.Await("heading", "Overview") }},
		{"endpoints", app + "endpoints", func() { p.Await("table", "Endpoints") }},
		{"deliveries", app + "deliveries", func() { p.Await("heading", "Deliveries") }},
		{"delivery", app + "deliveries/" + d.retried(t), func() { p.Await("heading", "Attempts") }},
		{"catalogue", app + "catalog/session.joined", func() { p.Await("heading", "Verify it") }},
		{"play", d.play, func() { p.See("The signature is valid") }},
	} {
		for _, theme := range []string{"light", "dark"} {
			p.Theme(theme)
			p.Open(shot.address)
			p.Reload() // an address that differs behind its # alone is not loaded, and a change of theme not all drawn at once
			shot.ready()
			awaitLoaded(t, p)
			file := filepath.Join(*screenshots, shot.name+"-"+theme+".webp")
			p.Picture(file)
			if info, err := os.Stat(file); err != nil || info.Size() > largestPicture {
				t.Errorf("%s: %v, %v; want at most %d bytes", file, info.Size(), err, largestPicture)
			}
		}
	}
}

// awaitLoaded waits until nothing on a page is on its way.
func awaitLoaded(t *testing.T, p *browser.Page) {
	t.Helper()
	kit.Eventually(t, "the page to be loaded", func() bool {
		return browser.Eval[bool](p, "document.querySelector('main h1') !== null && document.querySelector('main .loading') === null")
	})
}

// demo is `callboard demo` while it runs.
type demo struct {
	operator
	url, link, play string
}

// startDemo starts the demo and reads what it prints. It ends with the test.
func startDemo(t *testing.T) *demo {
	t.Helper()
	output := filepath.Join(t.TempDir(), "output")
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // the child has a descriptor of its own
	cmd := exec.Command(binary(t), "demo", "--attendees", "180", "--length", "90s", "--seed", "4")
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which the test has seen then
		_ = cmd.Wait()
	})
	var said []string
	form := regexp.MustCompile(`(?s)Callboard runs on (http://\S+).*zuddl +(http://\S+/play#\S+).*Open +(http://\S+).*CALLBOARD_TOKEN="([^"]+)"`)
	kit.Eventually(t, "the demo to say where it runs", func() bool {
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		said = form.FindStringSubmatch(string(text))
		return said != nil
	})
	return &demo{operator{&kit.Server{URL: said[1]}, said[4]}, said[1], said[3], said[2]}
}

// awaitMidday waits until there is something to see: people who are in one session and have been in others.
func (d *demo) awaitMidday(t *testing.T) {
	t.Helper()
	kit.Eventually(t, "people in the demo's sessions", func() bool {
		var now struct {
			Data   []struct{ SessionID string }
			Totals struct{ Present int }
		}
		got := ask(t, d.server, d.token, http.MethodGet, "/api/v1/app/demo/event/summit-1/attendance", "", nil)
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &now) != nil {
			return false
		}
		visited := map[string]bool{}
		for _, row := range now.Data {
			visited[row.SessionID] = true
		}
		return now.Totals.Present > 60 && len(visited) > 3
	})
}

// retried is a delivery that took several attempts, as its page is addressed.
func (d *demo) retried(t *testing.T) (path string) {
	t.Helper()
	kit.Eventually(t, "a delivery that is tried again", func() bool {
		var page struct {
			Data []struct {
				MsgID, EndpointID string
				Attempts          int
			}
		}
		d.call(t, http.StatusOK, http.MethodGet, "/app/demo/delivery?limit=250", nil, &page)
		for _, row := range page.Data {
			if row.Attempts == 2 {
				path = row.MsgID + "/" + row.EndpointID
				return true
			}
		}
		return false
	})
	return path
}
