// Lists that grow by "load more".
import { ApiError, isAbort } from '../api/client'
import type { Page } from '../api/types'

type Fetch<T> = (iterator: string | undefined, signal: AbortSignal) => Promise<Page<T>>

// A filter may look at many rows to find few: this many answers are waited for before the viewer is asked again.
const patience = 10
// What is loaded again at once; of a longer list the end is asked for anew.
const longestReload = 500

export class List<T> {
  rows = $state.raw<T[]>([])
  done = $state(false)
  /** Whether rows are on their way that the viewer waits for; loading again is quiet. */
  loading = $state(true)
  error = $state.raw<ApiError | undefined>(undefined)
  /** Whether there was an answer: an empty list before it is not empty yet. */
  known = $state(false)
  #fetch: Fetch<T>
  #want: number
  #iterator: string | undefined
  #abort = new AbortController()
  #busy = false
  #again = $state(0)
  #asked = 0

  constructor(fetch: Fetch<T>, want: number) {
    this.#fetch = fetch
    this.#want = want
    $effect(() => {
      const again = this.#again
      const reloading = again !== this.#asked
      this.#asked = again
      this.#abort.abort()
      this.#abort = new AbortController()
      this.#iterator = undefined
      if (!reloading) this.loading = true
      const wanted = reloading ? Math.min(Math.max(want, this.#shown), longestReload) : want
      void this.#fill([], wanted, this.#abort.signal)
      return () => this.#abort.abort()
    })
  }

  // How many rows are there, without following them.
  #shown = 0

  /** Loads what is there again, from the start; it goes on being shown until then. */
  reload = () => {
    this.#again++
  }

  /** Loads the rows that come next. */
  more = () => {
    if (this.#busy || this.done) return
    this.loading = true
    void this.#fill(this.rows, this.#want, this.#abort.signal)
  }

  /** Ends the search for more; what was found stays, and more() goes on from there. */
  stop = () => {
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#busy = false
    this.loading = false
    this.known = true
  }

  /** Changes the rows that are shown, such as by what happens meanwhile. */
  update(change: (rows: readonly T[]) => T[]) {
    this.#show(change(this.rows))
  }

  /** Puts a row on top, or in the place of the one with the same key. */
  put(row: T, key: (row: T) => string) {
    const at = this.rows.findIndex((other) => key(other) === key(row))
    this.#show(at < 0 ? [row, ...this.rows] : this.rows.with(at, row))
  }

  async #fill(before: T[], wanted: number, signal: AbortSignal) {
    this.#busy = true
    let rows = before
    try {
      for (let asked = 0; asked < patience; asked++) {
        const page = await this.#fetch(this.#iterator, signal)
        if (signal.aborted) return
        rows = [...rows, ...page.data]
        this.#iterator = page.iterator ?? undefined
        this.done = page.done || page.iterator === null
        if (this.done || rows.length - before.length >= wanted) break
        // What has been found so far is worth seeing, unless it stands in for more.
        if (rows.length > this.#shown) this.#show(rows)
      }
      this.#show(rows)
      this.error = undefined
      this.known = true
    } catch (error) {
      if (signal.aborted || isAbort(error)) return
      this.error = ApiError.from(error)
    }
    this.#busy = false
    this.loading = false
  }

  #show(rows: T[]) {
    this.rows = rows
    this.#shown = rows.length
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
