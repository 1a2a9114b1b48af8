package inbound

import (
	"errors"
	"fmt"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/errs"
	"github.com/callboard/callboard/internal/ingest"
	"github.com/callboard/callboard/internal/source"
	"github.com/callboard/callboard/internal/store"
)

// dialect gives the one in which the source's webhooks read.
func (c *call) dialect() (dialect.Dialect, error) {
	d, known := source.Dialect(c.Dialects, &c.source)
	if !known {
		return nil, fmt.Errorf("source has a dialect that this server does not know: %q", c.source.Dialect)
	}
	return d, nil
}

// prove compares the request with what the source demands. Only where the verdict is
// going to be read it is brief no longer: to look for what is wrong takes many times as
// long as to verify, and strangers can ask for it as often as they like.
func (c *call) prove(d dialect.Dialect, brief bool) dialect.Verdict {
	r := c.request()
	r.Brief = brief
	return source.Verify(&c.source, d, r)
}

func (c *call) request() dialect.Request { return dialect.Request{Header: c.r.Header, Body: c.body} }

// parse reads a webhook. A defect of the parser is logged here, since to the vendor and to
// the source's owner it is but one more request that cannot be read.
func (c *call) parse(d dialect.Dialect) (dialect.Activity, error) {
	a, err := source.Parse(d, c.request())
	if defect, ok := errors.AsType[*source.DefectError](err); ok {
		c.Logger.ErrorContext(c.r.Context(), "a dialect panicked", "dialect", defect.Dialect, "defect", defect.Type, "stack", defect.Stack)
	}
	return a, err
}

// errUnproven is what a vendor is told. Why is for the owner of the source, who sees it
// among the requests that were received.
var errUnproven = &errs.Error{Kind: errs.Unauthenticated, Detail: "The request does not prove that it comes from the source's vendor"}

// maxRefusedBody is how much of the body of a request that is not proven is kept: a larger
// one is left out.
const maxRefusedBody = 64 << 10

// refuse turns a request away that is not proven. Keeping a sample of such requests is a
// courtesy: when it fails the answer is the same.
func (c *call) refuse(d dialect.Dialect) (outcome, error) {
	if !c.samples.take(c.source.ID) {
		return refused, errUnproven
	}
	doc, body := c.doc(), c.body
	verdict := c.prove(d, false)
	doc.Why, doc.Hint = verdict.Why, verdict.Hint
	if len(body) > maxRefusedBody {
		doc.Note, body = "the body is too large to be kept", nil
	}
	if err := c.keep(store.Refused, &doc, body); err != nil {
		c.Logger.WarnContext(c.r.Context(), "a refused request could not be kept", "dialect", c.source.Dialect, "error", err)
	}
	return refused, errUnproven
}

// giveUp turns a request away that is no webhook of the vendor's. It is kept before it is
// answered; of sources that demand no proof within the bounds of strangers.
func (c *call) giveUp(why error) (outcome, error) {
	doc := c.doc()
	doc.Verified, doc.Why = !c.source.Auth.Unverified, why.Error()
	if !doc.Verified && !c.samples.take(c.source.ID) {
		return unreadable, malformed(why)
	}
	if err := c.keep(store.Unreadable, &doc, c.body); err != nil {
		return outcomeOf(err), err
	}
	return unreadable, malformed(why)
}

func malformed(why error) error {
	return errs.Wrap(errs.Malformed, why, "The request is not a webhook of the source's vendor: "+why.Error())
}

func (c *call) keep(status store.ReceivedStatus, doc *ingest.ReceivedDoc, body []byte) error {
	_, err := c.Ingest.Refuse(c.r.Context(), store.Received{Source: c.source.ID, Status: status, Doc: doc.JSON(), Body: body})
	return err
}

// doc is what is kept of the request beside its body.
func (c *call) doc() ingest.ReceivedDoc {
	return ingest.ReceivedDoc{Headers: source.Mask(c.r.Header, &c.source), SizeBytes: len(c.body)}
}
