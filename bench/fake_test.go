package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fake is the least service that the bench can measure: it keeps messages in memory, delivers them with a few workers and
// writes what is pending to its database file when it is stopped. It can also do what a service must not.
type fake struct {
	Apps     map[string][]fakeEndpoint // by app
	Pending  []fakeDelivery
	Messages int

	path    string
	live    fakeLive
	sources sync.Map // fakeSource by id
	faults  fakeFaults
	mu      sync.Mutex
	work    chan fakeDelivery
}

// fakeFaults are counted in messages: every so many is lost, repeated, altered, renamed, has a forged signature, is told
// once more as another, its activity is refused, or its wrong signature is accepted; 0 = none.
type fakeFaults struct{ lose, repeat, alter, rename, forge, twice, refuse, believe int }

type fakeEndpoint struct {
	ID, URL, Secret, Dialect string
	FilterTypes              []string
}

type fakeDelivery struct {
	ID       string
	Payload  []byte
	Forged   bool
	Due      time.Time
	Endpoint fakeEndpoint
}

// serveFake is the main function of the fake: it takes the flags of callboard serve that the bench sets.
func serveFake(args []string) error {
	f := &fake{Apps: map[string][]fakeEndpoint{}, work: make(chan fakeDelivery, 1<<16)}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", "", "")
	db := flags.String("db", "", "")
	debug := flags.String("debug-listen", "", "")
	flags.String("jwt-secret", "", "")
	flags.Bool("allow-private", false, "")
	flags.String("public-url", "", "")
	flags.IntVar(&f.faults.forge, "forge", 0, "")
	flags.IntVar(&f.faults.lose, "lose", 0, "")
	flags.IntVar(&f.faults.repeat, "repeat", 0, "")
	flags.IntVar(&f.faults.alter, "alter", 0, "")
	flags.IntVar(&f.faults.rename, "rename", 0, "")
	flags.IntVar(&f.faults.twice, "twice", 0, "")
	flags.IntVar(&f.faults.refuse, "refuse", 0, "")
	flags.IntVar(&f.faults.believe, "believe", 0, "")
	flags.Duration("time-spent-delay", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	f.path = strings.TrimPrefix(*db, "sqlite:")
	if err := f.loadState(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for range 32 {
		go f.deliver()
	}
	if *debug != "" {
		mux := http.NewServeMux()
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		go func() { _ = http.ListenAndServe(*debug, mux) }()
	}
	server := &http.Server{Addr: *listen, Handler: f.routes()}
	go func() { _ = server.ListenAndServe() }()
	f.resume()
	<-ctx.Done()
	_ = server.Close()
	return f.saveState()
}

func (f *fake) loadState() error {
	data, err := os.ReadFile(f.path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, f)
}

func (f *fake) saveState() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(f.path, data, 0o600)
}

// resume queues what was pending when the fake was stopped.
func (f *fake) resume() {
	f.mu.Lock()
	pending := f.Pending
	f.Pending = nil
	f.mu.Unlock()
	for _, d := range pending {
		f.queue(d)
	}
}

func (f *fake) queue(d fakeDelivery) {
	if time.Now().Before(d.Due) { // It becomes due while the bench has stopped us.
		f.mu.Lock()
		f.Pending = append(f.Pending, d)
		f.mu.Unlock()
		return
	}
	f.work <- d
}

func (f *fake) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /api/v1/event-type", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) })
	mux.HandleFunc("POST /api/v1/app", f.createApp)
	mux.HandleFunc("POST /api/v1/app/{app}/endpoint", f.createEndpoint)
	mux.HandleFunc("POST /api/v1/app/{app}/msg", f.createMessage)
	f.liveRoutes(mux)
	mux.HandleFunc("POST /api/v1/app/{app}/source", f.createSource)
	mux.HandleFunc("POST /in/{source}", f.receive)
	mux.HandleFunc("GET /api/v1/event-type/{name}", fakeEventType)
	mux.HandleFunc("GET /api/v1/app/{app}/signing-token", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"key":%q}`, fakeToken(r.PathValue("app")))
	})
	mux.HandleFunc("GET /api/v1/", func(w http.ResponseWriter, r *http.Request) {
		page := map[string]any{"data": []map[string]string{{"id": "msg_1"}}, "iterator": "next", "done": r.URL.Query().Has("iterator")}
		_ = json.NewEncoder(w).Encode(page)
	})
	return mux
}

func answer(w http.ResponseWriter, status int, id string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"id":%q}`, id)
}

func (f *fake) createApp(w http.ResponseWriter, r *http.Request) {
	if claims := strings.Split(r.Header.Get("Authorization"), "."); len(claims) != 3 || !strings.HasPrefix(claims[0], "Bearer ") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := fmt.Sprintf("app_%d", len(f.Apps))
	f.Apps[id] = nil
	answer(w, http.StatusCreated, id)
}

func (f *fake) createEndpoint(w http.ResponseWriter, r *http.Request) {
	var endpoint fakeEndpoint
	if err := json.NewDecoder(r.Body).Decode(&endpoint); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	app := r.PathValue("app")
	if endpoint.Dialect == "iotum" {
		if endpoint.Secret != "" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		endpoint.Secret = fakeToken(app)
	}
	endpoint.ID = fmt.Sprintf("ep_%d", len(f.Apps[app]))
	f.Apps[app] = append(f.Apps[app], endpoint)
	answer(w, http.StatusCreated, endpoint.ID)
}

func (f *fake) createMessage(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Payload   json.RawMessage
		DeliverAt time.Time
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.Messages++
	n, endpoints := f.Messages, f.Apps[r.PathValue("app")]
	f.mu.Unlock()
	hits := func(every int) bool { return every > 0 && n%every == 0 }
	id := fmt.Sprintf("msg_%027d", n)
	d := fakeDelivery{ID: id, Due: in.DeliverAt, Forged: hits(f.faults.forge)}
	if hits(f.faults.rename) {
		d.ID += "x"
	}
	answer(w, http.StatusAccepted, id)
	for _, d.Endpoint = range endpoints {
		if hits(f.faults.lose) {
			continue
		}
		d.Payload = fakeBody(d.Endpoint.Dialect, id, in.Payload)
		if hits(f.faults.alter) {
			d.Payload = bytes.Replace(d.Payload, []byte(`":{"`), []byte(`": {`), 1)
		}
		f.queue(d)
		if hits(f.faults.repeat) {
			f.queue(d)
		}
	}
}

// deliver signs and POSTs until the process ends.
func (f *fake) deliver() {
	for d := range f.work {
		r, err := http.NewRequest(http.MethodPost, d.Endpoint.URL, bytes.NewReader(d.Payload))
		if err != nil {
			panic(err)
		}
		signed := d.Payload
		if d.Forged {
			signed = []byte("another body")
		}
		fakeSign(r.Header, d.Endpoint, d.ID, signed)
		if response, err := http.DefaultClient.Do(r); err == nil {
			_ = response.Body.Close()
		}
	}
}
