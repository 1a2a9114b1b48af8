//go:build !unix

package sqlite

import (
	"fmt"
	"os"
)

// lock opens the lock file. Where there is no flock nothing keeps a second
// process away but the operator.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	return f, nil
}
