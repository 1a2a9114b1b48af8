package transfer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/transfer"
)

func TestResume(t *testing.T) {
	t.Parallel()
	mine, other := []byte("mine"), []byte("other")
	half := &transfer.Progress{State: "a", Table: transfer.Messages, After: []string{"message", "7"}, Rows: 9}
	whole := &transfer.Progress{State: "a", Table: transfer.Attempts, Rows: 20, FinishedAt: time.Unix(1, 0).UTC()}
	start := transfer.Progress{State: "a", Table: transfer.Orgs}
	for _, tt := range []struct {
		name  string
		found transfer.Found
		state string // of the source
		want  transfer.Progress
		fresh bool
		err   error
	}{
		{name: "nothing", state: "a", want: start, fresh: true},
		{name: "no rows, but a key", found: transfer.Found{IDKey: other}, state: "a", want: start, fresh: true},
		{name: "rows", found: transfer.Found{IDKey: other, Filled: transfer.Apps}, state: "a", err: transfer.ErrNotEmpty},
		{name: "rows under the same key", found: transfer.Found{IDKey: mine, Filled: transfer.Apps}, state: "a", err: transfer.ErrNotEmpty},
		{name: "half of this", found: transfer.Found{IDKey: mine, Progress: half, Filled: transfer.Apps}, state: "a", want: *half},
		{name: "half of this, no rows yet", found: transfer.Found{IDKey: mine, Progress: &start}, state: "a", want: start},
		{name: "half of this, as it was", found: transfer.Found{IDKey: mine, Progress: half, Filled: transfer.Apps}, state: "b", err: transfer.ErrChanged},
		{name: "half of another", found: transfer.Found{IDKey: other, Progress: half, Filled: transfer.Apps}, state: "a", err: transfer.ErrOtherSource},
		{name: "half of another, no rows yet", found: transfer.Found{IDKey: other, Progress: half}, state: "a", err: transfer.ErrOtherSource},
		{name: "all of this", found: transfer.Found{IDKey: mine, Progress: whole, Filled: transfer.Apps}, state: "a", want: *whole},
		{name: "all of this, as it was", found: transfer.Found{IDKey: mine, Progress: whole, Filled: transfer.Apps}, state: "b", want: *whole},
		{name: "all of another", found: transfer.Found{IDKey: other, Progress: whole, Filled: transfer.Apps}, state: "a", err: transfer.ErrNotEmpty},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, fresh, err := tt.found.Resume(&transfer.Origin{IDKey: mine, State: tt.state})
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || fresh != tt.fresh {
				t.Errorf("fresh %v, want %v; progress (-want +got):\n%s", fresh, tt.fresh, diff)
			}
		})
	}
}

func TestProgressDocument(t *testing.T) {
	t.Parallel()
	for _, want := range []transfer.Progress{
		{State: "a", Table: transfer.Orgs},
		{State: "a", Table: transfer.EventTypes, After: []string{"event_type", "org_1", `a"b`}, Rows: 1 << 40, FinishedAt: time.Unix(1, 5).UTC()},
	} {
		doc, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := transfer.DecodeProgress(doc)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
	if _, err := transfer.DecodeProgress([]byte(`{`)); err == nil {
		t.Error("half a document was read")
	}
}
