import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { curl, shellQuote } from './curl'
import { safeHref } from './url'

test('a shell takes hostile text as one word', () => {
  const hostile = ["it's", '$(id)', '`id`', '"; rm -rf /', '\\', 'a\nb', '-n', '*', '~', '', 'é 😀', "'''", '!x', 'a b', '#x']
  const script = `for a in ${hostile.map(shellQuote).join(' ')}; do printf '%s\\000' "$a"; done`
  assert.deepEqual(execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1), hostile)
})

test('curl', () => {
  const headers = [{ name: 'Content-Type', value: 'application/json' }, { name: 'Content-Length', value: '7' }, { name: 'X-A', value: "it's" }]
  assert.equal(
    curl({ method: 'POST', url: 'https://example.com/?a=1&b=2', headers, body: '{"a":1}' }),
    `curl -X POST 'https://example.com/?a=1&b=2' \\\n  -H 'Content-Type: application/json' \\\n  -H 'X-A: it'\\''s' \\\n  --data-raw '{"a":1}'`,
  )
})

test('only http and https become links', () => {
  for (const text of ['https://example.com/a', 'http://127.0.0.1:1']) assert.equal(safeHref(text), text)
  for (const text of ['javascript:alert(1)', ' javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', '/a', '', 'vbscript:x', 'https:', 'java\nscript:alert(1)']) {
    assert.equal(safeHref(text), undefined, text)
  }
})
