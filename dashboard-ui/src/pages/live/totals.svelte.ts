// How many are at some events now: one request after the other, since each makes the server count.
import { api } from '../../api'
import { isAbort } from '../../api/client'
import type { Attendance } from '../../api/types'

const most = 25
const leastMs = 2000

export class Totals {
  #known = $state.raw<ReadonlyMap<string, Attendance['totals']>>(new Map())
  #app: string
  #abort = new AbortController()
  #running = false
  #again: readonly string[] | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Belongs into a component's script. */
  constructor(app: string) {
    this.#app = app
    $effect(() => () => {
      this.#abort.abort()
      clearTimeout(this.#timer)
    })
  }

  of(id: string): Attendance['totals'] | undefined {
    return this.#known.get(id)
  }

  /** Counts anew at some events; what is asked for meanwhile comes after that, the latest alone. */
  async count(ids: readonly string[]) {
    if (this.#running) {
      this.#again = ids
      return
    }
    this.#running = true
    const began = performance.now()
    for (const id of ids.slice(0, most)) {
      try {
        const { totals } = await api.live.attendance(this.#app, id, { lines: false }, this.#abort.signal)
        this.#known = new Map(this.#known).set(id, totals)
      } catch (error) {
        if (isAbort(error)) return
      }
    }
    const pause = Math.max(leastMs, 9 * (performance.now() - began))
    this.#timer = setTimeout(() => {
      this.#running = false
      const ids = this.#again
      this.#again = undefined
      if (ids !== undefined) void this.count(ids)
    }, pause)
  }
}
