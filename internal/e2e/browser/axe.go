package browser

import (
	"context"
	_ "embed" // the function that runs in the page
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/callboard/callboard/internal/testenv"
)

// axeTimeout bounds a run of axe-core, which takes seconds for a page of ten thousand elements, and more on a busy machine.
const axeTimeout = 3 * time.Minute

//go:embed js/axe.js
var runAxe string

// Violation is a rule of axe-core's that a page breaks.
type Violation struct {
	Rule, Impact, Help string
	// Nodes are selectors of the elements that break it, each with what is wrong there.
	Nodes []string
}

// colourRules are the rules whose verdict a theme can change.
var colourRules = []string{"color-contrast", "link-in-text-block"}

// Axe checks the page as it is now with axe-core and fails the test for each rule that is broken with the impact
// "serious" or "critical". It is a subtest where the test can have some, so that one without axe-core says that it was
// skipped while the rest of the test ran.
func (p *Page) Axe() {
	p.t.Helper()
	p.axe()
}

// AxeColours is Axe for a page that Axe has checked in another theme: it asks again what a theme can change, which is
// colours, in half of the time.
func (p *Page) AxeColours() {
	p.t.Helper()
	p.axe(colourRules...)
}

func (p *Page) axe(only ...string) {
	p.t.Helper()
	check := func(t testing.TB) {
		t.Helper()
		on := p.As(t)
		if violations := on.Violations(only...); len(violations) > 0 {
			t.Errorf("%s breaks rules of accessibility:\n%s", on.URL(), describeViolations(violations))
		}
	}
	if t, ok := p.t.(*testing.T); ok {
		t.Run("axe "+p.theme, func(t *testing.T) { check(t) })
		return
	}
	check(p.t)
}

// Violations are what [Page.Axe] fails for, of these rules alone if some are named.
func (p *Page) Violations(only ...string) []Violation {
	p.t.Helper()
	if p.cfg.Axe == nil {
		p.t.Fatal("the configuration does not say where axe-core is")
	}
	source, err := p.cfg.Axe()
	if err != nil {
		testenv.Skip(p.t, "npm", err.Error())
	}
	violations, err := p.violations(source, only)
	if err != nil {
		p.t.Fatalf("run axe-core: %v", err)
	}
	return violations
}

// violations gives the rules that are broken in a way that counts.
func (p *Page) violations(source string, only []string) ([]Violation, error) {
	ctx, cancel := context.WithTimeout(p.ctx, axeTimeout)
	defer cancel()
	window, err := loadAxe(ctx, source)
	if err != nil {
		return nil, err
	}
	found, err := call[[]Violation](ctx, window, runAxe, only)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(v Violation) bool { return v.Impact != "serious" && v.Impact != "critical" }), nil
}

// loadAxe gives a window that has axe-core. It comes by the protocol, which the page's policy does not stop, and lives in a
// world of its own, where it does not meet the page's globals. The world lasts as long as the document, and is loaded once.
func loadAxe(ctx context.Context, source string) (runtime.RemoteObjectID, error) {
	world, err := isolated(ctx)
	if err != nil {
		return "", err
	}
	evaluate := func(expression string) (*runtime.RemoteObject, error) {
		result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: world, ObjectGroup: objectGroup})
		if err == nil && result.ExceptionDetails != nil {
			err = &chromedp.ExceptionError{ExceptionDetails: result.ExceptionDetails}
		}
		if err != nil {
			return nil, err
		}
		return result.Result, nil
	}
	kind, err := evaluate("typeof window.axe")
	if err == nil && string(kind.Value) != `"object"` {
		_, err = evaluate(source + "\n;window.axe.version")
	}
	if err != nil {
		return "", err
	}
	window, err := evaluate("window")
	if err != nil {
		return "", err
	}
	return window.ObjectID, nil
}

func describeViolations(violations []Violation) string {
	var out strings.Builder
	for _, v := range violations {
		fmt.Fprintf(&out, "%s (%s): %s\n", v.Rule, v.Impact, v.Help)
		for _, node := range v.Nodes {
			fmt.Fprintf(&out, "    %s\n", node)
		}
	}
	return out.String()
}
