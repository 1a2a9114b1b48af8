import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder } from './dialects'

test('dialects stand in one order, those of a newer server last', () => {
  deepEqual(inOrder(['iotum', 'newer', 'native', 'zuddl', 'iotum']), ['native', 'zuddl', 'iotum', 'newer'])
  deepEqual(inOrder([]), [])
})
