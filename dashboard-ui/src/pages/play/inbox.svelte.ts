// An inbox of Play as it is shown: which one it is, what came in, and what comes.
import { api } from '../../api'
import { ApiError, at } from '../../api/client'
import { follow } from '../../api/live.svelte'
import { Stream, type StreamEvent } from '../../api/stream.svelte'
import type { PlayInbox, PlayRequest } from '../../api/types'
import { keepInbox } from '../../lib/inboxes'
import { load } from '../../lib/load.svelte'

// As many as the server keeps.
const most = 100
const remembered = 'callboard.play'

/** The key that stands behind the # of the address. Other fragments are none. */
function keyInAddress(): string | undefined {
  return /^#([0-9a-z]{40})$/.exec(window.location.hash)?.[1]
}

function recall(): string | undefined {
  try {
    return sessionStorage.getItem(remembered) ?? undefined
  } catch {
    return undefined // Storage is refused in some frames; there is a new inbox then.
  }
}

function remember(key: string) {
  try {
    sessionStorage.setItem(remembered, key)
  } catch {
    // The address has it still.
  }
}

/** Make it in a component's script: it lives as long as the component. */
export class Inbox {
  key = $state<string | undefined>(undefined)
  stream = $state.raw<Stream | undefined>(undefined)
  making = $state(false)
  #refused = $state.raw<ApiError | undefined>(undefined)
  // Nobody asked for a key that was remembered only: when it has expired, another takes its place without a word.
  #recalled = false
  // What the stream told while the whole was fetched, which may be older.
  #told: PlayRequest[] = []

  readonly #held = load(async (signal) => {
    const key = this.key
    if (key === undefined) return undefined
    this.#told = []
    const held = await api.play.get(key, signal)
    this.#recalled = false
    return this.#told.reduceRight((inbox, request) => add(inbox, request), held)
  })

  readonly data = $derived(this.#held.data?.key === this.key ? this.#held.data : undefined)
  readonly error = $derived(this.#refused ?? (this.key === undefined ? undefined : this.#held.error))
  readonly #known = $derived(this.data?.key)

  constructor() {
    const inAddress = keyInAddress()
    const key = inAddress ?? recall()
    this.#recalled = inAddress === undefined
    if (key === undefined) void this.make({ replace: true })
    else this.#show(key, true)
    $effect(() => {
      const follow = () => {
        const key = keyInAddress()
        if (key !== undefined && key !== this.key) this.#show(key, true)
      }
      window.addEventListener('hashchange', follow)
      window.addEventListener('popstate', follow)
      return () => {
        window.removeEventListener('hashchange', follow)
        window.removeEventListener('popstate', follow)
      }
    })
    $effect(() => {
      if (this.error?.status === 404 && this.#recalled) void this.make({ replace: true })
    })
    $effect(() => {
      if (this.#known !== undefined) return this.#connect(this.#known)
    })
    $effect(() => {
      // The stream ends when the inbox does; asking for it says so.
      if (this.stream?.state === 'ended') this.#held.reload()
    })
  }

  /** Another inbox. The way back leads to the one before, unless it is replaced. */
  make = async ({ replace = false } = {}) => {
    this.making = true
    this.#recalled = false
    try {
      const made = await api.play.create()
      this.#refused = undefined
      keepInbox(made)
      this.#show(made.key, replace)
    } catch (error) {
      this.#refused = ApiError.from(error)
    } finally {
      this.making = false
    }
  }

  reload = () => (this.key === undefined ? void this.make({ replace: true }) : this.#held.reload())

  #show(key: string, replace: boolean) {
    this.key = key
    remember(key)
    if (keyInAddress() !== key) history[replace ? 'replaceState' : 'pushState'](history.state, '', `#${key}`)
  }

  #connect(key: string): () => void {
    const stream = new Stream(at`/play/${key}/stream`, (event) => this.#handle(event), { after: this.#held.data!.lastEventId, anonymous: true })
    this.stream = stream
    return follow(stream)
  }

  #handle({ event, data }: StreamEvent) {
    if (event === 'request') {
      this.#told.push(data as PlayRequest)
      if (this.data) this.#held.set(add(this.data, data as PlayRequest))
    } else if (event === 'change' || (data as { missed?: boolean }).missed) {
      this.#held.reload()
    }
  }
}

function add(inbox: PlayInbox, request: PlayRequest): PlayInbox {
  if (inbox.requests.some(({ id }) => id === request.id)) return inbox
  return { ...inbox, requests: [request, ...inbox.requests].slice(0, most) }
}
