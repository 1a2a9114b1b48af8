// What Play says about requests, and what it makes of them.
import type { PlayRequest } from '../../api/types'
import type { Tone } from '../../components'
import { curl, shellQuote } from '../../lib/curl'

export type Verdict = PlayRequest['verification']['verdict']

type Words = { word: string; tone: Tone; shape?: 'ring'; title: string; notice: 'success' | 'fail' | 'warn' | 'plain' }

export const verdicts: Record<Verdict, Words> = {
  valid: { word: 'Valid', tone: 'success', title: 'The signature is valid', notice: 'success' },
  invalid: { word: 'Invalid', tone: 'fail', title: 'The signature is not valid', notice: 'fail' },
  unsigned: { word: 'Unsigned', tone: 'muted', title: 'It is not signed', notice: 'plain' },
  unknown_secret: { word: 'No secret', tone: 'warn', shape: 'ring', title: 'It is signed, and could not be verified', notice: 'warn' },
}

/** What follows the inbox's address. */
export function target({ path, query }: PlayRequest): string {
  return path + (query && `?${query}`)
}

/** The request as a command line. A body that is no text goes through base64, which any shell has. */
export function asCurl(inboxURL: string, request: PlayRequest): string {
  const line = curl({ method: request.method, url: inboxURL + target(request), headers: request.headers, body: request.body })
  if (request.bodyBase64 === undefined) return line
  return `printf %s ${shellQuote(request.bodyBase64)} | base64 -d | \\\n${line} \\\n  --data-binary @-`
}

// Those that belong to the connection and not to the message.
const ofConnection = new Set(['host', 'content-length', 'connection', 'accept-encoding', 'transfer-encoding'])

export function headerLines(headers: PlayRequest['headers']): string {
  return headers.filter(({ name }) => !ofConnection.has(name.toLowerCase())).map(({ name, value }) => `${name}: ${value}`).join('\n')
}

/** Reads what headerLines writes; an error names the line. */
export function parseHeaders(text: string): { headers: PlayRequest['headers'] } | { error: string } {
  const headers: PlayRequest['headers'] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const colon = line.indexOf(':')
    if (colon < 1) return { error: `Line ${i + 1} has no name before a colon` }
    headers.push({ name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() })
  }
  return { headers }
}
