package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/token"
)

// secretSuffix makes the name of the secret's file from the database's path.
const secretSuffix = ".jwt-secret"

// secretPath is the file in which `serve` keeps the secret that it made: beside the database or, if that is a server's,
// in the working directory.
func secretPath(db string) string {
	if app.IsPostgres(db) {
		return "callboard" + secretSuffix
	}
	return strings.TrimPrefix(db, "sqlite:") + secretSuffix
}

// readSecret reads a secret that makeSecret has written, or somebody else: white space around it is no part of it. A
// file that is not there is fs.ErrNotExist.
func readSecret(path string) (token.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return token.Secret{}, fmt.Errorf("read the JWT secret: %w", err)
	}
	secret := token.NewSecret(strings.TrimSpace(string(text)))
	if secret.IsZero() {
		return token.Secret{}, fmt.Errorf("read the JWT secret: %s is empty", path)
	}
	return secret, nil
}

// keepSecret reads the secret in path, or makes one if there is none, with mode 0600; made says which. Of several
// processes that start at once one makes the file and all read it. The file appears whole or not at all, and one that
// exists is never written to: the tokens of every client hang on it.
func keepSecret(path string) (secret token.Secret, made bool, err error) {
	secret, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	if made, err = makeSecret(path); err != nil {
		return token.Secret{}, false, fmt.Errorf("make a JWT secret beside the database: %w", err)
	}
	secret, err = readSecret(path)
	return secret, made, err
}

// makeSecret writes a new secret to path. It reports false if somebody else was faster.
func makeSecret(path string) (made bool, err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.Remove(temporary.Name())) }()
	_, err = fmt.Fprintln(temporary, rand.Text()+rand.Text()) // 256 bits, in letters that survive any shell
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return false, err
	}
	// Unlike a rename, a link fails if the name is taken.
	err = os.Link(temporary.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}
