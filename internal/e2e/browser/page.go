package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	defaultWidth    = 1280
	defaultHeight   = 900
	defaultPatience = 30 * time.Second
)

// Page is one tab. Its steps are for the test's goroutine. A step that cannot be done fails the test.
type Page struct {
	Scope // the whole page

	t     testing.TB
	cfg   Config
	ctx   context.Context
	watch *watch
	theme string
}

// newPage opens a tab. options say in whose cookies it shares.
func newPage(t testing.TB, cfg Config, parent context.Context, options ...chromedp.ContextOption) *Page {
	t.Helper()
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	w := &watch{origins: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(w.see))...)
	p := &Page{t: t, cfg: cfg, ctx: ctx, watch: w}
	p.Scope = Scope{page: p}
	if err := bounded(startTimeout, cancel, func() error { return p.prepare() }); err != nil {
		cancel()
		t.Fatalf("open a page: %v", err)
	}
	answered := p.answerDialogs()
	t.Cleanup(func() {
		p.judge()
		cancel()
		<-answered
	})
	return p
}

// prepare starts the tab and what watches it.
func (p *Page) prepare() error {
	if err := chromedp.Do(p.ctx); err != nil {
		return err
	}
	_, audit := chromedp.Call(p.ctx, audits.Enable, cdp.Empty{})
	_, bind := chromedp.Call(p.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: alarm})
	// A page has the focus although the window of another test's page is in front.
	_, focus := chromedp.Call(p.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	size := chromedp.Do(p.ctx, chromedp.EmulateViewport(defaultWidth, defaultHeight))
	return errors.Join(audit, bind, focus, size, p.emulateTheme("light"))
}

// answerDialogs dismisses the browser's own dialogs, which the watch has noted, so that no step hangs on them. Whether to
// leave what is not saved is asked of who closes or loads a page, and a test that does so means it. The channel is closed
// when it has ended, which it does with the page.
func (p *Page) answerDialogs() <-chan struct{} {
	dialogs := chromedp.Events(p.ctx, page.JavascriptDialogOpening)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for opened, err := range dialogs {
			if err != nil {
				return
			}
			_, _ = chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: opened.Type == page.DialogTypeBeforeunload}) // it may be gone
		}
	}()
	return done
}

// Another opens a tab that shares this page's cookies and storage, and ends with the test.
func (p *Page) Another() *Page {
	p.t.Helper()
	other := newPage(p.t, p.cfg, p.ctx)
	other.watch.adopt(p.watch)
	return other
}

// As gives the same page to a subtest: what fails from there on fails that.
func (p *Page) As(t testing.TB) *Page {
	other := *p
	other.t = t
	other.Scope = Scope{page: &other}
	return &other
}

// Open goes to an address and waits until it is loaded. Its origin is one that the page may send requests to from then on.
func (p *Page) Open(address string) {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		p.t.Fatalf("open %q: not an absolute URL", address)
	}
	p.watch.allow(u.Scheme + "://" + u.Host)
	p.do("open "+address, chromedp.Navigate(address))
}

// Allow lets the page send requests to one more origin, such as that of a page in a frame.
func (p *Page) Allow(origin string) { p.watch.allow(origin) }

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do("reload", chromedp.Reload())
}

// Back goes back in the tab's history, also where no document is loaded for that.
func (p *Page) Back() {
	p.t.Helper()
	p.do("go back", chromedp.Evaluate[chromedp.Void]("history.back()"))
}

// Tolerate lets something happen that would fail the test: what [Page.Complaints] would say of it matches the pattern.
func (p *Page) Tolerate(pattern string) {
	p.t.Helper()
	expr, err := regexp.Compile(pattern)
	if err != nil {
		p.t.Fatal(err)
	}
	p.watch.tolerate(expr)
}

// Complaints are what happened so far that fails the test at its end.
func (p *Page) Complaints() []string { return p.watch.complaints() }

// Theme makes the viewer prefer "light" or "dark"; a new page prefers light. Motion is always unwelcome.
func (p *Page) Theme(name string) {
	p.t.Helper()
	if name != "light" && name != "dark" {
		p.t.Fatalf("a theme is light or dark, not %q", name)
	}
	if err := p.emulateTheme(name); err != nil {
		p.t.Fatalf("prefer %s: %v", name, err)
	}
}

func (p *Page) emulateTheme(name string) error {
	p.theme = name
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	return err
}

// Viewport sets the window's size in CSS pixels; a new page has 1280 by 900.
func (p *Page) Viewport(width, height int) {
	p.t.Helper()
	p.do("resize", chromedp.EmulateViewport(int64(width), int64(height)))
}

// Zone moves the viewer to a time zone, such as "Asia/Tokyo". It holds for documents that are opened afterwards.
func (p *Page) Zone(name string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
	if err != nil {
		p.t.Fatalf("move to %s: %v", name, err)
	}
}

// URL is the address that the page shows, with its fragment.
func (p *Page) URL() string {
	p.t.Helper()
	return Eval[string](p, "location.href")
}

// AwaitURL waits until the address matches a pattern.
func (p *Page) AwaitURL(pattern string) {
	p.t.Helper()
	expr, err := regexp.Compile(pattern)
	if err != nil {
		p.t.Fatal(err)
	}
	p.await("the address "+pattern, func(ctx context.Context) error {
		address, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href"))
		if err == nil && !expr.MatchString(address) {
			return errors.New("it is " + address)
		}
		return err
	})
}

// Cookies are those that the page's own address gets, with what only the browser sees of them.
func (p *Page) Cookies() []*network.Cookie {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		p.t.Fatalf("read the cookies: %v", err)
	}
	return result.Cookies
}

// Clipboard is the text that was copied last.
func (p *Page) Clipboard() string {
	p.t.Helper()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission:       &browser.PermissionDescriptor{Name: "clipboard-read"},
		Setting:          browser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	if err != nil {
		p.t.Fatalf("allow to read the clipboard: %v", err)
	}
	return Eval[string](p, "navigator.clipboard.readText()")
}

// SaveTo lets the page save files, into a directory and under the names that it gives.
func (p *Page) SaveTo(dir string) {
	p.t.Helper()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior:         browser.SetDownloadBehaviorBehaviorAllow,
		DownloadPath:     dir,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	if err != nil {
		p.t.Fatalf("allow to save files: %v", err)
	}
}

// Eval evaluates an expression in the page, which its policy does not stop; a promise is waited for.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.cfg.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", abridge(expression), err)
	}
	return value
}

// Shot takes a picture of the whole page, NAME-light-1280.png or the like, if there is a directory for pictures.
func (p *Page) Shot(name string) {
	p.t.Helper()
	if p.cfg.Shots == "" {
		return
	}
	picture, err := p.picture()
	if err != nil {
		p.t.Fatalf("take a picture: %v", err)
	}
	if err := os.MkdirAll(p.cfg.Shots, 0o755); err != nil {
		p.t.Fatal(err)
	}
	width := Eval[json.Number](p, "innerWidth")
	file := filepath.Join(p.cfg.Shots, name+"-"+p.theme+"-"+width.String()+".png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// Picture writes what the window shows, and no more, into a WebP file, for documents.
func (p *Page) Picture(file string) {
	p.t.Helper()
	var picture []byte
	err := p.drawn(func(ctx context.Context) error {
		format := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: new(int64(80))}
		result, err := chromedp.Call(ctx, page.CaptureScreenshot, format)
		if err == nil {
			picture = result.Data
		}
		return err
	})
	if err == nil {
		err = os.WriteFile(file, picture, 0o644)
	}
	if err != nil {
		p.t.Fatalf("take a picture: %v", err)
	}
}

func (p *Page) picture() (picture []byte, err error) {
	err = p.drawn(func(ctx context.Context) error {
		picture, err = chromedp.Run(ctx, chromedp.FullScreenshot(100))
		return err
	})
	return picture, err
}

// drawn does something once all that changed is drawn, and without scrollbars.
func (p *Page) drawn(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.ctx, p.cfg.Patience)
	defer cancel()
	hide := func(hidden bool) error {
		_, err := chromedp.Call(ctx, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: hidden})
		return err
	}
	if err := hide(true); err != nil {
		return err
	}
	// What was drawn before the last change is not in the picture.
	drawn := chromedp.Evaluate[chromedp.Void](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, chromedp.EvalAwaitPromise)
	if err := chromedp.Do(ctx, drawn); err != nil {
		return err
	}
	return errors.Join(do(ctx), hide(false))
}

// do runs an action once, bounded.
func (p *Page) do(what string, action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.cfg.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// await tries again and again until there is no error, and fails the test with the last error when patience ends.
func (p *Page) await(what string, try func(context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, p.cfg.Patience)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	last := errors.New("nothing was found in time")
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
			last = err // not the end of patience itself, which says nothing
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			p.t.Fatalf("waited %s in vain for %s: %v", p.cfg.Patience, what, last)
		}
	}
}

// abridge keeps messages readable.
func abridge(text string) string {
	const longest = 200
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}
