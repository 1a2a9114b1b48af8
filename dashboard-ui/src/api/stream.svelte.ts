// Server-sent events over fetch: EventSource cannot send a token. It resumes after the last event that came, and waits
// longer after each failure.
import { ApiError, send } from './client'

export type StreamEvent = { event: string; id: string | undefined; data: unknown }

// Nothing for so long, though the server says something every 15 s, means that the connection is dead.
const silenceMs = 45_000
const firstWaitMs = 1000
const longestWaitMs = 30_000

export class Stream {
  /** connecting at first, live, paused by the viewer, lost while it is tried again, ended when it cannot come back. */
  state = $state<'connecting' | 'live' | 'paused' | 'lost' | 'ended'>('connecting')
  /** When it is tried again, in ms since 1970, while it is lost. */
  nextTry = $state<number | undefined>(undefined)
  #path: string
  #anonymous: boolean
  #handle: (event: StreamEvent) => void
  #lastId: string | undefined
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0

  constructor(path: string, handle: (event: StreamEvent) => void, { after, anonymous = false }: { after?: string; anonymous?: boolean } = {}) {
    this.#path = path
    this.#handle = handle
    this.#lastId = after
    this.#anonymous = anonymous
  }

  start = () => {
    if (this.#abort !== undefined) return
    void this.#run()
  }

  /** Ends the connection; resume goes on from the last event. */
  pause = () => {
    this.stop()
    this.state = 'paused'
  }

  resume = () => {
    this.state = 'connecting'
    this.#failures = 0
    this.start()
  }

  stop = () => {
    clearTimeout(this.#timer)
    this.#abort?.abort()
    this.#abort = undefined
  }

  async #run() {
    const abort = new AbortController()
    this.#abort = abort
    this.nextTry = undefined
    try {
      await this.#read(abort)
      this.#retry(abort)
    } catch (error) {
      if (abort.signal.aborted && this.#abort !== abort) return
      const status = error instanceof ApiError ? error.status : 0 // a connection that broke is nothing to report
      if (status === 401 || status === 403 || status === 404) this.state = 'ended'
      else this.#retry(abort)
    }
  }

  async #read(abort: AbortController) {
    const headers: Record<string, string> = { Accept: 'text/event-stream' }
    if (this.#lastId !== undefined) headers['Last-Event-ID'] = this.#lastId
    let silence = setTimeout(() => abort.abort(), silenceMs)
    try {
      const response = await send('GET', this.#path, { headers, signal: abort.signal, anonymous: this.#anonymous })
      if (response.body === null) return
      const parser = new Parser((event) => {
        this.#lastId = event.id ?? greeted(event) ?? this.#lastId
        this.#handle(event)
      })
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done || this.#abort !== abort) return
        clearTimeout(silence)
        silence = setTimeout(() => abort.abort(), silenceMs)
        this.state = 'live'
        this.#failures = 0
        parser.push(value)
      }
    } finally {
      clearTimeout(silence)
    }
  }

  #retry(abort: AbortController) {
    if (this.#abort !== abort) return
    this.#abort = undefined
    this.state = 'lost'
    // Half of the wait is chance, so that many pages do not come back to a restarted server at once.
    const longest = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failures++, 10))
    const wait = longest / 2 + Math.random() * (longest / 2)
    this.nextTry = Date.now() + wait
    this.#timer = setTimeout(this.start, wait)
  }
}

// The greeting says where the stream begins, for who loses it before anything has happened.
function greeted({ event, data }: StreamEvent): string | undefined {
  const id = event === 'hello' ? (data as { id?: unknown } | null)?.id : undefined
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** Reads text/event-stream as the HTML standard has it, from chunks that end anywhere. */
export class Parser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | undefined
  #dispatch: (event: StreamEvent) => void

  constructor(dispatch: (event: StreamEvent) => void) {
    this.#dispatch = dispatch
  }

  push(chunk: string) {
    this.#rest += chunk
    for (;;) {
      const end = this.#rest.search(/\r\n|\n|\r(?!$)/)
      if (end < 0) return
      const line = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1))
      this.#line(line)
    }
  }

  #line(line: string) {
    if (line === '') {
      this.#end()
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.#event = value
    else if (name === 'data') this.#data.push(value)
    else if (name === 'id' && !value.includes('\0')) this.#id = value
  }

  #end() {
    const text = this.#data.join('\n')
    const event = { event: this.#event || 'message', id: this.#id, data: undefined as unknown }
    this.#event = ''
    this.#data = []
    this.#id = undefined
    if (text === '') return
    try {
      event.data = JSON.parse(text)
    } catch {
      return
    }
    this.#dispatch(event)
  }
}
