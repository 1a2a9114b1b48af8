import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { Source } from '../../api/types'
import { changed, created, formOf, missing } from './form'
import { generated, suggested } from './vendors'

const told = (value: object) => JSON.parse(JSON.stringify(value)) as object

test('a new source says what proves it, and nothing of what does not', () => {
  deepEqual(told(created({ ...formOf(undefined), secret: 's', token: 'left over', typeField: 'x' })), {
    dialect: 'zuddl', description: '', channels: null, secret: 's', unverified: false, signature: null,
  })
  deepEqual(told(created({ ...formOf(undefined), dialect: 'iotum', proof: 'token', token: 't', channels: 'a, b' })), {
    dialect: 'iotum', description: '', channels: ['a', 'b'], token: 't', tokenHeader: 'x-signing-token', unverified: false, signature: null,
  })
})

test('what was chosen as proof must be given, or be there', () => {
  const names = (form: Partial<ReturnType<typeof formOf>>, has = {}) => missing({ ...formOf(undefined), ...form }, has as Source).map(({ loc }) => loc[1])
  deepEqual(names({}), ['secret'])
  deepEqual(names({ proof: 'both' }), ['secret', 'token', 'tokenHeader'])
  deepEqual(names({ proof: 'both', secret: 's', token: 't', tokenHeader: 'x-a' }), [])
  deepEqual(names({ proof: 'both', tokenHeader: 'x-a' }, { hasSecret: true, hasToken: true }), [])
  deepEqual(names({ proof: 'token', dialect: 'iotum' }), ['token'])
  deepEqual(names({ proof: 'key', key: ' ' }), ['key'])
  deepEqual(names({ proof: 'unverified' }), [])
})

test('what is not typed anew stays, and what proves nothing any more goes', () => {
  deepEqual(told(changed({ ...formOf(undefined), proof: 'both', tokenHeader: 'x-a', encoding: 'base64' })), {
    description: '', channels: null, unverified: false, signature: { encoding: 'base64', prefix: '' }, tokenHeader: 'x-a', key: null,
  })
  deepEqual(told(changed({ ...formOf(undefined), proof: 'unverified' })), {
    description: '', channels: null, unverified: true, secret: null, signature: null, token: null, tokenHeader: null, key: null,
  })
})

test('hints that name a signature', () => {
  deepEqual(suggested(`in base64: set the source's signature to {"encoding":"base64","prefix":""}`), { encoding: 'base64', prefix: '' })
  equal(suggested('another secret'), undefined)
  equal(suggested(`set the source's signature to {no JSON}`), undefined)
  equal(suggested(null), undefined)
})

test('what is generated', () => {
  equal(/^whsec_[A-Za-z0-9+/]{43}=$/.test(generated('whsec_')), true)
  equal(/^[0-9a-f]{64}$/.test(generated('')), true)
  equal(generated('') === generated(''), false)
})
