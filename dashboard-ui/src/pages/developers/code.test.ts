import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendCode } from './code'

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
