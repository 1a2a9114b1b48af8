package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		elapsed           time.Duration
		from, done, total int64
		want              string
	}{
		{0, 0, 0, 1000, "[------------------------------]   0 %  0 of 1000 rows"},
		{time.Second, 0, 0, 0, "[##############################] 100 %  0 of 0 rows"},
		{2 * time.Second, 0, 500, 1000, "[###############---------------]  50 %  500 of 1000 rows  250 rows/s  2s left"},
		{2 * time.Second, 400, 500, 1000, "[###############---------------]  50 %  500 of 1000 rows  50 rows/s  10s left"},
		{time.Second, 400, 400, 1000, "[############------------------]  40 %  400 of 1000 rows"},
		{time.Second, 0, 400, -1, "400 rows"},
		{time.Second, 0, 1, -1, "1 row"},
		{time.Millisecond, 0, 1, 1, "[##############################] 100 %  1 of 1 row"},
		{time.Minute, 0, 1000, 1000, "[##############################] 100 %  1000 of 1000 rows  17 rows/s  0s left"},
	} {
		got := describe(tt.elapsed, tt.from, tt.done, tt.total, "rows")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt, diff)
		}
	}
	const size = "[###############---------------]  50 %  1 of 2 KiB  1 KiB/s  1s left"
	if diff := cmp.Diff(size, describe(time.Second, 0, 1, 2, "KiB")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProgress shows the same run on a terminal and elsewhere.
func TestProgress(t *testing.T) {
	t.Parallel()
	began := time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC)
	run := func(terminal bool, from int64) string {
		var out strings.Builder
		p := newProgress(&out, terminal)
		for done := from; done <= 1000; done += 100 {
			p.show(began.Add(time.Duration(done-from)*10*time.Millisecond), done, 1000)
		}
		p.end()
		return out.String()
	}
	plain := "[###############---------------]  50 %  500 of 1000 rows  100 rows/s  5s left\n" +
		"[##############################] 100 %  1000 of 1000 rows  100 rows/s  0s left\n"
	if diff := cmp.Diff(plain, run(false, 0)); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	resumed := "going on after 900 rows\n[##############################] 100 %  1000 of 1000 rows  100 rows/s  0s left\n"
	if diff := cmp.Diff(resumed, run(false, 900)); diff != "" {
		t.Errorf("plain, resumed (-want +got):\n%s", diff)
	}
	bar := "going on after 800 rows\n" +
		"\r\x1b[K[###########################---]  90 %  900 of 1000 rows  100 rows/s  1s left" +
		"\r\x1b[K[##############################] 100 %  1000 of 1000 rows  100 rows/s  0s left\n"
	if diff := cmp.Diff(bar, run(true, 800)); diff != "" {
		t.Errorf("on a terminal, resumed (-want +got):\n%s", diff)
	}
}

// TestProgressNote: what is noted stands above the line that changes.
func TestProgressNote(t *testing.T) {
	t.Parallel()
	began := time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC)
	var out strings.Builder
	p := newProgress(&out, true)
	p.unit = "lines"
	p.show(began, 0, -1)
	p.show(began.Add(barEvery), 5, -1)
	p.note("line 3: is wrong")
	p.show(began.Add(barEvery+1), 6, -1)
	p.note("line 6: is wrong")
	p.end()
	want := "\r\x1b[K5 lines\r\x1b[Kline 3: is wrong\n\r\x1b[K6 lines\r\x1b[Kline 6: is wrong\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProgressWait: that nothing goes on is said once, or on the line that changes.
func TestProgressWait(t *testing.T) {
	t.Parallel()
	began := time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC)
	run := func(terminal bool) string {
		var out strings.Builder
		p := newProgress(&out, terminal)
		p.show(began, 0, -1)
		p.wait("waiting")
		p.wait("waiting")
		p.show(began.Add(1), 1, -1)
		p.wait("waiting")
		p.end()
		return out.String()
	}
	if diff := cmp.Diff("waiting\n1 row\nwaiting\n", run(false)); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	const back = "\r\x1b[K"
	if diff := cmp.Diff(back+"waiting"+back+"waiting"+back+"1 row"+back+"waiting\n", run(true)); diff != "" {
		t.Errorf("on a terminal (-want +got):\n%s", diff)
	}
}

func TestDatabaseShowsNoPassword(t *testing.T) {
	t.Parallel()
	for db, want := range map[database]string{
		"sqlite:./callboard.db":                      "sqlite:./callboard.db",
		"postgres://me:hunter2@db:5432/callboard":    "postgres://me@db:5432/callboard",
		"postgresql://db/callboard?password=hunter2": "postgresql://db/callboard",
		"postgres://me:hunter2@a:1,b:2/callboard":    "postgres://me@a:1,b:2/callboard",
		"postgres://me:hunter%zz2@db/callboard":      "postgres://…",
	} {
		if diff := cmp.Diff(want, db.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
