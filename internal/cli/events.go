package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
)

// eventsCommand is `callboard events`.
type eventsCommand struct {
	Type    string `arg:"" optional:"" help:"An event type, or a dialect's word for one: show what it means and a sample."`
	Dialect string `placeholder:"NAME" help:"Only what this dialect says, in its words; with a type, the body that it sends."`
	Matrix  bool   `help:"All event types against all dialects, as a table."`
	JSON    bool   `name:"json" help:"As JSON."`
}

// Help is the end of `callboard events --help`.
func (eventsCommand) Help() string {
	return `Lists the event types of the catalogue. It needs no server: an org's own types are not in it.

Examples:

    callboard events --dialect zuddl
    callboard events session.joined --dialect zuddl
    callboard events --matrix`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *eventsCommand) Validate() error {
	if c.Matrix && (c.Type != "" || c.Dialect != "") {
		return errors.New("--matrix: shows all types and dialects, so it goes with no other choice")
	}
	return checkDialect(c.Dialect)
}

// checkDialect refuses a dialect that there is not; none is fine.
func checkDialect(name string) error {
	all := builtin.Dialects(builtin.Config{})
	if _, known := all.Get(name); !known {
		return fmt.Errorf("--dialect: must be one of %s", strings.Join(all.Names(), ", "))
	}
	return nil
}

// Run prints.
func (c *eventsCommand) Run(p *process) error {
	l := newListing()
	switch {
	case c.Type != "":
		return c.one(p.stdout, l)
	case c.JSON:
		return writeJSON(p.stdout, l.entries(c.Dialect))
	case c.Matrix:
		return l.matrix(p.stdout)
	}
	return l.list(p.stdout, c.Dialect)
}

// listing is the catalogue beside the dialects.
type listing struct {
	dialects dialect.Set
	catalog  *catalog.Catalog
}

func newListing() listing {
	dialects := builtin.Dialects(builtin.Config{PublicURL: "https://callboard.example.com"})
	return listing{dialects, builtin.Catalog(dialects)}
}

// word is what a dialect calls an event type.
type word struct {
	Word       string `json:"word"`
	Translated bool   `json:"translated,omitempty"`
}

// String is the word, with a mark if it is a translation.
func (w word) String() string {
	if w.Translated {
		return "≈ " + w.Word
	}
	return w.Word
}

// entry is an event type as --json shows it.
type entry struct {
	Name        string          `json:"name"`
	Group       string          `json:"group"`
	Description string          `json:"description"`
	Words       map[string]word `json:"words"` // by dialect, native left out
	Sample      json.RawMessage `json:"sample,omitempty"`
}

// entries lists the types that a dialect says, all if it is empty.
func (l listing) entries(only string) []entry {
	entries := []entry{}
	for _, t := range l.catalog.Types() {
		e := entry{Name: t.Name, Group: t.Group, Description: t.Description, Words: l.words(t.Name)}
		if _, says := e.Words[only]; says || only == "" || only == dialect.Native {
			entries = append(entries, e)
		}
	}
	return entries
}

// words are what the dialects but native call a type.
func (l listing) words(eventType string) map[string]word {
	words := map[string]word{}
	for _, name := range l.others() {
		d, _ := l.dialects.Get(name)
		if text, fit := d.Word(eventType); fit != dialect.Unsaid {
			words[name] = word{Word: text, Translated: fit == dialect.Translated}
		}
	}
	return words
}

// others are the names of all dialects but native.
func (l listing) others() []string {
	return slices.DeleteFunc(l.dialects.Names(), func(name string) bool { return name == dialect.Native })
}

// list prints a line for each type: its name, or a dialect's word for it, and the first
// sentence of what it means.
func (l listing) list(w io.Writer, only string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range l.entries(only) {
		name := e.Name
		if said, ok := e.Words[only]; ok {
			name = said.String() + "\t" + e.Name
		}
		fmt.Fprintf(table, "%s\t%s\n", name, firstSentence(e.Description))
	}
	return table.Flush()
}

// firstSentence is a description up to its first full stop.
func firstSentence(text string) string {
	if head, _, more := strings.Cut(text, ". "); more {
		return head + "."
	}
	return text
}

// matrix prints all types against all dialects.
func (l listing) matrix(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "event type\t%s\n", strings.Join(l.others(), "\t"))
	for _, e := range l.entries("") {
		row := []string{e.Name}
		for _, name := range l.others() {
			row = append(row, cmp.Or(e.Words[name].String(), "–"))
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// one prints what a type means, who says it how, and a sample.
func (c *eventsCommand) one(w io.Writer, l listing) error {
	t, found := l.find(c.Type, c.Dialect)
	if !found {
		return usageError{fmt.Errorf("%s: no such event type; callboard events lists them", c.Type)}
	}
	body, err := l.body(t, c.Dialect)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(w, entry{t.Name, t.Group, t.Description, l.words(t.Name), body})
	}
	fmt.Fprintf(w, "%s\n\n%s\n\n", t.Name, t.Description)
	for _, name := range l.others() {
		if said, ok := l.words(t.Name)[name]; ok {
			fmt.Fprintf(w, "%-14s%s\n", name, said)
		}
	}
	fmt.Fprintf(w, "\nA body in the dialect %s:\n\n", cmp.Or(c.Dialect, dialect.Native))
	return writeJSON(w, json.RawMessage(body))
}

// find finds a type by its name, or by a dialect's word for it.
func (l listing) find(name, in string) (dialect.EventType, bool) {
	if t, known := l.catalog.Get(name); known {
		return t, true
	}
	for _, other := range l.others() {
		d, _ := l.dialects.Get(other)
		if types := d.Types(name); len(types) > 0 && (in == "" || in == other) {
			return l.catalog.Get(types[0])
		}
	}
	return dialect.EventType{}, false
}

// body is a type's sample as a dialect sends it.
func (l listing) body(t dialect.EventType, name string) ([]byte, error) {
	d, _ := l.dialects.Get(name)
	if _, fit := d.Word(t.Name); fit == dialect.Unsaid {
		return nil, usageError{fmt.Errorf("--dialect: %s has no word for %s", name, t.Name)}
	}
	return d.Render(dialect.Message{
		ID: exampleID, Type: t.Name, Time: time.Now(), Tenant: "acme", Payload: t.Sample,
	})
}

// exampleID is a message's id in samples.
const exampleID = "msg_0tyj9Ub7s0zg9WEbvAy1XFFn4NR"

// writeJSON prints a value for people and programs alike.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
