import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fields, type FieldRow } from './schema'

const all = (rows: FieldRow[]): FieldRow[] => rows.flatMap((row) => [row, ...all(row.inner?.() ?? [])])

const schema = {
  type: 'object', required: ['type', 'data'],
  properties: {
    type: { const: 'a.b' },
    data: {
      type: 'object', required: ['id'],
      properties: {
        id: { type: ['string', 'number'], description: 'Whose.' },
        actor: { $ref: '#/$defs/actor' },
        tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string', examples: ['vip'] } } } },
      },
    },
  },
  $defs: { actor: { type: ['object', 'null'], description: 'Who did it.', properties: { kind: { enum: ['USER', 'AGENT'] } } } },
}

test('fields have types, references, examples, and fields within', () => {
  const rows = all(fields(schema, { type: 'a.b', data: { id: 'x1' } }))
  assert.deepEqual(rows.map(({ path, depth, type, required, example }) => [path, depth, type, required, example]), [
    ['type', 0, '"a.b"', true, ''],
    ['data', 0, 'object', true, ''],
    ['data.id', 1, 'string | number', true, '"x1"'],
    ['data.actor', 1, 'object | null', false, ''],
    ['data.actor.kind', 2, '"USER" | "AGENT"', false, ''],
    ['data.tags', 1, 'array of object', false, ''],
    ['data.tags[].name', 2, 'string', false, '"vip"'],
  ])
  assert.equal(rows[3]!.description, 'Who did it.')
})

test('what is no schema, or refers to itself, ends', () => {
  for (const odd of [null, 1, 'x', [], { properties: 1 }, { properties: { a: null } }, { properties: { a: { type: 3, enum: 4, required: {}, items: [] } } }]) assert.ok(fields(odd).length <= 1)
  const self = fields({ properties: { again: { $ref: '#' } } })
  assert.equal(self[0]!.inner!()[0]!.inner!()[0]!.path, 'again.again.again')
  assert.equal(fields({ properties: JSON.parse('{"__proto__":{"type":"string"}}') as unknown })[0]!.type, 'string')
  assert.equal(fields({ $ref: '#' }).length, 0)
})
