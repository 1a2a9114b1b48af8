// What live state says of things is whatever was told: every member is read as if it could be anything.
import type { Doc } from '../../api/types'
import type { Tone } from '../../components'

/** The text or number at a path in a document; undefined if there is none. */
export function text(doc: unknown, ...path: string[]): string | undefined {
  let value = doc
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** The id as addresses have it: some vendors' ids are numbers. */
export function idOf(doc: { id: unknown }): string {
  return String(doc.id)
}

/** A person of a registration, or a customer of a conversation. */
export type Person = { name: string | undefined; email: string | undefined }

export function personOf(registration: Doc): Person {
  const profile = registration.profile ?? registration
  const parts = [text(profile, 'firstName'), text(profile, 'lastName')].filter((part) => part !== undefined)
  return { name: parts.length > 0 ? parts.join(' ') : text(profile, 'fullName') ?? text(profile, 'name'), email: text(profile, 'email') }
}

/** Whether everybody who is looked for in words is somewhere in the texts. */
export function fits(search: string, ...texts: (string | undefined)[]): boolean {
  const all = texts.join(' ').toLowerCase()
  return search.toLowerCase().split(/\s+/).every((word) => all.includes(word))
}

export type State = { id: string; word: string; tone: Tone; shape?: 'full' | 'cross' | 'ring' | 'half' | 'dash' | 'bang' }

/** A state that is not known, as a vendor's own may be, is shown as it is. */
function stateFrom(known: readonly State[], id: string | undefined): State {
  return known.find((state) => state.id === id) ?? { id: id ?? '', word: id ?? 'Not known', tone: 'muted', shape: 'ring' }
}

export const eventStates: readonly State[] = [
  { id: 'ONGOING', word: 'Ongoing', tone: 'success' },
  { id: 'UPCOMING', word: 'Upcoming', tone: 'accent', shape: 'ring' },
  { id: 'COMPLETED', word: 'Completed', tone: 'muted' },
  { id: 'CANCELLED', word: 'Cancelled', tone: 'fail' },
]
export const eventState = (doc: unknown): State => stateFrom(eventStates, text(doc, 'status'))

export const conferenceStates: readonly State[] = [
  { id: 'live', word: 'Live', tone: 'success' },
  { id: 'ended', word: 'Ended', tone: 'muted' },
]
export const conferenceState = (doc: unknown): State => stateFrom(conferenceStates, text(doc, 'status'))

export const conversationStates: readonly State[] = [
  { id: 'queued', word: 'Queued', tone: 'muted', shape: 'ring' },
  { id: 'dialing', word: 'Dialing', tone: 'accent' },
  { id: 'active', word: 'Active', tone: 'success' },
  { id: 'completed', word: 'Completed', tone: 'muted' },
  { id: 'failed', word: 'Failed', tone: 'fail' },
]
export const conversationState = (doc: unknown): State => stateFrom(conversationStates, text(doc, 'conversationStatus'))
