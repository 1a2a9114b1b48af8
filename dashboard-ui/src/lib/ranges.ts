// Spans of time that figures are of.

const hour = 3_600_000

export type Range = { value: string; label: string; ms: number; words: string }

export const ranges: Range[] = [
  { value: '1h', label: '1 h', ms: hour, words: 'the last hour' },
  { value: '24h', label: '24 h', ms: 24 * hour, words: 'the last 24 hours' },
  { value: '7d', label: '7 d', ms: 7 * 24 * hour, words: 'the last 7 days' },
  { value: '30d', label: '30 d', ms: 30 * 24 * hour, words: 'the last 30 days' },
]

/** The span to begin with: a day, or an hour where all endpoints are younger than that, whose day would be one bar. */
export function usual(endpoints: { createdAt: string }[], now: number): Range {
  const young = endpoints.length > 0 && endpoints.every(({ createdAt }) => now - Date.parse(createdAt) < hour)
  return young ? ranges[0]! : ranges[1]!
}
