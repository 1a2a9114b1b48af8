package oration

import "github.com/callboard/callboard/internal/dialect/shape"

// Form describes the body of a webhook about an event type that the dialect says.
func (d Dialect) Form(eventType string) *shape.Form {
	word, _ := d.words.Word(eventType)
	if d.words.Types(word) == nil {
		return otherWebhook
	}
	return webhook
}
