package iotum

import "github.com/callboard/callboard/internal/dialect/shape"

// Form describes the body of a webhook about an event type that the dialect says.
func (d Dialect) Form(eventType string) *shape.Form {
	event, _ := d.words.Word(eventType)
	if form, known := webhooks[event]; known {
		return form
	}
	return otherWebhook
}
