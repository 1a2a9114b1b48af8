package accepted_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/bench/internal/accepted"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accepted")
	want := accepted.Table{First: 100, IDs: []uint64{7, 0, 1 << 63}}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := accepted.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for seq, id := range map[uint64]uint64{99: 0, 100: 7, 101: 0, 102: 1 << 63, 103: 0} {
		if got.ID(seq) != id {
			t.Errorf("ID(%d) = %d, want %d", seq, got.ID(seq), id)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "torn")
	if err := os.WriteFile(path, make([]byte, 12), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, path + ".missing"} {
		if _, err := accepted.Read(path); err == nil {
			t.Errorf("Read(%s) succeeded", filepath.Base(path))
		}
	}
}
