// Package builtin is the list of the dialects that Callboard speaks. A further vendor
// is one more line here.
//
//go:generate go run ./fidelity ../../../docs/fidelity.md
package builtin

import (
	"github.com/callboard/callboard/internal/catalog"
	"github.com/callboard/callboard/internal/dialect"
	"github.com/callboard/callboard/internal/dialect/iotum"
	"github.com/callboard/callboard/internal/dialect/native"
	"github.com/callboard/callboard/internal/dialect/oration"
	"github.com/callboard/callboard/internal/dialect/sessionboard"
	"github.com/callboard/callboard/internal/dialect/zuddl"
)

// Config is what dialects want to know of the server.
type Config struct {
	// PublicURL is where receivers reach the server's API; webhooks that link to a
	// resource have no link without it.
	PublicURL string
}

// Dialects are all of them.
func Dialects(cfg Config) dialect.Set {
	return dialect.NewSet(
		native.Dialect{},
		zuddl.New(),
		sessionboard.New(sessionboard.Config{BaseURL: cfg.PublicURL}),
		oration.New(),
		iotum.New(),
	)
}

// Catalog is the catalogue with what the dialects of a set have besides it.
func Catalog(dialects dialect.Set) *catalog.Catalog {
	var own []dialect.EventType
	for _, name := range dialects.Names() {
		d, _ := dialects.Get(name)
		own = append(own, d.EventTypes()...)
	}
	return catalog.New(own...)
}
