package browser

import (
	"context"
	_ "embed" // the functions that run in the page
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed js/reach.js
var reach string

//go:embed js/choose.js
var choose string

//go:embed js/fill.js
var fill string

//go:embed js/text.js
var visibleText string

// editable are the roles of what can be filled.
var editable = []string{"textbox", "searchbox", "combobox", "spinbutton", "Date", "DateTime", "InputTime"}

// maxTabs bounds TabTo.
const maxTabs = 200

// Click clicks what has a role and a name, once it is there, enabled and not covered.
func (s Scope) Click(role, name string) {
	s.page.t.Helper()
	g := target{role: role, name: name}
	s.press(fmt.Sprintf("%s to click%s", g, s), g)
}

// stillFor is how long something stays where it is before it is clicked: a page that is still loading moves what is below.
const stillFor = 100 * time.Millisecond

// press finds one of the targets and clicks it with the mouse, once it stands still.
func (s Scope) press(what string, targets ...target) {
	s.page.t.Helper()
	var at, before point
	var since time.Time
	s.await(what, func(ctx context.Context, object runtime.RemoteObjectID) error {
		found, err := enabled(ctx, object, targets...)
		if err != nil {
			return err
		}
		if at, err = place(ctx, found); err != nil {
			return err
		}
		if at != before {
			before, since = at, time.Now()
		}
		if time.Since(since) < stillFor {
			return errors.New("it does not stand still")
		}
		return nil
	})
	s.page.do(what, chromedp.MouseClickXY(at.x, at.y))
}

// enabled finds the one element that fits one of the targets, if it may be used.
func enabled(ctx context.Context, object runtime.RemoteObjectID, targets ...target) (match, error) {
	found, err := one(ctx, object, targets...)
	if err == nil && found.disabled {
		err = errors.New("it is disabled")
	}
	return found, err
}

// point is a place in the viewport, in CSS pixels.
type point struct{ x, y float64 }

// place scrolls to an element and gives its middle, if a click there meets it.
func place(ctx context.Context, found match) (point, error) {
	object, err := resolve(ctx, found.node, false)
	if err != nil {
		return point{}, err
	}
	problem, err := call[string](ctx, object, reach)
	if err != nil {
		return point{}, err
	}
	if problem != "" {
		return point{}, errors.New(problem)
	}
	// Of the protocol, because only that counts from the corner of the outermost frame.
	result, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{ObjectID: object})
	if err != nil {
		return point{}, err
	}
	if len(result.Quads) == 0 || len(result.Quads[0]) != 8 {
		return point{}, errors.New("it takes no place")
	}
	quad := result.Quads[0]
	return point{x: (quad[0] + quad[2] + quad[4] + quad[6]) / 4, y: (quad[1] + quad[3] + quad[5] + quad[7]) / 4}, nil
}

// Fill replaces what stands in the field of a label.
func (s Scope) Fill(label, text string) {
	s.page.t.Helper()
	what := fmt.Sprintf("field %q to fill%s", label, s)
	targets := make([]target, len(editable))
	for i, role := range editable {
		targets[i] = target{role: role, name: label}
	}
	var typed bool
	s.await(what, func(ctx context.Context, object runtime.RemoteObjectID) error {
		found, err := enabled(ctx, object, targets...)
		if err != nil {
			return err
		}
		field, err := resolve(ctx, found.node, false)
		if err != nil {
			return err
		}
		typed, err = call[bool](ctx, field, fill, text)
		return err
	})
	if !typed {
		return
	}
	if text == "" {
		s.page.Press("Delete")
		return
	}
	s.page.do(what, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// Value waits until the field of a label is there and gives what stands in it.
func (s Scope) Value(label string) string {
	s.page.t.Helper()
	targets := make([]target, len(editable))
	for i, role := range editable {
		targets[i] = target{role: role, name: label}
	}
	var value string
	s.await(fmt.Sprintf("field %q%s", label, s), func(ctx context.Context, object runtime.RemoteObjectID) error {
		found, err := one(ctx, object, targets...)
		if err != nil {
			return err
		}
		field, err := resolve(ctx, found.node, false)
		if err != nil {
			return err
		}
		value, err = call[string](ctx, field, `function () { return this.value ?? this.innerText }`)
		return err
	})
	return value
}

// Choose takes an option, by its text, of the select with a label.
func (s Scope) Choose(label, option string) {
	s.page.t.Helper()
	s.await(fmt.Sprintf("option %q of %q%s", option, label, s), func(ctx context.Context, object runtime.RemoteObjectID) error {
		found, err := one(ctx, object, target{role: "combobox", name: label}, target{role: "listbox", name: label})
		if err != nil {
			return err
		}
		list, err := resolve(ctx, found.node, false)
		if err != nil {
			return err
		}
		problem, err := call[string](ctx, list, choose, option)
		if err == nil && problem != "" {
			return errors.New(problem)
		}
		return err
	})
}

// See waits until a text is visible. White space counts as one space, and the case of letters does not, because styles
// change it.
func (s Scope) See(text string) {
	s.page.t.Helper()
	s.await(fmt.Sprintf("the text %q%s", text, s), func(ctx context.Context, object runtime.RemoteObjectID) error {
		shown, err := call[string](ctx, object, visibleText)
		if err == nil && !contains(shown, text) {
			return fmt.Errorf("there is: %s", abridge(flat(shown)))
		}
		return err
	})
}

// Gone waits until a text is not visible, or no longer.
func (s Scope) Gone(text string) {
	s.page.t.Helper()
	s.await(fmt.Sprintf("the text %q to be gone%s", text, s), func(ctx context.Context, object runtime.RemoteObjectID) error {
		shown, err := call[string](ctx, object, visibleText)
		if err == nil && contains(shown, text) {
			return errors.New("it is still there")
		}
		return err
	})
}

func contains(shown, text string) bool {
	return strings.Contains(strings.ToLower(flat(shown)), strings.ToLower(flat(text)))
}

// Text is what is visible, once the scope is there; white space is one space.
func (s Scope) Text() string {
	s.page.t.Helper()
	var shown string
	s.await("something to read"+s.String(), func(ctx context.Context, object runtime.RemoteObjectID) error {
		var err error
		shown, err = call[string](ctx, object, visibleText)
		return err
	})
	return flat(shown)
}

// Await waits until there is exactly one thing with a role and a name.
func (s Scope) Await(role, name string) {
	s.page.t.Helper()
	g := target{role: role, name: name}
	s.await(g.String()+s.String(), func(ctx context.Context, object runtime.RemoteObjectID) error {
		_, err := one(ctx, object, g)
		return err
	})
}

// AwaitCount waits until there are so many things with a role and a name; 0 waits until there is none.
func (s Scope) AwaitCount(role, name string, count int) {
	s.page.t.Helper()
	g := target{role: role, name: name}
	s.await(fmt.Sprintf("%d × %s%s", count, g, s), func(ctx context.Context, object runtime.RemoteObjectID) error {
		found, err := all(ctx, object, g)
		if err == nil && len(found) != count {
			return fmt.Errorf("there are %d: %s", len(found), names(found))
		}
		return err
	})
}

// await tries something with the scope's object until it succeeds.
func (s Scope) await(what string, try func(context.Context, runtime.RemoteObjectID) error) {
	s.page.t.Helper()
	s.page.await(what, func(ctx context.Context) error {
		defer func() {
			// Handles of a document that is gone are gone too.
			_, _ = chromedp.Call(ctx, runtime.ReleaseObjectGroup, runtime.ReleaseObjectGroupParams{ObjectGroup: objectGroup})
		}()
		object, err := s.root(ctx)
		if err != nil {
			return err
		}
		return try(ctx, object)
	})
}

// keys are the names of keys that are no character.
var keys = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Backspace": kb.Backspace, "Delete": kb.Delete, "Space": " ",
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

var modifiers = map[string]kb.Modifier{
	"Shift": kb.ModifierShift, "Control": kb.ModifierCtrl, "Alt": kb.ModifierAlt, "Meta": kb.ModifierMeta,
}

// Press presses keys one after the other: "Tab", "Enter", "Escape", "ArrowDown", "Space", a character such as "j", or one
// of them with others held, "Shift+Tab".
func (p *Page) Press(names ...string) {
	p.t.Helper()
	for _, name := range names {
		key, held := name, kb.ModifierNone
		for before, after, more := strings.Cut(key, "+"); more && after != ""; before, after, more = strings.Cut(key, "+") {
			modifier, ok := modifiers[before]
			if !ok {
				p.t.Fatalf("no key %q can be held for %q", before, name)
			}
			key, held = after, held|modifier
		}
		if text, ok := keys[key]; ok {
			key = text
		} else if len([]rune(key)) != 1 {
			p.t.Fatalf("there is no key %q", key)
		}
		p.do("press "+name, chromedp.KeyEvent(key, chromedp.KeyModifiers(held)))
	}
}

// Type types a text with the keyboard, wherever the focus is.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do("type", chromedp.KeyEvent(text))
}

// Focused gives role and name of what has the focus; a page where nothing has it gives its own.
func (p *Page) Focused() (role, name string) {
	p.t.Helper()
	p.await("the focus", func(ctx context.Context) error {
		var err error
		role, name, err = focused(ctx)
		return err
	})
	return role, name
}

func focused(ctx context.Context) (role, name string, err error) {
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement ?? document.body", ObjectGroup: objectGroup})
	if err != nil {
		return "", "", err
	}
	tree, err := chromedp.Call(ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{
		ObjectID: result.Result.ObjectID, FetchRelatives: new(false),
	})
	if err != nil {
		return "", "", err
	}
	if len(tree.Nodes) == 0 {
		return "", "", errors.New("what has the focus is not in the accessibility tree")
	}
	return text(tree.Nodes[0].Role), flat(text(tree.Nodes[0].Name)), nil
}

// AwaitFocus waits until the focus is on what has a role and a name.
func (p *Page) AwaitFocus(role, name string) {
	p.t.Helper()
	p.await(fmt.Sprintf("the focus on %s", target{role: role, name: name}), func(ctx context.Context) error {
		isRole, isName, err := focused(ctx)
		if err == nil && (isRole != role || !matches(name, isName)) {
			return fmt.Errorf("it is on %s %q", isRole, abridge(isName))
		}
		return err
	})
}

// TabTo presses Tab until the focus is on what has a role and a name, as somebody without a mouse would.
func (p *Page) TabTo(role, name string) {
	p.t.Helper()
	var passed []string
	for range maxTabs {
		isRole, isName := p.Focused()
		if isRole == role && matches(name, isName) {
			return
		}
		passed = append(passed, fmt.Sprintf("%s %q", isRole, abridge(isName)))
		p.Press("Tab")
	}
	p.t.Fatalf("pressed Tab %d times and did not come to %s, but to %s",
		maxTabs, target{role: role, name: name}, strings.Join(passed[:min(len(passed), 40)], ", "))
}
