package restapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/web"
)

// readyTimeout bounds how long a probe waits for the store.
const readyTimeout = 2 * time.Second

// registerHealth puts the probes on the mux, at the root for orchestrators and
// under the API's prefix for Svix's clients. They need no token.
func (a *api) registerHealth() {
	healthy := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	for _, path := range []string{"/health", prefix + "/health", prefix + "/health/ping"} {
		a.mux.HandleFunc("GET "+path, healthy)
	}
	for _, path := range []string{"/ready", prefix + "/ready"} {
		a.mux.HandleFunc("GET "+path, a.ready)
	}
	for path, summary := range map[string]string{
		"/health":      "Whether the process answers",
		"/health/ping": "Whether the process answers",
		"/ready":       "Whether the process can take and deliver messages",
	} {
		op := &huma.Operation{
			OperationID: "v1" + dotted(path), Method: http.MethodGet, Path: prefix + path, Tags: []string{tagHealth},
			Summary: summary, Security: []map[string][]string{},
			Responses: map[string]*huma.Response{"204": {Description: "It does"}},
		}
		if path == "/ready" {
			op.Responses["503"] = &huma.Response{Ref: "#/components/responses/Problem503"}
		}
		a.huma.OpenAPI().AddOperation(op)
	}
}

// dotted turns a path into the tail of an operation's id.
func dotted(path string) string {
	out := []byte(path)
	for i := range out {
		if out[i] == '/' {
			out[i] = '.'
		}
	}
	return string(out)
}

// ready is red while messages could not be taken or delivered.
func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	check := a.Ready
	if check == nil {
		check = func() error {
			ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
			defer cancel()
			return a.Store.Ping(ctx)
		}
	}
	if err := check(); err != nil {
		web.Fail(w, errs.Wrap(errs.Unavailable, err, "The service cannot take or deliver messages at the moment"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
