package builtin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/builtin"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// TestFidelity keeps the page what the tables say.
func TestFidelity(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := builtin.Fidelity(&page); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "fidelity.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, page.Bytes()) {
		t.Error("docs/fidelity.md is not what go generate ./internal/dialect/builtin writes")
	}
	for _, choice := range []string{"UUID version 8", "address_coutnry", "our choice", "documented"} {
		if !strings.Contains(page.String(), choice) {
			t.Errorf("the page does not mention %q", choice)
		}
	}
}

// TestDescribed: all dialects but native tell what their bodies are made of.
func TestDescribed(t *testing.T) {
	t.Parallel()
	set := dialects()
	for _, name := range set.Names() {
		d, _ := set.Get(name)
		if _, ok := d.(shape.Described); !ok && name != dialect.Native {
			t.Errorf("%s does not tell what its bodies are made of", name)
		}
	}
}
