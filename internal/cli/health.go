package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// healthCommand is `callboard health`.
type healthCommand struct {
	URL      string `name:"url" env:"CALLBOARD_HEALTH_URL" placeholder:"URL" help:"The server's URL. Default: this machine, at --listen."`
	Listen   string `default:"${listen}" env:"CALLBOARD_LISTEN" placeholder:"HOST:PORT" help:"Where the server listens, as serve was told. Default ${default}."`
	TLSCert  string `name:"tls-cert" env:"CALLBOARD_TLS_CERT" placeholder:"FILE" help:"If set, the server speaks https."`
	Insecure bool   `help:"Take any certificate. A server asked on its loopback address shows one for another name."`
	Wait     span   `default:"0s" placeholder:"DURATION" help:"Ask again until the server is ready, for so long."`
}

// askTimeout bounds one question.
const askTimeout = 5 * time.Second

// Help is the end of `callboard health --help`.
func (healthCommand) Help() string {
	return `Asks the server's /ready. Exits 0 if it is ready and 1 if it is not, as container health checks want it.

Example:

    callboard health --listen 127.0.0.1:8071 --wait 10s`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *healthCommand) Validate() error {
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("--url: must be an http or https URL")
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return errors.New("--listen: must be host:port")
	}
	return nil
}

// Run asks, and asks again while it may wait.
func (c *healthCommand) Run(ctx context.Context, p *process) error {
	target := c.target()
	ctx, cancel := context.WithTimeout(ctx, max(time.Duration(c.Wait), askTimeout))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: c.Insecure}, // only if asked for
	}}
	deadline := time.Now().Add(time.Duration(c.Wait))
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := ask(ctx, client, target)
		if err == nil {
			_, err = fmt.Fprintln(p.stdout, "ready")
			return err
		}
		if !time.Now().Before(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

// target is the URL to ask.
func (c *healthCommand) target() string {
	if c.URL != "" {
		return strings.TrimSuffix(c.URL, "/") + "/ready"
	}
	return ownServer(c.Listen, c.TLSCert != "") + "/ready"
}

// ask gets the URL once; nil means that the answer was 2xx.
func ask(ctx context.Context, client *http.Client, target string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 == 2 {
		return nil
	}
	reason, _ := io.ReadAll(io.LimitReader(response.Body, 1000)) // the status says enough without it
	return fmt.Errorf("not ready: %s: %s", response.Status, strings.TrimSpace(string(reason)))
}
