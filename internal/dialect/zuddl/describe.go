package zuddl

import "github.com/callboard/callboard/internal/dialect/shape"

// Form describes the body of a webhook about an event type that the dialect says.
func (Dialect) Form(eventType string) *shape.Form { return formOf(eventType) }
