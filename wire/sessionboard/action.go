package sessionboard

import "slices"

// Action says what happened: the member "action" of a webhook's metadata. It is an
// open list: a value that has no constant here is read and written like the others,
// its data as *[Other].
type Action string

// The actions about sessions, of the vendor page "webhooks". Their data is a
// *[Session]; when a speaker is attached or detached, its Speaker is set.
const (
	SessionCreated         Action = "session.created"
	SessionUpdated         Action = "session.updated"
	SessionDeleted         Action = "session.deleted"
	SessionSpeakerAttached Action = "session.speaker.attached"
	SessionSpeakerDetached Action = "session.speaker.detached"
)

// The actions about contacts, of the vendor page "webhooks". Their data is a
// *[Contact].
const (
	ContactCreated            Action = "contact.created"
	ContactUpdated            Action = "contact.updated"
	ContactDeleted            Action = "contact.deleted"
	ContactEventAssociated    Action = "contact.event.associated"    // now takes part in the event that the metadata names
	ContactEventDisassociated Action = "contact.event.disassociated" // no longer does
)

// The actions about exhibitors, of the vendor page "webhooks". Their data is an
// *[Exhibitor].
const (
	ExhibitorCreated            Action = "exhibitor.created"
	ExhibitorUpdated            Action = "exhibitor.updated"
	ExhibitorDeleted            Action = "exhibitor.deleted"
	ExhibitorEventAssociated    Action = "exhibitor.event.associated"    // now takes part in the event that the metadata names
	ExhibitorEventDisassociated Action = "exhibitor.event.disassociated" // no longer does
)

// The actions about sponsors, of the vendor page "webhooks". Their data is a
// *[Sponsor].
const (
	SponsorCreated            Action = "sponsor.created"
	SponsorUpdated            Action = "sponsor.updated"
	SponsorDeleted            Action = "sponsor.deleted"
	SponsorEventAssociated    Action = "sponsor.event.associated"    // now takes part in the event that the metadata names
	SponsorEventDisassociated Action = "sponsor.event.disassociated" // no longer does
)

// Actions lists the 20 that have a constant, in the order of this page. The caller may
// change the slice.
func Actions() []Action {
	return slices.Concat(
		[]Action{SessionCreated, SessionUpdated, SessionDeleted, SessionSpeakerAttached, SessionSpeakerDetached},
		[]Action{ContactCreated, ContactUpdated, ContactDeleted, ContactEventAssociated, ContactEventDisassociated},
		[]Action{ExhibitorCreated, ExhibitorUpdated, ExhibitorDeleted, ExhibitorEventAssociated, ExhibitorEventDisassociated},
		[]Action{SponsorCreated, SponsorUpdated, SponsorDeleted, SponsorEventAssociated, SponsorEventDisassociated},
	)
}

// newData makes what an action's data is read into.
func (a Action) newData() Data {
	switch a {
	case SessionCreated, SessionUpdated, SessionDeleted, SessionSpeakerAttached, SessionSpeakerDetached:
		return new(Session)
	case ContactCreated, ContactUpdated, ContactDeleted, ContactEventAssociated, ContactEventDisassociated:
		return new(Contact)
	case ExhibitorCreated, ExhibitorUpdated, ExhibitorDeleted, ExhibitorEventAssociated, ExhibitorEventDisassociated:
		return new(Exhibitor)
	case SponsorCreated, SponsorUpdated, SponsorDeleted, SponsorEventAssociated, SponsorEventDisassociated:
		return new(Sponsor)
	default:
		return new(Other)
	}
}
