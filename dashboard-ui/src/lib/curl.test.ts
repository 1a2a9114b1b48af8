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

// What a shell makes of a command line, with a curl that prints its arguments and what it reads.
function run(command: string): string[] {
  const script = `curl() { printf '%s\\000' "$@"; case "$*" in *@-*) cat;; esac; }\n${command}`
  return execFileSync('sh', { input: script }).toString().split('\0')
}

test('a shell hands hostile requests to curl as they are', () => {
  for (const hostile of ["it's", '$(id)`id`', '"\\', 'a\nb\n', '#x', '-n', '@/etc/passwd', 'é 😀', "'", '\n#']) {
    const args = run(curl({ method: 'POST', url: `https://example.com/${hostile}`, headers: [{ name: 'X-A', value: hostile }], body: hostile }))
    assert.deepEqual(args.slice(0, -1), ['-X', 'POST', `https://example.com/${hostile}`, '-H', `X-A: ${hostile}`, '--data-raw', hostile])
  }
})

test('bodies that are no argument come through a pipe', () => {
  const zero = run(curl({ method: 'POST', url: 'https://example.com/', headers: [], body: "a\0é'" }))
  assert.deepEqual(zero, ['-X', 'POST', 'https://example.com/', '--data-binary', '@-', 'a', "é'"])
  const binary = curl({ method: 'POST', url: 'https://example.com/', headers: [], body: '', bodyBase64: '/wA=' })
  assert.match(binary, /^printf %s '?\/wA='? \| base64 -d \| curl /)
})

test('what a terminal would change, or a system refuse as an argument, comes through a pipe', () => {
  for (const body of ['{"a":1}\r\n', 'a\x1b[2J', 'a\x7f', '😀'.repeat(40_000)]) {
    assert.deepEqual(run(curl({ method: 'POST', url: 'https://example.com/', headers: [], body })), ['-X', 'POST', 'https://example.com/', '--data-binary', '@-', body])
  }
})

test('a HEAD waits for no body', () => {
  assert.equal(curl({ method: 'HEAD', url: 'https://example.com/', headers: [] }), 'curl --head https://example.com/')
})

test('masked headers are placeholders, empty ones stay, addresses are no patterns', () => {
  const text = curl({ method: 'POST', url: 'https://example.com/{a,b}[1-9]', headers: [{ name: 'Authorization', value: '…Ab3d', masked: true }, { name: 'X-Empty', value: '' }] })
  assert.equal(text, `# Not shown here, put in the real value: Authorization\ncurl -X POST -g 'https://example.com/{a,b}[1-9]' \\\n  -H 'Authorization: <Authorization>' \\\n  -H 'X-Empty;'`)
})

test('only http and https become links', () => {
  for (const text of ['https://example.com/a', 'http://127.0.0.1:1']) assert.equal(safeHref(text), text)
  for (const text of ['javascript:alert(1)', ' javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', '/a', '', 'vbscript:x', 'https:', 'java\nscript:alert(1)']) {
    assert.equal(safeHref(text), undefined, text)
  }
})
