package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/callboard/callboard/client"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/wire"
)

// triggerCommand is `callboard trigger`.
type triggerCommand struct {
	Type     string   `arg:"" help:"The event type, such as session.joined, or a dialect's word for it, such as JOINED_SESSION."`
	Data     string   `placeholder:"FILE" help:"A JSON object that is laid over the sample's data, member by member; - is standard input."`
	Set      []string `sep:"none" placeholder:"PATH=VALUE" help:"Change one value of the data, such as session.title=Keynote; may be given several times. The value is JSON, or else text."`
	Channel  []string `placeholder:"NAME" help:"A channel of the message; may be given several times."`
	Activity bool     `help:"Tell it as something that happened: live state takes it in, and Callboard sends what follows from it."`
	Wait     span     `default:"10s" placeholder:"DURATION" help:"How long to wait for what the endpoints answer; 0s for not at all. Default ${default}."`
	JSON     bool     `name:"json" help:"As JSON."`

	apiFlags `set:"tokenof=the org's"`
}

// Help is the end of `callboard trigger --help`.
func (triggerCommand) Help() string {
	return `Sends a sample of an event type to every endpoint of the app that subscribed to it, as if it had happened now, and
says what they answered. Exits 1 if a delivery has not succeeded by then.

Examples:

    callboard trigger session.joined --app acme
    callboard trigger JOINED_SESSION --app acme --set registration.profile.firstName=Zoë
    callboard trigger conference.recording.ready --data recording.json
    callboard trigger session.joined --app acme --activity --set registration.id=r1`
}

// Validate checks what the flags mean. Kong calls it after parsing.
func (c *triggerCommand) Validate() error {
	for _, s := range c.Set {
		if path, _, ok := strings.Cut(s, "="); !ok || path == "" {
			return errors.New("--set: must have the form path=value, such as session.title=Keynote")
		}
	}
	return c.check()
}

// Run sends the message and tells what became of it.
func (c *triggerCommand) Run(ctx context.Context, p *process) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	defer api.Close()
	app, err := api.findApp(ctx, c.App)
	if err != nil {
		return err
	}
	in, err := c.message(ctx, api)
	if err != nil {
		return err
	}
	if c.Activity {
		return c.activity(ctx, p.stdout, api, app, in)
	}
	var sent struct {
		ID       string `json:"id"`
		Warnings []struct {
			Loc []string `json:"loc"`
			Msg string   `json:"msg"`
		} `json:"warnings"`
	}
	path := "/app/" + url.PathEscape(app.ID) + "/msg"
	if err := api.Do(ctx, http.MethodPost, path+"?with_content=false", in, &sent); err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(p.stdout, "%s  %s  sent to app %s\n", sent.ID, in.EventType, app.called())
		for _, w := range sent.Warnings {
			fmt.Fprintf(p.stdout, "warning: %s %s\n", strings.Join(w.Loc, "."), w.Msg)
		}
	}
	hearers, err := api.outcome(ctx, path+"/"+sent.ID, time.Duration(c.Wait))
	if err != nil {
		return err
	}
	return c.tell(p.stdout, sent.ID, in.EventType, hearers)
}

// triggered is a message as the API takes it.
type triggered struct {
	EventType string          `json:"eventType"`
	Payload   json.RawMessage `json:"payload"`
	Channels  []string        `json:"channels,omitempty"`
}

// message is the sample with the changes that the flags ask for.
func (c *triggerCommand) message(ctx context.Context, api *apiClient) (triggered, error) {
	eventType := c.eventType()
	sample, err := api.sample(ctx, eventType)
	if err != nil {
		return triggered{}, err
	}
	data, ok := sample["data"].(map[string]any)
	if !ok { // of a type of the org's own: the whole payload is its to shape
		data = sample
	} else if _, dated := sample["timestamp"]; dated {
		sample["timestamp"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if err := c.lay(data); err != nil {
		return triggered{}, err
	}
	payload, err := wire.MarshalValue(sample)
	return triggered{eventType, payload, c.Channel}, err
}

// eventType is Callboard's name of what the argument names.
func (c *triggerCommand) eventType() string {
	l := newListing()
	for _, name := range l.others() {
		d, _ := l.dialects.Get(name)
		if types := d.Types(c.Type); len(types) > 0 {
			return types[0]
		}
	}
	return c.Type
}

// lay puts what --data and --set say over the sample.
func (c *triggerCommand) lay(data map[string]any) error {
	if c.Data != "" {
		text, err := readInput(c.Data)
		if err != nil {
			return err
		}
		var over map[string]any
		if err := decodeJSON(text, &over); err != nil || over == nil {
			return usageError{fmt.Errorf("--data: %s must hold a JSON object", c.Data)}
		}
		overlay(data, over)
	}
	for _, s := range c.Set {
		path, text, _ := strings.Cut(s, "=")
		if err := put(data, strings.Split(path, "."), text); err != nil {
			return usageError{fmt.Errorf("--set %s: %w", path, err)}
		}
	}
	return nil
}

// overlay puts one object over another, objects in them member by member.
func overlay(below, above map[string]any) {
	for name, value := range above {
		old, isObject := below[name].(map[string]any)
		if inner, ok := value.(map[string]any); ok && isObject {
			overlay(old, inner)
			continue
		}
		below[name] = value
	}
}

// put sets one value in an object; objects on the way are made if need be.
func put(object map[string]any, path []string, text string) error {
	var value any
	if decodeJSON([]byte(text), &value) != nil {
		value = text
	}
	for _, name := range path[:len(path)-1] {
		inner, isObject := object[name].(map[string]any)
		if !isObject {
			if object[name] != nil {
				return fmt.Errorf("%s is no object", name)
			}
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = value
	return nil
}

// decodeJSON reads one JSON value and keeps its numbers as they are.
func decodeJSON(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// sample asks the server for an example of an event type.
func (c *apiClient) sample(ctx context.Context, eventType string) (map[string]any, error) {
	var found struct {
		Schemas map[string]struct {
			Examples []json.RawMessage `json:"examples"`
		} `json:"schemas"`
	}
	err := c.Do(ctx, http.MethodGet, "/event-type/"+url.PathEscape(eventType), nil, &found)
	if errors.Is(err, client.ErrNotFound) {
		return nil, usageError{fmt.Errorf("%s: the server has no such event type; callboard events lists those of the catalogue", eventType)}
	}
	if err != nil {
		return nil, err
	}
	for _, schema := range found.Schemas {
		for _, text := range schema.Examples {
			var sample map[string]any
			if decodeJSON(text, &sample) == nil && sample != nil {
				return sample, nil
			}
		}
	}
	return map[string]any{}, nil
}

// hearer is an endpoint with what became of one message there.
type hearer struct {
	ID      string `json:"endpointId"`
	URL     string `json:"url"`
	Dialect string `json:"dialect"`
	Status  string `json:"status"`

	StatusCode int    `json:"statusCode"` // of the last attempt; 0 = no answer
	Millis     int64  `json:"millis"`
	Response   string `json:"response,omitempty"`
}

// pollEvery is how often the server is asked what became of a message.
const pollEvery = 100 * time.Millisecond

// outcome waits until every endpoint that hears a message has answered, or the time is
// over.
func (c *apiClient) outcome(ctx context.Context, message string, wait time.Duration) ([]hearer, error) {
	deadline := time.Now().Add(wait)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		hearers, attempted, err := c.hearers(ctx, message)
		if err != nil || attempted || !time.Now().Before(deadline) {
			return hearers, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// hearers reads who hears a message, and whether each has been tried. The attempts are read
// first: where there is one, what an endpoint's delivery is afterwards has it counted in.
func (c *apiClient) hearers(ctx context.Context, message string) (all []hearer, attempted bool, err error) {
	var attempts struct {
		Data []struct {
			EndpointID         string
			ResponseStatusCode int
			ResponseDurationMs int64
			Response           string
		}
	}
	app, id, _ := strings.Cut(message, "/msg/")
	if err := c.Do(ctx, http.MethodGet, app+"/attempt/msg/"+id+"?limit=250&expanded_statuses=true", nil, &attempts); err != nil {
		return nil, false, err
	}
	var endpoints struct {
		Data []struct {
			ID, URL, Dialect, StatusText string
		}
	}
	if err := c.Do(ctx, http.MethodGet, message+"/endpoint?limit=250", nil, &endpoints); err != nil {
		return nil, false, err
	}
	attempted = true
	for _, e := range endpoints.Data {
		h := hearer{ID: e.ID, URL: e.URL, Dialect: e.Dialect, Status: e.StatusText}
		tried := false
		for _, a := range attempts.Data { // newest first
			if a.EndpointID == e.ID {
				h.StatusCode, h.Millis, h.Response, tried = a.ResponseStatusCode, a.ResponseDurationMs, a.Response, true
				break
			}
		}
		attempted = attempted && (tried || h.Status == "fail")
		all = append(all, h)
	}
	return all, attempted, nil
}

// tell prints what became of the message. It is an error if an endpoint has not taken
// it.
func (c *triggerCommand) tell(w io.Writer, message, eventType string, hearers []hearer) error {
	if c.JSON {
		if err := writeJSON(w, struct {
			ID        string   `json:"id"`
			EventType string   `json:"eventType"`
			Endpoints []hearer `json:"endpoints"`
		}{message, eventType, append([]hearer{}, hearers...)}); err != nil {
			return err
		}
	}
	missed := 0
	for _, h := range hearers {
		if h.Status != "success" && c.Wait != 0 {
			missed++
		}
		if !c.JSON {
			fmt.Fprintln(w, "  "+h.line())
		}
	}
	switch {
	case len(hearers) == 0 && !c.JSON:
		fmt.Fprintln(w, "  no endpoint of the app hears it")
	case missed > 0:
		return fmt.Errorf("%d of %d endpoints have not taken it", missed, len(hearers))
	}
	return nil
}

// line is a hearer for people.
func (h hearer) line() string {
	answer := "not tried yet"
	switch {
	case h.StatusCode != 0:
		answer = fmt.Sprintf("%d in %d ms", h.StatusCode, h.Millis)
	case h.Response != "":
		answer = printable(h.Response)
	}
	name := h.Dialect
	if name == "" {
		name = dialect.Native
	}
	return fmt.Sprintf("%s  %-12s  %-7s  %s  %s", h.ID, name, h.Status, answer, h.URL)
}

// told is what the live door answers to one activity.
type told struct {
	Status   string   `json:"status"`
	Late     bool     `json:"late,omitempty"`
	Messages []string `json:"messages"`
}

// activity tells the message's data as something that happened now, and prints the
// messages that follow.
func (c *triggerCommand) activity(ctx context.Context, w io.Writer, api *apiClient, app apiApp, in triggered) error {
	data, err := activityData(in.Payload)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", in.EventType, err)}
	}
	var answer struct {
		Data []told `json:"data"`
	}
	path := "/app/" + url.PathEscape(app.ID)
	body := map[string]any{"type": in.EventType, "data": data}
	if err := api.Do(ctx, http.MethodPost, path+"/activity", body, &answer); err != nil {
		return err
	}
	if len(answer.Data) != 1 {
		return fmt.Errorf("the server answered to %d activities, and one was told", len(answer.Data))
	}
	if c.JSON {
		return writeJSON(w, answer.Data[0])
	}
	fmt.Fprintf(w, "%s  %s in app %s\n", in.EventType, answer.Data[0].Status, app.called())
	if len(answer.Data[0].Messages) == 0 {
		fmt.Fprintln(w, "  no message follows from it")
	}
	for _, m := range answer.Data[0].Messages {
		fmt.Fprintln(w, "  "+m)
	}
	return nil
}

// activityData is the data of a payload as the live door takes it: a conversation's
// members stand in it themselves, and what only Callboard says of an event is left out.
func activityData(payload json.RawMessage) (map[string]any, error) {
	var p struct {
		Data map[string]any `json:"data"`
	}
	if err := decodeJSON(payload, &p); err != nil || p.Data == nil {
		return nil, errors.New("has no data to tell: it is no event type of the catalogue")
	}
	if conversation, ok := p.Data["conversation"].(map[string]any); ok {
		p.Data = conversation
	}
	if event, ok := p.Data["event"].(map[string]any); ok {
		delete(event, "status")
	}
	return p.Data, nil
}
