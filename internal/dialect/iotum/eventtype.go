package iotum

import (
	"bytes"
	_ "embed"

	"github.com/callboard/callboard/internal/dialect"
	wire "github.com/callboard/callboard/wire/iotum"
)

// The event types that only this vendor has.
var (
	vconSuccess = dialect.Foreign(Name, string(wire.EventVConImportSuccess))
	vconFailure = dialect.Foreign(Name, string(wire.EventVConImportFailure))
)

// Their schemas and samples.
var (
	//go:embed schema/vcon_import_success.json
	vconSuccessSchema []byte
	//go:embed schema/vcon_import_failure.json
	vconFailureSchema []byte
	//go:embed sample/vcon_import_success.json
	vconSuccessSample []byte
	//go:embed sample/vcon_import_failure.json
	vconFailureSample []byte
)

// EventTypes are those of imports from vCons, which no other vendor has.
func (Dialect) EventTypes() []dialect.EventType {
	return []dialect.EventType{
		{
			Name: vconFailure, Group: Name, Description: "A conversation could not be imported from a vCon.",
			Schema: bytes.Clone(vconFailureSchema), Sample: bytes.TrimSpace(bytes.Clone(vconFailureSample)),
		},
		{
			Name: vconSuccess, Group: Name, Description: "A conversation was imported from a vCon, as a conference.",
			Schema: bytes.Clone(vconSuccessSchema), Sample: bytes.TrimSpace(bytes.Clone(vconSuccessSample)),
		},
	}
}
