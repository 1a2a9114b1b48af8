// A request as a command line for a POSIX shell.

/** Quotes text so that a shell takes it as one word and looks at nothing in it. */
export function shellQuote(text: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

export type CurlRequest = {
  method: string
  url: string
  /** Of a masked header the name alone is known: a placeholder stands for its value. */
  headers: { name: string; value: string; masked?: boolean }[]
  body?: string
  /** Instead of body, for what is not text. */
  bodyBase64?: string | null
}

// curl makes these itself.
const own = new Set(['content-length', 'host', 'connection', 'accept-encoding', 'transfer-encoding'])

/** The request as curl sends it. */
export function curl({ method, url, headers, body, bodyBase64 }: CurlRequest): string {
  const sent = headers.filter(({ name }) => !own.has(name.toLowerCase()))
  // curl reads brackets and braces in an address as patterns, unless it is told not to.
  // Told by -X alone that it is HEAD, it waits for a body that never comes.
  const how = method === 'HEAD' ? '--head' : `-X ${shellQuote(method)}`
  const lines = [`curl ${how} ${/[[\]{}]/.test(url) ? '-g ' : ''}${shellQuote(url)}`]
  for (const header of sent) lines.push(`  -H ${shellQuote(headerLine(header))}`)
  const encoded = bodyBase64 || (body && !isArgument(body) ? base64(body) : undefined)
  if (encoded) lines.push('  --data-binary @-')
  else if (body) lines.push(`  --data-raw ${shellQuote(body)}`)
  const masked = sent.filter((header) => header.masked).map(({ name }) => name)
  const note = masked.length > 0 ? `# Not shown here, put in the real value: ${masked.join(', ')}\n` : ''
  return note + (encoded ? `printf %s ${shellQuote(encoded)} | base64 -d | ` : '') + lines.join(' \\\n')
}

// Linux takes no argument of more than 128 KiB.
const longestArgument = 32 * 1024

// An argument holds no zero byte, and a terminal that a command is pasted into acts on the other control characters, or
// makes a line's end of a carriage return: then the body is another one, and its signature is wrong.
function isArgument(body: string): boolean {
  return body.length <= longestArgument && !/[\0-\x08\x0b-\x1f\x7f]/.test(body)
}

function headerLine({ name, value, masked }: CurlRequest['headers'][number]): string {
  if (masked) return `${name}: <${name}>`
  // A name with a colon and nothing behind it would take the header away.
  return value === '' ? `${name};` : `${name}: ${value}`
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
