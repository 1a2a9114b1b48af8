package demo

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
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
	created struct {
		ID string `json:"id"`
	}
	messageOut struct {
		ID        string    `json:"id"`
		EventType string    `json:"eventType"`
		Timestamp time.Time `json:"timestamp"` // when it was committed
		Payload   struct {
			Timestamp time.Time `json:"timestamp"` // when it happened
		} `json:"payload"`
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
)

// statusSuccess is the status of an attempt that was answered 2xx.
const statusSuccess = 0

// api speaks to the server.
type api struct{ *client.Client }

func (a api) get(ctx context.Context, path string, out any) error {
	return a.Do(ctx, http.MethodGet, path, nil, out)
}

func (a api) post(ctx context.Context, path string, in, out any) error {
	return a.Do(ctx, http.MethodPost, path, in, out)
}

// list reads the whole of a list, page by page; path may have a query. An error is the last that it gives.
func list[T any](ctx context.Context, a api, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		query := url.Values{"limit": {"250"}}
		for {
			var page struct {
				Data     []T     `json:"data"`
				Iterator *string `json:"iterator"`
				Done     bool    `json:"done"`
			}
			if err := a.get(ctx, path+separator+query.Encode(), &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Data {
				if !yield(item, nil) {
					return
				}
			}
			if page.Done || page.Iterator == nil {
				return
			}
			query.Set("iterator", *page.Iterator)
		}
	}
}

// attempts reads the whole log of an endpoint.
func (a api) attempts(ctx context.Context, app, endpoint string) ([]attempt, error) {
	return collect(list[attempt](ctx, a, "/app/"+app+"/attempt/endpoint/"+endpoint))
}

// messages reads all messages of an app.
func (a api) messages(ctx context.Context, app string) ([]messageOut, error) {
	all, err := collect(list[messageOut](ctx, a, "/app/"+app+"/msg"))
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Payload.Timestamp.IsZero() {
			return nil, fmt.Errorf("message %s of type %s does not say when it happened", m.ID, m.EventType)
		}
	}
	return all, nil
}

func collect[T any](items iter.Seq2[T, error]) (all []T, err error) {
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}
