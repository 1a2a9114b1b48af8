// What happens in the app that is shown, as it happens. The layout connects it; pages listen while they live.
import { at } from './client'
import { Stream, type StreamEvent } from './stream.svelte'
import type { DeliveryEvent, Topic } from './types'

// A tab that nobody looks at lets its connection go: over HTTP/1.1 a browser has six for all tabs together.
const hiddenMs = 20_000

class Live {
  stream = $state.raw<Stream | undefined>(undefined)
  #changes = new Set<{ topics: readonly Topic[]; run: () => void }>()
  #attempts = new Set<(row: DeliveryEvent) => void>()

  /** Connects to an app's stream; what it gives ends that. */
  connect(app: string) {
    let connected = false
    const stream = new Stream(at`/app/${app}/stream`, (event) => {
      if (event.event !== 'hello') return this.#handle(event)
      const { resumed, missed } = event.data as { resumed: boolean; missed: boolean }
      // More may have happened than is told again: whatever is shown may be old.
      if (missed || (connected && !resumed)) this.refresh()
      connected = true
    })
    this.stream = stream
    const leave = follow(stream)
    return () => {
      leave()
      if (this.stream === stream) this.stream = undefined
    }
  }

  /** Has everything that is shown loaded again. */
  refresh = () => {
    for (const { run } of this.#changes) run()
  }

  #handle({ event, data }: StreamEvent) {
    if (event === 'attempt') {
      for (const run of this.#attempts) run(data as DeliveryEvent)
    } else if (event === 'change') {
      const { topics } = data as { topics: Topic[] }
      for (const { topics: wanted, run } of this.#changes) if (wanted.some((topic) => topics.includes(topic))) run()
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

/** Starts a stream, which rests while nobody looks. What it gives ends both. */
export function follow(stream: Stream): () => void {
  stream.start()
  const unwatch = whileHidden(stream)
  return () => {
    unwatch()
    stream.stop()
  }
}

// Lets a stream go while the tab is hidden for long, and takes it up where it was. What it gives ends that.
function whileHidden(stream: Stream): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let held = false
  const changed = () => {
    clearTimeout(timer)
    if (!document.hidden) {
      if (held) stream.resume()
      held = false
    } else if (stream.state === 'live' || stream.state === 'lost') {
      timer = setTimeout(() => {
        held = true
        stream.stop()
      }, hiddenMs)
    }
  }
  // A page that was left is kept for a way back, its connection too: six of them, and the next page gets no answer.
  const left = () => {
    if (stream.state === 'paused' || stream.state === 'ended') return
    clearTimeout(timer)
    held = true
    stream.stop()
  }
  document.addEventListener('visibilitychange', changed)
  window.addEventListener('pagehide', left)
  window.addEventListener('pageshow', changed)
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', changed)
    window.removeEventListener('pagehide', left)
    window.removeEventListener('pageshow', changed)
  }
}

export const live = new Live()
