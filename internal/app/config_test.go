package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/token"
)

// TestConfig expects errors that begin with the name of the wrong setting, as its flag is called.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("this is no database, whatever its name says; it is long enough to be told from an empty one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*app.Config)
		want   string // the setting
	}{
		"listen without a port":     {func(c *app.Config) { c.Listen = "localhost" }, "listen:"},
		"no scheme of a database":   {func(c *app.Config) { c.DB = "callboard.db" }, "db:"},
		"another database":          {func(c *app.Config) { c.DB = "mysql://localhost/callboard" }, "db:"},
		"no host":                   {func(c *app.Config) { c.DB = "postgres://" }, "db:"},
		"no number for a port":      {func(c *app.Config) { c.DB = "postgres://u:secret@localhost:port/callboard" }, "db:"},
		"no path":                   {func(c *app.Config) { c.DB = "sqlite:" }, "db:"},
		"no such directory":         {func(c *app.Config) { c.DB = "sqlite:" + filepath.Join(dir, "missing", "a.db") }, "db:"},
		"a directory":               {func(c *app.Config) { c.DB = "sqlite:" + dir }, "db:"},
		"no database":               {func(c *app.Config) { c.DB = "sqlite:" + file }, "db:"},
		"no secret":                 {func(c *app.Config) { c.JWTSecret = token.Secret{} }, "jwt-secret:"},
		"a certificate alone":       {func(c *app.Config) { c.TLSCert = file }, "tls-cert and tls-key:"},
		"a key alone":               {func(c *app.Config) { c.TLSKey = file }, "tls-cert and tls-key:"},
		"a public URL of no scheme": {func(c *app.Config) { c.PublicURL = "example.com" }, "public-url:"},
		"a public URL of ftp":       {func(c *app.Config) { c.PublicURL = "ftp://example.com" }, "public-url:"},
		"a public URL of no host":   {func(c *app.Config) { c.PublicURL = "https:///a" }, "public-url:"},
		"a public URL with a query": {func(c *app.Config) { c.PublicURL = "https://example.com?a=b" }, "public-url:"},
		"a public URL of a user":    {func(c *app.Config) { c.PublicURL = "https://a@example.com" }, "public-url:"},
		"a public URL that is none": {func(c *app.Config) { c.PublicURL = "https://exa mple.com" }, "public-url:"},
		"profiles without a port":   {func(c *app.Config) { c.DebugListen = "localhost" }, "debug-listen:"},
		"a negative timeout":        {func(c *app.Config) { c.Timeout = -time.Second }, "timeout:"},
		"a negative retention":      {func(c *app.Config) { c.Retention = -time.Hour }, "retention:"},
		"a negative delay":          {func(c *app.Config) { c.TimeSpentDelay = -time.Second }, "time-spent-delay:"},
		"a negative drain":          {func(c *app.Config) { c.DrainTimeout = -time.Second }, "drain-timeout:"},
		"a negative retry":          {func(c *app.Config) { c.RetrySchedule = []time.Duration{1, -1} }, "retry-schedule:"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			tt.change(&cfg)
			a, err := app.New(t.Context(), cfg)
			if err == nil {
				t.Fatal("the configuration is accepted; stopping it:", a.Stop(context.Background()))
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %q, want one that begins with %q", err, tt.want)
			}
		})
	}
}

// TestCheck needs no secret: the command line makes one when the rest is right.
func TestCheck(t *testing.T) {
	if err := (app.Config{}).Check(); err != nil {
		t.Error("the defaults are refused:", err)
	}
	if err := (app.Config{Listen: "nowhere"}).Check(); err == nil || !strings.HasPrefix(err.Error(), "listen:") {
		t.Errorf("error %v, want one about listen", err)
	}
}

// TestURL is how clients are told to reach the server.
func TestURL(t *testing.T) {
	for configured, want := range map[string]string{
		"":                            "http://",
		"https://hooks.example.com":   "https://hooks.example.com",
		"https://example.com/hooks/":  "https://example.com/hooks",
		"http://hooks.example.com:80": "http://hooks.example.com:80",
	} {
		t.Run(configured, func(t *testing.T) {
			a := running(t, func(cfg *app.Config) { cfg.PublicURL = configured })
			if configured == "" {
				want += a.Addr()
			}
			if got := a.URL(); got != want {
				t.Errorf("%q became %q, want %q", configured, got, want)
			}
		})
	}
}
