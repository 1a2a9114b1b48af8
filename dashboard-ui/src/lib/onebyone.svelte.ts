// What takes a request for each of some things, such as the rows of a list: one after the other, not all at once.
import { isAbort } from '../api/client'

const leastPauseMs = 2000

export class OneByOne<T> {
  #known = $state.raw<ReadonlyMap<string, T>>(new Map())
  #ask: (id: string, signal: AbortSignal) => Promise<T>
  #most: number
  #abort = new AbortController()
  #running = false
  #again: readonly string[] | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Belongs into a component's script. No more than most are asked about in one go. */
  constructor(ask: (id: string, signal: AbortSignal) => Promise<T>, { most = Infinity } = {}) {
    this.#ask = ask
    this.#most = most
    $effect(() => () => {
      this.#abort.abort()
      clearTimeout(this.#timer)
    })
  }

  /** What is known by now; an id that could not be asked about has nothing. */
  of(id: string): T | undefined {
    return this.#known.get(id)
  }

  /** Asks anew. What is asked for meanwhile comes after that, the latest alone, and after a pause of nine times as long. */
  async ask(ids: readonly string[]) {
    if (this.#running) {
      this.#again = ids
      return
    }
    this.#running = true
    const began = performance.now()
    for (const id of ids.slice(0, this.#most)) {
      try {
        this.#known = new Map(this.#known).set(id, await this.#ask(id, this.#abort.signal))
      } catch (error) {
        if (isAbort(error)) return
      }
    }
    this.#timer = setTimeout(() => {
      this.#running = false
      const ids = this.#again
      this.#again = undefined
      if (ids !== undefined) void this.ask(ids)
    }, Math.max(leastPauseMs, 9 * (performance.now() - began)))
  }
}
