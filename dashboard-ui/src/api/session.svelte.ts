// Who is signed in, and what they may see.
import { clock } from '../lib/clock.svelte'
import { theme } from '../lib/theme.svelte'
import { api } from '.'
import { ApiError, onUnauthorized, useBearer } from './client'
import type { Brand, Capability, Session } from './types'

/** Whether the page is inside of another's frame: no cookie is sent there, so a token in memory stands for it. */
export const embedded = window.self !== window.top

// Tabs share the cookie: one that waits at its sign-in goes on once another has signed in. A frame's token is its own.
const tabs = embedded ? undefined : new BroadcastChannel('callboard-session')

// The app whose portal was last open in this browser: when that has ended nothing else says who is here.
const portalKey = 'callboard.portal'

function lastPortal(): string | null {
  try {
    return localStorage.getItem(portalKey)
  } catch {
    return null
  }
}

function rememberPortal(app: string | undefined) {
  try {
    if (app === undefined) localStorage.removeItem(portalKey)
    else localStorage.setItem(portalKey, app)
  } catch {
    // Then the sign-in page is the one for everybody.
  }
}

class SessionStore {
  /** undefined until it is known. */
  state = $state<'in' | 'out' | undefined>(undefined)
  value = $state.raw<Session | undefined>(undefined)
  /** Whose public page a viewer without a session sees. */
  #host = $state.raw<Brand | undefined>(undefined)
  /** Why the viewer sees the sign-in page, if that needs saying. */
  note = $state<string | undefined>(undefined)

  constructor() {
    onUnauthorized(() => {
      if (this.state === 'in') this.#interrupt()
    })
    tabs?.addEventListener('message', () => {
      if (this.state === 'out') void this.restore().catch(() => {}) // the form is still there
    })
  }

  /** Asks the server who this is. An error that says neither is thrown. */
  async restore() {
    try {
      this.#enter(await api.session.get())
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      this.state = 'out'
    }
  }

  /** Signs in with what stood in a link, or with a token that was pasted. */
  async signIn(proof: { key: string } | { token: string }) {
    const session = await api.session.create({ ...proof, bearer: embedded })
    if (session.token !== undefined) useBearer(session.token)
    this.#enter(session)
    tabs?.postMessage('in')
  }

  /** Takes a token of the page around this one as it is. */
  async adopt(token: string) {
    useBearer(token)
    await this.restore()
    if (this.state !== 'out') return
    useBearer(undefined)
    this.note = 'The token in this frame’s address has expired, or is none.'
  }

  async signOut() {
    await api.session.end()
    useBearer(undefined)
    this.value = undefined
    this.state = 'out'
    this.note = undefined
  }

  /** Whether the session ended by itself, in the middle of something that waits below the sign-in. */
  get interrupted(): boolean {
    return this.state === 'out' && this.value !== undefined
  }

  /** Whose session it is, as a text: pages of one are not for another. */
  get who(): string {
    const { org, app, readOnly, capabilities } = this.value ?? {}
    return JSON.stringify([org, app?.id, readOnly, capabilities])
  }

  /** Whether the session may do what the capability names. The API decides; this only hides what it would refuse. */
  can(capability: Capability): boolean {
    const session = this.value
    if (session === undefined) return false
    if (session.readOnly && capability !== 'ViewBase' && capability !== 'ViewEndpointSecret') return false
    return session.capabilities === null || session.capabilities.includes(capability)
  }

  /** Whether the session is one app's portal. */
  get portal(): boolean {
    return this.value?.app != null
  }

  /** Whether whoever is at a path without a session is an app's tenant, who knows neither tokens nor the server. */
  isTenant(path: string): boolean {
    if (this.portal) return true
    const [, app, rest] = /^\/app\/([^/]+)\/(.*)$/.exec(path) ?? []
    return app !== undefined && (/^login\/?$/.test(rest!) || app === lastPortal())
  }

  /** Whether the session may change what is the org's: apps, settings, event types. */
  get admin(): boolean {
    return this.value !== undefined && this.value.app === null && !this.value.readOnly && this.value.capabilities === null
  }

  /** How the org looks whose page this is. */
  get brand(): Brand | undefined {
    return this.value?.brand ?? this.#host
  }

  /** Shows a public page in the colours of its org. */
  welcome(brand: Brand) {
    this.#host = brand
    if (this.value === undefined) theme.brand(brand.accent)
  }

  #enter(session: Session) {
    this.value = session
    this.state = 'in'
    this.note = undefined
    if (!embedded) rememberPortal(session.app?.id)
    clock.set(session.serverTime)
    theme.brand(session.brand.accent)
  }

  // What was known stays, so that the page keeps what was typed into it.
  #interrupt() {
    useBearer(undefined)
    this.state = 'out'
    this.note = 'Your session has ended.'
  }
}

export const session = new SessionStore()
