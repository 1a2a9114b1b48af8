package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// appUID is the uid of the demo's app: what people type into a curl line.
const appUID = "demo"

// The bodies of the API, as far as the demo has a use for them.
type (
	appIn struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	}
	endpointIn struct {
		URL         string `json:"url"`
		Description string `json:"description"`
		Dialect     string `json:"dialect"`
		Secret      string `json:"secret,omitempty"`
	}
	secretOut struct {
		Key string `json:"key"`
	}
	messageIn struct {
		EventType string          `json:"eventType"`
		Payload   json.RawMessage `json:"payload"`
	}
	created struct {
		ID string `json:"id"`
	}
	stats struct {
		Success  int `json:"success"`
		Pending  int `json:"pending"`
		Sending  int `json:"sending"`
		Fail     int `json:"fail"`
		Canceled int `json:"canceled"`
	}
	attempt struct {
		Message string `json:"msgId"`
		Status  int    `json:"status"`
	}
	attemptPage struct {
		Data     []attempt `json:"data"`
		Iterator *string   `json:"iterator"`
		Done     bool      `json:"done"`
	}
)

// statusSuccess is the status of an attempt that was answered 2xx.
const statusSuccess = 0

// client speaks to the REST API.
type client struct {
	base, token string
	http        *http.Client
}

func newClient(base, token string) *client {
	return &client{base: base, token: token, http: &http.Client{Timeout: 30 * time.Second}}
}

func (c *client) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, out)
}

func (c *client) post(ctx context.Context, path string, in, out any) error {
	body, err := marshal(in)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return c.do(ctx, http.MethodPost, path, body, out)
}

// do makes one request. An answer other than 2xx is an error that holds its text.
func (c *client) do(ctx context.Context, method, path string, body []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err // it names the method and the URL
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(text))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// attempts reads the whole log of an endpoint.
func (c *client) attempts(ctx context.Context, app, endpoint string) ([]attempt, error) {
	var all []attempt
	query := url.Values{"limit": {"250"}}
	for {
		var page attemptPage
		if err := c.get(ctx, "/app/"+app+"/attempt/endpoint/"+endpoint+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Done || page.Iterator == nil {
			return all, nil
		}
		query.Set("iterator", *page.Iterator)
	}
}

// marshal is encoding/json without its escapes for HTML, which no receiver of a webhook wants to read.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
