package id_test

import (
	"bytes"
	"math/big"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/id"
	"pgregory.net/rapid"
)

func newCodec(t testing.TB, fill byte) *id.Codec {
	t.Helper()
	c, err := id.NewCodec(bytes.Repeat([]byte{fill}, id.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		want := id.ID(rapid.Int64Range(1, 1<<62).Draw(t, "id"))
		kind := id.Kind(rapid.IntRange(int(id.App), int(id.Received)).Draw(t, "kind"))
		text := codec.Encode(kind, want)
		if !strings.HasPrefix(text, kind.Prefix()) || len(text) != len(kind.Prefix())+27 {
			t.Fatalf("Encode = %q: want the prefix %q and 27 characters", text, kind.Prefix())
		}
		got, ok := codec.Decode(kind, text)
		if !ok || got != want {
			t.Fatalf("Decode(%q) = %d, %v; want %d", text, got, ok, want)
		}
	})
}

// TestBase62 compares the hand-written base conversion with math/big, by way of
// orgs, whose 20 bytes a caller chooses.
func TestBase62(t *testing.T) {
	t.Parallel()
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	rapid.Check(t, func(t *rapid.T) {
		raw := [20]byte(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "raw"))
		n := new(big.Int).SetBytes(raw[:])
		var want []byte
		for range 27 {
			rem := new(big.Int)
			n.DivMod(n, big.NewInt(62), rem)
			want = append([]byte{digits[rem.Int64()]}, want...)
		}
		got := id.OrgFromBytes(raw)
		if got != "org_"+string(want) {
			t.Fatalf("OrgFromBytes(%x) = %q, want org_%s", raw, got, want)
		}
		if !id.WellFormedOrg(got) {
			t.Fatalf("WellFormedOrg(%q) = false", got)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, 1)
	good := codec.Encode(id.Message, 12345678901)
	changed := []byte(good)
	changed[len(changed)-1] ^= 1
	if changed[len(changed)-1] == 'z'+1 {
		changed[len(changed)-1] = '0'
	}
	rows := map[string]string{
		"empty":                     "",
		"prefix alone":              "msg_",
		"one character changed":     string(changed),
		"another kind":              "app_" + good[4:],
		"too long":                  good + "0",
		"too short":                 good[:len(good)-1],
		"foreign character":         good[:10] + "!" + good[11:],
		"number beyond 160 bits":    "msg_" + strings.Repeat("z", 27),
		"id zero":                   codec.Encode(id.Message, 0),
		"negative id":               codec.Encode(id.Message, -1),
		"issued under another key":  newCodec(t, 2).Encode(id.Message, 12345678901),
		"kind swapped with its MAC": "msg_" + codec.Encode(id.Attempt, 12345678901)[6:],
	}
	for name, text := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := codec.Decode(id.Message, text); ok {
				t.Errorf("Decode(%q) = %d, want it refused", text, got)
			}
		})
	}
}

func TestEncodedIDsSortLikeIDs(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, 1)
	gen, err := id.NewGenerator(3, 0)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var texts []string
	for i := range 2000 {
		texts = append(texts, codec.Encode(id.Message, gen.Next(now.Add(time.Duration(i)*time.Millisecond/3))))
	}
	if !sort.StringsAreSorted(texts) {
		t.Error("external ids do not sort in the order in which they were taken")
	}
}

func TestGeneratorAscends(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		last := id.ID(rapid.Int64Range(0, 1<<60).Draw(t, "last"))
		gen, err := id.NewGenerator(rapid.IntRange(0, id.MaxNode).Draw(t, "node"), last)
		if err != nil {
			t.Fatal(err)
		}
		now := time.UnixMilli(rapid.Int64Range(1577836800000, 1900000000000).Draw(t, "ms"))
		for range 200 {
			// The clock may stand, run, jump or go backwards.
			now = now.Add(time.Duration(rapid.Int64Range(-5000, 5000).Draw(t, "step")) * time.Millisecond)
			next := gen.Next(now)
			if next <= last {
				t.Fatalf("Next = %d after %d: ids must ascend", next, last)
			}
			last = next
		}
	})
}

func TestGeneratorBorrowsFromTheNextMillisecond(t *testing.T) {
	t.Parallel()
	gen, err := id.NewGenerator(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var last id.ID
	for range 1<<13 + 1 {
		last = gen.Next(now)
	}
	if want := now.Add(time.Millisecond); !last.Time().Equal(want) {
		t.Errorf("the id after a full millisecond is of %v, want %v", last.Time(), want)
	}
}

func TestAtTimeBoundsIDs(t *testing.T) {
	t.Parallel()
	gen, err := id.NewGenerator(id.MaxNode, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	taken := gen.Next(at)
	if bound := id.AtTime(at); bound > taken {
		t.Errorf("AtTime(%v) = %d is above an id of that time, %d", at, bound, taken)
	}
	if bound := id.AtTime(at.Add(time.Millisecond)); bound <= taken {
		t.Errorf("AtTime a millisecond later = %d is not above %d", bound, taken)
	}
	if got := id.AtTime(time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)); got != 0 {
		t.Errorf("AtTime before the epoch = %d, want 0", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := id.NewCodec(make([]byte, id.KeyBytes-1)); err == nil {
		t.Error("NewCodec took a short key")
	}
	for _, node := range []int{-1, id.MaxNode + 1} {
		if _, err := id.NewGenerator(node, 0); err == nil {
			t.Errorf("NewGenerator took node %d", node)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	codec := newCodec(b, 1)
	b.ReportAllocs()
	for i := range b.N {
		codec.Encode(id.Message, id.ID(i+1))
	}
}

func FuzzDecode(f *testing.F) {
	codec, err := id.NewCodec(make([]byte, id.KeyBytes))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(codec.Encode(id.Message, 42))
	f.Add("msg_")
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := codec.Decode(id.Message, text); ok && codec.Encode(id.Message, got) != text {
			t.Errorf("Decode(%q) = %d, which encodes as something else", text, got)
		}
	})
}
