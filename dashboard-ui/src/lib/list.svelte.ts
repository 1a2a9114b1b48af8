// Lists that grow by "load more".
import { ApiError, isAbort } from '../api/client'
import type { Page } from '../api/types'

type Fetch<T> = (iterator: string | undefined, signal: AbortSignal) => Promise<Page<T>>

// A filter may look at many rows to find few: this many answers are waited for before the viewer is asked again.
const patience = 10

export class List<T> {
  rows = $state.raw<T[]>([])
  done = $state(false)
  loading = $state(true)
  error = $state.raw<ApiError | undefined>(undefined)
  /** Whether there was an answer: an empty list before it is not empty yet. */
  known = $state(false)
  #fetch: Fetch<T>
  #want: number
  #iterator: string | undefined
  #abort = new AbortController()
  #again = $state(0)

  constructor(fetch: Fetch<T>, want: number) {
    this.#fetch = fetch
    this.#want = want
    $effect(() => {
      void this.#again
      this.#abort.abort()
      this.#abort = new AbortController()
      this.#iterator = undefined
      void this.#fill([], this.#abort.signal)
      return () => this.#abort.abort()
    })
  }

  /** Loads it anew from the start; the rows that are there stay until then. */
  reload = () => {
    this.#again++
  }

  /** Loads the rows that come next. */
  more = () => {
    if (!this.loading && !this.done) void this.#fill(this.rows, this.#abort.signal)
  }

  /** Puts a row on top, or in the place of the one with the same key. */
  put(row: T, key: (row: T) => string) {
    const at = this.rows.findIndex((other) => key(other) === key(row))
    this.rows = at < 0 ? [row, ...this.rows] : this.rows.with(at, row)
  }

  async #fill(before: T[], signal: AbortSignal) {
    this.loading = true
    let rows = before
    try {
      for (let asked = 0; asked < patience; asked++) {
        const page = await this.#fetch(this.#iterator, signal)
        rows = [...rows, ...page.data]
        this.#iterator = page.iterator ?? undefined
        this.done = page.done || page.iterator === null
        if (this.done || rows.length - before.length >= this.#want) break
        if (rows.length > before.length) this.rows = rows
      }
      this.rows = rows
      this.error = undefined
      this.known = true
      this.loading = false
    } catch (error) {
      if (isAbort(error)) return
      this.error = ApiError.from(error)
      this.loading = false
    }
  }
}

/**
 * A list while the component lives. State that the function reads before its first await makes it load from the start:
 *
 *     const apps = list((iterator, signal) => api.apps.list({ iterator, limit: 50 }, signal))
 *
 * Answers that end early (done = false with few rows) are followed until `want` rows are there.
 */
export function list<T>(fetch: Fetch<T>, want = 50): List<T> {
  return new List(fetch, want)
}
