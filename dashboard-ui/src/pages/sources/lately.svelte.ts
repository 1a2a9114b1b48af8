// What came in at some sources within a day, counted up to a bound: one source after the other.
import { api } from '../../api'
import { isAbort } from '../../api/client'

export type Count = { n: number; more: boolean }
export type DayAtSource = { accepted: Count; refused: Count; unreadable: Count; last: string | undefined }

const most = 100
const dayMs = 86_400_000

export class Lately {
  #known = $state.raw<ReadonlyMap<string, DayAtSource>>(new Map())
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

  of(id: string): DayAtSource | undefined {
    return this.#known.get(id)
  }

  /** Counts anew; what is asked for meanwhile comes after that, the latest alone. */
  async count(ids: readonly string[]) {
    if (this.#running) {
      this.#again = ids
      return
    }
    this.#running = true
    for (const id of ids) {
      try {
        this.#known = new Map(this.#known).set(id, await this.#day(id))
      } catch (error) {
        if (isAbort(error)) return
      }
    }
    this.#timer = setTimeout(() => {
      this.#running = false
      const ids = this.#again
      this.#again = undefined
      if (ids !== undefined) void this.count(ids)
    }, 2000)
  }

  async #day(id: string): Promise<DayAtSource> {
    const signal = this.#abort.signal
    const after = new Date(Date.now() - dayMs).toISOString()
    const of = (status: string, limit: number, after?: string) => api.sources.received(this.#app, id, { status, limit, after }, signal)
    const [accepted, other, last] = await Promise.all([
      of('accepted', most, after), of('refused,unreadable', most, after), of('accepted,refused,unreadable', 1),
    ])
    const among = (status: string) => ({ n: other.data.filter((row) => row.status === status).length, more: !other.done })
    return { accepted: { n: accepted.data.length, more: !accepted.done }, refused: among('refused'), unreadable: among('unreadable'), last: last.data[0]?.timestamp }
  }
}
