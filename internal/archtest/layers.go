package archtest

import "strings"

// testSupport is the layer of packages that only tests and other test support import; what they import is free.
const testSupport = -1

// layer places packages in the architecture: a package imports only packages of lower numbers.
type layer struct {
	number int
	// path is the package's directory below the module's root; "x/..." stands for every package below x, not for x.
	path string
	// public packages are for other modules: they import nothing internal.
	public bool
	// oneUnit lets the packages of a "..." entry import each other. Dialects, say, must not.
	oneUnit bool
}

// layers is the picture of the package tree in docs/architecture.md, from the wire up to the command line. A path
// matches the entry that names it, else the longest "..." entry. A new package is one line here, put where its number
// states what it may know.
var layers = []layer{
	{number: 0, path: "signature", public: true},
	{number: 0, path: "wire", public: true},
	{number: 1, path: "wire/...", public: true},
	{number: 2, path: "wire/native", public: true},
	{number: 3, path: "receiver", public: true},
	{number: 4, path: "receiver/receivertest", public: true},
	{number: 3, path: "client", public: true},

	{number: 0, path: "internal/errs"},
	{number: 0, path: "internal/id"},
	{number: 0, path: "internal/netguard"},
	{number: 0, path: "internal/telemetry"},
	{number: 1, path: "internal/live"},
	{number: 1, path: "internal/token"},
	{number: 2, path: "internal/dialect"},
	{number: 3, path: "internal/catalog"},
	{number: 3, path: "internal/delivery"},
	{number: 3, path: "internal/settings"},
	{number: 3, path: "internal/snippet"},
	{number: 3, path: "internal/dialect/shape"},
	{number: 4, path: "internal/dialect/neighbour"},
	{number: 3, path: "internal/dialect/standard"},
	{number: 4, path: "internal/dialect/native"},
	{number: 5, path: "internal/dialect/..."},
	{number: 5, path: "internal/source"},
	{number: 4, path: "internal/simulator"},
	{number: 4, path: "internal/store"},
	{number: 5, path: "internal/commit"},
	{number: 5, path: "internal/outgoing"},
	{number: 5, path: "internal/store/document"},
	{number: 5, path: "internal/store/migration"},
	{number: 6, path: "internal/store/paging"},
	{number: 6, path: "internal/ingest"},
	{number: 6, path: "internal/dispatch"},
	{number: 6, path: "internal/web"},
	{number: 7, path: "internal/play"},
	{number: 7, path: "internal/timer"},
	{number: 7, path: "internal/janitor"},
	{number: 7, path: "internal/tasks"},
	{number: 7, path: "internal/traffic"},
	{number: 7, path: "internal/transfer"},
	{number: 7, path: "internal/feed"},
	{number: 8, path: "internal/restapi"},
	{number: 8, path: "internal/readapi"},
	{number: 8, path: "internal/inbound"},
	{number: 8, path: "internal/inbox"},
	{number: 8, path: "internal/dashboard"},
	{number: 8, path: "internal/store/sqlite"},
	{number: 8, path: "internal/store/postgres"},
	{number: 8, path: "internal/dialect/builtin"},
	{number: 9, path: "internal/app"},
	{number: 9, path: "internal/dialect/builtin/fidelity"},
	{number: 9, path: "internal/store/storetest"},
	{number: 10, path: "internal/demo"},
	{number: 11, path: "internal/cli"},
	{number: 12, path: "cmd/callboard"},

	{number: 12, path: "bench"},
	{number: 11, path: "bench/...", oneUnit: true},

	{number: testSupport, path: "internal/archtest"},
	{number: testSupport, path: "internal/e2e"},
	{number: testSupport, path: "internal/e2e/..."},
	{number: testSupport, path: "internal/ingest/ingesttest"},
	{number: testSupport, path: "internal/store/postgres/postgrestest"},
	{number: testSupport, path: "internal/testenv"},
}

// testKits are packages of test support that keep a number for what they import.
var testKits = []string{"internal/store/storetest"}

// testModules are modules of others that only tests and test support import, so that nothing of them is shipped.
var testModules = []string{"github.com/chromedp/", "github.com/google/go-cmp/", "github.com/svix/svix-webhooks", "pgregory.net/rapid"}

// forbiddenNames say what is in a package by saying nothing.
var forbiddenNames = []string{"util", "utils", "common", "types", "models", "helpers", "helper", "misc"}

// layerOf finds the place of a package by its directory.
func layerOf(dir string) (layer, bool) {
	var best layer
	found := false
	for _, l := range layers {
		if l.path == dir {
			return l, true
		}
		tree, isTree := strings.CutSuffix(l.path, "...")
		if isTree && strings.HasPrefix(dir, tree) && len(l.path) > len(best.path) {
			best, found = l, true
		}
	}
	return best, found
}
