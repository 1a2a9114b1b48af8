package shape_test

import (
	"errors"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// about writes the object in the data that is called so, as the dialects of a kind do
// that write about one object.
func about(name string, f *shape.Form, data string) (string, error) {
	b, err := shape.Render(message(data), "WORD", func(b []byte, s *shape.Source) (_ []byte, err error) {
		if s.About, err = s.Object(name); err != nil {
			return b, err
		}
		return f.Append(b, s.About, s)
	})
	return string(b), err
}

// TestInData: a field may take its value from beside the object, and a Maker look at
// the object itself.
func TestInData(t *testing.T) {
	t.Parallel()
	form := shape.New("pet", shape.Null,
		shape.Field{Key: "id", As: shape.ID()},
		shape.Field{Key: "owner", From: "person.id", InData: true, As: shape.ID()},
		shape.Field{Key: "mark", Make: shape.Maker{Append: func(b []byte, s *shape.Source) []byte {
			return shape.AppendQuote(b, s.About.Get("id").ID()+"!")
		}}},
	).Passing()
	for data, want := range map[string]string{
		`{"pet":{"id":1},"person":{"id":2}}`:                      `{"id":"1","owner":"2","mark":"1!"}`,
		`{"pet":{"id":1}}`:                                        `{"id":"1","owner":null,"mark":"1!"}`,
		`{"pet":{"id":1,"person":{"id":3},"owner":4,"tail":5}}`:   `{"id":"1","owner":null,"mark":"1!","tail":5}`,
		`{"pet":{"id":1,"mark":"none"},"person":[{"id":2},null]}`: `{"id":"1","owner":"2","mark":"1!"}`,
	} {
		got, err := about("pet", form, data)
		if err != nil {
			t.Errorf("%s: %v", data, err)
		}
		check(t, want, got)
	}
	for data, want := range map[string]string{
		`{}`:                              "pet must be an object",
		`{"pet":null}`:                    "pet must be an object",
		`{"pet":["x"]}`:                   "pet must be an object",
		`{"pet":{},"person":{"id":true}}`: "owner must be a string or a number",
	} {
		_, err := about("pet", form, data)
		wantError(t, err, want)
	}
}

// TestIf: a field has no value where it says so, whatever the data has.
func TestIf(t *testing.T) {
	t.Parallel()
	form := shape.New("pet", shape.Null, shape.Field{
		Key: "id", As: shape.ID(), Else: shape.Fixed("none"),
		If: func(s *shape.Source) bool { return s.Data.Get("stray").None() },
	})
	check(t, `{"id":"1"}`, mustRender(t, form, `{"id":1}`))
	check(t, `{"id":"none"}`, mustRender(t, form, `{}`))
	check(t, `{"id":null}`, mustRender(t, form, `{"id":1,"stray":true}`))
	check(t, `{"id":null}`, mustRender(t, form, `{"stray":true}`))
}

// TestSpelled: in a form that passes members, one that is spelled as the vendor does
// counts where there is no other, and stands there once.
func TestSpelled(t *testing.T) {
	t.Parallel()
	form := shape.New("pet", shape.Omit, shape.Field{Key: "full_name", From: "fullName|name", As: shape.Text()})
	check(t, `{"full_name":"a","rest":[1]}`, mustRender(t, form.Passing(), `{"full_name":"a","rest":[ 1 ]}`))
	check(t, `{"full_name":"b"}`, mustRender(t, form.Passing(), `{"full_name":"a","fullName":"b"}`))
	check(t, `{"full_name":"b"}`, mustRender(t, form.Passing(), `{"name":"b","full_name":"a"}`))
	check(t, `{"full_name":"a"}`, mustRender(t, form.Passing(), `{"name":null,"full_name":"a"}`))
	check(t, `{}`, mustRender(t, form.Passing("rest"), `{"full_name":null,"rest":1}`))
	check(t, `{}`, mustRender(t, form, `{"full_name":"a"}`)) // one that passes none does not
	// The catalogue knows no such member and lets anything in: it passes as it is.
	check(t, `{"full_name":[1]}`, mustRender(t, form.Passing(), `{"full_name":[ 1 ]}`))
}

// TestObjectOfBody reads a member of a webhook that came in.
func TestObjectOfBody(t *testing.T) {
	t.Parallel()
	body, err := shape.Parse([]byte(`{"a":{"b":{"c":1}},"d":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := body.Object("a")
	if err != nil {
		t.Fatal(err)
	}
	check(t, `{"c":1}`, string(a.Get("b")))
	for _, name := range []string{"d", "e"} {
		if _, err := body.Object(name); !errors.Is(err, dialect.ErrUnreadable) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
