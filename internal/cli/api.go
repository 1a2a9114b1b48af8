package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/internal/app"
	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/token"
)

// apiFlags say which server a command speaks to, as whom and about which app.
type apiFlags struct {
	Server    string       `default:"${server}" env:"CALLBOARD_SERVER" placeholder:"URL" group:"Server:" help:"The server's URL. Default ${default}."`
	Token     bearerToken  `env:"CALLBOARD_TOKEN" placeholder:"TOKEN" group:"Server:" help:"A token for the API, of the org or of one app. Default, for a server on this machine: one made with its secret."`
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
	u, err := url.Parse(f.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("--server: must be an http or https URL, without user, query or fragment")
	}
	if strings.Contains(f.App, "/") {
		return errors.New("--app: must be an app's id or uid")
	}
	if err := app.CheckDB(f.DB); err != nil {
		return fmt.Errorf("--db: %w", err)
	}
	return nil
}

// client makes a client of the API from the flags.
func (f *apiFlags) client() (*apiClient, error) {
	text := f.Token.text
	if text == "" {
		var err error
		if text, err = f.mint(); err != nil {
			return nil, err
		}
	}
	return newAPIClient(f.Server, text), nil
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
	base  string // of the server, without a slash at the end
	token string
	http  *http.Client
}

const (
	apiPrefix  = "/api/v1"
	apiTimeout = 15 * time.Second // of one exchange
	maxAnswer  = 16 << 20         // bytes
)

func newAPIClient(server, token string) *apiClient {
	return &apiClient{
		base: strings.TrimRight(server, "/"), token: token,
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:                 http.ProxyFromEnvironment,
				DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
				TLSHandshakeTimeout:   10 * time.Second,
				ResponseHeaderTimeout: apiTimeout,
				IdleConnTimeout:       30 * time.Second,
			},
			// The API redirects nobody, and a token is not for those who do.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// close lets go of connections.
func (c *apiClient) close() { c.http.CloseIdleConnections() }

// unreachableError says that there was no answer.
type unreachableError struct {
	server string
	cause  error
}

// Error names the server and the reason, not the path.
func (e *unreachableError) Error() string {
	return fmt.Sprintf("the server at %s does not answer: %v", e.server, e.cause)
}

// Unwrap gives the reason.
func (e *unreachableError) Unwrap() error { return e.cause }

// apiError is an answer other than 2xx.
type apiError struct {
	status int
	doing  string // method and path
	code   string // the API's; "" = it has none, or it is not the API that answers
	detail string // what the server says, in one line
}

// Error says what was asked and what the server says to it.
func (e *apiError) Error() string {
	if e.status == http.StatusUnauthorized {
		return "the server does not accept the token: " + e.detail
	}
	return fmt.Sprintf("%s: %d %s: %s", e.doing, e.status, http.StatusText(e.status), e.detail)
}

// do makes one exchange; path follows /api/v1. in becomes the body unless it is nil, as
// JSON; the answer's body goes into out unless that is nil.
func (c *apiClient) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	body, err := encodeJSON(in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	response, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return &unreachableError{c.base, err}
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not as expected: %w", method, path, err)
	}
	return nil
}

// open makes a request and gives the answer, whose body the caller closes, if it is a
// 2xx. Its errors are unreachableError and apiError.
func (c *apiClient) open(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+apiPrefix+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("User-Agent", "callboard/"+version())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL, which the caller's error names
		}
		return nil, &unreachableError{c.base, err}
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // the status says enough without it
	code, detail := readProblem(text)
	return nil, &apiError{status: response.StatusCode, doing: method + " " + apiPrefix + path, code: code, detail: printable(detail)}
}

// readProblem reads the API's errors: {code, detail}, or {detail: [{loc, msg}]}.
func readProblem(text []byte) (code, detail string) {
	var plain struct{ Code, Detail string }
	if json.Unmarshal(text, &plain) == nil && plain.Detail != "" {
		return plain.Code, plain.Detail
	}
	var fields struct {
		Detail []struct {
			Loc []string
			Msg string
		}
	}
	if json.Unmarshal(text, &fields) == nil && len(fields.Detail) > 0 {
		parts := make([]string, len(fields.Detail))
		for i, f := range fields.Detail {
			parts[i] = strings.Join(f.Loc, ".") + " " + f.Msg
		}
		return "", strings.Join(parts, "; ")
	}
	return "", string(bytes.TrimSpace(text[:min(len(text), 300)]))
}

// encodeJSON is encoding/json without its escapes for HTML; nil stays nil, and JSON in a
// json.RawMessage stays as it is, byte for byte.
func encodeJSON(v any) ([]byte, error) {
	switch raw := v.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return raw, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
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
	err := c.do(ctx, http.MethodGet, "/app/"+url.PathEscape(named), nil, &found)
	if isStatus(err, http.StatusNotFound) {
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
	if err := c.do(ctx, http.MethodGet, "/app?limit=10", nil, &page); err != nil {
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

// isStatus reports whether an error is an answer of this status.
func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.status == status
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
