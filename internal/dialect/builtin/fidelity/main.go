// Command fidelity writes docs/fidelity.md; see builtin.Fidelity. Its argument is the
// file.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/callboard/callboard/internal/dialect/builtin"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("takes the file to write, got %d arguments", len(args))
	}
	var page bytes.Buffer
	if err := builtin.Fidelity(&page); err != nil {
		return err
	}
	return os.WriteFile(args[0], page.Bytes(), 0o644)
}
