// The one place that speaks HTTP. Signed in by a cookie that the page cannot see, or, inside of another page's frame, by
// a token that lives in this module's memory and nowhere else.
import { sentence } from '../lib/words'
import type { Page } from './types'

export type FieldError = { loc: string[]; msg: string; type: string }

/** An answer that is no success, or none at all (status 0). Its message may be shown. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: FieldError[]
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, code: string, detail: string, fields: FieldError[] = [], retryAfterSeconds?: number) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.fields = fields
    this.retryAfterSeconds = retryAfterSeconds
  }

  static from(error: unknown): ApiError {
    if (error instanceof ApiError) return error
    console.error(error)
    return new ApiError(0, 'unexpected', error instanceof Error ? error.message : String(error))
  }

  /** The messages by field: those of the body under their path in it, such as url or settings.name. */
  get byField(): Record<string, string> {
    const found: Record<string, string> = {}
    for (const { loc, msg } of this.fields) {
      const name = (loc[0] === 'body' || loc[0] === 'query' || loc[0] === 'path' ? loc.slice(1) : loc).join('.')
      found[name] ??= sentence(msg)
    }
    return found
  }
}

/** The error of a form that is not sent, because of these fields; undefined if there are none. */
export function refused(fields: FieldError[]): ApiError | undefined {
  return fields.length === 0 ? undefined : new ApiError(422, 'invalid', fields.map(({ msg }) => sentence(msg)).join('; '), fields)
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

let bearer: string | undefined
let unauthorized: () => void = () => {}

/** Sends this token from now on, and no cookie; undefined goes back to the cookie. */
export function useBearer(token: string | undefined) {
  bearer = token
}

/** Is called when a request says that the session is over. */
export function onUnauthorized(callback: () => void) {
  unauthorized = callback
}

export type QueryValue = string | number | boolean | null | undefined | readonly string[]
export type Query = Record<string, QueryValue>
export type Call = { query?: Query; body?: unknown; signal?: AbortSignal; headers?: Record<string, string>; anonymous?: boolean }

/** A path below /api/v1 with its ids escaped: at`/app/${app}/msg`. */
export function at(strings: TemplateStringsArray, ...values: string[]): string {
  return strings.reduce((path, part, i) => path + encodeURIComponent(values[i - 1]!) + part)
}

function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    // Lists are repeated: the API reads them so, as Svix's does.
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one))
  }
  const text = params.toString()
  return `/api/v1${path}${text && `?${text}`}`
}

/** Sends a request and gives the answer, if it is a success. */
export async function send(method: string, path: string, call: Call = {}): Promise<Response> {
  const headers = new Headers(call.headers)
  let body: string | undefined
  if (call.body !== undefined) {
    headers.set('Content-Type', 'application/json')
    body = JSON.stringify(call.body)
  }
  if (!headers.has('Accept')) headers.set('Accept', 'application/json')
  if (bearer !== undefined && !call.anonymous) headers.set('Authorization', `Bearer ${bearer}`)
  let response: Response
  try {
    response = await fetch(address(path, call.query), {
      method, headers, body, signal: call.signal,
      credentials: bearer === undefined ? 'same-origin' : 'omit',
      cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
    })
  } catch (error) {
    if (isAbort(error)) throw error
    throw new ApiError(0, 'unreachable', 'The server cannot be reached. Is it running, and are you online?')
  }
  if (response.ok) return response
  const failure = await readFailure(response)
  if (response.status !== 401 || call.anonymous) throw failure
  unauthorized()
  // What the server says of the token is about signing in. Anything else waits until that is done.
  throw path === '/auth/session' ? failure : new ApiError(401, failure.code, 'Your session had ended. Try again once you are signed in.')
}

async function readFailure(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || undefined
  const text = await response.text().catch(() => '')
  let answer: { code?: string; detail?: string | FieldError[] } = {}
  try {
    answer = JSON.parse(text) as typeof answer
  } catch {
    // A proxy's page, or nothing.
  }
  if (Array.isArray(answer.detail)) {
    const words = answer.detail.map(({ loc, msg }) => `${loc.slice(1).join('.') || loc.join('.')}: ${msg}`).join('; ')
    return new ApiError(response.status, 'validation_error', words, answer.detail, retryAfter)
  }
  const detail = typeof answer.detail === 'string' ? answer.detail : `The server answered ${response.status} ${response.statusText}`.trim()
  return new ApiError(response.status, answer.code ?? 'error', detail, [], retryAfter)
}

async function json<T>(method: string, path: string, call?: Call): Promise<T> {
  const response = await send(method, path, call)
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

export const http = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => json<T>('GET', path, { query, signal }),
  post: <T>(path: string, body?: unknown, call?: Call) => json<T>('POST', path, { ...call, body: body ?? {} }),
  put: <T>(path: string, body: unknown, call?: Call) => json<T>('PUT', path, { ...call, body }),
  patch: <T>(path: string, body: unknown, call?: Call) => json<T>('PATCH', path, { ...call, body }),
  delete: (path: string, call?: Call) => json<void>('DELETE', path, call),
  send,
}

/** Everything of a list that is known to be short, 1,000 rows at most. */
export async function whole<T>(fetch: (iterator: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = []
  let iterator: string | undefined
  for (let pages = 0; pages < 40 && rows.length < 1000; pages++) {
    const page = await fetch(iterator)
    rows.push(...page.data)
    if (page.done || page.iterator === null) break
    iterator = page.iterator
  }
  return rows
}

/** The first rows of a list whose pages may end early, as a filter makes them: some are followed. done: there are no more. */
export async function first<T>(wanted: number, fetch: (iterator: string | undefined) => Promise<Page<T>>): Promise<{ rows: T[]; done: boolean }> {
  const rows: T[] = []
  let iterator: string | undefined
  for (let pages = 0; pages < 10 && rows.length < wanted; pages++) {
    const page = await fetch(iterator)
    rows.push(...page.data)
    if (page.done || page.iterator === null) return { rows, done: true }
    iterator = page.iterator
  }
  return { rows: rows.slice(0, wanted), done: false }
}
