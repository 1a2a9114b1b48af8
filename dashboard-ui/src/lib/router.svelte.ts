// Addresses. Links are plain <a href>; clicks on them are taken over here. See routes.ts for which page is where.
import { tick } from 'svelte'
import { unsaved } from './unsaved.svelte'

const start = window.location

// A list that takes longer than that is looked at from its top.
const reachMs = 5000

/** What an entry of the history keeps: how far it was scrolled, and how many entries were before it. */
type Entry = { scroll?: number; at?: number } | null

class Router {
  path = $state(start.pathname)
  search = $state(start.search)
  /** Where a page that is being gone to is to be scrolled to. */
  #scroll: number | undefined
  #reaching: AbortController | undefined
  #awaited = 0
  #at = (history.state as Entry)?.at ?? 0
  /** A step through the history that was asked about, and is taken or taken back. */
  #stepping = false

  constructor() {
    history.scrollRestoration = 'manual'
    history.replaceState({ ...(history.state as Entry), at: this.#at }, '')
    window.addEventListener('popstate', (event) => this.#stepped(event.state as Entry))
    document.addEventListener('click', (event) => this.#click(event))
    let pending: ReturnType<typeof setTimeout> | undefined
    window.addEventListener('scroll', () => {
      clearTimeout(pending)
      pending = setTimeout(() => history.replaceState({ ...(history.state as object), scroll: window.scrollY }, ''), 150)
    }, { passive: true })
  }

  /** Goes to an address of this page. replace leaves no way back to the present one. */
  go(href: string, { replace = false }: { replace?: boolean } = {}) {
    const url = new URL(href, window.location.href)
    if (url.origin !== window.location.origin) return
    const moved = url.pathname !== this.path
    if (replace) history.replaceState({ at: this.#at }, '', url)
    else history.pushState({ at: ++this.#at }, '', url)
    this.#read()
    if (moved) void this.#moved(0)
  }

  /** Puts off the arrival at a page until its code is there. */
  async await<T>(page: Promise<T>): Promise<T> {
    this.#awaited++
    try {
      return await page
    } finally {
      this.#awaited--
      void this.#arrive()
    }
  }

  #stepped(entry: Entry) {
    const moved = window.location.pathname !== this.path
    const other = moved || window.location.search !== this.search
    const by = (entry?.at ?? this.#at) - this.#at
    if (this.#stepping) {
      this.#stepping = false
      if (!other) return
    } else if (other && by !== 0 && unsaved.any) {
      this.#stepping = true
      history.go(-by)
      void unsaved.mayLeave().then((yes) => {
        this.#stepping = yes
        if (yes) history.go(by)
      })
      return
    }
    this.#at += by
    this.#read()
    if (moved) void this.#moved(entry?.scroll ?? 0)
  }

  async #moved(scroll: number) {
    this.#reaching?.abort()
    this.#scroll = scroll
    await this.#arrive()
  }

  // A new page begins at its heading, for those who hear it as for those who see it.
  async #arrive() {
    await tick()
    if (this.#awaited > 0 || this.#scroll === undefined) return
    const scroll = this.#scroll
    this.#scroll = undefined
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
    window.scrollTo(0, scroll)
    if (window.scrollY < scroll) this.#reach(scroll)
  }

  // What a page lists comes after the page: it is scrolled once it is long enough, unless the viewer moves before.
  #reach(scroll: number) {
    const reaching = new AbortController()
    const stop = () => reaching.abort()
    const { signal } = reaching
    const growing = new ResizeObserver(() => {
      if (document.documentElement.scrollHeight - window.innerHeight < scroll) return
      stop()
      window.scrollTo(0, scroll)
    })
    const timer = setTimeout(stop, reachMs)
    signal.addEventListener('abort', () => {
      growing.disconnect()
      clearTimeout(timer)
    })
    for (const type of ['wheel', 'touchmove', 'pointerdown', 'keydown']) window.addEventListener(type, stop, { signal, passive: true })
    this.#reaching = reaching
    growing.observe(document.body)
  }

  #read() {
    this.path = window.location.pathname
    this.search = window.location.search
  }

  #click(event: MouseEvent) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element | null)?.closest?.('a')
    if (!link?.href || link.target || link.hasAttribute('download')) return
    const url = new URL(link.href)
    if (url.origin !== window.location.origin || !mine(url.pathname)) return
    // A link to a place on this very page, such as the skip link, is the browser's.
    if (url.hash && url.pathname === this.path && url.search === this.search) return
    event.preventDefault()
    void this.#follow(url)
  }

  async #follow(url: URL) {
    const other = url.pathname !== this.path || url.search !== this.search
    if (!other || (await unsaved.mayLeave())) this.go(url.href)
  }
}

// The rest of the server's addresses, such as /docs, are other pages.
function mine(path: string): boolean {
  return path === '/' || path === '/login' || path === '/play' || path.startsWith('/app/') || (path.startsWith('/catalog/') && !/^\/catalog\/[^/]+\.md$/.test(path))
}

export const router = new Router()

/**
 * What stands behind the question mark of the address, for filters: they survive a reload and can be sent to others.
 *
 *     query.get('status')                       // string, or undefined
 *     query.all('event_types')                  // string[]
 *     query.set({ status: 'fail', tag: null })  // changes two, leaves the others
 */
class QueryState {
  #params = $derived(new URLSearchParams(router.search))

  get(name: string): string | undefined {
    return this.#params.get(name) ?? undefined
  }

  all(name: string): string[] {
    return this.#params.getAll(name)
  }

  /** null, '' and [] take a name away. By default no new step in the history: "back" leaves the page. */
  set(changes: Record<string, string | number | boolean | readonly string[] | null | undefined>, { push = false } = {}) {
    const params = new URLSearchParams(router.search)
    for (const [name, value] of Object.entries(changes)) {
      params.delete(name)
      if (value === null || value === undefined || value === '' || value === false) continue
      for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one))
    }
    const text = params.toString()
    router.go(router.path + (text && `?${text}`), { replace: !push })
  }
}

export const query = new QueryState()
