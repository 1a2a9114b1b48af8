package native_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/wire/native"
)

// TestCatalog holds the package to the catalogue of event types by which Callboard checks
// messages: the same types, and a field for every member of the samples.
func TestCatalog(t *testing.T) {
	t.Parallel()
	var want []native.Type
	for _, typ := range catalog.New().Types() {
		want = append(want, native.Type(typ.Name))
		w := decode(t, string(typ.Sample))
		if _, is := w.Data.(*native.Other); is || w.Type != native.Type(typ.Name) {
			t.Errorf("%s: data of %s is a %T", typ.Name, w.Type, w.Data)
		}
		if unknown := unknownIn(reflect.ValueOf(w)); len(unknown) > 0 {
			t.Errorf("%s: members without a field: %v", typ.Name, unknown)
		}
	}
	got := native.Types()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-catalogue +package):\n%s", diff)
	}
}
