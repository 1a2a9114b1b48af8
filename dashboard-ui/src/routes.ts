// Which page is at which address. A page is a component that takes { params }, the ids of its address.
import type { Component } from 'svelte'
import Apps from './pages/Apps.svelte'
import Catalog from './pages/Catalog.svelte'
import CatalogType from './pages/CatalogType.svelte'
import Deliveries from './pages/Deliveries.svelte'
import Delivery from './pages/Delivery.svelte'
import Developers from './pages/Developers.svelte'
import Endpoint from './pages/Endpoint.svelte'
import EndpointNew from './pages/EndpointNew.svelte'
import Endpoints from './pages/Endpoints.svelte'
import Live from './pages/Live.svelte'
import LiveConference from './pages/LiveConference.svelte'
import LiveConversation from './pages/LiveConversation.svelte'
import LiveEvent from './pages/LiveEvent.svelte'
import Overview from './pages/Overview.svelte'
import Play from './pages/Play.svelte'
import PublicCatalog from './pages/PublicCatalog.svelte'
import PublicCatalogType from './pages/PublicCatalogType.svelte'
import Settings from './pages/Settings.svelte'
import Source from './pages/Source.svelte'
import SourceNew from './pages/SourceNew.svelte'
import Sources from './pages/Sources.svelte'
import Testing from './pages/Testing.svelte'

/** The names of a pattern's parts in braces. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
export type Params = Record<string, string>

export type Route = {
  pattern: string
  /** Takes the params that its pattern names, which `at` has checked. */
  page: Component<any>
  /** app: within the navigation of an app; org: signed in; public: everybody. */
  area: 'app' | 'org' | 'public'
  /** The entry of the navigation that it belongs to. */
  nav?: string
}

// The pattern's names are what the page may ask for: a page with a param that its address lacks does not compile.
function at<P extends string>(pattern: P, page: Component<{ params: Record<Names<P>, string> }>, area: Route['area'] = 'app', nav?: string): Route {
  return { pattern, page, area, nav }
}

const routes: Route[] = [
  { pattern: '/', page: Apps, area: 'org' },
  { pattern: '/play', page: Play, area: 'public' },
  at('/catalog/{org}', PublicCatalog, 'public'),
  at('/catalog/{org}/{type}', PublicCatalogType, 'public'),
  at('/app/{app}/overview', Overview, 'app', 'overview'),
  at('/app/{app}/endpoints', Endpoints, 'app', 'endpoints'),
  at('/app/{app}/endpoints/new', EndpointNew, 'app', 'endpoints'),
  at('/app/{app}/endpoints/{endpoint}', Endpoint, 'app', 'endpoints'),
  at('/app/{app}/testing', Testing, 'app', 'testing'),
  at('/app/{app}/deliveries', Deliveries, 'app', 'deliveries'),
  at('/app/{app}/deliveries/{msg}/{endpoint}', Delivery, 'app', 'deliveries'),
  at('/app/{app}/live', Live, 'app', 'live'),
  at('/app/{app}/live/event/{event}', LiveEvent, 'app', 'live'),
  at('/app/{app}/live/conference/{conference}', LiveConference, 'app', 'live'),
  at('/app/{app}/live/conversation/{conversation}', LiveConversation, 'app', 'live'),
  at('/app/{app}/sources', Sources, 'app', 'sources'),
  at('/app/{app}/sources/new', SourceNew, 'app', 'sources'),
  at('/app/{app}/sources/{source}', Source, 'app', 'sources'),
  at('/app/{app}/catalog', Catalog, 'app', 'catalog'),
  at('/app/{app}/catalog/{type}', CatalogType, 'app', 'catalog'),
  at('/app/{app}/developers', Developers, 'app', 'developers'),
  at('/app/{app}/settings', Settings, 'app', 'settings'),
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
