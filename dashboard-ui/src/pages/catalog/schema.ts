// A JSON schema as rows for people. Schemas of an org's own types are whatever was sent, so nothing is taken for granted.

export type FieldRow = {
  path: string
  name: string
  depth: number
  type: string
  required: boolean
  description: string
  example: string
  /** The fields within, if it has any. They are made when they are asked for: schemas refer to each other, and to themselves. */
  inner: (() => FieldRow[]) | undefined
}

// So many references lead from one to the next, and so many fields are shown of an object.
const mostHops = 8
const most = 500

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : typeof value === 'string' ? [value] : [])

type Schema = Record<string, unknown>

/** The fields of a schema. sample is a payload that fits: examples come from there first. */
export function fields(root: unknown, sample?: unknown): FieldRow[] {
  return isObject(root) ? rowsOf(resolve(root, root), root, 0, '', sample) : []
}

function rowsOf(schema: Schema, root: Schema, depth: number, path: string, value: unknown): FieldRow[] {
  const required = strings(schema.required)
  return properties(schema).slice(0, most).map(([name, part]) => {
    const own = isObject(part) ? resolve(part, root) : {}
    const items = isObject(own.items) ? resolve(own.items, root) : undefined
    const at = path === '' ? name : `${path}.${name}`
    const sample = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
    const [within, there, where] = items ? [items, Array.isArray(sample) ? sample[0] : undefined, `${at}[]`] as const : [own, sample, at] as const
    const inner = properties(within).length > 0 ? () => rowsOf(within, root, depth + 1, where, there) : undefined
    return {
      path: at, name, depth, inner,
      type: typeOf(own, items),
      required: required.includes(name),
      description: typeof own.description === 'string' ? own.description : '',
      example: inner ? '' : exampleOf(own, sample),
    }
  })
}

function properties(schema: Schema): [string, unknown][] {
  return isObject(schema.properties) ? Object.entries(schema.properties) : []
}

// Follows references within the document, and takes what allOf adds.
function resolve(schema: Schema, root: Schema, hops = 0): Schema {
  if (hops > mostHops) return schema
  if (typeof schema.$ref === 'string' && schema.$ref.startsWith('#')) {
    let target: unknown = root
    for (const part of schema.$ref.split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
      target = isObject(target) && Object.hasOwn(target, name) ? target[name] : undefined
    }
    const { $ref, ...rest } = schema
    return isObject(target) ? { ...resolve(target, root, hops + 1), ...rest } : rest
  }
  if (!Array.isArray(schema.allOf)) return schema
  const parts = [schema, ...schema.allOf.filter(isObject).map((part) => resolve(part, root, hops + 1))]
  return {
    ...Object.assign({}, ...parts.toReversed()),
    properties: Object.assign({}, ...parts.map((part) => (isObject(part.properties) ? part.properties : {}))),
    required: parts.flatMap((part) => strings(part.required)),
  }
}

function typeOf(schema: Schema, items: Schema | undefined): string {
  if ('const' in schema) return show(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.slice(0, 12).map(show).join(' | ') + (schema.enum.length > 12 ? ' | …' : '')
  const choices = [schema.oneOf, schema.anyOf].find(Array.isArray)
  if (choices) return [...new Set(choices.filter(isObject).map((one) => typeOf(one, undefined)))].join(' | ')
  const types = strings(schema.type).map((type) => (type === 'array' && items ? `array of ${typeOf(items, undefined)}` : type))
  if (types.length === 0) return isObject(schema.properties) ? 'object' : 'any'
  const format = typeof schema.format === 'string' ? ` (${schema.format})` : ''
  return types.join(' | ') + format
}

function exampleOf(schema: Schema, value: unknown): string {
  if ('const' in schema) return ''
  if (value !== undefined && value !== null) return show(value)
  return Array.isArray(schema.examples) && schema.examples.length > 0 ? show(schema.examples[0]) : ''
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
