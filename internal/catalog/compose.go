package catalog

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/callboard/callboard/internal/dialect"
)

//go:embed schema sample
var files embed.FS

// core are the core types, composed once for all catalogues. The slice is the caller's.
func core() []dialect.EventType { return slices.Clone(composed()) }

// composed panics where the pieces do not fit together: they are part of the program,
// and its tests compose them all.
var composed = sync.OnceValue(func() []dialect.EventType {
	types, err := composeAll()
	if err != nil {
		panic(fmt.Sprintf("catalog: %v", err))
	}
	return types
})

// pieces are what schemas and samples are made of.
type pieces struct {
	members object                // schemas of the members of data
	defs    map[string]definition // schemas of the objects that those refer to
	samples map[string]object     // samples of the objects, and "flat", of the members that are none
	types   map[string]object     // per type: its timestamp, and values that differ by their paths in data
}

// definition is one of a schema's $defs.
type definition struct {
	schema jsontext.Value
	refs   []string // the definitions that it refers to itself
}

func composeAll() ([]dialect.EventType, error) {
	p, err := loadPieces()
	if err != nil {
		return nil, err
	}
	lines := coreTypes()
	types := make([]dialect.EventType, 0, len(lines))
	for _, line := range lines {
		t, err := p.compose(line)
		if err != nil {
			return nil, fmt.Errorf("compose %s: %w", line.name, err)
		}
		types = append(types, t)
	}
	return types, nil
}

func loadPieces() (*pieces, error) {
	p := &pieces{defs: make(map[string]definition), samples: make(map[string]object)}
	if err := readFile("schema/members.json", &p.members); err != nil {
		return nil, err
	}
	if err := readFile("sample/types.json", &p.types); err != nil {
		return nil, err
	}
	err := readEach("schema/def/*.json", func(name string, schema jsontext.Value) error {
		p.defs[name] = definition{schema: schema, refs: refs(schema)}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, readEach("sample/object/*.json", func(name string, sample jsontext.Value) error {
		var o object
		err := json.Unmarshal(sample, &o)
		p.samples[name] = o
		return err
	})
}

func readFile(name string, into any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// readEach reads the files of a pattern, each under its name without the ending.
func readEach(pattern string, read func(name string, data jsontext.Value) error) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return err
	}
	for _, file := range names {
		data, err := files.ReadFile(file)
		if err != nil {
			return err
		}
		if err := read(strings.TrimSuffix(path.Base(file), ".json"), data); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
	}
	return nil
}

func (p *pieces) compose(line eventType) (dialect.EventType, error) {
	group, _, _ := strings.Cut(line.name, ".")
	schema, err := p.schema(line)
	if err != nil {
		return dialect.EventType{}, err
	}
	sample, err := p.sample(line)
	if err != nil {
		return dialect.EventType{}, err
	}
	return dialect.EventType{Name: line.name, Group: group, Description: line.description, Schema: schema, Sample: sample}, nil
}

// payloadSchema is the schema of a whole payload, its keys in the order in which people
// read it.
type payloadSchema struct {
	Dialect     string   `json:"$schema"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Required    []string `json:"required,omitempty"`
	Properties  object   `json:"properties"`
	Defs        object   `json:"$defs,omitempty"`
}

// dataSchema is the schema of data.
type dataSchema struct {
	Type       string   `json:"type"`
	Required   []string `json:"required,omitempty"`
	Properties object   `json:"properties"`
}

// schema composes a type's schema: its members, and the definitions that they need.
func (p *pieces) schema(line eventType) ([]byte, error) {
	data := dataSchema{Type: "object"}
	for _, m := range line.data {
		property, err := p.property(m)
		if err != nil {
			return nil, err
		}
		data.Properties.set(m.name, property)
		if m.required {
			data.Required = append(data.Required, m.name)
		}
	}
	var properties object
	properties.set("type", encode(map[string]string{"const": line.name}))
	properties.set("timestamp", jsontext.Value(`{"type":"string","format":"date-time","description":"When it happened."}`))
	properties.set("data", encode(data))
	defs, err := p.closure(refs(encode(data)))
	return encode(payloadSchema{
		Dialect: "https://json-schema.org/draft/2020-12/schema", Title: line.name, Description: line.description,
		Type: "object", Required: []string{"type", "timestamp", "data"}, Properties: properties, Defs: defs,
	}), err
}

// property is the schema of a member of data: an optional one may be null, and a required
// one may have to have members itself.
func (p *pieces) property(m member) (jsontext.Value, error) {
	fragment, ok := p.members.get(m.name)
	if !ok {
		return nil, fmt.Errorf("schema/members.json has no %s", m.name)
	}
	var o object
	if err := json.Unmarshal(fragment, &o); err != nil {
		return nil, err
	}
	if types, ok := o.get("type"); ok && !m.required {
		var names []string
		if err := json.Unmarshal(types, &names); err != nil {
			return nil, err
		}
		o.set("type", encode(append(names, "null")))
	}
	if len(m.asks) > 0 {
		o.set("required", encode(m.asks))
	}
	return encode(o), nil
}

var refPattern = regexp.MustCompile(`"#/\$defs/(\w+)"`)

// refs are the names of the definitions that a schema refers to, sorted.
func refs(schema []byte) []string {
	var names []string
	for _, match := range refPattern.FindAllSubmatch(schema, -1) {
		names = append(names, string(match[1]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// closure are the definitions of these names and all that they refer to in turn, sorted
// by name.
func (p *pieces) closure(names []string) (object, error) {
	var defs object
	for queue := slices.Clone(names); len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if _, done := defs.get(name); done {
			continue
		}
		def, ok := p.defs[name]
		if !ok {
			return nil, fmt.Errorf("schema/def has no %s", name)
		}
		defs.set(name, def.schema)
		queue = append(queue, def.refs...)
	}
	slices.SortFunc(defs, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return defs, nil
}

// sample composes a type's sample: the members that it shows, each with the value that
// all types share, then what is different in this type.
func (p *pieces) sample(line eventType) ([]byte, error) {
	var data, payload object
	for _, m := range line.data {
		if m.unshown {
			continue
		}
		value, err := p.value(m)
		if err != nil {
			return nil, err
		}
		data.set(m.name, value)
	}
	payload.set("type", encode(line.name))
	for _, own := range p.types[line.name] {
		if own.name == "timestamp" {
			payload.set(own.name, own.value)
		} else if err := data.put(strings.Split(own.name, "."), own.value); err != nil {
			return nil, fmt.Errorf("sample/types.json: %s: %w", own.name, err)
		}
	}
	if len(payload) < 2 {
		return nil, fmt.Errorf("sample/types.json has no timestamp")
	}
	payload.set("data", encode(data))
	return encode(payload), nil
}

// value is the sample that all types share of a member.
func (p *pieces) value(m member) (jsontext.Value, error) {
	if o, ok := p.samples[m.sampleName()]; ok {
		return encode(o), nil
	}
	if value, ok := p.samples["flat"].get(m.name); ok {
		return value, nil
	}
	return nil, fmt.Errorf("no sample of %s", m.name)
}

// encode writes a value that is known to be fit for JSON: strings, lists and objects of
// our own.
func encode(v any) jsontext.Value {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("catalog: encode %T: %v", v, err))
	}
	return data
}
