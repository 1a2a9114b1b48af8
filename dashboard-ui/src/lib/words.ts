// Times, durations, amounts and schedules in words. Everything is in the viewer's zone and in English, as the page is.

const dateTime = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})
const day = new Intl.DateTimeFormat('en-GB', { month: 'short', day: 'numeric' })
const dayOfYear = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: 'numeric' })
const clockTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const minuteOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const integer = new Intl.NumberFormat('en-US')

/** 26 Nov 2026, 13:41:20 in the viewer's zone. */
export function absolute(ms: number): string {
  return dateTime.format(ms)
}

/** 2026-11-26 13:41:20 UTC. */
export function utc(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')
}

/** 13:41, and the day before it if that is not today's. */
export function moment(ms: number, now: number): string {
  return day.format(ms) === day.format(now) && Math.abs(now - ms) < 86_400_000 ? minuteOfDay.format(ms) : `${dayOfYear.format(ms)}, ${minuteOfDay.format(ms)}`
}

/** 13:41:20. */
export function timeOfDay(ms: number): string {
  return clockTime.format(ms)
}

/** "3 min ago", "in 2 h"; from a month on the date. */
export function relative(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000)
  const span = Math.abs(seconds)
  if (span < 5) return 'now'
  const text = coarse(span)
  if (text === null) return (new Date(ms).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(ms)
  return seconds > 0 ? `${text} ago` : `in ${text}`
}

/** How long something lasts, roughly: "4 h", "3 days". */
export function roughly(ms: number): string {
  return coarse(Math.round(ms / 1000)) ?? `${count(Math.floor(ms / 86_400_000))} days`
}

function coarse(seconds: number): string | null {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  const days = Math.floor(seconds / 86_400)
  if (days < 30) return days === 1 ? '1 day' : `${days} days`
  return null
}

/** 87 ms, 1.24 s, 2 min 5 s, 3 h 20 min. */
export function duration(ms: number): string {
  if (ms < 1) return '< 1 ms'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const parts: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']]
  const first = parts.findIndex(([size]) => ms >= size)
  const [size, unit] = parts[first]!
  const rest = parts[first + 1]
  const more = rest ? Math.floor((ms % size) / rest[0]) : 0
  return `${Math.floor(ms / size)} ${unit}${rest && more > 0 ? ` ${more} ${rest[1]}` : ''}`
}

/** A duration that somebody chose, without the digits of one that was measured: 5 s, 2 h. */
export function setting(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} s` : duration(ms)
}

/** Reads a duration as Go writes it ("1h30m0s", "1.5s"), in ms; NaN if it is none. */
export function parseDuration(text: string): number {
  const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  if (text === '0') return 0
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return Number.NaN
  let sum = 0
  for (const [, n, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) sum += Number(n) * units[unit!]!
  return sum
}

/** A retry schedule in words: "at once, then after 5 s, 5 min and 1 h: 4 attempts within 1 h 5 min". */
export function scheduleInWords(delays: string[]): string {
  const all = delays.map(parseDuration)
  if (all.length === 0) return 'one attempt, at once, and no retry'
  if (all.some(Number.isNaN)) return ''
  const words = all.map(setting)
  const last = words.pop()!
  const list = words.length === 0 ? last : `${words.join(', ')} and ${last}`
  return `at once, then after ${list}: ${all.length + 1} attempts within ${setting(all.reduce((a, b) => a + b, 0))}`
}

/** 1,234. */
export function count(n: number): string {
  return integer.format(n)
}

/** plural(1, 'attempt') is "1 attempt", plural(2, 'attempt') "2 attempts". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** 99.2 %; "–" of nothing. Never rounded up to 100 or down to 0. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  const share = (part / whole) * 100
  if (share > 99.9 && part < whole) return '99.9 %'
  if (share < 0.1 && part > 0) return '0.1 %'
  return `${Number.isInteger(share) ? share : share.toFixed(1)} %`
}

/** 1.2 kB. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} kB`
  return `${(n / 1_000_000).toFixed(1)} MB`
}

/** The parts of a machine's name between which it may be broken: a.user_joinedLate is a. user_ joined Late. */
export function parts(name: string): string[] {
  return name.split(/(?<=[._\-/:])(?![._\-/:])|(?<=[a-z\d])(?=[A-Z])/)
}

/** What the server says, as the begin of a sentence. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
