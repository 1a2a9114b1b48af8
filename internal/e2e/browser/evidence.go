package browser

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// evidenceTimeout bounds how long a test that failed spends on saying how its page looked.
const evidenceTimeout = 20 * time.Second

// isolated makes a world of scripts beside the page's own, with the same document.
func isolated(ctx context.Context) (runtime.ExecutionContextID, error) {
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld,
		page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "callboard-test"})
	return world.ExecutionContextID, err
}

// judge ends the test of a page: complaints fail it, and a test that failed keeps what the page looked like.
func (p *Page) judge() {
	p.t.Helper()
	for _, complaint := range p.Complaints() {
		p.t.Errorf("in the page: %s", complaint)
	}
	if p.t.Failed() {
		dir, err := p.keep()
		p.t.Logf("the page is kept in %s (%v)", dir, err)
	}
}

// keep writes the page as a picture, as HTML and as an outline of what assistive technology is told.
func (p *Page) keep() (string, error) {
	dir, err := p.evidenceDir()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(p.ctx, evidenceTimeout)
	defer cancel()
	picture, pictureErr := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	html, htmlErr := chromedp.Run(ctx, chromedp.Evaluate[string](`"<!-- " + location.href.replace(/#.*/, '') + " -->\n" + document.documentElement.outerHTML`))
	lines, outlineErr := outline(ctx)
	return dir, errors.Join(
		pictureErr, htmlErr, outlineErr,
		os.WriteFile(filepath.Join(dir, "page.png"), picture, 0o600),
		os.WriteFile(filepath.Join(dir, "page.html"), []byte(html), 0o600),
		os.WriteFile(filepath.Join(dir, "outline.txt"), []byte(lines), 0o600),
	)
}

// evidenceDir is the test's directory of artifacts, if go test keeps those (-artifacts), else one that stays.
func (p *Page) evidenceDir() (string, error) {
	if kept := flag.Lookup("test.artifacts"); kept != nil && kept.Value.String() == "true" {
		return os.MkdirTemp(p.t.ArtifactDir(), "page-")
	}
	return os.MkdirTemp("", "callboard-page-")
}

// outline lists roles and names, one a line, indented as they contain each other.
func outline(ctx context.Context) (string, error) {
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil || len(tree.Nodes) == 0 {
		return "", err
	}
	byID := make(map[accessibility.NodeID]*accessibility.Node, len(tree.Nodes))
	for _, node := range tree.Nodes {
		byID[node.NodeID] = node
	}
	var out strings.Builder
	var write func(id accessibility.NodeID, depth int)
	write = func(id accessibility.NodeID, depth int) {
		node := byID[id]
		if node == nil {
			return
		}
		role, name := text(node.Role), flat(text(node.Name))
		if !node.Ignored && role != "InlineTextBox" && role != "none" && (role != "generic" || name != "") {
			fmt.Fprintf(&out, "%s%s %q\n", strings.Repeat("  ", depth), role, name)
			depth++
		}
		for _, child := range node.ChildIDs {
			write(child, depth)
		}
	}
	write(tree.Nodes[0].NodeID, 0)
	return out.String(), nil
}
