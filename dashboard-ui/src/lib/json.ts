// Pretty JSON without JSON.parse: the text is split into tokens and indented anew, so that numbers, escapes, repeated
// keys and their order stay as they were sent.

export type Token = { kind: 'key' | 'string' | 'number' | 'word' | 'plain'; text: string }

const lexer = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]|[ \t\r\n]+/y

/** Whether text is a JSON document. */
export function isJSON(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// Each line of nesting is indented by all levels around it: a few kilobytes of brackets would become megabytes of blanks.
const deepest = 200

/** The tokens of a JSON document, indented by two spaces; null if text is none, or nested too deep to be read so. */
export function prettyTokens(text: string): Token[] | null {
  if (!isJSON(text)) return null
  const raw: string[] = []
  lexer.lastIndex = 0
  while (lexer.lastIndex < text.length) {
    const match = lexer.exec(text)
    if (match === null) return null
    if (!/^\s/.test(match[0])) raw.push(match[0])
  }
  return layOut(raw)
}

function layOut(raw: string[]): Token[] | null {
  const tokens: Token[] = []
  let depth = 0
  const plain = (text: string) => {
    const last = tokens.at(-1)
    if (last?.kind === 'plain') last.text += text
    else tokens.push({ kind: 'plain', text })
  }
  const line = () => plain('\n' + '  '.repeat(depth))
  for (const [i, token] of raw.entries()) {
    const next = raw[i + 1]
    switch (token) {
      case '{':
      case '[':
        plain(token)
        if (++depth > deepest) return null
        if (next !== '}' && next !== ']') line()
        break
      case '}':
      case ']': {
        depth--
        const before = raw[i - 1]
        if (before !== '{' && before !== '[') line()
        plain(token)
        break
      }
      case ',':
        plain(token)
        line()
        break
      case ':':
        plain(': ')
        break
      default:
        tokens.push({ kind: kindOf(token, next), text: token })
    }
  }
  return tokens
}

function kindOf(token: string, next: string | undefined): Token['kind'] {
  if (token.startsWith('"')) return next === ':' ? 'key' : 'string'
  return /^[tfn]/.test(token) ? 'word' : 'number'
}

/** Pretty text; text itself if it is no JSON. */
export function pretty(text: string): string {
  return prettyTokens(text)?.map((token) => token.text).join('') ?? text
}

/** The text of a member of the object that text is, as it was sent; undefined if it has none. */
export function memberText(text: string, name: string): string | undefined {
  if (!isJSON(text)) return undefined
  let depth = 0
  let start = -1
  let key = ''
  lexer.lastIndex = 0
  while (lexer.lastIndex < text.length) {
    const from = lexer.lastIndex
    const token = lexer.exec(text)?.[0]
    if (token === undefined) return undefined
    if (token === '}' || token === ']') depth--
    const ends = depth === 0 && start >= 0 || depth === 1 && start >= 0 && token === ','
    if (ends) return text.slice(start, from).trim()
    if (token === '{' || token === '[') depth++
    if (depth !== 1) continue
    if (token.startsWith('"')) key = token
    else if (token === ':' && JSON.parse(key) === name) start = lexer.lastIndex
  }
  return undefined
}
