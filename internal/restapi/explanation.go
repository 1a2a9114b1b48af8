package restapi

import "github.com/callboard/callboard/internal/delivery"

// ExplanationOut says in plain words why an attempt failed.
type ExplanationOut struct {
	Title  string  `json:"title" doc:"What happened." example:"TLS certificate expired 3 days ago"`
	Detail *string `json:"detail" doc:"What that means."`
	Hint   *string `json:"hint" doc:"What may mend it."`
}

// explain explains an attempt: Success, StatusCode and Error are looked at. It gives nil
// for a success.
func explain(attempt *delivery.Attempt) *ExplanationOut {
	e := delivery.Explain(attempt)
	if e == nil {
		return nil
	}
	return &ExplanationOut{Title: e.Title, Detail: pointer(e.Detail), Hint: pointer(e.Hint)}
}
