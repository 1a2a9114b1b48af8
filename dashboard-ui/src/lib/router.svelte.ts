// Addresses. Links are plain <a href>; clicks on them are taken over here. See routes.ts for which page is where.
import { tick } from 'svelte'

const start = window.location

type Scrolled = { scroll?: number }

class Router {
  path = $state(start.pathname)
  search = $state(start.search)
  /** Where a page that is being gone to is to be scrolled to. */
  #scroll: number | undefined
  #awaited = 0

  constructor() {
    history.scrollRestoration = 'manual'
    window.addEventListener('popstate', (event) => {
      const moved = window.location.pathname !== this.path
      this.#read()
      if (moved) void this.#moved((event.state as Scrolled | null)?.scroll ?? 0)
    })
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
    if (replace) history.replaceState(null, '', url)
    else history.pushState(null, '', url)
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

  async #moved(scroll: number) {
    this.#scroll = scroll
    await this.#arrive()
  }

  // A new page begins at its heading, for those who hear it as for those who see it.
  async #arrive() {
    await tick()
    if (this.#awaited > 0 || this.#scroll === undefined) return
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true })
    window.scrollTo(0, this.#scroll)
    this.#scroll = undefined
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
    this.go(link.href)
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
