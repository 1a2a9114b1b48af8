package catalog_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/catalog"
)

func TestObjectSchemas(t *testing.T) {
	t.Parallel()
	schemas := catalog.ObjectSchemas()
	for _, name := range []string{"event", "session", "registration", "contact", "company", "conversation", "participant"} {
		if schemas[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	ref := regexp.MustCompile(`"\$ref":\s*"([^"]*)"`)
	for name, schema := range schemas {
		if !schema.IsValid() {
			t.Errorf("%s is no JSON", name)
		}
		for _, match := range ref.FindAllSubmatch(schema, -1) {
			to := strings.TrimPrefix(string(match[1]), "#/$defs/")
			if _, known := schemas[to]; !known {
				t.Errorf("%s refers to %s, which is not there", name, match[1])
			}
		}
	}
}
