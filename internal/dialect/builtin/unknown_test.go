package builtin_test

import (
	"reflect"

	"github.com/callboard/callboard/wire"
)

// findUnknown lists the members in any field of the type wire.Fields below a value.
func findUnknown(v any) []string {
	var found []string
	collect(reflect.ValueOf(v), &found)
	return found
}

var fieldsType = reflect.TypeFor[wire.Fields]()

func collect(v reflect.Value, found *[]string) {
	switch {
	case !v.IsValid():
	case v.Type() == fieldsType:
		for _, f := range v.Interface().(wire.Fields) {
			*found = append(*found, f.Name)
		}
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), found)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				collect(v.Field(i), found)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), found)
		}
	}
}
