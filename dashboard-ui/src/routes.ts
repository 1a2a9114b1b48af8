// Which page is at which address. A page is a component that takes { params }, the ids of its address. Its code is asked
// for when somebody goes there.
import type { Component } from 'svelte'

/** The names of a pattern's parts in braces. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
export type Params = Record<string, string>

/** Gets a component's code. It fails when the server has another build by now. */
type Load<P extends Record<string, any>> = () => Promise<{ default: Component<P> }>

export type Route = {
  pattern: string
  /** Gets the page, which takes the params that its pattern names: `at` has checked that. */
  load: Load<any>
  /** app: within the navigation of an app; org: signed in; public: everybody. */
  area: 'app' | 'org' | 'public'
  /** The entry of the navigation that it belongs to. */
  nav?: string
}

// The pattern's names are what the page may ask for: a page with a param that its address lacks does not compile.
function at<P extends string>(pattern: P, load: Load<{ params: Record<Names<P>, string> }>, area: Route['area'] = 'app', nav?: string): Route {
  return { pattern, load, area, nav }
}

const routes: Route[] = [
  { pattern: '/', load: () => import('./pages/Apps.svelte'), area: 'org' },
  { pattern: '/play', load: () => import('./pages/Play.svelte'), area: 'public' },
  at('/catalog/{org}', () => import('./pages/PublicCatalog.svelte'), 'public'),
  at('/catalog/{org}/{type}', () => import('./pages/PublicCatalogType.svelte'), 'public'),
  at('/app/{app}/overview', () => import('./pages/Overview.svelte'), 'app', 'overview'),
  at('/app/{app}/endpoints', () => import('./pages/Endpoints.svelte'), 'app', 'endpoints'),
  at('/app/{app}/endpoints/new', () => import('./pages/EndpointNew.svelte'), 'app', 'endpoints'),
  at('/app/{app}/endpoints/{endpoint}', () => import('./pages/Endpoint.svelte'), 'app', 'endpoints'),
  at('/app/{app}/testing', () => import('./pages/Testing.svelte'), 'app', 'testing'),
  at('/app/{app}/deliveries', () => import('./pages/Deliveries.svelte'), 'app', 'deliveries'),
  at('/app/{app}/deliveries/{msg}', () => import('./pages/Message.svelte'), 'app', 'deliveries'),
  at('/app/{app}/deliveries/{msg}/{endpoint}', () => import('./pages/Delivery.svelte'), 'app', 'deliveries'),
  at('/app/{app}/live', () => import('./pages/Live.svelte'), 'app', 'live'),
  at('/app/{app}/live/event/{event}', () => import('./pages/LiveEvent.svelte'), 'app', 'live'),
  at('/app/{app}/live/conference/{conference}', () => import('./pages/LiveConference.svelte'), 'app', 'live'),
  at('/app/{app}/live/conversation/{conversation}', () => import('./pages/LiveConversation.svelte'), 'app', 'live'),
  at('/app/{app}/sources', () => import('./pages/Sources.svelte'), 'app', 'sources'),
  at('/app/{app}/sources/new', () => import('./pages/SourceNew.svelte'), 'app', 'sources'),
  at('/app/{app}/sources/{source}', () => import('./pages/Source.svelte'), 'app', 'sources'),
  at('/app/{app}/catalog', () => import('./pages/Catalog.svelte'), 'app', 'catalog'),
  at('/app/{app}/catalog/{type}', () => import('./pages/CatalogType.svelte'), 'app', 'catalog'),
  at('/app/{app}/developers', () => import('./pages/Developers.svelte'), 'app', 'developers'),
  at('/app/{app}/settings', () => import('./pages/Settings.svelte'), 'app', 'settings'),
]

export type Match = { route: Route; params: Params }

/** The page at a path; undefined if there is none. Where patterns overlap the first one wins. */
export function match(path: string): Match | undefined {
  const parts = split(path)
  if (parts === undefined) return undefined
  for (const route of routes) {
    const params = fit(route.pattern.split('/').slice(1), parts)
    if (params) return { route, params }
  }
  return undefined
}

/** The app that a path is about, also of a path that is no page. */
export function appOf(path: string): string | undefined {
  const parts = split(path)
  return parts?.[0] === 'app' ? parts[1] : undefined
}

function split(path: string): string[] | undefined {
  try {
    return (path === '/' ? path : path.replace(/\/$/, '')).split('/').slice(1).map(decodeURIComponent)
  } catch {
    return undefined // %zz
  }
}

function fit(pattern: string[], parts: string[]): Params | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Params = {}
  for (const [i, wanted] of pattern.entries()) {
    const part = parts[i]!
    if (wanted.startsWith('{') && part !== '') params[wanted.slice(1, -1)] = part
    else if (wanted !== part) return undefined
  }
  return params
}
