// One webhook that was sent to try an endpoint out, and what became of it.
import { api } from '../../api'
import { ApiError } from '../../api/client'
import type { Attempt, Message, MessageDestination, SentRequest } from '../../api/types'

export type Test = { app: string; endpoint: string; name: string; eventType: string; word: string; body: string | undefined }

let last = 0

export class Run {
  readonly key = ++last
  readonly test: Test
  readonly startedAt = Date.now()
  message = $state.raw<Message | undefined>(undefined)
  attempts = $state.raw<Attempt[]>([])
  destination = $state.raw<MessageDestination | undefined>(undefined)
  request = $state.raw<SentRequest | undefined>(undefined)
  /** Why it could not be sent, or why its request cannot be shown. */
  error = $state.raw<ApiError | undefined>(undefined)
  /** Whether the viewer does not want to wait for the next attempt. */
  left = $state(false)
  readonly attempt = $derived(this.attempts[0])
  /** refused by the API, waiting for the first answer, trying again later, or over. */
  readonly state = $derived.by(() => {
    if (this.message === undefined) return this.error ? 'refused' : 'waiting'
    if (this.attempt === undefined) return 'waiting'
    const open = this.destination?.statusText === 'pending' || this.destination?.statusText === 'sending'
    return open ? 'again' : 'over'
  })
  readonly follows = $derived(this.state === 'waiting' || (this.state === 'again' && !this.left))
  #looking = false
  #lookAgain = false

  constructor(test: Test) {
    this.test = test
  }

  async start() {
    const { app, endpoint, eventType, body } = this.test
    try {
      this.message = await api.endpoints.sendExample(app, endpoint, { eventType, ...(body !== undefined && { body }) })
    } catch (error) {
      this.error = ApiError.from(error)
      return
    }
    await this.look()
  }

  /** Asks how it stands. Its attempts may be told by the stream before its id is known, so start asks at once. */
  look = async () => {
    if (this.message === undefined) return
    if (this.#looking) {
      this.#lookAgain = true
      return
    }
    this.#looking = true
    try {
      const { app, endpoint } = this.test
      const [attempts, destinations] = await Promise.all([
        api.attempts.byMessage(app, this.message.id, { endpoint_id: endpoint, limit: 50 }),
        api.messages.destinations(app, this.message.id, { limit: 10 }),
      ])
      this.destination = destinations.data.find(({ id }) => id === endpoint)
      const isNew = attempts.data[0]?.id !== this.attempt?.id
      this.attempts = attempts.data
      if (isNew) this.request = await api.messages.request(app, this.message.id, endpoint, attempts.data[0]?.id)
      this.error = undefined
    } catch (error) {
      this.error = ApiError.from(error)
    }
    this.#looking = false
    if (this.#lookAgain) {
      this.#lookAgain = false
      await this.look()
    }
  }
}
