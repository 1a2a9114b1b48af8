package sessionboard

import (
	"errors"
	"slices"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/shape"
)

// Resource is a kind of object that the vendor's API gives one by one and in lists.
type Resource struct {
	// Noun is what Callboard calls one; Plural stands in the addresses of the API.
	Noun, Plural string

	form *shape.Form
}

// Resources are all of them.
func Resources() []Resource {
	return []Resource{
		{Noun: "session", Plural: "sessions", form: session.resource},
		{Noun: "contact", Plural: "contacts", form: contact.resource},
		{Noun: "exhibitor", Plural: "exhibitors", form: exhibitor.resource},
		{Noun: "sponsor", Plural: "sponsors", form: sponsor.resource},
	}
}

// errNoObject is what is wrong with a document that is to be written.
var errNoObject = errors.New("a resource must be a JSON object")

// Write writes the body that the vendor's API gives of a resource from Callboard's, a JSON
// object that was checked when it was taken in: what the member data of a webhook is, but
// for what comes with the change. Its error names the member that cannot be written and
// quotes no value.
func (r Resource) Write(doc []byte) ([]byte, error) {
	if len(doc) == 0 {
		return nil, errNoObject
	}
	payload := slices.Concat([]byte(`{"data":{"`+r.Noun+`":`), doc, []byte(`}}`))
	return shape.Render(dialect.Message{Payload: payload}, "", func(b []byte, s *shape.Source) ([]byte, error) {
		o, err := s.Object(r.Noun)
		if err != nil {
			return b, err
		}
		return r.form.Append(b, o, s)
	})
}
