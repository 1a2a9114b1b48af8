// What is edited before it is saved, and how it differs from what is.
import { tick } from 'svelte'

export class Draft<T extends object> {
  /** What the fields are bound to. */
  now: T
  #saved: T
  #labels: Record<keyof T, string>

  /** labels say what the fields are called, in their order. */
  constructor(saved: () => T, labels: Record<keyof T, string>) {
    this.#saved = $state.raw(saved())
    this.now = $state(saved())
    this.#labels = labels
  }

  /** The names of the fields that differ. */
  changed = $derived.by((): (keyof T)[] =>
    (Object.keys(this.#labels) as (keyof T)[]).filter((name) => JSON.stringify(this.now[name]) !== JSON.stringify(this.#saved[name])),
  )

  /** The same for people. */
  words = $derived.by((): string => this.changed.map((name) => this.#labels[name]).join(', '))

  has(name: keyof T): boolean {
    return this.changed.includes(name)
  }

  /** Takes what was saved. */
  load(saved: T) {
    this.#saved = saved
    this.now = structuredClone(saved)
  }

  discard() {
    this.load(this.#saved)
  }
}

/** Leads to the first field that was refused: it may be far from the button. */
export async function showFirstError() {
  await tick()
  const field = document.querySelector<HTMLElement>('[aria-invalid=true]')
  field?.focus()
  field?.scrollIntoView({ block: 'center' })
}
