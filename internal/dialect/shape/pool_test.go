package shape

import (
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/callboard/callboard/internal/dialect"
)

// A reader that waits for its next use holds nothing of the last one: neither its text
// nor room for an object that was unusually large.
func TestReaderLetsGo(t *testing.T) {
	t.Parallel()
	for _, members := range []int{3, 2 * maxKept} {
		text := Value(`{"a":{"b":[1,2]}` + strings.Repeat(`,"m":0`, members) + `}`)
		held := weak.Make(&text[0])
		r := &reader{}
		if _, err := r.object(text); err != nil {
			t.Fatal(err)
		}
		if room := cap(r.members); members > maxKept && room <= maxKept {
			t.Fatalf("the object was too small: room for %d members", room)
		}
		r.empty()
		text = nil
		runtime.GC()
		if held.Value() != nil {
			t.Errorf("after %d members an empty reader holds the text that it read", members)
		}
		if cap(r.members) > maxKept {
			t.Errorf("an empty reader has room for %d members", cap(r.members))
		}
		again, err := r.object(Value(`{"b":2}`))
		if err != nil || string(again.Get("b")) != "2" || again.Get("a") != nil {
			t.Errorf("used again it reads %s, %v", again.Get("b"), err)
		}
	}
}

// A render that fails in the middle of nested objects leaves its reader as it was.
func TestReaderAfterFailure(t *testing.T) {
	t.Parallel()
	f := New("f", Omit, Field{Key: "a", As: Nested(New("g", Omit, Field{Key: "b", As: Bool()}))})
	r := &reader{}
	s := &Source{Message: dialect.Message{}, reader: r}
	for _, text := range []string{`{"a":{"b":1}}`, `{"a":[]}`, `{"a":{"b"`} {
		mark := r.mark()
		if _, err := f.appendText(nil, Value(text), s); err == nil {
			t.Errorf("%s was written", text)
		}
		if r.mark() != mark || r.depth != 0 {
			t.Errorf("after %s the reader has %d members and depth %d", text, r.mark(), r.depth)
		}
	}
	b, err := f.appendText(nil, Value(`{"a":{"b":true}}`), s)
	if err != nil || string(b) != `{"a":{"b":true}}` {
		t.Errorf("then it writes %s, %v", b, err)
	}
}
