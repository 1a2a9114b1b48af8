package shape

import (
	"maps"
	"strings"
)

// Schema is the JSON Schema of the vendor's object.
func (f *Form) Schema() map[string]any {
	properties := map[string]any{}
	for i := range f.fields {
		properties[f.fields[i].Key] = f.fields[i].schema(f.absent)
	}
	return map[string]any{"type": "object", "properties": properties}
}

func (one *field) schema(absent Absent) map[string]any {
	schema := one.As.describe()
	if absent == Null && !one.Optional && !one.As.list {
		schema = nullable(schema)
	}
	if one.Choice != "" {
		schema["description"] = "Callboard's choice: " + one.Choice
	}
	return schema
}

// describe is the schema of a kind, free to change.
func (k Kind) describe() map[string]any {
	if k.form == nil {
		return maps.Clone(k.schema)
	}
	if k.list {
		return map[string]any{"type": "array", "items": k.form.Schema()}
	}
	return k.form.Schema()
}

// nullable is a schema that admits null, too.
func nullable(schema map[string]any) map[string]any {
	switch t := schema["type"].(type) {
	case string:
		schema["type"] = []string{t, "null"}
	case []string:
		schema["type"] = append(t[:len(t):len(t)], "null")
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

// Rows lists the form's fields and those of what it holds, in the vendor's order.
func (f *Form) Rows() []Row { return f.rows(nil, "", map[*Form]bool{}) }

func (f *Form) rows(rows []Row, prefix string, met map[*Form]bool) []Row {
	if met[f] {
		return rows // a session holds sessions
	}
	met[f] = true
	defer delete(met, f)
	for i := range f.fields {
		one := &f.fields[i]
		row := Row{Path: prefix + one.Key, Form: one.As.name, Choice: one.Choice, Absent: f.written(one)}
		row.From = one.source()
		rows = append(rows, row)
		if one.As.form == nil {
			continue
		}
		below := row.Path + "."
		if one.As.list {
			below = row.Path + "[]."
		}
		rows = one.As.form.rows(rows, below, met)
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
