package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// schema is what the tests look at of a JSON schema.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Defs       map[string]schema `json:"$defs"`
}

func TestComposingIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := composeAll()
	if err != nil {
		t.Fatal(err)
	}
	second, err := composeAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, typ := range first {
		if again := second[i]; typ.Name != again.Name || !bytes.Equal(typ.Schema, again.Schema) || !bytes.Equal(typ.Sample, again.Sample) {
			t.Errorf("%s is not the same when composed again", typ.Name)
		}
	}
}

// TestPiecesAreUsed: a file, a member or a type of the JSON files that no line of the
// table leads to is a typing mistake in one of them.
func TestPiecesAreUsed(t *testing.T) {
	t.Parallel()
	p, err := loadPieces()
	if err != nil {
		t.Fatal(err)
	}
	members, samples, types, defs := map[string]bool{}, map[string]bool{"flat": true}, map[string]bool{}, map[string]bool{}
	for _, line := range coreTypes() {
		types[line.name] = true
		for _, m := range line.data {
			members[m.name] = true
			if fragment, _ := p.members.get(m.name); !m.unshown && len(refs(fragment)) > 0 && p.samples[m.sampleName()] != nil {
				samples[m.sampleName()] = true
			}
		}
	}
	for _, f := range p.members {
		used, err := p.closure(refs(f.value))
		if err != nil {
			t.Fatal(err)
		}
		for _, def := range used {
			defs[def.name] = true
		}
	}
	names := func(o object) (all []string) {
		for _, f := range o {
			all = append(all, f.name)
		}
		slices.Sort(all)
		return all
	}
	for what, pair := range map[string][2][]string{
		"schema/members.json": {slices.Sorted(maps.Keys(members)), names(p.members)},
		"schema/def":          {slices.Sorted(maps.Keys(defs)), slices.Sorted(maps.Keys(p.defs))},
		"sample/object":       {slices.Sorted(maps.Keys(samples)), slices.Sorted(maps.Keys(p.samples))},
		"sample/types.json":   {slices.Sorted(maps.Keys(types)), slices.Sorted(maps.Keys(p.types))},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-used +there):\n%s", what, diff)
		}
	}
}

// TestTwins: definitions that repeat each other, so that no schema refers to itself, say
// the same.
func TestTwins(t *testing.T) {
	t.Parallel()
	p, err := loadPieces()
	if err != nil {
		t.Fatal(err)
	}
	for _, twins := range [][2]string{{"session", "subsession"}, {"location", "place"}} {
		var of [2]map[string]any
		for i, name := range twins {
			if err := json.Unmarshal(p.defs[name].schema, &of[i]); err != nil {
				t.Fatal(err)
			}
		}
		one, other := of[0]["properties"].(map[string]any), of[1]["properties"].(map[string]any)
		delete(one, "subsessions")
		if diff := cmp.Diff(one, other); diff != "" {
			t.Errorf("%v:\n%s", twins, diff)
		}
	}
}

// TestNoSchemaRefersToItself keeps what a check costs, and how long a problem's Loc can
// be, apart from how deep a payload is nested.
func TestNoSchemaRefersToItself(t *testing.T) {
	t.Parallel()
	p, err := loadPieces()
	if err != nil {
		t.Fatal(err)
	}
	for name, def := range p.defs {
		reached, err := p.closure(def.refs)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := reached.get(name); ok {
			t.Errorf("schema/def/%s.json refers to itself", name)
		}
	}
}

// TestSamplesAreDescribed: each member of a sample is one that its schema knows.
func TestSamplesAreDescribed(t *testing.T) {
	t.Parallel()
	for _, typ := range core() {
		s, sample := parsed[schema](t, typ.Schema), parsed[any](t, typ.Sample)
		var walk func(at string, known []schema, v any)
		walk = func(at string, known []schema, v any) {
			switch v := v.(type) {
			case map[string]any:
				for name, value := range v {
					inner := properties(s, known, name)
					if len(inner) == 0 {
						t.Errorf("%s: the schema does not describe %s", typ.Name, path.Join(at, name))
					} else if !isOpen(inner) {
						walk(path.Join(at, name), inner, value)
					}
				}
			case []any:
				for _, item := range v {
					if items := itemsOf(s, known); len(items) > 0 && !isOpen(items) {
						walk(path.Join(at, "0"), items, item)
					}
				}
			}
		}
		walk("", []schema{s}, sample)
	}
}

// TestSamplesShowAll: what a schema describes of an object of data is in one sample or
// another, but the organization, which the app gives.
func TestSamplesShowAll(t *testing.T) {
	t.Parallel()
	described, shown := map[string]bool{}, map[string]bool{}
	for _, typ := range core() {
		s, data := parsed[schema](t, typ.Schema), parsed[map[string]any](t, typ.Sample)["data"].(map[string]any)
		for name, member := range s.Properties["data"].Properties {
			described[name] = true
			for _, def := range resolve(s, []schema{member}) {
				for inner := range def.Properties {
					described[name+"."+inner] = true
				}
			}
		}
		for name, value := range data {
			shown[name] = true
			if o, ok := value.(map[string]any); ok {
				for inner := range o {
					shown[name+"."+inner] = true
				}
			}
		}
	}
	for name := range shown {
		delete(described, name)
	}
	maps.DeleteFunc(described, func(name string, _ bool) bool {
		return strings.HasSuffix(name, ".organizationId") || name == "speaker.deletedAt"
	})
	if len(described) > 0 {
		t.Errorf("no sample shows %v", slices.Sorted(maps.Keys(described)))
	}
}

func parsed[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// resolve adds to schemas those that they refer to.
func resolve(root schema, schemas []schema) []schema {
	var all []schema
	for queue := slices.Clone(schemas); len(queue) > 0; queue = queue[1:] {
		all = append(all, queue[0])
		if name, ok := strings.CutPrefix(queue[0].Ref, "#/$defs/"); ok {
			queue = append(queue, root.Defs[name])
		}
	}
	return all
}

// properties are the schemas of a member of an object that these schemas are of.
func properties(root schema, of []schema, name string) []schema {
	var all []schema
	for _, s := range of {
		if p, ok := s.Properties[name]; ok {
			all = append(all, p)
		}
	}
	return resolve(root, all)
}

func itemsOf(root schema, of []schema) []schema {
	var all []schema
	for _, s := range of {
		if s.Items != nil {
			all = append(all, *s.Items)
		}
	}
	return resolve(root, all)
}

// isOpen reports whether schemas describe nothing of what is inside.
func isOpen(schemas []schema) bool {
	return !slices.ContainsFunc(schemas, func(s schema) bool { return len(s.Properties) > 0 || s.Items != nil })
}

// BenchmarkCompose is what the first look at the catalogue pays.
func BenchmarkCompose(b *testing.B) {
	for b.Loop() {
		if _, err := composeAll(); err != nil {
			b.Fatal(err)
		}
	}
}
