package iotum

import "github.com/callboard/callboard/wire"

// Every payload reads and writes its fields by package wire.

func (*Conference) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *Conference) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p Conference) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*RecordingReady) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *RecordingReady) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p RecordingReady) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*LivestreamEntered) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *LivestreamEntered) UnmarshalJSON(data []byte) error {
	return wire.Unmarshal(data, p, &p.Unknown)
}

// MarshalJSON writes the payload's object.
func (p LivestreamEntered) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*LivestreamLeft) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *LivestreamLeft) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p LivestreamLeft) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*StreamPreview) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *StreamPreview) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p StreamPreview) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*Host) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *Host) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p Host) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*ConferenceEntered) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *ConferenceEntered) UnmarshalJSON(data []byte) error {
	return wire.Unmarshal(data, p, &p.Unknown)
}

// MarshalJSON writes the payload's object.
func (p ConferenceEntered) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*ConferenceLeft) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *ConferenceLeft) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p ConferenceLeft) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*Dialout) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *Dialout) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p Dialout) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*RoleChanged) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *RoleChanged) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p RoleChanged) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*DriveFileAdded) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *DriveFileAdded) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p DriveFileAdded) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*DriveFileDeleted) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *DriveFileDeleted) UnmarshalJSON(data []byte) error {
	return wire.Unmarshal(data, p, &p.Unknown)
}

// MarshalJSON writes the payload's object.
func (p DriveFileDeleted) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*AccessCodeReused) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *AccessCodeReused) UnmarshalJSON(data []byte) error {
	return wire.Unmarshal(data, p, &p.Unknown)
}

// MarshalJSON writes the payload's object.
func (p AccessCodeReused) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*VConImported) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *VConImported) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p VConImported) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*VConFailed) payload() {}

// UnmarshalJSON reads the payload's object.
func (p *VConFailed) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes the payload's object.
func (p VConFailed) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

func (*Other) payload() {}

// MarshalJSON gives Text, which need not be JSON. Webhook.MarshalJSON puts it into a
// string.
func (p Other) MarshalJSON() ([]byte, error) { return []byte(p.Text), nil }
