// An endpoint as its form holds it, and what of it goes to the API.
import type { Endpoint, EndpointIn, EndpointPatch } from '../../api/types'
import { parseDuration } from '../../lib/words'

export type HeaderRow = { key: number; name: string; value: string; hide: boolean; /** Its value is kept by the server and not shown. */ kept: boolean }

export type Draft = {
  url: string
  description: string
  dialect: string
  /** null hears all types. */
  filterTypes: string[] | null
  channels: string
  throttle: string
  /** null is the installation's. */
  schedule: string[] | null
  timeout: string
  deadline: string
  translate: boolean
}

export function emptyDraft(dialect: string): Draft {
  return { url: '', description: '', dialect, filterTypes: null, channels: '', throttle: '', schedule: null, timeout: '', deadline: '', translate: true }
}

export function draftOf(endpoint: Endpoint): Draft {
  return {
    url: endpoint.url, description: endpoint.description, dialect: endpoint.dialect, filterTypes: endpoint.filterTypes,
    channels: (endpoint.channels ?? []).join(', '), throttle: endpoint.throttleRate === null ? '' : String(endpoint.throttleRate),
    schedule: endpoint.retrySchedule, timeout: endpoint.timeout ?? '', deadline: endpoint.deadline ?? '', translate: endpoint.translate,
  }
}

/** Words that are separated by commas or white space. */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

// All fields that the form shows, null where nothing is set.
function fields(draft: Draft) {
  const channels = words(draft.channels)
  return {
    url: draft.url.trim(), description: draft.description.trim(), dialect: draft.dialect, filterTypes: draft.filterTypes,
    channels: channels.length > 0 ? channels : null, throttleRate: draft.throttle.trim() === '' ? null : Number(draft.throttle),
    retrySchedule: draft.schedule, timeout: draft.timeout || null, deadline: draft.deadline || null, translate: draft.translate,
  }
}

export function creation(draft: Draft): EndpointIn {
  const set = Object.entries(fields(draft)).filter(([, value]) => value !== null)
  return { url: '', ...Object.fromEntries(set) }
}

/** Only what was changed: what somebody else changed meanwhile stays. */
export function changes(endpoint: Endpoint, draft: Draft): EndpointPatch {
  const before = fields(draftOf(endpoint)) as Record<string, unknown>
  return Object.fromEntries(Object.entries(fields(draft)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])))
}

/** What is wrong with a draft that the API would be asked in vain. */
export function problems(draft: Draft): Record<string, string> {
  const found: Record<string, string> = {}
  if (draft.url.trim() === '') found.url = 'Say where webhooks go.'
  if (draft.filterTypes?.length === 0) found.filterTypes = 'Choose at least one event type, or all.'
  if (draft.throttle.trim() !== '' && !/^\d+$/.test(draft.throttle.trim())) found.throttleRate = 'Must be a whole number of attempts per second.'
  if (draft.schedule?.some((delay) => Number.isNaN(parseDuration(delay)))) found.retrySchedule = 'Delays are written as 5s, 5m or 10h, with commas between them.'
  return found
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** What is wrong with headers, by their key. */
export function headerProblems(rows: HeaderRow[]): Record<number, string> {
  const found: Record<number, string> = {}
  const met = new Set<string>()
  for (const { key, name, value } of rows) {
    const lower = name.trim().toLowerCase()
    if (lower === '' && value === '') continue
    if (!token.test(name.trim())) found[key] = 'A header’s name is letters, digits and hyphens, without spaces.'
    else if (met.has(lower)) found[key] = 'This header is already there. Each may stand once, whatever its case.'
    met.add(lower)
  }
  return found
}

/** The rows that say something. */
export function filled(rows: HeaderRow[]): HeaderRow[] {
  return rows.filter(({ name, value }) => name.trim() !== '' || value !== '')
}
