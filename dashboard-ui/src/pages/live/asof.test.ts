import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPast, silence } from './asof'

const told = (asOf: string, latestActivityAt: string | null, present = 1) =>
  ({ asOf: `2027-06-10T${asOf}Z`, latestActivityAt: latestActivityAt && `2027-06-10T${latestActivityAt}Z`, totals: { present, attended: 2, minutes: 3 } })

test('silence of more than a quarter of an hour is told', () => {
  assert.equal(silence(told('15:20:00', '11:20:00')), 4 * 3_600_000)
  assert.equal(silence(told('11:35:00', '11:20:00')), undefined)
  assert.equal(silence(told('11:35:01', '11:20:00')), 901_000)
})

test('where nobody is here silence means nothing', () => {
  assert.equal(silence(told('15:20:00', '11:20:00', 0)), undefined)
  assert.equal(silence(told('15:20:00', null)), undefined)
})

test('the latest is past only while the event goes on', () => {
  assert.equal(isPast(undefined, told('15:20:00', '11:20:00')), false)
  assert.equal(isPast('latest', told('11:20:00', '11:20:00')), true)
  assert.equal(isPast('latest', told('17:00:00', '16:50:00')), false)
  assert.equal(isPast('2027-06-10T11:00:00Z', told('11:00:00', '10:50:00')), true)
})
