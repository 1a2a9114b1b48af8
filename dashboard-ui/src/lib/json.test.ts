import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberText, pretty, prettyTokens } from './json'

test('JSON is laid out as JSON.stringify does it', () => {
  const values = [{}, [], { a: 1, b: [1, 2, { c: null }], d: {}, e: [] }, 'text', 1.5, true, null, { 'a "b"': '\\ \u0001 é 😀' }]
  for (const value of values) assert.equal(pretty(JSON.stringify(value)), JSON.stringify(value, null, 2))
})

test('nothing of the text changes', () => {
  assert.equal(pretty('{"n":12345678901234567890,"n":1.0,"e":1E400,"s":"\\u0041\\/"}'), '{\n  "n": 12345678901234567890,\n  "n": 1.0,\n  "e": 1E400,\n  "s": "\\u0041\\/"\n}')
})

test('tokens have their kinds', () => {
  const kinds = prettyTokens('{"k":["v",-1,true]}')!.filter(({ kind }) => kind !== 'plain')
  assert.deepEqual(kinds, [{ kind: 'key', text: '"k"' }, { kind: 'string', text: '"v"' }, { kind: 'number', text: '-1' }, { kind: 'word', text: 'true' }])
})

test('what is no JSON stays as it is', () => {
  for (const text of ['', '{', '{"a":}', "{'a':1}", 'NaN', '[1,]', '<html>', '{"a":1} x']) {
    assert.equal(pretty(text), text)
    assert.equal(prettyTokens(text), null)
  }
})

test('what is nested so deep that its blanks would be most of it stays as it is', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal(pretty(nested(200)).split('\n').length, 399)
  assert.equal(prettyTokens(nested(201)), null)
  assert.equal(pretty(nested(100_000)), nested(100_000))
})

test('a member is given as it was sent', () => {
  const text = '{"a":{"payload":1},"b":"}","payload": {"n":1.0e2, "x":[1,{"y":"\\u0041"}]} ,"c":"payload"}'
  assert.equal(memberText(text, 'payload'), '{"n":1.0e2, "x":[1,{"y":"\\u0041"}]}')
  assert.equal(memberText(text, 'c'), '"payload"')
  assert.equal(memberText('{"p":1}', 'p'), '1')
  for (const none of ['', '[]', '{"a":"payload"}', '{"a":{"payload":1}}', 'payload']) assert.equal(memberText(none, 'payload'), undefined, none)
})
