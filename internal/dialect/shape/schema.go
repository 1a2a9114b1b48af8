package shape

import (
	"maps"
	"slices"
	"strings"
)

// Described is a dialect that can tell what its bodies are made of. Native is none: its
// bodies are the payloads.
type Described interface {
	// Form describes the body of a webhook about an event type that the dialect says.
	Form(eventType string) *Form
}

// Schema is the JSON Schema of the vendor's object.
func (f *Form) Schema() map[string]any { return f.schema(map[*Form]bool{}) }

func (f *Form) schema(met map[*Form]bool) map[string]any {
	if met[f] {
		return map[string]any{"type": "object"} // a session holds sessions
	}
	met[f] = true
	defer delete(met, f)
	properties := map[string]any{}
	for i := range f.fields {
		properties[f.fields[i].Key] = f.fields[i].schema(f.absent, met)
	}
	return map[string]any{"type": "object", "properties": properties}
}

func (one *field) schema(absent Absent, met map[*Form]bool) map[string]any {
	schema := one.As.describe(met)
	if absent == Null && !one.Optional && !one.As.list {
		schema = nullable(schema)
	}
	if one.Choice != "" {
		schema["description"] = "Callboard's choice: " + one.Choice
	}
	return schema
}

// describe is the schema of a kind, free to change. met are the forms around it.
func (k Kind) describe(met map[*Form]bool) map[string]any {
	switch {
	case k.form == nil && k.schema == nil: // a Maker's
		return map[string]any{}
	case k.form == nil:
		return maps.Clone(k.schema)
	case k.list:
		return map[string]any{"type": "array", "items": k.form.schema(met)}
	case k.quoted:
		return map[string]any{"type": "string", "contentMediaType": "application/json", "contentSchema": k.form.schema(met)}
	}
	return k.form.schema(met)
}

// nullable is a schema that admits null, too.
func nullable(schema map[string]any) map[string]any {
	switch t := schema["type"].(type) {
	case string:
		schema["type"] = []string{t, "null"}
	case []string:
		schema["type"] = append(slices.Clip(t), "null")
	}
	return schema
}

// Row is a line of the page on fidelity: one field of a vendor's.
type Row struct {
	Path   string // such as event.startDate; [] marks the elements of a list
	Form   string // of the value, for people
	From   string // where in Callboard's data, or what else the value is
	Absent string // what is written where there is no value
	Choice string // "" = documented
}

// Name is what the object is called in documents.
func (f *Form) Name() string { return f.name }

// Inner lists the forms of the objects that a form holds, and of the elements of its
// lists, each time that one stands there.
func (f *Form) Inner() []*Form {
	var inner []*Form
	for i := range f.fields {
		if below := f.fields[i].As.form; below != nil {
			inner = append(inner, below)
		}
	}
	return inner
}

// Rows lists the form's fields and those of what it holds, in the vendor's order. Of
// the forms that are told apart only the name is given, in Row.Form.
func (f *Form) Rows(apart ...*Form) []Row { return f.rows(nil, "", append(apart, f)) }

// rows adds the form's rows; of what is in met it adds no rows: a session holds
// sessions.
func (f *Form) rows(rows []Row, prefix string, met []*Form) []Row {
	for i := range f.fields {
		one := &f.fields[i]
		row := Row{Path: prefix + one.Key, Form: one.As.name, From: one.source(), Absent: f.written(one), Choice: one.Choice}
		below := one.As.form
		if below != nil && slices.Contains(met, below) {
			row.Form += ": " + below.name
			below = nil
		}
		rows = append(rows, row)
		switch {
		case below != nil && one.As.list:
			rows = below.rows(rows, row.Path+"[].", append(slices.Clip(met), below))
		case below != nil:
			rows = below.rows(rows, row.Path+".", append(slices.Clip(met), below))
		}
	}
	return rows
}

// written says what stands where a field has no value.
func (f *Form) written(one *field) string {
	switch {
	case one.As.list && !one.Optional:
		return "[]"
	case f.absent == Null && !one.Optional:
		return "null"
	}
	return "left out"
}

// source says where a field's value comes from.
func (one *field) source() string {
	switch {
	case one.Make.Append != nil:
		return one.Make.Says
	case one.As.gather:
		return ""
	case one.Else.Append != nil:
		return paths(one.from) + ", else " + one.Else.Says
	}
	return paths(one.from)
}

func paths(from [][]string) string {
	all := make([]string, len(from))
	for i, p := range from {
		all[i] = strings.Join(p, ".")
	}
	return strings.Join(all, ", else ")
}
