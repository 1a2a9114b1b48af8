// Every address of the dashboard, with its ids escaped. Links are made here and nowhere else.
import { at } from '../api/client'

export const paths = {
  apps: () => '/',
  login: () => '/login',
  play: () => '/play',
  publicCatalog: (org: string) => at`/catalog/${org}`,
  publicCatalogType: (org: string, type: string) => at`/catalog/${org}/${type}`,
  app: (app: string) => at`/app/${app}`,
  overview: (app: string) => at`/app/${app}/overview`,
  endpoints: (app: string) => at`/app/${app}/endpoints`,
  endpointNew: (app: string) => at`/app/${app}/endpoints/new`,
  endpoint: (app: string, endpoint: string) => at`/app/${app}/endpoints/${endpoint}`,
  testing: (app: string, endpoint?: string) => at`/app/${app}/testing` + (endpoint ? `?${new URLSearchParams({ endpoint })}` : ''),
  deliveries: (app: string, filters: Record<string, string> = {}) => {
    const text = new URLSearchParams(filters).toString()
    return at`/app/${app}/deliveries` + (text && `?${text}`)
  },
  message: (app: string, msg: string) => at`/app/${app}/deliveries/${msg}`,
  delivery: (app: string, msg: string, endpoint: string) => at`/app/${app}/deliveries/${msg}/${endpoint}`,
  live: (app: string) => at`/app/${app}/live`,
  liveEvent: (app: string, event: string) => at`/app/${app}/live/event/${event}`,
  liveConference: (app: string, conference: string) => at`/app/${app}/live/conference/${conference}`,
  liveConversation: (app: string, conversation: string) => at`/app/${app}/live/conversation/${conversation}`,
  sources: (app: string) => at`/app/${app}/sources`,
  sourceNew: (app: string) => at`/app/${app}/sources/new`,
  source: (app: string, source: string) => at`/app/${app}/sources/${source}`,
  catalog: (app: string) => at`/app/${app}/catalog`,
  catalogType: (app: string, type: string) => at`/app/${app}/catalog/${type}`,
  developers: (app: string) => at`/app/${app}/developers`,
  settings: (app: string) => at`/app/${app}/settings`,
}
