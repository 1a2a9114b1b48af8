package zuddl

import "github.com/callboard/callboard/wire"

// Each type reads and writes its fields by package wire.

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (w *Webhook) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, w, &w.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (w Webhook) MarshalJSON() ([]byte, error) { return wire.Marshal(w, w.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (a *Actor) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a, &a.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (a Actor) MarshalJSON() ([]byte, error) { return wire.Marshal(a, a.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (r *Registration) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r, &r.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (r Registration) MarshalJSON() ([]byte, error) { return wire.Marshal(r, r.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (p *Profile) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (p Profile) MarshalJSON() ([]byte, error) { return wire.Marshal(p, p.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (e *Event) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, e, &e.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (e Event) MarshalJSON() ([]byte, error) { return wire.Marshal(e, e.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (s *Session) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes a JSON object with all three lists; see [wire.Marshal].
func (s Session) MarshalJSON() ([]byte, error) { return wire.Marshal(s, s.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (l *Location) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, l, &l.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (l Location) MarshalJSON() ([]byte, error) { return wire.Marshal(l, l.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (s *Speaker) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (s Speaker) MarshalJSON() ([]byte, error) { return wire.Marshal(s, s.Unknown) }

// UnmarshalJSON reads a JSON object; see [wire.Unmarshal].
func (s *Sponsor) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes a JSON object; see [wire.Marshal].
func (s Sponsor) MarshalJSON() ([]byte, error) { return wire.Marshal(s, s.Unknown) }
