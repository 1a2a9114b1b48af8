package cli

import (
	"net/url"
	"strings"

	"github.com/callboard/callboard/internal/app"
)

// database is where rows are: sqlite:PATH or postgres://…. It prints without a password.
type database string

// String leaves out what of a URL may be secret: the password, and parameters, which may hold one too.
func (d database) String() string {
	if !d.isPostgres() {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return "postgres://…"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		shown.User = url.User(u.User.Username())
	}
	return shown.String()
}

// sqlitePath is the path of a database of SQLite.
func (d database) sqlitePath() (path string, ok bool) {
	path, ok = strings.CutPrefix(string(d), "sqlite:")
	return path, ok && path != ""
}

func (d database) isPostgres() bool { return app.IsPostgres(string(d)) }
