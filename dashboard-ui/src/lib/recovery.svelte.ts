// The recovery of an endpoint: what failed there is queued again by a task of the server, which is watched until it ends.
import { api } from '../api'
import { isAbort } from '../api/client'
import { live } from '../api/live.svelte'
import type { Task } from '../api/types'
import { toasts } from './toasts.svelte'

const lookMs = 2000

export class Recovery {
  /** The task since start; undefined before. */
  task = $state.raw<Task | undefined>(undefined)
  running = $derived(this.task?.status === 'running')
  queued = $derived(this.task?.data.messagesSent ?? 0)
  /** Whether it ended without having queued anything: what failed has no payload any more. */
  none = $derived(this.task?.status === 'finished' && this.queued === 0)
  /** How many there are to queue; undefined while that is not known. */
  total = $derived(this.task?.data.messagesTotal === undefined ? undefined : Math.max(this.task.data.messagesTotal, this.queued))
  #app: string
  #ended: () => void

  /** Belongs into a component's script. ended is called when a task that was started here has ended. */
  constructor(app: string, ended: () => void) {
    this.#app = app
    this.#ended = ended
    // Told by the stream, and asked for in case that is away.
    live.onChange(['task'], () => void this.#look())
    $effect(() => {
      if (!this.running) return
      const abort = new AbortController()
      const timer = setInterval(() => void this.#look(abort.signal), lookMs)
      return () => {
        clearInterval(timer)
        abort.abort()
      }
    })
  }

  /** Starts it, for what failed since then (RFC 3339). Throws what the API says against it. */
  async start(endpoint: string, since: string) {
    const begun = await api.endpoints.recover(this.#app, endpoint, { since })
    this.task = { ...begun, data: { messagesSent: 0 } }
    await this.#look()
  }

  /** Forgets the task, which goes on. */
  clear() {
    this.task = undefined
  }

  async #look(signal?: AbortSignal) {
    if (this.task?.status !== 'running') return
    try {
      this.task = await api.tasks.get(this.task.id, signal)
      toasts.over('Progress')
      if (this.task.status !== 'running') this.#ended()
    } catch (error) {
      if (!isAbort(error)) toasts.fail(error, 'Progress')
    }
  }
}
