// What the lines of an event's attendance come to, by session and by person.
import type { AttendanceLine } from '../../api/types'
import { count } from '../../lib/words'

export type SessionSum = { present: number; attended: number; minutes: number; unknown: number; each: number[] }

/** By session; unknown is how many lines have no minutes, each the minutes of those who came. */
export function bySession(lines: readonly AttendanceLine[]): Map<string, SessionSum> {
  const sums = new Map<string, SessionSum>()
  for (const line of lines) {
    let sum = sums.get(line.sessionId)
    if (sum === undefined) sums.set(line.sessionId, (sum = { present: 0, attended: 0, minutes: 0, unknown: 0, each: [] }))
    if (line.present) sum.present++
    if (line.firstJoinedAt !== undefined) sum.attended++
    if (line.minutes === null) sum.unknown++
    else {
      sum.minutes += line.minutes
      if (line.firstJoinedAt !== undefined || line.minutes > 0) sum.each.push(line.minutes)
    }
  }
  return sums
}

export type PersonSum = {
  id: string
  sessions: string[]
  /** Where the person is now. */
  now: string[]
  since: string | undefined
  /** null if none of the lines has any. */
  minutes: number | null
  first: string | undefined
  last: string | undefined
  late: boolean
}

/** By person, of one session or of all. Lines come by registration, and so do the sums. */
export function byPerson(lines: readonly AttendanceLine[], session?: string): PersonSum[] {
  const sums: PersonSum[] = []
  for (const line of lines) {
    if (session !== undefined && line.sessionId !== session) continue
    let sum = sums.at(-1)
    if (sum?.id !== line.registrationId) {
      sum = { id: line.registrationId, sessions: [], now: [], since: undefined, minutes: null, first: undefined, last: undefined, late: false }
      sums.push(sum)
    }
    sum.sessions.push(line.sessionId)
    if (line.present) {
      sum.now.push(line.sessionId)
      sum.since = earlier(sum.since, line.presentSince ?? line.firstJoinedAt)
    }
    if (line.minutes !== null) sum.minutes = (sum.minutes ?? 0) + line.minutes
    sum.first = earlier(sum.first, line.firstJoinedAt)
    sum.last = later(sum.last, line.lastLeftAt)
    sum.late ||= line.late
  }
  return sums
}

// Times have as many decimals as they need, so their texts do not sort.
function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Date.parse(b) < Date.parse(a) ? b : a
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Date.parse(b) > Date.parse(a) ? b : a
}

export type Histogram = { width: number; starts: number[]; counts: number[] }

const widths = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440, 2880, 10080]
const mostBins = 16

/** How many people spent how many minutes, in at most 16 bins of a round width. */
export function histogram(minutes: readonly number[]): Histogram {
  const top = minutes.reduce((most, one) => Math.max(most, one), 0)
  const width = widths.find((one) => Math.floor(top / one) < mostBins) ?? Math.ceil((top + 1) / mostBins)
  const bins = Math.floor(top / width) + 1
  const counts = new Array<number>(bins).fill(0)
  for (const one of minutes) counts[Math.floor(one / width)]!++
  return { width, starts: counts.map((_, i) => i * width), counts }
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** 42 min, 3 h 20 min, 1,204 h: time that people spent is not counted in days. */
export function minutesInWords(minutes: number | null): string {
  if (minutes === null) return '–'
  const whole = Math.round(minutes)
  const hours = Math.floor(whole / 60)
  if (hours === 0) return `${whole} min`
  if (hours >= 100) return `${count(Math.round(whole / 60))} h`
  return `${hours} h${whole % 60 > 0 ? ` ${whole % 60} min` : ''}`
}

/** The place of a sort such as "-minutes" applied to rows; what is missing comes last. */
export function sorted<Row>(rows: readonly Row[], sort: string, values: Record<string, (row: Row) => string | number | null | undefined>): Row[] {
  const descending = sort.startsWith('-')
  const value = values[descending ? sort.slice(1) : sort]
  if (value === undefined) return [...rows]
  const keyed = rows.map((row) => ({ row, value: value(row) ?? null }))
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null)
    const order = typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : String(a.value).localeCompare(String(b.value))
    return descending ? -order : order
  })
  return keyed.map(({ row }) => row)
}
