package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/token"
)

// stopTimeout bounds the end. It is longer than the drain that deliveries under way get, so that their results are
// still recorded.
const stopTimeout = 30 * time.Second

// serveCommand is `callboard serve`.
type serveCommand struct {
	Listen         string    `default:"${listen}" env:"CALLBOARD_LISTEN" placeholder:"HOST:PORT" group:"API:" help:"Where the API listens; port 0 takes a free one. Default ${default}."`
	PublicURL      string    `name:"public-url" env:"CALLBOARD_PUBLIC_URL" placeholder:"URL" group:"API:" help:"How clients reach the server. Default http://, or https:// with --tls-cert, and the listen address."`
	TLSCert        string    `name:"tls-cert" type:"existingfile" env:"CALLBOARD_TLS_CERT" placeholder:"FILE" group:"API:" help:"Serve https with this certificate chain, in PEM."`
	TLSKey         string    `name:"tls-key" type:"existingfile" env:"CALLBOARD_TLS_KEY" placeholder:"FILE" group:"API:" help:"The certificate's key, in PEM."`
	TrustedProxies []network `env:"CALLBOARD_TRUSTED_PROXIES" placeholder:"CIDR" group:"API:" help:"Proxies whose X-Forwarded-For is believed, for the log and for what one client may do in Play."`
	NoPlay         bool      `name:"no-play" env:"CALLBOARD_NO_PLAY" group:"API:" help:"Have no Play: no inboxes at which anybody may try webhooks."`
	DebugListen    string    `env:"CALLBOARD_DEBUG_LISTEN" placeholder:"HOST:PORT" group:"API:" help:"Serve profiles (net/http/pprof) here. Keep it on loopback."`

	storeFlags
	EncryptionKey encryptionKey `env:"CALLBOARD_ENCRYPTION_KEY" placeholder:"BASE64" group:"Storage:" help:"32 bytes that endpoints' secrets will be encrypted with. Checked and not used yet."`

	AllowPrivate   bool      `env:"CALLBOARD_ALLOW_PRIVATE" group:"Delivery:" help:"Let endpoints be http and have private addresses, loopback included."`
	DenyCIDR       []network `name:"deny-cidr" env:"CALLBOARD_DENY_CIDR" placeholder:"CIDR" group:"Delivery:" help:"Networks that no endpoint may be in, also with --allow-private."`
	DenyPorts      []uint16  `env:"CALLBOARD_DENY_PORTS" placeholder:"PORT" group:"Delivery:" help:"Ports that no endpoint may have. Default: those that browsers refuse, such as 25."`
	RetrySchedule  []span    `env:"CALLBOARD_RETRY_SCHEDULE" placeholder:"DELAY" group:"Delivery:" help:"Delays after the 1st, 2nd, ... failed attempt; the first attempt is at once. Default 5s,5m,30m,2h,5h,10h,10h,14h,20h,24h."`
	Timeout        span      `default:"15s" env:"CALLBOARD_TIMEOUT" placeholder:"DURATION" group:"Delivery:" help:"How long one attempt may take, the answer included. Default ${default}."`
	TimeSpentDelay span      `default:"1h" env:"CALLBOARD_TIME_SPENT_DELAY" placeholder:"DURATION" group:"Delivery:" help:"How long after an event's end the time spent in it is told. Default ${default}."`

	logFlags `embed:""`
}

// storeFlags say where data is and what tokens are signed with.
type storeFlags struct {
	DB        string       `name:"db" default:"${db}" env:"CALLBOARD_DB" placeholder:"URL" group:"Storage:" help:"The database: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE. Default ${default}."`
	JWTSecret token.Secret `name:"jwt-secret" env:"CALLBOARD_JWT_SECRET" placeholder:"TEXT" group:"Storage:" help:"What tokens are signed with. Default: the file beside the database that ends in .jwt-secret (with PostgreSQL ./callboard.jwt-secret); serve makes it if there is none."`
}

// Help is the end of `callboard serve --help`.
func (serveCommand) Help() string {
	return `Every flag can also be set by the environment variable beside it. SIGTERM or SIGINT ends the server in order:
what is under way is finished and recorded. A second signal ends it at once, which loses nothing that was accepted.

Example:

    callboard serve --listen 127.0.0.1:8071 --db sqlite:./callboard.db --allow-private --retry-schedule 5s,5m,1h`
}

// Validate checks what one flag alone does not show. Kong calls it after parsing.
func (c *serveCommand) Validate() error {
	if err := c.config().Check(); err != nil {
		return fmt.Errorf("--%w", err)
	}
	if c.Timeout == 0 {
		return errors.New("--timeout: must not be 0")
	}
	if c.TimeSpentDelay == 0 {
		return errors.New("--time-spent-delay: must not be 0")
	}
	return c.EncryptionKey.check()
}

// config is what the flags say, but for the secret and the logger.
func (c *serveCommand) config() app.Config {
	return app.Config{
		Listen:         c.Listen,
		PublicURL:      c.PublicURL,
		DB:             c.DB,
		AllowPrivate:   c.AllowPrivate,
		DenyCIDRs:      prefixes(c.DenyCIDR),
		DenyPorts:      c.DenyPorts,
		RetrySchedule:  durations(c.RetrySchedule),
		Timeout:        time.Duration(c.Timeout),
		TimeSpentDelay: time.Duration(c.TimeSpentDelay),
		TLSCert:        c.TLSCert,
		TLSKey:         c.TLSKey,
		TrustedProxies: prefixes(c.TrustedProxies),
		DebugListen:    c.DebugListen,
		NoPlay:         c.NoPlay,
		Version:        version(),
	}
}

// Run serves until ctx ends, or until the server cannot go on.
func (c *serveCommand) Run(ctx context.Context, p *process) error {
	logger := c.logger(p.stderr)
	if err := c.serve(ctx, p, logger); err != nil {
		logger.ErrorContext(ctx, "the server has failed", "error", err) // in the log's own form, not as a line of text
		return errReported
	}
	return nil
}

func (c *serveCommand) serve(ctx context.Context, p *process, logger *slog.Logger) error {
	cfg := c.config()
	cfg.Logger = logger
	secret, made, err := c.secret(ctx, logger)
	if err != nil {
		return err
	}
	cfg.JWTSecret = secret
	defer raiseHeapFloor()()
	server, err := app.New(ctx, cfg)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // while it waited for the database
		logger.InfoContext(ctx, "stopped before the database answered")
		return nil
	}
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return errors.Join(err, stop(server))
	}
	logger.InfoContext(ctx, "listening", "url", server.URL(), "address", server.Addr(), "version", cfg.Version)
	if made || !server.HasApps() {
		if err := c.invite(ctx, p, logger, server, secret); err != nil {
			return errors.Join(err, stop(server))
		}
	}
	select {
	case <-ctx.Done():
		logger.InfoContext(ctx, "stopping; a second signal ends at once")
	case <-server.Done():
	}
	if err = stop(server); err == nil { // else it tells why a part has failed
		err = server.Err()
	}
	if err == nil {
		logger.InfoContext(ctx, "stopped")
	}
	return err
}

// stop ends the server within stopTimeout, whatever has ended already.
func stop(server *app.App) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return server.Stop(ctx)
}

// invite says how to sign in, to who starts a server that nobody has used yet. People read a line, programs an entry of
// the log. A link works once: one that nobody follows is in the log for nothing.
func (c *serveCommand) invite(ctx context.Context, p *process, logger *slog.Logger, server *app.App, secret token.Secret) error {
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		return err
	}
	link, err := authority.Link(server.LocalURL(), token.Claims{Org: DefaultOrg})
	if err != nil {
		return err
	}
	if c.isText(p.stderr) {
		_, err = fmt.Fprintf(p.stderr, "\nSign in (the link works once, within 15 minutes; `callboard token --link` makes another):\n\n    %s\n\n", link)
		return err
	}
	logger.InfoContext(ctx, "sign in by the link; it works once, within 15 minutes", "link", link)
	return nil
}

// secret is the one of the flag, else the one beside the database, which is made if need be.
func (c *serveCommand) secret(ctx context.Context, logger *slog.Logger) (secret token.Secret, made bool, err error) {
	if !c.JWTSecret.IsZero() {
		return c.JWTSecret, false, nil
	}
	path := secretPath(c.DB)
	if secret, made, err = keepSecret(path); err != nil {
		return token.Secret{}, false, err
	}
	command := "callboard token --db " + c.DB
	if app.IsPostgres(c.DB) {
		command = "callboard token --db postgres://..." // the URL may hold a password
	}
	hint := slog.Group("", "file", path, "mint_a_token_with", command)
	if made {
		logger.InfoContext(ctx, "made a secret for signing tokens; keep the file", hint)
	} else {
		logger.InfoContext(ctx, "tokens are signed with the secret in a file", hint)
	}
	return secret, made, nil
}
