// Who the registrations of an event are. All are read in the background, and those that come later one by one.
import { untrack } from 'svelte'
import { api } from '../../api'
import { isAbort } from '../../api/client'
import { personOf, idOf, type Person } from './docs'

const pageSize = 250
const most = 10_000
const mostAtOnce = 20

export class Names {
  #known = $state.raw<ReadonlyMap<string, Person>>(new Map())
  /** How many registrations were read; so many there are if `whole`. */
  count = $state(0)
  whole = $state(false)
  #asked = new Set<string>()
  #app: string
  #event: string
  #abort = new AbortController()

  /** Belongs into a component's script. */
  constructor(app: string, event: string) {
    this.#app = app
    this.#event = event
    $effect(() => {
      untrack(() => void this.#readAll()) // it reads what it counts
      return () => this.#abort.abort()
    })
  }

  of(id: string): Person | undefined {
    return this.#known.get(id)
  }

  /** A name, an address or at least an id. */
  label(id: string): string {
    const person = this.#known.get(id)
    return person?.name ?? person?.email ?? id
  }

  async #readAll() {
    const signal = this.#abort.signal
    let iterator: string | undefined
    try {
      while (this.count < most) {
        const page = await api.live.registrations(this.#app, this.#event, { limit: pageSize, iterator }, signal)
        this.#add(page.data.map((doc) => [idOf(doc), personOf(doc)]))
        this.count += page.data.length
        if (page.done || page.iterator === null) {
          this.whole = true
          return
        }
        iterator = page.iterator
      }
    } catch (error) {
      // Names decorate. Without them the ids are there.
      if (!isAbort(error)) console.warn('names of registrations', error)
    }
  }

  #add(entries: [string, Person][]) {
    const known = new Map(this.#known)
    for (const [id, person] of entries) known.set(id, person)
    this.#known = known
  }

  /** Looks for those of the ids that are not known yet, a few at a time and each once. */
  async need(ids: readonly string[]) {
    if (!this.whole && this.count < most) return
    const missing = ids.filter((id) => !this.#known.has(id) && !this.#asked.has(id)).slice(0, mostAtOnce)
    for (const id of missing) this.#asked.add(id)
    const found = await Promise.allSettled(missing.map(async (id): Promise<[string, Person]> =>
      [id, personOf(await api.live.registration(this.#app, this.#event, id, this.#abort.signal))]))
    const people = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (people.length > 0) this.#add(people)
    if (this.whole) this.count += people.length
  }
}
