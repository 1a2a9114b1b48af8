package document

import (
	"encoding/binary"
	"errors"

	"github.com/callboard/callboard/internal/store"
)

// errCounts tells of a column that holds no counts.
var errCounts = errors.New("decode stored counts: they are cut off or out of bounds")

// maxBin is the largest bin that can be stored.
const maxBin = 1<<16 - 1

// EncodeCounts writes column traffic.counts: for each bin how far it is from the one before,
// and its count, as varints. That is a few bytes a bin where columns of numbers would be
// dozens, and one row is read instead of ten.
func EncodeCounts(counts []store.BinCount) []byte {
	doc := make([]byte, 0, 4*len(counts))
	last := 0
	for _, c := range counts {
		doc = binary.AppendUvarint(doc, uint64(c.Bin-last))
		doc = binary.AppendUvarint(doc, uint64(c.N))
		last = c.Bin
	}
	return doc
}

// DecodeCounts reads column traffic.counts, behind counts that are there already.
func DecodeCounts(doc []byte, counts []store.BinCount) ([]store.BinCount, error) {
	bin := uint64(0)
	for len(doc) > 0 {
		step, a := binary.Uvarint(doc)
		if a <= 0 {
			return nil, errCounts
		}
		n, b := binary.Uvarint(doc[a:])
		if bin += step; b <= 0 || step > maxBin || bin > maxBin || int64(n) < 0 {
			return nil, errCounts
		}
		counts = append(counts, store.BinCount{Bin: int(bin), N: int64(n)})
		doc = doc[a+b:]
	}
	return counts, nil
}
