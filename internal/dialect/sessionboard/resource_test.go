package sessionboard_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callboard/callboard/internal/dialect/sessionboard"
)

// TestResource compares what the API gives of each kind of object with the data of a
// webhook about it: the same bytes, but for what comes with the change.
func TestResource(t *testing.T) {
	t.Parallel()
	for _, r := range sessionboard.Resources() {
		for name, doc := range map[string]string{
			"all":     file(t, "native/"+r.Noun+".json"),
			"little":  `{"id":"x"}`,
			"unknown": `{"id":5,"x_y":[ 1.50 ],"Zed":null,"address_line_1":"a","starts_at":"b","deletedAt":"2026-01-01T00:00:00Z"}`,
			"not its": `{"id":"x","organizationId":"o","location":{},"sourceOfChange":"import","speaker":"y"}`,
		} {
			eventType := r.Noun + ".updated"
			var webhook struct{ Data json.RawMessage }
			if err := json.Unmarshal([]byte(render(t, message(eventType, `{"`+r.Noun+`":`+doc+`}`))), &webhook); err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(string(webhook.Data), `,"sourceOfChange":"user"`, "", 1)
			got, err := r.Write([]byte(doc))
			if err != nil {
				t.Errorf("%s, %s: %v", r.Noun, name, err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", r.Noun, name, diff)
			}
		}
	}
}

func TestResourceThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, r := range sessionboard.Resources() {
		for doc, want := range map[string]string{
			``:                           "must be a JSON object",
			`[]`:                         r.Noun + " must be an object",
			`{"createdAt":"hush, hush"}`: "created_at",
		} {
			_, err := r.Write([]byte(doc))
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s of %q: %v, want an error that says %q", r.Noun, doc, err, want)
			}
		}
	}
}
