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

// Axe checks the page as it is now with axe-core and fails the test for each rule that is broken with the impact
// "serious" or "critical". It is a subtest where the test can have some, so that one without axe-core says that it was
// skipped while the rest of the test ran.
func (p *Page) Axe() {
	p.t.Helper()
	t, ok := p.t.(*testing.T)
	if !ok {
		p.axe(p.t)
		return
	}
	t.Run("axe "+p.theme, func(t *testing.T) { p.axe(t) })
}

func (p *Page) axe(t testing.TB) {
	t.Helper()
	on := p.As(t)
	if violations := on.Violations(); len(violations) > 0 {
		t.Errorf("%s breaks rules of accessibility:\n%s", on.URL(), describeViolations(violations))
	}
}

// Violations are what [Page.Axe] fails for.
func (p *Page) Violations() []Violation {
	p.t.Helper()
	if p.cfg.Axe == nil {
		p.t.Fatal("the configuration does not say where axe-core is")
	}
	source, err := p.cfg.Axe()
	if err != nil {
		testenv.Skip(p.t, "npm", err.Error())
	}
	violations, err := p.violations(source)
	if err != nil {
		p.t.Fatalf("run axe-core: %v", err)
	}
	return violations
}

// violations gives the rules that are broken in a way that counts. axe-core comes by the protocol, which the page's policy
// does not stop, and runs in a world of its own, where it does not meet the page's globals.
func (p *Page) violations(source string) ([]Violation, error) {
	ctx, cancel := context.WithTimeout(p.ctx, axeTimeout)
	defer cancel()
	world, err := isolated(ctx)
	if err != nil {
		return nil, err
	}
	load := runtime.EvaluateParams{Expression: source + "\n;window.axe.version", ContextID: world, ReturnByValue: new(true)}
	loaded, err := chromedp.Call(ctx, runtime.Evaluate, load)
	if err == nil && loaded.ExceptionDetails != nil {
		err = &chromedp.ExceptionError{ExceptionDetails: loaded.ExceptionDetails}
	}
	if err != nil {
		return nil, err
	}
	window, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "window", ContextID: world, ObjectGroup: objectGroup})
	if err != nil {
		return nil, err
	}
	found, err := call[[]Violation](ctx, window.Result.ObjectID, runAxe)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(v Violation) bool { return v.Impact != "serious" && v.Impact != "critical" }), nil
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
