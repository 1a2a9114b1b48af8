package restapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/snippet"
	"github.com/callboard/callboard/internal/web"
)

// markdownEnding tells the catalogue as Markdown from the page of the same name.
const markdownEnding = ".md"

// registerCatalogPage puts the catalogue as Markdown on the mux, and in the document.
func (a *api) registerCatalogPage() {
	op := huma.Operation{
		OperationID: "v1.public-catalog.markdown", Method: http.MethodGet, Path: "/catalog/{org_id}" + markdownEnding, Tags: []string{tagEventTypes},
		Summary:     "Show an org's catalogue as Markdown",
		Description: "Needs no token, and the org's setting `publicCatalog`: every event type with its description and a sample in each dialect, and how webhooks are verified. It may be a minute old.",
		Parameters:  pathParams("/catalog/{org_id}"),
		Responses: map[string]*huma.Response{"200": {
			Description: "The catalogue", Content: map[string]*huma.MediaType{"text/markdown": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}
	a.describeOpen(&op)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.HandleFunc("GET /catalog/{file}", func(w http.ResponseWriter, r *http.Request) {
		org, isMarkdown := strings.CutSuffix(r.PathValue("file"), markdownEnding)
		if !isMarkdown {
			web.Fail(w, web.ErrNoRoute())
			return
		}
		text, err := a.catalogMarkdown(r.Context(), org)
		if err != nil {
			web.Fail(w, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/markdown; charset=utf-8")
		h.Set("Content-Security-Policy", "sandbox")
		_, _ = w.Write([]byte(text))
	})
}

// catalogMarkdown is an org's catalogue, if it is public. That is asked every time; the text
// may be as old as a shelf keeps it.
func (a *api) catalogMarkdown(ctx context.Context, org string) (string, error) {
	r, err := a.public(ctx, org)
	if err != nil {
		return "", err
	}
	return a.pages.get(ctx, org, func(ctx context.Context) (string, error) { return a.writeCatalog(ctx, r) })
}

// writeCatalog writes the catalogue that a reader sees.
func (a *api) writeCatalog(ctx context.Context, r *reader) (string, error) {
	types, err := a.typesFor(ctx, r)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(types, func(x, y listedType) int { return strings.Compare(x.group(), y.group()) })
	var b strings.Builder
	b.WriteString("# Event types\n")
	group := ""
	for i := range types {
		if g := types[i].group(); g != group || i == 0 {
			group = g
			fmt.Fprintf(&b, "\n## %s\n", escaped(cmp.Or(group, "Others")))
		}
		entry, err := a.showEntry(&types[i], r)
		if err != nil {
			return "", err
		}
		writeEntry(&b, &entry)
	}
	a.writeVerifying(&b, r)
	return b.String(), nil
}

// group is the group of an event type; "" = none.
func (t *listedType) group() string {
	if t.own != nil {
		return t.own.GroupName
	}
	return t.ours.Group
}

// writeEntry writes a section about an event type.
func writeEntry(b *strings.Builder, e *CatalogEntryOut) {
	fmt.Fprintf(b, "\n### %s\n\n", escaped(e.Name))
	if e.Deprecated {
		b.WriteString("Deprecated.\n\n")
	}
	if e.Description != "" {
		fmt.Fprintf(b, "%s\n", escaped(e.Description))
	}
	for _, s := range e.Samples {
		as := ""
		if s.Word != e.Name {
			as = " as " + code(s.Word)
		}
		if s.Fit == fitNames[dialect.Translated] {
			as += ", which is close and not the same"
		}
		fmt.Fprintf(b, "\nIn the dialect %s%s:\n\n%s", code(s.Dialect), as, fenced("json", s.Body))
	}
}

// writeVerifying writes a section on how the webhooks of each dialect are verified.
func (a *api) writeVerifying(b *strings.Builder, r *reader) {
	b.WriteString("\n## How to verify webhooks\n")
	for _, name := range r.held.Dialects {
		d, known := a.Dialects.Get(name)
		if !known {
			continue
		}
		g, known := snippet.For(d)
		if !known {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n%s.\n\n", escaped(name), g.Scheme)
		for i, step := range g.Steps {
			fmt.Fprintf(b, "%d. %s\n", i+1, escaped(step))
		}
		for _, one := range []struct{ language, text string }{
			{"go", g.Code.Go}, {"typescript", g.Code.TypeScript}, {"python", g.Code.Python}, {"bash", g.Code.Curl},
		} {
			b.WriteString("\n" + fenced(one.language, one.text))
		}
	}
}

// escaped is text in which nothing is Markdown's or HTML's: descriptions are an org's words.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_{}[]()#+!|>~", r):
			b.WriteByte('\\')
		case r < ' ':
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// code is a word as code.
func code(word string) string { return "`" + strings.ReplaceAll(word, "`", "'") + "`" }

// fenced is a block of code, whose fence is longer than any within.
func fenced(language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}
