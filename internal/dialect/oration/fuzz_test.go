package oration_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/oration"
	wire "github.com/callboard/callboard/wire/oration"
)

// FuzzRender renders any data: what comes out is read by the public package.
func FuzzRender(f *testing.F) {
	for _, tt := range said {
		f.Add(tt.eventType, []byte(tt.data))
	}
	f.Add("conversation.completed", []byte(`{"conversation":{"customer":{"priority":"+1","metadata":null},"dynamicVariables":-0,"transcript":"\u2028"}}`))
	f.Add("oration.x", []byte(`{"a":"\"}","a":1}`))
	f.Add("session.left", []byte(`{"session":[{"id":1}],"registration":{"id":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, eventType string, data []byte) {
		payload := append(append([]byte(`{"timestamp":"2027-03-04T05:06:07.891Z","data":`), data...), '}')
		if !json.Valid(payload) { // which is never stored
			return
		}
		m := dialect.Message{ID: messageID, Type: eventType, Time: accepted, Tenant: "acme", Payload: payload}
		d := oration.New()
		got, err := d.Render(m)
		if err != nil {
			if !errors.Is(err, dialect.ErrUnrenderable) {
				t.Errorf("error %v", err)
			}
			return
		}
		hook, err := wire.Decode(got)
		if err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if at := unknown(reflect.ValueOf(hook), "webhook"); at != "" && d.Types(string(hook.EventType)) != nil {
			t.Errorf("%s: %s has more than is documented", got, at)
		}
	})
}

// FuzzParse reads any body: what comes out is a payload that can be rendered, or not.
func FuzzParse(f *testing.F) {
	for word := range samples {
		page, err := os.ReadFile(filepath.Join("testdata", word+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(page)
	}
	for _, tt := range said {
		f.Add([]byte(body(tt.word, tt.payload)))
	}
	f.Add([]byte(`{"eventId":1,"eventType":"agents.listed","payload":["\ud800",{"updatedAt":1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := oration.New()
		a, err := d.Parse(dialect.Request{Body: text})
		if err != nil {
			if !errors.Is(err, dialect.ErrUnreadable) {
				t.Errorf("error %v", err)
			}
			return
		}
		var payload struct {
			Type string
			Data json.RawMessage
		}
		if err := json.Unmarshal(a.Payload, &payload); err != nil || payload.Type != a.Type || payload.Data == nil || a.ID == "" {
			t.Fatalf("%+v, payload %s, error %v", a, a.Payload, err)
		}
		rendered, err := d.Render(dialect.Message{ID: messageID, Type: a.Type, Time: accepted, Payload: a.Payload})
		if err != nil {
			if !errors.Is(err, dialect.ErrUnrenderable) {
				t.Errorf("error %v", err)
			}
			return
		}
		if _, err := wire.Decode(rendered); err != nil {
			t.Errorf("%s: %v", rendered, err)
		}
	})
}
