// What an app's endpoints and event types are called.
import { api } from '../api'
import { whole } from '../api/client'
import type { CatalogEntry, Endpoint } from '../api/types'

export type Names = { endpoints: Endpoint[]; types: CatalogEntry[]; endpoint: (id: string) => string; word: (type: string, endpointId: string) => string }

/** The names of an app: endpoints by description or URL, event types by the word of an endpoint's dialect. */
export async function namesOf(app: string, signal?: AbortSignal): Promise<Names> {
  const [endpoints, catalog] = await Promise.all([
    whole((iterator) => api.endpoints.list(app, { iterator, limit: 250 }, signal)),
    // Without the catalogue types go by Callboard's names, which everybody can read.
    api.catalog.list(signal).catch(() => ({ data: [] as CatalogEntry[] })),
  ])
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]))
  const byName = new Map(catalog.data.map((entry) => [entry.name, entry]))
  return {
    endpoints,
    types: catalog.data,
    endpoint: (id) => nameOf(byId.get(id)) || id,
    word: (type, endpointId) => wordIn(byName.get(type), byId.get(endpointId)?.dialect) ?? type,
  }
}

/** An endpoint's description, or its URL. */
export function nameOf(endpoint: Pick<Endpoint, 'description' | 'url'> | undefined): string {
  return endpoint?.description || endpoint?.url || ''
}

/** What a dialect calls an event type; undefined if it has no word of its own. */
export function wordIn(entry: CatalogEntry | undefined, dialect: string | undefined): string | undefined {
  return dialect === undefined ? undefined : entry?.words[dialect]?.words[0]
}
