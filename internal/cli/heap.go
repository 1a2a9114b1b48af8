package cli

import (
	"os"
	"runtime"
)

// heapFloorBytes is how much heap the collector takes for granted.
const heapFloorBytes = 32 << 20

// raiseHeapFloor keeps the garbage collector from running all the time. The server's live heap is a few MiB, so by Go's
// rule (collect when the heap has doubled) it would collect 60 times a second under load. A block that is never touched
// costs no memory but counts as live, and moves the next collection that much further; a percentage would do the same
// while the heap is small and waste memory when it is large. It counts until release is called. GOGC or GOMEMLIMIT in
// the environment mean that the operator has decided.
func raiseHeapFloor() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	floor := make([]byte, heapFloorBytes)
	return func() { runtime.KeepAlive(floor) }
}
