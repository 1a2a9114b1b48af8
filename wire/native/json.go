package native

// Each type reads and writes its fields by package wire, and remembers which it had.

func (*Attendance) data()            {}
func (*RegistrationChange) data()    {}
func (*EventChange) data()           {}
func (*SessionChange) data()         {}
func (*SpeakerChange) data()         {}
func (*ContactChange) data()         {}
func (*ExhibitorChange) data()       {}
func (*SponsorChange) data()         {}
func (*Conference) data()            {}
func (*ConferenceRecording) data()   {}
func (*ConferencePreview) data()     {}
func (*ConferenceParticipant) data() {}
func (*ConferenceDialout) data()     {}
func (*ConferenceAccessCode) data()  {}
func (*Host) data()                  {}
func (*DriveFile) data()             {}
func (*ConversationChange) data()    {}
func (*Other) data()                 {}

// UnmarshalJSON reads a JSON object.
func (d *Attendance) UnmarshalJSON(data []byte) error { return d.Read.Unmarshal(data, d, &d.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d Attendance) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *Attendance) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *RegistrationChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d RegistrationChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *RegistrationChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *EventChange) UnmarshalJSON(data []byte) error { return d.Read.Unmarshal(data, d, &d.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d EventChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *EventChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *SessionChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d SessionChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *SessionChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *SpeakerChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d SpeakerChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *SpeakerChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ContactChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ContactChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ContactChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ExhibitorChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ExhibitorChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ExhibitorChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *SponsorChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d SponsorChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *SponsorChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *Conference) UnmarshalJSON(data []byte) error { return d.Read.Unmarshal(data, d, &d.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d Conference) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *Conference) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConferenceRecording) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConferenceRecording) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConferenceRecording) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConferencePreview) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConferencePreview) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConferencePreview) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConferenceParticipant) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConferenceParticipant) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConferenceParticipant) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConferenceDialout) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConferenceDialout) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConferenceDialout) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConferenceAccessCode) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConferenceAccessCode) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConferenceAccessCode) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *Host) UnmarshalJSON(data []byte) error { return d.Read.Unmarshal(data, d, &d.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d Host) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *Host) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *DriveFile) UnmarshalJSON(data []byte) error { return d.Read.Unmarshal(data, d, &d.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d DriveFile) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *DriveFile) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (d *ConversationChange) UnmarshalJSON(data []byte) error {
	return d.Read.Unmarshal(data, d, &d.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (d ConversationChange) MarshalJSON() ([]byte, error) { return d.Read.Marshal(d, d.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (d *ConversationChange) Has(name string) bool { return d.Read.Has(name, d, d.Unknown) }

// UnmarshalJSON reads a JSON object.
func (a *Actor) UnmarshalJSON(data []byte) error { return a.Read.Unmarshal(data, a, &a.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (a Actor) MarshalJSON() ([]byte, error) { return a.Read.Marshal(a, a.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (a *Actor) Has(name string) bool { return a.Read.Has(name, a, a.Unknown) }

// UnmarshalJSON reads a JSON object.
func (e *Event) UnmarshalJSON(data []byte) error { return e.Read.Unmarshal(data, e, &e.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (e Event) MarshalJSON() ([]byte, error) { return e.Read.Marshal(e, e.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (e *Event) Has(name string) bool { return e.Read.Has(name, e, e.Unknown) }

// UnmarshalJSON reads a JSON object.
func (r *Registration) UnmarshalJSON(data []byte) error { return r.Read.Unmarshal(data, r, &r.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (r Registration) MarshalJSON() ([]byte, error) { return r.Read.Marshal(r, r.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (r *Registration) Has(name string) bool { return r.Read.Has(name, r, r.Unknown) }

// UnmarshalJSON reads a JSON object.
func (p *Profile) UnmarshalJSON(data []byte) error { return p.Read.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (p Profile) MarshalJSON() ([]byte, error) { return p.Read.Marshal(p, p.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (p *Profile) Has(name string) bool { return p.Read.Has(name, p, p.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s Session) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (s *Session) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// UnmarshalJSON reads a JSON object.
func (t *Term) UnmarshalJSON(data []byte) error { return t.Read.Unmarshal(data, t, &t.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (t Term) MarshalJSON() ([]byte, error) { return t.Read.Marshal(t, t.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (t *Term) Has(name string) bool { return t.Read.Has(name, t, t.Unknown) }

// UnmarshalJSON reads a JSON object.
func (l *Location) UnmarshalJSON(data []byte) error { return l.Read.Unmarshal(data, l, &l.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (l Location) MarshalJSON() ([]byte, error) { return l.Read.Marshal(l, l.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (l *Location) Has(name string) bool { return l.Read.Has(name, l, l.Unknown) }

// UnmarshalJSON reads a JSON object.
func (c *Contact) UnmarshalJSON(data []byte) error { return c.Read.Unmarshal(data, c, &c.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (c Contact) MarshalJSON() ([]byte, error) { return c.Read.Marshal(c, c.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (c *Contact) Has(name string) bool { return c.Read.Has(name, c, c.Unknown) }

// UnmarshalJSON reads a JSON object.
func (p *Participant) UnmarshalJSON(data []byte) error { return p.Read.Unmarshal(data, p, &p.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (p Participant) MarshalJSON() ([]byte, error) { return p.Read.Marshal(p, p.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (p *Participant) Has(name string) bool { return p.Read.Has(name, p, p.Unknown) }

// UnmarshalJSON reads a JSON object.
func (s *SessionRole) UnmarshalJSON(data []byte) error { return s.Read.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s SessionRole) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (s *SessionRole) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// UnmarshalJSON reads a JSON object.
func (s *Sponsor) UnmarshalJSON(data []byte) error { return s.Read.Unmarshal(data, s, &s.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s Sponsor) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (s *Sponsor) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }

// UnmarshalJSON reads a JSON object.
func (e *Exhibitor) UnmarshalJSON(data []byte) error { return e.Read.Unmarshal(data, e, &e.Unknown) }

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (e Exhibitor) MarshalJSON() ([]byte, error) { return e.Read.Marshal(e, e.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (e *Exhibitor) Has(name string) bool { return e.Read.Has(name, e, e.Unknown) }

// UnmarshalJSON reads a JSON object.
func (s *SessionSponsor) UnmarshalJSON(data []byte) error {
	return s.Read.Unmarshal(data, s, &s.Unknown)
}

// MarshalJSON writes a JSON object, by the rules in the package comment.
func (s SessionSponsor) MarshalJSON() ([]byte, error) { return s.Read.Marshal(s, s.Unknown) }

// Has reports whether the member of this name was there when the object was read, be it
// null or empty; of an object that was built, whether it is set.
func (s *SessionSponsor) Has(name string) bool { return s.Read.Has(name, s, s.Unknown) }
