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
  const lines = [`curl -X ${shellQuote(method)} ${/[[\]{}]/.test(url) ? '-g ' : ''}${shellQuote(url)}`]
  for (const header of sent) lines.push(`  -H ${shellQuote(headerLine(header))}`)
  // An argument cannot hold a zero byte, and text in a shell's argument cannot be anything but text.
  const encoded = bodyBase64 || (body?.includes('\0') ? base64(body) : undefined)
  if (encoded) lines.push('  --data-binary @-')
  else if (body) lines.push(`  --data-raw ${shellQuote(body)}`)
  const masked = sent.filter((header) => header.masked).map(({ name }) => name)
  const note = masked.length > 0 ? `# Not shown here, put in the real value: ${masked.join(', ')}\n` : ''
  return note + (encoded ? `printf %s ${shellQuote(encoded)} | base64 -d | ` : '') + lines.join(' \\\n')
}

function headerLine({ name, value, masked }: CurlRequest['headers'][number]): string {
  if (masked) return `${name}: <${name}>`
  // A name with a colon and nothing behind it would take the header away.
  return value === '' ? `${name};` : `${name}: ${value}`
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
