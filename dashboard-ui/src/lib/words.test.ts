import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, duration, moment, parseDuration, parts, percent, plural, relative, roughly, scheduleInWords, utc } from './words'

test('durations', () => {
  const rows: [number, string][] = [
    [0, '< 1 ms'], [1, '1 ms'], [87.4, '87 ms'], [999, '999 ms'], [1240, '1.24 s'], [59_949, '59.9 s'], [60_000, '1 min'], [125_000, '2 min 5 s'],
    [12_000_000, '3 h 20 min'], [86_400_000, '1 d'], [90_000_000, '1 d 1 h'],
  ]
  for (const [ms, words] of rows) assert.equal(duration(ms), words)
})

test('durations as Go writes them', () => {
  const rows: [string, number][] = [['5s', 5000], ['1h30m0s', 5_400_000], ['1.5s', 1500], ['100ms', 100], ['2µs', 0.002], ['0', 0]]
  for (const [text, ms] of rows) assert.equal(parseDuration(text), ms)
  for (const text of ['', '5', 's', '5 s', '-5s', '5d', '5s ']) assert.ok(Number.isNaN(parseDuration(text)), text)
})

test('schedules', () => {
  assert.equal(scheduleInWords(['5s', '5m', '1h']), 'at once, then after 5 s, 5 min and 1 h: 4 attempts within 1 h 5 min')
  assert.equal(scheduleInWords(['10m0s']), 'at once, then after 10 min: 2 attempts within 10 min')
  assert.equal(scheduleInWords([]), 'one attempt, at once, and no retry')
  assert.equal(scheduleInWords(['soon']), '')
})

test('relative times', () => {
  const now = Date.parse('2026-11-26T12:00:00Z')
  const rows: [number, string][] = [[0, 'now'], [-4000, 'now'], [-59_000, '59 s ago'], [-60_000, '1 min ago'], [7_200_000, 'in 2 h'], [-86_400_000, '1 day ago'], [-40 * 86_400_000, '17 Oct']]
  for (const [ago, words] of rows) assert.equal(relative(now + ago, now), words)
})

test('names break between their words alone', () => {
  const rows: [string, string[]][] = [
    ['session.joined', ['session.', 'joined']], ['conversation.user_joined', ['conversation.', 'user_', 'joined']], ['userJoined', ['user', 'Joined']],
    ['TIME_SPENT', ['TIME_', 'SPENT']], ['a..b', ['a..', 'b']], ['x', ['x']], ['', ['']], ['trailing.', ['trailing.']],
  ]
  for (const [name, expected] of rows) assert.deepEqual(parts(name), expected)
})

test('amounts', () => {
  assert.equal(percent(999_999, 1_000_000), '99.9 %')
  assert.equal(percent(1, 1_000_000), '0.1 %')
  assert.equal(percent(0, 0), '–')
  assert.equal(percent(5, 5), '100 %')
  assert.equal(plural(1, 'delivery', 'deliveries'), '1 delivery')
  assert.equal(plural(1200, 'attempt'), '1,200 attempts')
  assert.equal(bytes(1234), '1.2 kB')
  assert.equal(utc(Date.parse('2026-11-26T13:41:20.123Z')), '2026-11-26 13:41:20 UTC')
})

test('a moment names its day unless that is today', () => {
  const at = new Date(2027, 5, 10, 11, 20).getTime()
  assert.equal(moment(at, at + 4 * 3_600_000), '11:20')
  assert.equal(moment(at, at + 24 * 3_600_000), '10 Jun 2027, 11:20')
  assert.equal(roughly(4.5 * 3_600_000), '4 h')
  assert.equal(roughly(400 * 86_400_000), '400 days')
})
