// Package app puts the parts together: it opens the store, starts what runs, and
// stops it in the order that loses nothing.
package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/token"
)

// DefaultListen is where the server listens unless told otherwise.
const DefaultListen = "127.0.0.1:8071"

// Schemes of databases: a SQLite file, or a PostgreSQL server.
const (
	sqliteScheme   = "sqlite:"
	postgresScheme = "postgres://"
)

// DefaultDB is the database of a server that is told of none.
const DefaultDB = "sqlite:./callboard.db"

// Config is all that a server can be told. Zero means the default.
type Config struct {
	Listen    string       // host:port; default DefaultListen; port 0 = any free one
	PublicURL string       // how clients reach the server; default http(s):// + the listen address
	DB        string       // sqlite:PATH or postgres://…; default DefaultDB
	JWTSecret token.Secret // required; signs and verifies API tokens

	AllowPrivate  bool            // endpoints may be http and on private addresses
	DenyCIDRs     []netip.Prefix  // addresses that no endpoint may have
	DenyPorts     []uint16        // ports that no endpoint may have; nil = netguard's default
	RetrySchedule []time.Duration // nil = delivery.DefaultSchedule
	Timeout       time.Duration   // of one attempt; default 15 s
	Retention     time.Duration   // of messages; default 90 days

	// TimeSpentDelay is how long after an event's end the time spent in it is told;
	// default 1 h.
	TimeSpentDelay time.Duration

	NoPlay bool // whether there is no Play: no inboxes for everybody, and no page for them

	TLSCert, TLSKey string         // files; both or none
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed
	DebugListen     string         // host:port of net/http/pprof, which should be on loopback; "" = off
	DrainTimeout    time.Duration  // for requests under way at the end; default 20 s

	// Unsafe lowers SQLite's synchronous to NORMAL. A power cut then loses what was
	// acknowledged; only the test that proves so sets it.
	Unsafe bool

	Version string       // default "dev"
	Logger  *slog.Logger // default slog.Default()
}

// Check names the first setting that is wrong, as its flag is called. It asks for
// no secret: `serve` makes one only when the rest is right.
func (cfg Config) Check() error {
	cfg.setDefaults()
	return cfg.check()
}

// normalize fills in defaults and names the first field that is wrong.
func (cfg *Config) normalize() error {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return err
	}
	if cfg.JWTSecret.IsZero() {
		return errors.New("jwt-secret: is required")
	}
	return nil
}

func (cfg *Config) setDefaults() {
	if cfg.Listen == "" {
		cfg.Listen = DefaultListen
	}
	if cfg.DB == "" {
		cfg.DB = DefaultDB
	}
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = 20 * time.Second
	}
}

func (cfg *Config) check() error {
	if _, _, err := net.SplitHostPort(cfg.Listen); err != nil {
		return errors.New("listen: must be host:port")
	}
	if (cfg.TLSCert == "") != (cfg.TLSKey == "") {
		return errors.New("tls-cert and tls-key: give both or none")
	}
	if err := CheckDB(cfg.DB); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	if cfg.DebugListen != "" {
		if _, _, err := net.SplitHostPort(cfg.DebugListen); err != nil {
			return errors.New("debug-listen: must be host:port")
		}
	}
	if err := cfg.checkTimes(); err != nil {
		return err
	}
	return cfg.checkURL()
}

// CheckDB says what is wrong with the name of a database; nil = nothing that shows
// without opening it. Its errors do not repeat the name, which may hold a password.
func CheckDB(db string) error {
	path, isFile := strings.CutPrefix(db, sqliteScheme)
	switch {
	case isFile && path != "":
		return nil
	case IsPostgres(db):
		if u, err := url.Parse(db); err == nil && (u.Host != "" || u.Query().Get("host") != "") {
			return nil
		}
		return errors.New("must be postgres://USER:PASSWORD@HOST:5432/DATABASE")
	}
	return errors.New("must be sqlite:PATH or postgres://USER:PASSWORD@HOST:5432/DATABASE")
}

// IsPostgres reports whether a database is a PostgreSQL server's.
func IsPostgres(db string) bool {
	return strings.HasPrefix(db, postgresScheme) || strings.HasPrefix(db, "postgresql://")
}

// checkTimes refuses what would end everything at once: a negative retention, say,
// lets the janitor remove every message.
func (cfg *Config) checkTimes() error {
	switch {
	case cfg.Timeout < 0:
		return errors.New("timeout: must not be negative")
	case cfg.Retention < 0:
		return errors.New("retention: must not be negative")
	case cfg.TimeSpentDelay < 0:
		return errors.New("time-spent-delay: must not be negative")
	case cfg.DrainTimeout < 0:
		return errors.New("drain-timeout: must not be negative")
	case slices.ContainsFunc(cfg.RetrySchedule, func(d time.Duration) bool { return d < 0 }):
		return errors.New("retry-schedule: delays must not be negative")
	}
	return nil
}

func (cfg *Config) checkURL() error {
	if cfg.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("public-url: must be an http or https URL")
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("public-url: must not have a query, a fragment or user info")
	}
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	return nil
}

// publicURL is the configured one, or one made from the address listened on.
func (cfg *Config) publicURL(addr string) string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s", scheme, addr)
}

// userAgent is the header User-Agent of webhooks.
func (cfg *Config) userAgent() string { return "Callboard/" + cfg.Version }

// linkURL is publicURL as far as it is known before the server listens: "" if the
// system is to choose the port.
func (cfg *Config) linkURL() string {
	if _, port, err := net.SplitHostPort(cfg.Listen); cfg.PublicURL == "" && (err != nil || port == "0") {
		return ""
	}
	return cfg.publicURL(cfg.Listen)
}
