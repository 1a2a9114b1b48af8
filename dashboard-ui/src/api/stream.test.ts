import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Parser, type StreamEvent } from './stream.svelte'

function read(chunks: string[]): StreamEvent[] {
  const events: StreamEvent[] = []
  const parser = new Parser((event) => events.push(event))
  for (const chunk of chunks) parser.push(chunk)
  return events
}

const text = ': hello\n\nevent: attempt\nid: 7\ndata: {"a":\ndata: 1}\n\ndata: [2]\r\n\r\nevent: no data\n\ndata: no JSON\n\nid: 8\ndata:3\n\nevent: cut\ndata: 4\n'
const events = [
  { event: 'attempt', id: '7', data: { a: 1 } },
  { event: 'message', id: undefined, data: [2] },
  { event: 'message', id: '8', data: 3 },
]

test('a stream is read however it is cut', () => {
  assert.deepEqual(read([text]), events)
  assert.deepEqual(read([...text]), events)
  for (let i = 0; i <= text.length; i++) assert.deepEqual(read([text.slice(0, i), text.slice(i)]), events)
})

test('lines may end in CR alone', () => {
  assert.deepEqual(read(['data: 1\r\rdata: 2\r', '\rx']), [{ event: 'message', id: undefined, data: 1 }, { event: 'message', id: undefined, data: 2 }])
})
