import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { sendCode, type Language } from './code'

const sending = { url: 'https://hooks.example.com', app: 'app_1', eventType: 'a.b', payload: { who: `it's "me"`, n: 1, none: null, yes: true, list: [false], empty: {} } }

test('curl: the body is one word of the shell', () => {
  const code = sendCode('curl', sending)
  assert.match(code, /^curl https:\/\/hooks\.example\.com\/api\/v1\/app\/app_1\/msg \\\n/)
  assert.ok(code.includes(`it'\\''s \\"me\\"`))
})

test('payloads are literals of their language', () => {
  assert.ok(sendCode('python', sending).includes(`"none": None,\n        "yes": True,\n        "list": [\n            False,\n        ],\n        "empty": {},`))
  assert.ok(sendCode('go', sending).includes(`"none": nil,\n\t\t\t"yes": true,\n\t\t\t"list": []any{\n\t\t\t\tfalse,\n\t\t\t},\n\t\t\t"empty": map[string]any{},`))
  assert.ok(sendCode('node', sending).includes(`"list": [\n      false,\n    ],`))
})

// The same code is run against a server by internal/e2e, which reads it in these files. UPDATE=1 writes them.
test('the samples are those that are run against a server', () => {
  const all: [Language, string][] = [['curl', 'curl.sh'], ['node', 'node.mjs'], ['python', 'python.py'], ['go', 'main.go.txt']]
  const sent = {
    url: 'http://callboard.test', app: 'app_of_the_sample', eventType: 'sample.sent',
    payload: { who: `it's "me" & <you> \\ $HOME – ü 😀`, lines: 'one\ntwo\ttabs', n: 49.9, big: 1e21, none: null, yes: true, list: [false, [], { deep: [1, 'two'] }], empty: {} },
  }
  for (const [language, file] of all) {
    const path = `../internal/e2e/testdata/send/${file}`
    const code = sendCode(language, sent)
    if (process.env.UPDATE === '1') writeFileSync(path, code)
    assert.equal(readFileSync(path, 'utf8'), code, `${file} is not what the page shows: npm test with UPDATE=1 writes it`)
  }
})
