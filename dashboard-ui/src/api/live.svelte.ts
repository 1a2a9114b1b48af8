// What happens in the app that is shown, as it happens. The layout connects it; pages listen while they live.
import { at } from './client'
import { Stream, type StreamEvent } from './stream.svelte'
import type { DeliveryEvent, Topic } from './types'

class Live {
  stream = $state.raw<Stream | undefined>(undefined)
  #changes = new Set<{ topics: readonly Topic[]; run: () => void }>()
  #attempts = new Set<(row: DeliveryEvent) => void>()

  connect(app: string) {
    const stream = new Stream(at`/app/${app}/stream`, this.#handle)
    this.stream = stream
    stream.start()
    return () => {
      stream.stop()
      if (this.stream === stream) this.stream = undefined
    }
  }

  #handle = ({ event, data }: StreamEvent) => {
    if (event === 'attempt') {
      for (const run of this.#attempts) run(data as DeliveryEvent)
    } else if (event === 'change') {
      const { topics } = data as { topics: Topic[] }
      for (const { topics: wanted, run } of this.#changes) if (wanted.some((topic) => topics.includes(topic))) run()
    } else if (event === 'hello' && (data as { missed: boolean }).missed) {
      // More happened than is told again: whatever is shown may be old.
      for (const { run } of this.#changes) run()
    }
  }

  /** Runs while the component lives, whenever something of these topics has changed; at most about once a second. */
  onChange(topics: readonly Topic[], run: () => void) {
    $effect(() => {
      const entry = { topics, run }
      this.#changes.add(entry)
      return () => this.#changes.delete(entry)
    })
  }

  /** Runs while the component lives, for each attempt as it ends. */
  onAttempt(run: (row: DeliveryEvent) => void) {
    $effect(() => {
      this.#attempts.add(run)
      return () => this.#attempts.delete(run)
    })
  }
}

export const live = new Live()
