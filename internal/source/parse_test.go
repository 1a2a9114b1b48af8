package source_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/source"
)

// defective is a dialect whose parser panics with the body.
type defective struct{ native.Raw }

func (defective) Name() string { return "defective" }

func (defective) Parse(r dialect.Request) (dialect.Activity, error) { panic(string(r.Body)) }

// TestParse: a parser that panics costs one request, and tells nothing of it.
func TestParse(t *testing.T) {
	t.Parallel()
	if a, err := source.Parse(native.Raw{TypeField: "t"}, dialect.Request{Body: []byte(`{"t":"a.b"}`)}); err != nil || a.Type != "a.b" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := source.Parse(native.Raw{}, dialect.Request{Body: []byte(`[]`)}); !errors.Is(err, dialect.ErrUnreadable) {
		t.Errorf("of a list: %v", err)
	}
	_, err := source.Parse(defective{}, dialect.Request{Body: []byte("private")})
	defect, ok := errors.AsType[*source.DefectError](err)
	if !ok || !errors.Is(err, dialect.ErrUnreadable) {
		t.Fatalf("of a defect: %v", err)
	}
	if defect.Dialect != "defective" || defect.Type != "string" || !strings.Contains(defect.Stack, "defective.Parse") {
		t.Errorf("the defect is %+v", defect)
	}
	if all := err.Error() + defect.Stack; strings.Contains(all, "private") {
		t.Errorf("it tells of the body: %s", all)
	}
}
