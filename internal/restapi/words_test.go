package restapi_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/restapi"
)

// TestWordsForPeople: what huma demands, as those are told who have to mend it.
func TestWordsForPeople(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		message string
		args    []any
		want    string
		member  string
	}{
		{validation.MsgExpectedMinimumNumber, []any{1.0}, "must be at least 1", ""},
		{validation.MsgExpectedMaximumNumber, []any{65535.0}, "must be at most 65535", ""},
		{validation.MsgExpectedMaximumNumber, []any{8640000.0}, "must be at most 8640000", ""},
		{validation.MsgExpectedExclusiveMinimumNumber, []any{0.5}, "must be more than 0.5", ""},
		{validation.MsgExpectedExclusiveMaximumNumber, []any{-2.0}, "must be less than -2", ""},
		{validation.MsgExpectedNumberBeMultipleOf, []any{100.0}, "must be a multiple of 100", ""},
		{validation.MsgExpectedOneOf, []any{"strict, warn"}, "must be one of strict, warn", ""},
		{validation.MsgExpectedMinLength, []any{1}, "must not be empty", ""},
		{validation.MsgExpectedMinLength, []any{8}, "must have at least 8 characters", ""},
		{validation.MsgExpectedMaxLength, []any{1024}, "must have at most 1024 characters", ""},
		{validation.MsgExpectedMinItems, []any{1}, "must not be empty", ""},
		{validation.MsgExpectedMaxItems, []any{5}, "must have at most 5 items", ""},
		{validation.MsgExpectedMinProperties, []any{2}, "must have at least 2 members", ""},
		{validation.MsgExpectedMaxProperties, []any{1}, "must have at most 1 member", ""},
		{validation.MsgExpectedBePattern, []any{"a colour such as #a1b2c3"}, "must be a colour such as #a1b2c3", ""},
		{validation.MsgExpectedMatchPattern, []any{`^[a-z]+: %$`}, `must match the pattern ^[a-z]+: %$`, ""},
		{validation.MsgExpectedRequiredProperty, []any{"url"}, "is required", "url"},
		{validation.MsgExpectedDependentRequiredProperty, []any{"tokenHeader", "token"}, "is required beside token", "tokenHeader"},
		{validation.MsgUnexpectedProperty, nil, "holds a field that is not known here", ""},
		{validation.MsgExpectedRFC5322Email, []any{"mail: no address in c4n4ry"}, "must be an email address", ""},
		{"required query parameter is missing", nil, "is required", ""},
		{"invalid date/time for format 2006-01-02T15:04:05Z07:00", nil, "must be an RFC 3339 time such as 2027-06-10T09:00:00Z", ""},
		{"invalid value: c4n4ry", nil, "is not valid", ""},
		{"something new about c4n4ry", nil, "is not valid", ""},
	} {
		got, member := restapi.Reworded(said(row.message, row.args...))
		if diff := cmp.Diff([]string{row.want, row.member}, []string{got, member}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.message, diff)
		}
	}
}

// TestWordsForAllOfHumas: each message that huma's validation has is put into other words,
// also those that a new version brings. What follows a colon there may be the refused value.
func TestWordsForAllOfHumas(t *testing.T) {
	t.Parallel()
	messages := humasMessages(t)
	if len(messages) < 40 {
		t.Fatalf("only %d messages were found", len(messages))
	}
	for name, message := range messages {
		args := make([]any, strings.Count(message, "%"))
		for i := range args {
			args[i] = "seven"
			if strings.Contains(message, "%d") {
				args[i] = 7
			}
			if strings.Contains(message, ": %v") {
				args[i] = "c4n4ry"
			}
		}
		words, _ := restapi.Reworded(said(message, args...))
		if words == "is not valid" || strings.Contains(words, "expected") || strings.ContainsAny(words, "%<>!") || strings.Contains(words, "c4n4ry") {
			t.Errorf("%s, %q: %q", name, message, words)
		}
	}
}

func said(message string, args ...any) string {
	if len(args) == 0 {
		return message
	}
	return fmt.Sprintf(message, args...)
}

// humasMessages reads the messages out of huma's source, by their names there.
func humasMessages(t *testing.T) map[string]string {
	t.Helper()
	pkg, err := build.Import("github.com/danielgtaylor/huma/v2/validation", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(pkg.Dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
					if messages[spec.Names[i].Name], err = strconv.Unquote(text.Value); err != nil {
						t.Error(err)
					}
				}
			}
			return true
		})
	}
	return messages
}
