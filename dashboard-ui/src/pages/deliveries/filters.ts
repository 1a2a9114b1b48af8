// The filters of the deliveries page as its address holds them, as the API takes them, and as they fit what happens.
import type { DeliveryQuery, DeliveryRow, StatusText } from '../../api/types'
import { query } from '../../lib/router.svelte'

const numbers: Record<StatusText, number> = { success: 0, pending: 1, fail: 2, sending: 3, canceled: 4 }

export const statuses = [
  { value: '', label: 'Any' },
  { value: 'success', label: 'Delivered' },
  { value: 'pending', label: 'Waiting' },
  { value: 'sending', label: 'Sending' },
  { value: 'fail', label: 'Failed' },
  { value: 'canceled', label: 'Canceled' },
]

const spans: Record<string, number> = { '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000, '30d': 2_592_000_000 }
export const ranges = [
  { value: '', label: 'Any time' },
  { value: '15m', label: 'Last 15 min' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 h' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'custom', label: 'From … to …' },
]

export type Filters = {
  status: string
  endpoint: string
  types: string[]
  range: string
  after: string
  before: string
  channel: string
  tag: string
}

export const names = ['status', 'endpoint_id', 'event_types', 'range', 'after', 'before', 'channel', 'tag'] as const

/** The filters in the address. */
export function read(): Filters {
  const get = (name: (typeof names)[number]) => query.get(name) ?? ''
  const after = get('after')
  const before = get('before')
  return {
    status: get('status'), endpoint: get('endpoint_id'), types: query.all('event_types'), channel: get('channel'), tag: get('tag'),
    range: get('range') || (after || before ? 'custom' : ''), after, before,
  }
}

export function clear() {
  query.set(Object.fromEntries(names.map((name) => [name, null])))
}

export function isActive(f: Filters): boolean {
  return [f.status, f.endpoint, ...f.types, f.range, f.channel, f.tag].some((value) => value !== '')
}

/** What the API is asked for. A span ends now, whenever that is. */
export function asQuery(f: Filters): DeliveryQuery {
  const custom = f.range === 'custom'
  const span = spans[f.range]
  return {
    status: f.status in numbers ? numbers[f.status as StatusText] : f.status, endpoint_id: f.endpoint, event_types: f.types, channel: f.channel, tag: f.tag,
    after: custom ? f.after : span ? new Date(Date.now() - span).toISOString() : '',
    before: custom ? f.before : '',
  }
}

/** Whether a delivery that was just tried belongs to what is shown. */
export function fits(f: Filters, row: DeliveryRow): boolean {
  const custom = f.range === 'custom'
  const at = Date.parse(row.timestamp)
  return (f.status === '' || f.status === row.statusText || f.status === String(row.status))
    && (f.endpoint === '' || f.endpoint === row.endpointId)
    && (f.types.length === 0 || f.types.includes(row.eventType))
    && (f.channel === '' || (row.channels ?? []).includes(f.channel))
    && (f.tag === '' || (row.tags ?? []).includes(f.tag))
    && !(custom && f.after && at < Date.parse(f.after))
    && !(custom && f.before && at > Date.parse(f.before))
}

/** A time as an input of the type datetime-local has it, in the viewer's zone; '' if it is none. */
export function toLocal(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return ''
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

/** The time that was put into such an input; '' if none was. */
export function fromLocal(text: string): string {
  const ms = text === '' ? Number.NaN : new Date(text).getTime()
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString()
}
