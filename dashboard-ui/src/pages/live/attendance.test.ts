import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { AttendanceLine } from '../../api/types'
import { byPerson, bySession, histogram, median, minutesInWords, sorted } from './attendance'

function line(registrationId: string, sessionId: string, more: Partial<AttendanceLine> = {}): AttendanceLine {
  return { registrationId, sessionId, present: false, connections: 0, minutes: 0, late: false, ...more }
}

const lines = [
  line('a', 's1', { minutes: 40, firstJoinedAt: '2027-06-10T09:00:00Z', lastLeftAt: '2027-06-10T09:40:00.5Z' }),
  line('a', 's2', { minutes: 2, firstJoinedAt: '2027-06-10T08:00:00.25Z', present: true, presentSince: '2027-06-10T10:00:00Z' }),
  line('b', 's1', { minutes: null, firstJoinedAt: '2027-06-10T09:00:00Z', late: true }),
]

test('sums by session', () => {
  deepEqual(bySession(lines), new Map([
    ['s1', { present: 0, attended: 2, minutes: 40, unknown: 1, each: [40] }],
    ['s2', { present: 1, attended: 1, minutes: 2, unknown: 0, each: [2] }],
  ]))
})

test('sums by person', () => {
  const a = {
    id: 'a', sessions: ['s1', 's2'], now: ['s2'], since: '2027-06-10T10:00:00Z', minutes: 42,
    first: '2027-06-10T08:00:00.25Z', last: '2027-06-10T09:40:00.5Z', late: false,
  }
  const b = { id: 'b', sessions: ['s1'], now: [], since: undefined, minutes: null, first: '2027-06-10T09:00:00Z', last: undefined, late: true }
  deepEqual(byPerson(lines), [a, b])
  deepEqual(byPerson(lines, 's2').map(({ id, minutes }) => [id, minutes]), [['a', 2]])
})

test('histograms have few bins, and everybody in one', () => {
  deepEqual(histogram([]), { width: 1, starts: [0], counts: [0] })
  deepEqual(histogram([0, 4, 5, 29]), { width: 2, starts: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28], counts: [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] })
  for (const top of [1, 15, 16, 480, 10_000, 10_000_000]) {
    const { counts, starts } = histogram([0, top])
    equal(counts.length <= 16 && starts.length === counts.length, true, String(top))
    equal(counts.reduce((sum, one) => sum + one, 0), 2)
  }
})

test('medians', () => {
  equal(median([]), null)
  equal(median([3, 1, 2]), 2)
  equal(median([4, 1, 2, 3]), 2.5)
})

test('what has no value sorts last in both directions', () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }]
  const by = { n: (row: { n: number | null }) => row.n }
  deepEqual(sorted(rows, 'n', by), [{ n: 2 }, { n: 10 }, { n: null }])
  deepEqual(sorted(rows, '-n', by), [{ n: 10 }, { n: 2 }, { n: null }])
  deepEqual(sorted(rows, 'other', by), rows)
})

test('time spent in words', () => {
  deepEqual([null, 0, 59.6, 61, 200, 6001].map(minutesInWords), ['–', '0 min', '1 h', '1 h 1 min', '3 h 20 min', '100 h'])
})
