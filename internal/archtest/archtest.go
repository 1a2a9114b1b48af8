// Package archtest guards the shape of the code base: which package may import which, and a few habits that erode it
// one exception at a time. It reads the source itself, in process and with every build tag, so that it needs no go
// command, no network and about a second.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxMainLines bounds cmd/callboard: it turns flags into a configuration and signals into cancellation, nothing else.
const maxMainLines = 100

// Check reads every Go file below the root of a module and returns what breaks the rules, a sentence each, beginning
// with the file or the directory. Directories that Go ignores (testdata, vendor, a leading dot or underscore),
// node_modules and nested modules are left out.
func Check(root fs.FS, module string) ([]string, error) {
	files, err := parseFiles(root)
	if err != nil {
		return nil, err
	}
	var broken []string
	for _, f := range files {
		broken = append(broken, f.habits()...)
		if !f.isTest() {
			broken = append(broken, f.imports(module)...)
		}
	}
	broken = append(broken, unplaced(files)...)
	return append(broken, longMain(files)...), nil
}

// file is one parsed Go file.
type file struct {
	path  string // below the module's root, with slashes
	lines int
	ast   *ast.File
}

func (f file) dir() string  { return path.Dir(f.path) }
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// parseFiles reads all Go files of the module, in the order of their paths.
func parseFiles(root fs.FS) ([]file, error) {
	var files []file
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isOutside(root, name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse: %w", err)
		}
		files = append(files, file{path: name, lines: strings.Count(string(source), "\n"), ast: parsed})
		return nil
	})
	return files, err
}

// isOutside reports whether a directory is no part of the module's packages.
func isOutside(root fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	if slices.Contains([]string{"testdata", "vendor", "node_modules"}, base) {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

// habits finds what no file may do, tests included.
func (f file) habits() []string {
	var broken []string
	for _, decl := range f.ast.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			broken = append(broken, f.path+": has an init function; construct the value where it is used")
		}
	}
	for _, imported := range importPaths(f.ast) {
		if strings.HasPrefix(imported, "./") || strings.HasPrefix(imported, "../") {
			broken = append(broken, fmt.Sprintf("%s: imports %q; write the full path", f.path, imported))
		}
	}
	name := strings.TrimSuffix(f.ast.Name.Name, "_test")
	if slices.Contains(forbiddenNames, name) {
		broken = append(broken, fmt.Sprintf("%s: package %s; name it for what it gives", f.path, name))
	}
	return broken
}

// imports finds the imports that run against the layers.
func (f file) imports(module string) []string {
	from, ok := layerOf(f.dir())
	if !ok {
		return nil // unplaced says so, once for the package
	}
	var broken []string
	for _, imported := range importPaths(f.ast) {
		dir, ours := strings.CutPrefix(imported, module+"/")
		if !ours {
			if from.number != testSupport && !slices.Contains(testKits, f.dir()) && isTestModule(imported) {
				broken = append(broken, fmt.Sprintf("%s: imports %s: which is for tests only", f.path, imported))
			}
			continue
		}
		if reason := f.refuse(from, dir); reason != "" {
			broken = append(broken, fmt.Sprintf("%s: imports %s: %s", f.path, dir, reason))
		}
	}
	return broken
}

// isTestModule reports whether a package is of a module that is for tests only.
func isTestModule(imported string) bool {
	return slices.ContainsFunc(testModules, func(prefix string) bool { return strings.HasPrefix(imported, prefix) })
}

// refuse says why a package of a layer may not import the package in dir, or "".
func (f file) refuse(from layer, dir string) string {
	to, ok := layerOf(dir)
	switch {
	case !ok:
		return "which is in no layer of internal/archtest/layers.go"
	case from.number == testSupport:
		return ""
	case to.number == testSupport && slices.Contains(testKits, f.dir()):
		return ""
	case to.number == testSupport || slices.Contains(testKits, dir):
		return "which is for tests only"
	case from.public && strings.HasPrefix(dir, "internal/"):
		return "a public package imports nothing internal"
	case from.oneUnit && from.path == to.path:
		return ""
	case from.number <= to.number:
		return fmt.Sprintf("layer %d must not know layer %d", from.number, to.number)
	default:
		return ""
	}
}

// unplaced finds packages without a layer. A directory of tests alone needs one too.
func unplaced(files []file) []string {
	var broken []string
	seen := map[string]bool{}
	for _, f := range files {
		dir := f.dir()
		if seen[dir] {
			continue
		}
		seen[dir] = true
		if _, ok := layerOf(dir); !ok {
			broken = append(broken, dir+": add this package to the table in internal/archtest/layers.go")
		}
	}
	return broken
}

// longMain keeps the program's entry a list of decisions made elsewhere.
func longMain(files []file) []string {
	lines := 0
	for _, f := range files {
		if f.dir() == "cmd/callboard" && !f.isTest() {
			lines += f.lines
		}
	}
	if lines < maxMainLines {
		return nil
	}
	return []string{fmt.Sprintf("cmd/callboard: has %d lines of the %d it must stay under", lines, maxMainLines)}
}

func importPaths(f *ast.File) []string {
	paths := make([]string, 0, len(f.Imports))
	for _, spec := range f.Imports {
		if unquoted, err := strconv.Unquote(spec.Path.Value); err == nil { // the parser has seen to it
			paths = append(paths, unquoted)
		}
	}
	return paths
}
