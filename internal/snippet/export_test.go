package snippet

import "github.com/callboard/callboard/internal/dialect"

// Untyped is the code for TypeScript without its types, for a Node that knows none.
func Untyped(d dialect.Dialect) (string, error) {
	s, f, _ := factsOf(d)
	c, err := code(s.name, f, false)
	return c.TypeScript, err
}
