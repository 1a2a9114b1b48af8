package shape_test

import (
	"strings"
	"testing"

	"github.com/callboard/callboard/internal/dialect/shape"
)

// An object of forty fields, all given in the form's order, as a contact is.
func BenchmarkRender(b *testing.B) {
	var fields []shape.Field
	var members []string
	for i := range 40 {
		name := "member" + string(rune('a'+i/10)) + string(rune('0'+i%10))
		kind, value := shape.Text(), `"a text of usual length"`
		if i%8 == 0 {
			kind, value = shape.Seconds(), `"2027-03-04T05:06:07.891Z"`
		}
		fields = append(fields, shape.Field{Key: "vendor_" + name, From: name, As: kind})
		members = append(members, `"`+name+`":`+value)
	}
	form := shape.New("object", shape.Null, fields...).Passing()
	m := message("{" + strings.Join(members, ",") + "}")
	b.SetBytes(int64(len(m.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := shape.Render(m, "WORD", func(b []byte, s *shape.Source) ([]byte, error) { return form.Append(b, s.Data, s) })
		if err != nil {
			b.Fatal(err)
		}
	}
}
