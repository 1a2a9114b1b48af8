package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callboard/callboard/internal/id"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/store"
)

// ReceivedOut is a request that came in at a source, and what became of it.
type ReceivedOut struct {
	ID        string    `json:"id" example:"rcv_1srOrx2ZWZBpBUvZwXKQmoEYga2"`
	Status    string    `json:"status" enum:"accepted,refused,unreadable" doc:"accepted: it became a message. refused: it is not proven to be the vendor's. unreadable: it is proven, and no webhook of the dialect's."`
	MessageID *string   `json:"messageId" doc:"The message that it became."`
	Timestamp time.Time `json:"timestamp"`

	VendorID  *string             `json:"vendorId" doc:"The id by which the vendor knows the webhook, or a hash of what makes it itself."`
	EventType *string             `json:"eventType"`
	Headers   map[string][]string `json:"headers" nullable:"false" doc:"As they came; what could be a credential is masked."`
	SizeBytes int                 `json:"sizeBytes" doc:"The length of its body."`
	Verified  bool                `json:"verified" doc:"Whether it was proven; false at a source that is unverified."`
	Why       *string             `json:"why" doc:"Why it was refused or could not be read."`
	Hint      *string             `json:"hint" doc:"What would have made it valid, where that is known, and what the source can be set to."`
	Note      *string             `json:"note" doc:"What of it did not fit live state."`
}

// ReceivedBodyOut is a received request with its body.
type ReceivedBodyOut struct {
	ReceivedOut
	Body       *string `json:"body" doc:"As it came; null if it is not kept, or is no UTF-8."`
	BodyBase64 []byte  `json:"bodyBase64,omitempty" doc:"The body, if it is no UTF-8."`
}

// ReceivedReplayOut is what became of a request that was taken in again.
type ReceivedReplayOut struct {
	MessageID  string  `json:"messageId" doc:"The message that it became now, or, of a duplicate, before."`
	ReceivedID *string `json:"receivedId" doc:"The record of it; null for a duplicate, which leaves none."`
	Duplicate  bool    `json:"duplicate" doc:"Whether the webhook had become a message before."`
	Note       *string `json:"note" doc:"What of it did not fit live state."`
}

// receivedStatuses are the statuses by their names in the API.
var receivedStatuses = []struct {
	status store.ReceivedStatus
	name   string
}{{store.Accepted, "accepted"}, {store.Refused, "refused"}, {store.Unreadable, "unreadable"}}

// showReceived renders a received request.
func (a *api) showReceived(r *store.Received) (ReceivedOut, error) {
	var doc ingest.ReceivedDoc
	if err := json.Unmarshal(r.Doc, &doc); err != nil {
		return ReceivedOut{}, fmt.Errorf("read what was received: %w", err)
	}
	out := ReceivedOut{
		ID:        a.Codec.Encode(id.Received, r.ID),
		Timestamp: r.ID.Time(),
		VendorID:  pointer(doc.VendorID),
		EventType: pointer(doc.Type),
		Headers:   doc.Headers,
		SizeBytes: doc.SizeBytes,
		Verified:  doc.Verified,
		Why:       pointer(doc.Why),
		Hint:      pointer(doc.Hint),
		Note:      pointer(doc.Note),
	}
	if out.Headers == nil {
		out.Headers = map[string][]string{}
	}
	for _, s := range receivedStatuses {
		if s.status == r.Status {
			out.Status = s.name
		}
	}
	if r.Message != 0 {
		out.MessageID = pointer(a.Codec.Encode(id.Message, r.Message))
	}
	return out, nil
}

// registerReceived puts the routes of received requests on the mux.
func (a *api) registerReceived() {
	const path = "/app/{app_id}/source/{source_id}/received"
	handle(a, huma.Operation{
		OperationID: "v1.source.received.list", Method: http.MethodGet, Path: path, Tags: []string{tagSources},
		Summary: "List what came in at a source",
		Description: "Newest first unless asked otherwise, without bodies. Requests are kept for 7 days; of refused ones a sample, the newest " +
			strconv.Itoa(store.KeptRefused) + " at most.",
	}, accessRead, a.listReceived)
	handle(a, huma.Operation{
		OperationID: "v1.source.received.get", Method: http.MethodGet, Path: path + "/{received_id}", Tags: []string{tagSources},
		Summary: "Get what came in at a source", Description: "With its body, as long as that is kept.",
	}, accessRead, a.getReceived)
	handle(a, huma.Operation{
		OperationID: "v1.source.received.replay", Method: http.MethodPost, Path: path + "/{received_id}/replay", Tags: []string{tagSources},
		Summary: "Take in again what came in at a source", DefaultStatus: http.StatusOK,
		Description: "Reads the kept body as if it had come now. An accepted one becomes one more message. A refused one is not verified: " +
			"who calls this vouches for it. Of several that are repetitions of one webhook, the first becomes a message.",
	}, accessAdminWrite, a.replayReceived)
}

// listReceivedIn are the parameters of GET …/received.
type listReceivedIn struct {
	SourcePath
	PageIn
	OrderIn
	TimesIn
	Status []string `query:"status" enum:"accepted,refused,unreadable" doc:"Only those that were accepted, refused or unreadable; several with commas between them."`
}

// listReceived answers GET …/received.
func (a *api) listReceived(ctx context.Context, c *call, in *listReceivedIn) (*answer[Page[ReceivedOut]], error) {
	cur, err := a.cursor(in.PageIn, id.Received, in.ascending(false))
	if err != nil {
		return nil, err
	}
	app, src, err := a.namedSource(ctx, c, in.SourceID)
	if err != nil {
		return nil, err
	}
	var statuses []store.ReceivedStatus
	for _, s := range receivedStatuses {
		if slices.Contains(in.Status, s.name) {
			statuses = append(statuses, s.status)
		}
	}
	since, until := in.bounds()
	rows, err := a.Store.ReceivedOf(ctx, app.ID, src.ID, statuses, since, until, cur.Page)
	if err != nil {
		return nil, err
	}
	var unreadable error
	page := list(cur, rows, func(r *store.Received) id.ID { return r.ID }, func(r *store.Received) (ReceivedOut, bool) {
		out, err := a.showReceived(r)
		unreadable = errors.Join(unreadable, err)
		return out, err == nil
	})
	return &answer[Page[ReceivedOut]]{page}, unreadable
}

// namedSource reads the source that a path names.
func (a *api) namedSource(ctx context.Context, c *call, text string) (store.App, store.Source, error) {
	src, err := a.sourceID(text)
	if err != nil {
		return store.App{}, store.Source{}, err
	}
	return a.readSource(ctx, c, src)
}

// ReceivedPath names a request that came in at a source.
type ReceivedPath struct {
	SourcePath
	ReceivedID string `path:"received_id" doc:"The received request's id."`
}

// getReceived answers GET …/received/{received_id}. The body of an accepted request is
// its message's.
func (a *api) getReceived(ctx context.Context, c *call, in *ReceivedPath) (*answer[ReceivedBodyOut], error) {
	received, err := a.named(id.Received, in.ReceivedID)
	if err != nil {
		return nil, err
	}
	app, src, err := a.namedSource(ctx, c, in.SourceID)
	if err != nil {
		return nil, err
	}
	row, err := a.Store.ReceivedOne(ctx, app.ID, src.ID, received)
	if err != nil {
		return nil, err
	}
	body := row.Body
	if row.Message != 0 {
		m, err := a.Store.Message(ctx, app.ID, store.Ref{ID: row.Message})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		body = m.Raw
	}
	out := ReceivedBodyOut{}
	if out.ReceivedOut, err = a.showReceived(&row); err != nil {
		return nil, err
	}
	switch text := string(body); {
	case body == nil:
	case utf8.ValidString(text):
		out.Body = &text
	default:
		out.BodyBase64 = body
	}
	return &answer[ReceivedBodyOut]{out}, nil
}

// replayReceived answers POST …/received/{received_id}/replay.
func (a *api) replayReceived(ctx context.Context, c *call, in *ReceivedPath) (*answer[ReceivedReplayOut], error) {
	src, err := a.sourceID(in.SourceID)
	if err != nil {
		return nil, err
	}
	received, err := a.named(id.Received, in.ReceivedID)
	if err != nil {
		return nil, err
	}
	r, err := a.Ingest.Replay(ctx, c.appRef, src, received, c.key())
	if err != nil {
		return nil, err
	}
	out := ReceivedReplayOut{MessageID: a.Codec.Encode(id.Message, r.Message), Duplicate: r.Duplicate, Note: pointer(r.Note)}
	if r.ID != 0 {
		out.ReceivedID = pointer(a.Codec.Encode(id.Received, r.ID))
	}
	return &answer[ReceivedReplayOut]{out}, nil
}

// describeInbound describes the door of sources, which is package inbound's. It needs no
// token: a request is proven as its source demands.
func (a *api) describeInbound() {
	plain := func(text string) *huma.Response { return &huma.Response{Description: text} }
	problem := func(status int) *huma.Response {
		return &huma.Response{Ref: "#/components/responses/Problem" + strconv.Itoa(status)}
	}
	parameters := []*huma.Param{{
		Name: "source_id", In: "path", Required: true, Description: "The source's id.", Schema: &huma.Schema{Type: huma.TypeString},
	}}
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "inbound.receive", Method: http.MethodPost, Path: inbound + "{source_id}", Tags: []string{tagSources},
		Summary: "Send a webhook to a source",
		Description: "For vendors. When the 200 comes the webhook is on disk, as one message. A repetition of the vendor's id within 7 days is " +
			"200 and leaves nothing new.",
		Security: []map[string][]string{}, Parameters: parameters,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
			Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "A webhook of the source's dialect."},
		}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "It is on disk, or was before.", Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true},
			}}},
			"400": plain("It is no webhook of the source's dialect."), "401": plain("It is not proven to be the vendor's."), "404": problem(http.StatusNotFound),
			"413": problem(http.StatusRequestEntityTooLarge), "503": problem(http.StatusServiceUnavailable),
		},
	})
	a.huma.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "inbound.probe", Method: http.MethodGet, Path: inbound + "{source_id}", Tags: []string{tagSources},
		Summary: "Ask whether a source is there", Description: "Some vendors do before they take an address.",
		Security: []map[string][]string{}, Parameters: parameters,
		Responses: map[string]*huma.Response{"200": plain("It is."), "404": problem(http.StatusNotFound)},
	})
}
