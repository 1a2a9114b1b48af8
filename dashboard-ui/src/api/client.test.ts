import assert from 'node:assert/strict'
import { test } from 'node:test'
import { first } from './client'
import type { Page } from './types'

// A list in pages, and what was asked of it.
function pages(...rows: number[][]) {
  const asked: (string | undefined)[] = []
  const fetch = (iterator: string | undefined): Promise<Page<number>> => {
    asked.push(iterator)
    const at = Number(iterator ?? 0)
    const done = at === rows.length - 1
    return Promise.resolve({ data: rows[at]!, iterator: done ? null : String(at + 1), prevIterator: null, done })
  }
  return { fetch, asked }
}

test('the first rows are found behind pages that ended early', async () => {
  const { fetch, asked } = pages([], [1], [], [2, 3], [4])
  assert.deepEqual(await first(2, fetch), { rows: [1, 2], done: false })
  assert.deepEqual(asked, [undefined, '1', '2', '3'])
})

test('a list that has fewer is done', async () => {
  assert.deepEqual(await first(2, pages([], [1]).fetch), { rows: [1], done: true })
})

test('a long search for nothing ends', async () => {
  const { fetch, asked } = pages(...Array.from({ length: 50 }, () => []))
  assert.deepEqual(await first(1, fetch), { rows: [], done: false })
  assert.equal(asked.length, 10)
})
