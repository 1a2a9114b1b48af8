package powercut_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/e2e/powercut"
)

// record is what strace writes, but for strings, which it writes as hexadecimal; Parse takes both.
func record(t *testing.T, lines ...string) *powercut.Trace {
	t.Helper()
	trace, err := powercut.Parse(strings.NewReader(strings.Join(lines, "\n")+"\n"), "/d")
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

// text makes the contents of files readable: zero bytes become dots.
func text(files map[string][]byte) map[string]string {
	out := map[string]string{}
	for name, content := range files {
		out[name] = strings.ReplaceAll(string(content), "\x00", ".")
	}
	return out
}

func TestCut(t *testing.T) {
	t.Parallel()
	made := []string{
		`7 openat(AT_FDCWD</x>, "/d/a", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3</d/a>`,
		`7 fsync(4</d>) = 0`,
	}
	for _, tt := range []struct {
		name        string
		lines       []string
		cut         int // lines after made that have happened
		worst, best map[string]string
	}{
		{
			"a write is safe after the sync of its file",
			[]string{`7 pwrite64(3</d/a>, "abc", 3, 2) = 3`, `7 fdatasync(3</d/a>) = 0`},
			2,
			map[string]string{"a": "..abc"},
			map[string]string{"a": "..abc"},
		},
		{
			"and not before it",
			[]string{`7 pwrite64(3</d/a>, "abc", 3, 2) = 3`, `7 fdatasync(3</d/a>) = 0`},
			1,
			map[string]string{"a": ""},
			map[string]string{"a": "..abc"},
		},
		{
			"a sync saves what was written before, not what comes after",
			[]string{`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `7 fsync(3</d/a>) = 0`, `7 pwrite64(3</d/a>, "X", 1, 1) = 1`},
			3,
			map[string]string{"a": "abc"},
			map[string]string{"a": "aXc"},
		},
		{
			"a sync that failed saves nothing",
			[]string{`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `7 fsync(3</d/a>) = -1 EIO (Input/output error)`},
			2,
			map[string]string{"a": ""},
			map[string]string{"a": "abc"},
		},
		{
			"a sync that began before the write had returned does not save it",
			[]string{
				`8 fsync(3</d/a> <unfinished ...>`, `7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `8 <... fsync resumed>) = 0`,
			},
			3,
			map[string]string{"a": ""},
			map[string]string{"a": "abc"},
		},
		{
			"a sync that has not returned saves nothing",
			[]string{
				`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `8 fsync(3</d/a> <unfinished ...>`, `9 write(1</dev/null>, "x", 1) = 1`,
				`8 <... fsync resumed>) = 0`,
			},
			3,
			map[string]string{"a": ""},
			map[string]string{"a": "abc"},
		},
		{
			"the sync of another file does not help",
			[]string{
				`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `7 open("/d/b", O_RDWR|O_CREAT, 0600) = 5</d/b>`, `7 fsync(5</d/b>) = 0`,
			},
			3,
			map[string]string{"a": ""},
			map[string]string{"a": "abc", "b": ""},
		},
		{
			"a name needs the directory's sync",
			[]string{
				`7 open("/d/b", O_RDWR|O_CREAT, 0600) = 5</d/b>`, `7 pwrite64(5</d/b>, "abc", 3, 0) = 3`, `7 fsync(5</d/b>) = 0`,
			},
			3,
			map[string]string{"a": ""},
			map[string]string{"a": "", "b": "abc"},
		},
		{
			"a removal may be undone until the directory's sync",
			[]string{`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `7 fsync(3</d/a>) = 0`, `7 unlink("/d/a") = 0`},
			3,
			map[string]string{"a": "abc"},
			map[string]string{},
		},
		{
			"and not after it",
			[]string{`7 unlink("/d/a") = 0`, `7 fsync(4</d>) = 0`},
			2,
			map[string]string{},
			map[string]string{},
		},
		{
			"a file that is made again is another one",
			[]string{
				`7 pwrite64(3</d/a>, "old", 3, 0) = 3`, `7 fsync(3</d/a>) = 0`, `7 unlink("/d/a") = 0`,
				`7 open("/d/a", O_RDWR|O_CREAT, 0600) = 6</d/a>`, `7 fsync(4</d>) = 0`, `7 pwrite64(6</d/a>, "n", 1, 0) = 1`,
			},
			6,
			map[string]string{"a": ""},
			map[string]string{"a": "n"},
		},
		{
			"a truncation is like a write",
			[]string{
				`7 pwrite64(3</d/a>, "abc", 3, 0) = 3`, `7 fsync(3</d/a>) = 0`, `7 ftruncate(3</d/a>, 1) = 0`,
			},
			3,
			map[string]string{"a": "abc"},
			map[string]string{"a": "a"},
		},
		{
			"short thread numbers are padded",
			[]string{`7     pwrite64(3</d/a>, "abc", 3, 0) = 3`, `12345 fsync(3</d/a>)  = 0`},
			2,
			map[string]string{"a": "abc"},
			map[string]string{"a": "abc"},
		},
		{
			"a short write counts for what was written; hexadecimal is read",
			[]string{`7 pwrite64(3</d/\x61>, "\x61\x62\x63", 3, 0) = 2`},
			1,
			map[string]string{"a": ""},
			map[string]string{"a": "ab"},
		},
		{
			"what is elsewhere, shared memory or refused does not count",
			[]string{
				`7 open("/e/c", O_RDWR|O_CREAT|O_TRUNC, 0600) = 8</e/c>`, `7 write(8</e/c>, "x", 1) = 1`,
				`7 open("/d/a-shm", O_RDWR|O_CREAT, 0600) = 9</d/a-shm>`,
				`7 mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, 9</d/a-shm>, 0) = 0x7f`,
				`7 unlink("/d/zz") = -1 ENOENT (No such file or directory)`, `7 +++ exited with 0 +++`,
			},
			6,
			map[string]string{"a": ""},
			map[string]string{"a": ""},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trace := record(t, slices.Concat(made, tt.lines)...)
			moment := len(made) + tt.cut + 1
			if diff := cmp.Diff(tt.worst, text(trace.Cut(moment, powercut.Worst))); diff != "" {
				t.Errorf("at worst (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.best, text(trace.Cut(moment, powercut.Best))); diff != "" {
				t.Errorf("at best (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTornWrite lets every second sector survive.
func TestTornWrite(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("a", 12) + strings.Repeat("b", 512) + strings.Repeat("c", 100)
	trace := record(
		t,
		`7 open("/d/a", O_RDWR|O_CREAT, 0600) = 3</d/a>`,
		`7 fsync(4</d>) = 0`,
		`7 pwrite64(3</d/a>, "`+data+`", 624, 500) = 624`,
	)
	lucky := false
	got := trace.Cut(trace.End, func() bool {
		lucky = !lucky
		return lucky
	})
	want := strings.Repeat(".", 500) + strings.Repeat("a", 12) + strings.Repeat(".", 512) + strings.Repeat("c", 100)
	if diff := cmp.Diff(map[string]string{"a": want}, text(got)); diff != "" {
		t.Errorf("a torn write (-want +got):\n%s", diff)
	}
}

func TestSent(t *testing.T) {
	t.Parallel()
	trace := record(
		t,
		`7 write(5<socket:[77]>, "\x48\x69", 2 <unfinished ...>`,
		`8 write(6</dev/null>, "x", 1) = 1`,
		`7 <... write resumed>) = 2`,
	)
	want := []powercut.Sent{{At: 1, Data: []byte("Hi")}}
	if diff := cmp.Diff(want, trace.Sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, line, want string }{
		{"a rename", `7 rename("/d/a", "/d/b") = 0`, "not modelled"},
		{"a write without an offset", `7 write(3</d/a>, "x", 1) = 1`, "not modelled"},
		{"a mapped file", `7 mmap(NULL, 8, PROT_READ|PROT_WRITE, MAP_SHARED, 3</d/a>, 0) = 0x7f`, "not modelled"},
		{"a file that was there before", `7 pwrite64(3</d/b>, "x", 1, 0) = 1`, "nobody made"},
		{"bytes that were cut off", `7 pwrite64(3</d/a>, "x"..., 2, 0) = 2`, "not all recorded"},
		{"the end of nothing", `7 <... fsync resumed>) = 0`, "did not begin"},
		{"no call", `7 hello`, "no call"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := powercut.Parse(strings.NewReader(`7 open("/d/a", O_RDWR|O_CREAT, 0600) = 3</d/a>`+"\n"+tt.line+"\n"), "/d")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}
