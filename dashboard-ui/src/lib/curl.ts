// A request as a command line for a POSIX shell.

/** Quotes text so that a shell takes it as one word and looks at nothing in it. */
export function shellQuote(text: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

export type CurlRequest = { method: string; url: string; headers: { name: string; value: string }[]; body?: string }

// curl makes these itself.
const own = new Set(['content-length', 'host', 'connection', 'accept-encoding', 'transfer-encoding'])

/** The request as curl sends it. */
export function curl({ method, url, headers, body }: CurlRequest): string {
  const lines = [`curl -X ${shellQuote(method)} ${shellQuote(url)}`]
  for (const { name, value } of headers) {
    if (!own.has(name.toLowerCase())) lines.push(`  -H ${shellQuote(`${name}: ${value}`)}`)
  }
  if (body !== undefined && body !== '') lines.push(`  --data-raw ${shellQuote(body)}`)
  return lines.join(' \\\n')
}
