package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/token"
)

// tokenCommand is `callboard token`.
type tokenCommand struct {
	Org     string `default:"${org}" placeholder:"org_..." help:"The org that the token is for. Default ${default}."`
	App     string `placeholder:"app_..." help:"Limit the token to one app of the org, as for a tenant."`
	Expires span   `default:"10y" placeholder:"DURATION" help:"How long the token is valid, such as 12h, 30d or 10y. Default ${default}."`

	Link      bool   `help:"Print a link instead that signs a browser in: it works once, within 15 minutes, and the session lasts as long as the token would, at most 7 days."`
	PublicURL string `name:"public-url" env:"CALLBOARD_PUBLIC_URL" placeholder:"URL" help:"What the link begins with. Default http://${listen}."`

	Read     bool `help:"A read token: it can GET what resource_url in webhooks names, under /v1, and nothing else."`
	ReadOnly bool `help:"A token for the whole API that can read and change nothing."`
	storeFlags
}

// Help is the end of `callboard token --help`.
func (tokenCommand) Help() string {
	return `Prints the token alone, so that a shell can take it. It needs the secret of the server, not the server itself.

Example:

    curl -H "Authorization: Bearer $(callboard token --expires 30d)" http://127.0.0.1:8071/api/v1/app

    callboard token --link --public-url https://hooks.example.com`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *tokenCommand) Validate() error {
	switch {
	case !id.WellFormedOrg(c.Org):
		return errors.New("--org: must be org_ and 27 letters and digits")
	case c.App != "" && !wellFormedApp(c.App):
		return errors.New("--app: must be an app's id, app_ and 27 letters and digits; a uid does not do")
	case c.Link && c.Read:
		return errors.New("--link and --read: a read token cannot sign in")
	case c.Read && c.ReadOnly:
		return errors.New("--read and --read-only: give one of them")
	case c.Expires == 0:
		return errors.New("--expires: must not be 0")
	}
	// What --public-url may be, the server's configuration knows.
	if err := (app.Config{DB: c.DB, PublicURL: c.PublicURL}).Check(); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// wellFormedApp reports whether text can be an app's id. Ids of apps and orgs have one form behind the prefix; whether
// the app exists is for the server to say, which has the key to its ids.
func wellFormedApp(text string) bool {
	rest, ok := strings.CutPrefix(text, id.App.Prefix())
	return ok && id.WellFormedOrg("org_"+rest)
}

// Run prints a token, or a link.
func (c *tokenCommand) Run(p *process) error {
	secret, err := c.secret()
	if err != nil {
		return err
	}
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		return err
	}
	now := time.Now()
	claims := token.Claims{
		Org:      c.Org,
		App:      c.App,
		ReadOnly: c.ReadOnly,
		IssuedAt: now,
		Expires:  now.Add(time.Duration(c.Expires)),
	}
	if c.Read {
		claims.Use = token.ReadUse
	}
	text, err := authority.Mint(claims)
	if c.Link {
		text, err = authority.Link(cmp.Or(c.PublicURL, "http://"+app.DefaultListen), claims)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, text)
	return err
}

// secret is the one of the flag, else the one beside the database. It makes none: a token under a secret that no server
// knows would be of no use.
func (c *tokenCommand) secret() (token.Secret, error) {
	if !c.JWTSecret.IsZero() {
		return c.JWTSecret, nil
	}
	secret, err := readSecret(secretPath(c.DB))
	if errors.Is(err, fs.ErrNotExist) {
		return secret, fmt.Errorf("there is no %s: start the server once, or give --jwt-secret or --db", secretPath(c.DB))
	}
	return secret, err
}
