package cli

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/token"
)

// apiFlags say which server a command speaks to, as whom and about which app.
type apiFlags struct {
	Server    string       `default:"${server}" env:"CALLBOARD_SERVER" placeholder:"URL" group:"Server:" help:"The server's URL. Default ${default}: this machine, at CALLBOARD_LISTEN if that is set."`
	Token     bearerToken  `env:"CALLBOARD_TOKEN" placeholder:"TOKEN" group:"Server:" help:"A token for the API, ${tokenof}. Default, for a server on this machine: one made with its secret."`
	App       string       `env:"CALLBOARD_APP" placeholder:"APP" group:"Server:" help:"The app's id or uid. Default: the token's, or the only one that there is."`
	DB        string       `name:"db" default:"${db}" env:"CALLBOARD_DB" placeholder:"URL" group:"Server:" help:"Without --token: the database that the server was told of. The secret in the file beside it makes a token. Default ${default}."`
	JWTSecret token.Secret `name:"jwt-secret" env:"CALLBOARD_JWT_SECRET" placeholder:"TEXT" group:"Server:" help:"Without --token: the server's secret itself, instead of the file."`
}

// bearerToken is a token of a flag. It prints as [redacted].
type bearerToken struct{ text string }

// String hides the token.
func (bearerToken) String() string { return "[redacted]" }

// LogValue hides the token from slog.
func (bearerToken) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// mintedLife is how long a token lives that a command makes for itself.
const mintedLife = 30 * 24 * time.Hour

// check says which flag is wrong.
func (f *apiFlags) check() error {
	if _, err := newAPIClient(f.Server, "any"); err != nil {
		return err
	}
	if strings.Contains(f.App, "/") {
		return errors.New("--app: must be an app's id or uid")
	}
	if err := app.CheckDB(f.DB); err != nil {
		return fmt.Errorf("--db: %w", err)
	}
	return nil
}

// checkOrg refuses the token of one app, which reads live state and does not change it: the
// command would come to nothing, but late.
func (f *apiFlags) checkOrg() error {
	if appOfToken(f.Token.text) != "" {
		return errors.New("--token: must be the org's; that of one app does not change live state")
	}
	return nil
}

// ownServer is the URL of a server on this machine that was told where to listen. One that
// listens on all addresses is reached on loopback.
func ownServer(listen string, tls bool) string {
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil { // it is shown as it is, and refused as a URL or by the network
		return scheme + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, port)
}

// defaultServer is the server of commands that were told of none: the one that would be
// started in the same environment.
func defaultServer(getenv func(string) string) string {
	return ownServer(cmp.Or(getenv("CALLBOARD_LISTEN"), app.DefaultListen), getenv("CALLBOARD_TLS_CERT") != "")
}

// client makes a client of the API from the flags.
func (f *apiFlags) client(opts ...client.Option) (*apiClient, error) {
	text := f.Token.text
	if text == "" {
		var err error
		if text, err = f.mint(); err != nil {
			return nil, err
		}
	}
	return newAPIClient(f.Server, text, opts...)
}

// mint makes a token for a server on this machine. For another one it does not: the
// secret that is here is not that server's, and a token of it is not its business.
func (f *apiFlags) mint() (string, error) {
	if u, err := url.Parse(f.Server); err != nil || !onLoopback(u.Hostname()) {
		return "", usageError{errors.New("--token: is required for a server that is not on this machine; see callboard token --help")}
	}
	secret, err := (&tokenCommand{storeFlags: storeFlags{DB: f.DB, JWTSecret: f.JWTSecret}}).secret()
	if err != nil {
		return "", fmt.Errorf("no --token, and none can be made: %w", err)
	}
	authority, err := token.New(token.Config{Secret: secret})
	if err != nil {
		return "", err
	}
	return authority.Mint(token.Claims{Org: DefaultOrg, Expires: time.Now().Add(mintedLife)})
}

// onLoopback reports whether a host is certainly this machine.
func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// apiClient speaks to the REST API of a server. It is safe for concurrent use.
type apiClient struct {
	*client.Client
	server string // its URL, without a slash at the end
	token  string
}

func newAPIClient(server, token string, opts ...client.Option) (*apiClient, error) {
	c, err := client.New(server, token, append([]client.Option{client.WithUserAgent("callboard/" + version())}, opts...)...)
	if err != nil {
		return nil, asFlag(err)
	}
	return &apiClient{c, strings.TrimRight(server, "/"), token}, nil
}

// asFlag makes an error of client.New one of a flag: its fields have the flags' names.
func asFlag(err error) error {
	return usageError{errors.New("--" + strings.TrimPrefix(err.Error(), "client: "))}
}

// How long a server may be away while activities are told: with what the client tries by
// itself, about a minute. So it can be started again meanwhile.
const (
	firstWait   = 2 * time.Second // give or take a quarter
	longestHold = 10 * time.Second
	mostWaits   = 6
	longestAsk  = time.Minute // of a Retry-After
)

const noAnswer = "the server does not answer, waiting"

// tellPatiently tells activities, and waits for a server that does not answer, which it says
// on the bar. They must have ids: those whose answer was lost are told again.
func tellPatiently(ctx context.Context, to client.App, bar *progress, activities []json.RawMessage) ([]client.Told, error) {
	var all []client.Told
	pause := firstWait
	for left := mostWaits; ; left-- {
		told, err := to.TellJSON(ctx, activities[len(all):]...)
		all = append(all, told...)
		asked, passes := passing(err)
		if !passes || left == 0 || ctx.Err() != nil {
			return all, err
		}
		bar.wait(noAnswer)
		select {
		case <-ctx.Done():
			return all, err
		case <-time.After(max(asked, pause*3/4+rand.N(pause/2))):
		}
		pause = min(2*pause, longestHold)
	}
}

// passing reports whether a server may answer later to what it did not now, and how long it
// asks to be left alone.
func passing(err error) (asked time.Duration, passes bool) {
	if _, unreachable := errors.AsType[*client.UnreachableError](err); unreachable {
		return 0, true
	}
	e, answered := errors.AsType[*client.Error](err)
	if !answered || e.RetryAfter > longestAsk {
		return 0, false
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return e.RetryAfter, true
	}
	return 0, false
}

// apiApp is an app as the API shows it.
type apiApp struct {
	ID   string  `json:"id"`
	UID  *string `json:"uid"`
	Name string  `json:"name"`
}

// called is what people call the app: its uid, else its id.
func (a apiApp) called() string {
	if a.UID != nil {
		return *a.UID
	}
	return a.ID
}

// findApp reads the app that the flags name, else that of the token, else the only one
// that there is.
func (c *apiClient) findApp(ctx context.Context, named string) (apiApp, error) {
	if named == "" {
		named = appOfToken(c.token)
	}
	if named == "" {
		return c.onlyApp(ctx)
	}
	var found apiApp
	err := c.Do(ctx, http.MethodGet, "/app/"+url.PathEscape(named), nil, &found)
	if errors.Is(err, client.ErrNotFound) {
		return found, fmt.Errorf("--app: there is no app %q that the token may see", named)
	}
	return found, err
}

// onlyApp is the org's app if it has one.
func (c *apiClient) onlyApp(ctx context.Context) (apiApp, error) {
	var page struct {
		Data []apiApp `json:"data"`
		Done bool     `json:"done"`
	}
	if err := c.Do(ctx, http.MethodGet, "/app?limit=10", nil, &page); err != nil {
		return apiApp{}, err
	}
	switch len(page.Data) {
	case 1:
		return page.Data[0], nil
	case 0:
		return apiApp{}, errors.New(`there is no app yet; create one with POST /api/v1/app {"name": "Acme", "uid": "acme"}`)
	}
	names := make([]string, len(page.Data))
	for i, a := range page.Data {
		names[i] = a.called()
	}
	if !page.Done {
		names = append(names, "…")
	}
	return apiApp{}, usageError{fmt.Errorf("--app: name one of the apps: %s", strings.Join(names, ", "))}
}

// appOfToken reads the app that a token is limited to; "" = none. It verifies nothing,
// which is the server's to do.
func appOfToken(text string) string {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return ""
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	var said struct {
		Subject string `json:"sub"`
	}
	if err != nil || json.Unmarshal(claims, &said) != nil || !strings.HasPrefix(said.Subject, id.App.Prefix()) {
		return ""
	}
	return said.Subject
}
