package catalog

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// ObjectSchemas are the JSON schemas of the objects that messages carry, such as event or
// contact, by their names. They refer to one another by "#/$defs/" and the name. The map
// is the caller's.
func ObjectSchemas() map[string]jsontext.Value {
	schemas := map[string]jsontext.Value{}
	err := readEach("schema/def/*.json", func(name string, schema jsontext.Value) error {
		schemas[name] = schema
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("catalog: %v", err)) // they are part of the program
	}
	return schemas
}
