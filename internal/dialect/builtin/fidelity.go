package builtin

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// Fidelity writes the page that says of each vendor's fields which are documented and
// which are Callboard's choice, in Markdown.
func Fidelity(w io.Writer) error {
	dialects := Dialects(Config{PublicURL: "https://callboard.example.com"})
	types := Catalog(dialects).Types()
	var page strings.Builder
	page.WriteString(fidelityHead)
	for _, name := range dialects.Names() {
		d, _ := dialects.Get(name)
		if described, ok := d.(shape.Described); ok {
			writeVendor(&page, vendor{d, described}, types)
		}
	}
	_, err := io.WriteString(w, page.String())
	return err
}

const fidelityHead = `# Fidelity

<!-- Written by go generate ./internal/dialect/builtin from the tables that render the webhooks. Do not edit. -->

Each vendor's webhooks look as the vendor documents them. Where its public pages say nothing, Callboard had to choose; this
page says where. If your vendor does it another way, tell us: a table is quickly changed.

**documented** means that the vendor's pages show it. Else the column says what Callboard chose. *Where from* names the
member of Callboard's own data that the value is taken from. *If missing* is what stands where there is no value.
`

// vendor is a dialect that can be described.
type vendor struct {
	dialect.Dialect
	shape.Described
}

// writeVendor writes a vendor's words, its bodies, and the objects that several hold.
func writeVendor(page *strings.Builder, d vendor, types []dialect.EventType) {
	fmt.Fprintf(page, "\n## %s\n\n", d.Name())
	page.WriteString("| event type | word | |\n|---|---|---|\n")
	for _, t := range types {
		if word, fit := d.Word(t.Name); fit != dialect.Unsaid {
			note := "documented"
			if fit == dialect.Translated {
				note = "a translation: our choice; endpoints may refuse it"
			}
			fmt.Fprintf(page, "| `%s` | `%s` | %s |\n", t.Name, word, note)
		}
	}
	bodies := bodiesOf(d, types)
	shared := sharedOf(bodies)
	for _, b := range bodies {
		writeForm(page, strings.Join(b.words, ", "), b.form.Rows(shared...))
	}
	for _, f := range shared {
		others := slices.DeleteFunc(slices.Clone(shared), func(g *shape.Form) bool { return g == f })
		writeForm(page, "The object "+f.Name(), f.Rows(others...))
	}
}

func writeForm(page *strings.Builder, title string, rows []shape.Row) {
	fmt.Fprintf(page, "\n### %s\n\n", title)
	page.WriteString("| field | form | where from | if missing | |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(page, "| `%s` | %s | %s | %s | %s |\n", r.Path, cell(r.Form), cell(r.From), cell(r.Absent), fidelityOf(r))
	}
}

// fidelityOf says what a field rests on.
func fidelityOf(r shape.Row) string {
	if r.Choice == "" {
		return "documented"
	}
	return "our choice: " + cell(r.Choice)
}

// cell is a text that breaks no table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

// body is one form with the words that have it.
type body struct {
	words []string
	form  *shape.Form
}

// bodiesOf groups a dialect's words by the form of their bodies.
func bodiesOf(d vendor, types []dialect.EventType) []body {
	var all []body
	for _, t := range types {
		word, fit := d.Word(t.Name)
		if fit != dialect.Exact {
			continue
		}
		form := d.Form(t.Name)
		i := slices.IndexFunc(all, func(b body) bool { return slices.Equal(b.form.Rows(), form.Rows()) })
		if i < 0 {
			i = len(all)
			all = append(all, body{form: form})
		}
		all[i].words = append(all[i].words, word)
	}
	return all
}

// worthTelling is the number of fields from which on an object that stands in several
// places has a table of its own.
const worthTelling = 4

// sharedOf lists the objects that stand in several places.
func sharedOf(bodies []body) []*shape.Form {
	var met, shared []*shape.Form
	var visit func(f *shape.Form)
	visit = func(f *shape.Form) {
		for _, inner := range f.Inner() {
			if !slices.Contains(met, inner) {
				met = append(met, inner)
				visit(inner)
			} else if !slices.Contains(shared, inner) && len(inner.Rows()) >= worthTelling {
				shared = append(shared, inner)
			}
		}
	}
	for _, b := range bodies {
		visit(b.form)
	}
	return shared
}
