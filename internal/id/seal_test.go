package id_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/callboard/callboard/internal/id"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	codec, again, stranger := newCodec(t, 1), newCodec(t, 1), newCodec(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) id.ID {
			return id.ID(rapid.Int64Range(1, 1<<62).Draw(t, "id"))
		}), 0, 5).Draw(t, "ids")
		text := codec.Seal(want)
		got, ok := again.Unseal(text) // of another process, or after a restart
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Fatalf("Unseal: %v %s", ok, diff)
		}
		if _, ok := stranger.Unseal(text); ok {
			t.Fatal("another installation reads it")
		}
		if text == codec.Seal(want) {
			t.Fatal("the same ids look the same twice")
		}
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range want {
			if bytes.Contains(raw, binary.BigEndian.AppendUint64(nil, uint64(i))) {
				t.Fatal("an id shows")
			}
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, ok := codec.Unseal(base64.RawURLEncoding.EncodeToString(raw)); ok {
			t.Fatal("it was changed, and is read")
		}
	})
	for _, text := range []string{"", "0", "x", "!", codec.Encode(id.Attempt, 7), codec.Seal(nil)[1:], codec.Seal(nil) + "A"} {
		if _, ok := codec.Unseal(text); ok {
			t.Errorf("Unseal(%q) is true", text)
		}
	}
}
