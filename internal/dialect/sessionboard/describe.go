package sessionboard

import "github.com/callboard/callboard/internal/dialect/shape"

// Form describes the body of a webhook about an event type that the dialect says.
func (d Dialect) Form(eventType string) *shape.Form {
	if about, known := d.subject(eventType); known {
		return about.webhook
	}
	return other
}
