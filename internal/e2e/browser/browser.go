// Package browser drives Chromium in the words of somebody who sits in front of it: open a page, click the button
// "Add endpoint", fill "URL", see a text. What is on a page is found by role and accessible name, so a test that passes
// also says that a screen reader finds it, and survives any change of markup that a person does not notice.
//
// A page is watched while it is used. What must never happen fails the test that opened it, whatever the test is about:
// an uncaught exception, an error on the console, a violation of the content security policy, a dialog of the
// browser's, a request to somebody else's server, an answer 5xx, a missing script or image, and a call of the function
// that the strings of [Hostile] try to call. [Page.Tolerate] admits what a test provokes on purpose.
//
// Every step waits for what it needs, up to [Config.Patience], so that tests contain no waiting of their own. A test that
// fails leaves a picture, the DOM and an outline of roles and names, and logs where.
//
// One process serves many tests at once; each [Page] has cookies and storage of its own. It is test support: only tests
// import it, and the browser is no part of what is shipped.
package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/callboard/callboard/internal/testenv"
)

const (
	// startTimeout bounds the start of the browser and of each page.
	startTimeout = time.Minute
	// closeTimeout bounds the end of the browser; after that it is killed.
	closeTimeout = 10 * time.Second
	// lookEvery is how often a step looks whether what it waits for has come.
	lookEvery = 25 * time.Millisecond
)

// Config says how to drive a browser. A zero field means its default.
type Config struct {
	// Patience bounds each step; default 30 s, far above what any takes on two busy cores.
	Patience time.Duration
	// Shots is the directory into which [Page.Shot] writes; default "": it takes no pictures.
	Shots string
	// Axe gives the source of axe-core; an error of it skips the checks of [Page.Axe], or fails them where npm is required.
	Axe func() (string, error)
}

// Shared is one browser process for all tests of a package, started by the first of them that asks. Its zero value is
// ready, except that Config may be set before the first use. It is safe for concurrent use.
type Shared struct {
	Config Config

	mu      sync.Mutex
	started bool
	err     error
	dir     string
	ctx     context.Context // of the browser; pages are its children
	cancel  context.CancelFunc
}

// start starts the browser, once. Who asks while it starts waits.
func (s *Shared) start(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return s.err
	}
	s.started = true
	s.err = s.launch(path)
	return s.err
}

func (s *Shared) launch(path string) error {
	dir, err := os.MkdirTemp("", "callboard-browser-")
	if err != nil {
		return err
	}
	s.dir = dir
	allocator, free := chromedp.NewExecAllocator(context.Background(), flags(path, dir)...)
	ctx, end := chromedp.NewContext(allocator)
	s.ctx, s.cancel = ctx, func() { end(); free() }
	if err := bounded(startTimeout, s.cancel, func() error { return chromedp.Do(ctx) }); err != nil {
		s.cancel()
		return fmt.Errorf("start %s: %w", path, err)
	}
	return nil
}

// flags keep the browser to itself: no updates, no telemetry, no name resolved but that of this machine, nothing written
// outside of a directory.
func flags(path, dir string) []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Env("HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir, "LANG=en_US.UTF-8"),
		chromedp.WindowSize(defaultWidth, defaultHeight),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("mute-audio", true),
		// Frames of other sites stay in the page's process, where a page's session reaches them.
		chromedp.Flag("disable-features", "Translate,IsolateOrigins,site-per-process,OptimizationHints,MediaRouter"),
		chromedp.Flag("disable-site-isolation-trials", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	return options
}

// Close ends the browser if it was started. No page may be in use.
func (s *Shared) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx != nil && s.err == nil {
		ctx, cancel := context.WithTimeout(s.ctx, closeTimeout)
		_ = chromedp.Cancel(ctx) // if it does not end by itself it is killed
		cancel()
		s.cancel()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// Page opens an empty page with cookies and storage of its own; it ends with the test, and fails it if something went
// on that must not. Where no Chromium is installed the test is skipped, see package testenv.
func (s *Shared) Page(t testing.TB) *Page {
	t.Helper()
	path := testenv.Need(t, "chromium")
	if err := s.start(path); err != nil {
		t.Fatal(err)
	}
	return newPage(t, s.Config, s.ctx, chromedp.WithNewBrowserContext())
}

// bounded runs a call whose context must not carry the deadline, because the browser or the page would end with it.
func bounded(limit time.Duration, cancel context.CancelFunc, call func() error) error {
	timer := time.AfterFunc(limit, cancel)
	defer timer.Stop()
	return call()
}
