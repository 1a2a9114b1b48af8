package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand is `callboard version`.
type versionCommand struct{}

// Help is the end of `callboard version --help`.
func (versionCommand) Help() string {
	return "Example:\n\n    callboard version"
}

// Run prints the version and what it was built with.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "callboard %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is what Go stamped on the binary: a tag, or a commit's time and hash. Without either it is "dev".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
