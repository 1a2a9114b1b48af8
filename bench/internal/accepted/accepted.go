// Package accepted is the file by which the load generator tells the sink which messages the service has accepted, so
// that the sink can name what was lost: for each sequence number the hash of the id that the service answered with.
package accepted

import (
	"encoding/binary"
	"fmt"
	"os"
)

// Table maps sequence numbers, from First on, to probe.HashID of the accepted message's id; 0 = not accepted.
type Table struct {
	First uint64
	IDs   []uint64
}

// ID is the hash for a sequence number, 0 if it was not accepted.
func (t Table) ID(seq uint64) uint64 {
	if seq < t.First || seq-t.First >= uint64(len(t.IDs)) {
		return 0
	}
	return t.IDs[seq-t.First]
}

// Write stores the table at path: First, then the hashes, 8 bytes each, little-endian.
func (t Table) Write(path string) error {
	data := make([]byte, 0, 8*(len(t.IDs)+1))
	data = binary.LittleEndian.AppendUint64(data, t.First)
	for _, id := range t.IDs {
		data = binary.LittleEndian.AppendUint64(data, id)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write accepted messages: %w", err)
	}
	return nil
}

// Read loads a table that Write stored.
func Read(path string) (Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Table{}, fmt.Errorf("read accepted messages: %w", err)
	}
	if len(data) < 8 || len(data)%8 != 0 {
		return Table{}, fmt.Errorf("read accepted messages: %d bytes", len(data))
	}
	t := Table{First: binary.LittleEndian.Uint64(data), IDs: make([]uint64, len(data)/8-1)}
	for i := range t.IDs {
		t.IDs[i] = binary.LittleEndian.Uint64(data[8*(i+1):])
	}
	return t, nil
}
