package id

import (
	"fmt"
	"time"
)

// MaxNode is the largest node number that fits into an id.
const MaxNode = 1<<nodeBits - 1

// Generator takes ids for one node. It is used by one goroutine, the committer,
// which takes ids inside its transaction, so that the order of ids on a node is
// the order of its commits.
type Generator struct {
	node int64
	ms   int64 // of the last id, since the epoch
	seq  int64
}

// NewGenerator makes the generator of a node. Ids start above last, the largest
// id that the store has seen of this node: neither a restart nor a clock that
// was set back makes an id twice.
func NewGenerator(node int, last ID) (*Generator, error) {
	if node < 0 || node > MaxNode {
		return nil, fmt.Errorf("node number %d is not in 0..%d", node, MaxNode)
	}
	return &Generator{node: int64(node), ms: int64(last) >> msShift, seq: seqMask}, nil
}

// Next takes the next id. It ascends strictly: while the clock stands still or
// runs backwards the sequence goes on, and a full sequence borrows from the next
// millisecond.
func (g *Generator) Next(now time.Time) ID {
	if ms := now.UnixMilli() - epochMS; ms > g.ms {
		g.ms, g.seq = ms, 0
	} else if g.seq++; g.seq > seqMask {
		g.ms, g.seq = g.ms+1, 0
	}
	return ID(g.ms<<msShift | g.node<<seqBits | g.seq)
}
