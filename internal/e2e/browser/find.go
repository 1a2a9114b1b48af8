package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// objectGroup holds the handles of a step, which are released at its end.
const objectGroup = "callboard-step"

// Scope is a part of a page in which things are looked for: the page itself, or what [Scope.Within] and [Scope.Frame]
// found. It is found anew in each step, so it survives that the page draws it again.
//
// Roles are those of ARIA as Chromium computes them: "button", "link", "textbox", "combobox", "row", "dialog", "heading",
// "tab", "region" … An accessible name is matched whole, white space aside. One that begins or ends with "…" may go on
// there: "…timed out…" is contained, "Endpoint …" begins. "" matches every name. Several matches are an error: say which.
type Scope struct {
	page *Page
	path []target
}

// target is one step from a scope to a smaller one.
type target struct {
	role, name string
	frame      bool // into the document of the frame that was found
}

func (g target) String() string {
	if g.name == "" {
		return g.role
	}
	return fmt.Sprintf("%s %q", g.role, g.name)
}

// Within narrows the scope to the one thing with a role and a name, such as a row or a dialog.
func (s Scope) Within(role, name string) Scope {
	return Scope{page: s.page, path: append(slices.Clip(s.path), target{role: role, name: name})}
}

// Frame narrows the scope to the document inside the frame with a title.
func (s Scope) Frame(title string) Scope {
	return Scope{page: s.page, path: append(slices.Clip(s.path), target{role: "Iframe", name: title, frame: true})}
}

func (s Scope) String() string {
	words := make([]string, 0, len(s.path))
	for _, g := range s.path {
		words = append(words, " in "+g.String())
	}
	return strings.Join(words, "")
}

// match is a thing that was found.
type match struct {
	role, name string
	node       cdp.BackendNodeID
	disabled   bool
}

// root finds the object from which a scope's things are looked for.
func (s Scope) root(ctx context.Context) (runtime.RemoteObjectID, error) {
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document", ObjectGroup: objectGroup})
	if err != nil {
		return "", err
	}
	object := result.Result.ObjectID
	for _, g := range s.path {
		found, err := one(ctx, object, g)
		if err != nil {
			return "", err
		}
		if object, err = resolve(ctx, found.node, g.frame); err != nil {
			return "", err
		}
	}
	return object, nil
}

// resolve gives the object of an element, or of the document in a frame.
func resolve(ctx context.Context, node cdp.BackendNodeID, frame bool) (runtime.RemoteObjectID, error) {
	if frame {
		described, err := chromedp.Call(ctx, dom.DescribeNode, dom.DescribeNodeParams{BackendNodeID: node, Pierce: new(true)})
		if err != nil {
			return "", err
		}
		if described.Node.ContentDocument == nil {
			return "", errors.New("the frame has no document")
		}
		node = described.Node.ContentDocument.BackendNodeID
	}
	resolved, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node, ObjectGroup: objectGroup})
	if err != nil {
		return "", err
	}
	return resolved.Object.ObjectID, nil
}

// all finds what has a role and a name below an object, in the document's order.
func all(ctx context.Context, object runtime.RemoteObjectID, g target) ([]match, error) {
	query := accessibility.QueryAXTreeParams{ObjectID: object, Role: g.role}
	result, err := chromedp.Call(ctx, accessibility.QueryAXTree, query)
	if err != nil {
		return nil, err
	}
	var found []match
	for _, node := range result.Nodes {
		name := flat(text(node.Name))
		if node.Ignored || node.BackendDOMNodeID == 0 || !matches(g.name, name) {
			continue
		}
		m := match{role: text(node.Role), name: name, node: node.BackendDOMNodeID}
		for _, property := range node.Properties {
			if property.Name == accessibility.PropertyNameDisabled && string(property.Value.Value) == "true" {
				m.disabled = true
			}
		}
		found = append(found, m)
	}
	return found, nil
}

// one finds the only match. What it says otherwise names what else is there, for whoever wrote the test.
func one(ctx context.Context, object runtime.RemoteObjectID, targets ...target) (match, error) {
	var found []match
	for _, g := range targets {
		some, err := all(ctx, object, g)
		if err != nil {
			return match{}, err
		}
		found = append(found, some...)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		rest, err := others(ctx, object, targets)
		if err != nil {
			return match{}, err
		}
		return match{}, fmt.Errorf("there is no %s, only %s", targets[0], names(rest))
	default:
		return match{}, fmt.Errorf("%s is ambiguous: %s", targets[0], names(found))
	}
}

// others finds what has one of the roles under another name.
func others(ctx context.Context, object runtime.RemoteObjectID, targets []target) ([]match, error) {
	var found []match
	for _, g := range targets {
		some, err := all(ctx, object, target{role: g.role})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func names(found []match) string {
	const most = 30
	if len(found) == 0 {
		return "nothing of that role"
	}
	var words []string
	for i, m := range found {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(found)-most))
			break
		}
		words = append(words, fmt.Sprintf("%s %q", m.role, abridge(m.name)))
	}
	return strings.Join(words, ", ")
}

// matches compares an accessible name with what a test calls it.
func matches(wanted, name string) bool {
	wanted = flat(wanted)
	if wanted == "" {
		return true
	}
	rest, open := strings.CutPrefix(wanted, "…")
	rest, goesOn := strings.CutSuffix(rest, "…")
	switch {
	case open && goesOn:
		return strings.Contains(name, rest)
	case open:
		return strings.HasSuffix(name, rest)
	case goesOn:
		return strings.HasPrefix(name, rest)
	default:
		return name == wanted
	}
}

// flat makes all white space one space.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// text reads a value of the accessibility tree that is a string.
func text(value *accessibility.Value) string {
	var out string
	if value != nil {
		_ = json.Unmarshal(value.Value, &out) // "" for what is no string
	}
	return out
}

// call runs a function of JavaScript with an object as its this.
func call[T any](ctx context.Context, object runtime.RemoteObjectID, function string, args ...any) (T, error) {
	var out T
	arguments := make([]*runtime.CallArgument, len(args))
	for i, arg := range args {
		value, err := json.Marshal(arg)
		if err != nil {
			return out, err
		}
		arguments[i] = &runtime.CallArgument{Value: value}
	}
	result, err := chromedp.Call(ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: function, ObjectID: object, Arguments: arguments,
		ReturnByValue: new(true), AwaitPromise: new(true), UserGesture: new(true),
	})
	if err != nil {
		return out, err
	}
	if result.ExceptionDetails != nil {
		return out, &chromedp.ExceptionError{ExceptionDetails: result.ExceptionDetails}
	}
	if len(result.Result.Value) == 0 {
		return out, nil
	}
	return out, json.Unmarshal(result.Result.Value, &out)
}
