// The live end of the list of deliveries: what happens is put in its place, or kept until the viewer looks at the top.
import { untrack } from 'svelte'
import type { DeliveryEvent, DeliveryRow } from '../../api/types'
import type { List } from '../../lib/list.svelte'

export const keyOf = (row: Pick<DeliveryRow, 'msgId' | 'endpointId'>) => `${row.msgId} ${row.endpointId}`

// Under load many attempts end at once: they are shown together.
const togetherMs = 250
// A list that grew so long begins anew, and so does what waits: nobody reads that far.
const longest = 800

export class Tail {
  /** Whether the viewer stopped it. */
  paused = $state(false)
  /** Whether the viewer reads or works somewhere, so that rows must not move. */
  reading = $state(false)
  /** How many rows wait to be shown. */
  waiting = $state(0)
  readonly held = $derived(this.paused || this.reading)
  #list: List<DeliveryRow>
  #fits: (row: DeliveryRow) => boolean
  #queue = new Map<string, DeliveryRow>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(list: List<DeliveryRow>, fits: (row: DeliveryRow) => boolean) {
    this.#list = list
    this.#fits = fits
    $effect(() => {
      if (!this.held) untrack(() => this.#show())
    })
    $effect(() => () => clearTimeout(this.#timer))
  }

  /** Takes what has just happened. */
  take = ({ attempt: _, ...row }: DeliveryEvent) => {
    this.#queue.set(keyOf(row), row)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#show()
    }, togetherMs)
  }

  /** Forgets what waits, because the list is loaded anew. */
  forget = () => {
    this.#queue.clear()
    this.waiting = 0
  }

  #show() {
    const { rows, done } = this.#list
    const last = rows.at(-1)
    const known = new Set(rows.map(keyOf))
    const changed: DeliveryRow[] = []
    const added: DeliveryRow[] = []
    for (const [key, row] of this.#queue) {
      if (known.has(key)) changed.push(row)
      else if (this.#fits(row) && (done || last === undefined || isAbove(row, last))) added.push(row)
      else this.#queue.delete(key)
    }
    if (this.held) {
      // What is shown may change where it stands; rows that would move it wait.
      if (!this.paused) this.#apply(changed, [])
      this.waiting = added.length
      if (this.#queue.size > longest) this.#queue = new Map([...this.#queue].slice(-longest))
      return
    }
    this.#apply(changed, added)
    this.waiting = 0
    if (this.#list.rows.length > longest) this.#list.reload()
  }

  #apply(changed: DeliveryRow[], added: DeliveryRow[]) {
    if (changed.length + added.length === 0) return
    for (const row of [...changed, ...added]) this.#queue.delete(keyOf(row))
    const fresh = new Map(changed.map((row) => [keyOf(row), row]))
    this.#list.update((rows) => [...added, ...rows.map((row) => fresh.get(keyOf(row)) ?? row)].sort((a, b) => (isAbove(a, b) ? -1 : 1)))
  }
}

// Newest message first, as the API orders them: ids ascend with time.
function isAbove(a: DeliveryRow, b: DeliveryRow): boolean {
  return a.msgId === b.msgId ? a.endpointId > b.endpointId : a.msgId > b.msgId
}
