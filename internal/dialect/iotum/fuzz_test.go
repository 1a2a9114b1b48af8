package iotum_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/iotum"
	wire "github.com/callboard/callboard/wire/iotum"
)

// FuzzRender renders any data: what comes out is read by the public package.
func FuzzRender(f *testing.F) {
	for _, tt := range said {
		f.Add(tt.eventType, []byte(tt.data))
	}
	f.Add("drive.file.added", []byte(`{"size":"+1","id":-0,"filename":"\u2028"}`))
	f.Add("iotum.x", []byte(`{"a":"\"}","a":1}`))
	f.Add("session.left", []byte(`{"session":[{"id":1}],"registration":{"id":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, eventType string, data []byte) {
		payload := append(append([]byte(`{"timestamp":"2022-08-24T20:56:55.123Z","data":`), data...), '}')
		if !json.Valid(payload) { // which is never stored
			return
		}
		m := dialect.Message{Type: eventType, Time: accepted, Tenant: "acme", Payload: payload}
		got, err := iotum.New().Render(m)
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
		if at := unknown(reflect.ValueOf(hook), "webhook"); at != "" {
			t.Errorf("%s: %s has more than is documented", got, at)
		}
	})
}

// FuzzParse reads any body: what comes out is a payload that can be rendered, or not.
func FuzzParse(f *testing.F) {
	for _, tt := range said {
		f.Add([]byte(`{"event":"` + string(tt.event) + `","payload":` + tt.payload + `,"timestamp":"` + happened + `"}`))
	}
	f.Add([]byte(`{"event":"conference_end","payload":"{\"conference_id\":1258835,\"host_id\":61803}","timestamp":1}`))
	f.Add([]byte(`{"event":"x","payload":"{\"a\":\"\\ud800\"}"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := iotum.New()
		a, err := d.Parse(dialect.Request{Body: body})
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
		rendered, err := d.Render(dialect.Message{Type: a.Type, Time: accepted, Payload: a.Payload})
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
