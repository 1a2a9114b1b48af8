//go:build !linux

package postgrestest

import (
	"os"
	"syscall"
)

// childAttributes leaves a command as it is: here nothing ends it with its parent, and it runs as the test's user.
func childAttributes(*owner) *syscall.SysProcAttr { return nil }

// killChildren kills nothing, because there is no /proc to find the children in. They end when they notice that their
// parent is gone.
func killChildren(*os.Process) (gone func()) { return func() {} }

// freeSharedMemory leaves the mark of a killed server to the system.
func freeSharedMemory(string) {}
