package archtest_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/archtest"
)

const module = "github.com/callboard/callboard"

// TestArchitecture holds the whole repository to the rules.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	if _, err := root.Open("go.mod"); err != nil {
		t.Fatalf("the module's root is not where this test looks for it: %v", err)
	}
	broken, err := archtest.Check(root, module)
	if err != nil {
		t.Fatal(err)
	}
	for _, sentence := range broken {
		t.Error(sentence)
	}
}

// TestCheck shows that each rule can fail.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{
			name: "lower layers may be imported",
			files: map[string]string{
				"internal/commit/a.go":       imports("commit", "internal/store", "internal/id", "signature"),
				"internal/store/a.go":        imports("store", "internal/delivery"),
				"internal/store/sqlite/a.go": imports("sqlite", "internal/store", "internal/commit"),
				"cmd/callboard/main.go":      imports("main", "internal/cli"),
				"client/a.go":                imports("client", "wire/native", "signature"),
				"bench/main.go":              imports("main", "bench/internal/sink"),
				"bench/internal/load/a.go":   imports("load", "bench/internal/sink", "signature"),
			},
		},
		{
			name:  "higher layers may not",
			files: map[string]string{"internal/store/a.go": imports("store", "internal/commit")},
			want:  []string{"internal/store/a.go: imports internal/commit: layer 4 must not know layer 5"},
		},
		{
			name:  "nor may the same layer",
			files: map[string]string{"internal/ingest/a.go": imports("ingest", "internal/dispatch")},
			want:  []string{"internal/ingest/a.go: imports internal/dispatch: layer 6 must not know layer 6"},
		},
		{
			name: "a dialect knows the contract, no other dialect, and never builtin",
			files: map[string]string{
				"internal/dialect/zuddl/a.go": imports("zuddl",
					"internal/dialect", "internal/dialect/iotum", "internal/dialect/builtin"),
			},
			want: []string{
				"internal/dialect/zuddl/a.go: imports internal/dialect/iotum: layer 5 must not know layer 5",
				"internal/dialect/zuddl/a.go: imports internal/dialect/builtin: layer 5 must not know layer 8",
			},
		},
		{
			name:  "public packages import nothing internal",
			files: map[string]string{"receiver/a.go": imports("receiver", "internal/errs", "wire/native")},
			want:  []string{"receiver/a.go: imports internal/errs: a public package imports nothing internal"},
		},
		{
			name: "the rule is for non-test files, whatever their build tags",
			files: map[string]string{
				"internal/store/a_test.go":    imports("store_test", "internal/app", "internal/testenv"),
				"internal/store/a_windows.go": "//go:build windows\n\n" + imports("store", "internal/app"),
			},
			want: []string{"internal/store/a_windows.go: imports internal/app: layer 4 must not know layer 9"},
		},
		{
			name: "test support is for tests and test kits",
			files: map[string]string{
				"internal/e2e/a.go":             imports("e2e", "internal/app", "internal/testenv", "internal/store/storetest"),
				"internal/store/storetest/a.go": imports("storetest", "internal/testenv", "internal/commit"),
				"internal/app/a.go":             imports("app", "internal/testenv"),
				"internal/cli/a.go":             imports("cli", "internal/store/storetest"),
			},
			want: []string{
				"internal/app/a.go: imports internal/testenv: which is for tests only",
				"internal/cli/a.go: imports internal/store/storetest: which is for tests only",
			},
		},
		{
			name: "modules for tests are not shipped",
			files: map[string]string{
				"internal/e2e/browser/a.go": source("browser", "github.com/chromedp/chromedp"),
				"internal/app/a_test.go":    source("app_test", "github.com/google/go-cmp/cmp"),
				"internal/app/a.go":         source("app", "github.com/chromedp/cdproto/page"),
			},
			want: []string{"internal/app/a.go: imports github.com/chromedp/cdproto/page: which is for tests only"},
		},
		{
			name: "an unknown package asks for its place",
			files: map[string]string{
				"internal/novelty/a.go":      "package novelty",
				"internal/novelty/b_test.go": "package novelty",
				"internal/cli/a.go":          imports("cli", "internal/novelty"),
			},
			want: []string{
				"internal/cli/a.go: imports internal/novelty: which is in no layer of internal/archtest/layers.go",
				"internal/novelty: add this package to the table in internal/archtest/layers.go",
			},
		},
		{
			name: "habits, tests included",
			files: map[string]string{
				"internal/id/a.go":      "package id\n\nfunc init() {}\n\ntype t struct{}\n\nfunc (t) init() {}",
				"internal/id/b_test.go": "package id_test\n\nimport _ \"../errs\"\n\nfunc init() {}",
				"internal/errs/a.go":    "package util",
				"wire/b/a_test.go":      "package helpers_test",
			},
			want: []string{
				"internal/errs/a.go: package util; name it for what it gives",
				"internal/id/a.go: has an init function; construct the value where it is used",
				"internal/id/b_test.go: has an init function; construct the value where it is used",
				`internal/id/b_test.go: imports "../errs"; write the full path`,
				"wire/b/a_test.go: package helpers; name it for what it gives",
			},
		},
		{
			name:  "main stays short",
			files: map[string]string{"cmd/callboard/main.go": "package main" + strings.Repeat("\n", 100)},
			want:  []string{"cmd/callboard: has 100 lines of the 100 it must stay under"},
		},
		{
			name: "what is no part of the module is not read",
			files: map[string]string{
				"tools/go.mod":              "module tools",
				"tools/util/a.go":           "package util",
				"internal/id/testdata/a.go": "no Go at all",
				"a/node_modules/b/a.go":     "package util",
				".hidden/a.go":              "package util",
				"_draft/a.go":               "package util",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := fstest.MapFS{"go.mod": {Data: []byte("module " + module)}}
			for name, source := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(source)}
			}
			got, err := archtest.Check(root, module)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckFailsOnWhatIsNotGo(t *testing.T) {
	t.Parallel()
	root := fstest.MapFS{"internal/id/a.go": {Data: []byte("not Go")}}
	if _, err := archtest.Check(root, module); err == nil {
		t.Error("a file that does not parse passed")
	}
}

// imports is the source of a package that imports some of ours.
func imports(name string, dirs ...string) string {
	paths := make([]string, len(dirs))
	for i, dir := range dirs {
		paths[i] = module + "/" + dir
	}
	return source(name, paths...)
}

// source is that of a package with some imports.
func source(name string, paths ...string) string {
	var source strings.Builder
	source.WriteString("package " + name + "\n")
	for _, path := range paths {
		source.WriteString("\nimport _ \"" + path + "\"")
	}
	return source.String()
}
